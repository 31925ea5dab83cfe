"""The store that forgets everything at the end: C{--store memory:}."""

from __future__ import annotations

from pathlib import Path

from twisted.application.service import Service
from twisted.plugin import IPlugin
from twisted.python.usage import UsageError
from zope.interface import implementer

from netplay.core import Core
from netplay.store.interfaces import IStore, IStorePlugin
from netplay.store.memory.rooms import MemoryRooms
from netplay.store.memory.tables import (
    MemoryAccounts,
    MemoryAlerts,
    MemoryAudit,
    MemoryCandles,
    MemoryReports,
    MemorySanctions,
    MemoryScores,
    MemorySessions,
)


@implementer(IStore)
class MemoryStore(Service):
    """Keeps what it is given as long as the daemon runs."""

    waiting = 0

    def __init__(self) -> None:
        self.rooms = MemoryRooms()
        self.accounts = MemoryAccounts()
        self.sessions = MemorySessions()
        self.sanctions = MemorySanctions()
        self.audit = MemoryAudit()
        self.reports = MemoryReports()
        self.alerts = MemoryAlerts()
        self.candles = MemoryCandles()
        self.scores = MemoryScores()


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

    def beside(self, argument: str, core: Core) -> IStore:
        """It is in the daemon."""
        raise UsageError("--store memory: nobody can use it but the daemon; name a file, --store sqlite:netplay.sqlite")

    def back_up(self, argument: str, copy: Path) -> None:
        """It forgets."""
        raise UsageError("--store memory: it keeps nothing to be copied; name a file, --store sqlite:netplay.sqlite")
