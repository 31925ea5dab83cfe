"""One client of the game port: in the lobby at first, then in whatever room it joins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import ref

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from zope.interface import implementer

from netplay.clients import error_of
from netplay.errors import Refused
from netplay.game.entities import Entity
from netplay.game.listing import PAGE, game_lines, room_lines
from netplay.game.live import LiveRoom
from netplay.game.lobby import Lobby
from netplay.game.messages import (
    AskLeaderboard,
    ChooseTeam,
    GameList,
    Games,
    Join,
    Leaderboard,
    Leave,
    Queue,
    Queued,
    Ready,
    RoomList,
    Rooms,
    Say,
    Seated,
    Start,
    Sync,
)
from netplay.interfaces import ISession
from netplay.messages import ANSWERED, Event, Identity, Request, Resume, Resumed
from netplay.people import Person
from netplay.session import COMMON_HANDLERS, SETTLE_AFTER, Session
from netplay.wire.grammar import Grammar

if TYPE_CHECKING:
    from netplay.accounts.account import Account
    from netplay.clients import Client
    from netplay.game.feature import GameService


@dataclass(slots=True)
class Kept:
    """
    What a player who may come back left behind.

    @ivar room: the name of the room in which it was.
    @ivar live: that room, as long as there is one.
    @ivar watching: whether it only watched there.
    @ivar fields: what its entity was, where no seat is kept.
    """

    person: Person
    room: str
    live: ref[LiveRoom]
    watching: bool
    fields: dict[str, Any] | None


@implementer(ISession)
class GameSession(Session):
    """
    A newcomer has a seat in the lobby at once and sees it as it is with it in, but the others see it only when it
    does something, somebody else comes, or it has been here for a moment: whoever resumes at once is never seen as
    a newcomer.

    @param client: whom it serves.
    @param game: the rooms.
    @ivar live: where it is.
    @ivar watching: whether it only watches there.
    """

    __slots__ = ("_game", "_knows", "_settling", "live", "person", "watching")

    client: Client

    def __init__(self, client: Client, game: GameService) -> None:
        super().__init__(client, game.core)
        self._game = game
        self._settling: IDelayedCall | None = None
        self._be(Person(game.people.number(), client.account))
        try:
            self._take_lobby_seat()
            client.greet(self._preview(), self.person.identity())
        except BaseException:
            game.people.remove(self.person)
            raise

    @property
    def grammar(self) -> Grammar:  # type: ignore[override]
        """What is taken in the room."""
        return self.live.room.game.grammar

    def identity(self) -> Identity:
        """Who it serves."""
        return self.person.identity()

    def logged_in(self, account: Account) -> None:
        """Called as the account is, for everyone to see."""
        self._game.people.log_in(self.person, account)
        self._renamed()

    def received(self, message: Request) -> Any:
        """What is not for everyone is for the game."""
        kind = type(message)
        if kind in COMMON_HANDLERS:
            return COMMON_HANDLERS[kind](self, message)
        if self._settling is not None:
            self._settle()
        if kind in ROOM_HANDLERS:
            self.live.hear(self.client)
            return ROOM_HANDLERS[kind](self, message)
        if self.watching:
            raise Refused("not_allowed", "you only watch here; join without spectate to play")
        try:
            self.live.act(self.person.id, message)
        except Refused as refused:
            if refused.code != "room_crashed" or message.ref is not None:
                raise
            return ANSWERED  # as everyone in the room was
        return None

    # Coming, going, coming back

    def finishing(self) -> None:
        """A state that is due in a moment would come too late."""
        if self._settling is None:
            self.live.bring_up_to_date(self.client)

    def lost(self) -> Kept:
        """The lobby is left at once; elsewhere the seat is kept for a while."""
        self._game.waiting.remove(self)
        live = self.live
        fields = None
        if self.watching:
            live.unwatch(self.client)
        elif Lobby.is_one(live.name):
            fields = self._give_up_lobby_seat()
        else:
            live.drop(self.person.id)
        return Kept(self.person, live.name, ref(live), self.watching, fields)

    def resumed(self, kept: Kept, request: Resume) -> None:
        """Be who one was before, where one was, with all there is to see."""
        self._give_up_lobby_seat()
        self._game.people.remove(self.person)
        kept.person.back(self.client.account)
        self._be(kept.person)
        live = kept.live()
        there = live is not None and not live.closed and (kept.watching or live.keeps(self.person.id))
        if live is None or not there:
            self._take_lobby_seat(kept.room, kept.fields)
        else:
            self.live, self.watching = live, kept.watching
        self.client.greet(Resumed(rooms={}, room=self.live.name), self.person.identity(), request.ref)
        with suppress(Refused):  # it crashed, which it is told
            if not there:
                self.client.send(self._preview())
                self._settle()
            elif self.watching:
                self.live.watch(self)
            else:
                self.live.back(self, self.person.id)

    def keep(self) -> bytes:
        """In which room it is: its seat is kept for a while only, but the lobbies stay."""
        return self.live.name.encode()

    def restored(self, state: bytes, request: Resume) -> None:
        """In the lobby where one was, if it was one and there is room in it."""
        self._give_up_lobby_seat()
        self._take_lobby_seat(state.decode())
        self.client.greet(Resumed(rooms={}, room=self.live.name), self.person.identity(), request.ref)
        with suppress(Refused):  # it crashed, which it is told
            self.client.send(self._preview())
            self._settle()

    def expired(self, kept: Kept) -> None:
        """Nobody came back: the name is free."""
        self._game.people.remove(kept.person)

    def room_ended(self, code: str, message: str) -> None:
        """The room is no more: into the lobby."""
        self._stop_settling()
        self.watching = False
        self.refused(Refused(code, message))
        self._go_to_lobby()

    def _renamed(self) -> None:
        self.live.rename(self.person)

    def _be(self, person: Person) -> None:
        self.person = person
        person.renamed = self._renamed
        self._game.people.add(person)

    # The lobby

    def _take_lobby_seat(self, wanted: str | None = None, fields: dict[str, Any] | None = None) -> None:
        self.watching = False
        self.live = self._game.lobby.find(wanted)
        self.live.seat(self.person, kept=fields)

    def _give_up_lobby_seat(self) -> dict[str, Any]:
        """Returns what it takes to be there again as one was."""
        unseen = self._stop_settling()
        player = self.live.room.seats.get(self.person.id)
        fields = {} if player is None else msgspec.structs.asdict(player.entity)
        self.live.leave(self.person.id, unseen=unseen)
        return {name: value for name, value in fields.items() if name not in Entity.__struct_fields__}

    def _preview(self) -> Any:
        self._settling = self.core.clock.callLater(SETTLE_AFTER, self._settle)
        state, self._knows = self.live.preview(self.client, self.person.id, self._settle)
        return state

    def _settle(self) -> None:
        """From now on the others see it."""
        if self._stop_settling():
            self.live.reveal(self, self.person.id, self._knows)

    def _stop_settling(self) -> bool:
        settling, self._settling = self._settling, None
        if settling is None:
            return False
        if settling.active():
            settling.cancel()
        return True

    def _go_to_lobby(self) -> None:
        self.live = self._game.lobby.find()
        self.live.seat(self.person)
        self.live.enter(self, self.person.id)

    # What everyone may ask, in every room

    def games(self, message: Games) -> Event:
        """Those that there are."""
        return GameList(games=self.client.fit(game_lines(self._game.games)))

    def rooms(self, message: Rooms) -> Event:
        """Those that anybody may know of."""
        listed = self._game.directory.listed(message.game, message.after)
        rooms = self.client.fit(room_lines(listed[:PAGE]))
        return RoomList(rooms=rooms, more=len(rooms) < len(listed))

    def join(self, message: Join) -> Deferred[Event]:
        """Out of the room, into another."""
        return Deferred.fromCoroutine(self._join(message))

    async def _join(self, message: Join) -> Event:
        if message.name is not None:
            await self.may_be_called(message.name, self.person)
        game = self._game
        live = game.target(message)
        try:
            if live is self.live and (message.spectate or not self.watching):
                raise Refused("not_allowed", "you are in this room already", "$.room")
            live.check(message.password)
            with self._called(message.name):
                return self.move(live, message.team, spectate=message.spectate)
        finally:
            game.directory.discard(live)

    def move(self, live: LiveRoom, team: str | None = None, *, spectate: bool = False) -> Seated:
        """
        Into another room, out of the one where it is.

        @raise Refused: it cannot; then it stays.
        """
        id = self.person.id
        if spectate and not live.room.game.spectators:
            raise Refused("not_allowed", "nobody watches this game", "$.spectate")
        if spectate and not live.room.seats:
            raise Refused("no_such_room", "nobody plays there; join without spectate to be the first", "$.spectate")
        player = None if spectate else live.seat(self.person, team)
        self._game.waiting.remove(self)
        self._go()
        self.live = live
        self.watching = spectate
        if player is None:
            live.watch(self)
        else:
            live.enter(self, id)
            team = player.team
        return Seated(
            room=live.name,
            game=live.room.game.name,
            player=id,
            spectator=spectate,
            code=live.code,
            team=None if spectate else team,
        )

    def leave(self, message: Leave) -> None:
        """Out of the queue, or back into the lobby."""
        if self._game.waiting.remove(self):
            return
        if Lobby.is_one(self.live.name) and not self.watching:
            raise Refused("not_allowed", "you are in the lobby; join leads somewhere else")
        self._go()
        self.watching = False
        self._go_to_lobby()

    def queue(self, message: Queue) -> Deferred[Event]:
        """Wait for others to play with."""
        return Deferred.fromCoroutine(self._queue(message))

    async def _queue(self, message: Queue) -> Event:
        if message.name is not None:
            await self.may_be_called(message.name, self.person)
        game = self._game.directory.game(message.game)
        with self._called(message.name):
            return Queued(game=game.name, waiting=self._game.waiting.add(self, game, message.rating))

    def matched(self, live: LiveRoom) -> None:
        """Others were found: into a room with them."""
        try:
            self.client.send(self.move(live))
        except Refused as refused:
            self.refused(refused)

    def refused(self, refused: Refused) -> None:
        """What it waited for is not to be."""
        self.client.send(error_of(refused))

    def ready(self, message: Ready) -> None:
        """Say that one is, or is not."""
        self._as_player().ready(self.person.id, message.ready)

    def start(self, message: Start) -> None:
        """As the host."""
        self._as_player().call(self.person.id)

    def team(self, message: ChooseTeam) -> None:
        """Change to another."""
        self._as_player().choose(self.person.id, message.team)

    def say(self, message: Say) -> None:
        """To everyone in the room."""
        moderation = self.core.moderation
        if moderation.sanctions:
            moderation.check_speak(self.known_as)
        self.live.say(self.person, moderation.cleaned(message.text))

    def leaderboard(self, message: AskLeaderboard) -> Deferred[Event]:
        """Who was best."""
        game = self._game.directory.game(message.game)
        score, best = self._game.leaderboards.best(game, message.score, message.period, message.limit)
        return best.addCallback(
            lambda scores: Leaderboard(
                game=game.name, score=score, period=message.period, scores=self.client.fit(scores)
            )
        )

    def sync(self, message: Sync) -> None:
        """How to be told the state."""
        self.live.sync(self.client, deltas=message.mode == "delta", max_rate=message.max_rate)

    @contextmanager
    def _called(self, name: str | None) -> Iterator[None]:
        """
        Be called that, unless what is done meanwhile is refused.

        @raise Refused: C{bad_message}, C{name_taken}.
        """
        people = self._game.people
        before = self.person.name
        if name is not None:
            people.rename(self.person, name)
        try:
            yield
        except Refused:
            people.rename(self.person, before)
            raise

    def _as_player(self) -> LiveRoom:
        if self.watching:
            raise Refused("not_allowed", "you only watch here; join without spectate to play")
        if Lobby.is_one(self.live.name):
            raise Refused("wrong_phase", "there are no rounds in the lobby; join a game first")
        return self.live

    def _go(self) -> None:
        if self.watching:
            self.live.unwatch(self.client)
        else:
            self.live.leave(self.person.id)


ROOM_HANDLERS: dict[type[Request], Callable[[Any, Any], Any]] = {
    Games: GameSession.games,
    Rooms: GameSession.rooms,
    Join: GameSession.join,
    Leave: GameSession.leave,
    Queue: GameSession.queue,
    Ready: GameSession.ready,
    Start: GameSession.start,
    ChooseTeam: GameSession.team,
    Say: GameSession.say,
    Sync: GameSession.sync,
    AskLeaderboard: GameSession.leaderboard,
}
