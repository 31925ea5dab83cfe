"""Tests of L{netplay.web.admin.metrics}: what is counted is what happened."""

from __future__ import annotations

import re
from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

import netplay
from netplay.steps import Steps
from tests.features import House, LineClient, Peer, upgrade_request
from tests.web.admin.asking import AdminCase
from tests.web.admin.test_openapi import PAGE

OPENMETRICS = "application/openmetrics-text"


class MetricsTests(AdminCase):
    """C{/metrics}, read as Prometheus does."""

    token = None

    def make_house(self) -> House:
        return House(send_queue=100_000, max_per_address=5)

    def value(self, name: str, **labels: str) -> float | None:
        """A sample; C{None} if there is none with these labels."""
        text = self.get("/metrics").body.decode()
        samples = [sample for family in parse(text) for sample in family.samples]
        found = [sample.value for sample in samples if (sample.name, sample.labels) == (f"netplay_{name}", labels)]
        return found[0] if found else None

    def test_what_runs_here(self) -> None:
        self.assertEqual(self.value("info", version=netplay.__version__), 1)

    def test_the_page_for_people_has_them_all(self) -> None:
        families = {family.name for family in parse(self.get("/metrics").body.decode())}
        ours = {name for name in families if name.startswith("netplay_")}
        explained = {name.removesuffix("_total") for name in re.findall(r"`(netplay_\w+)`", PAGE.read_text())}
        self.assertEqual({name.removesuffix("_total") for name in ours}, explained)

    def test_the_process(self) -> None:
        self.assertIn(b"\nprocess_open_fds ", self.get("/metrics").body)

    def test_connections_and_clients(self) -> None:
        self.house.connect("chat")
        self.house.connect_echo()
        binary = self.house.connect_binary()
        binary.frame(16, b"")
        binary.frame(33, b"")
        web = [Peer(self.house, self.house.web.factory) for _ in range(2)]
        web[0].write(upgrade_request("/ws/ticker"))
        self.assertEqual(self.value("connections", port="chat", framing="lines"), 1)
        self.assertEqual(self.value("connections", port="echo", framing="bytes"), 1)
        self.assertEqual(self.value("connections", port="binary", framing="frames"), 1)
        self.assertEqual(self.value("clients", feature="chat", framing="lines", codec="json"), 1)
        self.assertEqual(self.value("clients", feature="chat", framing="frames", codec="msgpack"), 1)
        self.assertEqual(self.value("clients", feature="game", framing="frames", codec="json"), 1)

        self.assertEqual(self.value("connections", port="web", framing="http"), 1)
        self.assertEqual(self.value("connections", port="web", framing="websocket"), 1)
        self.assertEqual(self.value("clients", feature="ticker", framing="websocket", codec="json"), 1)

    def test_traffic_of_connections_that_are_there_and_that_are_gone(self) -> None:
        for stays in (False, True):
            echo = self.house.connect_echo()
            echo.write(b"hello")
            if not stays:
                echo.drop()
        self.assertEqual(self.value("received_bytes_total", port="echo"), 10)
        self.assertEqual(self.value("sent_bytes_total", port="echo"), 10)
        self.assertEqual(self.value("received_messages_total", port="echo"), 2)

    def test_published_times_those_who_heard_it(self) -> None:
        ann, _ = self.house.connect("chat"), self.house.connect("chat")
        self.house.wait(2)
        published, delivered = self.value("published_messages_total"), self.value("delivered_messages_total")
        assert published is not None
        assert delivered is not None
        ann.send("chat", text="hi")
        ann.read()
        self.assertEqual(self.value("published_messages_total"), published + 1)
        self.assertEqual(self.value("delivered_messages_total"), delivered + 2)
        self.assertEqual(self.value("flush_seconds_count"), 2)  # presence came before

    def test_prices_are_published_and_merged_too(self) -> None:
        self.house.connect("ticker").ask("subscribe", symbols=["*"])
        slow = self.house.connect("ticker")
        slow.ask("subscribe", symbols=["*"], max_rate=0.4)
        prices: Any = self.house.prices
        for price in (1.0, 2.0, 3.0, 4.0):
            prices.coming = {"AAPL": price}
            self.house.wait(1)
        merged = sum(message.get("merged", 0) for message in slow.heard("price_update"))
        self.assertEqual(merged, 2)
        self.assertEqual(self.value("merged_prices_total"), 2)
        self.assertEqual(self.value("published_messages_total"), 4)
        self.assertEqual(self.value("delivered_messages_total"), 4 + 2)

    def slow_client(self) -> LineClient:
        """Somebody in chat who does not read, with 30 kB that wait for it."""
        slow = self.house.connect("chat")
        slow.lag()
        self.say(slow, 30)
        return slow

    def say(self, client: LineClient, kilobytes: int) -> None:
        for _ in range(kilobytes):
            client.send("chat", text="x" * 1000)
            self.house.clock.advance(0)

    def test_the_backlog(self) -> None:
        self.slow_client()
        backlog = self.value("backlog_bytes")
        assert backlog is not None
        self.assertGreater(backlog, 30_000)
        self.assertEqual(self.value("backlog_max_bytes"), backlog)

    def test_one_who_does_not_read_is_not_read_from_and_then_cut_off(self) -> None:
        slow = self.slow_client()
        self.say(slow, 40)
        self.assertEqual(self.value("slow_readers_total", event="paused"), 1)
        self.assertEqual(self.value("slow_readers_total", event="overflowed"), 0)
        self.say(self.house.connect("chat"), 40)
        self.assertEqual(self.value("slow_readers_total", event="paused"), 1)
        self.assertEqual(self.value("slow_readers_total", event="overflowed"), 1)
        self.assertEqual(self.value("slow_readers_total", event="stalled"), 0)
        self.assertEqual(self.value("errors_total", code="slow_consumer"), 1)

    def test_one_who_takes_nothing_for_long_is_cut_off(self) -> None:
        self.slow_client()
        self.house.wait(121)
        self.assertEqual(self.value("slow_readers_total", event="stalled"), 1)
        self.assertEqual(self.value("slow_readers_total", event="overflowed"), 0)

    def test_states_that_were_merged(self) -> None:
        slow = self.house.connect("game")
        slow.send("move", dx=1)
        self.house.wait(1)
        slow.lag()
        for _ in range(3):
            slow.send("move", dx=1)
            self.house.wait(1)
        self.assertEqual(self.value("merged_offers_total", port="game"), 2)

    def test_errors_and_refusals(self) -> None:
        for _ in range(5):
            self.house.connect("chat").send("nonsense")
        self.house.connect_echo()
        self.core.moderation.impose("ban", "network:192.0.2.7/32", None, 60, "", "ann")
        self.house.connect_echo()
        self.assertEqual(self.value("errors_total", code="unknown_type"), 5)
        self.assertEqual(self.value("connections_refused_total", reason="address_full"), 1)
        self.assertEqual(self.value("connections_refused_total", reason="banned"), 1)
        self.assertEqual(self.value("bans"), 1)

    def test_times(self) -> None:
        self.house.wait(10)
        self.assertEqual(self.value("reactor_lag_seconds_count"), 10)
        self.assertEqual(self.value("tick_seconds_count", of="ticker"), 10)
        self.assertIsNone(self.value("tick_seconds_count", of="watch"))
        self.house.clock.advance(1.7)  # a turn that took too long
        self.assertEqual(self.value("reactor_lag_seconds_bucket", le="0.5"), 10)
        self.assertEqual(self.value("reactor_lag_seconds_bucket", le="1.0"), 11)
        self.assertEqual(self.value("tick_late_seconds_bucket", of="ticker", le="0.5"), 10)
        self.assertEqual(self.value("tick_late_seconds_bucket", of="ticker", le="1.0"), 11)

    def test_states_of_a_game_are_its_ticks(self) -> None:
        player = self.house.connect("game")
        self.house.wait(1)
        before = self.value("tick_seconds_count", of="game")
        assert before is not None
        player.send("move", dx=1)
        player.send("move", dx=1)
        self.house.wait(1)
        player.send("move", dx=1)
        self.house.wait(1)
        self.assertEqual(self.value("tick_seconds_count", of="game"), before + 2)
        self.assertEqual(self.value("tick_late_seconds_bucket", of="game", le="0.0001"), before + 2)

    def test_steps_that_are_too_late_are_dropped(self) -> None:
        steps = Steps(self.house.clock, 0.05, lambda: None, self.fail, self.core.totals.pace("game"), bound=5)
        steps.start()
        self.addCleanup(steps.stop)
        self.house.clock.advance(1)
        self.assertEqual(self.value("dropped_ticks_total", of="game"), 15)
        self.assertEqual(self.value("dropped_ticks_total", of="ticker"), 0)

    def test_there_is_nothing_personal_in_it(self) -> None:
        ann = self.house.connect("chat")
        ann.ask("set_name", name="Ann-with-a-name")
        ann.send("chat", text="a-secret")
        body = self.get("/metrics").body
        for private in (b"Ann-with", b"User_1", b"a-secret", b"192.0.2.7", ann.hello["session"].encode()):
            self.assertNotIn(private, body)


class FormatTests(AdminCase):
    """Which text is sent."""

    token = None

    def test_the_text_that_every_version_reads(self) -> None:
        answered = self.get("/metrics")
        self.assertEqual(answered.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")

    def test_openmetrics_to_those_who_ask_for_it(self) -> None:
        answered = self.get("/metrics", Accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
        self.assertTrue(answered.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0"))
        families = {family.name: family for family in parse_openmetrics(answered.body.decode())}
        self.assertEqual(families["netplay_published_messages"].type, "counter")
        self.assertEqual(families["netplay_reactor_lag_seconds"].type, "histogram")

    def test_an_accept_that_makes_no_sense(self) -> None:
        for accept in (
            "application/openmetrics-text;version=x",
            "text/plain;version=1.x.0",
            "application/openmetrics-text;version=99",
            ";;;,=",
            "x" * 5000,
        ):
            self.assertEqual(self.get("/metrics", Accept=accept).status, 200, accept)
