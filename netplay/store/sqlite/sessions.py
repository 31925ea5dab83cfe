"""What accounts come back to."""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import Deferred
from zope.interface import implementer

from netplay.store.bounds import MOST_SESSIONS
from netplay.store.interfaces import ISessions
from netplay.store.records import SessionRecord
from netplay.store.sqlite.changes import Cursor
from netplay.store.sqlite.database import Database

_FIELDS = "key, account, feature, state, used"


@implementer(ISessions)
class SQLiteSessions:
    """All sessions, by a hash of their tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, session: SessionRecord) -> Deferred[None]:
        """See L{ISessions.put}."""
        return self._database.write(partial(_put, session), len(session.state))

    def find(self, key: str) -> Deferred[SessionRecord | None]:
        """See L{ISessions.find}."""
        return self._database.write(partial(_find, key))  # after what is still to be kept of it

    def drop(self, key: str) -> Deferred[None]:
        """See L{ISessions.drop}."""
        return self._database.write(partial(_drop, "key", key))

    def drop_all(self, account: str) -> Deferred[None]:
        """See L{ISessions.drop_all}."""
        return self._database.write(partial(_drop, "account", account))


def _put(session: SessionRecord, cursor: Cursor) -> None:
    values = session.key, session.account, session.feature, session.state, session.used
    cursor.execute(f"INSERT OR REPLACE INTO sessions ({_FIELDS}) VALUES (?, ?, ?, ?, ?)", values)
    cursor.execute(
        "DELETE FROM sessions WHERE key IN "
        "(SELECT key FROM sessions WHERE account = ? ORDER BY used DESC, key LIMIT -1 OFFSET ?)",
        (session.account, MOST_SESSIONS),
    )


def _find(key: str, cursor: Cursor) -> SessionRecord | None:
    row = cursor.execute(f"SELECT {_FIELDS} FROM sessions WHERE key = ?", (key,)).fetchone()
    return None if row is None else SessionRecord(*row)


def _drop(column: str, value: str, cursor: Cursor) -> None:
    cursor.execute(f"DELETE FROM sessions WHERE {column} = ?", (value,))
