"""The ticker as a feature of the daemon: the market, its beat, and who hears of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.application.service import Service
from twisted.plugin import IPlugin
from zope.interface import implementer

from netplay.beat import Beat
from netplay.clients import Client
from netplay.core import Core
from netplay.interfaces import (
    IDescribed,
    IFeature,
    IMessageService,
    IOperated,
    IPriceSource,
    IPriceSourcePlugin,
)
from netplay.operations import Operation
from netplay.options import number, plugin_named
from netplay.people import People, Person
from netplay.ticker.alerts import Alerts
from netplay.ticker.feed import Feed
from netplay.ticker.market import Market, Quote, sound
from netplay.ticker.messages import EVENTS, REQUESTS, Alerted, Update
from netplay.ticker.operations import operations
from netplay.ticker.protocol import TickerFactory
from netplay.ticker.session import TickerSession
from netplay.times import iso

MOST_MISSED = 100
"""Alerts that are kept for someone who may come back."""


@implementer(IMessageService, IOperated, IDescribed)
class TickerService(Service):
    """
    The ticker of one daemon.

    @param source: where prices come from.
    @param interval: seconds from beat to beat.
    """

    requests = REQUESTS
    events = EVENTS

    def __init__(self, core: Core, source: IPriceSource, interval: float) -> None:
        self.core = core
        self.factory = TickerFactory(core, "ticker", self)
        self.people = People("Trader")
        self.market = Market(source.symbols, source.first(), core.now())
        self.alerts = Alerts()
        self.feed = Feed(core.totals)
        self.source: Any = source
        self.operations: Sequence[Operation] = operations(self)
        self._beat = Beat(core.clock, interval, self._next, "ticker: in a beat", core.totals.pace("ticker"))
        self._sessions: dict[str, TickerSession] = {}
        self._missed: dict[str, list[Alerted]] = {}

    def startService(self) -> None:
        """Begin to beat."""
        super().startService()
        self._beat.start()

    def stopService(self) -> None:
        """The market rests."""
        super().stopService()
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

    def _next(self) -> None:
        core = self.core
        wall = core.wall()
        at = int(wall * 1000)
        timestamp = iso(wall)
        prices = self.source.next()
        quotes = [*self._enlist(prices, at), *self.market.apply(prices, at)]
        updates = {q.symbol: Update(q.price, q.emoji, q.change, timestamp) for q in quotes}
        self.feed.publish(updates, at, core.clock.seconds())
        for quote in quotes:
            self._tell_alerts(quote, at, timestamp)

    def _enlist(self, prices: Mapping[str, float], at: int) -> list[Quote]:
        """Take up symbols that the source did not have before. Who hears everything hears them too."""
        market, known = self.market, self.source.symbols
        if len(known) == len(market.symbols):
            return []
        quotes = [
            market.enlist(symbol, known[symbol], price, at)
            for symbol, price in prices.items()
            if symbol in known and symbol not in market.symbols and sound(price)
        ]
        everything = frozenset(market.symbols)
        for session in self._sessions.values():
            if session.subscriber.everything:
                self.feed.move(session.subscriber, everything)
        return quotes

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
            "Where prices come from: walk:, walk:seed=7 (random, the same each time), csv:PATH or push: (the API)",
        ],
    ]

    def build(self, options: Mapping[str, Any], core: Core) -> TickerService:
        """With C{--prices} and C{--ticker-interval}."""
        plugin, argument = plugin_named(IPriceSourcePlugin, "--prices", options["prices"])
        return TickerService(core, plugin.build(argument), options["ticker-interval"])
