"""What players send and get, whatever they play."""

from __future__ import annotations

from collections.abc import Mapping

from netplay.messages import Event, Greeting, Number, Request

# Requests of the sandbox, the game of the lobby


class Move(Request, tag="move"):
    """Go somewhere from where you are."""

    dx: Number = 0
    dy: Number = 0


class Score(Request, tag="score"):
    """Take points, or lose them."""

    points: Number


# Events


class State(Greeting, tag="state"):
    """All there is to see in a room. `positions` and `scores` are by player id."""

    room: str
    game: str
    tick: int
    at: int
    positions: Mapping[str, Mapping[str, int | float]]
    scores: Mapping[str, int | float]


SANDBOX_REQUESTS: tuple[type[Request], ...] = (Move, Score)
EVENTS: tuple[type[Event], ...] = (State,)
