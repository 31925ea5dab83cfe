"""What can be played, and where: the same lines for players and for backends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from netplay.game.game import Game
from netplay.game.live import LiveRoom
from netplay.game.messages import GameLine, RoomLine

PAGE = 100
"""Rooms in one answer, at most."""


def game_lines(games: Mapping[str, type[Game]]) -> list[GameLine]:
    """All games, by name."""
    return [
        GameLine(
            name=game.name,
            description=game.description,
            players=game.players,
            teams=list(game.teams),
            ticks=game.tick_rate if game.ticking else 0,
            scores=list(game.scores),
        )
        for _, game in sorted(games.items())
    ]


def room_lines(rooms: Iterable[LiveRoom]) -> list[RoomLine]:
    """Rooms as they are listed."""
    return [
        RoomLine(
            room=live.name,
            game=live.room.game.name,
            players=len(live.room.seats),
            max=live.room.game.players[1],
            phase=live.room.phase.value,
            locked=live.locked,
        )
        for live in rooms
    ]
