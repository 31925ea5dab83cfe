"""A store that takes its time."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from zope.interface import implementer

from netplay.messages import Position
from netplay.store.interfaces import IRoomLog
from netplay.store.memory import MemoryStore
from netplay.store.memory.rooms import MemoryLog, MemoryRooms


@implementer(IRoomLog)
class SlowLog:
    """A log on a slow disk: what is asked of it is done when a test says so."""

    def __init__(self) -> None:
        self._log = MemoryLog("slow")
        self.todo: list[tuple[Deferred[Any], Any]] = []

    @property
    def epoch(self) -> str:
        return self._log.epoch

    @property
    def seq(self) -> int:
        return self._log.seq

    def append(self, body: Any) -> None:
        self._log.append(body)

    def kept(self) -> Deferred[None]:
        return self._later(None)

    def page(self, before: int | None, after: int | None, limit: int) -> Deferred[list[Any]]:
        return self._later(lambda: self.read(before, after, limit))

    def read(self, before: int | None, after: int | None, limit: int) -> list[Any]:
        found: list[Any] = []
        self._log.page(before, after, limit).addCallback(found.extend)
        return found

    def delete(self, seq: int) -> Deferred[Any]:
        return self._later(lambda: self._log.delete(seq).result)

    def recovers(self, since: Position) -> bool:
        return self._log.recovers(since)

    def _later(self, result: Any) -> Deferred[Any]:
        waiter: Deferred[Any] = Deferred()
        self.todo.append((waiter, result))
        return waiter

    def work(self) -> None:
        """Do what is to be done now."""
        todo, self.todo = self.todo, []
        for waiter, result in todo:
            waiter.callback(result() if callable(result) else result)


class SlowRooms(MemoryRooms):
    """Rooms with slow logs."""

    def __init__(self) -> None:
        super().__init__()
        self.logs: dict[str, SlowLog] = {}

    def log(self, name: str) -> SlowLog:  # type: ignore[override]
        return self.logs.setdefault(name, SlowLog())


class SlowStore(MemoryStore):
    """Keeps messages slowly."""

    def __init__(self) -> None:
        super().__init__()
        self.rooms: SlowRooms = SlowRooms()
        self.log = self.rooms.log("general")
        self.logs = self.rooms.logs
