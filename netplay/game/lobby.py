"""Where players are before they choose: C{lobby}, and C{lobby-2} and so on when that is full."""

from __future__ import annotations

from itertools import count

from netplay.game.directory import Directory
from netplay.game.live import LiveRoom


class Lobby:
    """
    A policy for rooms of the directory. The first is always there, the others while someone is in them.

    @param directory: where the rooms are.
    """

    NAME = "lobby"
    GAME = "sandbox"

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._open(self.NAME)

    def find(self, wanted: str | None = None) -> LiveRoom:
        """A room with a free seat: the wanted one if it can be."""
        names = (self.NAME if n == 1 else f"{self.NAME}-{n}" for n in count(1))
        if wanted is not None and self.is_one(wanted) and wanted in self._directory:
            names = (name for group in ((wanted,), names) for name in group)
        for name in names:
            live = self._directory.named(name) if name in self._directory else self._open(name)
            if live.room.free > 0:
                return live
        raise AssertionError("there is always another room")

    @classmethod
    def is_one(cls, name: str) -> bool:
        """Whether a room of that name is of the lobby."""
        return name == cls.NAME or name.startswith(f"{cls.NAME}-")

    def _open(self, name: str) -> LiveRoom:
        game = self._directory.game(self.GAME)
        return self._directory.open(game, name, permanent=name == self.NAME, needed=True)
