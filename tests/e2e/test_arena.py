"""The arena over real connections: programs play it on two wires, and both see the same."""

from __future__ import annotations

from typing import Any

import pytest_twisted
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from examples import arena_bots
from netplay.client import Client
from tests.e2e.daemon import Daemons, only
from tests.e2e.ways import CLIENTS, WAYS, patiently


@pytest_twisted.async_yield_fixture(autouse=True)
async def _clients_leave() -> Any:
    yield
    while CLIENTS:
        await CLIENTS.pop().close()


class Robot(arena_bots.Bot):
    """
    One that plays until a tick, and until it has a star.

    @ivar saw: what it saw of everyone, by tick.
    """

    def __init__(self, client: Client, seed: int, until: int) -> None:
        super().__init__(client, seed)
        self.saw: dict[int, dict[str, Any]] = {}
        self._until = until

    async def play(self) -> None:
        self.client.send("join", game="arena")
        self.client.send("sync", mode="delta")
        me = self.client.you["id"]
        mirror = self.mirror
        while mirror.tick < self._until or not mirror.scores.get(me) or me not in mirror.acks:
            self.heard(await patiently(self.client.next()))
            if mirror.game == "arena":
                self.saw[mirror.tick] = {
                    id: dict(entity) for id, entity in mirror.entities.items() if id in mirror.scores
                }


@ensureDeferred
async def test_programs_play_on_two_wires_and_see_the_same(daemons: Daemons) -> None:
    daemon = await daemons.start(*only("game", "web"))
    robots = []
    for seed, way in enumerate((WAYS["lines"], WAYS["ws-msgpack"])):
        robots.append(Robot(await way.client(way.port(daemon, "game"), "game"), seed, until=100))
    await gatherResults([Deferred.fromCoroutine(robot.play()) for robot in robots])
    ann, bob = (robot.saw for robot in robots)
    both = [tick for tick in ann if tick in bob and len(ann[tick]) == 2]
    assert len(both) > 20
    assert [ann[tick] for tick in both] == [bob[tick] for tick in both]
    assert {entity["team"] for entity in ann[both[-1]].values()} == {"red", "blue"}
