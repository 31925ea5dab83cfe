"""What the daemon has done so far: plain numbers, counted where it happens, read when someone asks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds up to which a L{Histogram} counts, each bucket on its own; one more counts what took longer."""


class Histogram:
    """
    How often something took how long.

    @param bounds: the upper bound of each bucket but the last, in seconds, rising.
    @ivar counts: how many there were in each bucket, one more than there are bounds.
    @ivar sum: seconds, of all together.
    """

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float] = BOUNDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """It happened once more. A clock that was set back counts as no time at all."""
        if seconds < 0:
            seconds = 0.0
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.sum += seconds


class Pace:
    """
    How something that is to happen steadily keeps its time.

    @ivar late: how long after its time it began.
    @ivar duration: how long it took.
    @ivar dropped: how often it was left out because too much of it was late.
    """

    __slots__ = ("dropped", "duration", "late")

    def __init__(self) -> None:
        self.late = Histogram()
        self.duration = Histogram()
        self.dropped = 0


class Traffic(NamedTuple):
    """What went over some connections: bytes, messages that clients sent, offers replaced before they were sent."""

    bytes_in: int = 0
    bytes_out: int = 0
    messages_in: int = 0
    merged: int = 0

    def plus(self, other: Traffic) -> Traffic:
        """Both together."""
        return Traffic(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


class Totals:
    """
    The numbers of one daemon. What each connection counts for itself comes in when the connection goes.

    @ivar published: messages published to channels.
    @ivar delivered: messages times those who heard them.
    @ivar paused: how often a client was not read from because it did not read.
    @ivar overflowed: clients cut off because too much waited for them.
    @ivar stalled: clients cut off because they took nothing for too long.
    @ivar flushes: how long channels took to send what a turn had brought.
    @ivar paces: how ticks keep their time, by what they belong to.
    @ivar folded: prices left out because a newer one went instead, to those who lag or asked for fewer.
    @ivar past: what went over connections that are gone, by the feature whose port they came to.
    """

    __slots__ = ("delivered", "flushes", "folded", "overflowed", "paces", "past", "paused", "published", "stalled")

    def __init__(self) -> None:
        self.published = self.delivered = self.folded = 0
        self.paused = self.overflowed = self.stalled = 0
        self.flushes = Histogram()
        self.paces: dict[str, Pace] = {}
        self.past: dict[str, Traffic] = {}

    def pace(self, name: str) -> Pace:
        """That of something that ticks."""
        return self.paces.setdefault(name, Pace())

    def gone(self, feature: str, traffic: Traffic) -> None:
        """A connection is over; this went over it."""
        self.past[feature] = self.past.get(feature, Traffic()).plus(traffic)
