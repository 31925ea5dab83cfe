"""What is said in a room, by those who are in it and by its game."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from netplay.channel import Channel
from netplay.core import Core
from netplay.game.messages import Over, RecordLine
from netplay.game.scene import Record, Said, Scene
from netplay.messages import Chat
from netplay.people import Person
from netplay.times import iso
from netplay.wire.codecs import JSON

if TYPE_CHECKING:
    from netplay.game.occupants import Occupant

MOST_BYTES = 65536
"""In JSON, of an event or of a result, at most."""

EMOJI = "🎮"
"""Who speaks in a game room."""


class Talk:
    """
    What is said is numbered; events and results are told as they come.

    @param room: what the room is called.
    @param core: the daemon's.
    @ivar channel: those who hear it.
    """

    def __init__(self, room: str, core: Core) -> None:
        self.channel = Channel(core.clock, core.totals)
        self._room = room
        self._core = core
        self._epoch = secrets.token_hex(4)
        self._seq = 0
        self._result_told = False

    def say(self, person: Person, text: str) -> None:
        """Somebody says something."""
        self._seq += 1
        now = self._core.wall()
        self.channel.publish(
            Chat(
                user=person.name,
                message=text,
                emoji=EMOJI,
                room=self._room,
                timestamp=iso(now),
                at=int(now * 1000),
                seq=self._seq,
                id=f"{self._epoch}-{self._seq}",
            )
        )

    def tell(self, scene: Scene, occupants: Mapping[str, Occupant]) -> Sequence[Record]:
        """
        What the game has said since the last time, and how the round ended.

        @param occupants: the players that are connected, by player.
        @return: what was reached in the round, if it has ended.
        @raise RuntimeError: some of it is too large.
        """
        said, scene.said = scene.said, []
        for event in said:
            message = _checked(self._event(event, scene.ticks), f"the event {event.event!r}")
            if event.to is None:
                self.channel.publish(message)
            elif event.to.id in occupants:
                occupants[event.to.id].client.send(message)
        if scene.result is None:
            self._result_told = False
        if scene.result is None or self._result_told:
            return ()
        self._result_told = True
        reached, scene.records = scene.records, []
        records = [RecordLine(record.score, record.player.id, record.value) for record in reached]
        over = Over(room=self._room, result=scene.result, records=records or None)
        self.channel.publish(_checked(over, "the result"))
        return reached

    def _event(self, said: Said, tick: int) -> Any:
        """As L{netplay.game.messages.Happened}, with what else there is to say beside it."""
        head = {"type": "event", "room": self._room, "tick": tick, "event": said.event}
        return {**head, **said.fields, **head}


def _checked(message: Any, what: str) -> Any:
    size = len(JSON.encode(message))
    if size > MOST_BYTES:
        raise RuntimeError(f"{what} has {size} bytes, more than {MOST_BYTES}")
    return message
