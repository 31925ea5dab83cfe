"""
Reading messages strictly: one pass in C when all is well, and a second look that names the mistake when not.

The fast pass is msgspec's typed decoder over all messages of a grammar, told to stop at fields it does not know.
Those would pass unchecked otherwise, invalid UTF-8, C{1e400} and deep nesting inside. Whatever the fast pass stops
at is read again as plain values, checked as a whole, and tried once more without the unknown fields and with whole
floats (C{7.0}) as integers: some engines write no other numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from netplay.errors import Refused

MAX_DEPTH = 32
"""How deep a message may nest."""

MAX_INTEGER = 2**53
"""Integers stay under this, so that every client can read them as doubles."""

MAX_REF = 256
"""Characters in a C{ref}."""

_PATH = re.compile(r" - at `(?P<path>.*?)`(?: in `(?P<outer>.*?)`)?$")
_MISSING = re.compile(r"^Object missing required field `(?P<name>.*?)`$")


class Values:
    """
    The two ways in which a codec reads: typed and plain.

    @param name: the format as a person calls it.
    @param typed: makes the decoder of a union of message types.
    @param plain: payload -> plain Python values.
    """

    __slots__ = ("index", "name", "plain", "typed")

    def __init__(
        self, index: int, name: str, typed: Callable[[Any], Callable[[bytes], Any]], plain: Callable[[bytes], Any]
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

    def decode(self, payload: bytes, values: Values) -> Any:
        """
        Read one message.

        @raise Refused: C{bad_json}, C{bad_message} or C{unknown_type}, with the C{field} and the C{ref} if any.
        """
        try:
            return self._decoders[values.index](payload)
        except _DECODE_ERRORS:
            return self._second_look(payload, values)

    def _second_look(self, payload: bytes, values: Values) -> Any:
        try:
            plain = values.plain(payload)
            checked = _checked(plain, MAX_DEPTH)
        except _DECODE_ERRORS as error:
            raise Refused("bad_json", f"not {values.name} ({_reason(error)}); send for example {self._any_example()}") from None
        except ValueError as error:
            raise Refused("bad_json", f"{error}; send for example {self._any_example()}", ref=ref_of(plain)) from None
        if not isinstance(checked, dict):
            raise Refused("bad_message", f"a message is one object; send for example {self._any_example()}")
        ref = ref_of(checked)
        tag = checked.get("type")
        if not isinstance(tag, str):
            raise Refused("bad_message", f"every message has a `type`; send for example {self._any_example()}", "$.type", ref=ref)
        wanted = self.types.get(tag)
        if wanted is None:
            raise Refused("unknown_type", f"no such type here; there are {', '.join(self.types)}", "$.type", ref=ref)
        try:
            return msgspec.convert(_known_fields(checked, wanted), wanted)
        except msgspec.ValidationError as error:
            text, field = _explain(str(error))
            raise Refused("bad_message", f"{text}; right is for example {example(wanted)}", field, ref=ref) from None

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
    kept = {}
    for field in msgspec.structs.fields(wanted):
        if field.encode_name in plain:
            kept[field.encode_name] = _known(plain[field.encode_name], msgspec.inspect.type_info(field.type))
    tag_field = wanted.__struct_config__.tag_field
    if tag_field is not None:
        kept[tag_field] = plain[tag_field]
    return kept


def _known(value: Any, info: msgspec.inspect.Type) -> Any:
    if isinstance(info, msgspec.inspect.Metadata):
        return _known(value, info.type)
    if isinstance(info, msgspec.inspect.UnionType):
        for one in info.types:
            value = _known(value, one)
    elif isinstance(info, msgspec.inspect.StructType) and isinstance(value, dict):
        return _known_fields(value, info.cls)
    elif isinstance(info, msgspec.inspect.DictType) and isinstance(value, dict):
        return {key: _known(item, info.value_type) for key, item in value.items()}
    return value


def _explain(text: str) -> tuple[str, str]:
    """msgspec's sentence as (what is wrong, JSON path of the field)."""
    path = "$"
    if found := _PATH.search(text):
        path = found["path"] if found["path"].startswith("$") else str(found["outer"])
        text = text[: found.start()]
    if missing := _MISSING.match(text):
        path = f"{path}.{missing['name']}"
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
            made[field.encode_name] = _example_value(msgspec.inspect.type_info(field.type))
    made.update(getattr(wanted, "EXAMPLE", {}))
    return made


def _example_value(info: msgspec.inspect.Type) -> Any:
    if isinstance(info, msgspec.inspect.Metadata):
        shown = (info.extra_json_schema or {}).get("examples")
        return shown[0] if shown else _example_value(info.type)
    if isinstance(info, msgspec.inspect.UnionType):
        return _example_value(info.types[0])
    if isinstance(info, msgspec.inspect.ListType):
        return [_example_value(info.item_type)]
    if isinstance(info, msgspec.inspect.BoolType):
        return True
    if isinstance(info, msgspec.inspect.IntType | msgspec.inspect.FloatType):
        return 1
    return "..."
