"""
The part of the message grammar that every feature shares.

Requests are what a client sends, events what it gets; both are Structs tagged by C{type}, from which decoding,
C{help}, error examples and the tables of C{docs/protocol.md} are made.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

import netplay
from netplay.wire.grammar import MAX_REF
from netplay.wire.strict import MAX_INTEGER as MAX_INTEGER
from netplay.wire.strict import Float as Float
from netplay.wire.strict import Integer as Integer

PROTOCOL = 1
SERVER = f"netplay/{netplay.__version__}"

Number = Integer | Float
Ref = Annotated[str, Meta(max_length=MAX_REF)] | Integer
Name = Annotated[str, Meta(max_length=200, examples=["Ann"])]  # what a name may be is said by netplay.text


class Request(Struct, tag_field="type", forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What a client sends."""

    EXAMPLE: ClassVar[dict[str, Any]] = {}
    OVERTAKES: ClassVar[bool] = False
    """Whether it takes effect though requests before it are still to be answered; its own answer keeps its turn."""

    ref: Ref | None = None


class Event(Struct, tag_field="type", kw_only=True, omit_defaults=True):
    """What a client gets. C{ref} is there when it answers a request that had one."""

    ref: str | int | None = None


class Position(Struct, forbid_unknown_fields=True):
    """A place in the log of a room."""

    epoch: Annotated[str, Meta(max_length=64, examples=["5f3a9c1e"])]
    seq: Annotated[int, Meta(ge=0, lt=MAX_INTEGER, examples=[41])]


class Identity(Struct):
    """Who a client is."""

    id: str
    name: str
    guest: bool = True


class Caps(Struct):
    """What a client may do: sizes in bytes, C{rate} in messages a second, C{idle} in seconds."""

    max_message: int
    max_reply: int
    rate: float
    idle: float


class Greeting(Event, kw_only=True):
    """What the first message on a connection also says."""

    you: Identity | None = None
    session: str | None = None
    protocol: int | None = None
    server: str | None = None
    limits: Caps | None = None


class Ping(Request, tag="ping"):
    """Is anyone there?"""


class Pong(Event, tag="pong"):
    """Yes, at this time."""

    at: int


class Help(Request, tag="help"):
    """What can be sent here, or what one type (`about`) is."""

    about: Annotated[str, Meta(max_length=64, examples=["ping"])] | None = None


class HelpText(Event, tag="help"):
    """The messages of this port. Those that did not fit are named in `others`: ask `about` each."""

    text: str
    types: dict[str, Any]
    others: list[str] | None = None


class Options(Request, tag="options"):
    """Ask for smaller replies, in bytes."""

    max_reply: Annotated[int, Meta(ge=1024, lt=MAX_INTEGER, examples=[4096])] | None = None


class Resume(Request, tag="resume"):
    """Take up a session whose connection is gone; the first message of a new connection."""

    session: Annotated[str, Meta(max_length=128, examples=["3q2-7wEvTg"])]
    since: dict[Annotated[str, Meta(max_length=64)], Position] = {}


class Secretive(Request):
    """A request with something in it that is to be seen by nobody, wherever it is printed."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


Password = Annotated[str, Meta(min_length=1, max_length=1024, examples=["correct horse battery staple"])]


class Login(Secretive, tag="login"):
    """Say who you are: with `user` and `password`, or with a `token`. Holds for all of this connection."""

    EXAMPLE = {"user": "Ann", "password": "correct horse battery staple"}

    user: Name | None = None
    password: Password | None = None
    token: Annotated[str, Meta(min_length=1, max_length=16384)] | None = None


class Register(Secretive, tag="register"):
    """Make a name your own, where the server lets people do that, and log in."""

    user: Name
    password: Password


class SetPassword(Secretive, tag="set_password"):
    """Another password for your account. Its other connections end, and nobody resumes them."""

    password: Password
    new: Password


class LoggedIn(Event, tag="logged_in"):
    """Who you are now, and what you may do: `operator`, `moderator`, `moderator:ROOM`."""

    you: Identity
    roles: list[str]


class LoginRequired(Event, tag="login_required"):
    """No guests here: `login`, `register` or `resume` first. The feature greets you after that."""

    message: str
    protocol: int
    server: str
    limits: Caps


class RoomPosition(Struct):
    """Where a room stands, and whether nothing is missing up to there."""

    epoch: str
    seq: int
    recovered: bool


class Resumed(Greeting, tag="resumed"):
    """Who you are again. What was missed follows."""

    rooms: dict[str, RoomPosition]
    room: str | None = None


class Chat(Event, tag="chat"):
    """Somebody said something. `seq` counts up by one in a room."""

    user: str
    message: str
    emoji: str
    room: str
    timestamp: str
    at: int
    seq: int
    id: str
    deleted: bool = False


class Ok(Event, tag="ok"):
    """It has taken effect, and is kept where it is to be kept."""

    seq: int | None = None
    id: str | None = None


ANSWERED = Ok()
"""What the handler of a request returns when it has sent the answer itself."""


class Error(Event, tag="error"):
    """Something was not done, or the connection ends."""

    code: str
    message: str
    field: str | None = None
    fatal: bool = False
    retry_after: float | None = None
    symbols: list[str] | None = None


COMMON: tuple[type[Request], ...] = (Ping, Help, Options, Resume, Login, Register, SetPassword)
"""The requests of every feature."""

COMMON_EVENTS: tuple[type[Event], ...] = (
    Ok,
    Error,
    Pong,
    HelpText,
    Resumed,
    LoggedIn,
    LoginRequired,
)
"""The events of every feature."""
