"""What chat clients send and get."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from netplay.messages import MAX_INTEGER, Chat, Event, Greeting, Name, Position, Request

RoomName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}\Z", examples=["tech"])]
Text = Annotated[str, Meta(min_length=1, max_length=4000, examples=["hi all"])]
Topic = Annotated[str, Meta(max_length=200, examples=["what we build"])]
Who = Annotated[str, Meta(min_length=1, max_length=64, examples=["User_2"])]
Emoji = Annotated[str, Meta(min_length=1, max_length=64, examples=["🚀"])]
Seq = Annotated[int, Meta(ge=0, lt=MAX_INTEGER, examples=[41])]
Words = Annotated[str, Meta(min_length=1, max_length=200, examples=["hello"])]
MessageId = Annotated[str, Meta(max_length=128, examples=["5f3a9c1e-41"])]
Count = Annotated[int, Meta(ge=1, lt=MAX_INTEGER, examples=[20])]


# Requests


class Say(Request, tag="chat"):
    """Say something in a room you are in; without `room` in the current one."""

    OVERTAKES: ClassVar[bool] = True

    text: Text
    room: RoomName | None = None


class JoinRoom(Request, tag="join_room"):
    """Go to a room. With `since` you get what you missed; with `also` you stay in the others too."""

    room: RoomName
    since: Position | None = None
    also: bool = False


class LeaveRoom(Request, tag="leave_room"):
    """Leave a room."""

    room: RoomName


class CreateRoom(Request, tag="create_room"):
    """Make a room. That of an account stays; a guest's goes, with its history, when it was empty for an hour."""

    room: RoomName
    topic: Topic = ""


class DeleteRoom(Request, tag="delete_room"):
    """Do away with a room that you own, and with its history."""

    room: RoomName


class SetTopic(Request, tag="set_topic"):
    """Say what a room is about, as its owner or a moderator."""

    room: RoomName
    topic: Topic


class ListRooms(Request, tag="rooms"):
    """Which rooms there are; go on with `after`, the last one you got."""

    after: Annotated[str, Meta(max_length=32)] | None = None


class AskWho(Request, tag="who"):
    """Who is in a room you name, or in the current one; go on with `after`, the last id you got."""

    room: RoomName | None = None
    after: Who | None = None


class AskHistory(Request, tag="history"):
    """What was said: the newest, or what came `before` or `after` a number."""

    room: RoomName | None = None
    before: Seq | None = None
    after: Seq | None = None
    limit: Count | None = None


class Search(Request, tag="search"):
    """Who said all these words, the last as the beginning of one? In the rooms you are in, or in `room`; go on with
    `before`, the last id you got."""

    text: Words
    room: RoomName | None = None
    before: MessageId | None = None
    limit: Count | None = None


class SetEmoji(Request, tag="set_emoji"):
    """Choose the emoji that stands beside your messages."""

    emoji: Emoji


class SetName(Request, tag="set_name"):
    """Take a name that nobody else has."""

    name: Name


class SendDirect(Request, tag="direct"):
    """Say something to one person only, found by id or name."""

    to: Who
    text: Text


# Events


class Welcome(Greeting, tag="welcome"):
    """The first message: you are in `room`."""

    message: str
    rooms: list[str]
    timestamp: str
    room: str
    epoch: str
    seq: int


class History(Event, tag="history"):
    """What was said, oldest first; `more` when there is more in the direction asked for."""

    room: str
    epoch: str
    messages: list[Chat]
    more: bool


class Found(Event, tag="search"):
    """What was found, newest first; `more` when there is more that is older."""

    messages: list[Chat]
    more: bool


class RoomChanged(Event, tag="room_changed"):
    """You are in the room now, and it is your current one."""

    room: str
    message: str
    epoch: str
    seq: int
    members: int
    recovered: bool | None = None


class TopicSet(Event, tag="topic"):
    """The room is about something else now."""

    room: str
    topic: str
    by: str


class RoomDeleted(Event, tag="room_deleted"):
    """The room is no more, and you are not in it."""

    room: str
    by: str


class RoomLine(Struct, omit_defaults=True):
    """
    One room of a list: the account that owns it, if there is one; in slow mode the seconds from message to message.
    """

    room: str
    topic: str
    members: int
    owner: str | None = None
    slow: float | None = None
    locked: bool = False
    read_only: bool = False


class RoomList(Event, tag="rooms"):
    """The rooms there are, by name."""

    rooms: list[RoomLine]
    more: bool


class MemberLine(Struct):
    """One member of a list."""

    id: str
    name: str
    emoji: str


class WhoList(Event, tag="who"):
    """Who is in a room, at most 100 at a time."""

    room: str
    members: list[MemberLine]
    more: bool


class Direct(Event, tag="direct", rename={"from_": "from"}):
    """Somebody said something to one person only; both get it."""

    from_: str
    to: str
    message: str
    emoji: str
    at: int
    id: str


class Named(Struct):
    """Somebody's id and name."""

    id: str
    name: str


class Presence(Event, tag="presence"):
    """Who came, went and changed names in the last second; above 100 members only how many there are."""

    room: str
    count: int
    at: int | None = None
    joined: list[Named] | None = None
    left: list[str] | None = None
    renamed: list[Named] | None = None


REQUESTS: tuple[type[Request], ...] = (
    Say, JoinRoom, LeaveRoom, CreateRoom, DeleteRoom, SetTopic, ListRooms, AskWho, AskHistory, Search, SetName,
    SetEmoji, SendDirect,
)  # fmt: skip
EVENTS: tuple[type[Event], ...] = (
    Welcome, Chat, History, Found, RoomChanged, TopicSet, RoomDeleted, RoomList, WhoList, Direct, Presence,
)  # fmt: skip
