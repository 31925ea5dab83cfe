"""What every symbol costs and did cost: quotes, with a bounded history. A plain object; time is passed in."""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from netplay.errors import Refused

Point = tuple[int, float]
"""When (milliseconds since 1970), and the price from then on."""

Candle = tuple[int, float, float, float, float]
"""When it starts (milliseconds since 1970), then its first, highest, lowest and last price."""


def shown(amount: float) -> float:
    """As clients see it: with 2 decimals, below 1 with 6 significant digits, so that pennies can move."""
    if -1 < amount < 1:
        return float(f"{amount:.6g}")
    return round(amount, 2)


@dataclass(slots=True)
class Quote:
    """A symbol's price as shown, and by how much it differs from the one before."""

    symbol: str
    emoji: str
    price: float
    change: float = 0.0


class Market:
    """
    Every symbol's price and history.

    @param symbols: each symbol with its emoji.
    @param prices: the first price of each of them.
    @param at: when those were right.
    @param keep: how many points of each symbol's history stay, the newest; one takes 16 to 20 bytes.
    @raise ValueError: a symbol has no price to begin with.
    """

    def __init__(self, symbols: Mapping[str, str], prices: Mapping[str, float], at: int, keep: int = 3600) -> None:
        self._symbols: dict[str, str] = {}
        self._keep = keep
        self._quotes: dict[str, Quote] = {}
        self._histories: dict[str, _History] = {}
        for symbol, emoji in symbols.items():
            price = prices.get(symbol)
            if price is None or not sound(price):
                raise ValueError(f"{symbol} needs a first price above 0, not {price!r}")
            self.enlist(symbol, emoji, price, at)

    @property
    def symbols(self) -> Mapping[str, str]:
        """Each symbol with its emoji."""
        return self._symbols

    def enlist(self, symbol: str, emoji: str, price: float, at: int) -> Quote:
        """
        One more symbol.

        @param price: a L{sound} one.
        """
        self._symbols[symbol] = emoji
        self._quotes[symbol] = quote = Quote(symbol, emoji, shown(float(price)))
        self._histories[symbol] = history = _History(self._keep)
        history.add(at, quote.price)
        return quote

    def apply(self, prices: Mapping[str, float], at: int) -> list[Quote]:
        """
        One beat: take new prices and return the quotes that look different now. Unknown symbols, and prices
        that are none (not above 0, not finite), are passed over: one slip of a feed does not stop the others.
        """
        changed = []
        for symbol, price in prices.items():
            before = self._quotes.get(symbol)
            if before is None or not sound(price):
                continue
            now = shown(float(price))
            if now != before.price:
                quote = Quote(symbol, before.emoji, now, _change(before.price, now))
                self._quotes[symbol] = quote
                self._histories[symbol].add(at, now)
                changed.append(quote)
        return changed

    def quote(self, symbol: str) -> Quote:
        """
        The newest quote. Its C{change} is that of the last beat in which the price changed.

        @raise Refused: C{no_such_symbol}.
        """
        quote = self._quotes.get(symbol)
        if quote is None:
            raise _no_such(symbol)
        return quote

    def begins(self, symbol: str) -> int:
        """
        When the oldest kept point of a symbol was.

        @raise Refused: C{no_such_symbol}.
        """
        return self._history(symbol).begins

    def points(self, symbol: str, limit: int, since: int | None = None) -> list[Point]:
        """
        How the price went, oldest first: the newest C{limit} points, or the oldest C{limit} of those after
        C{since}, so that who asks again with the last point's time misses none.

        @raise Refused: C{no_such_symbol}.
        """
        return self._history(symbol).points(limit, since)

    def candles(self, symbol: str, seconds: int, limit: int, since: int | None = None) -> list[Candle]:
        """
        The kept points summed up, oldest first; stretches of time without a change are left out.

        @param seconds: how long a candle burns, 1 or more. They start at multiples of it, counted from 1970.
        @param limit: how many: the newest, or with C{since} the oldest of those that start after it.
        @raise Refused: C{no_such_symbol}.
        """
        return self._history(symbol).candles(seconds * 1000, limit, since)

    def _history(self, symbol: str) -> _History:
        history = self._histories.get(symbol)
        if history is None:
            raise _no_such(symbol)
        return history


class _History:
    """
    The newest points of one symbol.

    Two arrays of plain numbers: a sixth of the memory that tuples take, which counts with thousands of
    symbols, and any time in them is found by bisection.
    """

    __slots__ = ("_keep", "_prices", "_times")

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._times = array("q")
        self._prices = array("d")

    def add(self, at: int, price: float) -> None:
        # A clock can be set back. Times that only rise keep bisection right, and make "after this one" exact.
        if self._times:
            at = max(at, self._times[-1] + 1)
        self._times.append(at)
        self._prices.append(price)
        if len(self._times) > self._keep + self._keep // 4:  # seldom, as each cut moves all that stays
            surplus = len(self._times) - self._keep
            del self._times[:surplus]
            del self._prices[:surplus]

    @property
    def begins(self) -> int:
        return self._times[self._first()]

    def points(self, limit: int, since: int | None) -> list[Point]:
        first, end = self._first(), len(self._times)
        if since is None:
            start = max(first, end - limit)
        else:
            start = bisect_right(self._times, since, first)
            end = min(end, start + limit)
        return list(zip(self._times[start:end], self._prices[start:end], strict=True))

    def candles(self, length: int, limit: int, since: int | None) -> list[Candle]:
        newest_first = since is None
        candles: list[Candle] = []
        for candle in self._backwards(length) if since is None else self._forwards(length, since):
            if len(candles) >= limit:
                break
            candles.append(candle)
        return candles[::-1] if newest_first else candles

    def _first(self) -> int:
        return max(0, len(self._times) - self._keep)

    def _backwards(self, length: int) -> Iterator[Candle]:
        first, end = self._first(), len(self._times)
        while end > first:
            at = self._times[end - 1] // length * length
            start = bisect_left(self._times, at, first, end)
            yield self._candle(at, start, end)
            end = start

    def _forwards(self, length: int, since: int) -> Iterator[Candle]:
        start = bisect_left(self._times, (since // length + 1) * length, self._first())
        while start < len(self._times):
            at = self._times[start] // length * length
            end = bisect_left(self._times, at + length, start)
            yield self._candle(at, start, end)
            start = end

    def _candle(self, at: int, start: int, end: int) -> Candle:
        prices = self._prices[start:end]
        return at, prices[0], max(prices), min(prices), prices[-1]


def sound(price: float) -> bool:
    """Whether something is a price: above 0 and finite."""
    return 0 < price <= sys.float_info.max  # False for NaN, and for integers that no float can hold


def _change(before: float, now: float) -> float:
    change = now - before
    # Two prices with 2 decimals differ by 2 decimals; what subtraction shows beyond them is noise.
    return round(change, 2) if before >= 1 and now >= 1 else shown(change)


def _no_such(symbol: str) -> Refused:
    return Refused(
        "no_such_symbol",
        f"there is no symbol {symbol[:40]!r}; the welcome lists those there are",
        "$.symbol",
    )
