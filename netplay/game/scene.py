"""What a room and the game in it share: who is there, what time it is, what is to be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any, NamedTuple

from netplay.game.players import Player
from netplay.game.timers import Timers


class Phase(StrEnum):
    """Where in its life a room is."""

    WAITING = "waiting"
    COUNTDOWN = "countdown"
    PLAYING = "playing"
    OVER = "over"


class Said(NamedTuple):
    """An event of a game: its name, who hears it (C{None}: everyone in the room), and whatever else it says."""

    event: str
    to: Player | None
    fields: Mapping[str, Any]


class Record(NamedTuple):
    """A score worth keeping."""

    score: str
    player: Player
    value: float


@dataclass(slots=True)
class Scene:
    """
    One room as its game sees it. The room writes it, the game reads it, and adds to what is C{said} and C{records}.

    @ivar rate: ticks a second.
    @ivar random: the only source of chance, so that a room can be played again.
    @ivar seats: the players by id, in the order in which they came.
    @ivar ticks: since the room began.
    @ivar host: whoever looks after the room.
    @ivar result: of the round, once it is over.
    """

    rate: int
    random: Random
    seats: dict[str, Player] = field(default_factory=dict)
    phase: Phase = Phase.WAITING
    host: Player | None = None
    ticks: int = 0
    timers: Timers = field(default_factory=Timers)
    said: list[Said] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    result: dict[str, Any] | None = None
