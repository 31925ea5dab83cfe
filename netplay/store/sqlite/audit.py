"""Who has done what to whom."""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import Deferred
from zope.interface import implementer

from netplay.store.bounds import MOST_NOTES
from netplay.store.interfaces import IAudit
from netplay.store.records import AuditRecord
from netplay.store.sqlite.changes import Cursor
from netplay.store.sqlite.database import Database


@implementer(IAudit)
class SQLiteAudit:
    """The newest entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, entry: AuditRecord) -> Deferred[None]:
        """See L{IAudit.note}."""
        return self._database.write(partial(_note, entry))

    def page(self, before: int | None, limit: int, action: str | None = None) -> Deferred[list[AuditRecord]]:
        """See L{IAudit.page}."""
        return self._database.read(partial(_page, before, limit, action))


def _note(entry: AuditRecord, cursor: Cursor) -> None:
    cursor.execute(
        "INSERT INTO audit (at, by, action, target, detail) VALUES (?, ?, ?, ?, ?)",
        (entry.at, entry.by, entry.action, entry.target, entry.detail),
    )
    cursor.execute("DELETE FROM audit WHERE id <= ?", (cursor.lastrowid - MOST_NOTES,))


def _page(before: int | None, limit: int, action: str | None, cursor: Cursor) -> list[AuditRecord]:
    cursor.execute(
        "SELECT at, by, action, target, detail, id FROM audit WHERE id < ?1 AND (?2 IS NULL OR action = ?2) "
        "ORDER BY id DESC LIMIT ?3",
        (2**62 if before is None else before, action, limit),
    )
    return [AuditRecord(*row) for row in cursor.fetchall()]
