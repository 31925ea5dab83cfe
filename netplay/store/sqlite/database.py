"""
One SQLite file: a single writer that commits in groups, readers beside it, and never a wait in the reactor's thread.

What comes within a few milliseconds, and whatever comes while a commit is under way, is one transaction, so that a
sync of the disk is shared by all who wait for it (group commit; DeWitt et al., "Implementation Techniques for Main
Memory Database Systems", 1984). Readers see the last commit while the next one is written: SQLite's
U{write-ahead log <https://www.sqlite.org/wal.html>}.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from twisted.enterprise.adbapi import ConnectionPool
from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from netplay.errors import Refused
from netplay.store.errors import CannotOpen
from netplay.store.sqlite.changes import Change, Cursor, Rows, Table, by_surroundings, make
from netplay.store.sqlite.schema import bring_up_to_date, check_up_to_date

T = TypeVar("T")

_log = Logger()

GATHER = 0.005
"""Seconds for which changes are gathered before they are committed together."""

LEISURE = 0.25
"""The same, for changes that nobody waits for."""

MOST_AT_ONCE = 1000
"""Changes in one commit."""

MOST_VALUES = 7000
"""Values of rows in one of them."""

MOST_WAITING = 10_000
"""Changes that may wait."""

MOST_BYTES = 32 * 1024 * 1024
"""What may wait, by what each change says of its size."""

AGAIN_AFTER = 1.0
"""Seconds until a commit is tried again that the surroundings did not allow."""

PATIENCE = 5.0
"""Seconds that may pass at the end until everything that waits is kept."""

READERS = 2

CHECKED_FOR = 1.0
"""Seconds that a file is looked through on opening, at most."""


class Database:
    """
    @param path: of the file; what it is relative to is decided when it is opened.
    @param reactor: with threads, for timers and adbapi.
    @ivar waiting: how many changes wait to be kept, of which a row is one.
    """

    def __init__(self, path: str, reactor: Any) -> None:
        self._path = path
        self._reactor = reactor
        self._first: sqlite3.Connection | None = None  # of the reactor's thread, at the start
        self._lock: int | None = None
        self._writer: Any = None
        self._readers: Any = None
        self._waiting: deque[Change] = deque()
        self._writing: Sequence[Change] = ()
        self.waiting = 0
        self._bytes = 0
        self._timer: Any = None
        self._awaited = False  # whether anybody waits for what waits
        self._failing = False
        self._idle: list[Deferred[None]] = []

    # Opening and closing

    def open(self, *, alone: bool = True) -> None:
        """
        Open it here and now, make it if there is none, bring it up to date if it is older.

        @param alone: nobody else may have it open like this; without, it is shared with a daemon, and must be there
            and up to date.
        @raise CannotOpen: says why; nothing was changed.
        """
        path = Path(self._path).absolute()
        if not path.parent.is_dir():
            raise CannotOpen(f"--store sqlite:{self._path}: there is no folder {path.parent}; make it first")
        if not alone and not path.exists():
            raise CannotOpen(
                f"--store sqlite:{self._path}: there is no such store; a daemon makes it when it starts (`netplay run`)"
            )
        try:
            if alone:
                self._take_lock(path)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite would let everyone read it
            self._first = _connected(str(path))
            _check(self._first, str(path))
            if alone:
                bring_up_to_date(self._first, path)
            else:
                check_up_to_date(self._first, path)
        except sqlite3.DatabaseError as error:
            self._give_up()
            raise CannotOpen(_objection(self._path, error)) from None
        except OSError as error:
            self._give_up()
            raise CannotOpen(f"--store sqlite:{self._path}: it cannot be opened ({error.strerror})") from None
        except BaseException:
            self._give_up()
            raise
        self._writer = self._pool(path, 1)
        self._readers = self._pool(path, READERS, "PRAGMA query_only = ON")

    def _take_lock(self, path: Path) -> None:
        self._lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotOpen(
                f"--store sqlite:{self._path}: another netplay uses it; give this one a file of its own, "
                "such as --store sqlite:other.sqlite"
            ) from None

    def _give_up(self) -> None:
        if self._first is not None:
            self._first.close()
            self._first = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _pool(self, path: Path, threads: int, *more: str) -> Any:
        def opened(connection: sqlite3.Connection) -> None:
            for statement in (*_EVERYWHERE, *more):
                connection.execute(statement)

        return ConnectionPool(
            "sqlite3",
            str(path),
            cp_min=threads,
            cp_max=threads,
            cp_noisy=False,
            cp_openfun=opened,
            cp_reactor=self._reactor,
            isolation_level=None,  # a change says itself where a transaction begins
            check_same_thread=False,  # the pool closes connections from another
        )

    async def close(self) -> bool:
        """
        Keep what waits, and close.

        @return: whether all is kept.
        """
        if self._timer is not None:
            self._timer.reset(0)
        idle = self._when_idle()
        deadline = self._reactor.callLater(PATIENCE, self._no_longer)
        await idle
        if deadline.active():
            deadline.cancel()
        lost = self.waiting
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if lost:
            _log.error("store: {lost} changes could not be kept", lost=lost)
        if not self._writing:  # otherwise it hangs on the disk, and would have us wait for it
            self._writer.close()
        self._readers.close()
        self._give_up()
        return not lost

    def _when_idle(self) -> Deferred[None]:
        idle: Deferred[None] = Deferred()
        self._idle.append(idle)
        if not self.waiting:
            self._tell_idle()
        return idle

    def _tell_idle(self) -> None:
        waiters, self._idle = self._idle, []
        for idle in waiters:
            idle.callback(None)

    _no_longer = _tell_idle

    # Asking

    def ask(self, question: Callable[[Cursor], T]) -> T:
        """Here and now: at the start, before anyone is served."""
        assert self._first is not None, "not open"
        return question(self._first.cursor())

    def read(self, question: Callable[[Cursor], T]) -> Deferred[T]:
        """Ask something, beside what is written."""
        asked: Deferred[T] = self._readers.runInteraction(question)
        return asked.addErrback(_unreadable)

    # Writing

    def write(self, change: Callable[[Cursor], T], size: int = 0) -> Deferred[T]:
        """
        Change something, after all that was to be changed before.

        @param change: runs in another thread, and may run again if it failed.
        @param size: roughly how many bytes it holds while it waits.
        @return: fires with what C{change} returns when that is kept.
        @raise Refused: C{store_busy}.
        """
        self._take(size)
        made = Change(change)
        made.size = size
        self._waiting.append(made)
        return self.when_kept(made)

    def insert(self, table: Table, row: Sequence[Any], size: int = 0) -> Change:
        """
        Add a row to a table, in its turn. Nobody waits for it yet: it takes a little longer, and less work.

        @return: to ask L{when_kept} for.
        @raise Refused: C{store_busy}.
        """
        self._take(size)
        last = self._waiting[-1] if self._waiting else None
        if last.__class__ is not Rows or last.table is not table or len(last.values) >= MOST_VALUES:
            last = Rows(table)
            self._waiting.append(last)
            if self._timer is None and not self._writing:
                self._timer = self._reactor.callLater(LEISURE, self._commit)
        last.values += row
        last.size += size
        return last

    def _take(self, size: int) -> None:
        if self.waiting >= MOST_WAITING or self._bytes + size > MOST_BYTES:
            raise Refused("store_busy", "the disk does not keep up; nothing was done, try again later")
        self.waiting += 1
        self._bytes += size

    def when_kept(self, change: Change) -> Deferred[Any]:
        """
        Wait for a change.

        @return: fires when it is kept, with what it has returned then if it had to be waited for.
        """
        if change.made:
            return succeed(None)
        done: Deferred[Any] = Deferred()
        change.waiters.append(done)
        if not self._awaited:
            self._awaited = True
            if self._timer is not None and not self._failing:
                self._timer.cancel()
                self._timer = None
        if self._timer is None and not self._writing:
            self._timer = self._reactor.callLater(GATHER, self._commit)
        return done

    def _commit(self, *, alone: bool = False) -> None:
        self._timer = None
        batch: list[Change] = []
        room = MOST_AT_ONCE
        while self._waiting and room > 0:
            batch.append(self._waiting.popleft())
            room -= len(batch[-1])
        self._writing = batch
        if not self._waiting:
            self._awaited = False
        made = self._writer.runInteraction(make, [change.make for change in batch], alone)
        made.addCallbacks(self._committed, self._failed, errbackArgs=(alone,))
        made.addErrback(lambda failure: _log.failure("store: after a commit", failure))

    def _committed(self, results: list[Any]) -> None:
        batch, self._writing = self._writing, ()
        self._bytes -= sum(change.size for change in batch)
        self.waiting -= sum(map(len, batch))
        if self._failing:
            self._failing = False
            _log.info("store: changes are kept again")
        if self._awaited or self.waiting >= MOST_AT_ONCE:
            self._commit()
        elif self._waiting:
            self._timer = self._reactor.callLater(LEISURE, self._commit)
        for change, result in zip(batch, results, strict=True):
            change.succeeded(result)
        if not self.waiting:
            self._tell_idle()

    def _failed(self, failure: Failure, alone: bool) -> None:
        batch, self._writing = self._writing, ()
        self._waiting.extendleft(reversed(batch))
        if not (alone or by_surroundings(failure.value)):
            self._commit(alone=True)
            return
        if not self._failing:
            self._failing = True
            _log.error(
                "store: changes cannot be kept now ({error}); trying again every second", error=str(failure.value)
            )
        self._timer = self._reactor.callLater(AGAIN_AFTER, self._commit)
        # Everything stays to be kept, but nobody is left waiting for who knows how long.
        for change in list(self._waiting):  # who is told may write more
            waiters, change.waiters = change.waiters, []
            for waiter in waiters:
                waiter.errback(Refused("store_busy", "it is done, but not kept yet: the disk takes nothing just now"))


_EVERYWHERE = (
    "PRAGMA busy_timeout = 5000",
    "PRAGMA foreign_keys = ON",
    "PRAGMA synchronous = FULL",  # what was acknowledged is there after a loss of power, too
    "PRAGMA temp_store = MEMORY",
)


def _connected(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for statement in _EVERYWHERE:
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: str) -> None:
    """
    Look for damage, for a while: a large file is not looked through to its end.

    @raise sqlite3.DatabaseError: there is some.
    """
    if not os.path.getsize(path):
        return
    until = monotonic() + CHECKED_FOR
    connection.set_progress_handler(lambda: monotonic() > until, 10_000)
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != ("ok",):
            raise sqlite3.DatabaseError("it is damaged")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:  # it was sound as far as it was read
            raise
    finally:
        connection.set_progress_handler(None, 0)


def _objection(path: str, error: sqlite3.DatabaseError) -> str:
    """In words that help."""
    return (
        f"--store sqlite:{path}: {error}; if it was a store of netplay's, put a backup in its place, "
        "or begin anew with another file"
    )


def _unreadable(failure: Failure) -> Failure:
    """What the reader is told when that is nothing that it did."""
    if by_surroundings(failure.value):
        raise Refused("store_busy", "the store cannot be read just now; try again later") from None
    return failure
