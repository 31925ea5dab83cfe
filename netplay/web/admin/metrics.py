"""What the daemon counts, for Prometheus. All is collected when it is asked for; nothing here is called otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, choose_encoder
from prometheus_client.registry import Collector

import netplay
from netplay.core import Core
from netplay.totals import Histogram, Traffic
from netplay.web.problems import Page

WATCH = "watch"
"""The pace that tells how late the reactor is: it ticks once a second and does little."""


def metrics(core: Core) -> Page:
    """C{/metrics}: as text, or as OpenMetrics to those who ask for it."""
    registry = CollectorRegistry()
    registry.register(CoreCollector(core))
    ProcessCollector(registry=registry)

    def show(request: Any) -> tuple[bytes, str]:
        try:
            encode, content_type = choose_encoder(request.getHeader("accept") or "")
        except (TypeError, ValueError):  # a version that is no number
            encode, content_type = generate_latest, CONTENT_TYPE_PLAIN_0_0_4
        return encode(registry), content_type

    return Page(show)


class CoreCollector(Collector):
    """The numbers of one daemon. None of them is about one client: there is nothing personal in them."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def collect(self) -> Iterator[Metric]:
        """All of them, as they are now."""
        yield InfoMetricFamily("netplay", "What runs here.", {"version": netplay.__version__})
        yield from self._connections()
        yield from self._messages()
        yield from self._slow_readers()
        core = self._core
        yield _counter("netplay_errors", "What clients were refused, by code.", "code", core.complaints.total)
        yield _counter("netplay_connections_refused", "Connections that were not let in.", "reason", core.gate.refused)
        yield _gauge("netplay_bans", "Bans that last.", len(core.moderation.sanctions.all("ban", core.now())))
        yield from self._times()

    def _connections(self) -> Iterator[Metric]:
        connections = GaugeMetricFamily(
            "netplay_connections", "Connections, by the port that they came to.", labels=("port", "framing")
        )
        clients = GaugeMetricFamily(
            "netplay_clients", "Features in use on connections.", labels=("feature", "framing", "codec")
        )
        ports: Counter[tuple[str, ...]] = Counter()
        used: Counter[tuple[str, ...]] = Counter()
        traffic = dict(self._core.totals.past)
        for connection in self._core.watch.connections:
            port = connection.factory
            ports[port.feature, connection.framing_name] += 1
            for client in connection.clients():
                used[client.feature, connection.framing_name, client.wire.codec.name] += 1
            traffic[port.feature] = traffic.get(port.feature, Traffic()).plus(connection.traffic())
        for labels, n in sorted(ports.items()):
            connections.add_metric(labels, n)
        for labels, n in sorted(used.items()):
            clients.add_metric(labels, n)
        yield connections
        yield clients
        for name, what, pick in (
            ("netplay_received_bytes", "Bytes that came.", lambda of: of.bytes_in),
            ("netplay_sent_bytes", "Bytes that the transports have taken.", lambda of: of.bytes_out),
            ("netplay_received_messages", "Messages that clients sent.", lambda of: of.messages_in),
            ("netplay_merged_offers", "States that a newer one replaced before it was sent.", lambda of: of.merged),
        ):
            yield _counter(name, what, "port", {port: pick(of) for port, of in traffic.items()})

    def _messages(self) -> Iterator[Metric]:
        totals = self._core.totals
        for name, what, n in (
            ("netplay_published_messages", "Messages to everyone in a room, or who hears the same.", totals.published),
            ("netplay_delivered_messages", "These, times those who heard them.", totals.delivered),
            ("netplay_merged_prices", "Prices that a newer one replaced before it was sent.", totals.folded),
        ):
            yield CounterMetricFamily(name, what, value=n)

    def _slow_readers(self) -> Iterator[Metric]:
        totals = self._core.totals
        backlogs = [connection.outbox.backlog for connection in self._core.watch.connections]
        yield _gauge("netplay_backlog_bytes", "Bytes that wait to be sent.", sum(backlogs))
        yield _gauge("netplay_backlog_max_bytes", "Bytes that wait for the slowest.", max(backlogs, default=0))
        yield _counter(
            "netplay_slow_readers",
            "Clients that did not read: not read from for a while (paused), cut off because too much waited "
            "(overflowed) or because they took nothing (stalled).",
            "event",
            {"paused": totals.paused, "overflowed": totals.overflowed, "stalled": totals.stalled},
        )

    def _times(self) -> Iterator[Metric]:
        totals = self._core.totals
        ticks = {name: pace for name, pace in sorted(totals.paces.items()) if name != WATCH}
        yield _histogram("netplay_flush", "How long sending what a turn brought to a room took.", {"": totals.flushes})
        yield _histogram("netplay_tick", "How long ticks took.", {of: pace.duration for of, pace in ticks.items()})
        yield _histogram("netplay_tick_late", "How late ticks began.", {of: pace.late for of, pace in ticks.items()})
        dropped = {of: pace.dropped for of, pace in ticks.items()}
        yield _counter("netplay_dropped_ticks", "Ticks left out because too many were late.", "of", dropped)
        yield _histogram("netplay_reactor_lag", "How late a timer of one second was.", {"": totals.pace(WATCH).late})


def _counter(name: str, what: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, what, labels=(label,))
    for value, n in sorted(values.items()):
        family.add_metric((value,), n)
    return family


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value=value)


def _histogram(name: str, what: str, histograms: Mapping[str, Histogram]) -> Metric:
    """In seconds; by what they belong to, where there is more than one."""
    labels = () if list(histograms) == [""] else ("of",)
    family = HistogramMetricFamily(name, what, labels=labels, unit="seconds")
    for of, histogram in histograms.items():
        bounds = [*(str(bound) for bound in histogram.bounds), "+Inf"]
        buckets = list(zip(bounds, accumulate(histogram.counts), strict=True))
        family.add_metric((of,)[: len(labels)], buckets, histogram.sum)
    return family
