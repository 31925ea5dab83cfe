"""The ticker as a feature of the daemon: the market, its beat, and who hears of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.application.service import Service
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.plugin import IPlugin
from zope.interface import implementer

from netplay.clients import Client
from netplay.core import Core
from netplay.interfaces import IFeature, IMessageService, IPriceSource, IPriceSourcePlugin
from netplay.options import number, plugin_named
from netplay.people import People, Person
from netplay.ticker.alerts import Alerts
from netplay.ticker.feed import Feed
from netplay.ticker.market import Market, Quote
from netplay.ticker.messages import Alerted, Update
from netplay.ticker.protocol import TickerFactory
from netplay.ticker.session import TickerSession
from netplay.times import iso

MOST_MISSED = 100
"""Alerts that are kept for someone who may come back."""


@implementer(IMessageService)
class TickerService(Service):
    """
    The ticker of one daemon.

    @param source: where prices come from.
    @param interval: seconds from beat to beat.
    """

    _log = Logger()

    def __init__(self, core: Core, source: IPriceSource, interval: float) -> None:
        self.core = core
        self.factory = TickerFactory(core, "ticker", self)
        self.people = People("Trader")
        self.market = Market(source.symbols, source.first(), core.now())
        self.alerts = Alerts()
        self.feed = Feed()
        self._source = source
        self._interval = interval
        self._beat: LoopingCall | None = None
        self._sessions: dict[str, TickerSession] = {}
        self._missed: dict[str, list[Alerted]] = {}

    def startService(self) -> None:
        """Begin to beat. LoopingCall keeps to multiples of the interval, so that lateness does not add up."""
        super().startService()
        self._beat = LoopingCall(self._safely)
        self._beat.clock = self.core.clock
        self._beat.start(self._interval, now=False)

    def stopService(self) -> None:
        """The market rests."""
        super().stopService()
        if self._beat is not None and self._beat.running:
            self._beat.stop()

    def connected(self, client: Client) -> TickerSession:
        """Someone comes to watch prices."""
        return TickerSession(client, self)

    def arrived(self, session: TickerSession) -> list[Alerted]:
        """A session has found whom it serves; returns the alerts that one has missed."""
        self.people.add(session.person)
        self._sessions[session.person.id] = session
        return self._missed.pop(session.person.id, [])

    def departed(self, session: TickerSession) -> None:
        """That person is not here just now."""
        del self._sessions[session.person.id]

    def forget(self, person: Person) -> None:
        """That person will not come back."""
        self.people.remove(person)
        self.alerts.forget(person.id)
        self._missed.pop(person.id, None)

    def _safely(self) -> None:
        try:
            self._next()
        except Exception:  # it would end the beat for good
            self._log.failure("ticker: in a beat")

    def _next(self) -> None:
        core = self.core
        wall = core.wall()
        at = int(wall * 1000)
        timestamp = iso(wall)
        quotes = self.market.apply(self._source.next(), at)
        updates = {q.symbol: Update(q.price, q.emoji, q.change, timestamp) for q in quotes}
        self.feed.publish(updates, at, core.clock.seconds())
        for quote in quotes:
            self._tell_alerts(quote, at, timestamp)

    def _tell_alerts(self, quote: Quote, at: int, timestamp: str) -> None:
        for owner, alert in self.alerts.crossed(quote.symbol, quote.price):
            alerted = Alerted(
                alert=alert.id,
                symbol=quote.symbol,
                price=quote.price,
                threshold=alert.threshold,
                direction=alert.direction,
                timestamp=timestamp,
                at=at,
            )
            session = self._sessions.get(str(owner))
            if session is not None:
                session.client.send(alerted)
            else:
                missed = self._missed.setdefault(str(owner), [])
                missed.append(alerted)
                del missed[:-MOST_MISSED]


@implementer(IPlugin, IFeature)
class TickerFeature:
    """The ticker as the daemon finds it."""

    name = "ticker"
    summary = "live prices with history and alerts, newline-delimited JSON"
    port = 9999
    order = 50
    greeting = '{"type": "subscribe", "symbols": ["AAPL", "TSLA"]}'
    frame_type = 18
    parameters: list[list[Any]] = [
        number("ticker-interval", 1, "Seconds from one beat of the ticker to the next", 0.01, 3600.0),
        [
            "prices",
            None,
            "walk:",
            "Where prices come from: walk:, walk:seed=7 (random, the same each time) or csv:PATH",
        ],
    ]

    def build(self, options: Mapping[str, Any], core: Core) -> TickerService:
        """With C{--prices} and C{--ticker-interval}."""
        plugin, argument = plugin_named(IPriceSourcePlugin, "--prices", options["prices"])
        return TickerService(core, plugin.build(argument), options["ticker-interval"])
