"""Running out of file descriptors without spinning, and without filling the log."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.logger import LogEvent, Logger, LogLevel


class AcceptGuard:
    """
    Stands where a listening port has its logger, and hears from it that connections cannot be accepted.

    A port that has no descriptor left for a connection stays readable, so that the reactor would come back to it
    without end, and say so each time. Accepting rests for a second instead, and the log gets a line at most every
    ten. (The logger is the one place where Twisted's port tells of this.)
    """

    _log = Logger()
    REST = 1.0
    EVERY = 10.0

    def __init__(self, port: Any, clock: IReactorTime) -> None:
        self._port = port
        self._clock = clock
        self._resting: Any = None
        self._turned_away = 0
        self._saying: Any = None
        self.namespace = "netplay.listen"
        self.observer = self

    def __call__(self, event: LogEvent) -> None:
        """An event of the port's accepting."""
        if event.get("acceptError") == "ECONNABORTED":
            return  # the peer has thought better of it
        if "acceptError" in event:
            self._turned_away += 1
            self._rest()
        elif "address" in event or event.get("log_level") not in (LogLevel.debug, LogLevel.info):
            self._turned_away += 1
        self._say()

    def stop(self) -> None:
        """The port is being closed."""
        for call in (self._resting, self._saying):
            if call is not None and call.active():
                call.cancel()
        self._resting = self._saying = None
        self._port = None

    def _rest(self) -> None:
        if self._resting is None and self._port is not None:
            self._port.stopReading()
            self._resting = self._clock.callLater(self.REST, self._again)

    def _again(self) -> None:
        self._resting = None
        if self._port is not None:
            self._port.startReading()

    def _say_the_rest(self) -> None:
        self._saying = None
        if self._port is not None:
            self._say()

    def _say(self) -> None:
        if self._turned_away and self._saying is None:
            self._saying = self._clock.callLater(self.EVERY, self._say_the_rest)
            turned_away, self._turned_away = self._turned_away, 0
            self._log.warn(
                "out of file descriptors: {n} connections turned away; raise the limit (ulimit -n) or lower "
                "--max-connections",
                n=turned_away,
            )
