"""
Clients of the daemon: those of the tests, on Twisted, and those of the tutorial, as its text implies them.

The tutorial shows servers only. Its clients follow from them: whoever plays reads with C{recv} and sends JSON without
a newline, whoever chats or watches prices uses asyncio streams and C{readline}, binary messages are packed by hand.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from itertools import count
from typing import Any, TypeVar

import msgspec
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as TooLate
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

reactor: Any = _reactor
T = TypeVar("T")

PATIENCE = 20.0
"""Seconds to wait for what should happen at once; only a test that fails ever waits so long."""

HEADER = struct.Struct("!IH")
MSGPACK = {"chat": 16, "game": 17, "ticker": 18}
JSON = {"chat": 32, "game": 33, "ticker": 34}


class Changing:
    """Something that one can wait for."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], Any], Deferred[Any]]] = []

    def described(self) -> str:
        """How it stands, for the message of a test that waited in vain."""
        return repr(self)

    def changed(self) -> None:
        """Look whether what is waited for has come."""
        for waiting in list(self._waiting):
            found, deferred = waiting
            try:
                value = found()
            except Exception:
                self._waiting.remove(waiting)
                deferred.errback()
                continue
            if value is not None:
                self._waiting.remove(waiting)
                deferred.callback(value)

    async def until(self, found: Callable[[], T | None], what: str, timeout: float = PATIENCE) -> T:
        """Wait until C{found} returns something; return that."""
        deferred: Deferred[T] = Deferred()
        waiting = (found, deferred)
        self._waiting.append(waiting)
        self.changed()
        deferred.addTimeout(timeout, reactor)
        try:
            return await deferred
        except TooLate:
            self._waiting.remove(waiting)
            raise AssertionError(f"waited {timeout:g} s for {what}; {self.described()}") from None


@implementer(IHalfCloseableProtocol)
class Client(Changing, Protocol):
    """Collects bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.received = bytearray()
        self.over = False
        self.reset: Failure | None = None

    def described(self) -> str:
        """What came."""
        return f"{'over' if self.over else 'open'}, {len(self.received)} bytes came: {bytes(self.received[-1000:])!r}"

    def dataReceived(self, data: bytes) -> None:
        """Some bytes."""
        self.received += data
        self.changed()

    def readConnectionLost(self) -> None:
        """The daemon sends no more."""
        self.over = True
        self.changed()
        if self.transport is not None:
            self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """We send no more."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is over, in one way or another."""
        if not self.over and not reason.check(type(connectionDone.value)):
            self.reset = reason
        self.over = True
        self.changed()

    def write(self, data: bytes) -> None:
        """Send bytes."""
        assert self.transport is not None
        self.transport.write(data)

    def no_more(self) -> None:
        """Close our direction, as C{nc -N} does at the end of its input."""
        transport: Any = self.transport
        transport.loseWriteConnection()

    def close(self) -> None:
        """Go."""
        assert self.transport is not None
        self.transport.loseConnection()

    def abort(self) -> None:
        """Go at once."""
        transport: Any = self.transport
        if transport is not None and not self.over:
            transport.abortConnection()

    async def bytes(self, n: int, timeout: float = PATIENCE) -> bytes:
        """Wait for as many bytes; they are taken out of what was received."""
        await self.until(lambda: len(self.received) >= n or None, f"{n} bytes", timeout)
        taken = bytes(self.received[:n])
        del self.received[:n]
        return taken

    async def rest(self, timeout: float = PATIENCE) -> bytes:
        """Wait for the end; what came until then."""
        await self.until(lambda: self.over or None, "the end of the connection", timeout)
        return bytes(self.received)


class MessageClient(Client):
    """
    Sends and gets messages, one a line.

    @ivar messages: all that came.
    """

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[dict[str, Any]] = []
        self._seen = 0
        self._refs = count(1)

    def described(self) -> str:
        """What came, and what of it was not asked for yet."""
        came = [repr(message)[:200] for message in self.unread[-20:]]
        return f"{'over' if self.over else 'open'}, {self._seen} messages were read, then came {came}"

    def dataReceived(self, data: bytes) -> None:
        """Lines, whole or not."""
        self.received += data
        *lines, rest = self.received.split(b"\n")
        self.received = bytearray(rest)
        self.messages += [strictly(line) for line in lines]
        self.changed()

    def send(self, **message: Any) -> None:
        """A message."""
        self.write(json.dumps(message).encode() + b"\n")

    @property
    def unread(self) -> list[dict[str, Any]]:
        """What came and was not asked for yet."""
        return self.messages[self._seen :]

    async def get(self, type: str | None = None, timeout: float = PATIENCE, **fields: Any) -> dict[str, Any]:
        """The next message with this type and these fields; those before it are passed over."""
        if type is not None:
            fields["type"] = type

        def found() -> dict[str, Any] | None:
            for at in range(self._seen, len(self.messages)):
                message = self.messages[at]
                if all(name in message and message[name] == value for name, value in fields.items()):
                    self._seen = at + 1
                    return message
            if self.over:
                raise AssertionError(f"the connection ended without {fields!r:.200}; {self.described()}")
            return None

        return await self.until(found, f"a message with {fields!r:.200}", timeout)

    async def ask(self, **message: Any) -> dict[str, Any]:
        """Send a request; its answer."""
        ref = next(self._refs)
        self.send(**message, ref=ref)
        return await self.get(ref=ref)

    async def settled(self) -> None:
        """Wait until all that was sent before has been dealt with."""
        assert (await self.ask(type="ping"))["type"] == "pong"

    async def end(self, timeout: float = PATIENCE) -> list[dict[str, Any]]:
        """Wait for the end; what came until then and was not asked for."""
        await self.until(lambda: self.over or None, "the end of the connection", timeout)
        assert not self.received, f"it ended in the middle of a message: {bytes(self.received[:100])!r}"
        unread = self.unread
        self._seen = len(self.messages)
        return unread


class BinaryClient(MessageClient):
    """
    Frames. A message has its frame type in C{frame}; what is no message has its C{payload} and nothing else.
    """

    def dataReceived(self, data: bytes) -> None:
        """Frames, whole or not."""
        self.received += data
        while len(self.received) >= HEADER.size:
            length, kind = HEADER.unpack_from(self.received)
            if len(self.received) < HEADER.size + length:
                break
            payload = bytes(self.received[HEADER.size : HEADER.size + length])
            del self.received[: HEADER.size + length]
            self.messages.append({"frame": kind, **self._content(kind, payload)})
        self.changed()

    @staticmethod
    def _content(kind: int, payload: bytes) -> dict[str, Any]:
        if kind in MSGPACK.values() or (kind == 0 and payload[:1] != b"{"):
            decoded: dict[str, Any] = msgspec.msgpack.decode(payload)
            return decoded
        if payload[:1] == b"{":
            return strictly(payload)
        return {"payload": payload}

    def frame(self, kind: int, payload: bytes = b"") -> None:
        """Send a frame."""
        self.write(HEADER.pack(len(payload), kind) + payload)

    def send(self, frame: int, **message: Any) -> None:  # type: ignore[override]
        """Send a message in the encoding that the frame type says."""
        encode = msgspec.msgpack.encode if frame in MSGPACK.values() else msgspec.json.encode
        self.frame(frame, encode(message))

    async def settled(self) -> None:
        """Wait until all that was sent before has been dealt with."""
        mark = f"settled {next(self._refs)}"
        self.frame(1, mark.encode())
        await self.get(frame=1, payload=f"🚀 Echo: {mark}".encode())


def client_for(feature: str) -> Client:
    """A client for the feature's own port."""
    return {"echo": Client, "web": Client, "binary": BinaryClient}.get(feature, MessageClient)()


def strictly(text: bytes) -> dict[str, Any]:
    """A JSON object, with nothing in it that JSON does not know."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    value = json.loads(text.decode(), parse_constant=refuse)
    assert isinstance(value, dict)
    return value


def plain_socket(host: str | None, port: int, *, receive_buffer: int | None = None) -> socket.socket:
    """A blocking socket; with a small buffer for what was received and not read, if one is to stall soon."""
    sock = socket.socket()
    sock.settimeout(PATIENCE)
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.connect((host, port))
    return sock


def everything(sock: socket.socket) -> bytes:
    """What there is to read until the end; blocks."""
    data = bytearray()
    while more := sock.recv(1 << 20):
        data += more
    return bytes(data)


# As the tutorial implies


class TutorialPlayer:
    """Plays with C{recv} and C{send}, one thing after the other; blocks, so it belongs in a thread."""

    def __init__(self, host: str, port: int) -> None:
        self.sock = plain_socket(host, port)

    def state(self) -> dict[str, Any]:
        """What one C{recv} brings."""
        state: dict[str, Any] = json.loads(self.sock.recv(4096).decode())
        return state

    def act(self, **action: Any) -> dict[str, Any]:
        """Do something; the state that comes of it."""
        self.sock.send(json.dumps(action).encode())
        return self.state()

    def close(self) -> None:
        """Leave."""
        self.sock.close()


class TutorialStream:
    """Chats or watches prices on asyncio streams."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, host: str, port: int) -> TutorialStream:
        """Come in."""
        return cls(*await asyncio.open_connection(host, port))

    async def read(self, *types: str) -> dict[str, Any]:
        """The next message, or the next of these types: others are of no interest to it."""
        while True:
            line = await asyncio.wait_for(self.reader.readline(), PATIENCE)
            assert line, "the connection ended"
            message: dict[str, Any] = json.loads(line.decode().strip())
            if not types or message["type"] in types:
                return message

    async def write(self, **message: Any) -> None:
        """Send a message."""
        self.writer.write(json.dumps(message).encode() + b"\n")
        await self.writer.drain()

    async def close(self) -> None:
        """Go."""
        self.writer.close()
        await self.writer.wait_closed()


class TutorialBinary:
    """Packs and unpacks frames on a blocking socket."""

    def __init__(self, host: str, port: int) -> None:
        self.sock = plain_socket(host, port)

    def send(self, kind: int, text: str) -> None:
        """A message."""
        payload = text.encode()
        self.sock.sendall(struct.pack("!IH", len(payload), kind) + payload)

    def receive(self) -> tuple[int, str]:
        """Its type and text."""
        length, kind = struct.unpack("!IH", self._exactly(6))
        return kind, self._exactly(length).decode()

    def _exactly(self, n: int) -> bytes:
        data = b""
        while len(data) < n:
            more = self.sock.recv(n - len(data))
            assert more, "the connection ended"
            data += more
        return data
