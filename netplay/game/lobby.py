"""Where players are before they choose: C{lobby}, and C{lobby-2} and so on when that is full."""

from __future__ import annotations

from itertools import count

from netplay.core import Core
from netplay.game.oldroom import GameRoom
from netplay.interfaces import IGame


class Lobby:
    """
    The rooms of the lobby. The first is always there, the others while someone is in them.

    Seats are taken on arrival, before the others see who came.

    @param game: what is played in it.
    @param state_rate: states a second in each room, at most.
    """

    NAME = "lobby"

    def __init__(self, game: IGame, core: Core, state_rate: float) -> None:
        self._game = game
        self._core = core
        self._state_rate = state_rate
        self._taken: dict[str, int] = {}
        self.rooms: dict[str, GameRoom] = {}
        self._open(self.NAME)

    def take_seat(self, wanted: str | None = None) -> GameRoom:
        """A room with a free seat, which is taken by this: the wanted one if it can be."""
        names = (self.NAME if n == 1 else f"{self.NAME}-{n}" for n in count(1))
        if wanted in self.rooms:
            names = (name for group in ((wanted,), names) for name in group)
        for name in names:
            if self._taken.get(name, 0) < self._game.players[1]:
                room = self.rooms.get(name) or self._open(name)
                self._taken[name] = self._taken.get(name, 0) + 1
                return room
        raise AssertionError("there is always another room")

    def give_seat(self, room: GameRoom) -> None:
        """A seat is free again."""
        self._taken[room.name] -= 1
        if not self._taken[room.name] and room.name != self.NAME:
            room.close()
            del self.rooms[room.name], self._taken[room.name]

    def close(self) -> None:
        """No more states are sent."""
        for room in self.rooms.values():
            room.close()

    def _open(self, name: str) -> GameRoom:
        room = self.rooms[name] = GameRoom(name, self._game, self._core, self._state_rate)
        self._taken[name] = 0
        return room
