"""The ticker as a feature of the daemon: the market, its beat, and who hears of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
from netplay.ticker.charts import Charts
from netplay.ticker.feed import Feed
from netplay.ticker.market import Market, Quote, sound
from netplay.ticker.messages import EVENTS, REQUESTS, Update
from netplay.ticker.notices import Notices, owner_of
from netplay.ticker.operations import operations
from netplay.ticker.protocol import TickerFactory
from netplay.ticker.session import TickerSession
from netplay.times import iso

if TYPE_CHECKING:
    from netplay.accounts.account import Account


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
        self.charts = Charts(self.market, core.store.candles)
        self.alerts = Alerts()
        self.notices = Notices(self.alerts, core)
        self.feed = Feed(core.totals)
        self.source: Any = source
        self.operations: Sequence[Operation] = operations(self)
        self._beat = Beat(core.clock, interval, self._next, "ticker: in a beat", core.totals.pace("ticker"))
        self._sessions: set[TickerSession] = set()

    def startService(self) -> None:
        """Begin to beat. The first prices are those of a beat, too."""
        super().startService()
        self.notices.load()
        self._note([self.market.quote(symbol) for symbol in self.market.symbols], self.core.wall())
        self._beat.start()

    def stopService(self) -> None:
        """The market rests."""
        super().stopService()
        self._beat.stop()

    def connected(self, client: Client) -> TickerSession:
        """Someone comes to watch prices."""
        return TickerSession(client, self)

    def arrived(self, session: TickerSession) -> None:
        """A session has found whom it serves."""
        self.people.add(session.person)
        self._sessions.add(session)

    def departed(self, session: TickerSession) -> None:
        """That person is not here just now."""
        self._sessions.discard(session)
        self.notices.departed(session)

    def logged_in(self, session: TickerSession, account: Account) -> None:
        """That person is an account from now on, which has what the guest has set."""
        self.notices.departed(session)
        guest = owner_of(session.person)
        self.people.log_in(session.person, account)
        self.notices.hand_over(guest, owner_of(session.person))
        self.notices.arrived(session)

    def forget(self, person: Person) -> None:
        """That person will not come back."""
        self.people.remove(person)
        self.notices.forget(person)

    def _next(self) -> None:
        core = self.core
        wall = core.wall()
        at = int(wall * 1000)
        timestamp = iso(wall)
        prices = self.source.next()
        quotes = [*self._enlist(prices, at), *self.market.apply(prices, at)]
        updates = {q.symbol: Update(q.price, q.emoji, q.change, timestamp) for q in quotes}
        self.feed.publish(updates, at, core.clock.seconds())
        self._note(quotes, wall)

    def _note(self, quotes: Sequence[Quote], wall: float) -> None:
        """These symbols have new prices: what else is to be done when they are told."""
        for quote in quotes:
            self.notices.crossed(quote, wall)
        if quotes:
            prices = [(quote.symbol, quote.price) for quote in quotes]
            self.core.keeping.keep("prices", self.core.store.candles.add, prices, int(wall * 1000))

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
        for session in self._sessions:
            if session.subscriber.everything:
                self.feed.move(session.subscriber, everything)
        return quotes


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
