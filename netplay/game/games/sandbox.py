"""The tutorial's game: everyone moves as they like and scores what they say."""

from __future__ import annotations

from netplay.game.entities import Entity, clamp
from netplay.game.game import Game
from netplay.game.messages import Move, Score
from netplay.game.players import Player
from netplay.messages import MAX_INTEGER


class Walker(Entity):
    """Where a player is, and what it scored."""

    kind = "player"

    x: int | float = 0
    y: int | float = 0
    score: int | float = 0


class Sandbox(Game):
    """Move around and score as you like: the rules of the tutorial"""

    name, api, players = "sandbox", 1, (1, 100)
    messages = (Move, Score)
    digits = None
    starts, countdown = "at once", 0
    brief = True

    def joined(self, player: Player) -> None:
        """At the origin."""
        player.entity = self.add(Walker(), owner=player)

    def on_move(self, player: Player, message: Move) -> None:
        """From where it is."""
        walker = player.entity
        walker.x = _exact(walker.x + message.dx)
        walker.y = _exact(walker.y + message.dy)

    def on_score(self, player: Player, message: Score) -> None:
        """More, or less."""
        player.entity.score = _exact(player.entity.score + message.points)


def _exact(value: int | float) -> int | float:
    """Finite and exact in every client; whole numbers are written as such, however they were sent."""
    value = clamp(value, MAX_INTEGER)
    return int(value) if value == int(value) else value
