"""Tests of L{netplay.store.sqlite.backup}."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from netplay.store.errors import CannotOpen
from netplay.store.records import AccountRecord, ScoreRecord
from netplay.store.sqlite.backup import back_up
from tests.store.cases import NOW
from tests.store.sqlite.test_rooms import RestartCase


class BackupTests(RestartCase):
    """A copy of a store that is in use."""

    def setUp(self) -> None:
        super().setUp()
        self.copy = Path(self.mktemp())

    async def restore(self) -> None:
        """Start with the copy in place of the store."""
        await self.store.stopService()
        for file in Path(self.path).parent.glob(f"{Path(self.path).name}*"):
            file.unlink()
        self.copy.rename(self.path)
        self.store = self.make()
        self.store.startService()

    async def test_what_was_kept_is_there_again_and_what_came_later_is_not(self) -> None:
        account = AccountRecord("Ann", "ann", 1, "hash")
        await self.store.accounts.add(account)
        await self.store.scores.add([ScoreRecord("arena", "stars", "Ann", "ann", 7.0, NOW)])
        await self.say("before")
        back_up(Path(self.path), self.copy)
        await self.say("after")

        await self.restore()

        self.assertEqual(await self.texts(), ["before"])
        self.assertEqual([m.message for m in await self.store.rooms.search("before", ["general"], None, 9)], ["before"])
        self.assertEqual(await self.store.accounts.find("ann"), account)
        best = await self.store.scores.best("arena", "stars", highest=True, day=None, limit=9)
        self.assertEqual([score.value for score in best], [7.0])

    async def test_nobody_is_told_to_have_all_of_what_was_said_after_it(self) -> None:
        """Neither with one that was made while no daemon ran, whose store came to a good end."""
        await self.say("before")
        await self.store.stopService()
        back_up(Path(self.path), self.copy)
        self.store = self.make()
        self.store.startService()
        before = self.position(1)
        await self.say("lost")
        lost = self.position(2)

        await self.restore()
        await self.say("another, with the number of the lost one")

        self.assertTrue(self.recovers(before))
        self.assertFalse(self.recovers(lost))

    async def test_only_its_owner_reads_it_and_nothing_is_beside_it(self) -> None:
        back_up(Path(self.path), self.copy)
        self.assertEqual(self.copy.stat().st_mode & 0o777, 0o600)
        self.assertEqual(list(self.copy.parent.glob(f"{self.copy.name}*")), [self.copy])

    async def test_what_is_there_stays(self) -> None:
        self.copy.write_text("precious")
        error = self.assertRaises(CannotOpen, back_up, Path(self.path), self.copy)
        self.assertIn("give another name", str(error))
        self.assertEqual(self.copy.read_text(), "precious")

    async def test_there_must_be_a_store(self) -> None:
        error = self.assertRaises(CannotOpen, back_up, Path("nowhere.sqlite"), self.copy)
        self.assertIn("--store sqlite:PATH", str(error))
        other = Path(self.mktemp())
        other.write_bytes(b"")
        self.assertIn("nothing in it", str(self.assertRaises(CannotOpen, back_up, other, self.copy)))
        other.write_bytes(b"no database" * 1000)
        self.assertIn("cannot be copied", str(self.assertRaises(CannotOpen, back_up, other, self.copy)))
        other.unlink()
        with sqlite3.connect(other) as connection:
            connection.execute("CREATE TABLE theirs (id)")
        connection.close()
        self.assertIn("something else", str(self.assertRaises(CannotOpen, back_up, other, self.copy)))
        self.assertEqual(list(self.copy.parent.glob(f"{self.copy.name}*")), [])

    async def test_where_it_goes_must_be_writable(self) -> None:
        error = self.assertRaises(CannotOpen, back_up, Path(self.path), self.copy / "there" / "no-folder")
        self.assertIn("cannot be written", str(error))
