"""Tests of L{netplay.ticker.feed}: who gets which prices, how often they are encoded, and what laggards get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netplay.ticker.messages import PriceUpdate, Update
from netplay.wire.codecs import JSON, MSGPACK, Codec, Wire
from tests.features import TICKER, TICKER_JSON, House, LineClient, Prices

FIRST = {f"S{number}": 100.0 for number in range(10)}


class CountingCodec(Codec):
    """A codec that remembers what it was asked to encode."""

    __slots__ = ("encoded",)

    def __init__(self, codec: Codec) -> None:
        self.encoded: list[Any] = []

        def encode(message: Any) -> bytes:
            self.encoded.append(message)
            return codec.encode(message)

        super().__init__(codec.name, encode, codec.values)

    def count(self, kind: type) -> int:
        """How many messages of a type it has encoded since this was last asked about anything."""
        return sum(isinstance(message, kind) for message in self.encoded)


class FeedTestCase(SynchronousTestCase):
    """A ticker with ten symbols at 100."""

    def setUp(self) -> None:
        self.house = House(prices=Prices(FIRST))
        self.codec = CountingCodec(JSON)
        self.house.ticker.factory.wire = Wire(self.codec, lambda payload: payload + b"\n")

    def subscriber(self, *symbols: str, **fields: Any) -> LineClient:
        """Someone who has subscribed, and read the snapshot."""
        client = self.house.connect("ticker")
        client.ask("subscribe", symbols=list(symbols), **fields)
        return client

    def beat(self, prices: Mapping[str, float] | None = None) -> None:
        """A second passes, and these are the prices."""
        self.house.prices.coming = {} if prices is None else prices
        self.house.wait(1)

    def prices(self, client: LineClient) -> list[dict[str, float]]:
        """The updates that came: prices by symbol."""
        return [
            {symbol: update["price"] for symbol, update in message["updates"].items()}
            for message in client.heard("price_update")
        ]


class EncodingTests(FeedTestCase):
    """Work is done once for all who are to get the same."""

    def counted(self, prices: Mapping[str, float]) -> tuple[int, int]:
        """How many prices were encoded at a beat, and how many messages composed of them."""
        self.codec.encoded.clear()
        self.beat(prices)
        return self.codec.count(Update), self.codec.count(PriceUpdate)

    def test_a_price_is_encoded_once_and_a_message_once_whoever_gets_it(self) -> None:
        clients = [self.subscriber("S1", "S2") for _ in range(20)]
        self.assertEqual(self.counted({"S1": 101.0, "S2": 102.0}), (2, 1))
        for client in clients:
            self.assertEqual(self.prices(client), [{"S1": 101.0, "S2": 102.0}])

    def test_a_message_is_composed_once_for_each_set_of_subscriptions(self) -> None:
        for _ in range(5):
            self.subscriber("S1", "S2")
            self.subscriber("S2", "S1")  # the same set
            self.subscriber("S1")
            self.subscriber("S2", "S3")
        self.assertEqual(self.counted({"S1": 101.0, "S2": 102.0, "S3": 103.0}), (3, 3))

    def test_for_sets_that_nothing_changed_in_nothing_is_composed(self) -> None:
        self.subscriber("S1")
        self.subscriber("S2")
        self.assertEqual(self.counted({"S1": 101.0}), (1, 1))

    def test_without_subscribers_nothing_is_encoded(self) -> None:
        self.house.connect("ticker")
        self.assertEqual(self.counted({"S1": 101.0}), (0, 0))

    def test_when_all_have_left_nothing_is_encoded(self) -> None:
        self.subscriber("S1").drop()
        self.subscriber("S1").ask("unsubscribe", symbols=["S1"])
        self.assertEqual(self.counted({"S1": 101.0}), (0, 0))
        self.assertEqual(self.house.ticker.feed._groups, {})  # it costs no memory either

    def test_once_more_for_each_codec(self) -> None:
        self.subscriber("S1")
        other = CountingCodec(MSGPACK)
        factory = self.house.ticker.factory
        factory.wire = Wire(other, lambda payload: payload)
        for _ in range(2):
            client = LineClient(self.house, "ticker")
            client.write(MSGPACK.encode({"type": "subscribe", "symbols": ["S1"]}) + b"\n")
        other.encoded.clear()
        self.assertEqual(self.counted({"S1": 101.0}), (1, 1))
        self.assertEqual((other.count(Update), other.count(PriceUpdate)), (1, 1))

    def test_the_pieces_make_the_message_in_both_codecs(self) -> None:
        client = self.house.connect_binary()
        for kind in (TICKER, TICKER_JSON):
            client.send(kind, "subscribe", symbols=["S1"])
            client.received()
            self.beat({"S1": 101.0 + kind})
            [(came, message)] = client.received()
            self.assertEqual(came, kind)
            self.assertEqual((message["type"], message["updates"]["S1"]["price"]), ("price_update", 101.0 + kind))


class HearingTests(FeedTestCase):
    """Only what changed, and only to those who have it."""

    def test_only_what_one_subscribed_to(self) -> None:
        ann, bob = self.subscriber("S1", "S2"), self.subscriber("S2", "S3")
        self.beat({"S1": 101.0, "S2": 102.0, "S3": 103.0, "S4": 104.0})
        self.assertEqual(self.prices(ann), [{"S1": 101.0, "S2": 102.0}])
        self.assertEqual(self.prices(bob), [{"S2": 102.0, "S3": 103.0}])

    def test_only_what_changed(self) -> None:
        ann = self.subscriber("S1", "S2")
        self.beat({"S1": 101.0, "S2": 100.0})
        self.assertEqual(self.prices(ann), [{"S1": 101.0}])

    def test_when_nothing_changed_nothing_comes(self) -> None:
        ann = self.subscriber("S1")
        self.beat({"S1": 100.0, "S2": 102.0})
        self.beat({})
        self.assertEqual(ann.received(), [])

    def test_few_symbols_of_many_and_many_of_few(self) -> None:
        """Whichever is less is walked over."""
        few, many = self.subscriber("S1"), self.subscriber("*")
        self.beat(dict.fromkeys(FIRST, 101.0))
        self.beat({"S1": 102.0})
        self.assertEqual(self.prices(few), [{"S1": 101.0}, {"S1": 102.0}])
        self.assertEqual(self.prices(many), [dict.fromkeys(FIRST, 101.0), {"S1": 102.0}])


class LagTests(FeedTestCase):
    """Subscribers who do not read."""

    def setUp(self) -> None:
        super().setUp()
        self.ann = self.subscriber("S1", "S2")
        self.ann.lag()

    def test_it_gets_the_newest_of_each_symbol_and_how_many_were_folded_in(self) -> None:
        for price in (101.0, 102.0, 103.0):
            self.beat({"S1": price, "S3": price})
        self.beat({"S2": 200.0})
        self.assertEqual(self.ann.received(), [])
        self.ann.catch_up()
        [message] = self.ann.received()
        self.assertEqual({s: u["price"] for s, u in message["updates"].items()}, {"S1": 103.0, "S2": 200.0})
        self.assertEqual(message["merged"], 2)
        self.assertEqual(message["at"], 1_700_000_004_000)

    def test_change_is_still_against_the_beat_before(self) -> None:
        self.beat({"S1": 110.0})
        self.beat({"S1": 111.0})
        self.ann.catch_up()
        [message] = self.ann.received()
        self.assertEqual(message["updates"]["S1"]["change"], 1.0)

    def test_when_nothing_was_folded_nothing_is_said_of_it(self) -> None:
        self.beat({"S1": 101.0})
        self.ann.catch_up()
        [message] = self.ann.received()
        self.assertNotIn("merged", message)

    def test_it_then_goes_on_as_before(self) -> None:
        self.beat({"S1": 101.0})
        self.beat({"S1": 102.0})
        self.ann.catch_up()
        self.ann.received()
        self.beat({"S1": 103.0})
        [message] = self.ann.received()
        self.assertEqual(message["updates"]["S1"]["price"], 103.0)
        self.assertNotIn("merged", message)

    def test_each_time_only_what_was_folded_since_the_last_is_counted(self) -> None:
        for price in (101.0, 102.0, 103.0):
            self.beat({"S1": price})
        self.ann.catch_up()
        self.assertEqual(self.ann.received()[0]["merged"], 2)
        self.ann.lag()
        for price in (104.0, 105.0):
            self.beat({"S1": price})
        self.ann.catch_up()
        self.assertEqual(self.ann.received()[0]["merged"], 1)

    def test_the_others_do_not_notice(self) -> None:
        bob = self.subscriber("S1", "S2")
        for price in (101.0, 102.0):
            self.beat({"S1": price})
        self.assertEqual(self.prices(bob), [{"S1": 101.0}, {"S1": 102.0}])

    def test_what_is_not_subscribed_any_more_does_not_come(self) -> None:
        self.beat({"S1": 101.0, "S2": 102.0})
        self.ann.send("unsubscribe", symbols=["S1"])
        self.ann.catch_up()
        self.assertEqual(self.prices(self.ann), [{"S2": 102.0}])

    def test_when_nothing_is_subscribed_any_more_nothing_comes(self) -> None:
        self.beat({"S1": 101.0})
        self.ann.send("unsubscribe", symbols=["*"])
        self.ann.catch_up()
        self.assertEqual(self.ann.received(), [])

    def test_a_snapshot_takes_the_place_of_what_waited(self) -> None:
        self.beat({"S1": 101.0})
        self.ann.send("subscribe", symbols=["S3"])
        self.ann.catch_up()
        [snapshot] = self.ann.received()
        self.assertEqual(snapshot["prices"]["S1"]["price"], 101.0)

    def test_a_long_lag_costs_no_memory(self) -> None:
        for price in range(101, 201):
            self.beat({"S1": float(price)})
        self.assertEqual(self.ann.protocol.outbox.backlog, 0)
        self.ann.catch_up()
        [message] = self.ann.received()
        self.assertEqual((message["updates"]["S1"]["price"], message["merged"]), (200.0, 99))


class RateTests(FeedTestCase):
    """C{max_rate}."""

    def test_so_many_updates_a_second_with_the_newest_of_each_symbol(self) -> None:
        ann = self.subscriber("S1", "S2", max_rate=0.25)
        for number in range(1, 9):
            self.beat({"S1": 100.0 + number, "S2": 102.0})
        first, second = ann.heard("price_update")
        self.assertEqual(first["updates"]["S1"]["price"], 101.0)
        self.assertEqual({s: u["price"] for s, u in second["updates"].items()}, {"S1": 105.0})
        self.assertEqual(second["merged"], 3)

    def test_what_waits_comes_when_its_time_has_come_even_if_nothing_changes_then(self) -> None:
        ann = self.subscriber("S1", max_rate=0.25)
        self.beat({"S1": 101.0})
        self.beat({"S1": 102.0})
        ann.received()
        self.beat()
        self.beat()
        self.assertEqual(self.prices(ann), [])
        self.beat()
        self.assertEqual(self.prices(ann), [{"S1": 102.0}])
        for _ in range(10):
            self.beat()
        self.assertEqual(self.prices(ann), [])

    def test_a_rate_above_that_of_the_beat_is_every_beat(self) -> None:
        ann = self.subscriber("S1", max_rate=1)
        bob = self.subscriber("S1", max_rate=1000)
        for price in (101.0, 102.0, 103.0):
            self.beat({"S1": price})
        for client in (ann, bob):
            self.assertEqual(self.prices(client), [{"S1": 101.0}, {"S1": 102.0}, {"S1": 103.0}])

    def test_without_a_rate_again_every_beat(self) -> None:
        ann = self.subscriber("S1", max_rate=0.1)
        self.beat({"S1": 101.0})
        ann.ask("subscribe", symbols=[])
        ann.received()
        for price in (102.0, 103.0):
            self.beat({"S1": price})
        self.assertEqual(self.prices(ann), [{"S1": 102.0}, {"S1": 103.0}])

    def test_who_also_lags_gets_one(self) -> None:
        ann = self.subscriber("S1", max_rate=0.5)
        ann.lag()
        for price in range(101, 111):
            self.beat({"S1": float(price)})
        ann.catch_up()
        self.assertEqual(self.prices(ann), [{"S1": 110.0}])

    def test_who_drops_is_forgotten(self) -> None:
        ann = self.subscriber("S1", max_rate=0.1)
        self.beat({"S1": 101.0})
        self.beat({"S1": 102.0})
        ann.drop()
        self.assertEqual(self.house.ticker.feed.waiting, set())
