"""All rooms of one daemon: how they are made, found, and listed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from itertools import count

from netplay.core import Core
from netplay.errors import Refused
from netplay.game.game import Game
from netplay.game.live import LiveRoom
from netplay.game.room import Room
from netplay.ticklimit import TickLimit

MOST_ROOMS = 2000
"""Rooms in one daemon, at most."""

CODE_LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""None that could be taken for another."""

CODE_LENGTH = 5

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


class Directory:
    """
    Rooms by name and by code. A client is led to a room by this, which knows those of this daemon only.

    @param games: what can be played, by name; read anew each time.
    @param core: the daemon's.
    @param limit: how long games may take at once.
    @param state_rate: states a second in one room, at most.
    @ivar opened: called with each new room, before anybody is in it.
    """

    def __init__(self, games: Mapping[str, type[Game]], core: Core, limit: TickLimit, state_rate: float) -> None:
        self._games = games
        self._core = core
        self._limit = limit
        self._state_rate = state_rate
        self._rooms: dict[str, LiveRoom] = {}
        self._codes: dict[str, LiveRoom] = {}
        self._numbers: dict[str, Iterator[int]] = {}
        self.opened: list[Callable[[LiveRoom], object]] = []

    def __iter__(self) -> Iterator[LiveRoom]:
        return iter(list(self._rooms.values()))

    def __contains__(self, name: object) -> bool:
        return name in self._rooms

    def game(self, name: str | None) -> type[Game]:
        """
        The game of a name.

        @raise Refused: C{no_such_game}.
        """
        game = self._games.get(name or "")
        if game is None:
            raise Refused("no_such_game", f"no such game; there are {', '.join(sorted(self._games))}", "$.game")
        return game

    def open(
        self,
        game: type[Game],
        name: str | None = None,
        *,
        password: str | None = None,
        private: bool = False,
        permanent: bool = False,
        needed: bool = False,
    ) -> LiveRoom:
        """
        Make a room.

        @param name: what to call it; the game's name and a number unless given.
        @param needed: there are never too many of these.
        @raise Refused: C{too_many}; C{name_taken} or C{bad_message} for the name; C{room_crashed}.
        """
        if len(self._rooms) >= MOST_ROOMS and not needed:
            self._make_place()
        if name is None:
            numbers = self._numbers.setdefault(game.name, count(1))
            name = next(name for n in numbers if (name := f"{game.name}-{n}") not in self._rooms)
        elif not _NAME.fullmatch(name):
            raise Refused("bad_message", f"a room is called something like {_NAME.pattern}", "$.room")
        elif name in self._rooms:
            raise Refused("name_taken", "there is a room of that name", "$.room")
        code = next(c for c in iter(_code, None) if c not in self._codes)
        live = LiveRoom(
            self._room(game, name),
            self._core,
            self._limit,
            min(self._state_rate, game.send_rate or game.tick_rate),
            self._ended,
            code=code,
            password=password or None,
            private=private,
            permanent=permanent,
        )
        self._rooms[name] = self._codes[code] = live
        for opened in self.opened:
            opened(live)
        return live

    def named(self, name: str) -> LiveRoom:
        """
        The room of a name.

        @raise Refused: C{no_such_room}; that is also what is said of private ones.
        """
        live = self._rooms.get(name)
        if live is None or live.private:
            raise Refused("no_such_room", "no such room; rooms lists those there are", "$.room")
        return live

    def coded(self, code: str) -> LiveRoom:
        """
        The room of a code, in whatever case it was typed.

        @raise Refused: C{no_such_room}.
        """
        live = self._codes.get(code.strip().upper())
        if live is None:
            raise Refused("no_such_room", "no room has that code", "$.code")
        return live

    def quick(self, game: type[Game]) -> LiveRoom:
        """A room of a game that anybody may join: the fullest with a free seat, or a new one."""
        free = [
            live
            for live in self._rooms.values()
            if live.room.game is game and live.room.free > 0 and not (live.private or live.locked)
        ]
        return max(free, key=lambda live: len(live.room.seats), default=None) or self.open(game)

    def listed(self, game: str | None = None, after: str | None = None) -> list[LiveRoom]:
        """The rooms that anybody may know of, by name, from behind one."""
        return [
            live
            for name, live in sorted(self._rooms.items())
            if not live.private and (game is None or live.room.game.name == game) and (after is None or name > after)
        ]

    def discard(self, live: LiveRoom) -> None:
        """A room that nobody came into after all."""
        if not live.room.seats and not live.permanent:
            live.close("no_such_room", "nobody came")

    def stop(self) -> None:
        """Nothing happens in any room any more."""
        for live in self:
            live.stop()

    def _make_place(self) -> None:
        """
        Rooms whose players are all away wait for them only while there is place for others.

        @raise Refused: C{too_many}.
        """
        deserted = next((live for live in self._rooms.values() if live.deserted), None)
        if deserted is None:
            raise Refused("too_many", f"there are {MOST_ROOMS} rooms already")
        deserted.close("no_such_room", "all who played were away, and others needed the place")

    def _room(self, game: type[Game], name: str) -> Room:
        try:
            return self._limit.call(Room, name, game, secrets.randbits(32))
        except BaseException:
            LiveRoom._log.failure("the game {game} failed while a room of it was made", game=game.name)
            raise Refused("room_crashed", "the game went wrong as the room was made; it is in the log") from None

    def _ended(self, live: LiveRoom) -> None:
        del self._rooms[live.name], self._codes[live.code]


def _code() -> str:
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
