"""What went wrong and may go wrong often, counted for the log: what clients did, what was not kept."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger


class Complaints:
    """
    What clients did wrong, for the log: each kind counted, a line at once and then at most one every C{every}
    seconds, whatever comes. Nothing that a client sent is repeated.

    @param what: with what the line begins.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, every: float = 10.0, what: str = "refused") -> None:
        self._clock = clock
        self._what = what
        self._every = every
        self._counts: dict[str, int] = {}
        self._waiting = False
        self.total: dict[str, int] = {}

    def note(self, kind: str) -> None:
        """Count one."""
        self.total[kind] = self.total.get(kind, 0) + 1
        self._counts[kind] = self._counts.get(kind, 0) + 1
        if not self._waiting:
            self._waiting = True
            self._report()
            self._clock.callLater(self._every, self._later)

    def _later(self) -> None:
        if self._counts:
            self._report()
            self._clock.callLater(self._every, self._later)
        else:
            self._waiting = False

    def _report(self) -> None:
        counts, self._counts = self._counts, {}
        told = ", ".join(f"{n} x {kind}" for kind, n in sorted(counts.items()))
        self._log.info("{what}: {counts}", what=self._what, counts=told)
