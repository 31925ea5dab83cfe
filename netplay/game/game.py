"""What an author of a game writes: a class with hooks, a few declarations, and rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from inspect import getdoc, getmembers, iscoroutinefunction
from math import inf
from random import Random
from sys import float_info
from typing import Any, ClassVar, NoReturn, TypeVar

import msgspec
from msgspec.structs import force_setattr
from twisted.plugin import IPlugin
from zope.interface import directlyProvides

from netplay.errors import Refused
from netplay.game.entities import Data, Entity, distance
from netplay.game.messages import Message, grammar
from netplay.game.players import Player
from netplay.game.scene import Phase, Record, Said, Scene
from netplay.game.timers import Timer, Timers
from netplay.interfaces import IGame
from netplay.messages import Request
from netplay.wire.grammar import Grammar

API = 1
"""The version of what is described here. Games say which they were written for."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
"""What a game may be called."""

MOST_ENTITIES = 10_000
"""In one room, at most."""

MOST_SAID = 1000
"""Events of one tick, at most."""

MOST_RECORDS = 10_000
"""Scores recorded in one round, at most."""

MOST_SCORE_NAME = 64
"""Characters of what a score is called."""

E = TypeVar("E", bound=Entity)


@dataclass(frozen=True)
class Near:
    """
    Players see what is near their own entity: everything within C{radius}, nothing beyond three times that.

    In between it depends on where on a grid of that width they are: whoever is in the same cell sees the same, which
    is found and encoded once for them (grid-based area of interest, as in Boulanger et al. 2006, I{Comparing
    interest management algorithms for massively multiplayer games}). Entities without C{x} and C{y} are seen by all.
    """

    radius: float


class Score:
    """
    A score that games record, for leaderboards: C{best = Score("laps")} in the class, C{self.best.record(player, 7)}.

    @param name: what it is called.
    @param best: which of several is the better: C{max} or C{min}.
    @raise TypeError: it cannot be called that, or C{best} is neither.
    """

    def __init__(self, name: str, best: Callable[..., Any] = max) -> None:
        if not (isinstance(name, str) and 1 <= len(name) <= MOST_SCORE_NAME):
            raise TypeError(f"a score is called something of 1 to {MOST_SCORE_NAME} characters, not {name!r}")
        if best not in (max, min):
            raise TypeError(f"of the score {name!r} the best is max or min, not {best!r}")
        self.name = name
        self.best = best

    def __get__(self, game: Game | None, owner: type) -> Any:
        return self if game is None else _Recorder(self.name, game.scene)


@dataclass(frozen=True)
class _Recorder:
    name: str
    scene: Scene

    def record(self, player: Player, value: float) -> None:
        """
        A player has reached this; everyone is told when the round is over, and then it counts for the leaderboard.

        @param value: a finite number.
        @raise ValueError: it is not finite.
        @raise RuntimeError: there were too many in one round.
        """
        if not abs(value) <= float_info.max:
            raise ValueError(f"a score is a finite number, not {value!r}")
        if len(self.scene.records) >= MOST_RECORDS:
            raise RuntimeError(f"more than {MOST_RECORDS} records in one round")
        self.scene.records.append(Record(self.name, player, value))


class Game:
    """
    The rules of a game, and the world of one round of it. Rooms call the hooks; each round gets a new instance.

    A subclass that says its C{name} is a game that can be played; the first line of its docstring describes it.

    @cvar name: one lower-case word.
    @cvar api: the L{API} for which it was written.
    @cvar players: how few and how many play in a room.
    @cvar teams: the names of its teams, if it has any; players are spread over them.
    @cvar messages: what players send: L{Message} classes. Each has a method C{on_} and its name.
    @cvar seat: what is kept of each player, made anew for each round.
    @cvar tick_rate: ticks a second.
    @cvar send_rate: states a second, at most; as many as ticks unless set.
    @cvar digits: how many digits after the point clients get of a C{float}; C{None} for all.
    @cvar interest: who sees what is where; everyone sees everything unless it is L{Near}.
    @cvar starts: when a round starts: C{"ready"}, once all are; C{"full"}, once nobody else can come; C{"at once"}.
    @cvar countdown: seconds from then until it does.
    @cvar rest: seconds from the end of a round until the room waits for the next.
    @cvar join_in: whether players may join while a round is being played.
    @cvar spectators: whether others may watch.
    @cvar brief: full states leave out the entities: positions and scores say it all.
    @ivar entities: what is in the world, by id; L{add} and L{remove} change that.
    @ivar turnover: how often they did.
    """

    name: ClassVar[str] = ""
    api: ClassVar[int] = 0
    players: ClassVar[tuple[int, int]] = (1, 100)
    teams: ClassVar[Sequence[str]] = ()
    messages: ClassVar[Sequence[type[Message] | type[Request]]] = ()
    seat: ClassVar[type[Data]] = Data
    tick_rate: ClassVar[int] = 20
    send_rate: ClassVar[float] = 0
    digits: ClassVar[int | None] = 2
    interest: ClassVar[Near | None] = None
    starts: ClassVar[str] = "ready"
    countdown: ClassVar[float] = 3
    rest: ClassVar[float] = 5
    join_in: ClassVar[bool] = True
    spectators: ClassVar[bool] = True
    brief: ClassVar[bool] = False

    description: ClassVar[str] = ""
    ticking: ClassVar[bool] = False
    scores: ClassVar[Mapping[str, Score]] = {}
    grammar: ClassVar[Grammar]

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls.ticking = cls.tick is not Game.tick
        declared = (one for base in reversed(cls.__mro__) for one in vars(base).values())
        cls.scores = {score.name: score for score in declared if isinstance(score, Score)}
        doc = getdoc(cls) or ""
        cls.description = "" if doc == getdoc(Game) else doc.partition("\n")[0]
        if "name" in cls.__dict__:
            _check(cls)
            for message in cls.messages:
                if not hasattr(cls, _handler(message)):
                    raise TypeError(
                        f"{cls.__name__} takes {message.__name__}: write {_handler(message)}(self, player, message)"
                    )
            directlyProvides(cls, IPlugin, IGame)

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.entities: dict[str, Entity] = {}
        self.turnover = 0
        self._numbers = 0

    # Hooks

    def setup(self) -> None:
        """A round is being prepared; nobody is there yet."""

    def joined(self, player: Player) -> None:
        """A player has taken a seat, before the round or in it."""

    def left(self, player: Player) -> None:
        """A player has given up its seat. What it owned is still there, and is removed after this."""

    def away(self, player: Player) -> None:
        """A player's connection was lost; it may come back to its seat."""

    def back(self, player: Player) -> None:
        """A player who was away is there again."""

    def start(self) -> None:
        """The round starts."""

    def tick(self, dt: float) -> None:
        """C{dt} seconds of the round have passed. A game that has this ticks; one that has not takes turns."""

    # Who is there, and when

    @property
    def random(self) -> Random:
        """The only source of chance: a room that is played again has the same."""
        return self.scene.random

    @property
    def seated(self) -> list[Player]:
        """The players, in the order in which they came."""
        return list(self.scene.seats.values())

    @property
    def host(self) -> Player | None:
        """Whoever looks after the room."""
        return self.scene.host

    @property
    def phase(self) -> Phase:
        """What the room is about."""
        return self.scene.phase

    @property
    def playing(self) -> bool:
        """Whether the round goes on."""
        return self.scene.phase is Phase.PLAYING

    @property
    def ticks(self) -> int:
        """Ticks since the room began."""
        return self.scene.ticks

    @property
    def time(self) -> float:
        """Seconds since the room began."""
        return self.scene.ticks / self.scene.rate

    # The world

    def add(self, entity: E, owner: Player | None = None, id: str | None = None) -> E:
        """
        Put something into the world.

        @param owner: to whom it belongs. The first thing that a player owns goes by the player's id.
        @param id: what to call it; the next number unless given.
        @raise ValueError: something else is called that, or it is there already.
        @raise RuntimeError: there are too many.
        """
        if len(self.entities) >= MOST_ENTITIES:
            raise RuntimeError(f"more than {MOST_ENTITIES} entities in one room")
        if self.entities.get(entity.id) is entity:
            raise ValueError(f"{entity.id!r} is in the world already")
        if id is None:
            id = owner.id if owner is not None and owner.id not in self.entities else self._number()
        if id in self.entities:
            raise ValueError(f"there is a {id!r} already")
        force_setattr(entity, "id", id)  # it may be fixed
        force_setattr(entity, "owner", owner)
        self.entities[id] = entity
        self.turnover += 1
        return entity

    def _number(self) -> str:
        while True:
            self._numbers += 1
            id = str(self._numbers)
            if id not in self.entities:
                return id

    def remove(self, entity: Entity) -> None:
        """Take something out of the world, if it is still there."""
        if self.entities.get(entity.id) is entity:
            del self.entities[entity.id]
            self.turnover += 1

    def all(self, kind: type[E]) -> list[E]:
        """Everything of a kind, in the order in which it was added."""
        return [entity for entity in self.entities.values() if isinstance(entity, kind)]

    def near(self, whom: Player | Entity, radius: float) -> list[Player]:
        """The players whose entity is within a distance of somebody or something, the nearest first."""
        here = whom.entity if isinstance(whom, Player) else whom
        found = [
            (distance(player.entity, here), n, player)
            for n, player in enumerate(self.scene.seats.values())
            if player.entity is not None and player.entity is not here
        ]
        return [player for far, _, player in sorted(found) if far <= radius]

    # Time

    def after(self, seconds: float, method: Callable[..., Any], *arguments: Any) -> Timer:
        """
        Call a method of this game later. Only methods, so that a room can be recorded and go on with changed code.

        @return: what L{cancel} takes.
        """
        return self._timer(seconds, method, arguments)

    def every(self, seconds: float, method: Callable[..., Any], *arguments: Any) -> Timer:
        """Call a method of this game again and again, the first time after so many seconds."""
        return self._timer(seconds, method, arguments, again=True)

    def cancel(self, timer: Timer) -> None:
        """Do not call it after all."""
        timer.live = False

    def _timer(
        self, seconds: float, method: Callable[..., Any], arguments: tuple[Any, ...], *, again: bool = False
    ) -> Timer:
        if getattr(method, "__self__", None) is not self:
            raise TypeError("timers call methods of the game: self.after(3, self.method)")
        ticks = max(1, round(seconds * self.scene.rate))
        timers: Timers = self.scene.timers
        return timers.add(self.scene.ticks + ticks, method.__name__, arguments, ticks if again else 0)

    # What is told

    def event(self, name: str, /, to: Player | None = None, **fields: Any) -> None:
        """
        Something happened that the state does not show.

        @param to: who is to know; everyone in the room unless given.
        @param fields: what more there is to say of it, as JSON can say it.
        @raise RuntimeError: there was too much in one tick.
        """
        if len(self.scene.said) >= MOST_SAID:
            raise RuntimeError(f"more than {MOST_SAID} events in one tick")
        self.scene.said.append(Said(name, to, fields))

    def over(self, **result: Any) -> None:
        """The round is over, if it was not already; everyone is told how it ended."""
        if self.scene.phase is Phase.PLAYING and self.scene.result is None:
            self.scene.result = result

    def refuse(self, message: str, field: str | None = None, code: str = "not_allowed") -> NoReturn:
        """
        Tell a player that what it asked for is not done: from within C{on_...}, before anything was changed.

        @param field: the JSON path of what is wrong, such as C{$.card}.
        """
        raise Refused(code, message, field)

    # For the room

    def act(self, player: Player, message: Message | Request) -> None:
        """A player has sent something."""
        getattr(self, _handler(type(message)))(player, message)


@lru_cache(1024)
def _handler(message: type[msgspec.Struct]) -> str:
    """The method that takes such messages."""
    return f"on_{message.__struct_config__.tag}"


def _check(cls: type[Game]) -> None:
    """
    Whether the declarations make sense; makes the grammar of what may be sent in rooms of the game.

    @raise TypeError: says which does not, and what would.
    """
    who = cls.__name__
    if not (isinstance(cls.name, str) and NAME.fullmatch(cls.name)):
        raise TypeError(f"{who}.name is one lower-case word, such as {who.lower()!r}, not {cls.name!r}")
    if cls.name == "lobby":  # its rooms would be taken for those of the lobby
        raise TypeError(f"{who}.name is not 'lobby', where players are before they join; take another word")
    if cls.api != API:
        raise TypeError(f"{who} is written for api {cls.api}, this netplay has api {API}; say which with api = {API}")
    if not (_is_several(cls.players, int) and len(cls.players) == 2 and 1 <= cls.players[0] <= cls.players[1] <= 1000):
        raise TypeError(f"{who}.players is how few and how many, such as (2, 8), not {cls.players!r}")
    if not (isinstance(cls.tick_rate, int) and 1 <= cls.tick_rate <= 100):
        raise TypeError(f"{who}.tick_rate is 1 to 100 a second, a whole number, not {cls.tick_rate!r}")
    if not (isinstance(cls.send_rate, int | float) and 0 <= cls.send_rate <= cls.tick_rate):
        raise TypeError(f"{who}.send_rate is at most the tick rate, not {cls.send_rate!r}")
    if cls.starts not in ("ready", "full", "at once"):
        raise TypeError(f'{who}.starts is "ready", "full" or "at once", not {cls.starts!r}')
    for wait in ("countdown", "rest"):
        seconds = getattr(cls, wait)
        if not (isinstance(seconds, int | float) and 0 <= seconds < inf):
            raise TypeError(f"{who}.{wait} is how many seconds, not {seconds!r}")
    if not (cls.digits is None or (isinstance(cls.digits, int) and 0 <= cls.digits <= 6)):
        raise TypeError(f"{who}.digits is 0 to 6 or None, not {cls.digits!r}")
    if not _is_several(cls.teams, str) or len(set(cls.teams)) != len(cls.teams) or len(cls.teams) == 1:
        raise TypeError(f'{who}.teams are at least two names, such as ("red", "blue"), not {cls.teams!r}')
    if not (cls.interest is None or (isinstance(cls.interest, Near) and cls.interest.radius > 0)):
        raise TypeError(f"{who}.interest is Near(radius) with a radius above 0, not {cls.interest!r}")
    if not _is_a(cls.seat, Data) or any(field.required for field in msgspec.structs.fields(cls.seat)):
        raise TypeError(f"{who}.seat is a subclass of Data whose fields all have defaults, not {cls.seat!r}")
    if not (_is_several(cls.messages, type) and all(_is_a(message, Message | Request) for message in cls.messages)):
        raise TypeError(f"{who}.messages are subclasses of Message, such as [Steer], not {cls.messages!r}")
    handlers = [_handler(message) for message in cls.messages]
    for handler in handlers:
        if handlers.count(handler) > 1:
            raise TypeError(f"{who}.messages has two that go to {handler}; give one of them another name")
    try:
        cls.grammar = grammar(cls.messages)
    except Exception as error:
        raise TypeError(f"{who}.messages has one that cannot be read: {error}") from error
    for name, _ in getmembers(cls, iscoroutinefunction):
        raise TypeError(f"{who}.{name} is async, but games do not wait: self.after(3, self.method) is for later")


def _is_a(cls: Any, base: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, base)


def _is_several(values: Any, kind: type) -> bool:
    return isinstance(values, list | tuple) and all(isinstance(value, kind) for value in values)
