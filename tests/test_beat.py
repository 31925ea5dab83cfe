"""Tests of L{netplay.beat}."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netplay.beat import Beat
from netplay.totals import BOUNDS, Pace


class BeatTests(SynchronousTestCase):
    """Something that is to happen every 2 seconds."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(100)
        self.beats: list[float] = []
        self.takes = 0.0
        self.pace = Pace()
        self.beat = Beat(self.clock, 2.0, self.happen, "while beating", self.pace)

    def happen(self) -> None:
        self.beats.append(self.clock.seconds())
        self.clock.rightNow += self.takes

    def test_from_start_to_stop(self) -> None:
        self.clock.advance(10)
        self.beat.start()
        self.clock.pump([1.0] * 6)
        self.beat.stop()
        self.clock.pump([1.0] * 6)
        self.assertEqual(self.beats, [112, 114, 116])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_it_may_be_stopped_without_having_begun(self) -> None:
        self.beat.stop()

    def test_an_exception_is_logged_and_ends_nothing(self) -> None:
        beat = Beat(self.clock, 2.0, lambda: 1 / 0, "while beating")
        beat.start()
        self.clock.pump([2.0] * 3)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 3)

    def test_lateness_does_not_add_up_and_is_noted(self) -> None:
        self.beat.start()
        for seconds in (2.5, 1.5, 2.0):
            self.clock.advance(seconds)
        self.assertEqual(self.beats, [102.5, 104, 106])
        self.assertAlmostEqual(self.pace.late.sum, 0.5)

    def test_lateness_of_more_than_an_interval(self) -> None:
        self.beat.start()
        self.clock.advance(7)
        self.clock.advance(1)
        self.assertEqual(self.beats, [107, 108])
        self.assertAlmostEqual(self.pace.late.sum, 5)

    def test_how_long_it_takes_is_noted_and_what_it_runs_into_is_left_out(self) -> None:
        self.beat.start()
        self.takes = 3.0
        self.clock.advance(2)
        self.takes = 0.0
        self.clock.pump([1.0] * 3)
        self.assertEqual(self.beats, [102, 106, 108])
        self.assertEqual((self.pace.duration.sum, self.pace.late.sum), (3, 0))

    def test_with_an_interval_that_no_float_can_hold_nothing_seems_an_interval_late(self) -> None:
        Beat(self.clock, 0.1, lambda: None, "while beating", self.pace).start()
        self.clock.pump([0.01] * 10_000)
        self.assertApproximates(sum(self.pace.late.counts), 1000, 2)
        self.assertEqual(sum(self.pace.late.counts[BOUNDS.index(0.025) :]), 0)
