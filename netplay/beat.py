"""What is to happen again and again."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from netplay.totals import Pace


class Beat:
    """
    Calls something at multiples of an interval, from L{start} to L{stop}. An exception is logged and ends nothing.

    LoopingCall keeps to the multiples, so that lateness does not add up; but it ends for good at an exception, and
    asks for the reactor when it is made, which is why it is made late and wrapped.

    @param clock: the reactor.
    @param interval: seconds from beat to beat.
    @param call: what is to happen.
    @param what: what that is, for the log.
    @param pace: where lateness and duration are noted.
    """

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, interval: float, call: Callable[[], object], what: str, pace: Pace | None = None
    ) -> None:
        self._clock = clock
        self._interval = interval
        self._call = call
        self._what = what
        self._pace = pace or Pace()
        self._loop: LoopingCall | None = None
        self._started = self._due = 0.0

    def start(self) -> None:
        """Begin; the first beat comes after an interval."""
        self._started = self._clock.seconds()
        self._due = self._started + self._interval
        self._loop = LoopingCall(self._beat)
        self._loop.clock = self._clock
        self._loop.start(self._interval, now=False)

    def stop(self) -> None:
        """Beat no more. It may not have begun."""
        if self._loop is not None and self._loop.running:
            self._loop.stop()

    def _beat(self) -> None:
        began = self._clock.seconds()
        try:
            self._call()
        except Exception:
            self._log.failure("{what}", what=self._what)
        ended = self._clock.seconds()
        self._pace.late.observe(began - self._due)
        self._pace.duration.observe(ended - began)
        # Beats that this one ran into are left out.
        passed = int((ended - self._started) / self._interval + 1e-6)
        self._due = self._started + (passed + 1) * self._interval
