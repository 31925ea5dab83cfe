#!/usr/bin/env python3
"""The ticker, side by side: what one price_update costs the server, in microseconds of CPU."""

from __future__ import annotations

import json
import random
import shlex
import time
from dataclasses import dataclass

from load import Crowd, Failed, Figures, cpu_seconds, netplay, options, peer, rounds, table

COLUMNS = {
    "us/update": ".1f",
    "us/symbol": ".2f",
    "updates/s": ".0f",
    "per beat": ".3f",
    "bytes": ".0f",
    "spread ms": ".0f",
    "server CPU": ".1%",
    "load CPU": ".1%",
}


@dataclass
class Count:
    """What came for everybody, in pieces of any size."""

    lines: int = 0
    braces: int = 0
    size: int = 0

    def add(self, data: bytes) -> None:
        """Take what came for one client."""
        self.lines += data.count(b"\n")
        self.braces += data.count(b"{")
        self.size += len(data)

    @property
    def symbols(self) -> int:
        """An update has a brace for itself, one for all its symbols, and one for each of them."""
        return self.braces - 2 * self.lines


def subscribe(crowd: Crowd, clients: int, symbols: int, sets: int, seed: int) -> None:
    """Let clients in, each of which asks for one of so many random sets of symbols."""
    dice = random.Random(seed)
    chosen: list[bytes] = []
    for number in range(clients):
        client, welcome = crowd.connect()
        if len(chosen) < sets:
            known = json.loads(welcome)["available_stocks"]
            wanted = {"type": "subscribe", "symbols": dice.sample(known, symbols)}
            chosen.append(json.dumps(wanted).encode() + b"\n")
        client.sendall(chosen[number % sets])
        crowd.add(client, number)


def burst(crowd: Crowd, count: Count, quiet: float) -> float:
    """Read one beat: until nothing has come for a while. Returns the seconds from its first bytes to its last."""
    first = last = 0.0
    began = time.monotonic()
    while not first or time.monotonic() - last < quiet:
        for _, data in crowd.read(quiet / 4):
            last = time.monotonic()
            first = first or last
            count.add(data)
        if time.monotonic() - began > 60:
            raise Failed("it does not keep up: a beat does not end before the next one begins")
    return last - first


def main() -> None:
    """Measure and print."""
    parser = options(__doc__ or "", ["netplay", "asyncio"])
    parser.add_argument("--clients", type=int, default=2000, help="who watch prices")
    parser.add_argument("--symbols", type=int, default=20, help="that each of them has")
    parser.add_argument("--of", type=int, default=500, help="symbols that there are")
    parser.add_argument("--sets", type=int, help="different sets of symbols; without it each client has its own")
    parser.add_argument("--seconds", type=int, default=10, help="beats that are measured")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds from beat to beat")
    parser.add_argument("--seed", type=int, default=7, help="of prices and of sets")
    a = parser.parse_args()
    sets = a.sets or a.clients
    prices = ["--ticker-interval", f"{a.interval:g}", "--prices", f"walk:seed={a.seed}:symbols={a.of}"]
    servers = {
        "netplay": netplay("ticker", prices + shlex.split(a.netplay_args)),
        "asyncio": peer("ticker_asyncio.py", str(a.of), str(a.seed), str(a.interval)),
    }

    def measure(crowd: Crowd, pid: int) -> Figures:
        subscribe(crowd, a.clients, a.symbols, sets, a.seed)
        quiet = a.interval / 4
        for _ in range(3):  # snapshots and the first beats
            burst(crowd, Count(), quiet)
        crowd.load()
        count, before, began = Count(), cpu_seconds(pid), time.monotonic()
        spreads = [burst(crowd, count, quiet) for _ in range(a.seconds)]
        cpu, wall = cpu_seconds(pid) - before, time.monotonic() - began
        return {
            "us/update": cpu / count.lines * 1e6,
            "us/symbol": cpu / count.symbols * 1e6,
            "updates/s": count.lines / wall,
            "per beat": count.lines / (a.clients * a.seconds),
            "bytes": count.size / count.lines,
            "spread ms": sum(spreads) / len(spreads) * 1e3,
            "server CPU": cpu / wall,
            "load CPU": crowd.load(),
        }

    results = rounds(servers, a.server, a.rounds, measure)
    print(
        f"{a.clients} clients with {a.symbols} of {a.of} symbols each, {sets} different sets, "
        f"{a.seconds} beats; medians of {a.rounds}"
    )
    table(results, COLUMNS, "us/update")


if __name__ == "__main__":
    main()
