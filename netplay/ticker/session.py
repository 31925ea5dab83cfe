"""One client of the ticker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import Deferred
from zope.interface import implementer

from netplay.interfaces import ISession
from netplay.messages import ANSWERED, COMMON, Error, Event, Identity, Resume, Resumed
from netplay.people import Person
from netplay.session import COMMON_HANDLERS, Session
from netplay.ticker.alerts import Alert
from netplay.ticker.feed import Subscriber
from netplay.ticker.messages import (
    REQUESTS,
    AlertLine,
    AlertList,
    AlertSet,
    AskAlerts,
    AskHistory,
    CancelAlert,
    History,
    PriceNow,
    SetAlert,
    Snapshot,
    Subscribe,
    Unsubscribe,
    Welcome,
)
from netplay.wire.grammar import Grammar

if TYPE_CHECKING:
    from netplay.accounts.account import Account
    from netplay.clients import Client
    from netplay.ticker.feature import TickerService

ALL = "*"

MOST_POINTS = 1000
"""Points or candles in one reply, at most."""


@dataclass(slots=True)
class Subscriptions:
    """What somebody hears."""

    symbols: tuple[str, ...]
    everything: bool
    max_rate: float | None


@dataclass(slots=True)
class Kept:
    """What someone who may come back left behind."""

    person: Person
    subscriptions: Subscriptions


@implementer(ISession)
class TickerSession(Session):
    """
    @param client: whom it serves.
    @param ticker: the market and its feed.
    """

    __slots__ = ("_ticker", "person", "subscriber")

    grammar = Grammar((*REQUESTS, *COMMON))
    client: Client

    def __init__(self, client: Client, ticker: TickerService) -> None:
        super().__init__(client, ticker.core)
        self._ticker = ticker
        self.subscriber = Subscriber(client, ticker.feed)
        self.person = Person(ticker.people.number(), client.account)
        symbols = list(ticker.market.symbols)
        named = client.fit(symbols)
        client.greet(
            Welcome(
                client_id=self.person.id,
                available_stocks=named,
                message=f"Welcome {self.person.name}! 📈",
                more=len(named) < len(symbols),
            ),
            self.person.identity(),
        )
        ticker.arrived(self)
        ticker.notices.arrived(self)

    def identity(self) -> Identity:
        """Who it serves."""
        return self.person.identity()

    def logged_in(self, account: Account) -> None:
        """Called as the account is; its alerts are heard here, too."""
        self._ticker.logged_in(self, account)

    def subscribe(self, message: Subscribe) -> Event | None:
        """The prices now, and those to come."""
        known = self._ticker.market.symbols
        wanted = known if ALL in message.symbols else message.symbols
        self.subscriber.everything |= ALL in message.symbols
        self.subscriber.max_rate = message.max_rate
        self.subscriber.renew(self.subscriber.symbols.union(s for s in wanted if s in known))
        self.client.keep()
        snapshot = self._snapshot()
        unknown = [s for s in dict.fromkeys(message.symbols) if s not in known and s != ALL]
        if not unknown:
            return snapshot
        self.client.send(snapshot, message.ref)
        self.client.send(
            Error(
                code="no_such_symbol",
                message="there are no such symbols; the welcome lists those there are",
                field="$.symbols",
                symbols=self.client.fit(unknown),
            )
        )
        return ANSWERED

    def _snapshot(self) -> Snapshot:
        """All prices that it hears: sends all pages but the last one, which is returned."""
        market = self._ticker.market
        quotes = (market.quote(symbol) for symbol in market.symbols if symbol in self.subscriber.symbols)
        left = [(quote.symbol, PriceNow(quote.price, quote.emoji)) for quote in quotes]
        while True:
            page = self.client.fit(left)
            left = left[len(page) :]
            snapshot = Snapshot(prices=dict(page), more=bool(left))
            if not left:
                return snapshot
            self.client.send(snapshot)

    def unsubscribe(self, message: Unsubscribe) -> None:
        """Fewer prices."""
        had = self.subscriber.symbols
        if message.symbols:
            self.subscriber.everything = False
        self.subscriber.keep_only(frozenset() if ALL in message.symbols else had.difference(message.symbols))
        self.client.keep()

    def history(self, message: AskHistory) -> Deferred[Event]:
        """How a price went."""
        return Deferred.fromCoroutine(self._history(message))

    async def _history(self, message: AskHistory) -> Event:
        charts = self._ticker.charts
        symbol, since = message.symbol, message.since
        limit = min(message.limit or MOST_POINTS, MOST_POINTS)
        newest = since is None
        if message.candles is not None:
            candles, more = await charts.candles(symbol, message.candles, limit, since)
            shown = self.client.fit(candles, newest=newest)
            return History(symbol=symbol, candles=shown, more=more or len(shown) < len(candles))
        points, more = await charts.points(symbol, limit, since)
        page = self.client.fit(points, newest=newest)
        return History(symbol=symbol, points=page, more=more or len(page) < len(points))

    def set_alert(self, message: SetAlert) -> Deferred[Event]:
        """To be told when a price crosses a threshold."""
        alert = self._ticker.notices.set(
            self.person,
            message.symbol,
            above=message.above,
            below=message.below,
            once=message.once,
            price_now=self._ticker.market.quote(message.symbol).price,
        )
        return alert.addCallback(_set)

    def alerts(self, message: AskAlerts) -> Event:
        """What was set."""
        lines = [_line(alert) for alert in self._ticker.notices.of(self.person)]
        if message.after is not None:
            last = (len(message.after), message.after)  # in the order of the numbers that ids are
            lines = [line for line in lines if (len(line.alert), line.alert) > last]
        page = self.client.fit(lines)
        return AlertList(alerts=page, more=len(page) < len(lines))

    def cancel_alert(self, message: CancelAlert) -> Deferred[None]:
        """Not to be told."""
        return self._ticker.notices.cancel(self.person, message.alert)

    # Going and coming back

    def lost(self) -> Kept:
        """Hear nothing; the alerts stay until nobody has come back for them."""
        kept = Kept(self.person, self._subscriptions())
        self._go()
        return kept

    def _go(self) -> None:
        self.subscriber.renew(frozenset())
        self._ticker.departed(self)

    def resumed(self, kept: Kept, request: Resume) -> None:
        """Be who one was before, with one's subscriptions and what was missed of one's alerts."""
        self._go()
        self._ticker.forget(self.person)
        self.person = kept.person
        self.person.back(self.client.account)
        self._ticker.arrived(self)
        self._greet_again(request)
        self._ticker.notices.arrived(self)
        self._take_up(kept.subscriptions)

    def keep(self) -> bytes:
        """What it is subscribed to."""
        return msgspec.json.encode(self._subscriptions())

    def restored(self, state: bytes, request: Resume) -> None:
        """Hear again what one has heard."""
        self._greet_again(request)
        self._take_up(msgspec.json.decode(state, type=Subscriptions))

    def _subscriptions(self) -> Subscriptions:
        subscriber = self.subscriber
        symbols = () if subscriber.everything else tuple(sorted(subscriber.symbols))
        return Subscriptions(symbols, subscriber.everything, subscriber.max_rate)

    def _greet_again(self, request: Resume) -> None:
        self.client.greet(Resumed(rooms={}), self.person.identity(), request.ref)

    def _take_up(self, kept: Subscriptions) -> None:
        known = self._ticker.market.symbols
        self.subscriber.max_rate = kept.max_rate
        self.subscriber.everything = kept.everything
        symbols = frozenset(known if kept.everything else known.keys() & kept.symbols)
        self.subscriber.renew(symbols)
        if symbols:
            self.client.send(self._snapshot())

    def expired(self, kept: Kept) -> None:
        """Nobody came back."""
        self._ticker.forget(kept.person)

    handlers = {
        **COMMON_HANDLERS,
        Subscribe: subscribe,
        Unsubscribe: unsubscribe,
        AskHistory: history,
        SetAlert: set_alert,
        AskAlerts: alerts,
        CancelAlert: cancel_alert,
    }


def _set(alert: Alert) -> Event:
    line = _line(alert)
    return AlertSet(**{name: getattr(line, name) for name in line.__struct_fields__})


def _line(alert: Alert) -> AlertLine:
    return AlertLine(alert.id, alert.symbol, alert.threshold, alert.direction, alert.once)
