"""
Play a room of a game without a daemon, a clock or a socket: for the tests of whoever writes the game.

>>> room = play(Tag, ["ann", "bob"], seed=1)
>>> room.act("ann", Steer(1, 0))
>>> room.advance(3)
>>> room.view("bob").count("runner", it=True)
1

What each player sees has been written as JSON and read again, whole at first and then by what changed, as on its way
to a client.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from netplay.client.mirror import Mirror
from netplay.game.changes import View
from netplay.game.game import Game
from netplay.game.messages import Message
from netplay.game.room import Room
from netplay.game.scene import Phase, Record
from netplay.game.sync import Stream
from netplay.messages import Request
from netplay.wire.codecs import JSON


def play(game: type[Game], names: Iterable[str], seed: int = 0, *, start: bool = True) -> PlayedRoom:
    """
    A room in which these are seated, in this order.

    @param names: also the ids of the players.
    @param seed: where chance begins: the same seed and the same calls come to the same.
    @param start: whether the round is to start, however the game starts when it is not a test.
    @raise Refused: there are too few of them, or too many.
    """
    room = PlayedRoom(game, seed)
    for name in names:
        room.join(name)
    if start:
        room.start()
    return room


class PlayerView(Mirror):
    """What one player sees: see L{Mirror}."""

    def find(self, kind: str, **fields: Any) -> dict[str, dict[str, Any]]:
        """The entities of a kind whose fields are like this, by id. What the player cannot see is like nothing."""
        return {
            id: entity
            for id, entity in self.entities.items()
            if entity["kind"] == kind and all(name in entity and entity[name] == fields[name] for name in fields)
        }

    def count(self, kind: str, **fields: Any) -> int:
        """How many of a kind there are whose fields are like this."""
        return len(self.find(kind, **fields))


class _Client:
    """
    What a player's client has.

    @ivar known: what it saw when it was told something last; C{None} if it is to be told everything.
    """

    def __init__(self) -> None:
        self.connected = True
        self.known: View | None = None
        self.view = PlayerView()
        self.told: list[dict[str, Any]] = []


class PlayedRoom:
    """
    A room, and what the clients of its players have. What the game raises comes out of the call that ran it.

    @ivar room: who is seated, what it is about; to be C{ready}, C{choose} a team, C{call} as the host.
    """

    def __init__(self, game: type[Game], seed: int = 0) -> None:
        self.room = Room("room", game, seed)
        self._stream = Stream(self.room.name, game)
        self._clients: dict[str, _Client] = {}
        self._per_state = max(1, round(game.tick_rate / (game.send_rate or game.tick_rate)))
        self._result: Mapping[str, Any] | None = None

    @property
    def world(self) -> Game:
        """The game itself, of this round."""
        return self.room.world

    @property
    def records(self) -> list[Record]:
        """The scores that were recorded."""
        return list(self.room.scene.records)

    # Coming and going

    def join(self, name: str, team: str | None = None) -> None:
        """Somebody takes a seat. @raise Refused: there is none for it, or not in that team."""
        self.room.join(name, name, team)
        self._clients[name] = _Client()
        self._told()

    def leave(self, name: str) -> None:
        """A player gives up the seat."""
        self.room.leave(name)
        self._told()

    def drop(self, name: str) -> None:
        """A player's connection is lost: the seat is kept for 30 seconds, and the client hears nothing."""
        self._clients[name].connected = False
        self.room.drop(name)
        self._told()

    def back(self, name: str) -> None:
        """A player who was dropped is there again, and told everything."""
        client = self._clients[name]
        client.connected, client.known = True, None
        self.room.back(name)
        self._told()

    def start(self) -> None:
        """Let the round start, if it has not: all are ready, the host does not wait for more, the countdown passes."""
        room = self.room
        if room.phase in (Phase.WAITING, Phase.COUNTDOWN):
            for name in room.seats:
                room.ready(name, True)
            if room.phase is Phase.WAITING:
                room.call(next(iter(room.seats)))
            self.advance(room.game.countdown)

    # What players do

    def act(self, name: str, message: Message | Request) -> None:
        """A player sends something. @raise Refused: what the client would be told."""
        self.room.act(name, message)
        self._told()

    def send(self, name: str, message: Mapping[str, Any]) -> None:
        """
        The same with the message as it comes from a client: C{{"type": "act", "do": "steer", "dx": 1}}.

        @raise Refused: what the client would be told, also if it is not right.
        @raise TypeError: it is not for the game, but for the room.
        """
        read: Any = JSON.decode(JSON.encode(message), self.room.game.grammar)
        if not any(isinstance(read, taken) for taken in self.room.game.messages):
            raise TypeError(f"{message['type']!r} is not for the game: it is a method of this, or of its `room`")
        self.act(name, read)

    def advance(self, seconds: float) -> None:
        """Let time pass, as many ticks as there are in it."""
        scene = self.room.scene
        for _ in range(round(seconds * scene.rate)):
            self.room.advance()
            self._told()
            if not scene.ticks % self._per_state:
                self._synchronize()

    # What they are told

    def view(self, name: str) -> PlayerView:
        """What a player sees now; one who was dropped, what it saw last."""
        self._synchronize()
        return self._clients[name].view

    def events(self, name: str) -> list[dict[str, Any]]:
        """All that a player was told so far: C{{"event": name, ...}}, and C{{"over": result}} at the end of a round."""
        self._told()
        return list(self._clients[name].told)

    def _told(self) -> None:
        """Tell what was said, and forget those who have lost the seat."""
        room = self.room
        for gone in self._clients.keys() - room.seats.keys():
            del self._clients[gone]
        said, room.scene.said = room.scene.said, []
        for event in said:
            self._tell({"event": event.event, **event.fields}, None if event.to is None else event.to.id)
        if room.scene.result is not self._result:
            self._result = room.scene.result
            if self._result is not None:
                self._tell({"over": self._result})

    def _tell(self, message: dict[str, Any], to: str | None = None) -> None:
        plain = JSON.plain(JSON.encode(message))
        for name, client in self._clients.items():
            if client.connected and to in (None, name):
                client.told.append(plain)

    def _synchronize(self) -> None:
        room, stream = self.room, self._stream
        ticks = room.scene.ticks
        changes = stream.take(room.world, room.acks, ticks * 1000 // room.scene.rate)
        for name, client in self._clients.items():
            if not client.connected:
                continue
            before, client.known = client.known, stream.view(room.seats[name])
            if before is None or changes.refresh:
                message: Any = stream.state(client.known, JSON)
            else:
                message = stream.delta(before, client.known, JSON)
            if message is not None:
                client.view.apply(JSON.plain(JSON.encode(message)))
