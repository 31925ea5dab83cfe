#!/usr/bin/env python3
"""The arena, side by side: what a player costs a server, how much each is sent, how well ticks keep their time."""

from __future__ import annotations

import math
import random
import re
import shlex
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

from load import PEERS, Command, Crowd, Failed, Figures, cpu_seconds, kept_waiting, netplay, options, rounds, table
from players import Player, colyseus_player, json_player, msgpack_player

from netplay.game.games.arena.maps import large, small

COLUMNS = {
    "us/tick": ".1f",
    "kB/s each": ".2f",
    "messages/s": ".1f",
    "ticks/s": ".1f",
    "late p50 ms": ".2f",
    "late p99 ms": ".2f",
    "server CPU": ".1%",
    "kept waiting": ".1%",
    "load CPU": ".1%",
}
SCENES = {"arena": (40, 25, small), "crowd": (1, 500, large)}
"""The games: how many rooms of how many players there are unless told otherwise, and the ground."""

TICKS = 20
"""A second, in all of them."""

COUNTDOWN = 4.0
"""Seconds in which a round has begun after the last player came."""

HELD = [(right, down) for right in (-1, 0, 1) for down in (-1, 0, 1)]
TOO_MUCH = 0.8
"""Of a processor: if the load takes more, it is the load that is measured."""

_LATE = re.compile(r'^netplay_tick_late_seconds_bucket\{le="([^"]+)",of="game"\} (\S+)$', re.MULTILINE)


def colyseus(modules: str | None, game: str, seats: int, ground: str, *more: str) -> Command:
    """The peer, by the Node.js that is among the modules, or else the machine's."""

    def command(port: int) -> list[str]:
        if modules is None:
            raise Failed("say with --npm in which folder it is installed")
        node = Path(modules, "node_modules", ".bin", "node")
        program = str(node) if node.exists() else shutil.which("node") or "node"
        return [program, str(PEERS / "colyseus_arena.mjs"), str(port), modules, game, str(seats), ground, *more]

    return command


def play(crowd: Crowd, players: list[Player], inputs: float, seconds: float) -> None:
    """Everybody changes direction so many times a second, one after the other."""
    rate = len(players) * inputs
    sent = 0
    began = now = time.monotonic()
    while now - began < seconds:
        while sent < (now - began) * rate:
            players[sent % len(players)].hold(*random.choice(HELD))
            sent += 1
        listen(crowd, 0.001)
        now = time.monotonic()


def listen(crowd: Crowd, timeout: float) -> None:
    """Take what came."""
    for player, data in crowd.read(timeout):
        player.received(data)  # type: ignore[attr-defined]


def lateness(pid: int) -> dict[float, float]:
    """How many ticks of a daemon began up to how many seconds late; of another server, nothing."""
    path = Path(f"/proc/{pid}/cwd/admin")
    if not path.exists():
        return {}
    with socket.socket(socket.AF_UNIX) as admin:
        admin.connect(str(path))
        admin.sendall(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")
        text = b"".join(iter(lambda: admin.recv(1 << 16), b"")).decode()
    return {float(bound): float(count) for bound, count in _LATE.findall(text)}


def late(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """Within how many seconds of its time so many of the ticks between began: an upper bound, as they are counted."""
    ticks = {bound: count - before.get(bound, 0) for bound, count in after.items()}
    return next((bound for bound, count in ticks.items() if count >= share * ticks[math.inf]), math.nan)


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "", ["msgpack", "json", "json-full", "colyseus", "colyseus-bare"])
    parser.add_argument("--game", choices=SCENES, default="arena", help="a game of netplay's")
    parser.add_argument("--rooms", type=int, help="how many; 40, or 1 crowd")
    parser.add_argument("--players", type=int, help="in each; 25, or 500 in a crowd")
    parser.add_argument("--inputs", type=float, default=10, help="of each player a second")
    parser.add_argument("--seconds", type=float, default=10, help="of play that are measured")
    parser.add_argument("--npm", metavar="DIR", help="where Colyseus is installed")
    a = parser.parse_args()
    count, seats, ground = SCENES[a.game]
    count, seats = a.rooms or count, a.players or seats
    # The peer keeps nothing either.
    common = ["--store", "memory:", "--admin", "unix:admin", *shlex.split(a.netplay_args)]
    servers = {
        "msgpack": netplay("web", common),
        "json": netplay("game", ["--web=off", *common]),
        "json-full": netplay("game", ["--web=off", *common]),
        "colyseus": colyseus(a.npm, a.game, seats, "\n".join(ground().rows)),
        "colyseus-bare": colyseus(a.npm, a.game, seats, "\n".join(ground().rows), "bare"),
    }
    joins: dict[str, Callable[[Crowd], Player]] = {
        "msgpack": lambda crowd: msgpack_player(crowd, a.game, "delta"),
        "json": lambda crowd: json_player(crowd, a.game, "delta"),
        "json-full": lambda crowd: json_player(crowd, a.game, "full"),
        "colyseus": lambda crowd: colyseus_player(crowd, a.game),
        "colyseus-bare": lambda crowd: colyseus_player(crowd, a.game),
    }

    def measure(crowd: Crowd, pid: int) -> Figures:
        players = []
        for _ in range(count * seats):
            players.append(joins[crowd.server](crowd))
            listen(crowd, 0)
        settled = time.monotonic() + COUNTDOWN
        while (wait := settled - time.monotonic()) > 0:
            listen(crowd, wait)
        taken = len({player.room for player in players})
        if taken != count or not all(player.room for player in players):
            raise Failed(f"the players are in {taken} rooms, not in {count}")
        play(crowd, players, a.inputs, 2)  # warm-up
        for player in players:
            player.forget()
        crowd.load()
        ticks, waited, cpu, began = lateness(pid), kept_waiting(pid), cpu_seconds(pid), time.monotonic()
        play(crowd, players, a.inputs, a.seconds)
        cpu, wall, load = cpu_seconds(pid) - cpu, time.monotonic() - began, crowd.load()
        waited, after = kept_waiting(pid) - waited, lateness(pid)
        if load > TOO_MUCH:
            raise Failed(f"the load took {load:.0%} of a processor: it is not the server that was measured")
        each = wall * len(players)
        return {
            "us/tick": cpu / each / TICKS * 1e6,
            "kB/s each": sum(player.size for player in players) / each / 1e3,
            "messages/s": sum(player.messages for player in players) / each,
            "ticks/s": (after[math.inf] - ticks[math.inf]) / wall / count if after else math.nan,
            "late p50 ms": late(ticks, after, 0.5) * 1e3,
            "late p99 ms": late(ticks, after, 0.99) * 1e3,
            "server CPU": cpu / wall,
            "kept waiting": waited / wall,
            "load CPU": load,
        }

    results = rounds(servers, a.server, a.rounds, measure)
    print(
        f"{a.game}, {count} x {seats} players, {a.inputs:g} inputs a second each, "
        f"{a.seconds:g} s; medians of {a.rounds}"
    )
    table(results, COLUMNS, "us/tick")


if __name__ == "__main__":
    main()
