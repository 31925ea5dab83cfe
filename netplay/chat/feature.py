"""Chat as a feature of the daemon: its rooms, their logs and channels, and the timers that belong to them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.plugin import IPlugin
from zope.interface import implementer

from netplay.beat import Beat
from netplay.channel import Channel
from netplay.chat import moderating_messages
from netplay.chat.messages import EVENTS, REQUESTS, RoomDeleted
from netplay.chat.moderating_messages import Removed
from netplay.chat.operations import operations
from netplay.chat.protocol import ChatFactory
from netplay.chat.rules import STANDING, Member, Room, Rooms
from netplay.chat.session import ChatSession
from netplay.clients import Client
from netplay.core import Core
from netplay.errors import Refused
from netplay.interfaces import IDescribed, IFeature, IMessageService, IOperated
from netplay.messages import Chat
from netplay.operations import Operation
from netplay.people import People
from netplay.session import SETTLE_AFTER
from netplay.store.interfaces import IRoomLog
from netplay.store.records import RoomRecord
from netplay.times import iso

PRESENCE_EVERY = 1.0
"""Seconds for which changes of presence are gathered."""

EXPIRE_EVERY = 60.0
"""Seconds between looks for rooms that were empty too long."""


@implementer(IMessageService, IOperated, IDescribed)
class ChatService(Service):
    """All of chat in one daemon."""

    _log = Logger()
    requests = (*REQUESTS, *moderating_messages.REQUESTS)
    events = (*EVENTS, *moderating_messages.EVENTS)

    def __init__(self, core: Core) -> None:
        self.core = core
        self.factory = ChatFactory(core, "chat", self)
        self.people = People("User")
        self.rooms = Rooms(core.clock.seconds())
        self._channels: dict[str, Channel] = {}
        self._sessions: dict[str, ChatSession] = {}  # by the id of the person
        self._changed: dict[Room, None] = {}  # whose members are to be told about presence
        self._unsettled: dict[str, float] = {}  # who has just connected, and when that is told
        self._expiry = Beat(core.clock, EXPIRE_EVERY, self._expire, "chat: while looking for empty rooms")
        self._directs = 0
        self._run = secrets.token_hex(4)
        self.operations: Sequence[Operation] = operations(self)

    def startService(self) -> None:
        """Know the rooms that were kept, and begin to look for empty ones."""
        super().startService()
        store = self.core.store.rooms
        kept = store.load()
        for record in kept:
            self.rooms.know(record, self.core.clock.seconds())
        for name in STANDING.keys() - {record.name for record in kept}:
            self.core.keeping.keep("rooms", store.put, self.rooms.get(name).record)
        self._expiry.start()

    def stopService(self) -> None:
        """Stop looking."""
        super().stopService()
        self._expiry.stop()

    def connected(self, client: Client) -> ChatSession:
        """Someone comes to chat."""
        return ChatSession(client, self)

    # People

    def arrived(self, session: ChatSession) -> None:
        """A session has found who it serves."""
        self.people.add(session.member.person)
        self._sessions[session.member.person.id] = session

    def departed(self, session: ChatSession) -> None:
        """That person is not here any more."""
        del self._sessions[session.member.person.id]
        self._unsettled.pop(session.member.person.id, None)

    def newcomer(self, session: ChatSession) -> None:
        """Somebody is here, but the others are told only in a moment: it may yet say that it was here before."""
        self._unsettled[session.member.person.id] = self.core.clock.seconds() + SETTLE_AFTER

    def find(self, who: str) -> list[ChatSession]:
        """Who is here with that id, or with that name: an account on all its connections."""
        return [self._sessions[person.id] for person in self.people.all(who) if person.id in self._sessions]

    def next_direct(self) -> str:
        """An id for a direct message, which belongs to no room."""
        self._directs += 1
        return f"{self._run}-d{self._directs}"

    # Rooms

    def log(self, room: Room) -> IRoomLog:
        """
        What was said there.

        @raise Refused: C{no_such_room}: it has gone meanwhile.
        """
        if self.rooms.find(room.name) is not room:
            raise Refused("no_such_room", f"the room {room.name} has gone", "$.room")
        return self.core.store.rooms.log(room.name)

    def channel(self, room: Room) -> Channel:
        """Who hears what is said there."""
        channel = self._channels.get(room.name)
        if channel is None:
            channel = self._channels[room.name] = Channel(self.core.clock, self.core.totals)
        return channel

    def join(self, session: ChatSession, room: Room) -> None:
        """Into a room, or to the front of those one is in."""
        if self._sessions.get(session.member.person.id) is not session:
            return  # it went while its history was read
        if room.name not in session.member.rooms:
            self.channel(room).join(session.client)
            self.presence_changed(room)
        self.rooms.join(session.member, room)

    def leave(self, session: ChatSession, room: Room) -> None:
        """Out of a room."""
        channel = self.channel(room)
        if channel in session.client.channels:
            channel.leave(session.client)
        self.rooms.leave(session.member, room, self.core.clock.seconds())
        self.presence_changed(room)

    def create(self, member: Member, name: str, topic: str) -> Deferred[None]:
        """
        A new room, which is an account's own. The Deferred fires when it is kept.

        @raise Refused: C{name_taken}, C{too_many}, C{store_busy}.
        """
        self.rooms.check_create(member, name)
        account = member.person.account
        record = RoomRecord(name, topic, None if account is None else account.name, self.core.now())
        kept = self.core.store.rooms.put(record)
        self.rooms.know(record, self.core.clock.seconds())
        member.created += 1
        return kept

    def change(self, room: Room, **fields: Any) -> Deferred[None]:
        """
        Give some fields of a room's record other values. The Deferred fires when that is kept.

        @raise Refused: C{store_busy}.
        """
        record = replace(room.record, **fields)
        kept = self.core.store.rooms.put(record)
        room.record = record
        return kept

    def delete(self, room: Room, by: str) -> Deferred[None]:
        """
        A room goes, with all that was said there; its members are told who did that. The Deferred fires when that is
        kept.

        @raise Refused: C{store_busy}.
        """
        dropped = self.core.store.rooms.drop(room.name)
        self.channel(room).publish(RoomDeleted(room=room.name, by=by))
        for member in list(room.members):
            session = self._sessions[member.person.id]
            self.leave(session, room)
            session.client.keep()
        self._forget(room)
        return dropped

    def put_out(self, room: Room, session: ChatSession, refused: Refused) -> None:
        """Somebody is not to be in a room, and is told why."""
        self.leave(session, room)
        session.client.send(Removed(room=room.name, code=refused.code, message=refused.message))
        session.client.keep()

    def put_out_banned(self, room: Room) -> None:
        """Nobody is to be in a room who is banned from it."""
        for member in list(room.members):
            session = self._sessions[member.person.id]
            try:
                if not room.kept_by(session.client.account):
                    self.core.moderation.check_enter(session.known_as, room.name)
            except Refused as refused:
                self.put_out(room, session, refused)

    def _forget(self, room: Room) -> None:
        self.rooms.remove(room)
        self._channels.pop(room.name, None)
        self._changed.pop(room, None)
        self.core.moderation.forget_room(room.name)

    def say(self, room: Room, user: str, message: str, emoji: str) -> Chat:
        """
        Say something in a room: what was said, with its number. The room's log keeps it.

        @raise Refused: C{store_busy}; then it is not said.
        """
        wall = self.core.wall()
        said = Chat(
            user=user,
            message=message,
            emoji=emoji,
            room=room.name,
            timestamp=iso(wall),
            at=int(wall * 1000),
            seq=0,
            id="",
        )
        self.log(room).append(said)
        self.channel(room).publish(said)
        return said

    def presence_changed(self, room: Room) -> None:
        """The members will be told within a second, once for all that changes until then."""
        if not self._changed:
            self.core.clock.callLater(PRESENCE_EVERY, self._tell_presence)
        self._changed[room] = None

    def _tell_presence(self) -> None:
        changed, self._changed = self._changed, {}
        now = self.core.clock.seconds()
        while self._unsettled and next(iter(self._unsettled.values())) <= now:
            del self._unsettled[next(iter(self._unsettled))]
        for room in changed:
            presence = room.presence(self._unsettled)
            if presence is not None:
                presence.at = self.core.now()
                self.channel(room).publish(presence)
            if room.untold:
                self.presence_changed(room)

    def _expire(self) -> None:
        for room in self.rooms.expired(self.core.clock.seconds()):
            if self.core.keeping.keep("rooms", self.core.store.rooms.drop, room.name):
                self._forget(room)
                self._log.info("chat: room {room} was empty for an hour and is gone", room=room.name)


@implementer(IPlugin, IFeature)
class ChatFeature:
    """Chat as the daemon finds it."""

    name = "chat"
    summary = "chat rooms with history, newline-delimited JSON"
    port = 8888
    order = 40
    greeting = '{"type": "chat", "text": "hello"}'
    frame_type = 16
    parameters: list[list[Any]] = []

    def build(self, options: Mapping[str, Any], core: Core) -> ChatService:
        """Chat has no options of its own."""
        return ChatService(core)
