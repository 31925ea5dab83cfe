"""Tests of L{netplay.store.sqlite.index}: messages are found however late they are put into the index."""

from __future__ import annotations

from twisted.internet.defer import Deferred, gatherResults

from netplay.store.sqlite import index as module
from netplay.store.sqlite.changes import Cursor
from tests.store.cases import chat
from tests.store.sqlite.test_rooms import RestartCase


def indexed(cursor: Cursor) -> int:
    """Up to which message."""
    (last,) = cursor.execute("SELECT value FROM state WHERE name = 'indexed'").fetchone()
    return int(last)


class IndexTests(RestartCase):
    """What was said is kept at once, and indexed when there is time, or when somebody searches."""

    async def indexed(self) -> int:
        found: int = await self.store.database.read(indexed)
        return found

    async def found(self, text: str) -> list[str]:
        messages = await self.store.rooms.search(text, ["general"], None, 10)
        return [message.message for message in messages]

    async def test_to_keep_a_message_does_not_index_it(self) -> None:
        await self.say("one fox", "two foxes")
        self.assertEqual(await self.indexed(), 0)

    async def test_who_searches_finds_what_was_said_just_before(self) -> None:
        await self.have("general")
        log = self.store.rooms.log("general")
        log.append(chat("one fox"))
        self.assertEqual(await self.found("fox"), ["one fox"])
        await log.kept()
        self.assertEqual(await self.indexed(), 1)

    async def test_in_steps(self) -> None:
        self.patch(module, "STEP", 2)
        await self.say(*(f"fox {n}" for n in range(5)))
        self.assertEqual(len(await self.found("fox")), 5)
        self.assertEqual(await self.indexed(), 5)

    async def test_when_there_is_time(self) -> None:
        await self.say("one fox")
        await self.store._index._look()
        self.assertEqual(await self.indexed(), 1)
        self.assertIsNone(self.store._index._look())

    async def test_a_step_at_a_look_while_there_is_something_to_write_unless_too_much_is_missing(self) -> None:
        self.patch(module, "STEP", 2)
        await self.say(*(f"fox {n}" for n in range(9)))
        log = self.store.rooms.log("general")
        log.append(chat("one more fox"))
        await self.store._index._look()
        self.assertEqual(await self.indexed(), 2)
        self.patch(module, "MOST_BEHIND", 7)
        log.append(chat("and another"))
        await self.store._index._look()
        self.assertEqual(await self.indexed(), 11)

    async def test_two_who_search_at_once_find_the_same(self) -> None:
        self.patch(module, "STEP", 1)
        await self.say("one fox", "two fox")
        found = await gatherResults([Deferred.fromCoroutine(self.found("fox")) for _ in range(2)])
        self.assertEqual(found, [["two fox", "one fox"]] * 2)

    async def test_after_a_restart_and_after_a_crash(self) -> None:
        await self.say("one fox")
        await self.restart()
        await self.say("two fox")
        await self.crash()
        self.assertEqual(await self.found("fox"), ["two fox", "one fox"])

    async def test_what_was_deleted_before_is_not_found(self) -> None:
        await self.say("one fox", "two fox")
        await self.store.rooms.log("general").delete(1)
        self.assertEqual(await self.found("fox"), ["two fox"])
        await self.store.rooms.log("general").delete(2)
        self.assertEqual(await self.found("fox"), [])
        await self.store.database.write(
            lambda cursor: cursor.execute("INSERT INTO found (found) VALUES ('integrity-check')") and None
        )

    async def test_ids_of_messages_that_are_gone_are_not_given_again(self) -> None:
        await self.say("one fox", room="other")
        await self.store.rooms.search("fox", ["other"], None, 10)
        await self.store.rooms.drop("other")
        await self.store._retention.sweep()
        await self.say("two fox")
        self.assertEqual(await self.found("fox"), ["two fox"])
