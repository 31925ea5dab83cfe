"""What players have reached."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from netplay.store.bounds import DAY, SCORE_DAYS
from netplay.store.interfaces import IScores
from netplay.store.records import ScoreRecord
from netplay.store.sqlite.changes import Cursor
from netplay.store.sqlite.database import Database

ALL_TIME = -1
"""Stands where a day does."""


@implementer(IScores)
class SQLiteScores:
    """
    Of each player the extremes: a leaderboard is read off an index, however much was played. Both ends are kept,
    because it is the game that says which of them is the better, and it may change its mind.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, scores: Sequence[ScoreRecord]) -> Deferred[None]:
        """See L{IScores.add}."""
        if not scores:
            return succeed(None)
        return self._database.write(partial(_add, list(scores)), 128 * len(scores))

    def best(self, game: str, score: str, *, highest: bool, day: int | None, limit: int) -> Deferred[list[ScoreRecord]]:
        """See L{IScores.best}."""
        return self._database.read(partial(_best, game, score, highest, ALL_TIME if day is None else day, limit))


def _add(scores: list[ScoreRecord], cursor: Cursor) -> None:
    cursor.executemany(
        "INSERT INTO scores VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7, ?8) ON CONFLICT DO UPDATE SET player = ?5, "
        "most_at = CASE WHEN ?7 > most THEN ?8 ELSE most_at END, most = max(most, ?7), "
        "least_at = CASE WHEN ?7 < least THEN ?8 ELSE least_at END, least = min(least, ?7)",
        [
            (s.game, s.score, day, s.who, s.player, s.account, s.value, s.at)
            for s in scores
            for day in (ALL_TIME, s.at // DAY)
        ],
    )
    newest = max(s.at for s in scores) // DAY
    cursor.execute("DELETE FROM scores WHERE day >= 0 AND day <= ?", (newest - SCORE_DAYS,))


def _best(game: str, score: str, highest: bool, day: int, limit: int, cursor: Cursor) -> list[ScoreRecord]:
    which, order = ("most", "DESC") if highest else ("least", "ASC")
    cursor.execute(
        # Left alone, SQLite goes by the primary key, and sorts all who ever played.
        f"SELECT game, score, player, account, {which}, {which}_at FROM scores INDEXED BY scores_by_{which} "
        f"WHERE game = ? AND score = ? AND day = ? ORDER BY {which} {order}, {which}_at LIMIT ?",
        (game, score, day, limit),
    )
    return [ScoreRecord(*row) for row in cursor.fetchall()]
