"""The tutorial's clients, unchanged: its messages, fields and names are all there."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from tests.e2e.clients import TutorialBinary, TutorialPlayer, TutorialStream, plain_socket
from tests.e2e.daemon import Daemon, Daemons

STOCKS = {"AAPL": "🍎", "GOOGL": "🔍", "TSLA": "🚗", "AMZN": "📦", "MSFT": "💻"}


def in_a_thread(client: Any, daemon: Daemon, feature: str) -> Deferred[Any]:
    """Run a client that blocks."""
    address = daemon.addresses[feature][0]
    return deferToThread(client, address.host, address.port)


@ensureDeferred
async def test_a_game_is_played_with_recv_and_without_newlines(daemons: Daemons) -> None:
    def play(host: str, port: int) -> None:
        ann = TutorialPlayer(host, port)
        assert ann.state().items() >= {"positions": {"Player_1": {"x": 0, "y": 0}}, "scores": {"Player_1": 0}}.items()
        assert ann.act(type="move", dx=3, dy=-2)["positions"] == {"Player_1": {"x": 3, "y": -2}}
        assert ann.act(type="move", dx=1)["positions"] == {"Player_1": {"x": 4, "y": -2}}
        assert ann.act(type="score", points=10)["scores"] == {"Player_1": 10}

        ben = TutorialPlayer(host, port)
        both = {"Player_1": {"x": 4, "y": -2}, "Player_2": {"x": 0, "y": 0}}
        assert ben.state()["positions"] == both
        assert ann.state()["positions"] == both
        assert ben.act(type="score", points=5)["scores"] == {"Player_1": 10, "Player_2": 5}
        assert ann.state()["scores"] == {"Player_1": 10, "Player_2": 5}

        ann.close()
        left = ben.state()
        assert (left["positions"], left["scores"]) == ({"Player_2": {"x": 0, "y": 0}}, {"Player_2": 5})
        ben.close()

    await in_a_thread(play, await daemons.start(), "game")


@ensureDeferred
async def test_chat_on_asyncio_streams(daemons: Daemons) -> None:
    async def chat(host: str, port: int) -> None:
        ann = await TutorialStream.connect(host, port)
        welcome = await ann.read()
        assert welcome["type"] == "welcome"
        assert welcome["message"] == "Welcome User_1! 🎉"
        assert welcome["rooms"] == ["general", "gaming", "tech"]
        datetime.fromisoformat(welcome["timestamp"])
        ben = await TutorialStream.connect(host, port)
        assert (await ben.read())["message"] == "Welcome User_2! 🎉"

        await ann.write(type="chat", text="hello")
        for reader in (ann, ben):
            said = await reader.read("chat")
            said_when = datetime.fromisoformat(said["timestamp"])
            assert said_when.utcoffset() is not None
            expected = {"user": "User_1", "message": "hello", "emoji": "😊", "room": "general"}
            assert said.items() >= expected.items()

        await ben.write(type="set_emoji", emoji="🚀")
        await ben.write(type="join_room", room="tech")
        changed = await ben.read("room_changed")
        assert changed.items() >= {"room": "tech", "message": "You joined #tech 🎉"}.items()
        await ann.write(type="chat", text="only in general")
        await ben.write(type="chat", text="only in tech")
        assert (await ann.read("chat"))["message"] == "only in general"
        assert (await ben.read("chat")).items() >= {"message": "only in tech", "emoji": "🚀", "room": "tech"}.items()
        await ann.close()
        await ben.close()

    await in_a_thread(lambda *address: asyncio.run(chat(*address)), await daemons.start(), "chat")


@ensureDeferred
async def test_prices_on_asyncio_streams(daemons: Daemons) -> None:
    async def watch(host: str, port: int) -> None:
        trader = await TutorialStream.connect(host, port)
        welcome = await trader.read()
        expected = {
            "type": "welcome",
            "client_id": "Trader_1",
            "available_stocks": list(STOCKS),
            "message": "Welcome Trader_1! 📈",
        }
        assert welcome.items() >= expected.items()
        await trader.write(type="subscribe", symbols=["AAPL", "TSLA"])
        snapshot = await trader.read()
        assert snapshot["type"] == "snapshot"
        known = snapshot["prices"]
        assert {symbol: price["emoji"] for symbol, price in known.items()} == {"AAPL": "🍎", "TSLA": "🚗"}

        for _ in range(10):
            update = await trader.read("price_update")
            assert update["updates"].keys() <= known.keys()
            for symbol, now in update["updates"].items():
                assert now["emoji"] == STOCKS[symbol]
                assert abs(now["price"] - known[symbol]["price"] - now["change"]) < 0.02
                datetime.fromisoformat(now["timestamp"])
                known[symbol] = now

        await trader.write(type="unsubscribe", symbols=["AAPL"])
        await trader.write(type="subscribe", symbols=["MSFT"])
        assert (await trader.read("snapshot"))["prices"].keys() == {"TSLA", "MSFT"}
        for _ in range(5):
            assert (await trader.read("price_update"))["updates"].keys() <= {"TSLA", "MSFT"}
        await trader.close()

    daemon = await daemons.start("--prices", "walk:seed=7", "--ticker-interval", "0.05")
    await in_a_thread(lambda *address: asyncio.run(watch(*address)), daemon, "ticker")


@ensureDeferred
async def test_prices_come_every_second(daemons: Daemons) -> None:
    daemon = await daemons.start("--prices", "walk:symbols=100")
    trader = await daemon.client("ticker")
    trader.send(type="subscribe", symbols=["*"])
    beats = [(await trader.get("price_update"))["at"] for _ in range(3)]
    assert 1500 < beats[-1] - beats[0] < 2500


@ensureDeferred
async def test_binary_messages_packed_by_hand(daemons: Daemons) -> None:
    def talk(host: str, port: int) -> None:
        client = TutorialBinary(host, port)
        for kind, emoji in ((1, "🚀"), (2, "💪"), (3, "✨"), (99, "❓")):
            client.send(kind, "grüße")
            assert client.receive() == (kind, f"{emoji} Echo: grüße")

    await in_a_thread(talk, await daemons.start(), "binary")


@ensureDeferred
async def test_echo_gives_back_what_it_gets(daemons: Daemons) -> None:
    def talk(host: str, port: int) -> None:
        sock = plain_socket(host, port)
        for sent in (b"hello", bytes(range(256))):
            sock.sendall(sent)
            back = b""
            while len(back) < len(sent):
                back += sock.recv(1024)
            assert back == sent

    await in_a_thread(talk, await daemons.start(), "echo")
