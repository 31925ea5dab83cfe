"""A store that takes its time."""

from __future__ import annotations

from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from zope.interface import implementer

from netplay.interfaces import IRoomLog, IStore
from netplay.messages import Position
from netplay.store.memory import MemoryLog


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

    def append(self, body: Any) -> Deferred[None]:
        self._log.append(body)
        return self._later(None)

    def page(self, before: int | None, after: int | None, limit: int) -> Deferred[list[Any]]:
        return self._later(lambda: self.read(before, after, limit))

    def read(self, before: int | None, after: int | None, limit: int) -> list[Any]:
        found: list[Any] = []
        self._log.page(before, after, limit).addCallback(found.extend)
        return found

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


@implementer(IStore)
class SlowStore(Service):
    """Keeps nothing, slowly."""

    def __init__(self) -> None:
        self.logs: dict[str, SlowLog] = {}
        self.log = self.room_log("general")

    def room_log(self, room: str) -> SlowLog:
        return self.logs.setdefault(room, SlowLog())

    def drop_room(self, room: str) -> None:
        pass
