"""
What several tests need: a core on a clock, a link whose far end reads when it is told to, a feature that repeats.

L{Link} is a real L{tcp.Connection} on a socket that takes as many bytes as the test says, driven turn by turn: what
a slow reader does to the eager path can be shown without one.
"""

from __future__ import annotations

import errno
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from twisted.application.service import Service
from twisted.internet import tcp
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol
from twisted.internet.task import deferLater
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from netplay.channel import Channel
from netplay.clients import Client
from netplay.connection import MessageFactory
from netplay.core import Core
from netplay.errors import Refused
from netplay.interfaces import IMessageService, ISession
from netplay.limits import Limits
from netplay.messages import COMMON, Event, Greeting, Identity, Request, Resume, Resumed
from netplay.session import COMMON_HANDLERS, Session
from netplay.store.memory import MemoryStore
from netplay.wire.grammar import Grammar
from tests.certificates import self_signed_pem

WALL = 1_700_000_000.0
"""What the wall clock of a test shows when its clock is at 0."""


def make_core(clock: Any | None = None, **limits: Any) -> Core:
    """A core whose clock (C{core.clock}) the test moves; without a rate limit unless it asks for one."""
    clock = MemoryReactorClock() if clock is None else clock
    limits.setdefault("rate", 0.0)
    core = Core(clock, Limits(**limits), wall=lambda: WALL + clock.seconds())
    core.store = MemoryStore()
    return core


def advance(clock: Any, seconds: float, step: float = 1.0) -> None:
    """Let time pass as it does: not all at once, or what is due every second would happen once."""
    clock.pump([step] * int(seconds / step))


# A link in memory


class FakeSocket:
    """Takes as many bytes as there is C{room} for, gives what is in the C{inbox}."""

    def __init__(self) -> None:
        self.taken = bytearray()
        self.sends: list[int] = []
        self.room: int | None = 0  # None: without end
        self.inbox = bytearray()
        self.over = False  # the peer has closed its direction
        self.shut = False  # we have closed ours
        self.closed = False
        self.error: OSError | None = None

    def send(self, data: bytes | memoryview) -> int:
        if self.error is not None:
            raise self.error
        assert not self.closed, "bytes for a socket that is closed"
        assert not self.shut, "bytes after the end of our direction"
        n = len(data) if self.room is None else min(self.room, len(data))
        if not n and len(data):
            raise BlockingIOError(errno.EWOULDBLOCK, "no room")
        if self.room is not None:
            self.room -= n
        self.taken += data[:n]
        self.sends.append(n)
        return n

    def recv(self, size: int) -> bytes:
        if not self.inbox:
            if self.over:
                return b""
            raise BlockingIOError(errno.EWOULDBLOCK, "nothing there")
        data = bytes(self.inbox[:size])
        del self.inbox[:size]
        return data

    def fileno(self) -> int:
        return -1

    def setblocking(self, _: bool) -> None:
        pass

    def setsockopt(self, *_: Any) -> None:
        pass

    def shutdown(self, _: int) -> None:
        self.shut = True

    def close(self) -> None:
        self.closed = True


class FakeConnection(tcp.Connection):
    """A connection that was accepted from 192.0.2.1, or from wherever the test says."""

    peer = "192.0.2.1"

    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", self.peer, 54321)

    def getHost(self) -> IPv4Address:
        return IPv4Address("TCP", "127.0.0.1", 8888)


class Link:
    """
    A protocol connected over a L{FakeConnection}, and its peer, who is the test.

    @param room: bytes that the peer takes before it has to be asked to; C{None} for a peer that reads all.
    """

    def __init__(
        self, protocol: Any, clock: MemoryReactorClock, *, room: int | None = None, peer: str = "192.0.2.1"
    ) -> None:
        self.clock = clock
        self.protocol = protocol
        self.socket = FakeSocket()
        self.socket.room = room
        self.transport = FakeConnection(self.socket, protocol, clock)  # type: ignore[arg-type]
        self.transport.peer = peer
        self.transport.connected = 1
        self.transport.startReading()
        self._seen = 0
        protocol.makeConnection(self.transport)

    # The reactor

    def turn(self) -> None:
        """One turn: what was due, what came in, what can go out."""
        self.clock.advance(0)
        if self.reading and (self.socket.inbox or self.socket.over):
            self._after(self.transport.doRead(), is_read=True)
        if self.transport in self.clock.getWriters() and (
            self.socket.room != 0 or self.socket.error or not self._unsent
        ):
            self._after(self.transport.doWrite(), is_read=False)
        self.clock.advance(0)

    def turns(self, n: int = 20) -> None:
        """Enough of them for everything that can happen now."""
        for _ in range(n):
            self.turn()

    @property
    def _unsent(self) -> int:
        return len(self.transport.dataBuffer) - self.transport.offset + self.transport._tempDataLen

    def _after(self, why: Any, is_read: bool) -> None:
        if not why:
            return
        self.clock.removeReader(self.transport)
        if is_read and isinstance(why, ConnectionDone):
            self.transport.readConnectionLost(Failure(why))
        else:
            self.clock.removeWriter(self.transport)
            self.transport.connectionLost(Failure(why))

    # The peer

    def reads(self, n: int | None = None) -> None:
        """The peer takes C{n} more bytes (all there will ever be)."""
        room = self.socket.room
        self.socket.room = None if n is None or room is None else room + n
        self.turns()

    def stops_reading(self) -> None:
        """The peer takes nothing more, and its buffers are full."""
        self.socket.room = 0

    def sends(self, data: bytes) -> None:
        """Bytes arrive; they are read if we read."""
        self.socket.inbox += data
        self.turns()

    def says(self, *messages: Any) -> None:
        """Messages arrive, as lines of JSON."""
        self.sends(b"".join(msgspec.json.encode(message) + b"\n" for message in messages))

    def half_closes(self) -> None:
        """The peer will send nothing more."""
        self.socket.over = True
        self.turns()

    def goes(self) -> None:
        """The peer is gone."""
        if not self.lost:
            self.transport.connectionLost(Failure(ConnectionDone()))

    @property
    def taken(self) -> bytes:
        """All that the peer has got."""
        return bytes(self.socket.taken)

    def heard(self) -> list[Any]:
        """The messages that came since the last time."""
        lines, self._seen = self.socket.taken[self._seen :], len(self.socket.taken)
        assert not lines or lines.endswith(b"\n"), f"half a message: {lines[-80:]!r}"
        return [msgspec.json.decode(line) for line in lines.splitlines()]

    @property
    def reading(self) -> bool:
        """Whether we read from the peer."""
        return self.transport in self.clock.getReaders()

    @property
    def lost(self) -> bool:
        """Whether the connection is over."""
        return self.socket.closed


class Wrapped(StringTransport):
    """
    A transport that is no socket: what the outbox does with TLS and wrappers.

    As with TLS, what is written while it is full goes nowhere until it is ready.
    """

    def __init__(self) -> None:
        super().__init__(lenient=True)
        self.half_closed = False

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def full(self) -> None:
        """Its buffer is full."""
        assert self.producer is not None
        self.producer.pauseProducing()

    def ready(self) -> None:
        """There is room in its buffer."""
        if self.producer is not None:
            self.producer.resumeProducing()


# Real sockets


def turn() -> Deferred[None]:
    """The reactor's next turn."""
    from twisted.internet import reactor

    return deferLater(reactor, 0)  # type: ignore[arg-type]


async def until(condition: Callable[[], Any]) -> None:
    """As many turns as it takes; the test's own timeout is the limit."""
    while not condition():
        await turn()


class Peer:
    """A plain socket at the other end, which reads nothing of itself."""

    def __init__(self, address: Any, *, buffer: int | None = 4096) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family)
        if buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.connect(address)
        self.socket.setblocking(False)
        self.got = bytearray()
        self.over = False

    def read(self, most: int = 65536) -> int:
        """Take what is there; the number of bytes."""
        try:
            data = self.socket.recv(most)
        except BlockingIOError:
            return 0
        self.over = not data
        self.got += data
        return len(data)

    async def read_until(self, condition: Callable[[], Any]) -> None:
        """Read on, turn by turn."""
        while not condition():
            if not self.read():
                await turn()

    async def read_all(self) -> bytes:
        """All until the end."""
        await self.read_until(lambda: self.over)
        return bytes(self.got)

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """End with a reset instead of a good-bye."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()


class TLSPeer(Peer):
    """The same behind TLS. C{raw} is what came over the line."""

    def __init__(self, address: Any, *, buffer: int | None = 4096) -> None:
        super().__init__(address, buffer=buffer)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing)
        self.raw = bytearray()

    async def shake_hands(self) -> None:
        """Until TLS stands."""
        while True:
            try:
                self.tls.do_handshake()
                return
            except ssl.SSLWantReadError:
                await turn()
            finally:
                self._flush()
            self._fill()

    def send(self, data: bytes) -> None:
        self.tls.write(data)
        self._flush()

    def read(self, most: int = 65536) -> int:
        self._fill(most)
        before = len(self.got)
        try:
            while data := self.tls.read(65536):
                self.got += data
            self.over = True
        except ssl.SSLWantReadError:
            pass
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            self.over = True
        return len(self.got) - before

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self.socket.sendall(data)

    def _fill(self, most: int = 65536) -> None:
        try:
            data = self.socket.recv(most)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b""
        self.raw += data
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()


def make_folder(test: Any) -> Path:
    """
    A folder that goes with the test.

    Its name is short enough for unix sockets, and it is not where C{mktemp} makes its own: under pytest that is
    wherever one happens to be.
    """
    folder = tempfile.TemporaryDirectory(prefix="netplay")
    test.addCleanup(folder.cleanup)
    return Path(folder.name)


def make_certificate(folder: Path) -> Path:
    """A key and a certificate signed with it, in one PEM file."""
    path = folder / "server.pem"
    path.write_bytes(b"".join(self_signed_pem()))
    return path


# A feature


class Say(Request, tag="say"):
    """Repeat a text."""

    text: str


class Hold(Request, tag="hold"):
    """Answered when the test fires C{session.held}."""


class Boom(Request, tag="boom"):
    """A mistake of ours."""


class Forbidden(Request, tag="forbidden"):
    """Something that is refused."""


class Flood(Request, tag="flood"):
    """A long answer."""

    size: int


class Tell(Request, tag="tell"):
    """Tell all."""

    text: str


class Hello(Greeting, tag="hello"):
    """The first message."""


class Said(Event, tag="said"):
    """A text."""

    text: str


@implementer(ISession)
class ParrotSession(Session):
    """One client of L{Parrot}."""

    grammar = Grammar((Say, Hold, Boom, Forbidden, Flood, Tell, *COMMON))

    def __init__(self, client: Client, parrot: Parrot) -> None:
        super().__init__(client, parrot.core)
        self.parrot = parrot
        self.held: list[Deferred[Any]] = []
        self.name = f"Polly_{len(parrot.sessions)}"
        parrot.channel.join(client)
        client.greet(Hello(), Identity(self.name, self.name))

    def say(self, message: Say) -> Event:
        return Said(text=message.text)

    def hold(self, message: Hold) -> Deferred[Any]:
        self.held.append(Deferred())
        return self.held[-1]

    def boom(self, message: Boom) -> None:
        raise RuntimeError("boom")

    def forbidden(self, message: Forbidden) -> None:
        raise Refused("not_allowed", "that is forbidden", "$.type")

    def flood(self, message: Flood) -> Event:
        return Said(text="x" * message.size)

    def tell(self, message: Tell) -> None:
        self.parrot.channel.publish(Said(text=message.text))

    def lost(self) -> object | None:
        self.parrot.gone.append(self)
        return self.name if self.parrot.keeps else None

    def resumed(self, kept: Any, request: Resume) -> None:
        self.name = kept
        self.client.greet(Resumed(rooms={}), Identity(kept, kept), request.ref)

    def expired(self, kept: Any) -> None:
        self.parrot.expired.append(kept)

    handlers = {
        **COMMON_HANDLERS,
        Say: say,
        Hold: hold,
        Boom: boom,
        Forbidden: forbidden,
        Flood: flood,
        Tell: tell,
    }


@implementer(IMessageService)
class Parrot(Service):
    """
    A feature that repeats what it is told.

    @ivar keeps: whether sessions can be resumed.
    """

    def __init__(self, core: Core, *, keeps: bool = True) -> None:
        self.core = core
        self.keeps = keeps
        self.factory = MessageFactory(core, "parrot", self)
        self.channel = Channel(core.clock)
        self.sessions: list[ParrotSession] = []
        self.gone: list[ParrotSession] = []
        self.expired: list[Any] = []

    def connected(self, client: Client) -> ParrotSession:
        session = ParrotSession(client, self)
        self.sessions.append(session)
        return session


def connect(factory: Any, clock: MemoryReactorClock, *, room: int | None = None, peer: str = "192.0.2.1") -> Link:
    """A new connection of a factory's."""
    address = IPv4Address("TCP", peer, 54321)
    link = Link(factory.buildProtocol(address), clock, room=room, peer=peer)
    link.turns()
    return link


def connect_wrapped(factory: Any) -> tuple[IProtocol, Wrapped]:
    """A new connection over something that is no socket."""
    transport = Wrapped()
    protocol = factory.buildProtocol(None)
    protocol.makeConnection(transport)
    return protocol, transport


# The log


class LogRecorder:
    """What is logged while a test runs."""

    def __init__(self, test: Any) -> None:
        self.events: list[LogEvent] = []
        globalLogPublisher.addObserver(self.events.append)
        test.addCleanup(globalLogPublisher.removeObserver, self.events.append)

    def texts(self, namespaces: Iterable[str] = ("netplay",)) -> list[str]:
        """What was said by ours, as lines."""
        from twisted.logger import formatEvent

        return [
            formatEvent(event) for event in self.events if str(event.get("log_namespace")).startswith(tuple(namespaces))
        ]
