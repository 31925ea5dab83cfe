"""The arena in a browser: what is drawn in each frame over a slow network, beside what the server says."""

from __future__ import annotations

from itertools import pairwise
from math import dist
from random import Random
from statistics import median
from typing import Any

from pytest_twisted import ensureDeferred

from netplay.client.mirror import Mirror
from netplay.game.games.arena.entities import SPEED as FASTER
from netplay.game.games.arena.entities import Runner
from netplay.game.games.arena.game import Arena
from netplay.game.games.arena.maps import large
from netplay.game.games.arena.physics import THROW, WALK, advance, walk
from tests.browser.windows import Window, Windows
from tests.e2e.clients import MessageClient
from tests.e2e.daemon import Daemon, Daemons

Place = tuple[float, float]

WATCHED = """async () => {
    const { Drawing } = await import("/console/arena/drawing.js");
    const { draw } = Drawing.prototype;
    globalThis.drawn = [];
    Drawing.prototype.draw = function (terrain, things, players, focus) {
        drawn.push([document.timeline.currentTime, Object.fromEntries(players.map(({ id, x, y }) => [id, [x, y]]))]);
        return draw.call(this, terrain, things, players, focus);
    };
}"""
"""From now on the page keeps when and where it draws everyone."""

STANDS = """([id, [x, y]]) => {
    const [, places] = drawn.at(-1);
    return Math.hypot(places[id][0] - x, places[id][1] - y) < 1;
}"""
"""Whether somebody is drawn at a place."""

CHANCE = "(() => { let n = 7; Math.random = () => (n = (n * 16807) % 2147483647) / 2147483647; })()"
"""Chance that is the same each time (Park and Miller, 1988)."""

STROKES = ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"]

HELD, SETTLED = 10, 15
"""Ticks, as somebody on TCP sees them."""

SPEED = WALK[0] * Arena.tick_rate
"""Units a second."""

FAST = walk(1, 0, True)[0] * Arena.tick_rate
"""The same of who has come upon a 🚀, which lie where chance has them."""

LOST_INPUT = SPEED * 0.5
"""Units that a player goes too far, at most, when the end of a stroke is lost and comes after half a second."""

FADES_IN = 0.12
"""Seconds."""


class Walker(MessageClient):
    """
    Somebody on TCP who walks to and fro, and remembers where the server said that everyone was.

    @ivar paths: by player, its places.
    @ivar speeds: and how fast it was at its fastest, in units a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mirror = Mirror()
        self.paths: dict[str, list[Place]] = {}
        self.speeds: dict[str, float] = {}
        self._heard = self._turns = self._seq = 0

    def dataReceived(self, data: bytes) -> None:
        """States, among others."""
        super().dataReceived(data)
        while self._heard < len(self.messages):
            message = self.messages[self._heard]
            self._heard += 1
            if message["type"] in ("state", "delta"):
                self.mirror.apply(message)
                self._look()

    def _look(self) -> None:
        if self.mirror.game != "arena":
            return
        for id in self.mirror.scores:
            path = self.paths.setdefault(id, [])
            speed = FAST if self.mirror.entities[id]["power"] == FASTER else SPEED
            self.speeds[id] = max(speed, self.speeds.get(id, 0))
            if path[-1:] != [self.place(id)]:
                path.append(self.place(id))
        if self.playing and self.mirror.tick >= self._turns:
            self._turns = self.mirror.tick + HELD
            self._seq += 1
            self.send(type="input", seq=self._seq, **{"left" if self._seq % 2 else "right": True})

    @property
    def playing(self) -> bool:
        """Whether the round is on."""
        return any(entity.get("ends", 0) > self.mirror.tick for entity in self.mirror.entities.values())

    def place(self, id: str) -> Place:
        """Where somebody is, by the server."""
        entity = self.mirror.entities[id]
        return entity["x"], entity["y"]

    async def ticks(self, n: int) -> None:
        """Wait until so many have passed."""
        await self.until(lambda: self.playing or None, "the round")
        end = self.mirror.tick + n
        await self.until(lambda: self.mirror.tick >= end or None, f"tick {end}")


async def met(daemon: Daemon, windows: Windows, **slow: int) -> tuple[Window, Walker]:
    """A page and somebody on TCP in the same room."""
    window = await windows.open(daemon, "game")
    await window.evaluate(CHANCE)
    await window.evaluate(WATCHED)
    await window.click("Play arena")
    await window.shows("#game-title", "arena-1")
    walker = await daemon.connect(Walker(), "game")
    await walker.ask(type="join", room="arena-1")
    await walker.ask(type="sync", mode="delta")
    for name, value in slow.items():
        await window.evaluate(
            """([id, value]) => {
                const slider = document.getElementById(id);
                slider.value = value;
                slider.dispatchEvent(new Event("input"));
            }""",
            [f"lag-{name}", value],
        )
    await walker.ticks(20)
    return window, walker


async def drawn(window: Window) -> list[tuple[float, dict[str, Place]]]:
    """When each frame was drawn, in milliseconds, and where everyone was in it."""
    frames: list[tuple[float, dict[str, Place]]] = await window.evaluate("drawn.map(([at, places]) => [at, places])")
    return frames


def speeds(frames: list[tuple[float, dict[str, Place]]], id: str) -> list[float]:
    """From each frame to the next, in units a second. Frames that come at once are taken for a sixtieth."""
    seen = [(at, places[id]) for at, places in frames if id in places]
    return [dist(a, b) * 1000 / max(t - s, 1000 / 60) for (s, a), (t, b) in pairwise(seen)]


def beside(place: Place, path: list[Place]) -> float:
    """How far a place is from a path."""
    return min(_beside(place, a, b) for a, b in pairwise(path))


def _beside(place: Place, a: Place, b: Place) -> float:
    (x, y), (ax, ay), (bx, by) = place, a, b
    length = dist(a, b) ** 2
    part = 0.0 if not length else max(0.0, min(1.0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length))
    return dist(place, (ax + part * (bx - ax), ay + part * (by - ay)))


@ensureDeferred
async def test_at_150_ms_and_2_percent_loss_movement_is_smooth(daemons: Daemons, windows: Windows) -> None:
    window, walker = await met(await daemons.start(), windows, delay=150, loss=2)
    own, other = "Player_1", "Player_2"
    await window.evaluate("drawn.length = 0")
    errors: list[float] = []
    for key in STROKES:
        await window.do(window.page.keyboard.down(key))
        await walker.ticks(HELD)
        await window.do(window.page.keyboard.up(key))
        on_release = (await drawn(window))[-1][1][own]
        await walker.ticks(SETTLED)
        errors.append(dist(on_release, walker.place(own)))
    await window.do(window.page.wait_for_function(STANDS, arg=[own, walker.place(own)]))  # what was wrong has faded
    frames = await drawn(window)
    # Where one is drawn as the key is let go is where one stops. It would be 40 units further, were one drawn where the
    # server says: 150 ms to it and 150 ms back, at 140 units a second. An input that is lost costs as much, once.
    assert median(errors) < 2 * WALK[0], errors
    assert max(errors) < LOST_INPUT, errors
    assert dist(frames[-1][1][own], walker.place(own)) < 1
    assert all(beside(places[other], walker.paths[other]) < 1 for _, places in frames)
    # Nobody jumps: what was wrong fades, and what comes late is shown a little faster.
    own_speeds, other_speeds = sorted(speeds(frames, own)), sorted(speeds(frames, other))
    assert own_speeds[len(frames) * 9 // 10] < 1.1 * walker.speeds[own]
    assert own_speeds[-1] < walker.speeds[own] + LOST_INPUT / FADES_IN
    assert max(other_speeds) < 1.35 * walker.speeds[other]
    assert median(other_speeds) > 0.9 * SPEED  # who is always on the way never stands still, either


@ensureDeferred
async def test_a_player_is_foretold_as_the_server_moves_it(daemons: Daemons, windows: Windows) -> None:
    window = await windows.open(await daemons.start(), "messages")
    random = Random(4)
    terrain = large()
    runs: list[tuple[dict[str, Any], list[list[int]]]] = []
    for _ in range(200):
        x, y = terrain.centre(random.choice(terrain.floor()))
        vx, vy = (random.randint(-THROW, THROW) for _ in range(2))
        power = random.choice([None, "speed"])
        held = [[random.randint(-1, 1), random.randint(-1, 1)] for _ in range(6)]
        runs.append(({"x": x, "y": y, "vx": vx, "vy": vy, "power": power}, held))
    foretold = await window.evaluate(
        """async ([rows, runs, each]) => {
            const { Terrain, advance } = await import("/console/arena/physics.js");
            const terrain = new Terrain(rows);
            return runs.map(([body, held]) => held.flatMap(([right, down]) =>
                Array.from({ length: each }, () => {
                    advance(body, terrain, right, down);
                    return [body.x, body.y];
                })));
        }""",
        [terrain.rows, runs, HELD],
    )
    for (fields, held), places in zip(runs, foretold, strict=True):
        body = Runner(**fields)
        moved = []
        for right, down in held:
            body.wx, body.wy = walk(right, down, body.power == "speed")
            for _ in range(HELD):
                advance(body, terrain)
                moved.append([body.x, body.y])
        assert places == moved


@ensureDeferred
async def test_a_slow_network_keeps_the_order_and_loses_nothing(daemons: Daemons, windows: Windows) -> None:
    window = await windows.open(await daemons.start(), "messages")
    came = await window.evaluate(
        """async () => {
            const { Lag } = await import("/console/lag.js");
            const lag = Object.assign(new Lag(), { delay: 50, jitter: 50, loss: 0.2 });
            const came = [];
            const began = performance.now();
            for (let n = 0; n < 50; n += 1) lag.transit("in", () => came.push([n, performance.now() - began]));
            await new Promise((resolve) => lag.transit("in", resolve));
            return came;
        }"""
    )
    assert [n for n, _ in came] == list(range(50))
    assert came[0][1] >= 50
