"""
Reading messages strictly: one pass in C when all is well, and a second look that names the mistake when not.

The fast pass is msgspec's typed decoder over all messages of a grammar, told to stop at fields it does not
know. Those would pass unchecked otherwise, invalid UTF-8, C{1e400} and deep nesting inside. Whatever the fast
pass stops at is read again as plain values, checked as a whole, and tried once more without the unknown
fields and with whole floats (C{7.0}) as integers: some engines write no other numbers. A type with a field that
could hold more than every client can read (C{Any}, an C{int} without bounds) always gets the second look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from netplay.errors import Refused

MAX_DEPTH = 32
"""How deep a message may nest."""

MAX_INTEGER = 2**53
"""Integers stay under this, so that every client can read them as doubles."""

MAX_REF = 256
"""Characters in a C{ref}."""

MAX_REASON = 200
"""Characters of a reason, which may quote the message."""

# At the very end: what is quoted before it may look the same.
_PATH = re.compile(r" - at `(?P<path>[^`]*)`(?: in `(?P<outer>[^`]*)`)?\Z")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`\Z")


class Values:
    """
    The two ways in which a codec reads: typed and plain.

    @param name: the format as a person calls it.
    @param typed: makes the decoder of a union of message types.
    @param plain: payload -> plain Python values.
    """

    __slots__ = ("index", "name", "plain", "typed")

    def __init__(
        self,
        index: int,
        name: str,
        typed: Callable[[Any], Callable[[bytes], Any]],
        plain: Callable[[bytes], Any],
    ) -> None:
        self.index = index
        self.name = name
        self.typed = typed
        self.plain = plain


JSON_VALUES = Values(0, "JSON", lambda t: msgspec.json.Decoder(t).decode, msgspec.json.decode)
MSGPACK_VALUES = Values(1, "MessagePack", lambda t: msgspec.msgpack.Decoder(t).decode, msgspec.msgpack.decode)

_DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Grammar:
    """
    The messages that a client may send at one point, and how to read them.

    @param types: Struct classes tagged by C{type} that forbid unknown fields.
    """

    def __init__(self, types: Iterable[type[msgspec.Struct]]) -> None:
        self.types: dict[str, type[msgspec.Struct]] = {str(t.__struct_config__.tag): t for t in types}
        union: Any = None
        for t in self.types.values():
            union = t if union is None else union | t
        self._decoders = tuple(values.typed(union) for values in (JSON_VALUES, MSGPACK_VALUES))
        self._loose = frozenset(t for t in self.types.values() if _loose(inspect.type_info(t), frozenset()))

    def decode(self, payload: bytes, values: Values) -> Any:
        """
        Read one message.

        @raise Refused: C{bad_json}, C{bad_message} or C{unknown_type}, with the C{field} and the C{ref} if
            any.
        """
        try:
            message = self._decoders[values.index](payload)
        except _DECODE_ERRORS:
            return self._second_look(payload, values)
        if self._loose and type(message) in self._loose:
            return self._second_look(payload, values)
        return message

    def _second_look(self, payload: bytes, values: Values) -> Any:
        try:
            plain = values.plain(payload)
            checked = _checked(plain, MAX_DEPTH)
        except _DECODE_ERRORS as error:
            raise Refused(
                "bad_json", f"not {values.name} ({_reason(error)}); send for example {self._any_example()}"
            ) from None
        except ValueError as error:
            raise Refused("bad_json", f"{error}; send for example {self._any_example()}", ref=ref_of(plain)) from None
        if not isinstance(checked, dict):
            raise Refused("bad_message", f"a message is one object; send for example {self._any_example()}")
        ref = ref_of(checked)
        tag = checked.get("type")
        if not isinstance(tag, str):
            raise Refused(
                "bad_message",
                f"every message has a `type`; send for example {self._any_example()}",
                "$.type",
                ref=ref,
            )
        wanted = self.types.get(tag)
        if wanted is None:
            raise Refused("unknown_type", f"no such type here; there are {', '.join(self.types)}", "$.type", ref=ref)
        try:
            message = msgspec.convert(_known_fields(checked, wanted), wanted)
        except msgspec.ValidationError as error:
            text, field = _explain(str(error))
        else:
            where = _too_large(msgspec.to_builtins(message), "$") if wanted in self._loose else None
            if where is None:
                return message
            text, field = f"Expected integers under {MAX_INTEGER}", where
        raise Refused("bad_message", f"{text}; right is for example {example(wanted)}", field, ref=ref)

    def _any_example(self) -> str:
        return example(next(iter(self.types.values())))


def ref_of(plain: Any) -> str | int | None:
    """The C{ref} of a message that is otherwise not to be trusted."""
    ref = plain.get("ref") if isinstance(plain, dict) else None
    if isinstance(ref, float) and ref.is_integer():
        ref = int(ref)
    if isinstance(ref, str) and len(ref) <= MAX_REF:
        return ref
    if isinstance(ref, int) and not isinstance(ref, bool) and abs(ref) < MAX_INTEGER:
        return ref
    return None


def ref_in(payload: bytes, values: Values) -> str | int | None:
    """The C{ref} of a payload, if it can be read at all."""
    try:
        return ref_of(values.plain(payload))
    except _DECODE_ERRORS:
        return None


def _checked(value: Any, depth: int) -> Any:
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
        return [_checked(item, depth - 1) for item in value]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise ValueError("the names of fields are strings")
        return {key: _checked(item, depth - 1) for key, item in value.items()}
    raise ValueError("only what JSON can say is taken: no bytes, dates or extensions")


def _known_fields(plain: dict[str, Any], wanted: type[msgspec.Struct]) -> dict[str, Any]:
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
                return _known_fields(value, info.cls)
        case inspect.DictType() if isinstance(value, dict):
            return {key: _known(item, info.value_type) for key, item in value.items()}
        case inspect.CollectionType() if isinstance(value, list):
            return [_known(item, info.item_type) for item in value]
        case inspect.TupleType() if isinstance(value, list) and len(value) == len(info.item_types):
            return [_known(item, one) for item, one in zip(value, info.item_types, strict=True)]
    return value


def _loose(info: inspect.Type, above: frozenset[type]) -> bool:
    """Whether the fast pass might take something for it that is refused here, or cannot be written again."""
    match info:
        case inspect.Metadata():
            return _loose(info.type, above)
        case inspect.UnionType():
            return any(_loose(one, above) for one in info.types)
        case inspect.StructType():
            if info.cls in above:  # it nests as deep as it likes
                return True
            return not info.forbid_unknown_fields or any(
                _loose(one, above | {info.cls}) for _, one in _fields(info.cls)
            )
        case inspect.DictType():
            return _loose(info.key_type, above) or _loose(info.value_type, above)
        case inspect.CollectionType():
            return _loose(info.item_type, above)
        case inspect.TupleType():
            return any(_loose(one, above) for one in info.item_types)
        case inspect.IntType():
            least = info.ge if info.gt is None else info.gt
            most = info.le if info.lt is None else info.lt
            return least is None or most is None or least < -MAX_INTEGER or most > MAX_INTEGER
        case inspect.FloatType():
            return (info.ge is None and info.gt is None) or (info.le is None and info.lt is None)
        case inspect.StrType() | inspect.BoolType() | inspect.NoneType() | inspect.LiteralType() | inspect.EnumType():
            return False
    return True


def _too_large(value: Any, path: str) -> str | None:
    """The path of an integer that not every client could read."""
    if isinstance(value, int):
        return path if abs(value) >= MAX_INTEGER else None
    below: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        below = [(f"$.{key}" if path == "$" else f"{path}[...]", item) for key, item in value.items()]
    elif isinstance(value, list | tuple):
        below = [(f"{path}[{n}]", item) for n, item in enumerate(value)]
    return next((found for where, item in below if (found := _too_large(item, where)) is not None), None)


def _explain(text: str) -> tuple[str, str]:
    """msgspec's sentence as (what is wrong, JSON path of the field)."""
    path = "$"
    if found := _PATH.search(text):
        path = found["path"] if found["path"].startswith("$") else str(found["outer"])
        text = text[: found.start()]
    if missing := _MISSING.match(text):
        path = f"{path}.{missing['name']}"
    if len(text) > MAX_REASON:
        text = text[: MAX_REASON - 1] + "…"
    return text, path


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "invalid UTF-8"
    if isinstance(error, RecursionError):
        return "nested too deep"
    return str(error)


def example(wanted: type[msgspec.Struct]) -> str:
    """A message of a type as JSON: its required fields, each with the first example of its type."""
    return msgspec.json.encode(example_of(wanted)).decode()


def example_of(wanted: type[msgspec.Struct]) -> dict[str, Any]:
    """What L{example} writes, as a dict. Fields with examples are declared with C{Meta(examples=[...])}."""
    config = wanted.__struct_config__
    made: dict[str, Any] = {config.tag_field: config.tag} if config.tag_field else {}
    for field in msgspec.structs.fields(wanted):
        if field.required:
            made[field.encode_name] = _example_value(inspect.type_info(field.type))
    made.update(getattr(wanted, "EXAMPLE", {}))
    return made


def _example_value(info: inspect.Type) -> Any:
    match info:
        case inspect.Metadata():
            shown = (info.extra_json_schema or {}).get("examples")
            return shown[0] if shown else _example_value(info.type)
        case inspect.UnionType():
            return _example_value(info.types[0])
        case inspect.StructType():
            return example_of(info.cls)
        case inspect.DictType():
            return {}
        case inspect.CollectionType():
            return [_example_value(info.item_type)]
        case inspect.TupleType():
            return [_example_value(one) for one in info.item_types]
        case inspect.LiteralType():
            return info.values[0]
        case inspect.BoolType():
            return True
        case inspect.IntType() | inspect.FloatType():
            return 1
        case inspect.NoneType():
            return None
    return "..."
