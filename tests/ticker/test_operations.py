"""Tests of L{netplay.ticker.operations} and L{netplay.ticker.push}: prices that a backend sets."""

from __future__ import annotations

from typing import Any

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

import netplay.ticker.push
from netplay.errors import Refused
from netplay.interfaces import IPushedPrices
from netplay.ticker.operations import SetPrices
from netplay.ticker.push import PushedPrices, PushSource
from tests.features import House, LineClient


class SourceTests(SynchronousTestCase):
    """C{--prices push:}"""

    def setUp(self) -> None:
        self.source = PushedPrices()

    def test_it_is_one(self) -> None:
        verifyObject(IPushedPrices, self.source)

    def test_nothing_comes_of_itself(self) -> None:
        self.assertEqual((self.source.first(), self.source.next(), self.source.symbols), ({}, {}, {}))

    def test_a_beat_brings_the_newest_of_each_once(self) -> None:
        self.assertEqual(self.source.push({"AAPL": 1.0, "XYZ": 5.0}), ["AAPL", "XYZ"])
        self.assertEqual(self.source.push({"AAPL": 2.0}), [])
        self.assertEqual(self.source.next(), {"AAPL": 2.0, "XYZ": 5.0})
        self.assertEqual(self.source.next(), {})
        self.assertEqual(self.source.symbols, {"AAPL": "🍎", "XYZ": "📈"})

    def test_so_many_symbols_and_no_more(self) -> None:
        self.patch(netplay.ticker.push, "MAX_SYMBOLS", 2)
        self.source.push({"A": 1.0, "B": 1.0})
        refused = self.assertRaises(Refused, self.source.push, {"A": 2.0, "C": 1.0})
        self.assertEqual((refused.code, refused.field), ("too_many", "$.prices"))
        self.assertEqual(self.source.push({"A": 3.0}), [])
        self.assertEqual(self.source.next(), {"A": 3.0, "B": 1.0})

    def test_it_takes_no_argument(self) -> None:
        self.assertIsInstance(PushSource().build(""), PushedPrices)
        self.assertIn("--prices push:", str(self.assertRaises(UsageError, PushSource().build, "x")))


class OperationsTestCase(SynchronousTestCase):
    """A ticker that gets its prices from a backend."""

    def setUp(self) -> None:
        self.house = House(prices=PushedPrices())

    def set(self, **prices: float) -> Any:
        """Set prices, and let a beat pass."""
        (operation,) = self.house.ticker.operations
        answer = operation.handler(SetPrices(prices=prices))
        self.house.wait(1)
        return answer

    def prices(self, client: LineClient) -> list[dict[str, float]]:
        """What the updates since the last time said."""
        return [
            {symbol: update["price"] for symbol, update in message["updates"].items()}
            for message in client.heard("price_update")
        ]


class PushTests(OperationsTestCase):
    """From the API to the clients."""

    def test_symbols_appear_when_they_are_first_set(self) -> None:
        self.assertEqual(self.house.connect("ticker").hello["available_stocks"], [])
        self.assertEqual(self.set(AAPL=150.0, XYZ=1.0).new, ["AAPL", "XYZ"])
        client = self.house.connect("ticker")
        self.assertEqual(client.hello["available_stocks"], ["AAPL", "XYZ"])
        snapshot = client.ask("subscribe", symbols=["AAPL"])
        self.assertEqual(snapshot["prices"], {"AAPL": {"price": 150.0, "emoji": "🍎"}})

    def test_those_who_subscribed_hear_the_next_beat(self) -> None:
        self.set(AAPL=150.0)
        client = self.house.connect("ticker")
        client.ask("subscribe", symbols=["AAPL"])
        self.assertEqual(self.set(AAPL=151.5).new, [])
        (update,) = client.heard("price_update")
        self.assertEqual((update["updates"]["AAPL"]["price"], update["updates"]["AAPL"]["change"]), (151.5, 1.5))

    def test_who_hears_everything_hears_what_is_new(self) -> None:
        client = self.house.connect("ticker")
        client.ask("subscribe", symbols=["*"])
        self.set(AAPL=150.0)
        self.set(XYZ=1.0)
        self.set(AAPL=151.0, XYZ=2.0)
        self.assertEqual(self.prices(client), [{"AAPL": 150}, {"XYZ": 1}, {"AAPL": 151, "XYZ": 2}])

    def test_who_took_something_back_does_not(self) -> None:
        self.set(AAPL=150.0, XYZ=1.0)
        client = self.house.connect("ticker")
        client.ask("subscribe", symbols=["*"])
        client.ask("unsubscribe", symbols=["XYZ"])
        self.set(AAPL=151.0, XYZ=2.0, NEW=1.0)
        self.assertEqual(self.prices(client), [{"AAPL": 151}])

    def test_nor_does_who_named_all_there_were(self) -> None:
        self.set(AAPL=150.0)
        client = self.house.connect("ticker")
        client.ask("subscribe", symbols=["AAPL"])
        self.set(NEW=1.0)
        self.assertEqual(self.prices(client), [])

    def test_who_comes_back_still_hears_everything(self) -> None:
        self.set(AAPL=150.0)
        client = self.house.connect("ticker")
        client.ask("subscribe", symbols=["*"])
        client.drop()
        self.set(XYZ=1.0)
        back = self.house.connect("ticker")
        back.send("resume", session=client.hello["session"])
        (snapshot,) = back.heard("snapshot")
        self.assertEqual(sorted(snapshot["prices"]), ["AAPL", "XYZ"])
        self.set(NEW=1.0)
        self.assertEqual(self.prices(back), [{"NEW": 1}])

    def test_history_and_alerts_as_with_any_source(self) -> None:
        self.set(AAPL=150.0)
        client = self.house.connect("ticker")
        client.ask("alert", symbol="AAPL", above=155)
        self.set(AAPL=160.0)
        self.assertEqual(client.heard("alert")[0]["price"], 160)
        points = client.ask("history", symbol="AAPL")["points"]
        self.assertEqual([price for _, price in points], [150, 160])


class OtherSourceTests(SynchronousTestCase):
    """Where prices come from elsewhere."""

    def test_they_cannot_be_set(self) -> None:
        (operation,) = House().ticker.operations
        refused = self.assertRaises(Refused, operation.handler, SetPrices(prices={"AAPL": 1.0}))
        self.assertEqual(refused.code, "not_allowed")
        self.assertIn("--prices push:", refused.message)
