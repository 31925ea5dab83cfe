"""What is said on a WebSocket: echo, the messages of one feature, or those of all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any
from typing import Protocol as Shape

import msgspec
from msgspec import Meta, Struct
from twisted.internet.defer import Deferred

from netplay.clients import Client, error_of
from netplay.errors import Refused
from netplay.messages import Resume
from netplay.shared import SharedFeatures
from netplay.web.frames import BINARY, TEXT, frame, websocket_wire
from netplay.web.websocket import Message
from netplay.wire.codecs import JSON, MSGPACK, Codec, Wire
from netplay.wire.grammar import DECODE_ERRORS

if TYPE_CHECKING:
    from netplay.connection import Connection

SUBPROTOCOLS = {"netplay.json": JSON, "netplay.msgpack": MSGPACK}
"""How messages are written, by the name of the subprotocol. JSON where none is asked for."""


class Talk(Shape):
    """One WebSocket, once it is open."""

    def opened(self) -> None:
        """Greet."""

    def received(self, message: Message) -> Deferred[Any] | None:
        """A message came; a Deferred holds back the next one until it fires."""

    def farewell(self, refused: Refused, ref: str | int | None) -> bytes:
        """How the reason of the end is said, before the close frame."""

    def clients(self) -> Iterable[Client]:
        """The features in use."""


class EchoTalk:
    """
    Every message comes back as it went.

    @param connection: whose it is.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def opened(self) -> None:
        """Nothing is said that was not said before."""

    def received(self, message: Message) -> None:
        """Back. Who does not read is not read from: the outbox pauses the connection."""
        self._connection.outbox.write(frame(TEXT if message.text else BINARY, message.payload))

    def farewell(self, refused: Refused, ref: str | int | None) -> bytes:
        """The close frame says it."""
        return b""

    def clients(self) -> Iterable[Client]:
        """None."""
        return ()


class FeatureTalk:
    """
    The messages of one feature.

    @param connection: whose they are.
    @param feature: its name.
    @param codec: how messages are written.
    @param window_bits: of permessage-deflate if that was negotiated.
    @param session: to be taken up first of all, if the client was here before.
    """

    __slots__ = ("_client", "_feature", "_session", "_shared", "_takes_text", "_wire")

    def __init__(
        self, connection: Connection, feature: str, codec: Codec, window_bits: int | None, session: str | None = None
    ) -> None:
        self._feature = feature
        self._session = session
        self._wire = websocket_wire(codec, window_bits)
        self._takes_text = codec is JSON
        self._shared = SharedFeatures(connection, self._wire)
        self._client: Client

    def opened(self) -> None:
        """By the feature."""
        self._client = client = self._shared.client(self._feature, self._wire)
        if self._session is not None:
            client.received(self._wire.codec.encode(Resume(session=self._session)))

    def received(self, message: Message) -> Deferred[Any] | None:
        """To the feature."""
        if message.text is not self._takes_text:
            _say_wrong_kind(message, self._shared)
            return None
        if not message.payload:
            return self._shared.received(self._feature, self._wire, b"")
        return self._client.received(message.payload)

    def farewell(self, refused: Refused, ref: str | int | None) -> bytes:
        """An error message."""
        return self._wire.encode(error_of(refused, ref, fatal=True))

    def clients(self) -> Iterable[Client]:
        """The one."""
        return self._shared.clients()


class Envelope(Struct):
    """What says where a message belongs on a socket that all features share."""

    feature: Annotated[str, Meta(max_length=32)]
    type: msgspec.Raw = msgspec.Raw()


class Turning(Struct, forbid_unknown_fields=True):
    """Nothing but that: whoever sends it turns to the feature and is greeted."""

    feature: str


class SharedTalk:
    """
    The messages of all features, each with its C{feature}. One that says nothing else asks for the greeting.

    @param connection: whose they are.
    @param codec: how messages are written.
    @param window_bits: of permessage-deflate if that was negotiated.
    """

    def __init__(self, connection: Connection, codec: Codec, window_bits: int | None) -> None:
        self._codec = codec
        self._takes_text = codec is JSON
        self._window_bits = window_bits
        self._format = msgspec.json if codec is JSON else msgspec.msgpack
        self._envelopes = self._format.Decoder(Envelope)
        self._errors: Wire = websocket_wire(codec, window_bits)
        self._shared = SharedFeatures(connection, self._errors)

    def opened(self) -> None:
        """Nothing comes of a feature before the client turns to it."""

    def received(self, message: Message) -> Deferred[Any] | None:
        """To the feature that it names."""
        shared = self._shared
        payload = message.payload
        if message.text is not self._takes_text:
            _say_wrong_kind(message, shared)
            return None
        try:
            envelope: Envelope = self._envelopes.decode(payload)
        except DECODE_ERRORS:
            if shared.admitted():
                shared.mistake(_no_envelope(self._codec, payload), self._codec.ref_in(payload))
            return None
        wire = websocket_wire(self._codec, self._window_bits, envelope.feature)
        if not bytes(envelope.type) and self._only_turns(payload):
            payload = b""
        return shared.received(envelope.feature, wire, payload)

    def _only_turns(self, payload: bytes) -> bool:
        try:
            self._format.decode(payload, type=Turning)
        except DECODE_ERRORS:  # what cannot be read, the feature says
            return False
        return True

    def farewell(self, refused: Refused, ref: str | int | None) -> bytes:
        """An error message that belongs to no feature."""
        return self._errors.encode(error_of(refused, ref, fatal=True))

    def clients(self) -> Iterable[Client]:
        """Those of the features used so far."""
        return self._shared.clients()


def _no_envelope(codec: Codec, payload: bytes) -> Refused:
    """What is wrong with something that does not say its feature."""
    example = 'for example {"feature":"chat","type":"ping"}'
    try:
        said = codec.plain(payload)
    except DECODE_ERRORS:
        return Refused("bad_json", f"this cannot be read; send one object, {example}")
    field = "$.feature" if isinstance(said, dict) else None
    return Refused("bad_message", f"a message here is one object that says its feature, {example}", field)


def _say_wrong_kind(message: Message, shared: SharedFeatures) -> None:
    """A message is not text or binary as its subprotocol has it, which is said."""
    if shared.admitted():
        if message.text:
            wrong = "this socket speaks netplay.msgpack: send binary messages, or ask for netplay.json"
        else:
            wrong = "this socket speaks netplay.json: send text messages, or ask for netplay.msgpack"
        shared.mistake(Refused("bad_message", wrong))
