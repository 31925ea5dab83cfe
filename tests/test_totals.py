"""Tests of L{netplay.totals}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netplay.totals import Histogram, Totals, Traffic


class HistogramTests(SynchronousTestCase):
    """How often something took how long."""

    def test_each_counts_in_the_first_bucket_that_holds_it(self) -> None:
        histogram = Histogram((0.1, 1.0))
        for seconds in (0, 0.1, 0.11, 1, 1.1, 99):
            histogram.observe(seconds)
        self.assertEqual(histogram.counts, [2, 2, 2])
        self.assertAlmostEqual(histogram.sum, 101.31)

    def test_a_clock_that_was_set_back(self) -> None:
        histogram = Histogram((0.1,))
        histogram.observe(-5)
        self.assertEqual((histogram.counts, histogram.sum), ([1, 0], 0))


class TotalsTests(SynchronousTestCase):
    """The numbers of one daemon."""

    def test_what_went_over_connections_adds_up_by_port(self) -> None:
        totals = Totals()
        for _ in range(2):
            totals.gone("chat", Traffic(bytes_in=1, bytes_out=2, messages_in=3, merged=4))
        totals.gone("echo", Traffic(bytes_in=9))
        self.assertEqual(totals.past, {"chat": Traffic(2, 4, 6, 8), "echo": Traffic(9)})

    def test_a_pace_is_the_same_for_all_who_share_its_name(self) -> None:
        totals = Totals()
        self.assertIs(totals.pace("game"), totals.pace("game"))
        self.assertIsNot(totals.pace("game"), totals.pace("ticker"))
