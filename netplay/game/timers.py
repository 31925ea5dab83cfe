"""What is to happen later in a room, in its own time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Any

MOST_TIMERS = 10_000
"""Timers that wait in one room, at most."""


@dataclass(order=True, slots=True)
class Timer:
    """
    A call that is due. It names a method instead of holding it, so that rooms can go on with changed code.

    @ivar due: the tick.
    @ivar number: of those that are due at the same tick, the earlier made goes first.
    @ivar every: ticks until it is due again, 0 for never.
    """

    due: int
    number: int
    method: str = field(compare=False)
    arguments: tuple[Any, ...] = field(compare=False)
    every: int = field(compare=False, default=0)
    live: bool = field(compare=False, default=True)


class Timers:
    """Those of one room."""

    __slots__ = ("_count", "_heap")

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._count = 0

    def add(self, due: int, method: str, arguments: tuple[Any, ...], every: int = 0) -> Timer:
        """
        One more.

        @raise RuntimeError: there are too many.
        """
        if len(self._heap) >= MOST_TIMERS:
            self._heap = [timer for timer in self._heap if timer.live]
            heapify(self._heap)
            if len(self._heap) >= MOST_TIMERS:
                raise RuntimeError(f"more than {MOST_TIMERS} timers wait")
        self._count += 1
        timer = Timer(due, self._count, method, arguments, every)
        heappush(self._heap, timer)
        return timer

    def __iter__(self) -> Iterator[Timer]:
        return (timer for timer in self._heap if timer.live)

    @property
    def next_due(self) -> int | None:
        """The tick of the next, if there is any."""
        heap = self._heap
        while heap and not heap[0].live:
            heappop(heap)
        return heap[0].due if heap else None

    def take(self, tick: int) -> Timer | None:
        """The next that is due at a tick or was before. One that comes again waits already."""
        due = self.next_due
        if due is None or due > tick:
            return None
        timer = heappop(self._heap)
        if timer.every:
            timer.due += timer.every
            heappush(self._heap, timer)
        return timer
