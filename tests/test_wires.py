"""What every feature does alike, on every wire but its own port (there, its session's tests run the same)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.contract import Contract
from tests.features import (
    FramedClient,
    LineClient,
    PackedFramedClient,
    PackedSharedWebSocketClient,
    PackedWebSocketClient,
    SharedWebSocketClient,
    WebSocketClient,
)


class Chat(Contract):
    feature, guest = "chat", "User"


class Game(Contract):
    feature, guest = "game", "Player"


class Ticker(Contract):
    feature, guest = "ticker", "Trader"


class WebSocketChatTests(Chat, SynchronousTestCase):
    wire: type[LineClient] = WebSocketClient


class WebSocketGameTests(Game, SynchronousTestCase):
    wire: type[LineClient] = WebSocketClient


class WebSocketTickerTests(Ticker, SynchronousTestCase):
    wire: type[LineClient] = WebSocketClient


class PackedWebSocketChatTests(Chat, SynchronousTestCase):
    wire: type[LineClient] = PackedWebSocketClient


class PackedWebSocketGameTests(Game, SynchronousTestCase):
    wire: type[LineClient] = PackedWebSocketClient


class PackedWebSocketTickerTests(Ticker, SynchronousTestCase):
    wire: type[LineClient] = PackedWebSocketClient


class SharedWebSocketChatTests(Chat, SynchronousTestCase):
    wire: type[LineClient] = SharedWebSocketClient


class SharedWebSocketGameTests(Game, SynchronousTestCase):
    wire: type[LineClient] = SharedWebSocketClient


class SharedWebSocketTickerTests(Ticker, SynchronousTestCase):
    wire: type[LineClient] = SharedWebSocketClient


class PackedSharedWebSocketChatTests(Chat, SynchronousTestCase):
    wire: type[LineClient] = PackedSharedWebSocketClient


class PackedSharedWebSocketGameTests(Game, SynchronousTestCase):
    wire: type[LineClient] = PackedSharedWebSocketClient


class PackedSharedWebSocketTickerTests(Ticker, SynchronousTestCase):
    wire: type[LineClient] = PackedSharedWebSocketClient


class FramedChatTests(Chat, SynchronousTestCase):
    wire: type[LineClient] = FramedClient


class FramedGameTests(Game, SynchronousTestCase):
    wire: type[LineClient] = FramedClient


class FramedTickerTests(Ticker, SynchronousTestCase):
    wire: type[LineClient] = FramedClient


class PackedFramedChatTests(Chat, SynchronousTestCase):
    wire: type[LineClient] = PackedFramedClient


class PackedFramedGameTests(Game, SynchronousTestCase):
    wire: type[LineClient] = PackedFramedClient


class PackedFramedTickerTests(Ticker, SynchronousTestCase):
    wire: type[LineClient] = PackedFramedClient
