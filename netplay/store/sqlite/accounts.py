"""Who owns a name."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred
from zope.interface import implementer

from netplay.store.interfaces import IAccounts
from netplay.store.records import AccountRecord
from netplay.store.sqlite.changes import Cursor
from netplay.store.sqlite.database import Database

_FIELDS = "name, skeleton, created, password, roles, disabled"


@implementer(IAccounts)
class SQLiteAccounts:
    """All accounts, by their skeletons."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, skeleton: str) -> Deferred[AccountRecord | None]:
        """See L{IAccounts.find}."""
        return self._database.read(partial(_find, skeleton))

    def add(self, account: AccountRecord) -> Deferred[bool]:
        """See L{IAccounts.add}."""
        return self._database.write(partial(_add, account))

    def change(self, skeleton: str, **fields: Any) -> Deferred[AccountRecord | None]:
        """See L{IAccounts.change}."""
        return self._database.write(partial(_change, skeleton, fields))

    def page(self, after: str | None, limit: int) -> Deferred[list[AccountRecord]]:
        """See L{IAccounts.page}."""
        return self._database.read(partial(_list, after or "", limit))


def _account(row: tuple[str, str, int, str | None, str, int]) -> AccountRecord:
    name, skeleton, created, password, roles, disabled = row
    return AccountRecord(name, skeleton, created, password, tuple(json.loads(roles)), bool(disabled))


def _values(account: AccountRecord) -> tuple[Any, ...]:
    roles = json.dumps(account.roles)
    return account.name, account.skeleton, account.created, account.password, roles, account.disabled


def _find(skeleton: str, cursor: Cursor) -> AccountRecord | None:
    row = cursor.execute(f"SELECT {_FIELDS} FROM accounts WHERE skeleton = ?", (skeleton,)).fetchone()
    return None if row is None else _account(row)


def _list(after: str, limit: int, cursor: Cursor) -> list[AccountRecord]:
    cursor.execute(f"SELECT {_FIELDS} FROM accounts WHERE skeleton > ? ORDER BY skeleton LIMIT ?", (after, limit))
    return [_account(row) for row in cursor.fetchall()]


def _add(account: AccountRecord, cursor: Cursor) -> bool:
    cursor.execute(
        f"INSERT INTO accounts ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", _values(account)
    )
    return bool(cursor.rowcount)


def _change(skeleton: str, fields: dict[str, Any], cursor: Cursor) -> AccountRecord | None:
    account = _find(skeleton, cursor)
    if account is None:
        return None
    account = replace(account, **fields)
    cursor.execute(f"INSERT OR REPLACE INTO accounts ({_FIELDS}) VALUES (?, ?, ?, ?, ?, ?)", _values(account))
    return account
