"""Programs of the server that play: they have seats as players do, see what players see, and send what players send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random
from typing import Any
from typing import Protocol as Shape

from netplay.beat import Beat
from netplay.core import Core
from netplay.errors import Refused
from netplay.game.game import Game
from netplay.game.live import LiveRoom
from netplay.game.sync import Stream
from netplay.wire.codecs import JSON

THINK_EVERY = 0.2
"""Seconds from one decision of a bot to the next."""

NAMES = ("Ada", "Bela", "Cleo", "Dino", "Elsa", "Fips", "Gigi", "Hugo", "Ines", "Juno", "Kiki", "Lumo")


class Brain(Shape):
    """What plays."""

    def decide(self, me: str, entities: Mapping[str, Mapping[str, Any]], random: Random) -> Any:
        """
        What to send now.

        @param me: its player's id.
        @param entities: what is to be seen, by id, as a client has it.
        """


class Bots:
    """
    Those of one room: while somebody plays there, they take seats until there are enough players, and give them up
    as others come.

    @param live: the room.
    @param core: the daemon's.
    @param enough: players, bots included.
    @param brain: makes what plays.
    """

    def __init__(self, live: LiveRoom, core: Core, enough: int, brain: Callable[[], Brain]) -> None:
        self._live = live
        self._core = core
        self._enough = enough
        self._make = brain
        self._brains: dict[str, Brain] = {}
        self._number = 0
        self._random = Random(live.room.seed)
        self._stream = Stream(live.room.name, live.room.game)
        self._beat = Beat(core.clock, THINK_EVERY, self._think, "while bots were playing")
        self._beat.start()

    def _think(self) -> None:
        if self._live.closed:
            self._beat.stop()
            return
        with suppress(Refused):  # between two rounds nothing can be done; a room that crashed is closed
            self._come_and_go()
            self._play()

    def _come_and_go(self) -> None:
        live = self._live
        people = sum(not (player.bot or player.away) for player in live.room.seats.values())
        wanted = min(max(0, self._enough - people), len(self._brains) + live.room.free) if people else 0
        while len(self._brains) > wanted:
            bot, _ = self._brains.popitem()
            live.leave(bot)
        while len(self._brains) < wanted:
            name = NAMES[self._number % len(NAMES)]
            self._number += 1
            bot = f"Bot_{self._number}"
            live.seat_bot(bot, name)
            self._brains[bot] = self._make()

    def _play(self) -> None:
        room = self._live.room
        if not self._brains:
            return
        self._stream.take(room.world, room.acks, self._core.now())
        for bot, brain in list(self._brains.items()):
            view = self._stream.view(room.seats[bot])
            entities = self._stream.state(view, JSON).entities or {}
            self._live.act(bot, self._live.guarded(brain.decide, bot, entities, self._random))


def filled(game: type[Game], core: Core, enough: int, brain: Callable[[], Brain]) -> Callable[[LiveRoom], None]:
    """What gives each new room of a game its L{Bots}."""

    def opened(live: LiveRoom) -> None:
        if live.room.game is game:
            Bots(live, core, enough, brain)

    return opened
