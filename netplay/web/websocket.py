"""
WebSocket without input and output: the handshake, and messages found in bytes.

C{websockets}' sans-I/O layer does the reading. What it leaves to its user is here: the number of fragments is
bounded, UTF-8 is checked as it comes, and no more is parsed at once than is asked for. Only the simplest frame, of
which players send thousands a second, does not take that way: see L{Messages.next}.
"""

from __future__ import annotations

import codecs
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from msgspec import Struct
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader, NegotiationError
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import BINARY, CLOSE, CONT, PING, PONG, TEXT, CloseCode, Frame
from websockets.frames import apply_mask as _apply_mask  # type: ignore[attr-defined]  # in C, where it could be built
from websockets.http11 import Request, Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from netplay.web.frames import WINDOW_BITS
from netplay.wire.lines import too_large

MOST_FRAGMENTS = 1024
"""Frames of one message, at most: empty ones cost the sender nothing and are legal in any number."""

FRAGMENT = 64
"""Bytes: where larger messages are allowed, there may be one frame for so many of them."""

CONTROL = 125
"""Bytes of a control frame's payload, at most (RFC 6455, section 5.5)."""

PIECE = 4096
"""Bytes that are parsed at once."""

MASKED = 0x80
"""The bit of a frame's second byte that says that the payload is masked."""

HEADER = 10
"""Bytes that say how long a frame is, at most."""

_SMALL_TEXT = 0x80 | TEXT  # the last frame of a message, which is also the first
_SMALL_KINDS = (_SMALL_TEXT, 0x80 | BINARY)

_RESERVED = 0x30
_OPCODE = 0x0F
_OPCODES = (CONT, TEXT, BINARY, CLOSE, PING, PONG)
_ENDLESS = 1 << 62

_quiet = logging.getLogger("netplay.web.websocket")
_quiet.disabled = True  # clients' mistakes are counted, not written down one by one

_DEFLATE = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True, client_no_context_takeover=True, server_max_window_bits=WINDOW_BITS
)


class Message(Struct, frozen=True, gc=False):
    """One whole message."""

    text: bool
    payload: bytes


class Closing(NamedTuple):
    """
    The end of the messages.

    @ivar code: to close with, C{None} if the peer gave none.
    @ivar reason: what the peer did wrong, empty if nothing.
    """

    code: int | None
    reason: str


class Handshake:
    """
    The answer to a request for a WebSocket (RFC 6455, section 4.2).

    @param path: as it was asked for.
    @param headers: name and value, in their order.
    @param subprotocols: those that can be chosen; none are offered where this is empty.
    @param max_message: bytes.
    @ivar response: to be sent: with status 101, or with what is wrong.
    @ivar max_message: as given.
    """

    def __init__(
        self,
        method: str,
        path: str,
        version: str,
        headers: Iterable[tuple[str, str]],
        subprotocols: Sequence[str],
        max_message: int,
    ) -> None:
        self.protocol = ServerProtocol(
            extensions=[_DEFLATE],
            subprotocols=[Subprotocol(name) for name in subprotocols],
            select_subprotocol=_select,
            state=OPEN,  # of the request no more is to be read
            max_size=max_message + CONTROL,  # it holds a ping in the middle of a message against that message's rest
            logger=_quiet,
        )
        self.max_message = max_message
        try:
            request = Request(path, Headers(list(headers)), method, version)
        except InvalidHeader as invalid:  # RFC 9110, section 5.5
            self.response = self.protocol.reject(400, f"There is a control character in the header {invalid.name}.\n")
        else:
            self.response = self._answer(request)

    def _answer(self, request: Request) -> Response:
        response = self.protocol.accept(request)
        if response.status_code in (400, 426):
            response.headers["Sec-WebSocket-Version"] = "13"
            if request.headers.get_all("Sec-WebSocket-Version") not in ([], ["13"]):  # section 4.2.2: this status
                response.status_code, response.reason_phrase = 426, "Upgrade Required"
                if "Upgrade" not in response.headers:
                    response.headers["Upgrade"] = "websocket"
        return response

    @property
    def accepted(self) -> bool:
        """Whether the response opens the WebSocket."""
        return self.response.status_code == 101

    @property
    def subprotocol(self) -> str | None:
        """The one that was chosen."""
        return self.protocol.subprotocol

    @property
    def window_bits(self) -> int | None:
        """Of what we may compress, C{None} if we may not."""
        for extension in self.protocol.extensions:
            if isinstance(extension, PerMessageDeflate):
                return extension.local_max_window_bits
        return None


def _select(protocol: ServerProtocol, wanted: Sequence[Subprotocol]) -> Subprotocol | None:
    """The client's first choice that we know; a client that asks for none gets none."""
    ours = protocol.available_subprotocols or ()
    if not wanted or not ours:
        return None
    for name in wanted:
        if name in ours:
            return name
    raise NegotiationError(f"no such subprotocol; there are {', '.join(ours)}")


class Messages:
    """
    The framing of a WebSocket connection.

    @param handshake: that opened it.
    @param answer: is handed the frames that answer pings.
    """

    __slots__ = (
        "_answer",
        "_at",
        "_begun",
        "_between",
        "_buffer",
        "_closed",
        "_decoder",
        "_fragments",
        "_frames",
        "_max_message",
        "_owed",
        "_protocol",
        "_text",
    )

    def __init__(self, handshake: Handshake, answer: Callable[[bytes], None]) -> None:
        self._protocol = handshake.protocol
        self._max_message = handshake.max_message
        self._answer = answer
        self._buffer = b""
        self._at = 0  # where in the buffer begins what was not looked at yet
        self._between = True  # what is there begins with a frame, and nothing was begun before it
        self._owed = 0  # bytes of the frame that is being parsed which were not parsed yet
        self._frames: Iterator[Any] = iter(())  # parsed and not looked at yet
        self._begun = bytearray()  # a message that is not whole yet
        self._fragments = 0  # of that message
        self._text = False  # what it is
        self._decoder: codecs.IncrementalDecoder | None = None
        self._closed = False

    def feed(self, data: bytes) -> None:
        """Take what came from the socket."""
        if not self._closed:
            self._buffer = self._buffer[self._at :] + data if self._buffer else data
            self._at = 0

    def next(self) -> Message | Closing | None:
        """
        The next whole message, the end, or C{None} until more comes.

        @raise Refused: C{too_large}, as soon as that is known; what follows makes no sense any more.
        """
        while not self._closed:
            if self._between:
                # A message in one frame, masked, not compressed, of less than 126 bytes: nearly all are like that.
                buffer = self._buffer
                at = self._at
                if len(buffer) < at + 2:
                    break
                length = buffer[at + 1] - MASKED
                if 0 <= length <= CONTROL and buffer[at] in _SMALL_KINDS:
                    begin = at + 6
                    end = begin + length
                    if len(buffer) < end:
                        break
                    self._at = end
                    self._text = buffer[at] == _SMALL_TEXT
                    return self._whole(_apply_mask(buffer[begin:end], buffer[at + 2 : begin]))
                self._between = False
            else:
                for frame in self._frames:
                    message = self._take(frame)
                    if message is not None:
                        return message
                if self._protocol.state is not OPEN:
                    return self._over()
                if not (self._owed or self._fragments):
                    self._between = True
                    continue
            if not self._parse():
                break
        self._buffer = self._buffer[self._at :]  # what is held while more is waited for
        self._at = 0
        return None

    def finish(self) -> None:
        """At the end of the input: what has no end says nothing."""
        self._close()

    @property
    def unfinished(self) -> bool:
        """Whether the beginning of a message waits for its rest."""
        return not self._closed and bool(self._at < len(self._buffer) or self._fragments or self._owed)

    def _parse(self) -> bool:
        """Parse some of a frame, and nothing of the next. Returns whether there was enough to begin with."""
        if not self._owed:
            self._owed = _size(self._buffer[self._at : self._at + HEADER])
        piece = self._buffer[self._at : self._at + min(self._owed, PIECE)]
        if not piece:
            return False
        self._at += len(piece)
        self._owed -= len(piece)
        protocol = self._protocol
        protocol.receive_data(piece)
        self._frames = iter(protocol.events_received())
        answers = protocol.data_to_send()
        if protocol.state is not OPEN:
            answers = answers[:-2]  # the last are a close frame, which is said by whoever ends the connection, and EOF
        if answers:
            self._answer(b"".join(answers))
        return True

    def _take(self, frame: Frame) -> Message | Closing | None:
        """One frame."""
        opcode = frame.opcode
        if opcode in (PING, PONG, CLOSE):
            return None
        if len(self._begun) + len(frame.data) > self._max_message:
            self._close()
            raise too_large(self._max_message)
        if opcode is not CONT:
            self._text = opcode is TEXT
            if frame.fin:
                return self._whole(bytes(frame.data))
            self._decoder = codecs.getincrementaldecoder("utf-8")() if self._text else None
        self._begun += frame.data
        self._fragments += 1
        most = max(MOST_FRAGMENTS, self._max_message // FRAGMENT)
        if self._fragments > most:
            return self._fail(CloseCode.POLICY_VIOLATION, f"more than {most} fragments")
        if self._decoder is not None:
            try:
                self._decoder.decode(frame.data, frame.fin)
            except UnicodeDecodeError:
                return self._fail(CloseCode.INVALID_DATA, "text is UTF-8")
        if not frame.fin:
            return None
        payload = bytes(self._begun)
        self._forget_begun()
        return Message(self._text, payload)

    def _whole(self, payload: bytes) -> Message | Closing:
        """A message of one frame."""
        if self._text and not payload.isascii():
            try:
                payload.decode()
            except UnicodeDecodeError:
                return self._fail(CloseCode.INVALID_DATA, "text is UTF-8")
        return Message(self._text, payload)

    def _over(self) -> Closing:
        """The peer has closed, or made a mistake that cannot be got over."""
        self._close()
        sent = self._protocol.close_sent
        if sent is None or sent.code == CloseCode.NO_STATUS_RCVD:
            return Closing(None, "")
        if sent.code == CloseCode.MESSAGE_TOO_BIG and self._protocol.close_rcvd is None:
            raise too_large(self._max_message)
        return Closing(sent.code, "" if self._protocol.close_rcvd is sent else sent.reason)

    def _fail(self, code: int, reason: str) -> Closing:
        self._close()
        return Closing(code, reason)

    def _close(self) -> None:
        self._closed = True
        self._owed = self._at = 0
        self._buffer = b""
        self._frames = iter(())
        self._forget_begun()

    def _forget_begun(self) -> None:
        self._begun.clear()
        self._fragments = 0
        self._decoder = None


def _size(buffer: bytes) -> int:
    """
    How many bytes the frame has with which this begins (RFC 6455, section 5.2); 0 if that cannot be known yet. A
    mistake has no end: whatever follows it makes no sense any more.
    """
    if len(buffer) < 2:
        return 0
    length = buffer[1] - MASKED
    if length < 0 or buffer[0] & _RESERVED or buffer[0] & _OPCODE not in _OPCODES:
        return _ENDLESS
    if length <= CONTROL:
        return 6 + length
    header = 4 if length == 126 else 10
    return 0 if len(buffer) < header else header + 4 + int.from_bytes(buffer[2:header])
