"""Who has a seat in a room."""

from __future__ import annotations

from typing import Any

from netplay.game.entities import Data


class Player:
    """
    Someone who plays, as games and rooms know them.

    @ivar id: does not change while the player is connected; clients know each other by it.
    @ivar name: what people call it.
    @ivar team: which of the game's teams it is in, if there are any.
    @ivar away: whether the connection was lost; the seat is kept for a while.
    @ivar bot: whether a program of the server plays.
    @ivar ready: whether it has said so since the room began to wait.
    @ivar seat: what the game keeps of it: the game's C{seat} class, made anew for each round.
    @ivar account: the account that plays, C{None} for guests and bots; for leaderboards, and not for games: a room that
        is played again has none.
    @ivar entity: what it moves, if the game has given it something.
    """

    __slots__ = ("account", "away", "bot", "entity", "id", "name", "ready", "seat", "team")

    def __init__(self, id: str, name: str, team: str | None = None, *, bot: bool = False) -> None:
        self.id = id
        self.name = name
        self.team = team
        self.bot = bot
        self.account: str | None = None
        self.away = False
        self.ready = bot
        self.seat: Any = Data()
        self.entity: Any = None

    def __repr__(self) -> str:
        return f"<Player {self.id}>"
