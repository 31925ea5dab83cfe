"""
Bytes to messages and back, on the client's side, without a socket in sight (sans-I/O).

Framings and codecs are the server's own (L{netplay.wire}). What comes is read as plain dicts: a client takes fields
and types that it does not know.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from websockets.client import ClientProtocol
from websockets.frames import BINARY, CONT, TEXT, Frame
from websockets.protocol import CONNECTING, OPEN
from websockets.typing import Subprotocol
from websockets.uri import parse_uri
from zope.interface import Attribute, Interface, implementer

from netplay.client.errors import WireError
from netplay.errors import Refused
from netplay.wire.codecs import JSON, LINES, Codec, Wire, frames_wire
from netplay.wire.frames import Frames
from netplay.wire.grammar import DECODE_ERRORS
from netplay.wire.lines import Lines

MAX_MESSAGE = 2**20
"""Bytes of one message from the server: replies have less, states of large rooms may have more than those."""

NORMAL_CLOSURE = 1000

_quiet = logging.getLogger("netplay.client.wires")
_quiet.disabled = True  # what it would say is raised

Message = dict[str, Any]


class IWire(Interface):
    """How messages travel on one connection."""

    open: bool = Attribute("Whether messages can be sent.")
    close_code: int | None = Attribute("With which code of RFC 6455, section 7.4, the server has closed, if it has.")

    def opening() -> bytes:
        """What to send first of all."""

    def feed(data: bytes) -> None:
        """Take what came from the socket."""

    def next() -> Message | None:
        """
        The next whole message, or C{None} until more comes.

        @raise WireError: it is none; what follows makes no sense any more.
        """

    def encode(message: Message) -> bytes:
        """The bytes that carry a message."""

    def answers() -> bytes:
        """What the wire itself has to say by now."""

    def closing() -> bytes:
        """What to send last of all."""


@implementer(IWire)
class PortWire:
    """
    What a feature's own port and the binary port have in common.

    @param framing: finds payloads in bytes.
    @param wire: the server's own.
    """

    open = True
    close_code = None

    def __init__(self, framing: Lines | Frames, wire: Wire) -> None:
        self._framing = framing
        self._wire = wire

    def opening(self) -> bytes:
        """The server speaks first."""
        return b""

    def feed(self, data: bytes) -> None:
        """See L{IWire.feed}."""
        self._framing.feed(data)

    def next(self) -> Message | None:
        """See L{IWire.next}."""
        try:
            payload = self._framing.next()
        except Refused as refused:
            raise WireError(refused.message) from None
        return None if payload is None else self.decoded(payload)

    def decoded(self, payload: Any) -> Message:
        """
        What a payload says.

        @raise WireError: nothing.
        """
        return decoded(self._wire.codec, payload)

    def encode(self, message: Message) -> bytes:
        """See L{IWire.encode}."""
        return self._wire.encode(message)

    def answers(self) -> bytes:
        """Nothing."""
        return b""

    def closing(self) -> bytes:
        """Nothing."""
        return b""


class LineWire(PortWire):
    """JSON, a value a line: the features' own ports. The game port ends its values with a newline, too."""

    def __init__(self) -> None:
        super().__init__(Lines(MAX_MESSAGE), LINES)


class FrameWire(PortWire):
    """
    The frames of one feature on the binary port.

    @param kind: the type of the feature's frames.
    @param codec: how messages are written in frames of that type.
    """

    def __init__(self, kind: int, codec: Codec) -> None:
        super().__init__(Frames(MAX_MESSAGE), frames_wire(kind, codec))
        self._kind = kind

    def opening(self) -> bytes:
        """An empty frame turns to the feature."""
        return self._wire.wrap(b"")

    def decoded(self, payload: tuple[int, bytes]) -> Message:
        """What belongs to no feature is JSON until a feature has been turned to."""
        kind, content = payload
        codec = JSON if kind != self._kind and content.startswith(b"{") else self._wire.codec
        return decoded(codec, content)


@implementer(IWire)
class WebSocketWire:
    """
    Text or binary messages of a WebSocket (RFC 6455), by C{websockets}' sans-I/O layer.

    @param url: C{ws:} or C{wss:}; encryption is the transport's business.
    @param codec: asked for as the subprotocol.
    """

    def __init__(self, url: str, codec: Codec) -> None:
        self._codec = codec
        self._protocol = ClientProtocol(
            parse_uri(url),
            subprotocols=[Subprotocol(f"netplay.{codec.name}")],
            max_size=MAX_MESSAGE,
            logger=_quiet,
        )
        self._frames: deque[Frame] = deque()
        self._begun = bytearray()  # a message that is not whole yet

    @property
    def open(self) -> bool:
        """After the handshake, and until somebody closes."""
        return self._protocol.state is OPEN

    @property
    def close_code(self) -> int | None:
        """See L{IWire}."""
        close = self._protocol.close_rcvd
        return None if close is None else int(close.code)

    def opening(self) -> bytes:
        """The request of the handshake."""
        self._protocol.send_request(self._protocol.connect())
        return self.answers()

    def feed(self, data: bytes) -> None:
        """See L{IWire.feed}."""
        self._protocol.receive_data(data)
        self._frames.extend(event for event in self._protocol.events_received() if isinstance(event, Frame))

    def next(self) -> Message | None:
        """See L{IWire.next}. A handshake that is refused is a L{WireError}, too."""
        while self._frames:
            frame = self._frames.popleft()
            if frame.opcode in (TEXT, BINARY, CONT):
                self._begun += frame.data
                if frame.fin:
                    payload, self._begun = bytes(self._begun), bytearray()
                    return decoded(self._codec, payload)
        wrong = self._protocol.handshake_exc or self._protocol.parser_exc
        if wrong is not None:
            raise WireError(f"no WebSocket: {wrong}")
        return None

    def encode(self, message: Message) -> bytes:
        """See L{IWire.encode}."""
        payload = self._codec.encode(message)
        if self._codec is JSON:
            self._protocol.send_text(payload)
        else:
            self._protocol.send_binary(payload)
        return self.answers()

    def answers(self) -> bytes:
        """Pongs, and the answer to a close frame."""
        return b"".join(self._protocol.data_to_send())

    def closing(self) -> bytes:
        """A close frame, unless one was sent."""
        if self._protocol.state is OPEN:
            self._protocol.send_close(NORMAL_CLOSURE)
        elif self._protocol.state is CONNECTING:
            return b""
        return self.answers()


def decoded(codec: Codec, payload: bytes) -> Message:
    """
    A message as a dict.

    @raise WireError: it is none.
    """
    try:
        message = codec.plain(payload)
    except DECODE_ERRORS as error:
        raise WireError(f"not {codec.name}: {error}") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise WireError("a message is an object with a type")
    return message
