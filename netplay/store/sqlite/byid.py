"""Tables of records that have an id."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from msgspec import Struct
from twisted.internet.defer import Deferred

from netplay.store.sqlite.changes import Cursor
from netplay.store.sqlite.database import Database

R = TypeVar("R", bound=Struct)


class ById(Generic[R]):
    """
    Records with an id of their own, all of them read at the start. The columns have the names of the fields.

    @cvar table: its name.
    @cvar record: what is in it.
    """

    table: ClassVar[str]
    record: type[R]

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> Sequence[R]:
        """All of them, in the order of their ids."""
        return self._database.ask(self._load)

    def put(self, record: R) -> Deferred[None]:
        """Keep one, new or changed."""
        return self._database.write(partial(self._put, record))

    def drop(self, id: int) -> Deferred[None]:
        """It is no more."""
        return self._database.write(partial(self._drop, id))

    # In another thread

    def _load(self, cursor: Cursor) -> list[R]:
        fields = self.record.__struct_fields__
        cursor.execute(f"SELECT {', '.join(fields)} FROM {self.table} ORDER BY id")
        return [self._made(dict(zip(fields, row, strict=True))) for row in cursor.fetchall()]

    def _made(self, fields: dict[str, Any]) -> R:
        return self.record(**fields)

    def _put(self, record: R, cursor: Cursor) -> None:
        fields = record.__struct_fields__
        marks = ", ".join("?" * len(fields))
        cursor.execute(
            f"INSERT OR REPLACE INTO {self.table} ({', '.join(fields)}) VALUES ({marks})",
            [getattr(record, field) for field in fields],
        )

    def _drop(self, id: int, cursor: Cursor) -> None:
        cursor.execute(f"DELETE FROM {self.table} WHERE id = ?", (id,))
