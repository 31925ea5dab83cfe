"""Who plays with whom: those who wait, grouped by rating. A plain object; time is passed in."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Hashable
from operator import attrgetter
from typing import Generic, NamedTuple, TypeVar

from netplay.errors import Refused

T = TypeVar("T", bound=Hashable)


class _Waiting(NamedTuple, Generic[T]):
    """One who waits. Those who have waited longer sort first."""

    since: float
    number: int
    rating: float
    ticket: T


class Queue(Generic[T]):
    """
    Groups those who wait.

    How far apart the ratings of a group may be is the window of each of its members, which widens while it waits: an
    equal match for who comes at a busy time, some match for everyone. Once someone has waited long enough, a group
    may be smaller. Those who have waited longest come first.

    Expansions of rules over time are from
    U{FlexMatch <https://docs.aws.amazon.com/gameliftservers/latest/flexmatchguide/match-rulesets-components-expansion.html>},
    taking the longest waiting first is from
    U{PlayFab <https://learn.microsoft.com/en-us/gaming/playfab/multiplayer/matchmaking/how-matchmaking-works>}.

    @param size: how many are to play together.
    @param window: how far apart ratings may be at first, in points.
    @param widening: points by which that grows each second.
    @param least: how many are enough once one of them has waited for C{patience}; without it, C{size}.
    @param patience: seconds.
    @param most: tickets that may wait.
    """

    LOOK = 1.0  # seconds from look to look while only windows change

    def __init__(
        self,
        size: int,
        window: float = 100.0,
        widening: float = 25.0,
        *,
        least: int | None = None,
        patience: float = 30.0,
        most: int = 1000,
    ) -> None:
        self._size = size
        self._window = window
        self._widening = widening
        self._least = size if least is None else least
        self._patience = patience
        self._most = most
        self._number = 0
        self._waiting: dict[T, _Waiting[T]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, ticket: T) -> bool:
        return ticket in self._waiting

    def add(self, ticket: T, rating: float, now: float) -> None:
        """
        Let someone wait. Who waits already keeps the place.

        @param ticket: stands for who waits.
        @param rating: in points; the further apart two are, the surer the better one wins.
        @param now: since when.
        @raise Refused: C{too_many}.
        """
        if ticket in self._waiting:
            return
        if len(self._waiting) >= self._most:
            raise Refused("too_many", f"{self._most} players wait for a game; try again later")
        self._number += 1
        self._waiting[ticket] = _Waiting(now, self._number, rating, ticket)

    def remove(self, ticket: T) -> None:
        """Let someone wait no more, who may not have waited."""
        self._waiting.pop(ticket, None)

    def matches(self, now: float) -> list[list[T]]:
        """
        The groups that can be formed, which wait no more: each by how long its members have waited, longest first.
        No group is left that could be formed of those who still wait.
        """
        groups = self._formed(self._size, now, math.inf)
        for size in range(self._size - 1, self._least - 1, -1):
            groups += self._formed(size, now, now - self._patience)
        return groups

    def next_look(self, now: float) -> float | None:
        """Seconds until L{matches} may find something even if nobody comes; C{None} for never."""
        if len(self._waiting) < self._least:
            return None
        if len(self._waiting) < self._size:
            impatient = min(self._waiting.values()).since + self._patience - now
            if impatient > 0:
                return impatient
        return self.LOOK

    def _formed(self, size: int, now: float, by: float) -> list[list[T]]:
        """
        Groups of a size, each with someone who has waited since C{by} or longer.

        Everyone is looked at as if all came one after the other, at their present windows: who came last has the
        narrowest, which is then that of the whole group. Whether there is a group with the last to come is seen from
        its neighbours by rating alone: of those who may be in it, any C{size} side by side are as close as can be.
        So this takes O(n (log n + C{size})).
        """
        found: list[list[T]] = []
        present: list[_Waiting[T]] = []  # by rating
        if len(self._waiting) < size:
            return found
        for last in sorted(self._waiting.values()):
            place = bisect_left(present, last.rating, key=attrgetter("rating"))
            present.insert(place, last)
            window = self._window + self._widening * (now - last.since)
            fitting = []
            for start in range(max(0, place - size + 1), min(place, len(present) - size) + 1):
                if present[start + size - 1].rating - present[start].rating <= window:
                    group = sorted(present[start : start + size])
                    if group[0].since <= by:
                        fitting.append((group, start))
            if fitting:
                group, start = min(fitting)
                del present[start : start + size]
                found.append([waiting.ticket for waiting in group])
                for waiting in group:
                    del self._waiting[waiting.ticket]
        return found
