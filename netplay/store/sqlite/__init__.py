"""The store that remembers: one file of SQLite, C{--store sqlite:PATH}."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.plugin import IPlugin
from twisted.python.usage import UsageError
from zope.interface import implementer

from netplay.core import Core
from netplay.errors import Refused
from netplay.store.interfaces import IStore, IStorePlugin
from netplay.store.sqlite.accounts import SQLiteAccounts
from netplay.store.sqlite.alerts import SQLiteAlerts
from netplay.store.sqlite.audit import SQLiteAudit
from netplay.store.sqlite.backup import back_up
from netplay.store.sqlite.candles import SQLiteCandles
from netplay.store.sqlite.changes import Cursor
from netplay.store.sqlite.database import Database
from netplay.store.sqlite.index import Index
from netplay.store.sqlite.reports import SQLiteReports
from netplay.store.sqlite.retention import Retention
from netplay.store.sqlite.rooms import SQLiteRooms
from netplay.store.sqlite.sanctions import SQLiteSanctions
from netplay.store.sqlite.scores import SQLiteScores
from netplay.store.sqlite.sessions import SQLiteSessions


@implementer(IStore)
class SQLiteStore(Service):
    """
    Keeps things in a file.

    @param path: of the file; made if there is none.
    @param core: whose it is, with its clock and its limits.
    @param alone: C{False} for a command beside a daemon, to which rooms and retention are left.
    """

    def __init__(self, path: str, core: Core, *, alone: bool = True) -> None:
        self._alone = alone
        self.database = database = Database(path, core.clock)
        self._index = Index(database, core.clock)
        self.rooms = SQLiteRooms(database, self._index)
        self.accounts = SQLiteAccounts(database)
        self.sessions = SQLiteSessions(database)
        self.sanctions = SQLiteSanctions(database)
        self.audit = SQLiteAudit(database)
        self.reports = SQLiteReports(database)
        self.alerts = SQLiteAlerts(database)
        self.candles = SQLiteCandles(database)
        self.scores = SQLiteScores(database)
        self._retention = Retention(database, self.rooms, core)

    @property
    def waiting(self) -> int:
        """How many changes wait to be kept."""
        return self.database.waiting

    def startService(self) -> None:
        """
        Open the file.

        @raise netplay.store.errors.CannotOpen: it cannot be used.
        """
        self.database.open(alone=self._alone)
        if self._alone:
            self.rooms.begin(clean=self.database.ask(_begin))
            self._index.start()
            self._retention.start()
        super().startService()

    def stopService(self) -> Deferred[None]:
        """Keep what waits, and close."""
        super().stopService()
        if self._alone:
            self._index.stop()
            self._retention.stop()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._alone:
            with suppress(Refused):
                # After all else; if it fails, the next start knows.
                self.database.write(_end).addErrback(lambda _: None)
        await self.database.close()


def _begin(cursor: Cursor) -> bool:
    """Whether the last run came to a good end; this one has not, yet."""
    cursor.execute("SELECT 1 FROM state WHERE name = 'clean' UNION SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM rooms)")
    clean = cursor.fetchone() is not None
    cursor.execute("DELETE FROM state WHERE name = 'clean'")
    return clean


def _end(cursor: Cursor) -> None:
    cursor.execute("INSERT OR REPLACE INTO state VALUES ('clean', 1)")


@implementer(IPlugin, IStorePlugin)
class SQLiteStorePlugin:
    """C{sqlite:PATH}"""

    name = "sqlite"
    usage = "sqlite:PATH"

    def build(self, argument: str, core: Core) -> IStore:
        """The path is relative to where the daemon runs."""
        return SQLiteStore(_path(argument), core)

    def beside(self, argument: str, core: Core) -> IStore:
        """The same file."""
        return SQLiteStore(_path(argument), core, alone=False)

    def back_up(self, argument: str, copy: Path) -> None:
        """Into another file of SQLite."""
        back_up(Path(_path(argument)), copy)


def _path(argument: str) -> str:
    if not argument:
        raise UsageError("--store sqlite: needs a file; type --store sqlite:netplay.sqlite")
    return argument
