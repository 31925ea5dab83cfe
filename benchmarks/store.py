#!/usr/bin/env python3
"""The SQLite store, small and large: what it takes to open it, to read a page of history, to search, and to keep."""

from __future__ import annotations

import argparse
import multiprocessing
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from load import Figures, percentile, table
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from netplay.core import Core
from netplay.limits import Limits
from netplay.messages import Chat
from netplay.store.records import RoomRecord
from netplay.store.sqlite import SQLiteStore

COLUMNS = {
    "open ms": ".0f",
    "page ms": ".1f",
    "common": ".1f",
    "rare": ".1f",
    "begin": ".1f",
    "common all": ".1f",
    "rare all": ".1f",
    "begin all": ".1f",
    "MiB": ".1f",
    "append us": ".1f",
    "kept/s": ".0f",
}

WORDS = 50_000
"""Different ones; the Nth most common is used 1/N as often as the first."""

SEARCHES = {"common": "word1 word2", "rare": f"word{WORDS - 3}", "begin": "word12"}
"""For two words that two in five messages have, for one that hardly any has, and for all words that begin like one."""

TIMES = 100
"""That each question is asked."""

SAID = 5000
"""Messages that are said, to see what that costs."""


def fill(path: str, messages: int, rooms: int) -> None:
    """Make a store with so many messages, spread evenly over its rooms."""
    dice = random.Random(1)

    def rows() -> Iterator[tuple[int, int, str]]:
        for n in range(messages):
            words = [f"word{int(WORDS ** dice.random())}" for _ in range(dice.randint(1, 15))]
            yield n % rooms + 1, n // rooms + 1, " ".join(words)

    async def make(store: SQLiteStore) -> None:
        for n in range(rooms):
            store.rooms.put(RoomRecord(f"room{n}"))
        sql = "INSERT INTO messages (room, seq, epoch, at, user, emoji, text) VALUES (?, ?, '', 0, 'Ann', '', ?)"
        await store.database.write(lambda cursor: cursor.executemany(sql, rows()) and None)
        store.rooms._index.behind = messages
        await store.rooms.search("word1", ["room0"], None, 1)

    _with_store(path, lambda store: store.startService(), make)


def measure(path: str) -> Figures:
    """Ask a store all that is asked. For a process of its own: it says how much memory that takes."""
    dice = random.Random(2)
    figures: Figures = {}
    before = _memory()

    def open(store: SQLiteStore) -> None:
        began = time.perf_counter()
        store.startService()
        figures["open ms"] = 1000 * (time.perf_counter() - began)

    async def ask(store: SQLiteStore) -> None:
        rooms = [room.name for room in store.rooms.load()]

        def page() -> Deferred[Any]:
            log = store.rooms.log(dice.choice(rooms))
            return log.page(dice.randint(1, log.seq + 1), None, 50)

        figures["page ms"] = await _milliseconds(page)
        for name, text in SEARCHES.items():
            figures[name] = await _milliseconds(lambda: store.rooms.search(text, [dice.choice(rooms)], None, 50))  # noqa: B023
            figures[f"{name} all"] = await _milliseconds(lambda: store.rooms.search(text, rooms, None, 50))  # noqa: B023
        figures["MiB"] = (_memory() - before) / 2**20
        log = store.rooms.log(rooms[0])
        said = [Chat("Ann", "What is said all day", "🦊", rooms[0], "", 0, 0, "") for _ in range(SAID)]
        began = time.perf_counter()
        for message in said:
            log.append(message)
        figures["append us"] = 1e6 * (time.perf_counter() - began) / SAID
        await log.kept()
        figures["kept/s"] = SAID / (time.perf_counter() - began)

    _with_store(path, open, ask)
    return figures


async def _milliseconds(ask: Callable[[], Deferred[Any]]) -> float:
    """What all but one in twenty take no more than."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await ask()
        took.append(1000 * (time.perf_counter() - began))
    return percentile(took, 0.95)


def _memory() -> float:
    """Bytes that this process has in memory."""
    resident = Path("/proc/self/statm").read_text().split()[1]
    return int(resident) * 4096.0


def _with_store(path: str, open: Callable[[SQLiteStore], None], use: Callable[[SQLiteStore], Any]) -> None:
    async def main(reactor: Any) -> None:
        store = SQLiteStore(path, Core(reactor, Limits()))
        open(store)
        await use(store)
        await store.stopService()

    try:
        react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
    except SystemExit as end:
        if end.code:
            raise RuntimeError("it has failed") from end  # a pool would wait for ever for a process that exits


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("messages", nargs="*", type=int, default=[10_000, 1_000_000], help="in each store")
    parser.add_argument("--rooms", type=int, default=10, help="in which they are")
    args = parser.parse_args(arguments)
    results: dict[str, Figures | str] = {}
    # A reactor runs once in a process.
    with (
        multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as apart,
        tempfile.TemporaryDirectory() as folder,
    ):
        for messages in args.messages:
            path = f"{folder}/{messages}.sqlite"
            apart.apply(fill, (path, messages, args.rooms))
            results[str(messages)] = apart.apply(measure, (path,))
    print(f"{args.rooms} rooms; milliseconds of 95 in 100, of {TIMES} each")
    table(results, COLUMNS, ratio_of="page ms", of="messages")


if __name__ == "__main__":
    main()
