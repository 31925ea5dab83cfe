"""Message types in words: for C{help}, and for the tables of the protocol's document."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect as types

from netplay.wire.examples import example_of

_END = r"\Z"


@cache  # a client may ask as often as its rate allows, and types do not change
def describe(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """What a type is for, its fields in words, and an example. Not to be changed."""
    tags = frozenset({"type"})  # where it is a field, the example says what stands in it
    return {"what": summary(kind), "fields": fields(kind, leave_out=tags), "example": example_of(kind)}


def summary(kind: type[msgspec.Struct]) -> str:
    """The first paragraph of its own docstring on one line."""
    return " ".join(inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].split())


def fields(kind: type[msgspec.Struct], *, leave_out: frozenset[str] = frozenset()) -> dict[str, str]:
    """Its fields: name (with C{?} when it may be missing) -> what it holds."""
    return {
        field.encode_name + ("" if field.required else "?"): words(types.type_info(field.type))
        for field in msgspec.structs.fields(kind)
        if field.encode_name not in leave_out
    }


def words(info: types.Type) -> str:
    """A type in words."""
    match info:
        case types.Metadata():
            return words(info.type)
        case types.UnionType():
            seen = dict.fromkeys(words(t) for t in info.types if not isinstance(t, types.NoneType | types.RawType))
            return " or ".join(seen)
        case types.StrType():
            if info.pattern is not None:
                return f"string like {info.pattern.removeprefix('^').removesuffix('$').removesuffix(_END)}"
            return "string" + _between(info.min_length, info.max_length, " characters")
        case types.IntType():
            return "integer" + _between(info.ge, info.le, "")
        case types.FloatType():
            return "number"
        case types.BoolType():
            return "true or false"
        case types.ListType():
            return f"list of {words(info.item_type)}"
        case types.TupleType():
            return "[" + ", ".join(words(item) for item in info.item_types) + "]"
        case types.DictType():
            return f"object of {words(info.value_type)} by {words(info.key_type)}"
        case types.StructType():
            return "{" + ", ".join(f"{name}: {what}" for name, what in fields(info.cls).items()) + "}"
        case types.LiteralType():
            return " or ".join(repr(v) for v in info.values)
        case _:
            return "anything"


def _between(least: float | None, most: float | None, unit: str) -> str:
    if least is not None and most is not None:
        return f", {least} to {most}{unit}"
    if most is not None:
        return f", at most {most}{unit}"
    if least is not None:
        return f", at least {least}{unit}"
    return ""
