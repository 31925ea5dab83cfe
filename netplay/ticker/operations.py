"""What a backend may ask of the ticker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from netplay.errors import Refused
from netplay.interfaces import IPushedPrices
from netplay.operations import Operation
from netplay.ticker.messages import Price

if TYPE_CHECKING:
    from netplay.ticker.feature import TickerService

MOST_PRICES = 1000
"""Prices in one request."""

NewSymbol = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._^=-]{0,31}\Z", examples=["AAPL"])]


class SetPrices(Struct, forbid_unknown_fields=True, kw_only=True):
    """
    Set prices, by symbol; the next beat of the ticker tells them.

    Only where the daemon takes its prices from here (`--prices push:`). A symbol appears when its price is first set.
    """

    prices: Annotated[
        dict[NewSymbol, Price],
        Meta(min_length=1, max_length=MOST_PRICES, examples=[{"AAPL": 151.2}]),
    ]


class PricesSet(Struct):
    """They are set; these symbols are new."""

    new: list[str]


def operations(ticker: TickerService) -> Sequence[Operation]:
    """Those of one ticker."""

    def set_prices(request: SetPrices) -> PricesSet:
        if not IPushedPrices.providedBy(ticker.source):
            raise Refused("not_allowed", "prices come from elsewhere here; start the daemon with --prices push:")
        return PricesSet(ticker.source.push(request.prices))

    return (Operation("POST", "/ticker/prices", SetPrices, PricesSet, set_prices, ("not_allowed", "too_many")),)
