"""
Which messages have which words.

To put a message into the index costs several times what it costs to keep it. So that is done when there is nothing
else to write, a little at a time when there is, and at the latest when somebody searches.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IReactorTime

from netplay.beat import Beat
from netplay.errors import Refused
from netplay.store.sqlite.changes import Cursor
from netplay.store.sqlite.database import Database

EVERY = 1.0
"""Seconds from one look for messages that are to be put into the index to the next."""

STEP = 500
"""Messages that are put into it in one change: others are not kept waiting."""

MOST_BEHIND = 50_000
"""Messages that may be missing while more is said than steps take up: so long a search takes at the worst."""


class Index:
    """
    The index of one store.

    @ivar behind: how many messages it does not have yet, or more.
    """

    def __init__(self, database: Database, clock: IReactorTime) -> None:
        self.behind = 0
        self._database = database
        self._one_at_a_time = DeferredLock()
        self._beat = Beat(clock, EVERY, self._look, "store: while messages are put into the index")

    def start(self) -> None:
        """Go on where the last run has ended."""
        self.behind = self._database.ask(_behind)
        self._beat.start()

    def stop(self) -> None:
        """What is missing then is for the next run."""
        self._beat.stop()

    def _look(self) -> Deferred[None] | None:
        if not self.behind or self._one_at_a_time.locked:
            return None
        if self._database.waiting and self.behind <= MOST_BEHIND:
            return self.catch_up(1)
        return self.catch_up()

    def catch_up(self, steps: int = sys.maxsize) -> Deferred[None]:
        """Take up all that was said until now, or some of it. Should the store be busy, that is left for later."""
        return self._one_at_a_time.run(lambda: Deferred.fromCoroutine(self._catch_up(steps)))

    async def _catch_up(self, steps: int) -> None:
        with suppress(Refused):
            for _ in range(steps):
                behind = self.behind
                if not await self._database.write(_step):
                    self.behind -= behind  # what was said meanwhile is still to come
                    return
                self.behind -= STEP


def _behind(cursor: Cursor) -> int:
    (missing,) = cursor.execute(
        "SELECT coalesce((SELECT max(id) FROM messages), 0) - (SELECT value FROM state WHERE name = 'indexed')"
    ).fetchone()
    return max(0, int(missing))


def _step(cursor: Cursor) -> bool:
    """Whether there may be more."""
    (first,) = cursor.execute("SELECT value FROM state WHERE name = 'indexed'").fetchone()
    last, taken = cursor.execute(
        "SELECT max(id), count(*) FROM (SELECT id FROM messages WHERE id > ? ORDER BY id LIMIT ?)", (first, STEP)
    ).fetchone()
    if taken:
        cursor.execute(
            "INSERT INTO found (rowid, room, text) SELECT id, room, text FROM searchable WHERE id > ? AND id <= ?",
            (first, last),
        )
        cursor.execute("UPDATE state SET value = ? WHERE name = 'indexed'", (last,))
    return bool(taken == STEP)
