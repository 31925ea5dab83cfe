"""Rooms, and the newest of what was said in them."""

from __future__ import annotations

import re
import secrets
from collections import deque
from collections.abc import Collection, Sequence
from heapq import merge
from itertools import islice

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from netplay.messages import Chat, Position
from netplay.store.interfaces import IRoomLog, IRooms
from netplay.store.records import RoomRecord, emptied

KEPT_MESSAGES = 100
"""The newest messages of a room that are kept."""


@implementer(IRoomLog)
class MemoryLog:
    """The newest messages of one room, numbered from 1."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.seq = 0
        self.messages: deque[Chat] = deque(maxlen=KEPT_MESSAGES)

    def append(self, body: Chat) -> None:
        """Number a message and keep it."""
        self.seq += 1
        body.seq = self.seq
        body.id = f"{self.epoch}-{self.seq}"
        self.messages.append(body)

    def kept(self) -> Deferred[None]:
        """At once."""
        return succeed(None)

    def page(
        self, before: int | None = None, after: int | None = None, limit: int = KEPT_MESSAGES
    ) -> Deferred[list[Chat]]:
        """See L{IRoomLog.page}."""
        oldest = self._oldest
        start = oldest if after is None else max(oldest, after + 1)
        stop = self.seq + 1 if before is None else min(self.seq + 1, before)
        if after is None:
            start = max(start, stop - limit)
        else:
            stop = min(stop, start + limit)
        return succeed(list(islice(self.messages, start - oldest, max(stop, start) - oldest)))

    def recovers(self, since: Position) -> bool:
        """Whether everything after C{since} is still there."""
        return since.epoch == self.epoch and self._oldest - 1 <= since.seq <= self.seq

    def delete(self, seq: int) -> Deferred[Chat | None]:
        """See L{IRoomLog.delete}."""
        if not self._oldest <= seq <= self.seq:
            return succeed(None)
        place = seq - self._oldest
        self.messages[place] = left = emptied(self.messages[place])
        return succeed(left)

    @property
    def _oldest(self) -> int:
        return self.seq - len(self.messages) + 1


@implementer(IRooms)
class MemoryRooms:
    """All rooms."""

    def __init__(self) -> None:
        self._rooms: dict[str, RoomRecord] = {}
        self._logs: dict[str, MemoryLog] = {}

    def load(self) -> Sequence[RoomRecord]:
        """All of them."""
        return [self._rooms[name] for name in sorted(self._rooms)]

    def put(self, room: RoomRecord) -> Deferred[None]:
        """Keep a room."""
        self._rooms[room.name] = room
        return succeed(None)

    def drop(self, name: str) -> Deferred[None]:
        """The room is gone, with its log."""
        self._rooms.pop(name, None)
        self._logs.pop(name, None)
        return succeed(None)

    def log(self, name: str) -> MemoryLog:
        """The log of a room."""
        log = self._logs.get(name)
        if log is None:
            # Nothing of an earlier run, or of an earlier room of that name, is left: its numbers do not count.
            log = self._logs[name] = MemoryLog(secrets.token_hex(4))
        return log

    def search(self, text: str, rooms: Collection[str], before: str | None, limit: int) -> Deferred[list[Chat]]:
        """See L{IRooms.search}."""
        logs = [reversed(self._logs[name].messages) for name in rooms if name in self._logs]
        newest_first = merge(*logs, key=lambda message: (message.at, message.seq, message.room), reverse=True)
        if before is not None:
            for message in newest_first:
                if message.id == before:
                    break
        *whole, start = _words(text) or [""]
        found = (message for message in newest_first if _has(_words(message.message), whole, start))
        return succeed(list(islice(found, limit)))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _has(words: Collection[str], whole: Collection[str], start: str) -> bool:
    return bool(start) and all(word in words for word in whole) and any(word.startswith(start) for word in words)
