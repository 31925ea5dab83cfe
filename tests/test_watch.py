"""Tests of L{netplay.watch}."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netplay.sessions import Sessions
from netplay.watch import Watch
from tests.support import Parrot, advance, connect, make_core


class WatchTests(SynchronousTestCase):
    """One timer that looks after all connections."""

    def setUp(self) -> None:
        self.core = make_core()
        self.clock: Any = self.core.clock
        self.parrot = Parrot(self.core)

    def test_it_looks_once_a_second_while_it_runs(self) -> None:
        watch = Watch(self.clock, Sessions())
        looks: list[float] = []

        class Connection:
            def check(self, now: float) -> None:
                looks.append(now)

        watch.add(Connection())  # type: ignore[arg-type]
        watch.startService()
        self.assertEqual(looks, [])
        advance(self.clock, 3)
        self.assertEqual(looks, [1, 2, 3])
        watch.stopService()
        advance(self.clock, 3)
        self.assertEqual(looks, [1, 2, 3])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_it_may_be_stopped_without_having_run(self) -> None:
        Watch(self.clock, Sessions()).stopService()

    def test_draining_with_nobody_there_is_done_at_once(self) -> None:
        self.successResultOf(self.core.watch.drain("shutting_down", "bye"))

    def test_draining_tells_everyone_and_waits_for_the_last(self) -> None:
        links = [connect(self.parrot.factory, self.clock) for _ in range(2)]
        slow = connect(self.parrot.factory, self.clock)
        slow.stops_reading()
        done = self.core.watch.drain("shutting_down", "bye")
        for link in links:
            link.turns()
            error = link.heard()[-1]
            self.assertEqual((error["code"], error["fatal"]), ("shutting_down", True))
            self.assertTrue(link.lost)
        self.assertNoResult(done)
        slow.reads()
        self.successResultOf(done)

    def test_draining_takes_5_s_at_most(self) -> None:
        link = connect(self.parrot.factory, self.clock)
        link.stops_reading()
        done = self.core.watch.drain("shutting_down", "bye")
        self.clock.advance(4.9)
        self.assertNoResult(done)
        self.clock.advance(0.1)
        self.clock.advance(0)
        self.successResultOf(done)

    def test_trouble_with_one_does_not_keep_the_others_from_being_told(self) -> None:
        links = [connect(self.parrot.factory, self.clock) for _ in range(3)]

        def end(*_: Any, **__: Any) -> None:
            raise RuntimeError("boom")

        for link in links[:2]:
            link.protocol.end = end
        done = self.core.watch.drain("shutting_down", "bye")
        for link in links:
            link.turns()
        self.assertEqual(links[2].heard()[-1]["code"], "shutting_down")
        self.successResultOf(done)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)
