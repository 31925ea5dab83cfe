"""One room of a game: who is seated, and when they are told the state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from twisted.internet.interfaces import IDelayedCall

from netplay.channel import Channel
from netplay.clients import Client
from netplay.core import Core
from netplay.game.messages import State
from netplay.interfaces import IGame, IWorld
from netplay.messages import Request


class GameRoom:
    """
    A world, its players, and the channel on which they see it.

    A change is sent at once, further ones at most C{state_rate} times a second: however many there are, each player
    gets the newest state only, and one who lags gets it when it has caught up.

    @param name: what the room is called.
    @param game: whose rules hold.
    @param state_rate: states a second, at most.
    """

    def __init__(self, name: str, game: IGame, core: Core, state_rate: float) -> None:
        self.name = name
        self.game = game
        self.world: IWorld = game.open(name)
        self.players: set[str] = set()
        self.tick = 0
        self._core = core
        self._channel = Channel(core.clock, core.totals)
        self._interval = 1.0 / state_rate
        self._sent = -self._interval
        self._due = 0.0
        self._pace = core.totals.pace("game")
        self._next: IDelayedCall | None = None
        self._arriving: dict[Callable[[], None], None] = {}  # what makes those seen who are not yet
        self._newcomers: dict[Client, int] = {}  # not in the channel yet -> the tick whose state they know

    def expect(self, settle: Callable[[], None]) -> None:
        """Someone has come and is not seen by the others before C{settle} is called, which seats it."""
        self._arriving[settle] = None

    def expect_no_more(self, settle: Callable[[], None]) -> None:
        """It was called, or will not be."""
        del self._arriving[settle]

    def preview(self, player: str, kept: Any = None) -> State:
        """The state as it will be once a player is in, which it is not yet; but everyone who came before is."""
        for settle in list(self._arriving):
            settle()
        self.world.join(player, kept)
        try:
            # The world's own objects are copied, before the player is taken out of them again.
            return self._state(msgspec.to_builtins(self.world.state()))
        finally:
            self.world.leave(player)

    def seat(self, player: str, client: Client, seen: int, kept: Any = None) -> None:
        """
        A player comes in.

        @param seen: the tick of the preview that it was sent. If nothing but its own coming has happened since, it
            knows all there is, and the others alone are told.
        """
        self.world.join(player, kept)
        self.players.add(player)
        knows_all = seen == self.tick
        self._changed()
        self._newcomers[client] = self.tick if knows_all else seen

    def unseat(self, player: str, client: Client) -> Any:
        """A player goes; returns what brings it back as it was."""
        self._newcomers.pop(client, None)
        if self._channel in client.channels:
            self._channel.leave(client)
        self.players.discard(player)
        kept = self.world.leave(player)
        self._changed()
        return kept

    def bring_up_to_date(self, client: Client) -> None:
        """Send the newest state to one client, if it was not sent to the room yet."""
        if self._next is not None:
            client.send(self.state())

    def act(self, player: str, message: Request) -> None:
        """A player did something."""
        if self.world.act(player, message):
            self._changed()

    def state(self) -> State:
        """All there is to see just now."""
        return self._state(self.world.state())

    def _state(self, world: Mapping[str, Any]) -> State:
        return State(room=self.name, game=self.game.name, tick=self.tick, at=self._core.now(), **world)

    def close(self) -> None:
        """The room ends."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _changed(self) -> None:
        self.tick += 1
        if self._next is None:
            clock = self._core.clock
            # At the end of this turn at the earliest, with all that the turn brings.
            now = clock.seconds()
            self._due = max(now, self._sent + self._interval)
            self._next = clock.callLater(self._due - now, self._send)

    def _send(self) -> None:
        self._next = None
        clock = self._core.clock
        self._sent = clock.seconds()
        self._pace.late.observe(self._sent - self._due)
        state = self.state()
        self._channel.publish(state, key=("state", self.name))
        self._channel.flush()
        newcomers, self._newcomers = self._newcomers, {}
        for client, seen in newcomers.items():
            if seen != self.tick:
                client.send(state)
            self._channel.join(client)
        self._pace.duration.observe(clock.seconds() - self._sent)
