"""What a backend may ask of the games."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct
from twisted.internet.defer import Deferred

from netplay.game.listing import PAGE, game_lines, room_lines
from netplay.game.messages import GameLine, GameName, Most, Period, RoomLine, ScoreName, Standing
from netplay.operations import Operation

if TYPE_CHECKING:
    from netplay.game.feature import GameService


class ListGames(Struct, forbid_unknown_fields=True, kw_only=True):
    """The games that can be played."""


class Games(Struct):
    """All games, by name."""

    games: list[GameLine]


class ListGameRooms(Struct, forbid_unknown_fields=True, kw_only=True):
    """The game rooms by name, from behind `after`."""

    after: Annotated[str, Meta(max_length=64)] | None = None


class GameRooms(Struct):
    """Rooms; with `more`, ask again with the last one as `after`."""

    rooms: list[RoomLine]
    more: bool


class GetLeaderboard(Struct, forbid_unknown_fields=True, kw_only=True):
    """
    Who was best in a game, each player once, the best first.

    Today (`period` `day`, UTC) or ever; in the game's `score` of that name, or in its first.
    """

    game: GameName
    score: ScoreName | None = None
    period: Period = "all"
    limit: Most = 10


class Best(Struct):
    """The best in this score."""

    score: str
    scores: list[Standing]


def operations(game: GameService) -> Sequence[Operation]:
    """Those of the games of one daemon."""

    def list_games(request: ListGames) -> Games:
        return Games(game_lines(game.games))

    def list_rooms(request: ListGameRooms) -> GameRooms:
        rooms = game.directory.listed(after=request.after)
        return GameRooms(room_lines(rooms[:PAGE]), len(rooms) > PAGE)

    def leaderboard(request: GetLeaderboard) -> Deferred[Best]:
        asked = game.directory.game(request.game)
        score, best = game.leaderboards.best(asked, request.score, request.period, request.limit)
        return best.addCallback(lambda scores: Best(score, scores))

    return (
        Operation("GET", "/game/games", ListGames, Games, list_games),
        Operation("GET", "/game/rooms", ListGameRooms, GameRooms, list_rooms),
        Operation("GET", "/game/leaderboards/{game}", GetLeaderboard, Best, leaderboard, ("no_such_game",)),
    )
