"""Tests of L{netplay.keeping}."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.keeping import Keeping
from tests.support import LogRecorder, advance


class KeepingTests(SynchronousTestCase):
    """What nobody waits for."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.keeping = Keeping(self.clock)
        self.log = LogRecorder(self)
        self.given: list[tuple[int, Deferred[None]]] = []

    def change(self, value: int) -> Deferred[None]:
        self.given.append((value, Deferred()))
        return self.given[-1][1]

    def full(self, value: int) -> Deferred[None]:
        raise Refused("store_busy", "too much waits")

    def test_it_is_handed_on(self) -> None:
        self.assertTrue(self.keeping.keep("prices", self.change, 7))
        [(value, kept)] = self.given
        kept.callback(None)
        self.assertEqual((value, self.log.texts()), (7, []))

    def test_what_the_store_does_not_take_is_counted_and_said_every_ten_seconds(self) -> None:
        for _ in range(15):
            self.assertFalse(self.keeping.keep("prices", self.full, 7))
            advance(self.clock, 1)
        self.assertEqual(
            self.log.texts(),
            ["not kept, the store is busy: 1 x prices", "not kept, the store is busy: 9 x prices"],
        )
        self.assertEqual(self.keeping.unkept.total, {"prices": 15})

    def test_so_is_what_it_cannot_keep_for_now(self) -> None:
        self.keeping.keep("scores", self.change, 7)
        self.given[0][1].errback(Refused("store_busy", "the disk is full"))
        self.assertEqual(self.log.texts(), ["not kept, the store is busy: 1 x scores"])

    def test_a_mistake_of_ours_is_in_the_log(self) -> None:
        self.keeping.keep("scores", self.change, 7)
        self.given[0][1].errback(ZeroDivisionError())
        self.assertEqual(self.log.texts(), ["while scores were kept"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
