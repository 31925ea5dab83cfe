"""Getting out of code that does not return: what a game does within a tick is interrupted after a while."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from random import uniform
from signal import ITIMER_REAL, SIGALRM, setitimer
from time import monotonic
from typing import Any, TypeVar, TypeVarTuple, Unpack

Ts = TypeVarTuple("Ts")
T = TypeVar("T")


NAGGING = 1e-6, 5e-5
"""Seconds after which what caught an interruption is interrupted again: at some time it is about to try once more."""


class TickOverrun(BaseException):
    """
    Raised in code that did not return in time. No L{Exception}: code that catches every error is not to go on.
    """


class TickLimit:
    """
    Calls what may not return, and raises L{TickOverrun} in it when its time is over. A bare C{except} may catch that:
    when the same time has passed once more it is raised again and again, at moments left to chance. Of a loop that
    tries something and goes on whatever happens, some of them are outside of what is tried.

    A signal interrupts endless loops and waiting in the system alike. A long call into C that looks for no signals
    (a huge power, say) is interrupted when it returns.

    Most calls are over within microseconds, and setting a timer for each would cost more than they do. So the timer
    runs on: an alarm finds out how long the present call has lasted and sets the timer for the rest of its time; one
    that finds no call switches the timer off until the next.

    The process has one such timer and one handler of its signal, and Python runs handlers in the main thread: one
    limit at a time is in force, and only for what the main thread calls.

    @param seconds: how long a call may last, 0 for as long as it likes.
    """

    __slots__ = ("_began", "_calling", "_earlier", "_installed", "_seconds", "_ticking")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._earlier: Any = None
        self._installed = False
        self._ticking = False
        self._calling = False
        self._began = 0.0

    def install(self) -> None:
        """From now on calls are limited; not outside the main thread, where they just go on as long as they like."""
        if self._seconds and not self._installed and threading.current_thread() is threading.main_thread():
            self._earlier = signal.signal(SIGALRM, self._alarm)
            self._installed = True

    def restore(self) -> None:
        """From now on calls are not limited, and the signal is what it was."""
        if self._installed:
            self._installed = self._ticking = False
            # A limit installed later keeps the signal, whose default would end the process.
            if signal.getsignal(SIGALRM) == self._alarm:
                setitimer(ITIMER_REAL, 0)
                signal.signal(SIGALRM, self._earlier)

    def call(self, f: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
        """
        Call something. What is called within such a call shares its time.

        @raise TickOverrun: it did not return in time.
        """
        if self._calling or not self._installed:
            return f(*args)
        self._began = monotonic()
        self._calling = True
        try:
            if not self._ticking:
                self._ticking = True
                setitimer(ITIMER_REAL, self._seconds, self._seconds)
            return f(*args)
        finally:
            # Python runs handlers of signals at calls and jumps, of which there are none here: after this line
            # no alarm raises anything, and before it this line is still to come.
            self._calling = False

    def _alarm(self, number: int, frame: object) -> None:
        if not self._calling:
            self._ticking = False
            setitimer(ITIMER_REAL, 0)
            return
        left = self._began + self._seconds - monotonic()
        if left <= 0:
            if left < -self._seconds / 2:  # the first was caught
                setitimer(ITIMER_REAL, uniform(*NAGGING), self._seconds)
            raise TickOverrun(f"it did not return within {self._seconds:g} s")
        setitimer(ITIMER_REAL, left, self._seconds)
