"""Tests of L{netplay.store.memory}."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from netplay.messages import Position
from netplay.store.memory import MemoryStore, MemoryStorePlugin
from netplay.store.memory.rooms import KEPT_MESSAGES, MemoryLog
from tests.support import make_core


@dataclass
class Body:
    """A message."""

    text: str
    seq: int = 0


class LogCase(SynchronousTestCase):
    """A log with so many messages."""

    def log(self, n: int) -> MemoryLog:
        log = MemoryLog("e1")
        for i in range(n):
            log.append(Body(f"m{i + 1}"))
        return log

    def page(self, log: MemoryLog, *args: Any, **kwargs: Any) -> list[int]:
        return [body.seq for body in self.successResultOf(log.page(*args, **kwargs))]


class LogTests(LogCase):
    """What was said in one room."""

    def test_numbers_count_up_by_one_from_1(self) -> None:
        log = MemoryLog("e1")
        self.assertEqual(log.seq, 0)
        bodies = [Body("a"), Body("b")]
        for body in bodies:
            log.append(body)
        self.assertEqual([body.seq for body in bodies], [1, 2])
        self.assertEqual(log.seq, 2)

    def test_the_newest_hundred_are_kept(self) -> None:
        log = self.log(KEPT_MESSAGES + 50)
        self.assertEqual(self.page(log), list(range(51, 151)))

    def test_the_newest_page_comes_oldest_first(self) -> None:
        self.assertEqual(self.page(self.log(10), limit=3), [8, 9, 10])

    def test_the_page_before_a_number(self) -> None:
        self.assertEqual(self.page(self.log(10), before=8, limit=3), [5, 6, 7])

    def test_the_page_after_a_number(self) -> None:
        self.assertEqual(self.page(self.log(10), after=4, limit=3), [5, 6, 7])

    def test_between_two_numbers(self) -> None:
        self.assertEqual(self.page(self.log(10), before=8, after=5, limit=10), [6, 7])

    def test_after_what_is_gone_it_begins_with_the_oldest(self) -> None:
        self.assertEqual(self.page(self.log(150), after=3, limit=2), [51, 52])

    def test_where_nothing_is_there_is_nothing(self) -> None:
        log = self.log(150)
        self.assertEqual(self.page(log, before=51), [])
        self.assertEqual(self.page(log, before=0), [])
        self.assertEqual(self.page(log, after=150), [])
        self.assertEqual(self.page(log, after=10_000), [])
        self.assertEqual(self.page(MemoryLog("e1")), [])

    @given(
        st.integers(0, 250),
        st.none() | st.integers(0, 300),
        st.none() | st.integers(0, 300),
        st.integers(1, 120),
    )
    def test_any_page(self, n: int, before: int | None, after: int | None, limit: int) -> None:
        kept = range(max(1, n - KEPT_MESSAGES + 1), n + 1)
        wanted = [s for s in kept if (before is None or s < before) and (after is None or s > after)]
        wanted = wanted[-limit:] if after is None else wanted[:limit]
        self.assertEqual(self.page(self.log(n), before=before, after=after, limit=limit), wanted)


class RecoverTests(LogCase):
    """Whether everything after a position is still there."""

    def recovers(self, n: int, seq: int, epoch: str = "e1") -> bool:
        return self.log(n).recovers(Position(epoch, seq))

    def test_all_or_nothing_was_missed(self) -> None:
        self.assertTrue(self.recovers(10, 0))
        self.assertTrue(self.recovers(10, 10))

    def test_the_oldest_that_is_kept_is_the_next(self) -> None:
        self.assertTrue(self.recovers(150, 50))
        self.assertFalse(self.recovers(150, 49))

    def test_what_was_never_said(self) -> None:
        self.assertFalse(self.recovers(10, 11))

    def test_another_epoch(self) -> None:
        self.assertFalse(self.recovers(10, 5, "e2"))


class StoreTests(SynchronousTestCase):
    """Logs by room."""

    def setUp(self) -> None:
        self.store = MemoryStore()

    def test_a_room_has_one_log(self) -> None:
        self.assertIs(self.store.rooms.log("a"), self.store.rooms.log("a"))
        self.assertIsNot(self.store.rooms.log("a"), self.store.rooms.log("b"))

    def test_a_room_that_is_made_again_is_another(self) -> None:
        """Its numbers start again, so those of the first count no more."""
        before = self.store.rooms.log("a")
        before.append(Body("x"))
        self.store.rooms.drop("a")
        after = self.store.rooms.log("a")
        self.assertEqual(after.seq, 0)
        self.assertNotEqual(after.epoch, before.epoch)
        after.append(Body("y"))
        self.assertFalse(after.recovers(Position(before.epoch, 1)))

    def test_others_keep_their_epoch(self) -> None:
        epoch = self.store.rooms.log("b").epoch
        self.store.rooms.log("a")
        self.store.rooms.drop("a")
        self.store.rooms.drop("never was")
        self.assertEqual(self.store.rooms.log("b").epoch, epoch)

    def test_every_run_has_another_epoch(self) -> None:
        self.assertNotEqual(self.store.rooms.log("a").epoch, MemoryStore().rooms.log("a").epoch)


class PluginTests(SynchronousTestCase):
    """C{--store memory:}"""

    def test_it_makes_a_store(self) -> None:
        self.assertIsInstance(MemoryStorePlugin().build("", make_core()), MemoryStore)

    def test_it_takes_no_argument(self) -> None:
        error = self.assertRaises(UsageError, MemoryStorePlugin().build, "x", make_core())
        self.assertIn("use --store memory:", str(error))
