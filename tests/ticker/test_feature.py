"""Tests of L{netplay.ticker.feature}: the beat, and coming back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netplay.interfaces import IFeature, IMessageService, ISession
from netplay.ticker.feature import TickerFeature
from netplay.ticker.sources import RandomWalk
from tests.features import START, House, LineClient, Prices


class FailingPrices(Prices):
    """A source that fails while a test says so."""

    failing = False
    asked = 0

    def next(self) -> Mapping[str, float]:
        self.asked += 1
        if self.failing:
            raise RuntimeError("the exchange is closed")
        return super().next()


class TickerTestCase(SynchronousTestCase):
    """Ann has subscribed to AAPL and TSLA."""

    def setUp(self) -> None:
        self.source = FailingPrices()
        self.house = House(prices=self.source)
        self.ann = self.house.connect("ticker")
        self.ann.ask("subscribe", symbols=["AAPL", "TSLA"])

    def beat(self, **prices: float) -> None:
        """A second passes, and these are the prices."""
        self.source.coming = prices
        self.house.wait(1)


class InterfaceTests(TickerTestCase):
    """What the daemon builds on."""

    def test_they_are_provided(self) -> None:
        verifyObject(IFeature, TickerFeature())
        verifyObject(IMessageService, self.house.ticker)
        verifyObject(ISession, self.ann.protocol.client.session)

    def test_the_ticker_has_port_9999_and_frames_of_type_18(self) -> None:
        self.assertEqual((TickerFeature.port, TickerFeature.frame_type), (9999, 18))

    def build(self, prices: str) -> Any:
        return TickerFeature().build({"prices": prices, "ticker-interval": 1.0}, self.house.core)

    def test_the_source_is_chosen_by_name(self) -> None:
        first, second = (self.build("walk:seed=7").source.next() for _ in range(2))
        self.assertEqual(first, second)
        self.assertEqual(first, RandomWalk(7).next())

    def test_a_source_that_there_is_not(self) -> None:
        with self.assertRaisesRegex(UsageError, "--prices bank:.* csv:PATH or push: or walk"):
            self.build("bank:")


class BeatTests(TickerTestCase):
    """One beat after the other."""

    def test_the_first_comes_after_an_interval(self) -> None:
        self.source.coming = {"AAPL": 151.0}
        self.house.wait(0.99)
        self.assertEqual(self.ann.received(), [])
        self.house.wait(0.01)
        self.assertEqual(len(self.ann.received()), 1)

    def test_one_a_second(self) -> None:
        self.house.wait(60)
        self.assertEqual(self.source.asked, 60)

    def test_lateness_does_not_add_up(self) -> None:
        """Each beat is 0.3 s late, as in a busy daemon; after ten seconds there were ten all the same."""
        for _ in range(10):
            self.house.clock.advance(1.3 - self.house.clock.seconds() % 1)
        self.assertEqual(self.source.asked, 10)

    def test_an_exception_in_the_source_is_logged_and_the_beat_goes_on(self) -> None:
        self.source.failing = True
        self.beat(AAPL=151.0)
        self.assertEqual(self.ann.received(), [])
        [failure] = self.flushLoggedErrors(RuntimeError)
        self.assertIn("the exchange is closed", str(failure.value))
        self.source.failing = False
        self.beat(AAPL=152.0)
        [message] = self.ann.received()
        self.assertEqual(message["updates"]["AAPL"]["price"], 152.0)

    def test_prices_that_are_none_do_not_get_out(self) -> None:
        self.beat(AAPL=float("nan"), TSLA=float("inf"), MSFT=-1.0, NOPE=1.0)
        self.assertEqual(self.ann.received(), [])

    def test_after_the_end_there_is_no_beat(self) -> None:
        self.house.ticker.stopService()
        self.house.wait(5)
        self.assertEqual(self.source.asked, 0)


class ResumeTests(TickerTestCase):
    """Who was here before."""

    def come_back(self) -> tuple[LineClient, list[dict[str, Any]]]:
        again = self.house.connect("ticker")
        again.send("resume", session=self.ann.hello["session"], ref="r")
        return again, again.received()

    def test_the_answer_and_then_the_prices_now(self) -> None:
        self.ann.drop()
        self.beat(AAPL=151.0)
        _, [resumed, snapshot] = self.come_back()
        self.assertEqual((resumed["type"], resumed["ref"]), ("resumed", "r"))
        self.assertEqual((resumed["you"], resumed["rooms"]), (self.ann.hello["you"], {}))
        self.assertEqual(snapshot["type"], "snapshot")
        self.assertNotIn("ref", snapshot)
        self.assertEqual({s: p["price"] for s, p in snapshot["prices"].items()}, {"AAPL": 151.0, "TSLA": 800.0})

    def test_without_subscriptions_there_are_no_prices(self) -> None:
        self.ann.ask("unsubscribe", symbols=["*"])
        self.ann.drop()
        self.assertEqual(len(self.come_back()[1]), 1)

    def test_the_subscriptions_are_back(self) -> None:
        self.ann.drop()
        again, _ = self.come_back()
        self.beat(AAPL=151.0, MSFT=301.0)
        [message] = again.received()
        self.assertEqual(list(message["updates"]), ["AAPL"])

    def test_so_is_the_rate(self) -> None:
        self.ann.ask("subscribe", max_rate=0.25)
        self.ann.drop()
        again, _ = self.come_back()
        for number in range(8):
            self.beat(AAPL=160.0 + number)
        self.assertEqual(len(again.heard("price_update")), 2)

    def test_so_are_the_alerts(self) -> None:
        alert = self.ann.ask("alert", symbol="AAPL", above=155)["alert"]
        self.ann.drop()
        again, _ = self.come_back()
        self.assertEqual([line["alert"] for line in again.ask("alerts")["alerts"]], [alert])
        self.beat(AAPL=156.0)
        self.assertEqual([message["alert"] for message in again.heard("alert")], [alert])

    def test_alerts_that_fired_meanwhile_come_in_their_order_and_once(self) -> None:
        first = self.ann.ask("alert", symbol="TSLA", above=805)["alert"]
        second = self.ann.ask("alert", symbol="AAPL", above=155, once=True)["alert"]
        self.ann.drop()
        self.beat(AAPL=156.0)
        self.beat(TSLA=806.0)
        self.ann, messages = self.come_back()
        self.assertEqual([message["type"] for message in messages], ["resumed", "alert", "alert", "snapshot"])
        self.assertEqual(
            [(message["alert"], message["price"], message["at"]) for message in messages[1:3]],
            [(second, 156.0, (START + 1) * 1000), (first, 806.0, (START + 2) * 1000)],
        )
        self.ann.hello = messages[0]
        self.ann.drop()
        self.assertEqual([message["type"] for message in self.come_back()[1]], ["resumed", "snapshot"])

    def test_alerts_of_who_does_not_come_back_are_gone(self) -> None:
        self.ann.ask("alert", symbol="AAPL", above=155)
        self.ann.drop()
        self.house.wait(121)
        self.assertEqual(self.house.ticker.alerts.crossed("AAPL", 156.0), ([], []))

    def test_alerts_of_a_newcomer_stay_after_someone_else_left(self) -> None:
        bob = self.house.connect("ticker")
        bob.ask("alert", symbol="AAPL", above=155)
        self.ann.drop()
        self.house.wait(121)
        self.beat(AAPL=156.0)
        self.assertEqual(len(bob.heard("alert")), 1)

    def test_who_is_replaced_hears_no_more(self) -> None:
        again, _ = self.come_back()
        self.beat(AAPL=151.0)
        self.assertEqual([message["type"] for message in self.ann.received()], ["error"])
        self.assertEqual(len(again.heard("price_update")), 1)
