"""One look a second at all connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from netplay.beat import Beat
from netplay.errors import Refused
from netplay.sessions import Sessions
from netplay.totals import Pace

if TYPE_CHECKING:
    from netplay.connection import Connection


class Watch(Service):
    """
    Looks after all connections with one timer: who is idle, who does not read, who never finishes a message.

    A timer for each of them would cost more than the connections do.

    @param pace: where it is noted how late the reactor is with it.
    """

    _log = Logger()
    PERIOD = 1.0

    def __init__(self, clock: IReactorTime, sessions: Sessions, pace: Pace | None = None) -> None:
        self._clock = clock
        self._sessions = sessions
        self._beat = Beat(clock, self.PERIOD, self._look, "while looking after connections", pace)
        self._waiters: list[Deferred[None]] = []
        self._count = 0
        self.connections: set[Connection] = set()

    def startService(self) -> None:
        """Begin to look."""
        super().startService()
        self._beat.start()

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()
        self._beat.stop()

    def add(self, connection: Connection) -> None:
        """A connection was made."""
        self._count += 1
        connection.number = self._count
        self.connections.add(connection)

    def remove(self, connection: Connection) -> None:
        """A connection is gone."""
        self.connections.discard(connection)
        if not self.connections:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                waiter.callback(None)

    def drain(self, code: str, message: str) -> Deferred[None]:
        """Tell everyone why, close all connections, and fire when the last is gone."""
        for connection in list(self.connections):
            try:
                connection.end(Refused(code, message), linger=False)
            except Exception:  # the others are to be told all the same
                self._log.failure("while ending a connection")
                connection.abort()
        done: Deferred[None] = Deferred()
        if self.connections:
            self._waiters.append(done)
        else:
            done.callback(None)
        return done

    def _look(self) -> None:
        now = self._clock.seconds()
        for connection in list(self.connections):
            try:
                connection.check(now)
            except Exception:  # one connection's trouble is not the others', and must not end the loop
                self._log.failure("while looking after a connection")
                connection.abort()
        self._sessions.expire(now)
