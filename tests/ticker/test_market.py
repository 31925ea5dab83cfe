"""L{netplay.ticker.market}: what a beat changes, what is shown of a price, and what is kept of it."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.ticker.market import Market, Quote, shown

SYMBOLS = {"AAPL": "🍎", "MSFT": "💻"}
FIRST = {"AAPL": 150.0, "MSFT": 300.0}
MINUTE = 60_000


def market(keep: int = 3600, **prices: float) -> Market:
    """A market that opened at second 1."""
    return Market(SYMBOLS, FIRST | prices, 1000, keep)


def apple(*prices: float, keep: int = 3600) -> Market:
    """A market in which one symbol had these prices, one a second from second 1 on."""
    it = market(keep, AAPL=prices[0])
    for second, price in enumerate(prices[1:], 2):
        it.apply({"AAPL": price}, second * 1000)
    return it


class ShownTests(SynchronousTestCase):
    """How a price is rounded."""

    def test_two_decimals(self) -> None:
        self.assertEqual(shown(150.12678), 150.13)

    def test_pennies_keep_six_significant_digits(self) -> None:
        """Else a coin at 0.0000123 would be shown as 0 and never move."""
        self.assertEqual(shown(0.0000123456789), 0.0000123457)

    def test_falls_keep_six_significant_digits_too(self) -> None:
        self.assertEqual(shown(-0.0000123456789), -0.0000123457)


class OpeningTests(SynchronousTestCase):
    """A market before its first beat."""

    def test_quotes_the_first_prices(self) -> None:
        self.assertEqual(market().quote("AAPL"), Quote("AAPL", "🍎", 150.0, 0.0))

    def test_history_begins_with_the_first_price(self) -> None:
        self.assertEqual(market().points("MSFT", 10), [(1000, 300.0)])

    def test_names_its_symbols(self) -> None:
        self.assertEqual(market().symbols, SYMBOLS)

    def test_a_symbol_without_a_price(self) -> None:
        with self.assertRaisesRegex(ValueError, "MSFT needs a first price"):
            Market(SYMBOLS, {"AAPL": 150.0}, 0)

    def test_a_symbol_with_a_price_that_is_none(self) -> None:
        with self.assertRaisesRegex(ValueError, "MSFT needs a first price"):
            market(MSFT=math.nan)

    def test_unknown_symbol(self) -> None:
        """Whatever is asked about it, the same error says which field was wrong."""
        it = market()
        for ask in (
            lambda: it.quote("NOPE"),
            lambda: it.points("NOPE", 1),
            lambda: it.candles("NOPE", 60, 1),
        ):
            refused = self.assertRaises(Refused, ask)
            self.assertEqual((refused.code, refused.field), ("no_such_symbol", "$.symbol"))
            self.assertIn("'NOPE'", refused.message)


class BeatTests(SynchronousTestCase):
    """L{Market.apply}."""

    def test_tells_what_changed(self) -> None:
        self.assertEqual(market().apply({"AAPL": 151.5}, 2000), [Quote("AAPL", "🍎", 151.5, 1.5)])

    def test_changed_quotes_are_looked_up_from_then_on(self) -> None:
        it = market()
        [quote] = it.apply({"AAPL": 151.5}, 2000)
        self.assertEqual(it.quote("AAPL"), quote)

    def test_quotes_given_out_stay_as_they_were(self) -> None:
        """Someone who lags may still hold the quote of an older beat."""
        it = market()
        [quote] = it.apply({"AAPL": 151.0}, 2000)
        it.apply({"AAPL": 152.0}, 3000)
        self.assertEqual(quote.price, 151.0)

    def test_same_price_is_no_change(self) -> None:
        self.assertEqual(market().apply({"AAPL": 150.0}, 2000), [])

    def test_a_difference_that_is_not_shown_is_no_change(self) -> None:
        self.assertEqual(market().apply({"AAPL": 150.001}, 2000), [])

    def test_change_is_against_the_beat_before(self) -> None:
        it = market()
        it.apply({"AAPL": 152.0}, 2000)
        self.assertEqual(it.apply({"AAPL": 151.0}, 3000)[0].change, -1.0)

    def test_change_is_the_difference_of_what_is_shown(self) -> None:
        """150.004 is shown as 150.0 and 150.016 as 150.02: whoever adds changes up gets the price."""
        it = market(AAPL=150.004)
        self.assertEqual(it.apply({"AAPL": 150.016}, 2000)[0].change, 0.02)

    def test_change_of_a_penny_price(self) -> None:
        it = market(AAPL=0.000012)
        self.assertEqual(it.apply({"AAPL": 0.000013}, 2000)[0].change, 0.000001)

    def test_change_of_a_price_that_passes_one(self) -> None:
        """Rounded like the smaller price: a change that shows in the price is never 0."""
        it = market(AAPL=0.999999)
        self.assertEqual(it.apply({"AAPL": 1.0}, 2000)[0].change, 0.000001)

    def test_unknown_symbols_are_ignored(self) -> None:
        it = market()
        self.assertEqual([quote.symbol for quote in it.apply({"NOPE": 1.0, "AAPL": 1.0}, 2000)], ["AAPL"])
        self.assertNotIn("NOPE", it.symbols)

    def test_prices_that_are_none_are_ignored(self) -> None:
        it = market()
        for price in (0.0, -1.0, math.nan, math.inf, -math.inf, 10**400):
            self.assertEqual(it.apply({"AAPL": price}, 2000), [], price)
        self.assertEqual(it.quote("AAPL").price, 150.0)

    def test_whole_prices_become_floats(self) -> None:
        """MessagePack and some clients tell 151 from 151.0."""
        [quote] = market().apply({"AAPL": 151}, 2000)
        self.assertIsInstance(quote.price, float)
        self.assertIsInstance(quote.change, float)

    @given(st.lists(st.floats() | st.floats(0.000001, 3) | st.integers()))
    def test_any_numbers(self, prices: list[float]) -> None:
        """What is quoted and kept is finite, above 0, bounded, and never a change of 0 or -0.0."""
        it = market(keep=8)
        for at, price in enumerate(prices):
            for quote in it.apply({"AAPL": price}, at):
                self.assertTrue(math.isfinite(quote.change))
                self.assertNotEqual(quote.change, 0)
        points = it.points("AAPL", 1000)
        self.assertLessEqual(len(points), 8)
        self.assertTrue(all(0 < price < math.inf for _, price in points), points)
        self.assertTrue(all(a < b for (a, _), (b, _) in pairwise(points)), points)


class PointsTests(SynchronousTestCase):
    """L{Market.points}."""

    def test_only_changes_are_kept(self) -> None:
        it = market()
        it.apply({"AAPL": 151.0}, 2000)
        it.apply({"AAPL": 151.0, "MSFT": 301.0}, 3000)
        self.assertEqual(it.points("AAPL", 10), [(1000, 150.0), (2000, 151.0)])
        self.assertEqual(it.points("MSFT", 10), [(1000, 300.0), (3000, 301.0)])

    def test_the_newest(self) -> None:
        self.assertEqual(apple(1.0, 2.0, 3.0, 4.0).points("AAPL", 2), [(3000, 3.0), (4000, 4.0)])

    def test_the_oldest_after(self) -> None:
        it = apple(1.0, 2.0, 3.0, 4.0)
        self.assertEqual(it.points("AAPL", 2, since=1000), [(2000, 2.0), (3000, 3.0)])

    def test_nothing_after(self) -> None:
        self.assertEqual(apple(1.0, 2.0).points("AAPL", 2, since=2000), [])

    def test_only_the_newest_are_kept(self) -> None:
        it = apple(*map(float, range(1, 101)), keep=3)
        self.assertEqual(it.points("AAPL", 100), [(98_000, 98.0), (99_000, 99.0), (100_000, 100.0)])

    def test_what_is_over_is_out_of_reach_at_once(self) -> None:
        """Memory is given back now and then only; that does not show."""
        for length in range(1, 40):
            it = apple(*map(float, range(1, length + 1)), keep=12)
            self.assertEqual(len(it.points("AAPL", 100, since=0)), min(length, 12))

    def test_memory_is_given_back(self) -> None:
        history = apple(*map(float, range(1, 1001)), keep=100)._histories["AAPL"]
        self.assertLessEqual(len(history._times), 125)
        self.assertEqual(len(history._prices), len(history._times))

    def test_a_clock_set_back(self) -> None:
        """Times go on rising, so nobody who asks for what came after a point misses one."""
        it = market()
        it.apply({"AAPL": 151.0}, 500)
        it.apply({"AAPL": 152.0}, 500)
        self.assertEqual(it.points("AAPL", 10, since=1000), [(1001, 151.0), (1002, 152.0)])

    @given(st.lists(st.integers(0, 20_000), max_size=60), st.integers(1, 10))
    def test_pages(self, times: list[int], limit: int) -> None:
        """Page after page, each asked for with the time of the last point, is the whole history."""
        it = market()
        for number, at in enumerate(sorted(times)):
            it.apply({"AAPL": 200.0 + number}, at)
        everything = it.points("AAPL", 1000)
        seen = page = it.points("AAPL", limit, since=0)
        while page:
            page = it.points("AAPL", limit, since=page[-1][0])
            seen = seen + page
        self.assertEqual(seen, everything)


class CandlesTests(SynchronousTestCase):
    """L{Market.candles}."""

    def three_minutes(self) -> Market:
        """Prices in the minutes 0, 1 and 3."""
        it = market()
        for at, price in (
            (30_000, 155.0),
            (59_999, 152.0),
            (60_000, 160.0),
            (61_000, 140.0),
            (62_000, 145.0),
            (200_000, 146.0),
        ):
            it.apply({"AAPL": price}, at)
        return it

    def test_open_high_low_close(self) -> None:
        """A minute without a change has no candle."""
        self.assertEqual(
            self.three_minutes().candles("AAPL", 60, 10),
            [
                (0, 150.0, 155.0, 150.0, 152.0),
                (1 * MINUTE, 160.0, 160.0, 140.0, 145.0),
                (3 * MINUTE, 146.0, 146.0, 146.0, 146.0),
            ],
        )

    def test_the_newest(self) -> None:
        starts = [candle[0] for candle in self.three_minutes().candles("AAPL", 60, 2)]
        self.assertEqual(starts, [1 * MINUTE, 3 * MINUTE])

    def test_the_oldest_that_start_after(self) -> None:
        starts = [candle[0] for candle in self.three_minutes().candles("AAPL", 60, 1, since=0)]
        self.assertEqual(starts, [1 * MINUTE])

    def test_since_the_middle_of_a_candle(self) -> None:
        """That candle began before, so it is not among those after."""
        starts = [candle[0] for candle in self.three_minutes().candles("AAPL", 60, 10, since=61_500)]
        self.assertEqual(starts, [3 * MINUTE])

    def test_aligned_to_the_epoch(self) -> None:
        """Not to the first point: the candles of two daemons can be laid over one another."""
        it = Market(SYMBOLS, FIRST, 1_700_000_012_345)
        self.assertEqual(it.candles("AAPL", 3600, 1)[0][0], 1_699_999_200_000)

    def test_made_of_the_kept_points_only(self) -> None:
        """The price of second 1 is out of the history of two, and so is its low."""
        self.assertEqual(apple(1.0, 5.0, 4.0, keep=2).candles("AAPL", 60, 10), [(0, 5.0, 5.0, 4.0, 4.0)])

    @given(
        st.lists(st.tuples(st.integers(0, 500_000), st.integers(1, 9)), max_size=80),
        st.integers(1, 90),
    )
    def test_both_ways_agree(self, moves: list[tuple[int, int]], seconds: int) -> None:
        """The newest of all and the oldest of all are the same, and no point is lost or counted twice."""
        it = market(keep=50)
        for at, price in sorted(moves):
            it.apply({"AAPL": float(price)}, at)
        candles = it.candles("AAPL", seconds, 1000)
        self.assertEqual(it.candles("AAPL", seconds, 1000, since=-seconds * 1000), candles)
        groups: dict[int, list[float]] = {}
        for at, price in it.points("AAPL", 1000):
            groups.setdefault(at - at % (seconds * 1000), []).append(price)
        self.assertEqual(candles, [(at, p[0], max(p), min(p), p[-1]) for at, p in groups.items()])
