"""What a backend may ask of the games."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from netplay.operations import Operation

if TYPE_CHECKING:
    from netplay.game.feature import GameService

PAGE = 100
"""Rooms in one answer, at most."""


class ListGames(Struct, forbid_unknown_fields=True, kw_only=True):
    """The games that can be played."""


class GameLine(Struct):
    """One game; `players` says how few and how many play in a room."""

    name: str
    description: str
    players: tuple[int, int]


class Games(Struct):
    """All games, by name."""

    games: list[GameLine]


class ListGameRooms(Struct, forbid_unknown_fields=True, kw_only=True):
    """The game rooms by name, from behind `after`."""

    after: Annotated[str, Meta(max_length=64)] | None = None


class GameRoomLine(Struct):
    """One room: what is played, and how many of how many seats are taken."""

    room: str
    game: str
    players: int
    max: int


class GameRooms(Struct):
    """Rooms; with `more`, ask again with the last one as `after`."""

    rooms: list[GameRoomLine]
    more: bool


def operations(game: GameService) -> Sequence[Operation]:
    """Those of the games of one daemon."""

    def list_games(request: ListGames) -> Games:
        return Games([GameLine(g.name, g.description, g.players) for _, g in sorted(game.games.items())])

    def list_rooms(request: ListGameRooms) -> GameRooms:
        rooms = [
            GameRoomLine(room.name, room.game.name, len(room.players), room.game.players[1])
            for name, room in sorted(game.lobby.rooms.items())
            if request.after is None or name > request.after
        ]
        return GameRooms(rooms[:PAGE], len(rooms) > PAGE)

    return (
        Operation("GET", "/game/games", ListGames, Games, list_games),
        Operation("GET", "/game/rooms", ListGameRooms, GameRooms, list_rooms),
    )
