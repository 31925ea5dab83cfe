"""What ticker clients send and get."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from netplay.messages import MAX_INTEGER, Event, Greeting, Request
from netplay.wire.strict import MAX_DOUBLE

Symbol = Annotated[str, Meta(min_length=1, max_length=64, examples=["AAPL"])]
Price = Annotated[float, Meta(gt=0, le=MAX_DOUBLE, examples=[151])]
Rate = Annotated[float, Meta(gt=0, le=1000, examples=[1])]


# Requests


class Subscribe(Request, tag="subscribe"):
    """Hear the prices of symbols, `"*"` being all; at most `max_rate` updates a second if you say so."""

    symbols: list[Symbol] = []
    max_rate: Rate | None = None

    EXAMPLE = {"symbols": ["AAPL", "TSLA"]}


class Unsubscribe(Request, tag="unsubscribe"):
    """Hear them no more."""

    symbols: list[Symbol] = []

    EXAMPLE = {"symbols": ["TSLA"]}


class AskHistory(Request, tag="history"):
    """How a price went: points, or `candles` of so many seconds; the newest, or those after `since` (ms)."""

    symbol: Symbol
    limit: Annotated[int, Meta(ge=1, lt=MAX_INTEGER, examples=[60])] | None = None
    since: Annotated[int, Meta(ge=0, lt=MAX_INTEGER)] | None = None
    candles: Annotated[int, Meta(ge=1, le=86400 * 366, examples=[60])] | None = None


class SetAlert(Request, tag="alert"):
    """Be told when a price crosses a threshold, from below (`above`) or from above (`below`); each time, or `once`."""

    symbol: Symbol
    above: Price | None = None
    below: Price | None = None
    once: bool = False

    EXAMPLE = {"above": 151}


class AskAlerts(Request, tag="alerts"):
    """Which alerts you have set; go on with `after`, the last one you got."""

    after: Annotated[str, Meta(max_length=64)] | None = None


class CancelAlert(Request, tag="cancel_alert"):
    """Take an alert back."""

    alert: Annotated[str, Meta(max_length=64, examples=["1"])]


# Events


class Welcome(Greeting, tag="welcome"):
    """The first message; `more` when there are more symbols than it names."""

    client_id: str
    available_stocks: list[str]
    message: str
    more: bool = False


class PriceNow(Struct):
    """A price and the emoji of its symbol."""

    price: float
    emoji: str


class Update(Struct):
    """A price that changed, by how much against the beat before, and when."""

    price: float
    emoji: str
    change: float
    timestamp: str


class Snapshot(Event, tag="snapshot"):
    """The prices of all symbols that you hear; `more` when another page follows."""

    prices: dict[str, PriceNow]
    more: bool = False


class PriceUpdate(Event, tag="price_update"):
    """The prices that changed, by symbol. `merged` says how many older ones were left out because you lag."""

    updates: dict[str, Any]
    at: int
    merged: int = 0


class History(Event, tag="history"):
    """How a price went, oldest first: [at, price], or [at, open, high, low, close]."""

    symbol: str
    points: list[tuple[int, float]] | None = None
    candles: list[tuple[int, float, float, float, float]] | None = None
    more: bool = False


class AlertLine(Struct):
    """An alert as it was set."""

    alert: str
    symbol: str
    threshold: float
    direction: str
    once: bool


class AlertSet(Event, tag="alert_set"):
    """It will be told."""

    alert: str
    symbol: str
    threshold: float
    direction: str
    once: bool


class Alerted(Event, tag="alert"):
    """A price has crossed a threshold."""

    alert: str
    symbol: str
    price: float
    threshold: float
    direction: str
    timestamp: str
    at: int


class AlertList(Event, tag="alerts"):
    """The alerts that you have set."""

    alerts: list[AlertLine]
    more: bool = False


REQUESTS: tuple[type[Request], ...] = (Subscribe, Unsubscribe, AskHistory, SetAlert, AskAlerts, CancelAlert)
EVENTS: tuple[type[Event], ...] = (Welcome, Snapshot, PriceUpdate, History, AlertSet, Alerted, AlertList)
