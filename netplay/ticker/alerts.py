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

MOST = 200_000
"""Alerts of everybody together."""

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
    @param most: how many there may be.
    """

    def __init__(self, most_each: int = MOST_EACH, most: int = MOST) -> None:
        self._most_each = most_each
        self._most = most
        self._count = 0
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
        if len(self._by_owner.get(owner, {})) >= self._most_each:
            raise Refused("too_many", f"you have {self._most_each} alerts, the most there may be; cancel one first")
        if self._count >= self._most:
            raise Refused("too_many", f"there are {self._most} alerts here, the most there may be; try again later")
        beyond = price_now >= threshold if direction == "above" else price_now <= threshold
        alert = Alert(str(self._number + 1), symbol, threshold, direction, once, armed=not beyond)
        self.add(owner, alert)
        return alert

    def add(self, owner: Hashable, alert: Alert) -> None:
        """Watch for an alert that was set before. Those that are set later get higher numbers."""
        self._number = max(self._number, int(alert.id))
        self._count += 1
        self._by_owner.setdefault(owner, {})[alert.id] = alert
        self._by_symbol.setdefault(alert.symbol, _Waiting()).add(owner, alert)

    def get(self, owner: Hashable, alert_id: str) -> Alert:
        """
        One of the owner's alerts.

        @raise Refused: C{bad_message}.
        """
        alert = self._by_owner.get(owner, {}).get(alert_id)
        if alert is None:
            raise Refused(
                "bad_message",
                f'you have no alert {alert_id[:40]!r}; "alerts" lists those you have',
                "$.alert",
            )
        return alert

    def cancel(self, owner: Hashable, alert_id: str) -> None:
        """
        Take back one of the owner's alerts.

        @raise Refused: C{bad_message}.
        """
        alert = self.get(owner, alert_id)
        self._unwatch(alert)
        self._disown(owner, alert)

    def of(self, owner: Hashable) -> list[Alert]:
        """The owner's alerts, oldest first."""
        return sorted(self._by_owner.get(owner, {}).values(), key=lambda alert: int(alert.id))

    def forget(self, owner: Hashable) -> None:
        """Take back all alerts of an owner."""
        for alert in self._by_owner.pop(owner, {}).values():
            self._count -= 1
            self._unwatch(alert)

    def hand_over(self, owner: Hashable, to: Hashable) -> list[Alert]:
        """What one has set is another's from now on, the oldest of it if that would be too many. Returns that."""
        own = self.of(owner)
        self.forget(owner)
        handed = own[: max(0, self._most_each - len(self._by_owner.get(to, {})))]
        for alert in handed:
            self.add(to, alert)
        return handed

    def crossed(self, symbol: str, price: float) -> tuple[list[tuple[Hashable, Alert]], list[tuple[Hashable, Alert]]]:
        """
        A symbol has a new price.

        @return: whose alerts fire, in the order in which they were set (those for C{once} are gone then); and whose
            are armed again.
        """
        waiting = self._by_symbol.get(symbol)
        if waiting is None:
            return [], []
        fired: list[tuple[Hashable, Alert]] = []
        armed: list[tuple[Hashable, Alert]] = []
        for _, _, owner, alert in waiting.take(price):
            fires = alert.armed
            alert.armed = not fires
            (fired if fires else armed).append((owner, alert))
            if fires and alert.once:
                self._disown(owner, alert)
            else:
                waiting.add(owner, alert)
        self._tidy(symbol)
        return fired, armed

    def _unwatch(self, alert: Alert) -> None:
        self._by_symbol[alert.symbol].remove(alert)
        self._tidy(alert.symbol)

    def _disown(self, owner: Hashable, alert: Alert) -> None:
        own = self._by_owner[owner]
        del own[alert.id]
        self._count -= 1
        if not own:
            del self._by_owner[owner]

    def _tidy(self, symbol: str) -> None:
        waiting = self._by_symbol[symbol]
        if not (waiting.rising or waiting.falling):
            del self._by_symbol[symbol]
