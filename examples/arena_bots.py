"""
Programs that play the arena over real connections, as players do: for company, and as load.

    python examples/arena_bots.py                              # ten of them, on tcp:localhost:5555
    python examples/arena_bots.py ws://localhost:8080/ 200     # two hundred, through the web port

Needs a daemon: netplay run --max-per-address 1000.
"""

from __future__ import annotations

import sys
from random import Random
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import react

from netplay.client import Client, Mirror, connect
from netplay.game.games.arena.bots import Brain

THINK_EVERY = 4  # ticks


class Bot:
    """
    One of them.

    @ivar mirror: what it sees.
    """

    def __init__(self, client: Client, seed: int) -> None:
        self.client = client
        self.mirror = Mirror()
        self._brain = Brain()
        self._random = Random(seed)
        self._seq = 0
        self._next = 0  # the tick at which it decides again

    async def play(self) -> None:
        """Join, and play until the connection is over."""
        self.client.send("join", game="arena", name=f"Robot {self._random.randrange(10_000)}")
        self.client.send("sync", mode="delta")
        async for message in self.client:
            self.heard(message)

    def heard(self, message: dict[str, Any]) -> None:
        """A message has come."""
        if message["type"] not in ("state", "delta"):
            return
        mirror = self.mirror
        mirror.apply(message)
        if mirror.game == "arena" and mirror.tick >= self._next:
            self._next = mirror.tick + THINK_EVERY
            self.think()

    def think(self) -> None:
        """Decide what to hold, and say so."""
        held = self._brain.decide(self.client.you["id"], self.mirror.entities, self._random)
        self._seq += 1
        self.client.send("input", **msgspec.structs.asdict(held) | {"seq": self._seq})


async def main(reactor: Any, where: str = "tcp:localhost:5555", count: str = "10") -> None:
    """So many bots, one after the other, and then all of them until the end."""
    bots = [Bot(await connect(reactor, where, "game"), seed) for seed in range(int(count))]
    await gatherResults([Deferred.fromCoroutine(bot.play()) for bot in bots])


if __name__ == "__main__":
    react(lambda reactor, *arguments: Deferred.fromCoroutine(main(reactor, *arguments)), sys.argv[1:])
