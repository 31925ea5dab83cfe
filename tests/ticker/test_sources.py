"""L{netplay.ticker.sources}: the random walk, the replay of CSV files, and how both are asked for."""

import codecs
from itertools import pairwise
from tempfile import NamedTemporaryFile

from hypothesis import given
from hypothesis import strategies as st
from twisted.plugin import IPlugin
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase
from vega_datasets import data
from zope.interface.verify import verifyObject

from netplay.interfaces import IPriceSource, IPriceSourcePlugin
from netplay.plugins import netplay_sources
from netplay.ticker import sources
from netplay.ticker.sources import CSVSource, RandomWalk, Replay, WalkSource


def walked(source: RandomWalk, beats: int = 20) -> list[dict[str, float]]:
    """What a number of beats bring."""
    return [dict(source.next()) for _ in range(beats)]


class PluginTests(SynchronousTestCase):
    """The objects that C{getPlugins} finds."""

    def test_provide_what_they_say(self) -> None:
        for plugin, name in ((netplay_sources.walk, "walk"), (netplay_sources.csv, "csv")):
            self.assertTrue(verifyObject(IPriceSourcePlugin, plugin))
            self.assertTrue(verifyObject(IPlugin, plugin))
            self.assertEqual(plugin.name, name)

    def test_a_walk_is_a_source(self) -> None:
        self.assertTrue(verifyObject(IPriceSource, WalkSource().build("")))

    def test_a_replay_is_a_source(self) -> None:
        self.assertTrue(verifyObject(IPriceSource, CSVSource().build(data.stocks.filepath)))


class RandomWalkTests(SynchronousTestCase):
    """L{RandomWalk}."""

    def test_starts_with_the_tutorials_stocks(self) -> None:
        source = RandomWalk()
        self.assertEqual(source.first(), {"AAPL": 150.0, "GOOGL": 2800.0, "TSLA": 800.0, "AMZN": 3400.0, "MSFT": 300.0})
        self.assertEqual(source.symbols, {"AAPL": "🍎", "GOOGL": "🔍", "TSLA": "🚗", "AMZN": "📦", "MSFT": "💻"})

    def test_same_seed_same_prices(self) -> None:
        self.assertEqual(walked(RandomWalk(7)), walked(RandomWalk(7)))

    def test_other_seed_other_prices(self) -> None:
        self.assertNotEqual(walked(RandomWalk(7)), walked(RandomWalk(8)))

    def test_no_seed_other_prices_each_time(self) -> None:
        self.assertNotEqual(walked(RandomWalk()), walked(RandomWalk()))

    def test_moves_by_two_at_most(self) -> None:
        source = RandomWalk(7)
        prices = dict(source.first())
        for moved in walked(source, 200):
            for symbol, price in moved.items():
                self.assertNotEqual(price, prices[symbol])
                self.assertLessEqual(abs(price - prices[symbol]), 2)
            prices.update(moved)

    def test_every_second_symbol_moves(self) -> None:
        moves = sum(map(len, walked(RandomWalk(7), 1000)))
        self.assertTrue(2300 < moves < 2700, moves)

    def test_never_below_one(self) -> None:
        """A symbol that lies at 1 and is pushed down does not move, so it is not among those that did."""
        source = RandomWalk(7, symbols=1)
        source._prices["AAPL"] = 1.0
        prices = [moved["AAPL"] for moved in walked(source, 500) if moved]
        self.assertEqual(min(prices), 1.0)
        self.assertNotIn((1.0, 1.0), list(pairwise(prices)))

    def test_more_symbols(self) -> None:
        source = RandomWalk(7, symbols=7)
        self.assertEqual(list(source.symbols)[-3:], ["MSFT", "SYM0006", "SYM0007"])
        self.assertEqual(source.symbols["SYM0007"], "📈")
        self.assertEqual(source.symbols.keys(), source.first().keys())

    def test_the_seed_makes_the_prices_of_more_symbols(self) -> None:
        self.assertEqual(RandomWalk(7, symbols=100).first(), RandomWalk(7, symbols=100).first())

    def test_fewer_symbols(self) -> None:
        self.assertEqual(list(RandomWalk(7, symbols=2).symbols), ["AAPL", "GOOGL"])

    def test_what_was_given_out_is_not_the_walks_own(self) -> None:
        """Whoever changes it does not move the market."""
        source = RandomWalk(7)
        first = source.first()
        walked(source)
        self.assertEqual(first["AAPL"], 150.0)


class WalkSourceTests(SynchronousTestCase):
    """What may stand after C{walk:}."""

    def wrong(self, argument: str) -> str:
        message = str(self.assertRaises(UsageError, WalkSource().build, argument))
        self.assertIn("--prices", message)
        self.assertIn("walk:seed=7", message)
        return message

    def test_nothing(self) -> None:
        self.assertEqual(len(WalkSource().build("").symbols), 5)

    def test_seed(self) -> None:
        self.assertEqual(walked(WalkSource().build("seed=7")), walked(RandomWalk(7)))

    def test_symbols(self) -> None:
        self.assertEqual(len(WalkSource().build("symbols=500").symbols), 500)

    def test_both_in_any_order(self) -> None:
        one, other = WalkSource().build("seed=7:symbols=9"), WalkSource().build("symbols=9:seed=7")
        self.assertEqual(walked(one), walked(other))
        self.assertEqual(len(one.symbols), 9)

    def test_seed_that_is_no_integer(self) -> None:
        self.assertIn("'seven'", self.wrong("seed=seven"))

    def test_unknown_key(self) -> None:
        self.assertIn("'sede=7'", self.wrong("sede=7"))

    def test_the_same_key_twice(self) -> None:
        self.assertIn("twice", self.wrong("seed=7:seed=8"))

    def test_bounds_of_symbols(self) -> None:
        for number in ("0", "-1", "10001"):
            self.assertIn("1 to 10000 symbols", self.wrong(f"symbols={number}"))
        self.assertEqual(len(WalkSource().build("symbols=10000").symbols), 10_000)

    @given(st.text() | st.from_regex(r"(seed|symbols)=.{0,3}(:(seed|symbols)=.{0,3})?", fullmatch=True))
    def test_any_argument(self, argument: str) -> None:
        """A source or a usage error."""
        try:
            WalkSource().build(argument)
        except UsageError as e:
            self.assertIn("--prices", str(e))


class ReplayTestCase(SynchronousTestCase):
    """Helps to replay a text."""

    def replay(self, text: str | bytes) -> Replay:
        with NamedTemporaryFile(suffix=".csv") as file:
            file.write(text.encode() if isinstance(text, str) else text)
            file.flush()
            return CSVSource().build(file.name)

    def beats(self, text: str, number: int) -> list[dict[str, float]]:
        source = self.replay(text)
        return [dict(source.next()) for _ in range(number)]

    def wrong(self, text: str | bytes) -> str:
        message = str(self.assertRaises(UsageError, self.replay, text))
        self.assertIn("--prices", message)
        return message


class LongFormTests(ReplayTestCase):
    """Files with a row for each date and symbol."""

    def test_one_date_a_beat_over_and_over(self) -> None:
        text = "date,symbol,price\n2024-01-01,A,1\n2024-01-01,B,10\n2024-01-02,A,2\n2024-01-03,B,30\n"
        one, two, three = {"A": 1.0, "B": 10.0}, {"A": 2.0}, {"B": 30.0}
        self.assertEqual(self.replay(text).first(), one)
        self.assertEqual(self.beats(text, 4), [two, three, one, two])

    def test_a_single_date(self) -> None:
        self.assertEqual(self.beats("date,symbol,price\n2024-01-01,A,1\n", 2), [{"A": 1.0}] * 2)

    def test_a_symbol_that_comes_later_has_its_first_price_from_the_start(self) -> None:
        source = self.replay("date,symbol,price\n2024-01-01,A,1\n2024-01-02,A,2\n2024-01-02,B,3\n")
        self.assertEqual(source.first(), {"A": 1.0, "B": 3.0})

    def test_columns_in_any_order_among_others(self) -> None:
        source = self.replay("volume,price,symbol,open,date\n900,1.5,A,7,2024-01-01\n")
        self.assertEqual(source.first(), {"A": 1.5})

    def test_other_names_for_the_columns(self) -> None:
        for header in ("Date,Ticker,Close", "TIME, Stock, Value", "timestamp,name,Price"):
            self.assertEqual(self.replay(f"{header}\n2024-01-01,A,1\n").first(), {"A": 1.0}, header)

    def test_the_better_name_wins(self) -> None:
        source = self.replay("name,symbol,close,price,date\nApple,AAPL,1,2,2024-01-01\n")
        self.assertEqual(source.first(), {"AAPL": 2.0})

    def test_an_empty_cell_keeps_the_price(self) -> None:
        text = "date,symbol,price\n1,A,1\n2,A,\n2,B,5\n3,A,3\n"
        self.assertEqual(self.beats(text, 2), [{"B": 5.0}, {"A": 3.0}])

    def test_a_symbol_without_any_price_is_none(self) -> None:
        self.assertEqual(list(self.replay("date,symbol,price\n1,A,1\n1,B,\n").symbols), ["A"])

    def test_emoji_of_the_tutorial(self) -> None:
        source = self.replay("date,symbol,price\n1,MSFT,1\n1,GOOG,1\n1,IBM,1\n")
        self.assertEqual(source.symbols, {"MSFT": "💻", "GOOG": "🔍", "IBM": "📈"})

    def test_a_byte_order_mark_as_spreadsheets_write_it(self) -> None:
        source = self.replay(codecs.BOM_UTF8 + b"date,symbol,price\r\n1,A,1\r\n")
        self.assertEqual(source.first(), {"A": 1.0})


class WideFormTests(ReplayTestCase):
    """Files with a column for each symbol."""

    def test_a_column_for_each_symbol(self) -> None:
        text = "Date,AAPL,BRK.B\n2024-01-01,1,10\n2024-01-02,2,20\n"
        self.assertEqual(self.replay(text).first(), {"AAPL": 1.0, "BRK.B": 10.0})
        self.assertEqual(self.beats(text, 1), [{"AAPL": 2.0, "BRK.B": 20.0}])

    def test_the_date_need_not_come_first(self) -> None:
        self.assertEqual(self.replay("A,date,B\n1,2024-01-01,2\n").first(), {"A": 1.0, "B": 2.0})

    def test_an_empty_cell_keeps_the_price(self) -> None:
        self.assertEqual(self.beats("date,A,B\n1,1,2\n2,,3\n", 1), [{"B": 3.0}])

    def test_cells_missing_at_the_end_are_empty(self) -> None:
        self.assertEqual(self.beats("date,A,B\n1,1,2\n2,3\n", 1), [{"A": 3.0}])

    def test_a_column_without_a_title_is_left_out(self) -> None:
        """pandas saves an index that way."""
        self.assertEqual(self.replay(",date,A\n0,2024-01-01,5\n").first(), {"A": 5.0})


class DateTests(ReplayTestCase):
    """In which order the dates come: each of these files has its rows as third, first, second."""

    def order(self, third: str, first: str, second: str) -> list[float]:
        source = self.replay(f'date,symbol,price\n"{third}",A,3\n"{first}",A,1\n"{second}",A,2\n')
        return [source.first()["A"], source.next()["A"], source.next()["A"]]

    def test_sorted(self) -> None:
        for dates in (
            ("2024-02-01", "2023-12-31", "2024-01-15"),
            ("2024-02-01T00:00:00", "2023-12-31 23:00", "2024-01-15"),
            ("2024-02-01T00:00:00Z", "2024-01-01T00:00:00+02:00", "2024-01-01"),
            ("2024/2/1", "2023/12/31", "2024/1/15"),
            ("2010/01/01 10:00", "2010/01/01 08:00", "2010/01/01 09:00"),
            ("Feb 1 2024", "Dec 31 2023", "Jan 15 2024"),
            ("Feb 1, 2024", "Dec 31, 2023", "Jan 15, 2024"),
            ("February 1, 2024", "December 31, 2023", "January 15, 2024"),
            ("01-Feb-2024", "31-Dec-2023", "15-Jan-2024"),
            ("02/01/2024", "12/31/2023", "01/15/2024"),
            ("15/01/2024", "31/12/2023", "01/01/2024"),
            ("01.02.2024", "31.12.2023", "15.01.2024"),
            ("20240201", "20231231", "20240115"),
            ("2024-02", "2023-12", "2024-01"),
            ("1700000000000", "999", "1600000000000"),
        ):
            self.assertEqual(self.order(*dates), [1.0, 2.0, 3.0], dates)

    def test_unknown_dates_stay_in_their_order(self) -> None:
        self.assertEqual(self.order("day three", "day one", "day two"), [3.0, 1.0, 2.0])

    def test_one_that_does_not_fit_leaves_all_in_their_order(self) -> None:
        self.assertEqual(self.order("2024-02-01", "2023-12-31", "later"), [3.0, 1.0, 2.0])


class RealFileTests(SynchronousTestCase):
    """The table of stocks in vega_datasets: five symbols, monthly, January 2000 to March 2010."""

    def setUp(self) -> None:
        self.source = CSVSource().build(data.stocks.filepath)

    def test_symbols(self) -> None:
        self.assertEqual(set(self.source.symbols), {"MSFT", "AMZN", "IBM", "GOOG", "AAPL"})

    def test_first_prices(self) -> None:
        """Google was not listed before August 2004: it waits with the price that it came with."""
        self.assertEqual(
            self.source.first(), {"MSFT": 39.81, "AMZN": 64.56, "IBM": 100.52, "AAPL": 25.94, "GOOG": 102.37}
        )

    def test_the_second_month_comes_first(self) -> None:
        self.assertEqual(self.source.next(), {"MSFT": 36.35, "AMZN": 68.87, "IBM": 92.11, "AAPL": 28.66})

    def test_goes_round_in_123_months(self) -> None:
        months = [self.source.next() for _ in range(123)]
        self.assertEqual(months[-2]["AAPL"], 223.02)
        self.assertEqual(months[-1], {"MSFT": 39.81, "AMZN": 64.56, "IBM": 100.52, "AAPL": 25.94})
        self.assertEqual(self.source.next(), months[0])


class WrongFileTests(ReplayTestCase):
    """What is said of files that will not do."""

    def test_no_path(self) -> None:
        self.assertIn("say csv:PATH", str(self.assertRaises(UsageError, CSVSource().build, "")))

    def test_no_such_file(self) -> None:
        message = str(self.assertRaises(UsageError, CSVSource().build, "no/such.csv"))
        self.assertIn("--prices: no/such.csv cannot be read (No such file or directory)", message)

    def test_a_directory(self) -> None:
        self.assertIn("cannot be read", str(self.assertRaises(UsageError, CSVSource().build, ".")))

    def test_no_path_at_all(self) -> None:
        self.assertIn("is no path", str(self.assertRaises(UsageError, CSVSource().build, "a\0b")))

    def test_too_large(self) -> None:
        self.patch(sources, "MAX_FILE", 10)
        self.assertIn("has more than", self.wrong("date,symbol,price\n"))

    def test_bound_of_size(self) -> None:
        self.assertEqual(sources.MAX_FILE, 64 * 1024 * 1024)

    def test_empty(self) -> None:
        self.assertIn("the file is empty", self.wrong("\n\n"))

    def test_not_utf8(self) -> None:
        self.assertIn("not in UTF-8", self.wrong(b"date,symbol,price\n\xff"))

    def test_no_date_column(self) -> None:
        self.assertIn("no date column", self.wrong("symbol,price\nA,1\n"))

    def test_no_price_column(self) -> None:
        self.assertIn("no price column", self.wrong("date,symbol,volume\n1,A,1\n"))

    def test_nothing_but_dates(self) -> None:
        self.assertIn("no price column", self.wrong("date\n1\n"))

    def test_no_symbol_column(self) -> None:
        """Not a symbol called "close"."""
        self.assertIn("no symbol column", self.wrong("date,open,close\n1,1,2\n"))

    def test_no_rows(self) -> None:
        self.assertIn("no rows", self.wrong("date,symbol,price\n"))

    def test_no_prices(self) -> None:
        self.assertIn("no price in the file", self.wrong("date,symbol,price\n1,A,\n"))

    def test_a_cell_that_is_no_number(self) -> None:
        """Named as an editor counts: the header is line 1, empty lines count."""
        message = self.wrong("Date,Symbol,Close\n1,A,1\n\n2,A,n/a\n")
        self.assertIn("line 4, column Close: 'n/a' is no price", message)

    def test_a_cell_that_is_no_number_in_wide_form(self) -> None:
        self.assertIn("line 2, column B: 'x' is no price", self.wrong("date,A,B\n1,1,x\n"))

    def test_prices_that_nothing_can_cost(self) -> None:
        for price in ("0", "-1", "nan", "inf", "1e400"):
            self.assertIn(f"'{price}' is no price", self.wrong(f"date,symbol,price\n1,A,{price}\n"))

    def test_a_number_with_a_comma(self) -> None:
        """It would be read as 1."""
        self.assertIn("line 2 has more cells", self.wrong("date,symbol,price\n1,A,1,234.50\n"))

    def test_no_date_in_a_row(self) -> None:
        self.assertIn("line 2, column date: no date", self.wrong("date,symbol,price\n,A,1\n"))

    def test_a_symbol_that_is_none(self) -> None:
        for symbol in ("Apple Inc", "_A", "A" * 33, "ÄPL"):
            self.assertIn("line 2, column symbol", self.wrong(f"date,symbol,price\n1,{symbol},1\n"))

    def test_a_column_that_is_no_symbol(self) -> None:
        self.assertIn("'Adj Close' is no symbol", self.wrong("date,A,Adj Close\n1,1,1\n"))

    def test_a_column_twice(self) -> None:
        self.assertIn("A twice", self.wrong("date,A,A\n1,1,1\n"))

    def test_too_many_symbols(self) -> None:
        self.patch(sources, "MAX_SYMBOLS", 2)
        self.assertIn("3 symbols", self.wrong("date,A,B,C\n1,1,1,1\n"))

    def test_a_cell_too_long_for_csv(self) -> None:
        self.assertIn("line 2 is not CSV", self.wrong(f"date,symbol,price\n1,A,{'1' * 200_000}\n"))

    WORD = st.sampled_from(["date", "time", "symbol", "name", "price", "A", "B", "é", "", '"', "\0", "\r"])
    VALUE = st.sampled_from(["1", "-1", "1e999", "nan", "2024-01-01", "2024-01-01T00:00Z", "Jan 1 2000"])
    GOOD_ROW = st.sampled_from(["1,A,1", "2024-01-01,,2", "2024-01-01T00:00Z,B,3", "Jan 1 2000,4,5"])
    TABLE = st.lists(st.lists(WORD | VALUE, max_size=5).map(",".join) | GOOD_ROW).map("\n".join)
    GOOD_START = st.sampled_from(["date,symbol,price\n", "date,A,B\n", "price,date,name\n"])

    @given(st.one_of(st.binary(), st.text(), TABLE, st.tuples(GOOD_START, TABLE).map("".join)))
    def test_any_file(self, text: str | bytes) -> None:
        """A source with sound prices, or a usage error."""
        if isinstance(text, str):
            text = text.encode(errors="surrogatepass")
        try:
            source = self.replay(text)
        except UsageError as e:
            self.assertIn("--prices", str(e))
            return
        beats = [source.first(), *(source.next() for _ in range(5))]
        for prices in beats:
            self.assertTrue(all(0 < price < float("inf") for price in prices.values()), prices)
            self.assertLessEqual(prices.keys(), source.symbols.keys())
