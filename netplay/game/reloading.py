"""Games that are changed while they are played: C{--dev}."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from netplay.beat import Beat
from netplay.game.directory import Directory
from netplay.game.game import Game
from netplay.game.loading import LoadError, file_of, load, together, traceback_from
from netplay.ticklimit import TickLimit

LOOK_EVERY = 1.0
"""Seconds from one look at the files to the next."""


class Reloading:
    """
    Looks whether files with games have changed, and takes up what is new in them.

    @param paths: the files.
    @param games: all games by name, kept up to date.
    @param directory: the rooms.
    @param limit: how long a file may take: what it does meanwhile stops the rooms as a game would.
    """

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        paths: Sequence[Path],
        games: dict[str, type[Game]],
        directory: Directory,
        limit: TickLimit,
    ) -> None:
        self._games = games
        self._directory = directory
        self._limit = limit
        self._seen = {path: _stamp(path) for path in paths}
        self._beat = Beat(clock, LOOK_EVERY, self._look, "looking whether games have changed")
        self.start, self.stop = self._beat.start, self._beat.stop

    def _look(self) -> None:
        for path, seen in self._seen.items():
            now = _stamp(path)
            if now is not None and now != seen:  # an editor may take a file away for a moment
                self._seen[path] = now
                self._changed(path)

    def _changed(self, path: Path) -> None:
        others = [game for game in self._games.values() if file_of(game) != str(path)]
        try:
            loaded = self._limit.call(load, path)
            games = together(others, loaded)
        except LoadError as error:
            self._log.error("{error}\nrooms go on with the code that they have", error=error)
            return
        self._games.clear()
        self._games.update(games)
        count = 0
        for live in self._directory:
            game = games.get(live.room.game.name)
            if game not in loaded or live.closed:
                continue
            try:
                live.take_up(game)
                count += 1
            except Exception as error:
                self._log.error(
                    "room {room} goes on with the code that it has, as what is new in {path} does not fit:\n{trace}",
                    room=live.name,
                    path=str(path),
                    trace=traceback_from(path, error),
                )
        self._log.info("{path} has changed: {count} rooms go on with what is new", path=str(path), count=count)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What differs when a file was written again."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
