"""One client of chat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import Deferred
from zope.interface import implementer

from netplay.chat import moderating, order
from netplay.chat.messages import (
    REQUESTS,
    AskHistory,
    AskWho,
    CreateRoom,
    DeleteRoom,
    Direct,
    Found,
    History,
    JoinRoom,
    LeaveRoom,
    ListRooms,
    RoomChanged,
    RoomList,
    Say,
    Search,
    SendDirect,
    SetEmoji,
    SetName,
    SetTopic,
    Welcome,
    WhoList,
)
from netplay.chat.moderating_messages import REQUESTS as MODERATING
from netplay.chat.moderating_messages import Removed
from netplay.chat.rules import FIRST_ROOM, Member, Room, members_after
from netplay.errors import Refused
from netplay.interfaces import ISession
from netplay.limits import network_of
from netplay.messages import COMMON, Chat, Event, Identity, Ok, Position, Resume, Resumed, RoomPosition
from netplay.people import Person
from netplay.session import COMMON_HANDLERS, Session
from netplay.text import clean_emoji
from netplay.times import iso
from netplay.wire.grammar import Grammar

if TYPE_CHECKING:
    from netplay.accounts.account import Account
    from netplay.chat.feature import ChatService
    from netplay.clients import Client

PAGE = 100
"""Messages or members in one reply, at most."""

NAMES_IN_WELCOME = 100


@dataclass(slots=True)
class State:
    """
    How somebody is here.

    @ivar rooms: in the order of joining.
    """

    emoji: str
    rooms: tuple[str, ...]


@dataclass(slots=True)
class Kept:
    """What someone who may come back left behind."""

    person: Person
    state: State
    created: int


@implementer(ISession)
class ChatSession(Session):
    """
    @param client: whom it serves.
    @param chat: the rooms and their logs and channels.
    """

    __slots__ = ("_returning", "chat", "member", "reports")

    grammar = Grammar((*REQUESTS, *MODERATING, *COMMON))

    def __init__(self, client: Client, chat: ChatService) -> None:
        super().__init__(client, chat.core)
        self.chat = chat
        self._returning: tuple[str, ...] | None = None
        self.reports = 0  # that it made
        person = Person(chat.people.number(), client.account)
        person.renamed = self._renamed
        self.member = Member(person)
        room = chat.rooms.get(FIRST_ROOM)
        log = chat.log(room)
        client.greet(
            Welcome(
                message=f"Welcome {person.name}! 🎉",
                rooms=chat.rooms.names(NAMES_IN_WELCOME),
                timestamp=iso(self.core.wall()),
                room=room.name,
                epoch=log.epoch,
                seq=log.seq,
            ),
            person.identity(),
        )
        chat.arrived(self)
        try:
            chat.newcomer(self)
            self._enter_first(room)
        except BaseException:
            self._go()
            chat.people.remove(person)
            raise

    def _enter_first(self, room: Room) -> None:
        try:
            self._check_enter(room)
        except Refused as refused:
            self._kept_out(room, refused)
        else:
            self.chat.join(self, room)

    def _kept_out(self, room: Room, refused: Refused) -> None:
        self.client.send(Removed(room=room.name, code=refused.code, message=refused.message))

    def identity(self) -> Identity:
        """Who it serves."""
        return self.member.person.identity()

    def logged_in(self, account: Account) -> None:
        """Called as the account is, for everyone to see."""
        self.chat.people.log_in(self.member.person, account)
        self._renamed()

    def _renamed(self) -> None:
        for room in self.member.rooms.values():
            room.renamed(self.member.person)
            self.chat.presence_changed(room)

    # Talking

    def say(self, message: Say) -> Deferred[Event] | None:
        """Into the room's log, and from there to its members."""
        member = self.member
        room = self.chat.rooms.joined(member, message.room)
        record, moderation = room.record, self.core.moderation
        if (record.read_only or record.slow or moderation.sanctions) and not room.kept_by(self.client.account):
            self._check_speak(room)
        text = moderation.cleaned(message.text)
        said = self.chat.say(room, member.person.name, text, member.emoji)
        if message.ref is None:
            return None
        return self.chat.log(room).kept().addCallback(lambda _: Ok(seq=said.seq, id=said.id))

    def _check_speak(self, room: Room) -> None:
        who = self.known_as
        self.core.moderation.check_speak(who, room.name)
        where = who.address and network_of(who.address)
        room.check_speak(who.account or where or self.member.person.id, self.core.clock.seconds())

    def _check_enter(self, room: Room) -> None:
        account = self.client.account
        if room.name not in self.member.rooms and not room.kept_by(account):
            self.core.moderation.check_enter(self.known_as, room.name)
            room.check_enter(account)

    def direct(self, message: SendDirect) -> Event:
        """To one person, on all its connections, and back to who said it, on all of its."""
        moderation = self.core.moderation
        if moderation.sanctions:
            moderation.check_speak(self.known_as)
        others = self.chat.find(message.to)
        if not others:
            raise Refused("no_such_user", "nobody here has that id or name; who lists them", "$.to")
        direct = Direct(
            from_=self.member.person.name,
            to=others[0].member.person.name,
            message=moderation.cleaned(message.text),
            emoji=self.member.emoji,
            at=self.core.now(),
            id=self.chat.next_direct(),
        )
        mine = [] if self.client.account is None else self.chat.find(self.member.person.name)
        for other in {session: None for session in (*others, *mine) if session is not self}:
            other.client.send(direct)
        return direct

    # Rooms

    def join_room(self, message: JoinRoom) -> Deferred[Event]:
        """The history, then the room."""
        return Deferred.fromCoroutine(self._join_room(message))

    async def _join_room(self, message: JoinRoom) -> Event:
        chat, member = self.chat, self.member
        room = chat.rooms.get(message.room)
        chat.rooms.check_join(member, room, message.also)
        self._check_enter(room)
        recovered = await self._catch_up(room, message.since)
        self._check_enter(room)  # much may have been decided while its past was read
        log = chat.log(room)
        # No turn passes between the last page and this: nothing is missed, nothing comes twice.
        for other in list(member.rooms.values()):
            if other is not room and not message.also:
                chat.leave(self, other)
        chat.join(self, room)
        self.client.keep()
        return RoomChanged(
            room=room.name,
            message=f"You joined #{room.name} 🎉",
            epoch=log.epoch,
            seq=log.seq,
            members=len(room.members),
            recovered=recovered,
        )

    async def _catch_up(self, room: Room, since: Position | None) -> bool | None:
        """
        Send the history: all after C{since}, or the newest page.

        @return: whether that is all that was missed; C{None} without C{since}.
        """
        # A client that reads at its own pace is not sent more at once than it may leave unread.
        await self.client.drained()
        log = self.chat.log(room)
        recovered = None if since is None else log.recovers(since)
        if since is not None and recovered:
            seq, missed = since.seq, True
        else:
            seq = log.seq
            page = await self._page(room, None, None, PAGE)
            self.client.send(page)
            if page.messages:
                seq = page.messages[-1].seq
            missed = seq < log.seq  # that was said while the page was read
        while missed:
            await self.client.drained()
            page = await self._page(room, None, seq, PAGE)
            if page.messages:
                seq = page.messages[-1].seq
            page.more = missed = bool(page.messages) and seq < log.seq
            self.client.send(page)
        return recovered

    async def _page(self, room: Room, before: int | None, after: int | None, limit: int) -> History:
        log = self.chat.log(room)
        self.chat.channel(room).flush()  # what is in the page does not come after it
        found = await log.page(before, after, limit + 1)  # one more tells whether there are more
        forward = after is not None
        wanted = found[:limit] if forward else found[-limit:]
        page = self.client.fit(wanted, newest=not forward)
        return History(room=room.name, epoch=log.epoch, messages=page, more=len(page) < len(found))

    def leave_room(self, message: LeaveRoom) -> None:
        """Out of a room."""
        self.chat.leave(self, self.chat.rooms.joined(self.member, message.room))
        self.client.keep()

    def create_room(self, message: CreateRoom) -> Deferred[None]:
        """A room of one's own, which is not joined by that."""
        return self.chat.create(self.member, message.room, message.topic)

    def delete_room(self, message: DeleteRoom) -> Deferred[None]:
        """One's own room is not to be any more."""
        room = self.chat.rooms.get(message.room)
        room.check_owner(self.client.account)
        return self.chat.delete(room, self.member.person.name)

    def set_topic(self, message: SetTopic) -> Deferred[None]:
        """What a room is about, which its members are told."""
        room = self.chat.rooms.get(message.room)
        room.check_keeper(self.client.account)
        return order.change(self.chat, room, self.member.person.name, topic=message.topic)

    def list_rooms(self, message: ListRooms) -> Event:
        """The rooms there are."""
        lines = self.chat.rooms.listing(message.after)
        page = self.client.fit(lines)
        return RoomList(rooms=page, more=len(page) < len(lines))

    def who(self, message: AskWho) -> Event:
        """Who is in a room."""
        room = self.chat.rooms.meant(self.member, message.room)
        lines, more = members_after(room, message.after, PAGE)
        page = self.client.fit(lines)
        return WhoList(room=room.name, members=page, more=more or len(page) < len(lines))

    def history(self, message: AskHistory) -> Deferred[Event]:
        """A page of what was said."""
        room = self.chat.rooms.meant(self.member, message.room)
        self._check_enter(room)
        limit = min(message.limit or PAGE, PAGE)
        return Deferred.fromCoroutine(self._page(room, message.before, message.after, limit))

    def search(self, message: Search) -> Deferred[Event]:
        """Who said that."""
        if message.room is None:
            rooms = list(self.member.rooms)
        else:
            self._check_enter(self.chat.rooms.get(message.room))
            rooms = [message.room]
        limit = min(message.limit or PAGE, PAGE)
        found = self.core.store.rooms.search(message.text, rooms, message.before, limit + 1)
        return found.addCallback(self._found, limit)

    def _found(self, found: list[Chat], limit: int) -> Event:
        page = self.client.fit(found[:limit])
        return Found(messages=page, more=len(page) < len(found))

    def set_name(self, message: SetName) -> Deferred[None]:
        """Another name, for everyone to see."""
        return Deferred.fromCoroutine(self._set_name(message.name))

    async def _set_name(self, name: str) -> None:
        await self.may_be_called(name, self.member.person)
        before = self.member.person.name
        self.chat.people.rename(self.member.person, name)
        if self.member.person.name != before:
            self._renamed()

    def set_emoji(self, message: SetEmoji) -> None:
        """Another emoji."""
        self.member.emoji = clean_emoji(message.emoji)
        self.client.keep()

    # Going and coming back

    def lost(self) -> Kept:
        """Out of all rooms, until it comes back."""
        kept = Kept(self.member.person, self._state(), self.member.created)
        self._go()
        return kept

    def keep(self) -> bytes:
        """Where it is."""
        return msgspec.json.encode(self._state())

    def _state(self) -> State:
        # Should it go while it is still coming back, it was in all those rooms.
        rooms = tuple(self.member.rooms) if self._returning is None else self._returning
        return State(self.member.emoji, rooms)

    def _go(self) -> None:
        for room in list(self.member.rooms.values()):
            self.chat.leave(self, room)
        self.chat.departed(self)

    def resumed(self, kept: Kept, request: Resume) -> Deferred[None]:
        """Be who one was before, in the rooms one was in, with what was missed."""
        self._go()
        self.chat.people.remove(self.member.person)
        member = self.member = Member(kept.person)
        kept.person.renamed = self._renamed
        kept.person.back(self.client.account)
        member.created = kept.created
        self.chat.arrived(self)
        return self._take_up(kept.state, request)

    def restored(self, state: bytes, request: Resume) -> Deferred[None]:
        """Into the rooms one was in, with what was missed."""
        for room in list(self.member.rooms.values()):
            self.chat.leave(self, room)
        return self._take_up(msgspec.json.decode(state, type=State), request)

    def _take_up(self, state: State, request: Resume) -> Deferred[None]:
        self.member.emoji = state.emoji
        self._returning = state.rooms
        return Deferred.fromCoroutine(self._resume_rooms(state.rooms, request))

    async def _resume_rooms(self, names: tuple[str, ...], request: Resume) -> None:
        rooms: list[Room] = []
        closed: dict[Room, Refused] = {}
        positions = {}
        for room in filter(None, map(self.chat.rooms.find, names)):
            try:
                self._check_enter(room)
            except Refused as refused:
                closed[room] = refused
                continue
            rooms.append(room)
            log = self.chat.log(room)
            since = request.since.get(room.name)
            positions[room.name] = RoomPosition(log.epoch, log.seq, since is not None and log.recovers(since))
        self.client.greet(
            Resumed(rooms=positions, room=rooms[-1].name if rooms else None),
            self.member.person.identity(),
            request.ref,
        )
        for room, why in closed.items():
            self._kept_out(room, why)
        for room in rooms:
            try:
                await self._return_to(room, request.since.get(room.name), positions[room.name])
            except Refused as refused:  # much may have been decided while another room was read
                self._kept_out(room, refused)
        self._returning = None

    async def _return_to(self, room: Room, since: Position | None, told: RoomPosition) -> None:
        self._check_enter(room)
        if since is not None:
            await self._catch_up(room, since)
        elif self.chat.log(room).seq != told.seq:  # something was said while another room was read
            await self._catch_up(room, Position(told.epoch, told.seq))
        self.chat.log(room)  # is it still there?
        self._check_enter(room)
        self.chat.join(self, room)

    def expired(self, kept: Kept) -> None:
        """Nobody came back: the name is free."""
        self.chat.people.remove(kept.person)

    handlers = {
        **COMMON_HANDLERS,
        Say: say,
        SendDirect: direct,
        JoinRoom: join_room,
        LeaveRoom: leave_room,
        CreateRoom: create_room,
        DeleteRoom: delete_room,
        SetTopic: set_topic,
        ListRooms: list_rooms,
        AskWho: who,
        AskHistory: history,
        Search: search,
        **moderating.HANDLERS,
        SetName: set_name,
        SetEmoji: set_emoji,
    }
