"""The arena over real connections: programs play it on two wires, and both see the same."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest_twisted
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from netplay.client import Client
from netplay.client.mirror import Mirror
from netplay.game.games.arena.bots import Brain
from tests.e2e.daemon import Daemons, only
from tests.e2e.ways import CLIENTS, WAYS, patiently


@pytest_twisted.async_yield_fixture(autouse=True)
async def _clients_leave() -> Any:
    yield
    while CLIENTS:
        await CLIENTS.pop().close()


class Robot:
    """
    A program at a connection: it decides at most five times a second, and plays until a tick, and until it has a star.

    @ivar saw: what it saw of everyone, by tick.
    """

    def __init__(self, client: Client, seed: int) -> None:
        self.client = client
        self.mirror = Mirror()
        self.saw: dict[int, dict[str, Any]] = {}
        self._brain = Brain()
        self._random = Random(seed)
        self._seq = self._next = 0

    async def play(self, until: int) -> None:
        """It joins, and plays."""
        self.client.send("join", game="arena")
        self.client.send("sync", mode="delta")
        while True:
            message = await patiently(self.client.next())
            if message["type"] not in ("state", "delta"):
                continue
            mirror = self.mirror
            mirror.apply(message)
            if mirror.game != "arena":
                continue
            self.saw[mirror.tick] = {id: dict(entity) for id, entity in mirror.entities.items() if id in mirror.scores}
            me = self.client.you["id"]
            if mirror.tick >= until and mirror.scores.get(me) and me in mirror.acks:
                return
            if mirror.tick >= self._next:
                self._next = mirror.tick + 4
                held = self._brain.decide(me, mirror.entities, self._random)
                self._seq += 1
                self.client.send("input", **msgspec.structs.asdict(held) | {"seq": self._seq})


@ensureDeferred
async def test_programs_play_on_two_wires_and_see_the_same(daemons: Daemons) -> None:
    daemon = await daemons.start(*only("game", "web"))
    robots = []
    for seed, way in enumerate((WAYS["lines"], WAYS["ws-msgpack"])):
        robots.append(Robot(await way.client(way.port(daemon, "game"), "game"), seed))
    await gatherResults([Deferred.fromCoroutine(robot.play(until=100)) for robot in robots])
    ann, bob = (robot.saw for robot in robots)
    both = [tick for tick in ann if tick in bob and len(ann[tick]) == 2]
    assert len(both) > 20
    assert [ann[tick] for tick in both] == [bob[tick] for tick in both]
    assert {entity["team"] for entity in ann[both[-1]].values()} == {"red", "blue"}
