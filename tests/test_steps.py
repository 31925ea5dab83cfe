"""Tests of L{netplay.steps}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netplay.steps import GRID, Steps
from netplay.ticklimit import TickOverrun
from netplay.totals import Pace
from tests.support import LogRecorder

seconds = st.integers(0, 40).map(lambda quarters: quarters / 4)


class StepsTests(SynchronousTestCase):
    """A step every 2 seconds, of which at most 3 are made in a row."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(100)
        self.made: list[float] = []
        self.takes: list[float] = []
        self.failures: list[Failure] = []
        self.pace = Pace()
        self.steps = self.make()

    def make(self, interval: float = 2.0) -> Steps:
        return Steps(self.clock, interval, self.step, self.failures.append, self.pace, bound=3, what="the game")

    def step(self) -> None:
        self.made.append(self.clock.seconds())
        self.clock.rightNow += self.takes.pop() if self.takes else 0.0

    def test_from_start_to_stop(self) -> None:
        self.clock.advance(10)
        self.steps.start()
        self.clock.pump([1.0] * 6)
        self.steps.stop()
        self.clock.pump([1.0] * 6)
        self.assertEqual(self.made, [112, 114, 116])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_several_are_made_when_the_reactor_wakes_up_for_one(self) -> None:
        others = [self.make() for _ in range(2)]
        for steps in (self.steps, *others):
            self.clock.advance(GRID / 4)
            steps.start()
        self.clock.advance(2)
        self.assertEqual(self.made, [])
        self.clock.advance(GRID / 4)
        self.assertEqual(self.made, [102 + GRID] * 3)

    def test_it_may_be_stopped_without_having_begun(self) -> None:
        self.steps.stop()

    def test_started_again_it_counts_from_there(self) -> None:
        self.steps.start()
        self.steps.stop()
        self.clock.advance(101)
        self.steps.start()
        self.clock.pump([1.0] * 4)
        self.assertEqual(self.made, [203, 205])

    def test_started_twice_is_started(self) -> None:
        self.steps.start()
        self.clock.advance(1)
        self.steps.start()
        self.clock.pump([1.0] * 3)
        self.assertEqual(self.made, [102, 104])

    def test_lateness_does_not_add_up_and_is_noted(self) -> None:
        self.steps.start()
        for seconds in (2.5, 1.75, 1.75):
            self.clock.advance(seconds)
        self.assertEqual(self.made, [102.5, 104.25, 106])
        self.assertAlmostEqual(self.pace.late.sum, 0.75)

    def test_what_is_late_is_caught_up_with(self) -> None:
        self.steps.start()
        self.clock.advance(7)
        self.clock.advance(1)
        self.assertEqual(self.made, [107, 107, 107, 108])
        self.assertEqual(self.steps.dropped, 0)
        self.assertAlmostEqual(self.pace.late.sum, 5)  # of those in a row, the first tells

    def test_what_is_too_late_is_dropped_and_counted(self) -> None:
        self.steps.start()
        self.clock.advance(11)
        self.clock.advance(1)
        self.assertEqual(self.made, [111, 111, 111, 112])
        self.assertEqual((self.steps.dropped, self.pace.dropped), (2, 2))

    def test_durations_are_noted(self) -> None:
        self.takes = [0.5, 0.75]
        self.steps.start()
        self.clock.advance(4)
        self.assertEqual((sum(self.pace.duration.counts), self.pace.duration.sum), (2, 1.25))

    def test_steps_that_take_too_long_leave_turns_for_others(self) -> None:
        self.takes = [3.0] * 20
        steps_between: list[int] = []

        def step() -> None:
            before = len(self.made)
            self.clock.callLater(0, lambda: steps_between.append(len(self.made) - before))
            self.step()

        steps = Steps(self.clock, 2.0, step, self.failures.append, bound=3)
        steps.start()
        self.clock.advance(2)
        self.assertEqual(max(steps_between), 3)
        self.assertEqual(len(self.made) + steps.dropped, (self.clock.seconds() - 100) // 2)

    def test_a_step_may_stop_it(self) -> None:
        steps = Steps(self.clock, 2.0, lambda: (self.step(), steps.stop()), self.failures.append)
        steps.start()
        self.clock.advance(5)
        self.assertEqual(self.made, [105])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_step_may_start_it_anew(self) -> None:
        steps = Steps(self.clock, 2.0, lambda: (self.step(), steps.stop(), steps.start()), self.failures.append)
        steps.start()
        self.clock.advance(5)
        self.clock.pump([1.0] * 2)
        self.assertEqual(self.made, [105, 107])
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_an_error_ends_it(self) -> None:
        for error in (ZeroDivisionError, TickOverrun):

            def fail(error: type[BaseException] = error) -> None:
                raise error

            Steps(self.clock, 2.0, fail, self.failures.append).start()
            self.clock.advance(5)
            self.assertEqual(self.failures.pop().type, error)
            self.assertEqual((self.failures, self.clock.getDelayedCalls()), ([], []))

    def test_who_is_told_of_an_error_may_start_it_anew(self) -> None:
        steps = Steps(self.clock, 2.0, lambda: 1 / 0, lambda failure: (self.failures.append(failure), steps.start()))
        steps.start()
        self.clock.pump([2.0] * 3)
        self.assertEqual(len(self.failures), 3)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_the_end_of_the_process_is_no_error_of_a_step(self) -> None:
        for end in (KeyboardInterrupt, SystemExit):

            def interrupted(end: type[BaseException] = end) -> None:
                raise end

            Steps(self.clock, 2.0, interrupted, self.failures.append).start()
            with self.assertRaises(end):
                self.clock.advance(2)
        self.assertEqual(self.failures, [])

    def test_the_log_hears_of_dropped_steps_once_in_ten_seconds(self) -> None:
        log = LogRecorder(self)
        self.steps.start()
        self.clock.advance(12)  # 3 too many
        self.clock.advance(8)  # 1 too many
        self.assertEqual(log.texts(), ["the game: too slow; steps left out: 3"])
        self.clock.advance(2)
        self.assertEqual(log.texts()[1:], ["the game: too slow; steps left out: 1"])
        self.clock.advance(4)
        self.clock.advance(4)
        self.clock.advance(4)
        self.assertEqual(len(log.texts()), 2)
        self.assertEqual([event["dropped"] for event in log.events if "dropped" in event], [3, 1])

    def test_an_interval_that_no_float_can_hold_in_a_time_since_1970(self) -> None:
        self.clock.advance(1.7e9)
        self.make(0.05).start()
        self.clock.pump([0.01] * 5_000)
        self.assertApproximates(len(self.made), 1000, 1)
        self.assertEqual(sum(self.pace.late.counts), len(self.made))

    @given(st.lists(seconds, max_size=30), st.lists(seconds, max_size=30))
    @settings(max_examples=100, deadline=None)
    def test_for_each_interval_a_step_is_made_or_dropped(self, waits: list[float], takes: list[float]) -> None:
        self.setUp()
        self.takes = takes
        self.steps.start()
        for wait in waits:
            self.clock.advance(wait)
            self.assertEqual(len(self.made) + self.steps.dropped, (self.clock.seconds() - 100) // 2)
