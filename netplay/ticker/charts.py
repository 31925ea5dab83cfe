"""How prices went: from memory as far back as that goes, before that from the store."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple, TypeVar

from netplay.errors import Refused
from netplay.store.interfaces import ICandles
from netplay.store.records import CandleRecord
from netplay.ticker.market import Candle, Market, Point

KEPT = (3600, 60, 1)
"""How long the candles of a store burn, in seconds."""

MOST_READ = 10_000
"""Candles of the store that one page may cost, at most: more than a year has hours."""


T = TypeVar("T")


class _Past(NamedTuple):
    """
    What the store has of a page.

    @ivar more: whether there is more, older or newer, that was not read.
    @ivar reaches: whether nothing is missing between it and what is in memory.
    """

    candles: list[Candle]
    more: bool
    reaches: bool


class Charts:
    """
    Memory has the newest beats since the daemon began; the store has what was before, and some of what memory has.
    Where memory begins within a candle, each is right about its own end of it, and what both have counts once.

    @param market: what is in memory.
    @param kept: what is in the store.
    """

    def __init__(self, market: Market, kept: ICandles) -> None:
        self._market = market
        self._kept = kept

    async def points(self, symbol: str, limit: int, since: int | None = None) -> tuple[list[Point], bool]:
        """
        As L{Market.points}. Points of the store are the last prices of seconds in which the price has changed, each at
        the beginning of its second.

        @return: the points, and whether there are more.
        @raise Refused: C{no_such_symbol}.
        """
        begins = _start(self._market.begins(symbol), 1)
        own = self._market.points(symbol, limit + 1, since)
        if _suffices(own, limit, since, begins):
            return _page(own, limit, since)
        past = await self._past(symbol, 1, limit, since, begins)
        older = [(at, close) for at, _, _, _, close in past.candles if at < begins]
        return _page(older + own if past.reaches else older, limit, since, more=past.more)

    async def candles(
        self, symbol: str, seconds: int, limit: int, since: int | None = None
    ) -> tuple[list[Candle], bool]:
        """
        As L{Market.candles}.

        @return: the candles, and whether there are more.
        @raise Refused: C{no_such_symbol}; C{bad_message} for a length that takes too many candles of the store.
        """
        begins = _start(self._market.begins(symbol), seconds)
        own = self._market.candles(symbol, seconds, limit + 1, since)
        if _suffices(own, limit, since, begins):
            return _page(own, limit, since)
        past = await self._past(symbol, seconds, limit, since, begins)
        older = [candle for candle in past.candles if candle[0] <= begins]
        if not past.reaches:
            return _page(older, limit, since, more=True)
        if older and older[-1][0] == begins:
            own[0] = _joined(older.pop(), own[0])
        return _page(older + own, limit, since, more=past.more)

    async def _past(self, symbol: str, seconds: int, limit: int, since: int | None, begins: int) -> _Past:
        """
        Candles of the longest kept ones that fit into them, all of them whole: the newest, or with C{since} the oldest
        of those that start after it.

        @raise Refused: C{bad_message}.
        """
        kept = next(length for length in KEPT if seconds % length == 0)
        parts = seconds // kept
        if parts > MOST_READ:
            raise Refused("bad_message", "candles as long as that are whole hours: a multiple of 3600", "$.candles")
        most = min((limit + 1) * parts, MOST_READ) + 1  # so that there is a whole one wherever that cuts
        after = None if since is None else _start(since, seconds) + seconds * 1000 - 1
        records = await self._kept.page(symbol, kept, most, after)
        groups = groupby(records, lambda record: _start(record.at, seconds))
        candles = [_folded(start, list(group)) for start, group in groups]
        if len(records) < most:
            return _Past(candles, more=False, reaches=True)
        if since is None:
            return _Past(candles[1:], more=True, reaches=True)
        reaches = candles.pop()[0] > begins
        return _Past(candles, more=not reaches, reaches=reaches)


def _start(at: int, seconds: int) -> int:
    """When the candle starts to which a time belongs."""
    return at // (seconds * 1000) * (seconds * 1000)


def _suffices(own: Sequence[object], limit: int, since: int | None, begins: int) -> bool:
    """Whether what memory has makes the page, and shows whether there is more."""
    return len(own) > limit if since is None else since >= begins


def _page(found: list[T], limit: int, since: int | None, *, more: bool = False) -> tuple[list[T], bool]:
    page = found[-limit:] if since is None else found[:limit]
    return page, more or len(page) < len(found)


def _folded(start: int, records: list[CandleRecord]) -> Candle:
    highest, lowest = max(record.high for record in records), min(record.low for record in records)
    return start, records[0].open, highest, lowest, records[-1].close


def _joined(older: Candle, newer: Candle) -> Candle:
    """One candle of which two were seen, the older from its start, the newer to its end."""
    return older[0], older[1], max(older[2], newer[2]), min(older[3], newer[3]), newer[4]
