"""What the parts of one daemon share: clock, limits, who is connected, who may come back."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum, auto
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IReactorTime

from netplay.accounts.accounts import Accounts
from netplay.complaints import Complaints
from netplay.inbox import PATIENCE, Inbox
from netplay.keeping import Keeping
from netplay.limits import Gate, Limits
from netplay.moderation.moderation import Moderation
from netplay.sessions import SavedSessions, Sessions
from netplay.totals import Totals
from netplay.watch import Watch

if TYPE_CHECKING:
    from netplay.interfaces import IMessageService
    from netplay.operations import Operation
    from netplay.store.interfaces import IStore


class Phase(Enum):
    """Where in its life a daemon is."""

    STARTING = auto()
    RUNNING = auto()
    DRAINING = auto()


class Core:
    """
    Handed to every feature when it is built.

    @ivar clock: the reactor, for timers. Nothing else imports one.
    @ivar wall: seconds since 1970, for what clients are told.
    @ivar store: where things are kept; set before any feature is built.
    @ivar keeping: hands to the store what nobody waits for.
    @ivar accounts: who is logged in; without checkers until others are set, before any feature is built.
    @ivar moderation: who is muted or banned.
    @ivar inbox: reads what comes on plain sockets.
    @ivar patient_inbox: the same for those whose words may wait a moment.
    @ivar features: the message features by name, once they are built.
    @ivar frame_types: which feature has which frame type, those included that are left out.
    @ivar operations: what a backend may ask of the features, once they are built.
    @ivar phase: what the daemon is about.
    """

    store: IStore

    def __init__(self, clock: IReactorTime, limits: Limits, *, wall: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.limits = limits
        self.wall = wall
        self.moderation = Moderation(self)
        self.gate = Gate(limits, self.moderation.check_address)
        self.complaints = Complaints(clock)
        self.inbox = Inbox()
        self.patient_inbox = Inbox(PATIENCE)
        self.keeping = Keeping(clock)
        self.sessions = Sessions()
        self.saved = SavedSessions(self)
        self.totals = Totals()
        self.watch = Watch(clock, self.sessions, self.totals.pace("watch"))
        self.accounts = Accounts(self)
        self.features: dict[str, IMessageService] = {}
        self.frame_types: dict[int, str] = {}
        self.operations: list[Operation] = []
        self.phase = Phase.STARTING

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        return int(self.wall() * 1000)
