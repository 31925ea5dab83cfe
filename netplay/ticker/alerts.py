"""Price alerts: who wants to be told when a price passes a threshold. A plain object, asked at each beat."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

from netplay.errors import Refused

HYSTERESIS = 0.002
"""How far back past its threshold, as a part of it, a price must go before the alert can fire again."""

MOST_EACH = 100

Direction = Literal["above", "below"]


@dataclass(slots=True, eq=False)
class Alert:
    """
    Fires when the price gets to the threshold or beyond, coming from the other side.

    @ivar once: whether it is gone after that.
    @ivar armed: whether the price was on the other side since the alert fired, or was set.
    """

    id: str
    symbol: str
    threshold: float
    direction: Direction
    once: bool
    armed: bool


_Entry = tuple[float, int, Hashable, Alert]  # sorted by level; the number keeps owners from being compared


class _Waiting:
    """
    The alerts of one symbol, each at the price that it waits for: its threshold when armed, else where it is
    armed again. Sorted, so that a beat touches only those whose price has come.
    """

    __slots__ = ("falling", "rising")

    def __init__(self) -> None:
        self.rising: list[_Entry] = []  # wait for that price or a higher one
        self.falling: list[_Entry] = []  # wait for that price or a lower one

    def add(self, owner: Hashable, alert: Alert) -> None:
        side, level = self._place(alert)
        insort(side, (level, int(alert.id), owner, alert))

    def remove(self, alert: Alert) -> None:
        side, level = self._place(alert)
        del side[bisect_left(side, (level, int(alert.id)))]

    def take(self, price: float) -> list[_Entry]:
        """Take out all whose price has come, in the order in which they were set."""
        risen = bisect_left(self.rising, (price, float("inf")))
        fallen = bisect_left(self.falling, (price,))
        due = self.rising[:risen] + self.falling[fallen:]
        del self.rising[:risen]
        del self.falling[fallen:]
        return sorted(due, key=lambda entry: entry[1])

    def _place(self, alert: Alert) -> tuple[list[_Entry], float]:
        if alert.direction == "above":
            if alert.armed:
                return self.rising, alert.threshold
            return self.falling, alert.threshold * (1 - HYSTERESIS)
        if alert.armed:
            return self.falling, alert.threshold
        return self.rising, alert.threshold * (1 + HYSTERESIS)


class Alerts:
    """
    Everybody's alerts. An owner is whatever the caller knows people by.

    @param most_each: how many one owner may have.
    """

    def __init__(self, most_each: int = MOST_EACH) -> None:
        self._most_each = most_each
        self._number = 0
        self._by_owner: dict[Hashable, dict[str, Alert]] = {}
        self._by_symbol: dict[str, _Waiting] = {}

    def set(
        self,
        owner: Hashable,
        symbol: str,
        *,
        above: float | None = None,
        below: float | None = None,
        once: bool = False,
        price_now: float,
    ) -> Alert:
        """
        Watch a symbol. A threshold that the price is already beyond is not crossed yet: that alert waits
        until the price has gone back, by the margin that holds after firing too.

        @raise Refused: C{bad_message}, C{too_many}.
        """
        direction: Direction = "below" if above is None else "above"
        threshold = below if above is None else above
        if threshold is None or (above is not None and below is not None):
            raise Refused("bad_message", 'give either "above" or "below", a price', "$.above")
        if not 0 < threshold < float("inf"):
            raise Refused("bad_message", "a threshold is a price, above 0", f"$.{direction}")
        own = self._by_owner.get(owner, {})
        if len(own) >= self._most_each:
            raise Refused("too_many", f"you have {self._most_each} alerts, the most there may be; cancel one first")
        self._number += 1
        beyond = price_now >= threshold if direction == "above" else price_now <= threshold
        alert = Alert(str(self._number), symbol, threshold, direction, once, armed=not beyond)
        self._by_owner.setdefault(owner, own)[alert.id] = alert
        self._by_symbol.setdefault(symbol, _Waiting()).add(owner, alert)
        return alert

    def cancel(self, owner: Hashable, alert_id: str) -> None:
        """
        Take back one of the owner's alerts.

        @raise Refused: C{bad_message}.
        """
        alert = self._by_owner.get(owner, {}).get(alert_id)
        if alert is None:
            raise Refused(
                "bad_message",
                f'you have no alert {alert_id[:40]!r}; "alerts" lists those you have',
                "$.alert",
            )
        self._unwatch(alert)
        self._disown(owner, alert)

    def of(self, owner: Hashable) -> list[Alert]:
        """The owner's alerts, oldest first."""
        return list(self._by_owner.get(owner, {}).values())

    def forget(self, owner: Hashable) -> None:
        """Take back all alerts of an owner."""
        for alert in self._by_owner.pop(owner, {}).values():
            self._unwatch(alert)

    def crossed(self, symbol: str, price: float) -> list[tuple[Hashable, Alert]]:
        """
        A symbol has a new price. Returns whose alerts fire, in the order in which they were set; those for
        C{once} are gone then.
        """
        waiting = self._by_symbol.get(symbol)
        if waiting is None:
            return []
        fired: list[tuple[Hashable, Alert]] = []
        for _, _, owner, alert in waiting.take(price):
            fires = alert.armed
            alert.armed = not fires
            if fires:
                fired.append((owner, alert))
            if fires and alert.once:
                self._disown(owner, alert)
            else:
                waiting.add(owner, alert)
        self._tidy(symbol)
        return fired

    def _unwatch(self, alert: Alert) -> None:
        self._by_symbol[alert.symbol].remove(alert)
        self._tidy(alert.symbol)

    def _disown(self, owner: Hashable, alert: Alert) -> None:
        own = self._by_owner[owner]
        del own[alert.id]
        if not own:
            del self._by_owner[owner]

    def _tidy(self, symbol: str) -> None:
        waiting = self._by_symbol[symbol]
        if not (waiting.rising or waiting.falling):
            del self._by_symbol[symbol]
