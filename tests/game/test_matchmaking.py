"""Tests of L{netplay.game.matchmaking}."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.game.matchmaking import Queue


def queue_of(size: int, *ratings: float, least: int | None = None) -> Queue[int]:
    """Those with these ratings came one a second, numbered from 0."""
    queue: Queue[int] = Queue(size, window=100, widening=25, least=least, patience=30)
    for i, rating in enumerate(ratings):
        queue.add(i, rating, i)
    return queue


class QueueTests(SynchronousTestCase):
    """Windows of 100 points that widen by 25 each second; after 30 seconds fewer are enough."""

    def test_those_close_to_each_other_play_together(self) -> None:
        queue = queue_of(2, 1000, 2000, 1010, 2010)
        self.assertEqual(queue.matches(4), [[0, 2], [1, 3]])
        self.assertEqual(len(queue), 0)

    def test_those_who_are_too_far_apart_wait_for_their_windows(self) -> None:
        queue = queue_of(2, 1000, 1200)
        self.assertEqual(queue.matches(4.9), [])  # the second has waited for 3.9 s
        self.assertEqual(queue.matches(5), [[0, 1]])

    def test_a_wide_window_does_not_take_in_who_has_a_narrow_one(self) -> None:
        queue = queue_of(2, 1000)
        queue.add(1, 1101, 60)
        self.assertEqual(queue.matches(60), [])

    def test_no_two_of_a_group_are_too_far_apart(self) -> None:
        queue = queue_of(3, 1000, 1300, 1150)
        self.assertEqual(queue.matches(9.9), [])
        self.assertEqual(queue.matches(10), [[0, 1, 2]])

    def test_the_longest_waiting_come_first(self) -> None:
        queue = queue_of(2, *[1000] * 5)
        self.assertEqual(queue.matches(5), [[0, 1], [2, 3]])
        self.assertIn(4, queue)

    def test_who_waits_longest_goes_before_who_is_closest(self) -> None:
        queue = queue_of(2, 1190, 1020)
        queue.add(2, 1100, 2)
        self.assertEqual(queue.matches(2), [[0, 2]])

    def test_fewer_are_enough_for_the_patient(self) -> None:
        queue = queue_of(4, 1000, 1000, 1000, least=2)
        self.assertEqual(queue.matches(29), [])
        self.assertEqual(queue.matches(30), [[0, 1, 2]])

    def test_a_smaller_group_has_someone_who_was_patient(self) -> None:
        queue = queue_of(3, 1000, 5000, 5000, least=2)
        self.assertEqual(queue.matches(30), [])
        self.assertEqual(queue.matches(31), [[1, 2]])

    def test_who_has_gone_is_in_no_group(self) -> None:
        queue = queue_of(2, 1000, 1000)
        queue.remove(0)
        queue.remove(0)
        self.assertEqual(queue.matches(9), [])
        self.assertEqual(len(queue), 1)

    def test_who_waits_already_keeps_the_place(self) -> None:
        queue = queue_of(2, 1000, 1000, 1000)
        queue.add(0, 3000, 5)
        self.assertEqual(queue.matches(5), [[0, 1]])

    def test_only_so_many_may_wait(self) -> None:
        queue: Queue[str] = Queue(2, most=1)
        queue.add("ann", 1000, 0)
        queue.add("ann", 1000, 0)
        with self.assertRaises(Refused) as caught:
            queue.add("bob", 1000, 0)
        self.assertEqual(caught.exception.code, "too_many")

    def test_when_to_look_again(self) -> None:
        queue = queue_of(3, 1000, least=2)
        self.assertIsNone(queue.next_look(1))
        queue.add(1, 1000, 10)
        self.assertEqual(queue.next_look(11), 19)  # until 0 has waited for 30 s
        self.assertEqual(queue.next_look(30), 1)
        queue.add(2, 5000, 12)
        self.assertEqual(queue.next_look(12), 1)

    def test_nobody_is_looked_for_who_would_have_to_come(self) -> None:
        self.assertIsNone(queue_of(3, 1000, 1000).next_look(99))


coming = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 40)), max_size=14)


class AnyQueueTests(SynchronousTestCase):
    """What holds whoever waits."""

    def setUp(self) -> None:
        self.queue: Queue[int] = Queue(3, window=100, widening=5, least=2, patience=30)

    def look(self, coming: list[tuple[int, int]]) -> list[list[int]]:
        """At 40, with some who came before, earliest first."""
        self.setUp()
        self.coming = sorted(coming, key=lambda who: who[1])
        for i, (rating, since) in enumerate(self.coming):
            self.queue.add(i, rating, since)
        return self.queue.matches(40)

    def fits(self, group: tuple[int, ...]) -> bool:
        """Straight from the rule."""
        ratings, sinces = zip(*(self.coming[i] for i in group), strict=True)
        windows = [100 + 5 * (40 - since) for since in sinces]
        close = all(abs(a - b) <= window for a in ratings for b in ratings for window in windows)
        return close and (len(group) == 3 or (len(group) == 2 and min(sinces) <= 10))

    @given(coming)
    @settings(max_examples=100, deadline=None)
    def test_groups_fit_and_nobody_is_in_two(self, coming: list[tuple[int, int]]) -> None:
        groups = self.look(coming)
        members = [i for group in groups for i in group]
        self.assertEqual(len(members), len(set(members)))
        for group in groups:
            self.assertTrue(self.fits(tuple(group)), group)
            self.assertEqual(group, sorted(group))
        self.assertEqual({i for i in range(len(coming)) if i in self.queue}, set(range(len(coming))) - set(members))

    @given(coming)
    @settings(max_examples=100, deadline=None)
    def test_no_group_is_left(self, coming: list[tuple[int, int]]) -> None:
        self.look(coming)
        left = [i for i in range(len(coming)) if i in self.queue]
        for size in (2, 3):
            self.assertEqual([group for group in combinations(left, size) if self.fits(group)], [])

    @given(coming)
    @settings(max_examples=100, deadline=None)
    def test_nobody_is_left_who_could_play_instead_of_the_last_to_come(self, coming: list[tuple[int, int]]) -> None:
        groups = self.look(coming)
        left = [i for i in range(len(coming)) if i in self.queue]
        for group in groups:
            for i in left:
                if i < group[-1] and len(group) == 3:
                    self.assertFalse(self.fits((*group[:-1], i)), (group, i))

    @given(coming)
    @settings(max_examples=100, deadline=None)
    def test_everyone_plays_in_the_end(self, coming: list[tuple[int, int]]) -> None:
        self.look(coming)
        now = 40.0
        while (wait := self.queue.next_look(now)) is not None:
            now += wait
            self.queue.matches(now)
            self.assertLess(now, 200)
        self.assertLess(len(self.queue), 2)
