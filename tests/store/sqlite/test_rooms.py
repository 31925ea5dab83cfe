"""Tests of L{netplay.store.sqlite.rooms} and its L{netplay.store.sqlite.retention}: what is there after a restart."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import gatherResults

from netplay.messages import Position
from netplay.store.records import RoomRecord
from netplay.store.sqlite import SQLiteStore
from netplay.store.sqlite import database as database_module
from netplay.store.sqlite import retention as retention_module
from netplay.store.sqlite.rooms import AT_HAND, MOST_EPOCHS
from tests.store.cases import DAY, NOW, StoreCase, chat
from tests.support import make_core


class RestartCase(StoreCase):
    """A store that can be opened again."""

    limits: dict[str, Any] = {}

    def make(self) -> SQLiteStore:
        if not hasattr(self, "path"):
            self.path = self.mktemp()
        self.core = make_core(self.core.clock, **self.limits)
        return SQLiteStore(self.path, self.core)

    async def restart(self) -> None:
        """A good end, and a start."""
        await self.store.stopService()
        self.store = self.make()
        self.store.startService()

    async def crash(self) -> None:
        """An end without any of what belongs to one: what was not kept is gone, and nobody has said good-bye."""
        self.store._retention.stop()
        self.store._index.stop()
        await self.store.database.close()
        self.store = self.make()
        self.store.startService()

    def position(self, seq: int, room: str = "general") -> Position:
        """In the present epoch."""
        return Position(self.store.rooms.log(room).epoch, seq)

    def recovers(self, position: Position) -> bool:
        recovers: bool = self.store.rooms.log("general").recovers(position)
        return recovers

    async def texts(self, before: int | None = None, after: int | None = None, limit: int = 10) -> list[str]:
        found = await self.store.rooms.log("general").page(before, after, limit)
        return [message.message for message in found]


class RestartTests(RestartCase):
    """After a good end everything goes on."""

    async def test_rooms_are_as_they_were(self) -> None:
        room = RoomRecord("tech", "How things work", "ann", 7, 2.5, True, True)
        await self.store.rooms.put(room)
        await self.restart()
        self.assertEqual(self.store.rooms.load(), [room])

    async def test_numbers_and_epoch_go_on(self) -> None:
        (before,) = await self.say("a")
        await self.restart()
        (after,) = await self.say("b")
        self.assertEqual(after.seq, 2)
        self.assertEqual(after.id.partition("-")[0], before.id.partition("-")[0])
        self.assertEqual(await self.texts(), ["a", "b"])

    async def test_whoever_was_away_misses_nothing(self) -> None:
        await self.say("a", "b", "c")
        seen = self.position(1)
        await self.restart()
        self.assertTrue(self.recovers(seen))
        self.assertEqual(await self.texts(after=1), ["b", "c"])

    async def test_ids_of_new_rooms_are_new(self) -> None:
        await self.say("a", room="one")
        await self.restart()
        await self.say("b", room="two")
        await self.restart()
        for room, text in (("one", "a"), ("two", "b")):
            found = await self.store.rooms.log(room).page(None, None, 10)
            self.assertEqual([message.message for message in found], [text])

    async def test_a_room_that_was_dropped_stays_away(self) -> None:
        await self.say("a", room="one")
        await self.store.rooms.drop("one")
        await self.restart()
        self.assertEqual(self.store.rooms.load(), [])
        await self.say("b", room="two")
        self.assertEqual(len(await self.store.rooms.log("two").page(None, None, 10)), 1)


class FullEndTests(RestartCase):
    """An end when no more can be taken."""

    async def test_it_is_an_end_that_was_not_good(self) -> None:
        await self.say("a")
        epoch = self.store.rooms.log("general").epoch
        self.patch(database_module, "MOST_WAITING", 0)
        await self.store.stopService()
        self.patch(database_module, "MOST_WAITING", 10)
        self.store = self.make()
        self.store.startService()
        self.assertNotEqual(self.store.rooms.log("general").epoch, epoch)


class CrashTests(RestartCase):
    """After any other end there may have been more than was kept."""

    async def test_a_new_epoch_goes_on_from_the_last_number_that_was_kept(self) -> None:
        await self.say("a", "b")
        before = self.position(2)
        await self.crash()
        (after,) = await self.say("c")
        self.assertEqual(after.seq, 3)
        self.assertNotEqual(self.position(0).epoch, before.epoch)

    async def test_who_has_seen_what_was_kept_recovers(self) -> None:
        await self.say("a", "b")
        for seq in (0, 2):
            seen = self.position(seq)
            await self.crash()
            self.assertTrue(self.recovers(seen))
        await self.say("c")
        self.assertTrue(self.recovers(seen))

    async def test_who_has_seen_more_is_told_that_it_is_gone(self) -> None:
        await self.say("a", "b")
        seen = self.position(3)  # that was said, and is not there any more
        await self.crash()
        await self.say("another third")
        self.assertFalse(self.recovers(seen))

    async def test_ids_of_messages_stay(self) -> None:
        (said,) = await self.say("a")
        await self.crash()
        (found,) = await self.store.rooms.log("general").page(None, None, 1)
        self.assertEqual(found.id, said.id)

    async def test_a_search_goes_on_across_epochs(self) -> None:
        (first,) = await self.say("fox one")
        await self.crash()
        (second,) = await self.say("fox two", at=NOW + 1)
        found = await self.store.rooms.search("fox", ["general"], second.id, 10)
        self.assertEqual([message.id for message in found], [first.id])

    async def test_so_many_epochs_are_remembered(self) -> None:
        await self.say("a")
        seen = []
        for _ in range(MOST_EPOCHS + 1):
            seen.append(self.position(1))
            await self.crash()
        self.assertEqual([self.recovers(position) for position in seen], [False] + [True] * MOST_EPOCHS)

    async def test_a_good_end_after_it_is_a_good_end(self) -> None:
        await self.say("a")
        await self.crash()
        epoch = self.position(0).epoch
        await self.restart()
        self.assertEqual(self.position(0).epoch, epoch)


class AtHandTests(RestartCase):
    """The newest messages are in memory, too."""

    async def test_the_second_who_joins_after_a_restart_waits_for_no_disk(self) -> None:
        await self.say(*(f"m{n}" for n in range(200)))
        await self.restart()
        log = self.store.rooms.log("general")
        self.assertEqual((await log.page(None, None, 101))[0].message, "m99")
        self.assertEqual(self.successResultOf(log.page(None, None, 101))[0].message, "m99")

    async def test_memory_has_so_many(self) -> None:
        await self.say(*(f"m{n}" for n in range(AT_HAND + 50)))
        await self.say("one more")
        self.assertEqual(len(self.store.rooms.log("general")._at_hand), AT_HAND)

    async def test_what_is_said_while_the_disk_is_read(self) -> None:
        await self.say(*(f"m{n}" for n in range(200)))
        await self.restart()
        log = self.store.rooms.log("general")
        page = log.page(None, 150, 100)
        for n in range(AT_HAND + 100):
            log.append(chat(f"new {n}"))
        await log.kept()
        self.assertEqual([message.seq for message in await page], list(range(151, 201)))
        page = log.page(None, 150, 400)
        log.append(chat("and more"))
        self.assertEqual([message.seq for message in await page], list(range(151, 200 + AT_HAND + 101)))
        await log.kept()

    async def test_two_who_read_it_at_once_bring_it_into_memory_once(self) -> None:
        await self.say(*(str(n) for n in range(AT_HAND)))
        await self.restart()
        log = self.store.rooms.log("general")
        await gatherResults([log.page(None, None, 100) for _ in range(2)])
        self.assertEqual(await self.texts(limit=AT_HAND), [str(n) for n in range(AT_HAND)])

    async def test_what_is_deleted_while_the_disk_is_read_stays_so(self) -> None:
        await self.say("a", "b")
        await self.restart()
        log = self.store.rooms.log("general")
        reading = log.page(None, None, 10)
        deleting = log.delete(1)
        await gatherResults([reading, deleting])
        self.assertEqual(await self.texts(), ["", "b"])


class RetentionTests(RestartCase):
    """What is not to be kept any longer goes, and nothing else."""

    limits = {"keep_messages": 100, "keep_days": 7.0}

    def setUp(self) -> None:
        super().setUp()
        self.core.now = lambda: NOW  # type: ignore[method-assign]
        self.store._retention._now = lambda: NOW
        self.patch(retention_module, "STEP", 10)

    async def count(self) -> int:
        (n,) = await self.store.database.read(lambda c: c.execute("SELECT count(*) FROM messages").fetchone())
        return int(n)

    async def test_by_number(self) -> None:
        await self.say(*(f"m{n}" for n in range(1, 151)))
        seen, too_early = self.position(50), self.position(49)
        await self.store._retention.sweep()
        self.assertEqual(await self.count(), 100)
        self.assertEqual((await self.texts(before=60))[0], "m51")
        self.assertTrue(self.recovers(seen))
        self.assertFalse(self.recovers(too_early))
        self.assertEqual(await self.store.rooms.search("m50", ["general"], None, 10), [])

    async def test_by_age(self) -> None:
        await self.say("old", "older", at=NOW - 7 * DAY - 10)
        await self.say("new", at=NOW - 7 * DAY)
        await self.store._retention.sweep()
        self.assertEqual(await self.texts(), ["new"])

    async def test_numbers_go_on_when_nothing_is_left(self) -> None:
        await self.say("a", "b", at=NOW - 8 * DAY)
        await self.store._retention.sweep()
        seen = self.position(2)
        await self.restart()
        self.assertEqual(await self.texts(), [])
        self.assertTrue(self.recovers(seen))
        (after,) = await self.say("c")
        self.assertEqual(after.seq, 3)

    async def test_what_was_said_in_rooms_that_are_gone(self) -> None:
        await self.say(*(f"m{n}" for n in range(25)), room="one")
        await self.say(*(f"m{n}" for n in range(25)), room="two")
        await self.say("stays")
        await self.store.rooms.drop("one")
        await self.store.rooms.drop("two")
        self.assertEqual(await self.count(), 51)
        await self.store._retention.sweep()
        self.assertEqual(await self.count(), 1)
