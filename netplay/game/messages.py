"""What players send and get, whatever they play."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct

from netplay.game.entities import snake
from netplay.messages import COMMON, MAX_INTEGER, Chat, Event, Greeting, Name, Number, Ref, Request
from netplay.wire.grammar import Grammar

MOST_SAY = 400
"""Characters of what is said in a room at once."""

Seq = Annotated[int, Meta(ge=0, lt=MAX_INTEGER, examples=[17])]
RoomName = Annotated[str, Meta(max_length=64, examples=["arena-1"])]
GameName = Annotated[str, Meta(max_length=32, examples=["arena"])]
ScoreName = Annotated[str, Meta(max_length=64, examples=["stars"])]
Period = Literal["day", "all"]
Most = Annotated[int, Meta(ge=1, le=100, examples=[10])]


class Message(Struct, tag_field="do", tag=snake, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """
    What a player sends to a game: subclasses declare its fields, and it comes as C{{"type": "act", "do": ...}} with the
    name of the class in snake case. Whatever does not fit never reaches the game.

    @ivar seq: counted up by clients that want to know which of their inputs have taken effect: states acknowledge it.
    """

    EXAMPLE: ClassVar[dict[str, Any]] = {"type": "act"}

    type: Literal["act"] = "act"
    ref: Ref | None = None
    seq: Seq | None = None


# Requests in every room


class Games(Request, tag="games"):
    """Which games can be played?"""


class Rooms(Request, tag="rooms"):
    """Which rooms are there? Those of one `game` if that is said, from behind the room `after`."""

    game: GameName | None = None
    after: RoomName | None = None


class Join(Request, tag="join"):
    """
    Take a seat: in the room of that name, of that code, or in one of a `game` that has a free seat.

    With `create` in a new room, which can have a `password` or be `private`: seen in no list, found by its code. With
    `spectate` only to watch. `name` is what the others call you.
    """

    EXAMPLE = {"game": "arena"}

    room: RoomName | None = None
    code: Annotated[str, Meta(max_length=16, examples=["K7QX"])] | None = None
    game: GameName | None = None
    create: bool = False
    team: Annotated[str, Meta(max_length=32, examples=["red"])] | None = None
    name: Name | None = None
    password: Annotated[str, Meta(max_length=128, examples=["swordfish"])] | None = None
    private: bool = False
    spectate: bool = False


class Queue(Request, tag="queue"):
    """Wait for others of about the same `rating`, to play a `game` with them in a room of your own. `leave` ends it."""

    game: GameName
    rating: Annotated[int, Meta(ge=0, le=10_000, examples=[1200])] = 1000
    name: Name | None = None


class Leave(Request, tag="leave"):
    """Give up the seat, or the place in the queue, and be in the lobby."""


class Ready(Request, tag="ready"):
    """Be `ready` for the round, or not."""

    ready: bool = True


class Start(Request, tag="start"):
    """As the host: start the round without waiting for those who are not ready."""


class ChooseTeam(Request, tag="team"):
    """Change to another team before the round."""

    team: Annotated[str, Meta(max_length=32, examples=["red"])]


class AskLeaderboard(Request, tag="leaderboard"):
    """
    Who was best in a `game`, today (`period` `day`, UTC) or ever? In its `score` of that name, or in its first.
    """

    game: GameName
    score: ScoreName | None = None
    period: Period = "all"
    limit: Most = 10


class Say(Request, tag="say"):
    """Say something to everyone in the room."""

    text: Annotated[str, Meta(min_length=1, max_length=MOST_SAY, examples=["hello"])]


class Sync(Request, tag="sync"):
    """
    How to be told the state: always in `full`, or by `delta`, what changed. At most `max_rate` times a second.
    """

    EXAMPLE = {"mode": "delta"}

    mode: Literal["full", "delta"]
    max_rate: Annotated[float, Meta(ge=0.1, le=1000, examples=[10])] | None = None


# Requests of the sandbox, the game of the lobby


class Move(Request, tag="move"):
    """Go somewhere from where you are."""

    dx: Number = 0
    dy: Number = 0


class Score(Request, tag="score"):
    """Take points, or lose them."""

    points: Number


# Events


class State(Greeting, tag="state"):
    """
    All there is to see in a room. `positions` and `scores` are by player id, `entities` by their own, with the `owner`
    unless that is the player of the same id; `ack` says which input of each player has taken effect.

    In MessagePack it also says what the positional rows of a `delta` mean: the fields of each kind (`schema`), what
    their numbers are to be divided by (`scales`), and the number of each entity.
    """

    room: str
    game: str
    tick: int
    at: int
    positions: Mapping[str, Mapping[str, Any]]
    scores: Mapping[str, Any]
    entities: Mapping[str, Mapping[str, Any]] | None = None
    ack: Mapping[str, int] | None = None
    schema: Mapping[str, Sequence[str]] | None = None
    scales: Mapping[str, Sequence[int]] | None = None
    numbers: Mapping[str, int] | None = None


class Delta(Event, tag="delta"):
    """
    What changed since the last `state` or `delta`. First forget what is `gone`, then `set` the fields of the others;
    what was not known before has its `kind` and all its fields.

    In MessagePack `ack` and `gone` have numbers for ids, and for `set` there are `rows`: number, mask of the fields,
    their values; `new` says of numbers that were not known before: id, kind, and the `owner` as a state would.
    """

    room: str
    tick: int
    at: int
    ack: Mapping[Any, int] | None = None
    set: msgspec.Raw | Mapping[str, Mapping[str, Any]] | None = None
    new: Mapping[int, Sequence[str | None]] | None = None
    rows: msgspec.Raw | Sequence[Sequence[Any]] | None = None
    gone: Sequence[str | int] | None = None


class GameLine(Struct):
    """
    One game.

    `players` says how few and how many play in a room, `ticks` how many there are a second, 0 where players take turns;
    `scores` those of which there is a leaderboard.
    """

    name: str
    description: str
    players: tuple[int, int]
    teams: Sequence[str]
    ticks: int
    scores: Sequence[str]


class GameList(Event, tag="games"):
    """The games that can be played."""

    games: Sequence[GameLine]


class RoomLine(Struct):
    """One room: what is played, how many of how many seats are taken, and whether it takes a password."""

    room: str
    game: str
    players: int
    max: int
    phase: str
    locked: bool


class RoomList(Event, tag="rooms"):
    """Rooms that anyone may join, by name. With `more`, ask again with the last one as `after`."""

    rooms: Sequence[RoomLine]
    more: bool


class Seated(Event, tag="seated"):
    """You are in this room, as this player or to watch. Others find it by its `code`."""

    room: str
    game: str
    player: str
    spectator: bool
    code: str | None = None
    team: str | None = None


class Queued(Event, tag="queued"):
    """You wait; `waiting` counts those who do for this game. When there are enough, you are seated."""

    game: str
    waiting: int


class Link(Struct):
    """How well somebody is connected: round trip in milliseconds, if it is known; bytes that wait to be sent."""

    rtt: int | None
    backlog: int


class RosterLine(Struct):
    """One player, as everyone in the room sees it."""

    name: str
    team: str | None
    ready: bool
    away: bool
    bot: bool
    link: Link | None


class Roster(Event, tag="roster"):
    """
    Who is in the room and what it is about. `starts_at` is when the round starts, in milliseconds since 1970.

    There are `count` players; `players` lists the first hundred of them.
    """

    room: str
    game: str
    phase: str
    host: str | None
    min: int
    max: int
    players: Mapping[str, RosterLine]
    count: int
    spectators: int
    starts_at: int | None = None


class Happened(Event, tag="event"):
    """Something happened in the game; what more there is to say of it stands beside these fields."""

    room: str
    tick: int
    event: str


class RecordLine(Struct):
    """A score that was reached in a round, and by whom."""

    score: str
    player: str
    value: float


class Over(Event, tag="over"):
    """The round is over, and this is how it ended. `records` are the scores that the game has recorded in it."""

    room: str
    result: Mapping[str, Any]
    records: Sequence[RecordLine] | None = None


class Standing(Struct):
    """The best of one player, and when that was."""

    player: str
    value: float
    at: int
    guest: bool


class Leaderboard(Event, tag="leaderboard"):
    """The best of a game in one of its scores, each player once, the best first."""

    game: str
    score: str
    period: Period
    scores: Sequence[Standing]


ROOM_REQUESTS: tuple[type[Request], ...] = (
    Games, Rooms, Join, Queue, Leave, Ready, Start, ChooseTeam, Say, Sync, AskLeaderboard,
)  # fmt: skip
"""What everyone may send, in every room."""

EVENTS: tuple[type[Event], ...] = (
    State, Delta, GameList, RoomList, Seated, Queued, Roster, Chat, Happened, Over, Leaderboard,
)  # fmt: skip


def grammar(messages: Sequence[type[Message] | type[Request]]) -> Grammar:
    """What may be sent in rooms of a game that takes these."""
    own = [message for message in messages if issubclass(message, Request)]
    acts = [message for message in messages if issubclass(message, Message)]
    return Grammar((*own, *ROOM_REQUESTS, *COMMON), acts)
