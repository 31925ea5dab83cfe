"""What every client's parser can take, and nothing else: checks on plain values, and on what types let through."""

from __future__ import annotations

from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args

import msgspec
from msgspec import Meta, inspect

MAX_DEPTH = 32
"""How deep a message may nest."""

MAX_INTEGER = 2**53
"""Integers stay under this, so that every client can read them as doubles."""


MAX_DOUBLE = 1.7976931348623157e308

Integer = Annotated[int, Meta(gt=-MAX_INTEGER, lt=MAX_INTEGER)]
Float = Annotated[float, Meta(ge=-MAX_DOUBLE, le=MAX_DOUBLE)]  # the bounds keep NaN and the infinities out


def checked_values(value: Any, depth: int = MAX_DEPTH) -> Any:
    """
    A copy of plain values with whole floats as integers.

    @raise ValueError: something in it that every client's JSON parser might not take.
    """
    if isinstance(value, float):
        if value.is_integer() and abs(value) < MAX_INTEGER:
            return int(value)
        if value - value != 0:  # NaN and the infinities, which MessagePack can write
            raise ValueError("NaN and Infinity are no numbers here")
        return value
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        if value.bit_length() > 1023:
            raise ValueError("a number is too large for a double")
        return value
    if not depth:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, list):
        return [checked_values(item, depth - 1) for item in value]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise ValueError("the names of fields are strings")
        return {key: checked_values(item, depth - 1) for key, item in value.items()}
    raise ValueError("only what JSON can say is taken: no bytes, dates or extensions")


def known_fields(plain: dict[str, Any], wanted: type[msgspec.Struct]) -> dict[str, Any]:
    """What of a message its type knows, in nested Structs too."""
    kept = {name: _known(plain[name], info) for name, info in _fields(wanted) if name in plain}
    tag_field = wanted.__struct_config__.tag_field
    if tag_field is not None and tag_field in plain:
        kept[tag_field] = plain[tag_field]
    return kept


@cache
def _fields(wanted: type[msgspec.Struct]) -> tuple[tuple[str, inspect.Type], ...]:
    return tuple((field.encode_name, inspect.type_info(field.type)) for field in msgspec.structs.fields(wanted))


def _known(value: Any, info: inspect.Type) -> Any:
    match info:
        case inspect.Metadata():
            return _known(value, info.type)
        case inspect.UnionType():
            for one in info.types:
                value = _known(value, one)
        case inspect.StructType() if isinstance(value, dict):
            if info.tag_field is None or value.get(info.tag_field, info.tag) == info.tag:
                return known_fields(value, info.cls)
        case inspect.DictType() if isinstance(value, dict):
            return {key: _known(item, info.value_type) for key, item in value.items()}
        case inspect.CollectionType() if isinstance(value, list):
            return [_known(item, info.item_type) for item in value]
        case inspect.TupleType() if isinstance(value, list) and len(value) == len(info.item_types):
            return [_known(item, one) for item, one in zip(value, info.item_types, strict=True)]
    return value


def is_loose(info: inspect.Type, above: frozenset[type] = frozenset()) -> bool:
    """Whether the fast pass might take something for it that is refused here, or cannot be written again."""
    match info:
        case inspect.Metadata():
            return is_loose(info.type, above)
        case inspect.UnionType():
            return any(is_loose(one, above) for one in info.types)
        case inspect.StructType():
            if info.cls in above:  # it nests as deep as it likes
                return True
            return not info.forbid_unknown_fields or any(
                is_loose(one, above | {info.cls}) for _, one in _fields(info.cls)
            )
        case inspect.DictType():
            return is_loose(info.key_type, above) or is_loose(info.value_type, above)
        case inspect.CollectionType():
            return is_loose(info.item_type, above)
        case inspect.TupleType():
            return any(is_loose(one, above) for one in info.item_types)
        case inspect.IntType():
            least = info.ge if info.gt is None else info.gt
            most = info.le if info.lt is None else info.lt
            return least is None or most is None or least < -MAX_INTEGER or most > MAX_INTEGER
        case inspect.FloatType():
            return (info.ge is None and info.gt is None) or (info.le is None and info.lt is None)
        case inspect.StrType() | inspect.BoolType() | inspect.NoneType() | inspect.LiteralType() | inspect.EnumType():
            return False
    return True


@cache
def tightened(wanted: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """
    The type itself, or one derived from it whose numbers are what every client can read: C{float} and C{int} fields
    without bounds get them, so that the fast pass refuses what is out of bounds and need not be looked at again.
    """
    changed = [
        (field.name, _bounded(field.type), _default(field))
        for field in msgspec.structs.fields(wanted)
        if _bounded(field.type) is not field.type and field.encode_name == field.name
    ]
    if not changed:
        return wanted
    config = wanted.__struct_config__
    tight: type[msgspec.Struct] = msgspec.defstruct(
        wanted.__name__, changed, bases=(wanted,), tag=config.tag, tag_field=config.tag_field, kw_only=True
    )
    tight.__doc__ = wanted.__doc__
    return tight


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return msgspec.field() if field.default is msgspec.NODEFAULT else msgspec.field(default=field.default)


def _bounded(annotation: Any) -> Any:
    if annotation is float:
        return Float
    if annotation is int:
        return Integer
    if isinstance(annotation, UnionType):
        parts = [_bounded(part) for part in get_args(annotation)]
        if any(bound is not part for bound, part in zip(parts, get_args(annotation), strict=True)):
            return Union[tuple(parts)]  # noqa: UP007
    return annotation


def too_large_integer(value: Any, path: str) -> str | None:
    """The path of an integer that not every client could read."""
    if isinstance(value, int):
        return path if abs(value) >= MAX_INTEGER else None
    below: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        below = [(f"$.{key}" if path == "$" else f"{path}[...]", item) for key, item in value.items()]
    elif isinstance(value, list | tuple):
        below = [(f"{path}[{n}]", item) for n, item in enumerate(value)]
    return next((found for where, item in below if (found := too_large_integer(item, where)) is not None), None)
