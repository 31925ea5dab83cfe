"""Who is in a room, as everyone in it is told."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

from netplay.game.messages import Link, Roster, RosterLine
from netplay.game.room import Room
from netplay.linkquality import round_trip

if TYPE_CHECKING:
    from netplay.clients import Client


MOST_LISTED = 100
"""Players whom a roster lists, those who came first; of the others it has the number."""


def link_of(client: Client | None) -> Link | None:
    """How well a client is connected, C{None} without one."""
    if client is None:
        return None
    trip = round_trip(client.outbox.transport)
    return Link(None if trip is None else round(trip * 1000), client.outbox.backlog)


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


def roster_of(room: Room, clients: Mapping[str, Client], spectators: int, now: int) -> Roster:
    """
    What there is to say of a room.

    @param clients: those of the players that are connected, by player.
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
                player.name, player.team, player.ready, player.away, player.bot, link_of(clients.get(player.id))
            )
            for player in islice(room.seats.values(), MOST_LISTED)
        },
        count=len(room.seats),
        spectators=spectators,
        starts_at=None if room.starts_in is None else now + round(room.starts_in * 1000),
    )
