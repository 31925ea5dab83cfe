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
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from zope.interface import implementer

from netplay.binary import BinaryService
from netplay.chat.feature import ChatFeature, ChatService
from netplay.connection import Connection
from netplay.core import Core
from netplay.echo import EchoService
from netplay.game.feature import GameFeature, GameService
from netplay.interfaces import IPriceSource, IStore
from netplay.limits import Limits
from netplay.store.memory import MemoryStore
from netplay.ticker.feature import TickerFeature, TickerService

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
    """The daemon. Nothing limits the rate or the connections of an address unless C{limits} says so."""

    def __init__(
        self,
        *,
        state_rate: float = 20.0,
        prices: IPriceSource | None = None,
        store: IStore | None = None,
        **limits: Any,
    ) -> None:
        self.clock = Clock()
        limits = {"rate": 0.0, "idle": 0.0, "max_per_address": 1000, **limits}
        self.core = core = Core(self.clock, Limits(**limits), wall=lambda: START + self.clock.seconds())
        self.store = core.store = store or MemoryStore()
        self.prices: Any = prices or Prices()
        self.chat = ChatService(core)
        self.game = GameService(core, state_rate)
        self.ticker = TickerService(core, self.prices, 1.0)
        self.binary = BinaryService(core)
        self.echo = EchoService(core)
        for plugin, service in ((ChatFeature, self.chat), (GameFeature, self.game), (TickerFeature, self.ticker)):
            core.features[plugin.name] = service
            core.frame_types[plugin.frame_type] = plugin.name
        for part in (self.store, self.chat, self.game, self.ticker, core.watch):
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
        A client on the port of chat, game or ticker.

        @param greeted: whether what it gets on arrival was read already.
        """
        client = LineClient(self, getattr(self, feature).factory)
        if greeted:
            client.hello = client.received()[0]
        return client

    def connect_binary(self) -> BinaryClient:
        """A client on the binary port."""
        return BinaryClient(self, self.binary.factory)

    def connect_echo(self) -> Peer:
        """A client on the echo port."""
        return Peer(self, self.echo.factory)


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
            protocol.connectionLost()


class Peer:
    """The other end of one connection."""

    _ports = count(40_000)

    def __init__(self, house: House, factory: Any) -> None:
        self.house = house
        self.transport = Cable(house.clock, IPv4Address("TCP", "192.0.2.7", next(self._ports) % 65536))
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
    """

    hello: dict[str, Any]
    largest = 0

    def __init__(self, house: House, factory: Any) -> None:
        super().__init__(house, factory)
        self._waiting: list[dict[str, Any]] = []
        self._refs = count(1)

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
    def id(self) -> str:
        """Who we are."""
        return str(self.hello["you"]["id"])

    def _read_all(self) -> None:
        lines = self.read().split(b"\n")
        assert lines.pop() == b"", "every value ends with a newline"
        self.largest = max(self.largest, *(len(line) + 1 for line in lines), 0)
        self._waiting += map(strictly, lines)


class BinaryClient(Peer):
    """A client of the binary port."""

    def frame(self, kind: int, payload: bytes = b"") -> None:
        """Send one frame."""
        self.write(struct.pack("!IH", len(payload), kind) + payload)

    def send(self, kind: int, type: str, **fields: Any) -> None:
        """Send a message in the encoding that the frame type says."""
        message = {"type": type, **fields}
        self.frame(kind, json.dumps(message).encode() if kind >= 32 else msgspec.msgpack.encode(message))

    def frames(self) -> list[tuple[int, bytes]]:
        """All frames that came."""
        data, found = self.read(), []
        while data:
            length, kind = struct.unpack_from("!IH", data)
            assert len(data) >= 6 + length, "half a frame"
            found.append((kind, data[6 : 6 + length]))
            data = data[6 + length :]
        return found

    def received(self) -> list[tuple[int, dict[str, Any]]]:
        """All frames that came, as (type, message)."""
        return [
            (kind, msgspec.msgpack.decode(payload) if kind in (CHAT, GAME, TICKER) else strictly(payload))
            for kind, payload in self.frames()
        ]

    def heard(self, type: str) -> list[tuple[int, dict[str, Any]]]:
        """As L{received}, but only the messages of one type."""
        return [(kind, message) for kind, message in self.received() if message["type"] == type]


def strictly(payload: bytes) -> Any:
    """Parse JSON as the strictest of clients does."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(payload.decode("utf-8", "strict"), parse_constant=refuse)
