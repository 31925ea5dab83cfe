"""What the parts of one daemon share: clock, limits, who is connected, who may come back."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from netplay.errors import Refused
from netplay.limits import Gate, Limits

if TYPE_CHECKING:
    from netplay.client import Client
    from netplay.connection import Connection
    from netplay.interfaces import IMessageService, IStore

KEPT_FOR = 120.0
"""Seconds that a guest may take to come back."""

MOST_KEPT = 10_000
"""Sessions kept for those who may come back; the oldest goes first."""


class Core:
    """
    Handed to every feature when it is built.

    @ivar clock: the reactor, for timers. Nothing else imports one.
    @ivar wall: seconds since 1970, for what clients are told.
    @ivar features: the message features by name, once they are built.
    @ivar frame_types: which feature has which frame type, those included that are left out.
    """

    def __init__(self, clock: IReactorTime, limits: Limits, *, wall: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.limits = limits
        self.wall = wall
        self.gate = Gate(limits)
        self.complaints = Complaints(clock)
        self.sessions = Sessions()
        self.watch = Watch(clock, self.sessions)
        self.features: dict[str, IMessageService] = {}
        self.frame_types: dict[int, str] = {}
        self.store: IStore | None = None

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        return int(self.wall() * 1000)


class Complaints:
    """
    What clients did wrong, for the log: each kind counted, a line at once and then at most one every C{every}
    seconds, whatever comes. Nothing that a client sent is repeated.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime, every: float = 10.0) -> None:
        self._clock = clock
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
        self._log.info("refused: {counts}", counts=", ".join(f"{n} x {kind}" for kind, n in sorted(counts.items())))


@dataclass
class _Kept:
    feature: str
    state: Any
    until: float
    expired: Callable[[Any], None]


@dataclass
class Sessions:
    """
    Which session belongs to whom: to a client that is connected, or to what one left behind that may come back.
    """

    _log = Logger()

    _live: dict[str, Client] = field(default_factory=dict)
    _kept: OrderedDict[str, _Kept] = field(default_factory=OrderedDict)  # in the order in which they expire

    def open(self, client: Client) -> str:
        """A new session for a client: a token nobody can guess."""
        token = secrets.token_urlsafe(12)
        self._live[token] = client
        return token

    def keep(self, token: str, feature: str, state: Any, expired: Callable[[Any], None], now: float) -> None:
        """The client is gone and may come back; C{expired} is called with the state when it does not."""
        del self._live[token]
        self._kept[token] = _Kept(feature, state, now + KEPT_FOR, expired)
        if len(self._kept) > MOST_KEPT:
            self._expire_one()

    def close(self, token: str) -> None:
        """The session is over."""
        del self._live[token]

    def resume(self, token: str, feature: str, client: Client) -> Any:
        """
        Hand the session to the client that asks for it and return what was kept. Whoever is still connected with
        it is sent away.

        @raise Refused: C{bad_session}.
        """
        holder = self._live.get(token)
        if holder is not None and holder is not client and holder.feature == feature:
            holder.end("replaced", "your session goes on in another connection")
        kept = self._kept.get(token)
        if kept is None or kept.feature != feature:
            raise Refused("bad_session", "no such session, or it is over; go on with the one you have", "$.session")
        del self._kept[token]
        self._live[token] = client
        return kept.state

    def expire(self, now: float) -> None:
        """Forget those who did not come back in time."""
        while self._kept and next(iter(self._kept.values())).until <= now:
            self._expire_one()

    def _expire_one(self) -> None:
        _, kept = self._kept.popitem(last=False)
        try:
            kept.expired(kept.state)
        except Exception:  # the others are to expire all the same
            self._log.failure("{feature}: while a session expired", feature=kept.feature)


class Watch(Service):
    """
    Looks after all connections with one timer: who is idle, who does not read, who never finishes a message.

    A timer for each of them would cost more than the connections do.
    """

    _log = Logger()
    PERIOD = 1.0

    def __init__(self, clock: IReactorTime, sessions: Sessions) -> None:
        self._clock = clock
        self._sessions = sessions
        self._loop: LoopingCall | None = None
        self._waiters: list[Deferred[None]] = []
        self.connections: set[Connection] = set()

    def startService(self) -> None:
        """Begin to look."""
        super().startService()
        self._loop = LoopingCall(self._look)
        self._loop.clock = self._clock
        self._loop.start(self.PERIOD, now=False)

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()
        if self._loop is not None and self._loop.running:
            self._loop.stop()

    def add(self, connection: Connection) -> None:
        """A connection was made."""
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
