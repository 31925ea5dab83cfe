"""
A whole daemon without a reactor: all features over a C{task.Clock}, and clients that are connected to their ports
through Twisted's C{StringTransport}.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from itertools import count
from typing import Any

import msgspec
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from zope.interface import implementer

from netplay.accounts.accounts import Accounts
from netplay.binary import BinaryService
from netplay.chat.feature import ChatFeature, ChatService
from netplay.connection import Connection
from netplay.core import Core
from netplay.echo import EchoService
from netplay.game.feature import GameFeature, GameService, installed
from netplay.interfaces import IPriceSource
from netplay.limits import Limits
from netplay.store.interfaces import IStore
from netplay.store.memory import MemoryStore
from netplay.ticker.feature import TickerFeature, TickerService
from netplay.web.admin.feature import AdminFeature
from netplay.web.feature import WebFeature, WebService

START = 1_700_000_000
"""Seconds since 1970 when every test begins."""
START_ISO = "2023-11-14T22:13:20.000+00:00"

CHAT, GAME, TICKER = 16, 17, 18
"""Frame types in MessagePack."""
CHAT_JSON, GAME_JSON, TICKER_JSON = 32, 33, 34


@implementer(IPriceSource)
class Prices:
    """
    A source whose prices a test sets.

    @ivar coming: what the next beat brings, and all that follow until it is set again.
    """

    def __init__(self, first: Mapping[str, float] | None = None) -> None:
        self._first = {"AAPL": 150.0, "TSLA": 800.0, "MSFT": 300.0} if first is None else first
        self.symbols: Mapping[str, str] = {symbol: "🍎" if symbol == "AAPL" else "📈" for symbol in self._first}
        self.coming: Mapping[str, float] = {}

    def first(self) -> Mapping[str, float]:
        return self._first

    def next(self) -> Mapping[str, float]:
        return self.coming


class House:
    """
    The daemon. Nothing limits the rate or the connections of an address unless C{limits} says so.

    @param wire: what L{connect} connects, if not a client of the feature's own port.
    @param web: options of the web port.
    @ivar host: the address from which clients come.
    @param accounts: what L{Accounts} is given besides the core.
    """

    host = "192.0.2.7"

    def __init__(
        self,
        *,
        wire: type[LineClient] | None = None,
        state_rate: float = 20.0,
        prices: IPriceSource | None = None,
        store: IStore | None = None,
        web: Mapping[str, Any] = {},
        accounts: Mapping[str, Any] = {},
        **limits: Any,
    ) -> None:
        self.clock = Clock()
        self._wire = wire or LineClient
        limits = {"rate": 0.0, "idle": 0.0, "max_per_address": 1000, **limits}
        self.core = core = Core(self.clock, Limits(**limits), wall=lambda: START + self.clock.seconds())
        self.store = core.store = store or MemoryStore()
        core.accounts = Accounts(core, **accounts)
        self.prices: Any = prices or Prices()
        self.chat = ChatService(core)
        self.game = GameService(core, installed(), state_rate, 0.0)
        self.ticker = TickerService(core, self.prices, 1.0)
        self.binary = BinaryService(core)
        self.echo = EchoService(core)
        for plugin, service in ((ChatFeature, self.chat), (GameFeature, self.game), (TickerFeature, self.ticker)):
            core.features[plugin.name] = service
            core.frame_types[plugin.frame_type] = plugin.name
        served = {feature: [] for feature in ("echo", "binary", "chat", "game", "ticker", "web", "admin")}
        self.web = WebService({**options_of(WebFeature), **options_of(AdminFeature), "served": served, **web}, core)
        for part in (
            self.store,
            core.accounts,
            core.moderation,
            self.chat,
            self.game,
            self.ticker,
            self.web,
            core.watch,
        ):
            part.startService()

    def wait(self, seconds: float) -> None:
        """Time passes, and what is to happen in it happens at its own time."""
        clock = self.clock
        end = clock.seconds() + seconds
        while (next := min((call.getTime() for call in clock.getDelayedCalls()), default=end)) < end:
            clock.advance(max(0.0, next - clock.seconds()))
        clock.advance(max(0.0, end - clock.seconds()))

    def connect(self, feature: str, *, greeted: bool = True) -> LineClient:
        """
        A client of chat, game or ticker, on its port or on the wire that this house is for.

        @param greeted: whether what it gets on arrival was read already.
        """
        client = self._wire(self, feature)
        if greeted:
            client.hello = client.received()[0]
        return client

    def connect_binary(self) -> BinaryClient:
        """A client on the binary port."""
        return BinaryClient(self, self.binary.factory)

    def connect_echo(self) -> Peer:
        """A client on the echo port."""
        return Peer(self, self.echo.factory)


def options_of(feature: Any) -> dict[str, Any]:
    """What the options of a feature are when none is given."""
    return {name: default for name, _, default, *_ in feature.parameters}


class Cable(StringTransport):
    """A connection that is lost in the turn after it was closed, as real ones are."""

    def __init__(self, clock: Clock, address: IPv4Address) -> None:
        super().__init__(peerAddress=address)
        self._clock = clock
        self.protocol: Connection | None = None

    def loseConnection(self) -> None:
        if not self.disconnecting:
            super().loseConnection()
            self._clock.callLater(0, self.lost)

    def pauseProducing(self) -> None:
        if not self.disconnecting:
            super().pauseProducing()

    def resumeProducing(self) -> None:
        if not self.disconnecting:
            super().resumeProducing()

    def lost(self) -> None:
        """The connection is gone."""
        protocol, self.protocol = self.protocol, None
        if protocol is not None:
            self.disconnecting = True
            protocol.connectionLost(connectionDone)


class Peer:
    """The other end of one connection."""

    _ports = count(40_000)

    def __init__(self, house: House, factory: Any) -> None:
        self.house = house
        self.transport = Cable(house.clock, IPv4Address("TCP", house.host, next(self._ports) % 65536))
        self.protocol: Connection = factory.buildProtocol(self.transport.getPeer())
        self.transport.protocol = self.protocol
        self.protocol.makeConnection(self.transport)

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.protocol.dataReceived(data)

    def read(self) -> bytes:
        """All bytes that came, up to the end of this turn."""
        self.house.clock.advance(0)
        data = self.transport.value()
        self.transport.clear()
        return data

    @property
    def closed(self) -> bool:
        """Whether the server has closed the connection."""
        self.house.clock.advance(0)
        return self.transport.disconnecting

    @property
    def paused(self) -> bool:
        """Whether the server does not read from us."""
        return self.transport.producerState == "paused"

    def half_close(self) -> None:
        """Say that we send no more; what comes is still read."""
        self.protocol.readConnectionLost()

    def drop(self) -> None:
        """The connection breaks."""
        self.transport.lost()

    def lag(self) -> None:
        """Read no more: what the server sends waits there."""
        self.transport.producer.pauseProducing()

    def catch_up(self) -> None:
        """Read again."""
        self.transport.producer.resumeProducing()


class LineClient(Peer):
    """
    A client of a port that speaks JSON.

    @ivar hello: the first message.
    @ivar largest: the most bytes that one message had.
    @ivar label: what the wire adds to each message that we send.
    """

    hello: dict[str, Any]
    largest = 0
    label = b""

    def __init__(self, house: House, feature: str) -> None:
        super().__init__(house, self.factory(house, feature))
        self._waiting: list[dict[str, Any]] = []
        self._refs = count(1)

    @staticmethod
    def factory(house: House, feature: str) -> Any:
        """Of the port."""
        return getattr(house, feature).factory

    def send(self, type: str, **fields: Any) -> None:
        """Send a message."""
        self.write(json.dumps({"type": type, **fields}).encode() + b"\n")

    def received(self) -> list[dict[str, Any]]:
        """What came since this was last asked, up to the end of this turn, each message parsed strictly."""
        self._read_all()
        messages, self._waiting = self._waiting, []
        return messages

    def heard(self, type: str) -> list[dict[str, Any]]:
        """As L{received}, but only the messages of one type."""
        return [message for message in self.received() if message["type"] == type]

    def ask(self, type: str, **fields: Any) -> dict[str, Any]:
        """
        Send a request with a C{ref} and return the one answer to it; whatever else came is still to be L{received}.
        """
        ref = f"ask-{next(self._refs)}"
        self.send(type, **fields, ref=ref)
        self._read_all()
        answers = [message for message in self._waiting if message.get("ref") == ref]
        assert len(answers) == 1, f"{len(answers)} answers to {type}: {answers}"
        self._waiting.remove(answers[0])
        del answers[0]["ref"]
        return answers[0]

    @property
    def session(self) -> Any:
        """What serves us."""
        [client] = self.protocol.clients()
        return client.session

    @property
    def id(self) -> str:
        """Who we are."""
        return str(self.hello["you"]["id"])

    def _read_all(self) -> None:
        lines = self.read().split(b"\n")
        assert lines.pop() == b"", "every value ends with a newline"
        self.largest = max(self.largest, *(len(line) + 1 for line in lines), 0)
        self._waiting += map(strictly, lines)


def packed(line: bytes) -> bytes:
    """A line of JSON in MessagePack; what is no JSON as it is."""
    try:
        return msgspec.msgpack.encode(msgspec.json.decode(line))
    except (ValueError, OverflowError, RecursionError):
        return line


def strictly(payload: bytes) -> Any:
    """Parse JSON as the strictest of clients does."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(payload.decode("utf-8", "strict"), parse_constant=refuse)


class WebSocketClient(LineClient):
    """
    A client of a feature's own WebSocket, in JSON. What the tests write in lines goes out as one message a line.

    @cvar subprotocol: what it asks for.
    """

    subprotocol: str | None = None
    path = "/ws/{feature}"
    opcode = 0x1  # text

    encoded = staticmethod(bytes)
    decoded = staticmethod(strictly)

    def __init__(self, house: House, feature: str) -> None:
        super().__init__(house, feature)
        self._feature = feature
        self.feed(upgrade_request(self.path.format(feature=feature), self.subprotocol))
        house.clock.advance(0)
        head, _, rest = self.transport.value().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        self.transport.clear()
        self.transport.write(rest)

    @staticmethod
    def factory(house: House, feature: str) -> Any:
        """Of the web port."""
        return house.web.factory

    def feed(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.protocol.dataReceived(data)

    def write(self, data: bytes) -> None:
        """One message for each line."""
        for line in data.split(b"\n"):
            if line:
                self.feed(masked(self.opcode, self.encoded(line)))

    def messages(self) -> list[bytes]:
        """The payloads that came; a close frame ends them."""
        return [payload for opcode, payload in unframed(self.read()) if opcode in (TEXT, BINARY)]

    def _read_all(self) -> None:
        payloads = self.messages()
        self.largest = max(self.largest, *(len(payload) for payload in payloads), 0)
        self._waiting += map(self.decoded, payloads)


class SharedWebSocketClient(WebSocketClient):
    """A client of one feature on the WebSocket that all share."""

    path = "/ws"

    def __init__(self, house: House, feature: str) -> None:
        super().__init__(house, feature)
        self.label = b'"feature":"%b",' % feature.encode()
        super().write(json.dumps({"feature": feature}).encode())

    def write(self, data: bytes) -> None:
        """Each line with the feature in it."""
        lines = data.split(b"\n")
        super().write(b"\n".join(b"{" + self.label + line[1:] if line[:1] == b"{" else line for line in lines))

    def _read_all(self) -> None:
        before = len(self._waiting)
        super()._read_all()
        for message in self._waiting[before:]:
            assert message.pop("feature", self._feature) == self._feature


class Packed:
    """A client that speaks MessagePack. What a test writes that is no JSON goes out as it is, no MessagePack either."""

    subprotocol = "netplay.msgpack"
    opcode = 0x2  # binary

    encoded = staticmethod(packed)
    decoded = staticmethod(msgspec.msgpack.decode)


class PackedWebSocketClient(Packed, WebSocketClient):
    """A client of a feature's own WebSocket, in MessagePack."""


class PackedSharedWebSocketClient(Packed, SharedWebSocketClient):
    """A client of one feature on the WebSocket that all share, in MessagePack."""


class FramedClient(LineClient):
    """A client of a feature on the binary port, in JSON."""

    kinds = {"chat": CHAT_JSON, "game": GAME_JSON, "ticker": TICKER_JSON}

    encoded = staticmethod(bytes)
    decoded = staticmethod(strictly)

    def __init__(self, house: House, feature: str) -> None:
        super().__init__(house, feature)
        self._kind = self.kinds[feature]
        self.frame(b"")

    @staticmethod
    def factory(house: House, feature: str) -> Any:
        """Of the binary port."""
        return house.binary.factory

    def frame(self, payload: bytes) -> None:
        """Send one frame."""
        super().write(HEADER.pack(len(payload), self._kind) + payload)

    def write(self, data: bytes) -> None:
        """One frame for each line."""
        for line in data.split(b"\n"):
            if line:
                self.frame(self.encoded(line))

    def payloads(self) -> list[bytes]:
        """Those of the frames that came."""
        found = [payload for _, payload in binary_frames(self.read())]
        self.largest = max(self.largest, *map(len, found), 0)
        return found

    def _read_all(self) -> None:
        self._waiting += map(self.decoded, self.payloads())


class PackedFramedClient(Packed, FramedClient):
    """A client of a feature on the binary port, in MessagePack."""

    kinds = {"chat": CHAT, "game": GAME, "ticker": TICKER}


HEADER = struct.Struct("!IH")


def binary_frames(data: bytes) -> list[tuple[int, bytes]]:
    """The frames of the binary port, all of them whole: type and payload."""
    found = []
    while data:
        length, kind = HEADER.unpack_from(data)
        assert len(data) >= HEADER.size + length, "half a frame"
        found.append((kind, data[HEADER.size : HEADER.size + length]))
        data = data[HEADER.size + length :]
    return found


TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


def upgrade_request(path: str, subprotocol: str | None = None, **headers: str) -> bytes:
    """A request for a WebSocket as browsers send it; further headers with C{_} for C{-}."""
    lines = {
        "Host": "localhost:8080",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    if subprotocol is not None:
        lines["Sec-WebSocket-Protocol"] = subprotocol
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    fields = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode()


def masked(opcode: int, payload: bytes, first: int = 0x80, mask: bytes = b"\x01\x02\x03\x04") -> bytes:
    """One frame of a client (RFC 6455, section 5.2)."""
    length = len(payload)
    if length < 126:
        header = bytes((first | opcode, 0x80 | length))
    elif length < 65536:
        header = struct.pack("!BBH", first | opcode, 0x80 | 126, length)
    else:
        header = struct.pack("!BBQ", first | opcode, 0x80 | 127, length)
    repeated = (mask * (length // 4 + 1))[:length]
    hidden = (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(length)
    return header + mask + hidden


def unframed(data: bytes) -> list[tuple[int, bytes]]:
    """The frames of a server, each whole and for itself: opcode and payload."""
    found = []
    while data:
        length, at = data[1], 2
        if length == 126:
            (length,), at = struct.unpack_from("!H", data, 2), 4
        elif length == 127:
            (length,), at = struct.unpack_from("!Q", data, 2), 10
        assert data[0] & 0x80, "a fragment"
        assert len(data) >= at + length, "half a frame"
        found.append((data[0] & 0x0F, data[at : at + length]))
        data = data[at + length :]
    return found


class BinaryClient(Peer):
    """A client of the binary port."""

    def frame(self, kind: int, payload: bytes = b"") -> None:
        """Send one frame."""
        self.write(HEADER.pack(len(payload), kind) + payload)

    def send(self, kind: int, type: str, **fields: Any) -> None:
        """Send a message in the encoding that the frame type says."""
        message = {"type": type, **fields}
        self.frame(kind, json.dumps(message).encode() if kind >= 32 else msgspec.msgpack.encode(message))

    def frames(self) -> list[tuple[int, bytes]]:
        """All frames that came."""
        return binary_frames(self.read())

    def received(self) -> list[tuple[int, dict[str, Any]]]:
        """All frames that came, as (type, message)."""
        return [
            (kind, msgspec.msgpack.decode(payload) if kind in (CHAT, GAME, TICKER) else strictly(payload))
            for kind, payload in self.frames()
        ]

    def heard(self, type: str) -> list[tuple[int, dict[str, Any]]]:
        """As L{received}, but only the messages of one type."""
        return [(kind, message) for kind, message in self.received() if message["type"] == type]
