"""How prices went."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from twisted.internet.defer import Deferred
from zope.interface import implementer

from netplay.store.bounds import CANDLES
from netplay.store.interfaces import ICandles
from netplay.store.records import CandleRecord
from netplay.store.sqlite.changes import Cursor
from netplay.store.sqlite.database import Database

SWEPT_EVERY = 60
"""Seconds from one removal of what is too old to the next."""


# From symbol to symbol by the key: DISTINCT would look at every candle there is.
_SYMBOLS = """
    WITH RECURSIVE symbols (symbol) AS (
        SELECT min(symbol) FROM candles
        UNION ALL
        SELECT (SELECT min(symbol) FROM candles WHERE symbol > symbols.symbol) FROM symbols WHERE symbol IS NOT NULL
    )
    SELECT symbol FROM symbols WHERE symbol IS NOT NULL
"""


@implementer(ICandles)
class SQLiteCandles:
    """Candles of each symbol and length. The unfinished one is kept as well: after a crash it goes on."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._swept = 0

    def add(self, prices: Sequence[tuple[str, float]], at: int) -> Deferred[None]:
        """See L{ICandles.add}."""
        sweep = abs(at // 1000 - self._swept) >= SWEPT_EVERY  # the clock may have been set back
        if sweep:
            self._swept = at // 1000
        return self._database.write(partial(_add, list(prices), at, sweep), 64 * len(prices))

    def page(self, symbol: str, seconds: int, limit: int, since: int | None = None) -> Deferred[list[CandleRecord]]:
        """See L{ICandles.page}."""
        return self._database.read(partial(_page, symbol, seconds, limit, since))


def _add(prices: list[tuple[str, float]], at: int, sweep: bool, cursor: Cursor) -> None:
    cursor.executemany(
        "INSERT INTO candles (symbol, seconds, at, open, high, low, close) VALUES (?1, ?2, ?3, ?4, ?4, ?4, ?4) "
        "ON CONFLICT DO UPDATE SET high = max(high, ?4), low = min(low, ?4), close = ?4",
        [
            (symbol, seconds, at // (seconds * 1000) * seconds * 1000, price)
            for symbol, price in prices
            for seconds in CANDLES
        ],
    )
    if sweep:
        for seconds, kept in CANDLES.items():
            if kept is not None:
                _sweep(seconds, at - kept * 1000, cursor)


def _sweep(seconds: int, before: int, cursor: Cursor) -> None:
    # By symbol, so that the key is of use.
    symbols = cursor.execute(_SYMBOLS).fetchall()
    cursor.executemany(
        "DELETE FROM candles WHERE symbol = ? AND seconds = ? AND at < ?", [(s, seconds, before) for (s,) in symbols]
    )


def _page(symbol: str, seconds: int, limit: int, since: int | None, cursor: Cursor) -> list[CandleRecord]:
    newest = since is None
    cursor.execute(
        "SELECT symbol, seconds, at, open, high, low, close FROM candles "
        f"WHERE symbol = ? AND seconds = ? AND at > ? ORDER BY at {'DESC' if newest else 'ASC'} LIMIT ?",
        (symbol, seconds, -1 if since is None else since, limit),
    )
    candles = [CandleRecord(*row) for row in cursor.fetchall()]
    return candles[::-1] if newest else candles
