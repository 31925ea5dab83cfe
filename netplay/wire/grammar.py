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
from typing import Any

import msgspec
from msgspec import inspect

from netplay.errors import Refused
from netplay.wire.examples import example
from netplay.wire.strict import MAX_INTEGER, checked_values, is_loose, known_fields, tightened, too_large_integer

MAX_REF = 256
"""Characters in a C{ref}."""

MAX_REASON = 200
"""Characters of a reason, which may quote the message."""

# At the very end: what is quoted before it may look the same.
_PATH = re.compile(r" - at `(?P<path>[^`]*)`(?: in `(?P<outer>[^`]*)`)?\Z")
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`\Z")


ACT = "act"
"""The type of messages that say what they are in C{do}."""


class Values:
    """
    The two ways in which a codec reads: typed and plain.

    @param do: what stands in every payload that has a field C{do}.
    @param name: the format as a person calls it.
    @param typed: makes the decoder of a union of message types.
    @param plain: payload -> plain Python values.
    """

    __slots__ = ("do", "index", "name", "plain", "typed")

    def __init__(
        self,
        index: int,
        name: str,
        do: bytes,
        typed: Callable[[Any], Callable[[bytes], Any]],
        plain: Callable[[bytes], Any],
    ) -> None:
        self.index = index
        self.name = name
        self.do = do
        self.typed = typed
        self.plain = plain


JSON_VALUES = Values(0, "JSON", b'"do"', lambda t: msgspec.json.Decoder(t).decode, msgspec.json.decode)
MSGPACK_VALUES = Values(
    1, "MessagePack", b"\xa2do", lambda t: msgspec.msgpack.Decoder(t).decode, msgspec.msgpack.decode
)

DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Grammar:
    """
    The messages that a client may send at one point, and how to read them.

    @param types: Struct classes tagged by C{type} that forbid unknown fields.
    @param acts: such classes tagged by C{do}, of messages whose type is C{act}.
    """

    def __init__(self, types: Iterable[type[msgspec.Struct]], acts: Iterable[type[msgspec.Struct]] = ()) -> None:
        self.types = {str(t.__struct_config__.tag): t for t in types}
        self.acts = {str(t.__struct_config__.tag): tightened(t) for t in acts}
        self._decoders = _decoders(self.types.values())
        self._act_decoders = _decoders(self.acts.values())
        both = (*self.types.values(), *self.acts.values())
        self._loose = frozenset(t for t in both if is_loose(inspect.type_info(t)))

    def decode(self, payload: bytes, values: Values) -> Any:
        """
        Read one message.

        @raise Refused: C{bad_json}, C{bad_message} or C{unknown_type}, with the C{field} and the C{ref} if
            any.
        """
        # Two fields say what an act is, and a decoder looks at one.
        decoders = self._act_decoders if self.acts and values.do in payload else self._decoders
        try:
            message = decoders[values.index](payload)
        except DECODE_ERRORS:
            return self._second_look(payload, values)
        if self._loose and type(message) in self._loose:
            return self._second_look(payload, values)
        return message

    def _second_look(self, payload: bytes, values: Values) -> Any:
        try:
            plain = values.plain(payload)
            checked = checked_values(plain)
        except DECODE_ERRORS as error:
            raise Refused(
                "bad_json", f"not {values.name} ({reason(error)}); send for example {self._any_example()}"
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
        if tag == ACT and self.acts:
            do = checked.get("do")
            wanted = self.acts.get(do) if isinstance(do, str) else None
            if wanted is None:
                one = example(next(iter(self.acts.values())))
                text = f"no such thing to do here; there are {', '.join(self.acts)}; right is for example {one}"
                raise Refused("bad_message" if do is None else "unknown_type", text, "$.do", ref=ref)
        if wanted is None:
            known = ", ".join((*self.types, ACT) if self.acts else self.types)
            raise Refused("unknown_type", f"no such type here; there are {known}", "$.type", ref=ref)
        try:
            message = msgspec.convert(known_fields(checked, wanted), wanted)
        except msgspec.ValidationError as error:
            text, field = explain(str(error))
        else:
            where = too_large_integer(msgspec.to_builtins(message), "$") if wanted in self._loose else None
            if where is None:
                return message
            text, field = f"Expected integers under {MAX_INTEGER}", where
        raise Refused("bad_message", f"{text}; right is for example {example(wanted)}", field, ref=ref)

    def _any_example(self) -> str:
        return example(next(iter(self.types.values())))


def _decoders(types: Iterable[type[msgspec.Struct]]) -> tuple[Callable[[bytes], Any], ...]:
    """One for each way of writing."""
    union: Any = None
    for t in types:
        union = t if union is None else union | t
    return tuple(values.typed(union) for values in (JSON_VALUES, MSGPACK_VALUES))


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
    except DECODE_ERRORS:
        return None


def explain(text: str) -> tuple[str, str]:
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


def reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "invalid UTF-8"
    if isinstance(error, RecursionError):
        return "nested too deep"
    return str(error)
