"""Tables of which the newest rows stay."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

from msgspec import Struct
from twisted.internet.defer import Deferred

from netplay.store.sqlite.changes import Cursor
from netplay.store.sqlite.database import Database

R = TypeVar("R", bound=Struct)


class Newest(Generic[R]):
    """
    Records that get an id when they are kept. The columns have the names of the fields.

    @cvar table: its name.
    @cvar record: what is in it.
    @cvar most: how many stay.
    """

    table: ClassVar[str]
    record: type[R]
    most: ClassVar[int]

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, record: R) -> Deferred[None]:
        """Keep one."""
        return self._database.write(partial(self._note, record))

    # In another thread

    def _note(self, record: R, cursor: Cursor) -> None:
        fields = [field for field in record.__struct_fields__ if field != "id"]
        marks = ", ".join("?" * len(fields))
        cursor.execute(
            f"INSERT INTO {self.table} ({', '.join(fields)}) VALUES ({marks})",
            [getattr(record, field) for field in fields],
        )
        cursor.execute(f"DELETE FROM {self.table} WHERE id <= ?", (cursor.lastrowid - self.most,))

    def _page(self, before: int | None, limit: int, where: dict[str, Any], cursor: Cursor) -> list[R]:
        fields = ", ".join(self.record.__struct_fields__)
        conditions = " AND ".join(["id < ?", *(f"{column} = ?" for column in where)])
        cursor.execute(
            f"SELECT {fields} FROM {self.table} WHERE {conditions} ORDER BY id DESC LIMIT ?",
            (2**62 if before is None else before, *where.values(), limit),
        )
        return [self.record(*row) for row in cursor.fetchall()]
