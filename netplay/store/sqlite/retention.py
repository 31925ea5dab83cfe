"""What is not to be kept any longer, taken away in small steps."""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import Deferred

from netplay.beat import Beat
from netplay.core import Core
from netplay.store.bounds import DAY
from netplay.store.sqlite.changes import Cursor
from netplay.store.sqlite.database import Database
from netplay.store.sqlite.rooms import SQLiteLog, SQLiteRooms

EVERY = 60.0
"""Seconds from one look to the next."""

STEP = 500
"""Messages that go in one change: others are not kept waiting."""


class Retention:
    """
    Messages go by their number and by their age; those of rooms that are gone, too.

    @param core: the daemon's, whose limits say how much is kept.
    """

    def __init__(self, database: Database, rooms: SQLiteRooms, core: Core) -> None:
        self._database = database
        self._rooms = rooms
        self._messages = core.limits.keep_messages
        self._days = core.limits.keep_days
        self._now = core.now
        self._sweeping: Deferred[None] | None = None
        self._beat = Beat(core.clock, EVERY, self._look, "store: while looking for what is too old")

    def start(self) -> None:
        """Look now and then."""
        self._beat.start()

    def stop(self) -> None:
        """Look no more."""
        self._beat.stop()
        if self._sweeping is not None:
            self._sweeping.cancel()

    def _look(self) -> None:
        if self._sweeping is None:
            self._sweeping = Deferred.fromCoroutine(self.sweep())
            self._sweeping.addBoth(self._swept)

    def _swept(self, _: object) -> None:
        self._sweeping = None  # what went wrong is in the store's log, and is tried again

    async def sweep(self) -> None:
        """Take away all there is to take away."""
        while await self._database.write(_sweep_dropped):
            pass
        for log in list(self._rooms.logs.values()):
            await self._sweep_room(log)

    async def _sweep_room(self, log: SQLiteLog) -> None:
        keep_from = max(log.oldest, log.seq - self._messages + 1) if self._messages else log.oldest
        if self._days:
            too_old = self._now() - round(self._days * DAY)
            keep_from = max(keep_from, await self._database.read(partial(log.first_since, too_old)))
        if keep_from > log.oldest:
            log.forget_before(keep_from)
            while await self._database.write(partial(log.take_away, STEP)):
                pass


def _sweep_dropped(cursor: Cursor) -> bool:
    """A step; whether there was something to do."""
    row = cursor.execute("SELECT min(room) FROM dropped").fetchone()
    if row[0] is None:
        return False
    gone: int = cursor.execute(
        "DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE room = ? LIMIT ?)", (row[0], STEP)
    ).rowcount
    if gone < STEP:
        cursor.execute("DELETE FROM dropped WHERE room = ?", row)
    return True
