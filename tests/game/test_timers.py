"""Tests of L{netplay.game.timers}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netplay.game.timers import MOST_TIMERS, Timers


class TimerTests(SynchronousTestCase):
    """What is due when."""

    def setUp(self) -> None:
        self.timers = Timers()

    def taken(self, tick: int, most: int = 10) -> list[str]:
        """The names of what is due at a tick."""
        found = []
        while len(found) < most and (timer := self.timers.take(tick)) is not None:
            found.append(timer.method)
        return found

    def test_nothing_is_due_before_its_time(self) -> None:
        self.timers.add(5, "a", ())
        self.assertEqual(self.timers.next_due, 5)
        self.assertEqual([self.taken(4), self.taken(5), self.taken(6)], [[], ["a"], []])
        self.assertIsNone(self.timers.next_due)

    def test_the_earlier_first_then_the_earlier_made(self) -> None:
        for due, name in ((7, "c"), (3, "a"), (7, "d"), (5, "b"), (7, "e")):
            self.timers.add(due, name, ())
        self.assertEqual(self.taken(9), ["a", "b", "c", "d", "e"])

    def test_arguments_need_not_compare(self) -> None:
        for argument in (object(), object()):
            self.timers.add(1, "a", (argument,))
        self.assertEqual(self.taken(1), ["a", "a"])

    def test_again_and_again_at_multiples_even_if_taken_late(self) -> None:
        self.timers.add(2, "a", (), every=2)
        self.assertEqual(self.taken(7), ["a", "a", "a"])
        self.assertEqual(self.timers.next_due, 8)

    def test_what_is_cancelled_does_not_happen(self) -> None:
        first, second = self.timers.add(1, "a", ()), self.timers.add(2, "b", (), every=1)
        first.live = False
        self.assertEqual(self.timers.next_due, 2)
        self.assertEqual(self.taken(2), ["b"])
        second.live = False
        self.assertEqual(self.taken(9), [])

    def test_there_is_an_end_to_how_many_wait(self) -> None:
        timers = [self.timers.add(9, "a", ()) for _ in range(MOST_TIMERS)]
        self.assertRaises(RuntimeError, self.timers.add, 9, "b", ())
        timers[0].live = False
        self.timers.add(8, "b", ())
        self.assertEqual(self.taken(8), ["b"])
