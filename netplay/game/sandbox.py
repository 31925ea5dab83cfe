"""The tutorial's game: everyone moves as they like and scores what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.plugin import IPlugin
from zope.interface import implementer

from netplay.game.messages import Move, Score
from netplay.interfaces import IGame, IWorld
from netplay.messages import MAX_INTEGER, Request

Value = int | float


@implementer(IWorld)
class SandboxWorld:
    """Positions and scores by player."""

    def __init__(self) -> None:
        self._positions: dict[str, dict[str, Value]] = {}
        self._scores: dict[str, Value] = {}

    def join(self, player: str, kept: Any = None) -> None:
        """At the origin, or back where it was."""
        origin: dict[str, Value] = {"x": 0, "y": 0}
        position, score = kept or (origin, 0)
        self._positions[player] = position
        self._scores[player] = score

    def leave(self, player: str) -> Any:
        """Gone; what it had is returned."""
        return self._positions.pop(player), self._scores.pop(player)

    def act(self, player: str, message: Request) -> bool:
        """A move or a score."""
        if isinstance(message, Move):
            position = self._positions[player]
            position["x"] = _clamped(position["x"] + message.dx)
            position["y"] = _clamped(position["y"] + message.dy)
        elif isinstance(message, Score):
            self._scores[player] = _clamped(self._scores[player] + message.points)
        return True

    def state(self) -> Mapping[str, Any]:
        """Everybody's position and score."""
        return {"positions": self._positions, "scores": self._scores}


def _clamped(value: Value) -> Value:
    """Finite and exact in every client; whole numbers are written as such, however they were sent."""
    value = max(-MAX_INTEGER, min(MAX_INTEGER, value))
    return int(value) if value == int(value) else value


@implementer(IPlugin, IGame)
class Sandbox:
    """The game of the lobby."""

    name = "sandbox"
    description = "Move around and score as you like: the rules of the tutorial"
    players = (1, 100)
    messages = (Move, Score)

    def open(self, room: str) -> SandboxWorld:
        """An empty world."""
        return SandboxWorld()
