"""All features end to end, across the wires that reach them."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from tests.e2e.clients import JSON, MSGPACK, BinaryClient, MessageClient
from tests.e2e.daemon import ASYNCIO, LOCAL, Certificate, Daemon, Daemons, Ended


async def on_frames(daemon: Daemon, feature: str, kinds: dict[str, int]) -> tuple[BinaryClient, dict[str, Any]]:
    """A client on the binary port that has greeted a feature in one encoding, and the answer to that."""
    client: BinaryClient = await daemon.client("binary")
    client.frame(kinds[feature])
    return client, await client.get(frame=kinds[feature])


# One room, every wire


@ensureDeferred
async def test_chat_is_one_room_on_every_wire(daemons: Daemons, certificate: Certificate) -> None:
    daemon = await daemons.start(
        *("--chat", LOCAL, "--chat", "unix:chat.sock", "--chat", certificate.endpoint),
    )
    tcp = await daemon.client("chat", 0)
    unix = await daemon.client("chat", 1)
    tls = await daemon.client("chat", 2, certificate=certificate)
    for client in (tcp, unix, tls):
        assert (await client.get())["type"] == "welcome"
    msgpack, first = await on_frames(daemon, "chat", MSGPACK)
    assert (first["type"], first["you"]["id"]) == ("welcome", "User_4")
    as_json, first = await on_frames(daemon, "chat", JSON)
    assert (first["type"], first["you"]["id"]) == ("welcome", "User_5")
    everyone = (tcp, unix, tls, msgpack, as_json)

    tcp.send(type="chat", text="from TCP")
    unix.send(type="chat", text="from a unix socket")
    tls.send(type="chat", text="from TLS")
    msgpack.send(MSGPACK["chat"], type="chat", text="in MessagePack")
    as_json.send(JSON["chat"], type="chat", text="in JSON, grüße 🎉")
    heard = []
    for client in everyone:
        said = [await client.get("chat") for _ in everyone]
        heard.append({m["seq"]: (m["user"], m["message"], m["id"]) for m in said})
        assert list(heard[-1]) == [1, 2, 3, 4, 5]
    assert all(other == heard[0] for other in heard)
    assert {(user, message) for user, message, _ in heard[0].values()} == {
        ("User_1", "from TCP"),
        ("User_2", "from a unix socket"),
        ("User_3", "from TLS"),
        ("User_4", "in MessagePack"),
        ("User_5", "in JSON, grüße 🎉"),
    }


@ensureDeferred
async def test_the_encoding_of_the_last_frame_is_what_comes_back(daemons: Daemons) -> None:
    daemon = await daemons.start()
    client, _ = await on_frames(daemon, "chat", JSON)
    client.send(MSGPACK["chat"], type="ping", ref=1)
    assert (await client.get("pong"))["frame"] == MSGPACK["chat"]
    other = await daemon.client("chat")
    other.send(type="chat", text="hello")
    assert (await client.get("chat"))["frame"] == MSGPACK["chat"]
    client.send(JSON["chat"], type="chat", text="hello too")
    assert (await client.get("chat"))["frame"] == JSON["chat"]


@ensureDeferred
async def test_a_game_across_the_game_port_and_the_binary_port(daemons: Daemons) -> None:
    daemon = await daemons.start()
    plain = await daemon.client("game")
    assert (await plain.get("state"))["you"]["id"] == "Player_1"
    framed, first = await on_frames(daemon, "game", MSGPACK)
    assert first["you"]["id"] == "Player_2"
    origin = {"x": 0, "y": 0}
    assert first["positions"] == {"Player_1": origin, "Player_2": origin}
    await plain.get("state", positions=first["positions"])

    # Glued, split, and without newlines; a whole number may be written as Godot does.
    plain.write(b'{"type":"move","dx":2.0,"dy":1}{"type":"score",')
    await plain.get("state", positions={"Player_1": {"x": 2, "y": 1}, "Player_2": origin})
    plain.write(b'"points":7}')
    framed.send(MSGPACK["game"], type="move", dy=-4.5)
    framed.send(MSGPACK["game"], type="score", points=1)
    last = {"Player_1": {"x": 2, "y": 1}, "Player_2": {"x": 0, "y": -4.5}}
    for client in (plain, framed):
        state = await client.get("state", positions=last, scores={"Player_1": 7, "Player_2": 1})
        assert (state["room"], state["game"]) == ("lobby", "sandbox")

    framed.close()
    await plain.get("state", positions={"Player_1": {"x": 2, "y": 1}}, scores={"Player_1": 7})
    assert {message["type"] for message in (*plain.messages, *framed.messages)} == {"state"}


@ensureDeferred
async def test_the_ticker_on_its_port_and_on_frames(daemons: Daemons) -> None:
    daemon = await daemons.start("--prices", "walk:seed=7:symbols=20", "--ticker-interval", "0.1")
    plain = await daemon.client("ticker")
    await plain.get("welcome")
    plain.send(type="subscribe", symbols=["*"])
    packed, _ = await on_frames(daemon, "ticker", MSGPACK)
    packed.send(MSGPACK["ticker"], type="subscribe", symbols=["*"])
    framed, _ = await on_frames(daemon, "ticker", JSON)
    framed.send(JSON["ticker"], type="subscribe", symbols=["AAPL", "SYM0020", "NONE"], ref="mine")
    some = await framed.get("snapshot")
    assert (some["ref"], set(some["prices"])) == ("mine", {"AAPL", "SYM0020"})
    wrong = await framed.get("error")
    assert (wrong["code"], wrong["symbols"], "ref" in wrong) == ("no_such_symbol", ["NONE"], False)
    for client in (plain, packed):
        assert len((await client.get("snapshot"))["prices"]) == 20

    at = (await packed.get("price_update"))["at"] + 1
    updates: list[dict[str, Any]] = []
    for client in (plain, packed, framed):
        update = await client.get("price_update")
        while update["at"] < at + 300:
            update = await client.get("price_update")
        updates.append(update)
    beats = {update["at"] for update in updates}
    while len(beats) > 1:  # one subscribed to little may have had a beat without news
        late = min(range(3), key=lambda n: updates[n]["at"])
        updates[late] = await (plain, packed, framed)[late].get("price_update")
        beats = {update["at"] for update in updates}
    everything, packed_too, few = (update["updates"] for update in updates)
    assert everything == packed_too
    assert few == {symbol: everything[symbol] for symbol in few}


@ensureDeferred
async def test_one_binary_connection_for_all_features(daemons: Daemons) -> None:
    daemon = await daemons.start()
    client = await daemon.client("binary")
    client.send(JSON["chat"], type="ping", ref="chat")
    client.send(MSGPACK["game"], type="ping", ref="game")
    client.send(JSON["ticker"], type="ping", ref="ticker")
    client.frame(2, b"echo")
    client.frame(1, b"\xff")
    kinds = [message["frame"] for message in [await client.get() for _ in range(8)]]
    assert kinds == [32, 32, 17, 17, 34, 34, 2, 0]
    assert client.messages[-1]["code"] == "bad_message"
    assert [message["ref"] for message in client.messages if message.get("type") == "pong"] == [
        "chat",
        "game",
        "ticker",
    ]


# Answers


@ensureDeferred
async def test_every_request_is_answered_once_and_in_order(daemons: Daemons) -> None:
    daemon = await daemons.start()
    client = await daemon.client("chat")
    requests = [
        {"type": "create_room", "room": "den", "topic": "ours"},
        {"type": "join_room", "room": "den"},
        {"type": "chat", "text": "first"},
        {"type": "chat", "text": ""},
        {"type": "nosuch"},
        {"type": "history"},
        {"type": "set_name", "name": "Ann"},
        {"type": "who"},
        {"type": "rooms"},
        {"type": "chat", "text": "elsewhere", "room": "tech"},
        {"type": "direct", "to": "Ann", "text": "a note"},
        {"type": "leave_room", "room": "den"},
        {"type": "ping"},
        {"type": "help", "about": "chat"},
    ]
    client.write(b"".join(json.dumps({**request, "ref": n}).encode() + b"\r\n" for n, request in enumerate(requests)))
    await client.get(ref=len(requests) - 1)
    answers = [message for message in client.messages if "ref" in message]
    assert [message["ref"] for message in answers] == list(range(len(requests)))
    assert [message.get("code", message["type"]) for message in answers] == [
        *("ok", "room_changed", "ok", "bad_message", "unknown_type", "history", "ok", "who", "rooms", "not_allowed"),
        *("direct", "ok", "pong", "help"),
    ]
    assert answers[3]["field"] == "$.text"
    assert [said["message"] for said in answers[5]["messages"]] == ["first"]
    assert answers[7]["members"] == [{"id": "User_1", "name": "Ann", "emoji": "😊"}]
    assert {"room": "den", "topic": "ours", "members": 1} in answers[8]["rooms"]


@pytest.mark.parametrize("n", [1, 90])
@ensureDeferred
async def test_who_half_closes_gets_all_answers_and_then_the_end(daemons: Daemons, n: int) -> None:
    """C{printf '...' | nc -N localhost 8888}, the last line with its newline or without."""
    daemon = await daemons.start()
    for feature in ("chat", "game", "ticker"):
        client = await daemon.client(feature)
        client.write(b"\n".join(b'{"type":"ping","ref":%d}' % ref for ref in range(n)))
        client.no_more()
        got = await client.end()
        assert [message["ref"] for message in got if message["type"] == "pong"] == list(range(n))
        assert got[0]["type"] in ("welcome", "state")
        assert client.reset is None
    chat = await daemon.client("chat")
    chat.write(b'{"type":"chat","text":"hello"}\n')
    chat.no_more()
    assert [message["message"] for message in await chat.end() if message["type"] == "chat"] == ["hello"]
    binary = await daemon.client("binary")
    for at in range(n):
        binary.frame(1, b"%d" % at)
    binary.no_more()
    assert [m["payload"].decode() for m in await binary.end()] == [f"🚀 Echo: {at}" for at in range(n)]
    echo = await daemon.client("echo")
    sent = bytes(range(256)) * 4000
    echo.write(sent)
    echo.no_more()
    assert await echo.rest() == sent


@pytest.mark.parametrize("feature", ["chat", "game", "ticker"])
@ensureDeferred
async def test_a_web_page_cannot_be_made_to_talk_to_it(daemons: Daemons, feature: str) -> None:
    daemon = await daemons.start()
    browser = await daemon.client("echo")  # takes bytes as they come
    browser = await daemon.connect(type(browser)(), feature)
    body = b'{"type":"chat","text":"from a browser"}\n'
    browser.write(b"POST /chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    greeting, _, answer = (await browser.rest()).partition(b"\n")
    assert json.loads(greeting)["type"] in ("welcome", "state")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"\n\r\n" in answer
    assert b"error" not in answer
    chat = await daemon.client("chat")
    assert (await chat.get("welcome"))["seq"] == 0


# Coming back


@ensureDeferred
async def test_who_comes_back_gets_what_was_missed_and_nothing_twice(daemons: Daemons) -> None:
    daemon = await daemons.start("--rate", "0")
    ann: MessageClient = await daemon.client("chat")
    welcome = await ann.get("welcome")
    session = welcome["session"]
    await ann.ask(type="set_name", name="Ann")
    epochs = {"general": welcome["epoch"], "tech": (await ann.ask(type="join_room", room="tech", also=True))["epoch"]}
    ben: MessageClient = await daemon.client("chat")
    await ben.ask(type="join_room", room="tech", also=True)

    def say(first: int, last: int) -> None:
        for n in range(first, last):
            ben.send(type="chat", room=("general", "tech")[n % 2], text=str(n))

    say(0, 10)
    since: dict[str, dict[str, Any]] = {}
    for _ in range(10):
        said = await ann.get("chat")
        since[said["room"]] = {"epoch": epochs[said["room"]], "seq": said["seq"]}
    ann.abort()
    say(10, 40)
    await ben.settled()

    back: MessageClient = await daemon.client("chat")
    await back.get("welcome")
    say(40, 60)
    back.send(type="resume", session=session, since=since, ref="back")
    say(60, 80)
    resumed = await back.get("resumed", ref="back")
    assert resumed["you"] == {"id": "User_1", "name": "Ann", "guest": True}
    assert resumed["session"] == session
    assert {room: how["recovered"] for room, how in resumed["rooms"].items()} == {"general": True, "tech": True}
    assert resumed["room"] == "tech"
    await ben.settled()
    await back.settled()
    missed = [said for m in back.messages if m["type"] == "history" for said in m["messages"]]
    # What came to the newcomer that it was before it resumed is another matter.
    live = [m for m in back.messages[back.messages.index(resumed) :] if m["type"] == "chat"]
    for room, first in (("general", 10), ("tech", 11)):
        heard = [said for said in (*missed, *live) if said["room"] == room]
        assert [said["message"] for said in heard] == [str(n) for n in range(first, 80, 2)]
        assert [said["seq"] for said in heard] == list(range(since[room]["seq"] + 1, 41))

    say(80, 82)
    assert (await back.get("chat"))["message"] == "80"
    back.send(type="chat", text="I am back")
    said = await ben.get("chat", message="I am back")
    assert (said["user"], said["room"]) == ("Ann", "tech")


@ensureDeferred
async def test_of_what_is_gone_it_is_told(daemons: Daemons) -> None:
    daemon = await daemons.start("--rate", "0", "--store=memory:")
    ann = await daemon.client("chat")
    welcome = await ann.get("welcome")
    ann.abort()
    ben = await daemon.client("chat")
    for n in range(150):
        ben.send(type="chat", text=str(n))
    await ben.settled()
    back = await daemon.client("chat")
    since = {"general": {"epoch": welcome["epoch"], "seq": 0}}
    back.send(type="resume", session=welcome["session"], since=since)
    assert (await back.get("resumed"))["rooms"]["general"]["recovered"] is False
    newest = await back.get("history")
    assert newest["messages"][-1]["message"] == "149"


@ensureDeferred
async def test_a_session_goes_on_in_one_connection_only(daemons: Daemons) -> None:
    daemon = await daemons.start()
    for feature in ("chat", "game", "ticker"):
        before = await daemon.client(feature)
        first = await before.get()
        after = await daemon.client(feature)
        after.send(type="resume", session=first["session"])
        assert (await after.get("resumed"))["you"] == first["you"]
        last = (await before.end())[-1]
        assert (last["type"], last["code"], last["fatal"]) == ("error", "replaced", True)
        await after.settled()
        third = await daemon.client(feature)
        answer = await third.ask(type="resume", session="no such session")
        assert (answer["type"], answer["code"]) == ("error", "bad_session")
        await third.settled()


@ensureDeferred
async def test_a_player_who_comes_back_is_where_it_was_and_was_never_two(daemons: Daemons) -> None:
    daemon = await daemons.start()
    ann = await daemon.client("game")
    first = await ann.get("state")
    ben = await daemon.client("game")
    ann.write(b'{"type":"move","dx":5}{"type":"score","points":3}')
    await ben.get("state", scores={"Player_1": 3, "Player_2": 0})
    ann.abort()
    await ben.get("state", scores={"Player_2": 0})
    back = await daemon.client("game")
    back.send(type="resume", session=first["session"])
    assert (await back.get("resumed"))["you"]["id"] == "Player_1"
    there = {"Player_1": {"x": 5, "y": 0}, "Player_2": {"x": 0, "y": 0}}
    assert (await back.get("state"))["positions"] == there
    assert (await ben.get("state", positions=there))["scores"] == {"Player_1": 3, "Player_2": 0}
    assert not [m for m in ben.messages if "Player_3" in m["positions"]]


@ensureDeferred
async def test_prices_and_alerts_go_on_for_who_comes_back(daemons: Daemons) -> None:
    daemon = await daemons.start("--prices", "walk:seed=7:symbols=5", "--ticker-interval", "0.05")
    trader = await daemon.client("ticker")
    session = (await trader.get("welcome"))["session"]
    await trader.ask(type="subscribe", symbols=["AAPL", "MSFT"])
    price = (await trader.get("price_update"))["updates"]
    symbol = next(iter(price))
    alert = await trader.ask(type="alert", symbol=symbol, above=price[symbol]["price"] * 100)
    trader.abort()
    back = await daemon.client("ticker")
    back.send(type="resume", session=session)
    assert (await back.get("resumed"))["you"]["id"] == "Trader_1"
    assert set((await back.get("snapshot"))["prices"]) == {"AAPL", "MSFT"}
    await back.get("price_update")
    assert [kept["alert"] for kept in (await back.ask(type="alerts"))["alerts"]] == [alert["alert"]]


@ensureDeferred
async def test_the_same_on_the_asyncio_reactor(daemons: Daemons, certificate: Certificate) -> None:
    daemon = await daemons.start(
        *("--chat", LOCAL, "--chat", "unix:chat.sock", "--chat", certificate.endpoint),
        command=ASYNCIO,
    )
    clients = [await daemon.client("chat", at, certificate=certificate if at == 2 else None) for at in range(3)]
    for client in clients:
        await client.get("welcome")
    for client in clients:
        client.send(type="chat", text="hello")
        for listener in clients:
            await listener.get("chat")
    echo = await daemon.client("echo")
    sent = bytes(range(256)) * 8000
    echo.write(sent)
    echo.no_more()
    assert await echo.rest() == sent
    daemon.signal(signal.SIGTERM)
    for client in clients:
        assert (await client.end())[-1]["code"] == "shutting_down"
    assert await daemon.ended() == Ended(None, signal.SIGTERM)
