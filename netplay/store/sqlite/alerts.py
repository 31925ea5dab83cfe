"""The price alerts of accounts, and which of them have fired while nobody was there."""

from __future__ import annotations

from functools import partial
from typing import Any

from twisted.internet.defer import Deferred
from zope.interface import implementer

from netplay.store.bounds import MOST_MISSED
from netplay.store.interfaces import IAlerts
from netplay.store.records import AlertRecord, MissedRecord
from netplay.store.sqlite.byid import ById
from netplay.store.sqlite.changes import Cursor


@implementer(IAlerts)
class SQLiteAlerts(ById[AlertRecord]):
    """All alerts."""

    table = "alerts"
    record = AlertRecord

    def _made(self, fields: dict[str, Any]) -> AlertRecord:
        return AlertRecord(**{**fields, "once": bool(fields["once"]), "armed": bool(fields["armed"])})

    def miss(self, missed: MissedRecord) -> Deferred[None]:
        """See L{IAlerts.miss}."""
        return self._database.write(partial(_miss, missed), len(missed.body))

    def missed(self, account: str) -> Deferred[list[MissedRecord]]:
        """See L{IAlerts.missed}."""
        return self._database.write(partial(_missed, account))  # after what is still to be kept of it

    def told(self, account: str, id: int) -> Deferred[None]:
        """See L{IAlerts.told}."""
        return self._database.write(partial(_told, account, id))


def _miss(missed: MissedRecord, cursor: Cursor) -> None:
    cursor.execute("INSERT INTO missed (account, at, body) VALUES (?, ?, ?)", (missed.account, missed.at, missed.body))
    cursor.execute(
        "DELETE FROM missed WHERE id IN (SELECT id FROM missed WHERE account = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
        (missed.account, MOST_MISSED),
    )


def _missed(account: str, cursor: Cursor) -> list[MissedRecord]:
    cursor.execute("SELECT account, at, body, id FROM missed WHERE account = ? ORDER BY id", (account,))
    return [MissedRecord(*row) for row in cursor.fetchall()]


def _told(account: str, id: int, cursor: Cursor) -> None:
    cursor.execute("DELETE FROM missed WHERE account = ? AND id <= ?", (account, id))
