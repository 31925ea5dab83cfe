"""What a backend may ask of chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct
from twisted.internet.defer import Deferred

from netplay.chat.messages import Emoji, RoomLine, RoomName, Text
from netplay.messages import Name
from netplay.operations import Operation
from netplay.text import clean_emoji, clean_name

if TYPE_CHECKING:
    from netplay.chat.feature import ChatService

PAGE = 100
"""Rooms in one answer, at most."""


class Publish(Struct, forbid_unknown_fields=True, kw_only=True):
    """Say something in a chat room. It is numbered, kept and heard like what a client says."""

    room: RoomName
    user: Name
    text: Text
    emoji: Emoji = "📢"


class Published(Struct):
    """It is kept, under this number."""

    room: str
    epoch: str
    seq: int
    id: str


class ListChatRooms(Struct, forbid_unknown_fields=True, kw_only=True):
    """The chat rooms by name, from behind `after`."""

    after: Annotated[str, Meta(max_length=32)] | None = None


class ChatRooms(Struct):
    """Rooms; with `more`, ask again with the last one as `after`."""

    rooms: list[RoomLine]
    more: bool


def operations(chat: ChatService) -> Sequence[Operation]:
    """Those of one chat."""

    def publish(request: Publish) -> Deferred[Published]:
        room = chat.rooms.get(request.room)
        user, emoji = clean_name(request.user, "$.user"), clean_emoji(request.emoji)
        said, log = chat.say(room, user, request.text, emoji), chat.log(room)
        return log.kept().addCallback(lambda _: Published(room.name, log.epoch, said.seq, said.id))

    def list_rooms(request: ListChatRooms) -> ChatRooms:
        lines = chat.rooms.listing(request.after)
        return ChatRooms(lines[:PAGE], len(lines) > PAGE)

    return (
        Operation("POST", "/chat/rooms/{room}/messages", Publish, Published, publish, ("no_such_room", "store_busy")),
        Operation("GET", "/chat/rooms", ListChatRooms, ChatRooms, list_rooms),
    )
