#!/usr/bin/env python3
"""The lobby, side by side: players in rooms of 100 move all the time; what that costs the server, what they see."""

from __future__ import annotations

import json
import re
import shlex
import socket
import time
from collections import deque

from load import Crowd, Failed, Figures, cpu_seconds, netplay, options, peer, percentile, rounds, table

COLUMNS = {
    "CPU s/s": ".3f",
    "us/move": ".0f",
    "us/state": ".1f",
    "moves/s": ".0f",
    "states/s each": ".1f",
    "p50 ms": ".1f",
    "p99 ms": ".1f",
    "load CPU": ".1%",
}
PROBES = 20
"""One player in so many looks at what it is sent; the others only count it."""

_X = re.compile(rb'"x": ?(\d+)')


class Player:
    """
    Someone who goes one step to the right each time: x is the number of moves that have taken effect.

    @ivar lines: states that came.
    @ivar probe: whether it looks at them.
    @ivar newest: the newest of them.
    @ivar shown: its moves in that one.
    @ivar latencies: seconds from each move to the first state that showed it.
    """

    def __init__(self, client: socket.socket, first: bytes, probe: bool) -> None:
        greeting = json.loads(first)
        self.id: str = greeting["you"]["id"]
        self.room: str = greeting["room"]
        self.probe = probe
        self.lines = 0
        self.shown = 0
        self.latencies: list[float] = []
        self.newest = first
        self._client = client
        # In the scores the name is followed by a number. Some write a space after the colon.
        self._places = [f'"{self.id}":{space}{{'.encode() for space in ("", " ")]
        self._under_way: deque[float] = deque()
        self._tail = b""

    def move(self, now: float) -> None:
        """One step."""
        self._client.send(b'{"type": "move", "dx": 1, "dy": 0}\n')
        if self.probe:
            self._under_way.append(now)

    def received(self, data: bytes, now: float) -> None:
        """States, in pieces of any size."""
        self.lines += data.count(b"\n")
        if self.probe:
            data = self._tail + data
            end = data.rfind(b"\n") + 1
            self._tail = data[end:]
            if end:
                self._look(data[data.rfind(b"\n", 0, end - 1) + 1 : end], now)

    def _look(self, state: bytes, now: float) -> None:
        self.newest = state
        at = max(state.find(place) for place in self._places)
        found = _X.search(state, at)
        if at < 0 or found is None:
            raise Failed(f"{self.id} is not in a state that it was sent")
        while self.shown < int(found[1]):
            self.shown += 1
            self.latencies.append(now - self._under_way.popleft())


def moves_shown(players: list[Player]) -> int:
    """Moves of all players that the newest state of each room shows."""
    states = {player.room: player.newest for player in players if player.probe}
    return sum(place["x"] for state in states.values() for place in json.loads(state)["positions"].values())


def play(crowd: Crowd, players: list[Player], moves: float, seconds: float) -> None:
    """Everybody moves so many times a second, one after the other."""
    rate = len(players) * moves
    sent = 0
    began = now = time.monotonic()
    while now - began < seconds:
        while sent < (now - began) * rate:
            players[sent % len(players)].move(time.monotonic())
            sent += 1
        for player, data in crowd.read(1 / rate):
            player.received(data, time.monotonic())  # type: ignore[attr-defined]
        now = time.monotonic()


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "", ["netplay", "asyncio"])
    parser.add_argument("--clients", type=int, default=200, help="players, 100 to a room")
    parser.add_argument("--moves", type=float, default=10, help="of each player a second")
    parser.add_argument("--seconds", type=float, default=10, help="of play that are measured")
    parser.add_argument("--state-rate", type=float, default=20, help="netplay's option: states a second in a room")
    a = parser.parse_args()
    servers = {
        "netplay": netplay("game", ["--state-rate", f"{a.state_rate:g}", *shlex.split(a.netplay_args)]),
        "asyncio": peer("lobby_asyncio.py"),
    }

    def measure(crowd: Crowd, pid: int) -> Figures:
        players = []
        for number in range(a.clients):
            client, first = crowd.connect()
            players.append(Player(client, first, number % PROBES == 0))
            crowd.add(client, players[-1])
        play(crowd, players, a.moves, 2)  # warm-up
        for player in players:
            player.lines = 0
            player.latencies.clear()
        crowd.load()
        before, cpu, began = moves_shown(players), cpu_seconds(pid), time.monotonic()
        play(crowd, players, a.moves, a.seconds)
        cpu, wall = cpu_seconds(pid) - cpu, time.monotonic() - began
        taken = moves_shown(players) - before
        states = sum(player.lines for player in players)
        latencies = [latency for player in players for latency in player.latencies]
        if not taken:
            raise Failed("no move took effect")
        return {
            "CPU s/s": cpu / wall,
            "us/move": cpu / taken * 1e6,
            "us/state": cpu / states * 1e6,
            "moves/s": taken / wall,
            "states/s each": states / wall / a.clients,
            "p50 ms": percentile(latencies, 0.5) * 1e3,
            "p99 ms": percentile(latencies, 0.99) * 1e3,
            "load CPU": crowd.load(),
        }

    results = rounds(servers, a.server, a.rounds, measure)
    offered = a.clients * a.moves
    print(
        f"{a.clients} players, {a.moves:g} moves a second each ({offered:g} in all), "
        f"{a.seconds:g} s; medians of {a.rounds}"
    )
    table(results, COLUMNS, "us/move")


if __name__ == "__main__":
    main()
