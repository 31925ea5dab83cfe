"""What the parts of one daemon share: clock, limits, who is connected, who may come back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IReactorTime

from netplay.complaints import Complaints
from netplay.limits import Gate, Limits
from netplay.sessions import Sessions
from netplay.watch import Watch

if TYPE_CHECKING:
    from netplay.interfaces import IMessageService, IStore


class Core:
    """
    Handed to every feature when it is built.

    @ivar clock: the reactor, for timers. Nothing else imports one.
    @ivar wall: seconds since 1970, for what clients are told.
    @ivar store: where things are kept; set before any feature is built.
    @ivar features: the message features by name, once they are built.
    @ivar frame_types: which feature has which frame type, those included that are left out.
    """

    store: IStore

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

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        return int(self.wall() * 1000)
