"""What is to be written, and how it is: several changes in one transaction, many rows in one statement."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

Cursor = Any
"""A cursor of L{sqlite3}, or what L{twisted.enterprise.adbapi} puts in front of one."""

AT_A_TIME = 64
"""Rows that one statement inserts."""

_SURROUNDINGS = frozenset({
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
})  # fmt: skip
"""Primary result codes that say nothing about a change itself."""

_log = Logger()


class Change:
    """
    What is to be written, and who waits for it.

    @ivar made: whether it is kept.
    """

    __slots__ = ("made", "make", "size", "waiters")

    def __init__(self, make: Callable[[Cursor], Any]) -> None:
        self.make = make
        self.size = 0
        self.waiters: list[Deferred[Any]] = []
        self.made = False

    def __len__(self) -> int:
        return 1

    def succeeded(self, result: Any) -> None:
        """It is kept, or its result is a L{Failure}."""
        self.made = True
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            waiter.callback(result)
        if not waiters and isinstance(result, Failure):
            _log.failure("store: a change could not be kept", result)


class Rows(Change):
    """
    Rows of one table.

    @ivar values: those of all rows, one behind the other. Thousands of tuples would be looked through by the garbage
        collector again and again.
    """

    __slots__ = ("table", "values")

    def __init__(self, table: Table) -> None:
        super().__init__(self._insert)
        self.table = table
        self.values: list[Any] = []

    def __len__(self) -> int:
        return len(self.values) // self.table.width

    def _insert(self, cursor: Cursor) -> None:
        self.table.insert(self.values, cursor)

    def succeeded(self, result: Any) -> None:
        if not isinstance(result, Failure):
            self.table.kept(self.values)
        super().succeeded(result)


class Table:
    """
    A table whose rows come in numbers.

    @param kept: called with the values of rows, one behind the other, once they are kept.
    @ivar width: how many of them are a row.
    """

    def __init__(self, name: str, columns: Sequence[str], kept: Callable[[Sequence[Any]], None]) -> None:
        row = f"({', '.join('?' * len(columns))})"
        self.kept = kept
        self.width = len(columns)
        self._one = f"INSERT INTO {name} ({', '.join(columns)}) VALUES {row}"
        self._many = f"{self._one}{f', {row}' * (AT_A_TIME - 1)}"

    def insert(self, values: Sequence[Any], cursor: Cursor) -> None:
        """
        Add rows. Not in the reactor's thread: each statement gives up the interpreter's lock, and to get it back beside
        a busy reactor takes longer than the row. So it is done for many at once.
        """
        width = self.width
        whole = len(values) - len(values) % (AT_A_TIME * width)
        for first in range(0, whole, AT_A_TIME * width):
            cursor.execute(self._many, values[first : first + AT_A_TIME * width])
        cursor.executemany(self._one, [values[first : first + width] for first in range(whole, len(values), width)])


def make(cursor: Cursor, changes: Sequence[Callable[[Cursor], Any]], alone: bool) -> list[Any]:
    """
    All changes in one transaction. Not in the reactor's thread.

    @param alone: each for itself: what goes wrong with one is its result, a L{Failure}.
    """
    cursor.execute("BEGIN IMMEDIATE")
    results = [_made_alone(cursor, change) if alone else change(cursor) for change in changes]
    cursor.execute("COMMIT")
    return results


def _made_alone(cursor: Cursor, change: Callable[[Cursor], Any]) -> Any:
    cursor.execute("SAVEPOINT one")
    try:
        result = change(cursor)
    except Exception as error:
        if by_surroundings(error):
            raise
        cursor.execute("ROLLBACK TO one")
        result = Failure()
    cursor.execute("RELEASE one")
    return result


def by_surroundings(error: BaseException | None) -> bool:
    """Whether it says nothing about the change itself: another would have met it, too."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _SURROUNDINGS
