"""The store that forgets everything at the end: C{--store memory:}."""

from __future__ import annotations

import secrets
from collections import deque
from itertools import islice
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.plugin import IPlugin
from twisted.python.usage import UsageError
from zope.interface import implementer

from netplay.core import Core
from netplay.interfaces import IRoomLog, IStore, IStorePlugin
from netplay.messages import Position

KEPT_MESSAGES = 100
"""The newest messages of a room that are kept."""


@implementer(IRoomLog)
class MemoryLog:
    """The newest messages of one room, numbered from 1."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.seq = 0
        self._messages: deque[Any] = deque(maxlen=KEPT_MESSAGES)

    def append(self, body: Any) -> Deferred[None]:
        """Number a message and keep it."""
        self.seq += 1
        body.seq = self.seq
        self._messages.append(body)
        return succeed(None)

    def page(
        self, before: int | None = None, after: int | None = None, limit: int = KEPT_MESSAGES
    ) -> Deferred[list[Any]]:
        """See L{IRoomLog.page}."""
        oldest = self.seq - len(self._messages) + 1
        start = oldest if after is None else max(oldest, after + 1)
        stop = self.seq + 1 if before is None else min(self.seq + 1, before)
        if after is None:
            start = max(start, stop - limit)
        else:
            stop = min(stop, start + limit)
        return succeed(list(islice(self._messages, start - oldest, max(stop, start) - oldest)))

    def recovers(self, since: Position) -> bool:
        """Whether everything after C{since} is still there."""
        return since.epoch == self.epoch and self.seq - len(self._messages) <= since.seq <= self.seq


@implementer(IStore)
class MemoryStore(Service):
    """Keeps what it is given as long as the daemon runs."""

    def __init__(self) -> None:
        self._logs: dict[str, MemoryLog] = {}

    def room_log(self, room: str) -> MemoryLog:
        """The log of a room."""
        log = self._logs.get(room)
        if log is None:
            # Nothing of an earlier run, or of an earlier room of that name, is left: its numbers do not count.
            log = self._logs[room] = MemoryLog(secrets.token_hex(4))
        return log

    def drop_room(self, room: str) -> None:
        """The room is gone, with its log."""
        self._logs.pop(room, None)


@implementer(IPlugin, IStorePlugin)
class MemoryStorePlugin:
    """C{memory:}"""

    name = "memory"
    usage = "memory:"

    def build(self, argument: str, core: Core) -> IStore:
        """There is nothing to set."""
        if argument:
            raise UsageError(f"--store memory:{argument}: the memory store takes no argument; use --store memory:")
        return MemoryStore()
