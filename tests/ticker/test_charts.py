"""Tests of L{netplay.ticker.charts}: memory and store are one history."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby, pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

import netplay.ticker.charts
from netplay.errors import Refused
from netplay.store.memory.tables import MemoryCandles
from netplay.ticker.charts import Charts
from netplay.ticker.market import Market

Move = tuple[int, float]

MINUTE = 60_000


def charts(before: Iterable[Move], moves: Iterable[Move], keep: int = 100) -> Charts:
    """Those of a daemon that began with the first of these moves, and of one that had those before."""
    kept = MemoryCandles()
    first, *later = moves
    for at, price in [*before, first, *later]:
        kept.add([("AAPL", price)], at)
    market = Market({"AAPL": "🍎"}, {"AAPL": first[1]}, first[0], keep)
    for at, price in later:
        market.apply({"AAPL": price}, at)
    return Charts(market, kept)


def folded(moves: Iterable[Move], seconds: int) -> list[Any]:
    """The candles of all that happened."""
    groups = groupby(moves, lambda move: move[0] // (seconds * 1000) * seconds * 1000)
    found = ((at, [price for _, price in group]) for at, group in groups)
    return [(at, prices[0], max(prices), min(prices), prices[-1]) for at, prices in found]


class ChartsTestCase(SynchronousTestCase):
    """Before the daemon began there were three minutes of prices; in it there is one more."""

    before = [(10_000, 5.0), (70_000, 6.0), (71_000, 4.0), (130_000, 7.0)]
    moves = [(150_000, 8.0), (185_000, 9.0), (186_500, 2.0)]

    def setUp(self) -> None:
        self.charts = charts(self.before, self.moves)

    def candles(self, *args: Any, **kwargs: Any) -> tuple[list[Any], bool]:
        return self.successResultOf(Deferred.fromCoroutine(self.charts.candles("AAPL", *args, **kwargs)))

    def points(self, *args: Any, **kwargs: Any) -> tuple[list[Any], bool]:
        return self.successResultOf(Deferred.fromCoroutine(self.charts.points("AAPL", *args, **kwargs)))


class CandlesTests(ChartsTestCase):
    """L{Charts.candles}."""

    def test_the_candle_in_which_memory_begins_is_one(self) -> None:
        self.assertEqual(
            self.candles(60, 10),
            (
                [
                    (0, 5.0, 5.0, 5.0, 5.0),
                    (1 * MINUTE, 6.0, 6.0, 4.0, 4.0),
                    (2 * MINUTE, 7.0, 8.0, 7.0, 8.0),
                    (3 * MINUTE, 9.0, 9.0, 2.0, 2.0),
                ],
                False,
            ),
        )

    def test_the_newest(self) -> None:
        candles, more = self.candles(60, 3)
        self.assertEqual(([candle[0] for candle in candles], more), ([1 * MINUTE, 2 * MINUTE, 3 * MINUTE], True))

    def test_the_oldest_that_start_after(self) -> None:
        candles, more = self.candles(60, 1, since=0)
        self.assertEqual((candles, more), ([(1 * MINUTE, 6.0, 6.0, 4.0, 4.0)], True))

    def test_what_memory_has_is_not_asked_of_the_store(self) -> None:
        self.charts._kept = None  # type: ignore[assignment]
        self.assertEqual(self.candles(60, 1), ([(3 * MINUTE, 9.0, 9.0, 2.0, 2.0)], True))
        self.assertEqual(self.candles(60, 9, since=2 * MINUTE), ([(3 * MINUTE, 9.0, 9.0, 2.0, 2.0)], False))

    def test_one_that_would_take_too_many_of_the_store(self) -> None:
        failure = self.failureResultOf(Deferred.fromCoroutine(self.charts.candles("AAPL", 86_399, 10)), Refused)
        self.assertEqual((failure.value.code, failure.value.field), ("bad_message", "$.candles"))

    def test_a_page_ends_where_it_would_cost_too_much_and_has_whole_candles_only(self) -> None:
        self.patch(netplay.ticker.charts, "MOST_READ", 3)
        prices = [(second * 1000, float(second)) for second in range(11)]
        self.charts = charts(prices[:10], prices[10:])
        self.assertEqual(self.candles(3, 9), ([(9000, 9.0, 10.0, 9.0, 10.0)], True))
        self.assertEqual(self.candles(3, 9, since=0), ([(3000, 3.0, 5.0, 3.0, 5.0)], True))
        self.charts = charts(prices[:7], prices[7:9])
        self.assertEqual(self.candles(3, 9, since=0), ([(3000, 3.0, 5.0, 3.0, 5.0)], True))

    def test_a_leap_year_is_not_too_long(self) -> None:
        self.assertEqual(self.candles(366 * 86_400, 10), ([(0, 5.0, 9.0, 2.0, 2.0)], False))

    def test_no_such_symbol(self) -> None:
        failure = self.failureResultOf(Deferred.fromCoroutine(self.charts.candles("NOPE", 1, 1)), Refused)
        self.assertEqual(failure.value.code, "no_such_symbol")


class PointsTests(ChartsTestCase):
    """L{Charts.points}."""

    def test_those_of_the_store_are_the_last_of_their_seconds(self) -> None:
        self.charts = charts([(10_100, 5.0), (10_900, 6.0)], [(12_300, 7.0), (12_400, 8.0)])
        self.assertEqual(self.points(10), ([(10_000, 6.0), (12_300, 7.0), (12_400, 8.0)], False))

    def test_what_memory_has_is_not_asked_of_the_store(self) -> None:
        self.charts._kept = None  # type: ignore[assignment]
        self.assertEqual(self.points(2), ([(185_000, 9.0), (186_500, 2.0)], True))
        self.assertEqual(self.points(9, since=150_000), ([(185_000, 9.0), (186_500, 2.0)], False))


MOVES = st.lists(st.tuples(st.integers(0, 40_000), st.integers(1, 9).map(float)), min_size=1, max_size=60)


def changes(moves: list[Move], cut: int) -> tuple[list[Move], list[Move]]:
    """At rising times; each price differs from the one before, but a daemon begins with what it begins with."""
    rising = list(dict(sorted(moves)).items())
    cut = min(cut, len(rising) - 1)
    before, after = rising[:cut], rising[cut:]
    return before, [after[0], *(new for old, new in pairwise(after) if new[1] != old[1])]


class AnyTests(SynchronousTestCase):
    """Whatever happened, and whatever is asked."""

    def all(self, ask: Any, limit: int) -> list[Any]:
        """Page after page of it."""
        seen: list[Any] = []
        for _ in range(100):
            since = seen[-1][0] if seen else -10_000_000
            page, more = self.successResultOf(Deferred.fromCoroutine(ask(limit, since)))
            seen += page
            if not more:
                return seen
        raise AssertionError("there is always more")

    @settings(max_examples=200)
    @given(
        MOVES, st.integers(0, 60), st.integers(1, 30), st.sampled_from([1, 2, 7, 60, 120, 3600]), st.integers(1, 9),
        st.sampled_from([7, 10_000]),
    )  # fmt: skip
    @example([(0, 1.0), (1000, 2.0), (2000, 3.0)], 1, 1, 7, 1, 7)
    def test_candles(self, moves: list[Move], cut: int, keep: int, seconds: int, limit: int, read: int) -> None:
        self.patch(netplay.ticker.charts, "MOST_READ", read)
        before, after = changes(moves, cut)
        there = charts(before, after, keep)
        everything = folded([*before, *after], seconds)
        self.assertEqual(self.all(lambda *a: there.candles("AAPL", seconds, *a), limit), everything)
        newest, more = self.successResultOf(Deferred.fromCoroutine(there.candles("AAPL", seconds, limit)))
        self.assertEqual(newest, everything[-len(newest) :])
        self.assertEqual(more, len(newest) < len(everything))

    @settings(max_examples=100)
    @given(MOVES, st.integers(0, 60), st.integers(1, 30), st.integers(1, 9))
    def test_points(self, moves: list[Move], cut: int, keep: int, limit: int) -> None:
        before, after = changes(moves, cut)
        there = charts(before, after, keep)
        own = after[-keep:]
        begins = own[0][0] // 1000 * 1000
        older = [(candle[0], candle[4]) for candle in folded([*before, *after], 1) if candle[0] < begins]
        everything = [*older, *own]
        self.assertEqual(self.all(lambda *a: there.points("AAPL", *a), limit), everything)
        newest = self.successResultOf(Deferred.fromCoroutine(there.points("AAPL", limit)))
        self.assertEqual(newest, (everything[-limit:], limit < len(everything)))
