"""
Which messages have which words.

To put a message into the index costs several times what it costs to keep it. So that is done when there is nothing
else to write, and at the latest when somebody searches.
"""

from __future__ import annotations

from contextlib import suppress

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from netplay.beat import Beat
from netplay.errors import Refused
from netplay.store.sqlite.changes import Cursor
from netplay.store.sqlite.database import Database

EVERY = 1.0
"""Seconds from one look for messages that are to be put into the index to the next."""

STEP = 500
"""Messages that are put into it in one change: others are not kept waiting."""

MOST_BEHIND = 10_000
"""Messages that may wait for a quiet moment: so long a search takes at the worst."""


class Index:
    """
    The index of one store.

    @ivar behind: how many messages it does not have yet, or more.
    """

    def __init__(self, database: Database, clock: IReactorTime) -> None:
        self.behind = 0
        self._database = database
        self._catching_up = False
        self._beat = Beat(clock, EVERY, self._look, "store: while messages are put into the index")

    def start(self) -> None:
        """Go on where the last run has ended."""
        self.behind = self._database.ask(_behind)
        self._beat.start()

    def stop(self) -> None:
        """What is missing then is for the next run."""
        self._beat.stop()

    def _look(self) -> Deferred[None] | None:
        quiet = not self._database.waiting or self.behind > MOST_BEHIND
        return self.catch_up() if self.behind and quiet and not self._catching_up else None

    def catch_up(self) -> Deferred[None]:
        """Take up all that was said until now. Should the store be busy, that is left for later."""
        return Deferred.fromCoroutine(self._catch_up())

    async def _catch_up(self) -> None:
        behind, self.behind = self.behind, 0
        self._catching_up = True
        try:
            with suppress(Refused):
                while await self._database.write(_take_up):
                    pass
                behind = 0
        finally:
            self._catching_up = False
            self.behind += behind


def _behind(cursor: Cursor) -> int:
    (count,) = cursor.execute(
        "SELECT coalesce((SELECT max(id) FROM messages), 0) - (SELECT value FROM state WHERE name = 'indexed')"
    ).fetchone()
    return max(0, int(count))


def _take_up(cursor: Cursor) -> bool:
    """A step; whether there may be more."""
    (first,) = cursor.execute("SELECT value FROM state WHERE name = 'indexed'").fetchone()
    last, count = cursor.execute(
        "SELECT max(id), count(*) FROM (SELECT id FROM messages WHERE id > ? ORDER BY id LIMIT ?)", (first, STEP)
    ).fetchone()
    if count:
        cursor.execute(
            "INSERT INTO found (rowid, room, text) SELECT id, room, text FROM searchable WHERE id > ? AND id <= ?",
            (first, last),
        )
        cursor.execute("UPDATE state SET value = ? WHERE name = 'indexed'", (last,))
    return bool(count == STEP)
