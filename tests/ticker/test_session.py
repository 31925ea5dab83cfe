"""Tests of L{netplay.ticker.session}: what one client asks and is told, over the ticker's port."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netplay.ticker.session import TickerSession
from netplay.ticker.sources import RandomWalk
from tests.contract import PortContract, answers_whatever_is_asked
from tests.features import START, START_ISO, House, Prices

APPLE = {"price": 150.0, "emoji": "🍎"}
TESLA = {"price": 800.0, "emoji": "📈"}


class TickerContractTests(PortContract, SynchronousTestCase):
    """What every feature does alike."""

    feature = "ticker"
    guest = "Trader"

    def test_whatever_is_asked(self) -> None:
        answers_whatever_is_asked(self, "ticker", TickerSession.grammar)


class TickerTestCase(SynchronousTestCase):
    """Ann has connected and subscribed to nothing."""

    def setUp(self) -> None:
        self.house = House()
        self.ann = self.house.connect("ticker")

    def beat(self, **prices: float) -> None:
        """A second passes, and these are the prices."""
        self.house.prices.coming = prices
        self.house.wait(1)

    def assertRefused(self, answer: dict[str, Any], code: str, field: str | None) -> None:
        self.assertEqual((answer["type"], answer.get("code"), answer.get("field")), ("error", code, field))


class WelcomeTests(SynchronousTestCase):
    """The first message."""

    def test_the_tutorials_fields(self) -> None:
        hello = House(prices=RandomWalk(7)).connect("ticker").hello
        self.assertEqual(hello["type"], "welcome")
        self.assertEqual(hello["client_id"], "Trader_1")
        self.assertEqual(hello["available_stocks"], ["AAPL", "GOOGL", "TSLA", "AMZN", "MSFT"])
        self.assertEqual(hello["message"], "Welcome Trader_1! 📈")
        self.assertNotIn("more", hello)

    def test_ten_thousand_symbols_do_not_make_it_larger_than_a_reply(self) -> None:
        ann = House(prices=RandomWalk(7, 10_000)).connect("ticker")
        self.assertLessEqual(ann.largest, 32 * 1024)
        self.assertTrue(ann.hello["more"])
        self.assertEqual(ann.hello["available_stocks"][:6], ["AAPL", "GOOGL", "TSLA", "AMZN", "MSFT", "SYM0006"])


class SubscribeTests(TickerTestCase):
    """C{subscribe} and C{unsubscribe}."""

    def test_the_prices_now(self) -> None:
        self.assertEqual(
            self.ann.ask("subscribe", symbols=["AAPL", "TSLA"]),
            {"type": "snapshot", "prices": {"AAPL": APPLE, "TSLA": TESLA}},
        )

    def test_of_all_that_one_has_now(self) -> None:
        self.ann.ask("subscribe", symbols=["AAPL"])
        self.assertEqual(list(self.ann.ask("subscribe", symbols=["TSLA"])["prices"]), ["AAPL", "TSLA"])

    def test_nothing(self) -> None:
        self.assertEqual(self.ann.ask("subscribe", symbols=[]), {"type": "snapshot", "prices": {}})
        self.assertEqual(self.ann.ask("subscribe"), {"type": "snapshot", "prices": {}})

    def test_they_are_the_newest(self) -> None:
        self.beat(AAPL=151.5)
        self.assertEqual(self.ann.ask("subscribe", symbols=["AAPL"])["prices"]["AAPL"]["price"], 151.5)

    def test_a_star_is_all(self) -> None:
        self.assertEqual(list(self.ann.ask("subscribe", symbols=["*"])["prices"]), ["AAPL", "TSLA", "MSFT"])

    def test_symbols_that_do_not_exist_are_named_after_the_snapshot_of_the_others(self) -> None:
        self.ann.send("subscribe", symbols=["NOPE", "AAPL", "nada", "NOPE"], ref=1)
        snapshot, error = self.ann.received()
        self.assertEqual(snapshot, {"type": "snapshot", "prices": {"AAPL": APPLE}, "ref": 1})
        self.assertRefused(error, "no_such_symbol", "$.symbols")
        self.assertEqual(error["symbols"], ["NOPE", "nada"])
        self.assertNotIn("ref", error)

    def test_beside_a_star_too(self) -> None:
        self.ann.send("subscribe", symbols=["NOPE", "*"])
        snapshot, error = self.ann.received()
        self.assertEqual((len(snapshot["prices"]), error["symbols"]), (3, ["NOPE"]))

    def test_so_many_that_do_not_exist_fit_in_a_reply(self) -> None:
        self.ann.send("subscribe", symbols=[f"{n:060}" for n in range(1000)])
        self.ann.received()
        self.assertLessEqual(self.ann.largest, 32 * 1024)

    def test_a_price_update(self) -> None:
        self.ann.ask("subscribe", symbols=["AAPL"])
        self.beat(AAPL=151.5, TSLA=1.0)
        self.assertEqual(
            self.ann.received(),
            [
                {
                    "type": "price_update",
                    "updates": {
                        "AAPL": {
                            "price": 151.5,
                            "emoji": "🍎",
                            "change": 1.5,
                            "timestamp": START_ISO.replace("20.000", "21.000"),
                        }
                    },
                    "at": (START + 1) * 1000,
                }
            ],
        )

    def test_who_subscribed_to_nothing_hears_nothing(self) -> None:
        self.beat(AAPL=151.5)
        self.assertEqual(self.ann.received(), [])

    def test_unsubscribed_symbols_are_heard_no_more(self) -> None:
        self.ann.ask("subscribe", symbols=["AAPL", "TSLA"])
        self.assertEqual(self.ann.ask("unsubscribe", symbols=["AAPL", "MSFT", "NOPE"]), {"type": "ok"})
        self.beat(AAPL=151.0, TSLA=801.0)
        [message] = self.ann.received()
        self.assertEqual(list(message["updates"]), ["TSLA"])

    def test_a_star_unsubscribes_from_all(self) -> None:
        self.ann.ask("subscribe", symbols=["*"])
        self.ann.ask("unsubscribe", symbols=["*"])
        self.beat(AAPL=151.0)
        self.assertEqual(self.ann.received(), [])

    def test_a_large_snapshot_comes_in_pages_of_which_the_last_has_the_ref(self) -> None:
        house = House(prices=Prices({f"S{n:03}": 1.0 for n in range(500)}))
        ann = house.connect("ticker")
        ann.ask("options", max_reply=2048)
        ann.largest = 0
        ann.send("subscribe", symbols=["*"], ref=1)
        pages = ann.received()
        self.assertGreater(len(pages), 1)
        self.assertLessEqual(ann.largest, 2048)
        self.assertEqual([page.get("ref") for page in pages], [None] * (len(pages) - 1) + [1])
        self.assertEqual([page.get("more") for page in pages], [True] * (len(pages) - 1) + [None])
        self.assertEqual([s for page in pages for s in page["prices"]], [f"S{n:03}" for n in range(500)])

    def test_wrong_fields(self) -> None:
        for fields, field in (
            ({"symbols": "AAPL"}, "$.symbols"),
            ({"symbols": [1]}, "$.symbols[0]"),
            ({"symbols": [""]}, "$.symbols[0]"),
            ({"symbols": [], "max_rate": 0}, "$.max_rate"),
            ({"symbols": [], "max_rate": "fast"}, "$.max_rate"),
        ):
            answer = self.ann.ask("subscribe", **fields)
            self.assertEqual((answer["code"], answer["field"].replace("[...]", "[0]")), ("bad_message", field))


class HistoryTests(TickerTestCase):
    """C{history}."""

    def setUp(self) -> None:
        super().setUp()
        for price in range(151, 160):
            self.beat(AAPL=float(price))

    def points(self, **fields: Any) -> tuple[list[list[float]], bool]:
        answer = self.ann.ask("history", symbol="AAPL", **fields)
        self.assertEqual((answer["type"], answer["symbol"]), ("history", "AAPL"))
        self.assertNotIn("candles", answer)
        return answer["points"], answer.get("more", False)

    def at(self, second: int) -> int:
        return (START + second) * 1000

    def test_all_points_oldest_first(self) -> None:
        self.assertEqual(self.points(), ([[self.at(n), 150.0 + n] for n in range(10)], False))

    def test_the_newest(self) -> None:
        self.assertEqual(self.points(limit=2), ([[self.at(8), 158.0], [self.at(9), 159.0]], True))

    def test_those_after_a_time(self) -> None:
        self.assertEqual(self.points(since=self.at(2), limit=1), ([[self.at(3), 153.0]], True))
        self.assertEqual(self.points(since=self.at(8)), ([[self.at(9), 159.0]], False))
        self.assertEqual(self.points(since=self.at(9)), ([], False))

    def test_paging_brings_everything_once(self) -> None:
        seen, more = self.points(since=0, limit=3)
        while more:
            page, more = self.points(since=int(seen[-1][0]), limit=3)
            seen += page
        self.assertEqual(seen, self.points()[0])

    def test_candles(self) -> None:
        answer = self.ann.ask("history", symbol="AAPL", candles=5)
        self.assertNotIn("points", answer)
        self.assertEqual(
            answer["candles"],
            [[self.at(0), 150.0, 154.0, 150.0, 154.0], [self.at(5), 155.0, 159.0, 155.0, 159.0]],
        )
        answer = self.ann.ask("history", symbol="AAPL", candles=5, limit=1)
        self.assertEqual(([candle[0] for candle in answer["candles"]], answer["more"]), ([self.at(5)], True))
        answer = self.ann.ask("history", symbol="AAPL", candles=5, since=self.at(0))
        self.assertEqual([candle[0] for candle in answer["candles"]], [self.at(5)])

    def test_pages_fit_into_the_reply_that_was_asked_for(self) -> None:
        for price in range(160, 300):
            self.beat(AAPL=float(price))
        self.ann.ask("options", max_reply=1024)
        self.ann.largest = 0
        newest, more = self.points()
        self.assertTrue(more)
        self.assertEqual(newest[-1][1], 299.0)
        oldest, more = self.points(since=0)
        self.assertTrue(more)
        self.assertEqual(oldest[0][1], 150.0)
        self.assertTrue(self.ann.ask("history", symbol="AAPL", candles=1)["more"])
        self.assertLessEqual(self.ann.largest, 1024)

    def test_never_more_than_32_kib(self) -> None:
        for number in range(1500):
            self.beat(AAPL=100.12 + number)
        self.ann.ask("history", symbol="AAPL", limit=5000)
        self.ann.ask("history", symbol="AAPL", limit=5000, candles=1)
        self.assertLessEqual(self.ann.largest, 32 * 1024)

    def test_an_unknown_symbol(self) -> None:
        self.assertRefused(self.ann.ask("history", symbol="NOPE"), "no_such_symbol", "$.symbol")
        self.assertRefused(self.ann.ask("history", symbol="NOPE", candles=60), "no_such_symbol", "$.symbol")

    def test_wrong_fields(self) -> None:
        for field, value in (("limit", 0), ("since", -1), ("candles", 0), ("candles", 1.5)):
            self.assertRefused(self.ann.ask("history", symbol="AAPL", **{field: value}), "bad_message", f"$.{field}")


class AlertTests(TickerTestCase):
    """C{alert}, C{alerts} and C{cancel_alert}."""

    def test_what_was_set(self) -> None:
        answer = self.ann.ask("alert", symbol="AAPL", above=151)
        alert = answer.pop("alert")
        self.assertIsInstance(alert, str)
        self.assertEqual(
            answer,
            {"type": "alert_set", "symbol": "AAPL", "threshold": 151, "direction": "above", "once": False},
        )

    def test_it_fires_when_crossed(self) -> None:
        alert = self.ann.ask("alert", symbol="AAPL", above=151)["alert"]
        self.beat(AAPL=150.99)
        self.assertEqual(self.ann.received(), [])
        self.beat(AAPL=151.5)
        self.assertEqual(
            self.ann.received(),
            [
                {
                    "type": "alert",
                    "alert": alert,
                    "symbol": "AAPL",
                    "price": 151.5,
                    "threshold": 151,
                    "direction": "above",
                    "timestamp": START_ISO.replace("20.000", "22.000"),
                    "at": (START + 2) * 1000,
                }
            ],
        )

    def test_below(self) -> None:
        self.ann.ask("alert", symbol="AAPL", below=149.5)
        self.beat(AAPL=149.0)
        self.assertEqual([message["direction"] for message in self.ann.heard("alert")], ["below"])

    def test_nobody_else_is_told(self) -> None:
        bob = self.house.connect("ticker")
        self.ann.ask("alert", symbol="AAPL", above=151)
        self.beat(AAPL=152.0)
        self.assertEqual(bob.received(), [])

    def test_again_and_again_but_not_for_noise_around_the_threshold(self) -> None:
        self.ann.ask("alert", symbol="AAPL", above=151)
        for price in (151.1, 150.9, 151.1, 150.9, 140.0, 151.1):
            self.beat(AAPL=price)
        self.assertEqual([message["at"] for message in self.ann.heard("alert")], [(START + n) * 1000 for n in (1, 6)])

    def test_once(self) -> None:
        self.ann.ask("alert", symbol="AAPL", above=151, once=True)
        for price in (152.0, 140.0, 152.0):
            self.beat(AAPL=price)
        self.assertEqual(len(self.ann.heard("alert")), 1)
        self.assertEqual(self.ann.ask("alerts"), {"type": "alerts", "alerts": []})

    def test_the_list(self) -> None:
        first = self.ann.ask("alert", symbol="AAPL", above=151)["alert"]
        second = self.ann.ask("alert", symbol="TSLA", below=700, once=True)["alert"]
        self.assertEqual(
            self.ann.ask("alerts")["alerts"],
            [
                {"alert": first, "symbol": "AAPL", "threshold": 151, "direction": "above", "once": False},
                {"alert": second, "symbol": "TSLA", "threshold": 700, "direction": "below", "once": True},
            ],
        )

    def test_a_long_list_comes_in_pages(self) -> None:
        ids = [self.ann.ask("alert", symbol="AAPL", above=200 + n)["alert"] for n in range(100)]
        self.ann.ask("options", max_reply=1024)
        self.ann.largest = 0
        seen: list[str] = []
        more = True
        while more:
            answer = self.ann.ask("alerts", **({"after": seen[-1]} if seen else {}))
            seen += [line["alert"] for line in answer["alerts"]]
            more = answer.get("more", False)
        self.assertEqual(seen, ids)
        self.assertLessEqual(self.ann.largest, 1024)

    def test_a_cancelled_one_does_not_fire(self) -> None:
        alert = self.ann.ask("alert", symbol="AAPL", above=151)["alert"]
        self.assertEqual(self.ann.ask("cancel_alert", alert=alert), {"type": "ok"})
        self.beat(AAPL=152.0)
        self.assertEqual(self.ann.received(), [])
        self.assertEqual(self.ann.ask("alerts")["alerts"], [])

    def test_one_cancels_only_ones_own(self) -> None:
        alert = self.ann.ask("alert", symbol="AAPL", above=151)["alert"]
        bob = self.house.connect("ticker")
        self.assertRefused(bob.ask("cancel_alert", alert=alert), "bad_message", "$.alert")
        self.assertEqual(len(self.ann.ask("alerts")["alerts"]), 1)

    def test_at_most_a_hundred(self) -> None:
        for number in range(100):
            self.ann.ask("alert", symbol="AAPL", above=200 + number)
        self.assertRefused(self.ann.ask("alert", symbol="AAPL", above=151), "too_many", None)

    def test_an_unknown_symbol(self) -> None:
        self.assertRefused(self.ann.ask("alert", symbol="NOPE", above=1), "no_such_symbol", "$.symbol")

    def test_a_threshold_is_a_price_above_or_below(self) -> None:
        for fields, field in (
            ({}, "$.above"),
            ({"above": 1, "below": 2}, "$.above"),
            ({"above": 0}, "$.above"),
            ({"below": -1}, "$.below"),
            ({"above": "1"}, "$.above"),
            ({"above": 1, "once": 1}, "$.once"),
        ):
            self.assertRefused(self.ann.ask("alert", symbol="AAPL", **fields), "bad_message", field)
