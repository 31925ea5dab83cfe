"""Who was best: what is reached in rounds goes into the store, and is asked of it."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred

from netplay.core import Core
from netplay.errors import Refused
from netplay.game.game import Game
from netplay.game.live import LiveRoom
from netplay.game.messages import Period, Standing
from netplay.game.scene import Record
from netplay.store.bounds import DAY
from netplay.store.records import ScoreRecord


class Leaderboards:
    """Those of all games. Bots are on none."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def follow(self, live: LiveRoom) -> None:
        """What is reached in that room counts, from now on."""
        live.reached = self.count

    def count(self, game: type[Game], records: Sequence[Record]) -> None:
        """A round is over. That it counts is written down in a turn of its own: the room is in the middle of a tick."""
        self._core.clock.callLater(0, self._keep, game, records)

    def _keep(self, game: type[Game], records: Sequence[Record]) -> None:
        """Of all that a player has reached in a round, the best counts."""
        at = self._core.now()
        best: dict[tuple[str, str], ScoreRecord] = {}
        for name, player, value in records:
            score = game.scores.get(name)
            if score is None or player.bot:
                continue
            before = best.get((name, player.id))
            if before is None or score.best(before.value, value) != before.value:
                best[name, player.id] = ScoreRecord(game.name, name, player.name, player.account, float(value), at)
        if best:
            self._core.keeping.keep("scores", self._core.store.scores.add, list(best.values()))

    def best(
        self, game: type[Game], score: str | None, period: Period, limit: int
    ) -> tuple[str, Deferred[list[Standing]]]:
        """
        The best of a game.

        @param score: which of its scores; the first that it declares if C{None}.
        @param period: of today (UTC), or of all time.
        @return: the score, and who is best in it.
        @raise Refused: C{bad_message}: there is no such score.
        """
        scores = game.scores
        if not scores:
            raise Refused("bad_message", f"{game.name} keeps no scores", "$.game")
        name = next(iter(scores)) if score is None else score
        if name not in scores:
            raise Refused("bad_message", f"no such score; {game.name} has {', '.join(scores)}", "$.score")
        day = self._core.now() // DAY if period == "day" else None
        reached = self._core.store.scores.best(game.name, name, highest=scores[name].best is max, day=day, limit=limit)
        return name, reached.addCallback(_standings)


def _standings(records: Sequence[ScoreRecord]) -> list[Standing]:
    return [Standing(record.player, record.value, record.at, record.account is None) for record in records]
