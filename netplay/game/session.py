"""One client of the game port: a player of the lobby."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IDelayedCall
from zope.interface import implementer

from netplay.interfaces import ISession
from netplay.messages import Greeting, Identity, Request, Resume, Resumed
from netplay.people import Person
from netplay.session import COMMON_HANDLERS, SETTLE_AFTER, Session
from netplay.wire.grammar import Grammar

if TYPE_CHECKING:
    from netplay.clients import Client
    from netplay.game.feature import GameService


@dataclass(slots=True)
class Kept:
    """What a player who may come back left behind."""

    person: Person
    room: str
    world: Any


@implementer(ISession)
class GameSession(Session):
    """
    A newcomer has a seat at once and sees the room as it will be with it in, but the others see it only when it
    does something, somebody else comes, or it has been here for a moment: whoever resumes at once is never seen as
    a newcomer.

    @param client: whom it serves.
    @param game: the rooms.
    """

    __slots__ = ("_game", "_seen", "_settling", "_world", "person", "room")

    client: Client

    def __init__(self, client: Client, game: GameService) -> None:
        super().__init__(client, game.core)
        self._game = game
        self._arrive(Person(game.people.number()), None, None)
        try:
            client.greet(self._preview(), self.person.identity())
        except BaseException:
            self._go()
            game.people.remove(self.person)
            raise

    @property
    def grammar(self) -> Grammar:  # type: ignore[override]
        """What the game of the room takes."""
        return self._game.grammar(self.room.game)

    def identity(self) -> Identity:
        """Who it serves."""
        return self.person.identity()

    def received(self, message: Request) -> Any:
        """What is not for everyone is for the game."""
        handler = COMMON_HANDLERS.get(type(message))
        if handler is not None:
            return handler(self, message)
        self._settle()
        return self.room.act(self.person.id, message)

    def finishing(self) -> None:
        """A state that is due in a moment would come too late."""
        if self._settling is None:
            self.room.bring_up_to_date(self.client)

    def lost(self) -> Kept:
        """Out of the room."""
        return Kept(self.person, self.room.name, self._go())

    def resumed(self, kept: Kept, request: Resume) -> None:
        """Be who one was before, where one was, with all there is to see."""
        self._go()
        self._game.people.remove(self.person)
        self._arrive(kept.person, kept.room, kept.world)
        self.client.greet(Resumed(rooms={}, room=self.room.name), self.person.identity(), request.ref)
        self.client.send(self._preview())
        self._settle()

    def expired(self, kept: Kept) -> None:
        """Nobody came back: the name is free."""
        self._game.people.remove(kept.person)

    def _arrive(self, person: Person, wanted: str | None, world: Any) -> None:
        self.person = person
        self._world = world
        self._game.people.add(person)
        self.room = self._game.lobby.take_seat(wanted)
        self._settling: IDelayedCall | None = None

    def _preview(self) -> Greeting:
        preview = self.room.preview(self.person.id, self._world)
        self._seen = self.room.tick
        self.room.expect(self._settle)
        self._settling = self.core.clock.callLater(SETTLE_AFTER, self._settle)
        return preview

    def _settle(self) -> None:
        """From now on the others see it."""
        if self._settling is not None:
            self._stop_settling()
            self.room.seat(self.person.id, self.client, self._seen, self._world)

    def _stop_settling(self) -> None:
        settling, self._settling = self._settling, None
        self.room.expect_no_more(self._settle)
        if settling is not None and settling.active():
            settling.cancel()

    def _go(self) -> Any:
        """Up from the seat; returns what brings the player back as it was."""
        if self._settling is not None:
            self._stop_settling()
            kept = self._world
        else:
            kept = self.room.unseat(self.person.id, self.client)
        self._game.lobby.give_seat(self.room)
        return kept
