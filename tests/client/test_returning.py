"""Tests of L{netplay.client.returning}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.client.returning import FIRST, MOST, full_jitter


class FullJitterTests(SynchronousTestCase):
    """How long to wait."""

    @given(st.integers(1, 10_000))
    def test_it_is_any_time_up_to_a_limit(self, attempt: int) -> None:
        limit = FIRST * 2 ** (attempt - 1) if attempt < 8 else MOST
        self.assertTrue(0 <= full_jitter(attempt) <= min(MOST, limit))

    def test_it_doubles_and_is_not_the_same_for_all(self) -> None:
        for attempt, most in ((1, FIRST), (2, 2 * FIRST), (4, 8 * FIRST), (50, MOST)):
            waits = sorted(full_jitter(attempt) for _ in range(400))
            self.assertLess(waits[0], most * 0.1)
            self.assertGreater(waits[-1], most * 0.9)
