"""What every feature does alike, on every WebSocket."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.contract import Contract
from tests.features import PackedWebSocketClient, SharedWebSocketClient, WebSocketClient


class ChatTests(Contract, SynchronousTestCase):
    feature, guest, wire = "chat", "User", WebSocketClient


class GameTests(Contract, SynchronousTestCase):
    feature, guest, wire = "game", "Player", WebSocketClient


class TickerTests(Contract, SynchronousTestCase):
    feature, guest, wire = "ticker", "Trader", WebSocketClient


class SharedChatTests(Contract, SynchronousTestCase):
    feature, guest, wire = "chat", "User", SharedWebSocketClient


class SharedGameTests(Contract, SynchronousTestCase):
    feature, guest, wire = "game", "Player", SharedWebSocketClient


class SharedTickerTests(Contract, SynchronousTestCase):
    feature, guest, wire = "ticker", "Trader", SharedWebSocketClient


class PackedChatTests(Contract, SynchronousTestCase):
    feature, guest, wire = "chat", "User", PackedWebSocketClient


class PackedGameTests(Contract, SynchronousTestCase):
    feature, guest, wire = "game", "Player", PackedWebSocketClient


class PackedTickerTests(Contract, SynchronousTestCase):
    feature, guest, wire = "ticker", "Trader", PackedWebSocketClient
