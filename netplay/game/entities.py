"""What is in the world of a game: entities, whose fields say what they hold and who may see it."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from math import hypot, isfinite
from operator import itemgetter
from typing import Annotated, Any, ClassVar, NoReturn, TypeVar, get_args

import msgspec
from msgspec import Struct, inspect

T = TypeVar("T")

_astuple = msgspec.structs.astuple


class Sight(Enum):
    """Who may see a field."""

    EVERYONE = "everyone"
    TEAM = "team"
    OWNER = "owner"
    NOBODY = "nobody"


Team = Annotated[T, Sight.TEAM]
"""A field of an entity that only the team of its owner sees."""

Owner = Annotated[T, Sight.OWNER]
"""A field of an entity that only its owner sees."""

Hidden = Annotated[T, Sight.NOBODY]
"""A field of an entity that stays on the server."""


class Data(Struct):
    """What a game keeps of each player, on the server only. Every field has a default."""


class Entity(Struct, kw_only=True):
    """
    Something in the world that clients see. Subclasses declare its fields, which hold numbers, strings, booleans,
    C{None}, or tuples of these. Setting a field is all there is to do: whoever may see it is told.

    What never changes, but comes and goes, is best declared C{fixed}: a world may be full of it, and nobody looks at it
    again and again.

    It is a Struct so that what a room costs is not Python's: reading, comparing and copying happen in C.

    @cvar kind: what clients call it; the name of the class in snake case unless set.
    @cvar fixed: its fields hold what they held when it was made; setting one raises C{AttributeError}.
    @ivar id: its name in the room, given when it is added to the game.
    @ivar owner: the player to whom it belongs, if any.
    """

    kind: ClassVar[str] = ""
    fixed: ClassVar[bool] = False

    id: str = ""
    owner: Any = None

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        if cls.fixed is True:
            cls.__setattr__ = _refuse  # type: ignore[assignment]


def _refuse(entity: Entity, name: str, value: object) -> NoReturn:
    raise AttributeError(f"{type(entity).__name__} is fixed: {name} is set when it is made, or leave out fixed = True")


class Kind:
    """
    What clients are to know of a class of entities.

    @param digits: how many digits after the point are sent of a C{float}; C{None} for all.
    @ivar name: as clients call it.
    @ivar fields: the names of what somebody may see, in the order of their declaration. Masks have a bit for each.
    @ivar scales: for each field what its number is multiplied by to make it whole; 1 where it is sent as it is.
    @ivar public: mask of what everyone sees.
    @ivar team: mask of what the owner's team sees besides.
    @ivar own: mask of what the owner sees besides.
    @ivar has_secrets: whether not everyone sees the same of it.
    @ivar fixed: whether it never changes.
    @ivar pick: takes what L{fields} hold out of what all fields of an entity do.
    @ivar exact: whether all of that is sent as it is, and nothing is rounded.
    """

    __slots__ = (
        "_rounded",
        "_whole",
        "exact",
        "fields",
        "fixed",
        "has_secrets",
        "name",
        "own",
        "pick",
        "public",
        "scales",
        "team",
    )

    def __init__(self, cls: type[Entity], digits: int | None) -> None:
        self.name = kind_name(cls)
        own = [field for field in msgspec.structs.fields(cls) if field.name not in Entity.__struct_fields__]
        sights = {field.name: _sight(f"{cls.__name__}.{field.name}", field.type) for field in own}
        types = {field.name: inspect.type_info(field.type) for field in own}
        self.fields = tuple(name for name, sight in sights.items() if sight is not Sight.NOBODY)
        if "kind" in self.fields:
            raise TypeError(f"{cls.__name__}.kind: that is what clients call the class; give the field another name")
        if "fixed" in types:
            raise TypeError(f"{cls.__name__}.fixed: that says whether it changes; give the field another name")
        for name in Entity.__struct_fields__:
            if name in vars(cls).get("__annotations__", ()):
                raise TypeError(f"{cls.__name__}.{name}: every entity has one of its own; give the field another name")
        for name in self.fields:
            if not _is_plain(types[name]):
                raise TypeError(
                    f"{cls.__name__}.{name}: clients are shown numbers, strings, booleans, None and tuples of these; "
                    f"declare it as Hidden[...] if it is to stay on the server"
                )
        self.public, self.team, self.own = (
            sum(1 << n for n, name in enumerate(self.fields) if sights[name] is sight)
            for sight in (Sight.EVERYONE, Sight.TEAM, Sight.OWNER)
        )
        rounded = [digits is not None and _is_float(types[name]) for name in self.fields]
        self.scales = tuple(10 ** (digits or 0) if is_rounded else 1 for is_rounded in rounded)
        order = cls.__struct_fields__
        places = [order.index(name) for name in self.fields]
        # itemgetter makes a tuple of several places or of a slice, but not of one place.
        one = slice(places[0], places[0] + 1) if places else slice(0)
        self.pick: Callable[[tuple[Any, ...]], tuple[Any, ...]]
        self.pick = itemgetter(*places) if len(places) > 1 else itemgetter(one)
        whole = tuple(scale if is_rounded else 0 for scale, is_rounded in zip(self.scales, rounded, strict=True))
        self._rounded = whole
        self.exact = not any(rounded)
        self.has_secrets = bool(self.team or self.own)
        self.fixed = cls.fixed is True
        self._whole = tuple(zip(self.fields, self.scales, strict=True))

    def values(self, entity: Entity) -> tuple[Any, ...]:
        """
        What the fields hold, with rounded numbers scaled to whole ones.

        @raise ValueError: a C{float} is none, or not finite.
        """
        values = self.pick(_astuple(entity))
        if self.exact:
            return values
        try:
            return tuple([
                round(value * scale) if scale else value for value, scale in zip(values, self._rounded, strict=True)
            ])  # fmt: skip
        except (ArithmeticError, TypeError, ValueError) as error:
            raise ValueError(f"{self.name} {entity.id!r} holds no number to be shown: {self._wrong(values)}") from error

    def _wrong(self, values: tuple[Any, ...]) -> str:
        """The field in which there is not what was declared."""
        for name, value, scale in zip(self.fields, values, self._rounded, strict=True):
            if scale and not (isinstance(value, int | float) and isfinite(value * scale)):
                return f"{name} is {repr(value)[:40]}"
        raise AssertionError("all fields hold numbers")

    def shown(self, values: tuple[Any, ...], mask: int) -> dict[str, Any]:
        """The fields of a mask, as people read them."""
        return {
            name: values[n] / scale if scale > 1 else values[n]
            for n, (name, scale) in enumerate(self._whole)
            if mask >> n & 1
        }


def kind_name(cls: type[Entity]) -> str:
    """What clients call the entities of a class."""
    return cls.kind or snake(cls.__name__)


def snake(name: str) -> str:
    """C{PowerUp} -> C{power_up}."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def distance(a: Any, b: Any) -> float:
    """Between two things that have C{x} and C{y}."""
    return hypot(a.x - b.x, a.y - b.y)


def clamp(value: float, most: float) -> float:
    """C{value}, or what is nearest to it within C{most} of 0."""
    return max(-most, min(most, value))


def _sight(field: str, annotation: Any) -> Sight:
    """
    Who may see a field.

    @raise TypeError: that is said of a part of it, as if the rest could be shown.
    """
    if any(_sight(field, part) is not Sight.EVERYONE for part in get_args(annotation) if not isinstance(part, Sight)):
        raise TypeError(f"{field}: who sees it goes around the whole type, as in Owner[int | None]")
    return next((m for m in getattr(annotation, "__metadata__", ()) if isinstance(m, Sight)), Sight.EVERYONE)


def _is_float(info: inspect.Type) -> bool:
    return isinstance(info.type if isinstance(info, inspect.Metadata) else info, inspect.FloatType)


def _is_plain(info: inspect.Type) -> bool:
    match info:
        case inspect.Metadata():
            return _is_plain(info.type)
        case inspect.UnionType():
            return all(_is_plain(one) for one in info.types)
        case inspect.VarTupleType():
            return _is_plain(info.item_type)
        case inspect.TupleType():
            return all(_is_plain(one) for one in info.item_types)
        case inspect.IntType() | inspect.FloatType() | inspect.StrType() | inspect.BoolType() | inspect.NoneType():
            return True
        case inspect.LiteralType():
            return True
    return False
