"""
Prices to those who subscribed to them.

A price is encoded once a beat for each codec in use, and a message is composed of those pieces once for each
distinct set of subscriptions, whoever has it. Those who lag, or asked for fewer updates, are not sent each beat:
what changed for them is remembered by symbol, and they get the newest price of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from netplay.clients import Client
from netplay.ticker.messages import PriceUpdate, Update
from netplay.totals import Totals
from netplay.wire.codecs import Codec, Wire

_KEY = "prices"


class Subscriber:
    """
    What one client hears, and what it was not sent yet.

    @ivar symbols: its subscriptions.
    @ivar everything: whether it also hears symbols that are yet to come.
    @ivar max_rate: updates a second at most, C{None} for every beat.
    """

    __slots__ = ("_feed", "_merged", "_sent", "_unsent", "client", "everything", "max_rate", "symbols")

    def __init__(self, client: Client, feed: Feed) -> None:
        self.client = client
        self.symbols: frozenset[str] = frozenset()
        self.everything = False
        self.max_rate: float | None = None
        self._feed = feed
        self._unsent: dict[str, None] = {}
        self._merged = 0
        self._sent = -1e9

    def renew(self, symbols: frozenset[str]) -> None:
        """It gets a snapshot of these now: nothing older is of interest."""
        self._feed.move(self, symbols)
        self.drop()

    def keep_only(self, symbols: frozenset[str]) -> None:
        """It hears fewer symbols."""
        self._feed.move(self, symbols)
        for symbol in [symbol for symbol in self._unsent if symbol not in symbols]:
            del self._unsent[symbol]
        if not self._unsent:
            self.drop()

    def drop(self) -> None:
        """Forget what was not sent."""
        self._unsent.clear()
        self._merged = 0
        self.client.forget(_KEY)
        self._feed.waiting.discard(self)

    def fold(self, symbols: Iterable[str]) -> None:
        """These changed; it cannot or would not have them just now."""
        for symbol in symbols:
            if symbol in self._unsent:
                self._merged += 1
            self._unsent[symbol] = None
        self._feed.waiting.add(self)

    def flush(self, now: float) -> None:
        """Offer what was not sent, if its rate allows; it goes out when the client has caught up."""
        if self.max_rate is not None and now - self._sent < 1 / self.max_rate - 1e-3:
            return
        self._sent = now
        self._feed.waiting.discard(self)
        self.client.offer(_KEY, self._newest)

    def _newest(self) -> PriceUpdate:
        unsent, self._unsent = self._unsent, {}
        merged, self._merged = self._merged, 0
        self._feed.waiting.discard(self)
        self._feed.totals.delivered += 1
        self._feed.totals.folded += merged
        return PriceUpdate(updates=self._feed.newest(unsent), at=self._feed.at, merged=merged)


class Feed:
    """
    All subscribers, grouped by what they hear.

    @param totals: where it is counted what is published and delivered; the daemon's.
    @ivar at: milliseconds since 1970 of the newest beat.
    @ivar waiting: subscribers with something unsent that is not on offer yet.
    """

    def __init__(self, totals: Totals | None = None) -> None:
        self.totals = totals or Totals()
        self.at = 0
        self.waiting: set[Subscriber] = set()
        self._groups: dict[frozenset[str], dict[Subscriber, None]] = {}
        self._newest: dict[str, Update] = {}

    def move(self, subscriber: Subscriber, symbols: frozenset[str]) -> None:
        """A subscriber hears these symbols from now on; with none, nothing."""
        group = self._groups.get(subscriber.symbols)
        if group is not None:
            group.pop(subscriber, None)
            if not group:
                del self._groups[subscriber.symbols]
        subscriber.symbols = symbols
        if symbols:
            self._groups.setdefault(symbols, {})[subscriber] = None

    def newest(self, symbols: Mapping[str, object]) -> dict[str, Update]:
        """The last update of each of these symbols."""
        return {symbol: self._newest[symbol] for symbol in symbols}

    def publish(self, updates: dict[str, Update], at: int, now: float) -> None:
        """
        One beat.

        @param updates: what changed.
        @param at: when, in milliseconds since 1970.
        @param now: the clock's seconds, for C{max_rate}.
        """
        self.at = at
        self._newest.update(updates)
        if updates:
            encoded: dict[Codec, dict[str, msgspec.Raw]] = {}
            changed = frozenset(updates)
            for symbols, group in list(self._groups.items()):
                heard = symbols & changed
                if heard:
                    self._send(heard, list(group), encoded, updates)
        for subscriber in list(self.waiting):
            subscriber.flush(now)

    def _send(
        self,
        heard: frozenset[str],
        group: list[Subscriber],
        encoded: dict[Codec, dict[str, msgspec.Raw]],
        updates: dict[str, Update],
    ) -> None:
        frames: dict[Wire, bytes] = {}
        folded = 0
        for subscriber in group:
            client = subscriber.client
            if subscriber.max_rate is not None or subscriber._unsent or client.lagging:
                subscriber.fold(heard)
                folded += 1
                continue
            wire = client.wire
            frame = frames.get(wire)
            if frame is None:
                pieces = encoded.get(wire.codec)
                if pieces is None:
                    encode = wire.codec.encode
                    pieces = encoded[wire.codec] = {s: msgspec.Raw(encode(u)) for s, u in updates.items()}
                composed = PriceUpdate(updates={symbol: pieces[symbol] for symbol in heard}, at=self.at)
                frame = frames[wire] = wire.encode(composed)
            client.outbox.write(frame)
        self.totals.published += 1
        self.totals.delivered += len(group) - folded
