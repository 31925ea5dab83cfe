"""What is to happen so many times a second, neither more nor less: the time of a game."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from netplay.totals import Pace

GRID = 0.0025
"""
Seconds. Time is counted from multiples of this, so that several worlds are moved when the reactor wakes up for one of
them, one after the other: that costs less than to wake up for each, and a processor that has slept or done something
else is slow at first. (Kernels do the same with timers, see C{PR_SET_TIMERSLACK} in prctl(2).)
"""


class Steps:
    """
    Calls something once for each interval that passes from L{start} to L{stop}, even if late.

    Each step stands for the same span of time, so that a world moved by steps is where it should be however unevenly
    they come; see Glenn Fiedler's U{Fix Your Timestep <https://gafferongames.com/post/fix_your_timestep/>}. They are
    due at multiples of the interval counted from the start, so that lateness does not add up. Who is late catches up,
    but only so far: without a bound, steps that take longer than an interval would leave time for nothing else. (A
    L{Beat <netplay.beat.Beat>} is for what need not catch up, and goes on after an error.)

    @param clock: the reactor.
    @param interval: seconds from step to step.
    @param step: what is to happen. It may call L{stop}.
    @param ended: called with the L{Failure} that a step ended with, if one does; that was the last step.
    @param pace: where lateness, durations and dropped steps are noted.
    @param bound: the most steps made in a row to catch up; what is due beyond them is dropped.
    @param what: what this is, for the log, which shows it as it is.

    @ivar dropped: how many steps were left out since it was made.
    """

    __slots__ = (
        "_bound",
        "_clock",
        "_count",
        "_due",
        "_ended",
        "_interval",
        "_pace",
        "_quiet_until",
        "_started",
        "_step",
        "_timer",
        "_unsaid",
        "_what",
        "dropped",
    )

    _log = Logger()
    EVERY = 10.0  # seconds from warning to warning, at least

    def __init__(
        self,
        clock: IReactorTime,
        interval: float,
        step: Callable[[], object],
        ended: Callable[[Failure], object],
        pace: Pace | None = None,
        bound: int = 5,
        what: str = "steps",
    ) -> None:
        self._clock = clock
        self._interval = interval
        self._step = step
        self._ended = ended
        self._pace = pace or Pace()
        self._bound = bound
        self._what = what
        self._timer: Any = None
        self._started = self._due = self._quiet_until = 0.0
        self._count = self._unsaid = self.dropped = 0

    def start(self) -> None:
        """Begin, if it has not begun; the first step comes after an interval, or L{GRID} later at most."""
        if self._timer is None:
            now = self._clock.seconds()
            self._started = ceil(now / GRID - 0.001) * GRID
            self._count = 0
            self._wait(now)

    def stop(self) -> None:
        """Make no more steps. It may not have begun."""
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _wait(self, now: float) -> None:
        self._due = self._started + (self._count + 1) * self._interval
        self._timer = self._clock.callLater(max(0.0, self._due - now), self._catch_up)

    def _catch_up(self) -> None:
        timer = self._timer
        now = self._clock.seconds()
        self._pace.late.observe(now - self._due)
        # A timer may come early by a rounding error, which is large where time counts from 1970.
        due = int((now - self._started) / self._interval + 0.001) - self._count
        if due > self._bound:
            self._drop(due - self._bound)
            due = self._bound
        if self._unsaid and now >= self._quiet_until:
            self._say(now)
        for _ in range(due):
            self._count += 1
            began = now
            try:
                self._step()
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException:
                self.stop()
                self._ended(Failure())
                return
            now = self._clock.seconds()
            self._pace.duration.observe(now - began)
            if self._timer is not timer:
                return  # stopped, and maybe started again
        self._wait(now)

    def _drop(self, n: int) -> None:
        self._count += n
        self._unsaid += n
        self.dropped += n
        self._pace.dropped += n

    def _say(self, now: float) -> None:
        self._quiet_until = now + self.EVERY
        dropped, self._unsaid = self._unsaid, 0
        self._log.warn("{what}: too slow; steps left out: {dropped}", what=self._what, dropped=dropped)
