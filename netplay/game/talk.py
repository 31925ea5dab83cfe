"""What is said in a room, by those who are in it and by its game."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from netplay.channel import Channel
from netplay.core import Core
from netplay.game.messages import Over, RecordLine, Spoken
from netplay.game.scene import Said, Scene
from netplay.people import Person
from netplay.times import iso

if TYPE_CHECKING:
    from netplay.clients import Client

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
            Spoken(
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

    def tell(self, scene: Scene, clients: Mapping[str, Client]) -> None:
        """
        What the game has said since the last time, and how the round ended.

        @param clients: those of the players that are connected, by player.
        """
        said, scene.said = scene.said, []
        for event in said:
            message = self._event(event, scene.ticks)
            if event.to is None:
                self.channel.publish(message)
            elif event.to.id in clients:
                clients[event.to.id].send(message)
        if scene.result is None:
            self._result_told = False
        elif not self._result_told:
            self._result_told = True
            reached, scene.records = scene.records, []
            records = [RecordLine(record.score, record.player.id, record.value) for record in reached]
            self.channel.publish(Over(room=self._room, result=scene.result, records=records or None))

    def _event(self, said: Said, tick: int) -> Any:
        """As L{netplay.game.messages.Happened}, with what else there is to say beside it."""
        head = {"type": "event", "room": self._room, "tick": tick, "event": said.event}
        return {**head, **said.fields, **head}
