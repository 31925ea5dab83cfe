"""Prices that somebody else sets: C{--prices push:}."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.plugin import IPlugin
from twisted.python.usage import UsageError
from zope.interface import implementer

from netplay.errors import Refused
from netplay.interfaces import IPriceSourcePlugin, IPushedPrices
from netplay.ticker.sources import MAX_SYMBOLS, with_emoji


@implementer(IPushedPrices)
class PushedPrices:
    """No symbols at first; each appears when its price is first set. Between two beats the newest price counts."""

    def __init__(self) -> None:
        self.symbols: dict[str, str] = {}
        self._coming: dict[str, float] = {}

    def first(self) -> Mapping[str, float]:
        """There are none yet."""
        return {}

    def next(self) -> Mapping[str, float]:
        """What was set since the last beat."""
        coming, self._coming = self._coming, {}
        return coming

    def push(self, prices: Mapping[str, float]) -> list[str]:
        """See L{IPushedPrices}."""
        new = {symbol: price for symbol, price in prices.items() if symbol not in self.symbols}
        if len(self.symbols) + len(new) > MAX_SYMBOLS:
            raise Refused("too_many", f"there may be {MAX_SYMBOLS} symbols; none of these was set", "$.prices")
        self.symbols.update(with_emoji(new))
        self._coming.update(prices)
        return list(new)


@implementer(IPlugin, IPriceSourcePlugin)
class PushSource:
    """C{push:}"""

    name = "push"
    usage = "push:"

    def build(self, argument: str) -> PushedPrices:
        """There is nothing to set here."""
        if argument:
            raise UsageError(f"--prices push:{argument}: push takes no argument; use --prices push:")
        return PushedPrices()
