"""Tests of L{netplay.store.sqlite.database}, on real files."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase

from netplay.errors import Refused
from netplay.store.errors import CannotOpen
from netplay.store.sqlite import database as module
from netplay.store.sqlite.changes import Change, Cursor, Table
from netplay.store.sqlite.database import Database
from netplay.store.sqlite.schema import VERSION
from tests.support import LogRecorder

reactor: Any = _reactor


def note(value: object) -> Callable[[Cursor], None]:
    """A change: one more line of the audit log."""
    sql = "INSERT INTO audit (at, by, action, target, detail) VALUES (1, '', ?, '', '')"
    return lambda cursor: cursor.execute(sql, (value,)) and None


def notes(cursor: Cursor) -> list[Any]:
    """What was noted."""
    return [value for (value,) in cursor.execute("SELECT action FROM audit ORDER BY id").fetchall()]


class DatabaseCase(TestCase):
    """A file that is open."""

    def setUp(self) -> None:
        self.path = self.mktemp()
        self.database = Database(self.path, reactor)
        self.database.open()
        self.closed = False
        self.addCleanup(self.close)

    async def close(self) -> bool:
        if self.closed:
            return True
        self.closed = True
        return await self.database.close()

    def stall(self) -> Event:
        """The disk stands still until this is set."""
        go_on = Event()
        self.addCleanup(go_on.set)
        self.stalled: Deferred[None] = Deferred()

        def wait(cursor: Cursor) -> None:
            reactor.callFromThread(self.stalled.callback, None)
            go_on.wait(30)

        self.database.write(wait)
        return go_on

    def fill(self, pages: int = 0) -> Deferred[None]:
        """The disk takes no more than so many pages beyond what there are."""

        def limit(cursor: Cursor) -> None:
            (there,) = cursor.execute("PRAGMA page_count").fetchone()
            cursor.execute(f"PRAGMA max_page_count = {there + pages}")

        done: Deferred[None] = self.database._writer.runInteraction(limit)
        return done


class WriteTests(DatabaseCase):
    """Changes."""

    async def test_a_change_is_there_when_it_is_said_to_be(self) -> None:
        await self.database.write(note("a"))
        with sqlite3.connect(self.path) as other:
            self.assertEqual(notes(other.cursor()), ["a"])

    async def test_it_gives_what_the_change_gives(self) -> None:
        self.assertEqual(await self.database.write(lambda cursor: 7), 7)

    async def test_what_comes_together_is_one_commit(self) -> None:
        commits = []
        make = module.make

        def made(cursor: Cursor, changes: Sequence[Any], alone: bool) -> list[Any]:
            commits.append(len(changes))
            return make(cursor, changes, alone)

        self.patch(module, "make", made)
        await gatherResults([self.database.write(note(n)) for n in range(20)])
        self.assertEqual(commits, [20])

    async def test_they_are_made_in_their_order(self) -> None:
        await gatherResults([self.database.write(note(n)) for n in range(2500)])
        self.assertEqual(await self.database.read(notes), [str(n) for n in range(2500)])

    async def test_one_that_cannot_be_made_takes_no_other_with_it(self) -> None:
        good = self.database.write(note("a"))
        bad = self.database.write(lambda cursor: cursor.execute("INSERT INTO nowhere VALUES (1)"))
        also_good = self.database.write(note("b"))
        await good
        await also_good
        await self.assertFailure(bad, sqlite3.OperationalError)
        self.assertEqual(await self.database.read(notes), ["a", "b"])

    async def test_nothing_of_one_that_fails_half_way_stays(self) -> None:
        def half(cursor: Cursor) -> None:
            note("half")(cursor)
            raise ValueError("a bug")

        await self.assertFailure(self.database.write(half), ValueError)
        self.assertEqual(await self.database.read(notes), [])


class RowsTests(DatabaseCase):
    """Rows, which nobody waits for until somebody does."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(module, "LEISURE", 3600.0)
        self.kept: list[Any] = []
        self.table = Table("audit", ("at", "by", "action", "target", "detail"), self.kept.extend)

    def insert(self, value: object, size: int = 0) -> Change:
        return self.database.insert(self.table, (1, "", value, "", ""), size)

    async def test_they_wait_for_a_change_that_somebody_waits_for(self) -> None:
        self.insert("a")
        await self.database.write(note("b"))
        self.assertEqual(await self.database.read(notes), ["a", "b"])

    async def test_or_until_somebody_waits_for_them(self) -> None:
        first, second = self.insert("a"), self.insert("b")
        await self.database.when_kept(first)
        await self.database.when_kept(second)
        self.assertEqual(await self.database.read(notes), ["a", "b"])
        self.assertEqual(self.kept[2 :: self.table.width], ["a", "b"])

    async def test_they_hold_up_nothing(self) -> None:
        go_on = self.stall()
        await self.stalled
        self.insert("a")
        waiting = self.database.write(note("b"))
        self.insert("c")
        go_on.set()
        await waiting
        self.assertEqual(await self.database.read(notes), ["a", "b", "c"])

    async def test_they_are_kept_after_a_while(self) -> None:
        self.patch(module, "LEISURE", 0.01)
        kept: Deferred[Any] = Deferred()
        self.table.kept = kept.callback
        self.insert("a")
        await kept

    async def test_so_they_are_when_they_came_during_a_commit(self) -> None:
        self.patch(module, "LEISURE", 0.01)
        kept: Deferred[Any] = Deferred()
        self.table.kept = kept.callback
        go_on = self.stall()
        await self.stalled
        self.insert("a")
        go_on.set()
        await kept

    async def test_the_end_does_not_wait_for_them(self) -> None:
        self.insert("a")
        self.assertTrue(await self.close())
        self.assertEqual(self.kept, [1, "", "a", "", ""])

    async def test_many_are_in_their_order_with_other_changes_between_them(self) -> None:
        for n in range(2500):
            change = self.insert(n)
            if n % 700 == 0:
                self.database.write(note(f"after {n}"))
        await self.database.when_kept(change)
        expected = [text for n in range(2500) for text in ([str(n), f"after {n}"] if n % 700 == 0 else [str(n)])]
        self.assertEqual([str(value) for value in await self.database.read(notes)], expected)
        self.assertEqual(self.kept[2 :: self.table.width], list(range(2500)))

    async def test_each_counts_among_what_may_wait(self) -> None:
        self.patch(module, "MOST_WAITING", 3)
        for n in range(3):
            self.insert(n)
        self.assertEqual(self.database.waiting, 3)
        self.assertRaises(Refused, self.insert, "too much")
        await self.close()
        self.assertEqual(self.database.waiting, 0)

    async def test_so_do_their_sizes(self) -> None:
        change = self.insert("large", module.MOST_BYTES)
        self.assertRaises(Refused, self.insert, "more", 1)
        await self.database.when_kept(change)
        self.insert("again", module.MOST_BYTES)

    async def test_a_change_that_cannot_be_made_takes_none_with_it(self) -> None:
        self.insert("a")
        bad = self.database.write(lambda cursor: cursor.execute("INSERT INTO nowhere VALUES (1)"))
        change = self.insert("b")
        await self.assertFailure(bad, sqlite3.OperationalError)
        await self.database.when_kept(change)
        self.assertEqual(await self.database.read(notes), ["a", "b"])
        self.assertEqual(self.kept[2 :: self.table.width], ["a", "b"])


class StalledTests(DatabaseCase):
    """A disk that stands still for a while."""

    async def test_what_is_written_meanwhile_waits_and_what_is_read_does_not(self) -> None:
        await self.database.write(note("before"))
        go_on = self.stall()
        await self.stalled
        waiting = self.database.write(note("after"))
        self.assertEqual(await self.database.read(notes), ["before"])
        self.assertEqual(self.database.waiting, 2)
        self.assertFalse(waiting.called)
        go_on.set()
        await waiting
        self.assertEqual(await self.database.read(notes), ["before", "after"])

    async def test_what_waits_is_bounded_by_number(self) -> None:
        self.patch(module, "MOST_WAITING", 3)
        go_on = self.stall()
        waiting = [self.database.write(note(n)) for n in range(2)]
        error = self.assertRaises(Refused, self.database.write, note("too much"))
        self.assertEqual(error.code, "store_busy")
        go_on.set()
        await gatherResults(waiting)
        self.assertEqual(await self.database.read(notes), ["0", "1"])

    async def test_what_waits_is_bounded_by_size(self) -> None:
        go_on = self.stall()
        waiting = self.database.write(note("large"), module.MOST_BYTES)
        self.assertRaises(Refused, self.database.write, note("more"), 1)
        go_on.set()
        await waiting
        await self.database.write(note("again"), module.MOST_BYTES)

    async def test_the_end_waits_a_while_for_it(self) -> None:
        self.patch(module, "PATIENCE", 0.01)
        log = LogRecorder(self)
        go_on = self.stall()
        self.database.write(note("lost"))
        await self.stalled
        self.assertFalse(await self.close())
        self.assertIn("store: 2 changes could not be kept", log.texts())
        go_on.set()
        self.database._writer.close()  # a process that ends does that


class FullTests(DatabaseCase):
    """A disk that is full."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(module, "AGAIN_AFTER", 0.01)

    async def test_who_waits_is_told_and_when_there_is_room_again_it_is_kept(self) -> None:
        await self.fill()
        log = LogRecorder(self)
        large = "x" * 100_000
        refused = self.database.write(note(large))
        also = self.database.write(note("small"))
        for one in (refused, also):
            error: Any = await self.assertFailure(one, Refused)
            self.assertEqual(error.code, "store_busy")
        self.assertEqual(self.database.waiting, 2)
        await self.fill(1000)
        await self.database.write(note("then"))
        self.assertEqual(await self.database.read(notes), [large, "small", "then"])
        self.assertEqual(sum("cannot be kept now" in text for text in log.texts()), 1)
        self.assertIn("store: changes are kept again", log.texts())

    async def test_all_are_told_though_one_of_them_goes_on_writing(self) -> None:
        await self.fill()
        first = self.database.write(note("x" * 100_000))
        second = self.database.write(note("small"))
        first.addErrback(lambda _: self.database.write(note("more")).addErrback(lambda _: None) and None)
        await self.assertFailure(second, Refused)
        await self.fill(1000)
        await self.database.write(note("then"))

    async def test_what_is_kept_can_be_read_meanwhile(self) -> None:
        await self.database.write(note("before"))
        await self.fill()
        await self.assertFailure(self.database.write(note("x" * 100_000)), Refused)
        self.assertEqual(await self.database.read(notes), ["before"])
        await self.fill(1000)


class CloseTests(DatabaseCase):
    """The end."""

    async def test_what_waits_is_kept_first(self) -> None:
        waiting = [self.database.write(note(n)) for n in range(5)]
        self.assertTrue(await self.close())
        await gatherResults(waiting)
        with sqlite3.connect(self.path) as other:
            self.assertEqual(len(notes(other.cursor())), 5)

    async def test_it_can_be_opened_again(self) -> None:
        await self.close()
        again = Database(self.path, reactor)
        again.open()
        await again.close()


class OpenTests(TestCase):
    """What is opened, and what is not."""

    def setUp(self) -> None:
        self.path = self.mktemp()

    async def opened(self, **more: Any) -> Database:
        database = Database(self.path, reactor)
        database.open(**more)
        self.addCleanup(database.close)
        return database

    def refused(self) -> str:
        before = Path(self.path).read_bytes() if os.path.exists(self.path) else None
        error = self.assertRaises(CannotOpen, Database(self.path, reactor).open)
        after = Path(self.path).read_bytes() if os.path.exists(self.path) else None
        self.assertEqual(before, after)
        self.assertNotIn("\n", str(error))
        return str(error)

    async def made(self) -> None:
        database = Database(self.path, reactor)
        database.open()
        await database.write(note("x" * 10_000))
        await database.close()

    async def test_a_new_one_is_nobody_elses_to_read(self) -> None:
        await self.opened()
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)

    async def test_only_one_daemon_has_it(self) -> None:
        await self.opened()
        self.assertIn("another netplay uses it", self.refused())

    async def test_a_command_may_have_it_beside_a_daemon(self) -> None:
        await self.opened()
        other = await self.opened(alone=False)
        await other.write(note("by hand"))

    def test_no_folder(self) -> None:
        self.path = f"{self.path}/netplay.sqlite"
        self.assertIn("make it first", self.refused())

    def test_a_folder(self) -> None:
        os.mkdir(self.path)
        error = self.assertRaises(CannotOpen, Database(self.path, reactor).open)
        self.assertIn("cannot be opened", str(error))

    def test_something_else(self) -> None:
        Path(self.path).write_text("my diary " * 1000)
        self.assertIn("not a database", self.refused())

    def test_the_database_of_something_else(self) -> None:
        with sqlite3.connect(self.path) as other:
            other.execute("CREATE TABLE songs (name TEXT)")
        self.assertIn("something else", self.refused())

    async def test_a_newer_one(self) -> None:
        await self.made()
        with sqlite3.connect(self.path) as other:
            other.execute(f"PRAGMA user_version = {VERSION + 1}")
        other.close()
        self.assertIn("update netplay", self.refused())

    async def test_a_damaged_one(self) -> None:
        await self.made()
        with open(self.path, "r+b") as file:
            file.seek(2 * 4096)
            file.write(b"\xff" * 4096 * 3)
        self.assertIn("put a backup in its place", self.refused())

    async def test_one_that_was_cut_off(self) -> None:
        await self.made()
        os.truncate(self.path, os.path.getsize(self.path) // 2)
        self.assertIn("put a backup in its place", self.refused())
