"""Who is in a room, as everyone in it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from netplay.channel import Channel
from netplay.errors import Refused
from netplay.game.messages import Link, Roster, RosterLine
from netplay.game.room import Room
from netplay.linkquality import round_trip

if TYPE_CHECKING:
    from netplay.game.occupants import Occupant

EVERY = 0.25
"""Seconds from one roster to the next, at least."""

SIZE = 25
"""Players; the rosters of larger rooms are told less often, in proportion."""

LINKS_EVERY = 5.0
"""Seconds from one look at the links to the next; a roster is told again if they have changed a lot."""

MOST_LISTED = 100
"""Players whom a roster lists, those who came first; of the others it has the number."""


def link_of(occupant: Occupant | None) -> Link | None:
    """How well somebody is connected, C{None} for nobody."""
    if occupant is None:
        return None
    outbox = occupant.client.outbox
    trip = round_trip(outbox.transport)
    return Link(None if trip is None else round(trip * 1000), outbox.backlog)


def links_differ(before: Roster | None, now: Roster) -> bool:
    """Whether somebody's link is so much better or worse that it is worth telling."""
    if before is None:
        return True
    for player, line in now.players.items():
        old = before.players.get(player)
        if old is not None and line.link is not None and old.link is not None:
            a, b = line.link.rtt or 0, old.link.rtt or 0
            if abs(a - b) > max(20, min(a, b) / 2) or bool(line.link.backlog) != bool(old.link.backlog):
                return True
    return False


def roster_of(room: Room, occupants: Mapping[str, Occupant], spectators: int, now: int) -> Roster:
    """
    What there is to say of a room.

    @param occupants: the players that are connected, by player.
    @param now: milliseconds since 1970.
    """
    least, most = room.game.players
    host = room.scene.host
    return Roster(
        room=room.name,
        game=room.game.name,
        phase=room.phase.value,
        host=None if host is None else host.id,
        min=least,
        max=most,
        players={
            player.id: RosterLine(
                player.name, player.team, player.ready, player.away, player.bot, link_of(occupants.get(player.id))
            )
            for player in islice(room.seats.values(), MOST_LISTED)
        },
        count=len(room.seats),
        spectators=spectators,
        starts_at=None if room.starts_in is None else now + round(room.starts_in * 1000),
    )


class Rosters:
    """
    Tells a room who is in it: when that has changed, or somebody's link has, and not too often.

    @param clock: the reactor.
    @param channel: who is told.
    @param make: the roster as it is now; raises L{Refused} when there is no room any more.
    """

    def __init__(self, clock: IReactorTime, room: Room, channel: Channel, make: Callable[[], Roster]) -> None:
        self._clock = clock
        self._room = room
        self._channel = channel
        self._make = make
        self._told: Roster | None = None
        self._from = 0.0  # when the next may be told
        self._next: IDelayedCall | None = None
        self._stopped = False

    def look(self) -> None:
        """Something may have changed."""
        if not self._room.changed or not len(self._channel) or self._stopped:
            return
        now = self._clock.seconds()
        due = max(now, self._from)
        if self._next is None:
            self._next = self._clock.callLater(due - now, self._tell)
        elif self._next.getTime() > due:
            self._next.reset(due - now)

    def stop(self) -> None:
        """Nobody is told any more."""
        self._stopped = True
        if self._next is not None and self._next.active():
            self._next.cancel()

    def _tell(self) -> None:
        self._next = None
        with suppress(Refused):
            roster = self._make()
            if self._room.changed or links_differ(self._told, roster):
                self._room.changed = False
                self._told = roster
                self._from = self._clock.seconds() + EVERY * max(1, roster.count / SIZE)
                self._channel.publish(roster)
            # Links become better and worse without anybody saying so.
            self._next = self._clock.callLater(LINKS_EVERY, self._tell) if len(self._channel) else None
