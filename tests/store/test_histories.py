"""Whatever the history: both stores say of scores and candles what follows from all that was reached or paid."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from netplay.store.bounds import CANDLES, DAY
from netplay.store.memory import tables
from netplay.store.memory.tables import MemoryCandles, MemoryScores
from netplay.store.records import CandleRecord, ScoreRecord
from netplay.store.sqlite.candles import SQLiteCandles
from netplay.store.sqlite.schema import bring_up_to_date
from netplay.store.sqlite.scores import SQLiteScores
from tests.store.cases import NOW


class AtOnce:
    """A database of SQLite, with its tables, that does everything at once, so that a thousand of them fit in a test."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:")
        bring_up_to_date(self._connection, Path(":memory:"))

    def write(self, change: Callable[[Any], Any], size: int = 0) -> Deferred[Any]:
        """Change something."""
        return succeed(change(self._connection.cursor()))

    read = write


REACHED = st.builds(
    ScoreRecord,
    game=st.just("arena"),
    score=st.just("stars"),
    player=st.sampled_from([f"p{n}" for n in range(30)]),
    account=st.none(),
    value=st.integers(0, 20).map(float),
    at=st.just(0),
)


class ScoresTests(SynchronousTestCase):
    """The best of each, the best first."""

    def setUp(self) -> None:
        self.patch(tables, "MOST_PLAYERS", 3)

    def all_best(self, reached: Iterable[ScoreRecord], day: int | None, *, highest: bool) -> list[tuple[str, float]]:
        best: dict[str, ScoreRecord] = {}
        for score in reached:
            known = best.get(score.player)
            better = known is None or (score.value > known.value if highest else score.value < known.value)
            if better and day in (None, score.at // DAY):
                best[score.player] = score
        ranked = sorted(best.values(), key=lambda score: (-score.value if highest else score.value, score.at))
        return [(score.player, score.value) for score in ranked]

    @settings(max_examples=50)
    @given(
        st.lists(st.tuples(REACHED, st.integers(1, DAY // 40)), min_size=40, max_size=60), st.booleans(), st.booleans()
    )
    def test_first_is_who_was_best(self, rounds: list[tuple[ScoreRecord, int]], highest: bool, of_a_day: bool) -> None:
        at = NOW
        reached = []
        for score, later in rounds:
            at += later
            reached.append(ScoreRecord("arena", "stars", score.player, None, score.value, at))
        day = at // DAY if of_a_day else None
        for scores in MemoryScores(), SQLiteScores(AtOnce()):
            for score in reached:
                scores.add([score])
            found = self.successResultOf(scores.best("arena", "stars", highest=highest, day=day, limit=3))
            self.assertEqual(
                [(score.player, score.value) for score in found],
                self.all_best(reached, day, highest=highest)[:3],
                type(scores).__name__,
            )


class CandlesTests(SynchronousTestCase):
    """What was paid within each length of time."""

    def all_candles(self, paid: Iterable[tuple[int, float]], seconds: int) -> list[CandleRecord]:
        within: dict[int, list[float]] = {}
        for at, price in paid:
            within.setdefault(at - at % (seconds * 1000), []).append(price)
        return [
            CandleRecord("AAPL", seconds, at, prices[0], max(prices), min(prices), prices[-1])
            for at, prices in within.items()
        ]

    @settings(max_examples=50)
    @given(
        st.lists(st.tuples(st.integers(0, 90_000), st.integers(1, 9).map(float)), min_size=1, max_size=40),
        st.sampled_from(list(CANDLES)),
        st.integers(1, 50),
        st.none() | st.tuples(st.integers(0, 40), st.integers(-1, 1)),
    )
    def test_any_page(
        self, beats: list[tuple[int, float]], seconds: int, limit: int, begins: tuple[int, int] | None
    ) -> None:
        at = NOW
        paid = []
        for later, price in beats:
            at += later
            paid.append((at, price))
        wanted = self.all_candles(paid, seconds)
        since = None
        if begins is None:
            wanted = wanted[-limit:]
        else:
            place, beside = begins
            since = wanted[place % len(wanted)].at + beside
            wanted = [candle for candle in wanted if candle.at > since][:limit]
        for candles in MemoryCandles(), SQLiteCandles(AtOnce()):
            for moment, price in paid:
                candles.add([("AAPL", price)], moment)
            found = self.successResultOf(candles.page("AAPL", seconds, limit, since))
            self.assertEqual(found, wanted, type(candles).__name__)
