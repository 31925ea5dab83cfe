"""Tests of L{netplay.store.sqlite.schema}: every version of the store that there was becomes the present one."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from netplay.store.errors import CannotOpen
from netplay.store.records import AccountRecord
from netplay.store.sqlite import SQLiteStore, schema
from netplay.store.sqlite.schema import MIGRATIONS, VERSION, bring_up_to_date
from tests.support import make_core

VERSIONS = sorted(Path(__file__).parent.glob("v*.sql"), key=lambda path: int(path.stem[1:]))
"""A store as each version made it, with something in every table. They do not change any more."""


class SchemaCase(TestCase):
    """A file in a folder of its own."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.path = self.folder / "netplay.sqlite"

    def make(self, version: Path) -> None:
        """Write a store of an older version."""
        with sqlite3.connect(self.path) as old:
            old.executescript(version.read_text())
        old.close()

    def connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(connection.close)
        return connection

    def tables(self) -> dict[str, str]:
        """How each table, index and trigger is made."""
        made = self.connect().execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
        return {name: " ".join(sql.split()) for name, sql in made}


class VersionTests(SchemaCase):
    """From each version to the present one."""

    def test_there_is_one_of_each(self) -> None:
        self.assertEqual([path.stem for path in VERSIONS], [f"v{number}" for number in range(1, VERSION + 1)])

    def test_each_has_something_in_every_table(self) -> None:
        for version in VERSIONS:
            self.make(version)
            connection = self.connect()
            tables = connection.execute(
                "SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            )
            for (name,) in tables.fetchall():
                self.assertTrue(connection.execute(f"SELECT 1 FROM {name}").fetchone(), f"{version.stem}: {name}")
            self.path.unlink()

    def test_each_becomes_what_a_new_one_is(self) -> None:
        bring_up_to_date(self.connect(), self.path)
        new = self.tables()
        for version in VERSIONS:
            self.path = self.folder / version.stem
            self.make(version)
            bring_up_to_date(self.connect(), self.path)
            self.assertEqual(self.tables(), new, version.stem)

    async def test_what_each_had_is_there(self) -> None:
        for version in VERSIONS:
            self.path = self.folder / version.stem
            self.make(version)
            store = SQLiteStore(str(self.path), make_core(reactor))
            store.startService()
            self.assertEqual([(room.name, room.topic) for room in store.rooms.load()], [("general", "All and sundry")])
            self.assertEqual(
                [message.id for message in await store.rooms.search("quick", ["general"], None, 10)], ["5eed-1"]
            )
            account = AccountRecord("Ann", "ann", 1728000000000, roles=("operator",))
            self.assertEqual(await store.accounts.find("ann"), account)
            self.assertTrue(await store.sessions.find("5e55"))
            self.assertEqual([sanction.target for sanction in store.sanctions.load()], ["network:192.0.2.0/24"])
            self.assertEqual([entry.action for entry in await store.audit.page(None, 10)], ["ban"])
            self.assertEqual([report.reason for report in await store.reports.page(None, 10)], ["rude"])
            self.assertEqual([alert.symbol for alert in store.alerts.load()], ["ACME"])
            self.assertEqual(len(await store.alerts.missed("ann")), 1)
            self.assertEqual(len(await store.candles.page("ACME", 60, 10)), 1)
            best = await store.scores.best("arena", "kills", highest=True, day=None, limit=10)
            self.assertEqual([score.value for score in best], [7])
            await store.stopService()


class MigrationTests(SchemaCase):
    """What is done with an older one."""

    def setUp(self) -> None:
        super().setUp()
        self.make(VERSIONS[-1])

    def next_version(self, script: str) -> None:
        """There is a newer netplay."""
        self.patch(schema, "MIGRATIONS", (*MIGRATIONS, script))
        self.patch(schema, "VERSION", VERSION + 1)

    def topics(self) -> list[str]:
        return [topic for (topic,) in self.connect().execute("SELECT topic FROM rooms")]

    def test_it_is_brought_up_to_date_once(self) -> None:
        self.next_version("UPDATE rooms SET topic = topic || '!'")
        for _ in range(2):
            bring_up_to_date(self.connect(), self.path)
        self.assertEqual(self.topics(), ["All and sundry!"])

    def test_a_copy_of_what_it_was_is_beside_it(self) -> None:
        self.next_version("UPDATE rooms SET topic = topic || '!'")
        bring_up_to_date(self.connect(), self.path)
        self.path = self.folder / f"netplay.sqlite.before-v{VERSION + 1}"
        self.assertEqual(self.topics(), ["All and sundry"])
        self.assertEqual(self.connect().execute("PRAGMA user_version").fetchone(), (VERSION,))
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)

    def test_one_that_cannot_be_is_as_it_was(self) -> None:
        self.next_version("UPDATE rooms SET topic = ''; INSERT INTO nowhere VALUES (1)")
        self.assertRaises(sqlite3.OperationalError, bring_up_to_date, self.connect(), self.path)
        self.assertEqual(self.topics(), ["All and sundry"])
        self.assertEqual(self.connect().execute("PRAGMA user_version").fetchone(), (VERSION,))

    def test_a_start_that_fails_at_it_says_why(self) -> None:
        self.next_version("INSERT INTO nowhere VALUES (1)")
        store = SQLiteStore(str(self.path), make_core(reactor))
        error = self.assertRaises(CannotOpen, store.startService)
        self.assertIn("no such table: nowhere", str(error))

    def test_a_command_beside_a_daemon_leaves_it_as_it_was(self) -> None:
        self.next_version("UPDATE rooms SET topic = topic || '!'")
        store = SQLiteStore(str(self.path), make_core(reactor), alone=False)
        error = self.assertRaises(CannotOpen, store.startService)
        self.assertIn("an older netplay", str(error))
        self.assertEqual(self.topics(), ["All and sundry"])
        self.assertEqual(self.connect().execute("PRAGMA user_version").fetchone(), (VERSION,))

    def test_one_of_the_present_is_left_alone(self) -> None:
        bring_up_to_date(self.connect(), self.path)
        self.assertEqual([path.name for path in self.folder.glob("*before*")], [])
