"""How a message is written in a payload, and the wire: a codec with the framing around it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal

import msgspec

from netplay.wire.frames import frame
from netplay.wire.grammar import JSON_VALUES, MSGPACK_VALUES, Grammar, Values, ref_in


class Codec:
    """
    One way of writing messages.

    @ivar encode: message -> payload.
    @ivar name: as the protocol calls it.
    @ivar values: how its payloads are read.
    """

    __slots__ = ("encode", "name", "values")

    def __init__(self, name: Literal["json", "msgpack"], encode: Callable[[Any], bytes], values: Values) -> None:
        self.name = name
        self.encode = encode
        self.values = values

    def decode(self, payload: bytes, grammar: Grammar) -> Any:
        """
        Read one message.

        @raise Refused: C{bad_json}, C{bad_message}, C{unknown_type}.
        """
        return grammar.decode(payload, self.values)

    def plain(self, payload: bytes) -> Any:
        """
        Read whatever it says, unchecked.

        @raise msgspec.DecodeError: it is not in this format; also C{UnicodeDecodeError}, C{RecursionError}.
        """
        return self.values.plain(payload)

    def ref_in(self, payload: bytes) -> str | int | None:
        """The C{ref} of a message that is not looked at any further."""
        return ref_in(payload, self.values)


JSON = Codec("json", msgspec.json.Encoder().encode, JSON_VALUES)
MSGPACK = Codec("msgpack", msgspec.msgpack.Encoder().encode, MSGPACK_VALUES)


class Wire:
    """
    Framing times codec: how messages reach one kind of client; the key under which a channel encodes once.

    Wires are compared by identity: each exists once.

    @param codec: how a message is written.
    @param wrap: puts the framing around a payload.
    """

    __slots__ = ("codec", "wrap")

    def __init__(self, codec: Codec, wrap: Callable[[bytes], bytes]) -> None:
        self.codec = codec
        self.wrap = wrap

    def encode(self, message: object) -> bytes:
        """The bytes that carry C{message} on this wire."""
        return self.wrap(self.codec.encode(message))


LINES = Wire(JSON, lambda payload: payload + b"\n")
"""JSON, each value with a newline after it: every TCP port but the binary one."""


@cache
def frames_wire(kind: int, codec: Codec) -> Wire:
    """The wire of the binary port for frames of type C{kind}."""
    return Wire(codec, lambda payload: frame(kind, payload))
