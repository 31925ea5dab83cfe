"""The client for Twisted against real daemons that are cut off, ended and killed, over every wire."""

from __future__ import annotations

import signal
from typing import Any

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import clientFromString, wrapClientTLS

from netplay.client import Disconnected, ServerError, TooMuch, connect
from netplay.client.link import MOST_UNREAD, UNREAD
from tests.e2e.clients import MessageClient
from tests.e2e.daemon import Certificate, Daemons, Ended, reactor
from tests.e2e.relay import Relay
from tests.e2e.ways import CLIENTS, WAYS, Way, every_way, get, patiently, said, started_again


@pytest_twisted.async_yield_fixture(autouse=True)
async def _clients_leave() -> Any:
    yield
    while CLIENTS:
        await CLIENTS.pop().close()


# Cut off


@every_way
@ensureDeferred
async def test_a_client_that_is_cut_off_again_and_again_hears_everything_once(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start("--rate", "0")
    relay = Relay(way.port(daemon, "chat"))
    ann = await way.client(await relay.open(), "chat")
    await ann.ask("join_room", room="tech", also=True)
    heard: dict[str, list[int]] = {"general": [], "tech": []}
    resumed = 0
    for n in range(6):
        await said(daemon, n * 15, n * 15 + 10)
        relay.cut()
        await said(daemon, n * 10, n * 10 + 10, "tech")
        await said(daemon, n * 15 + 10, n * 15 + 15)
        while len(heard["general"]) < n * 15 + 15 or len(heard["tech"]) < n * 10 + 10:
            message = await patiently(ann.next())
            assert message["type"] not in ("gap", "history", "welcome") or resumed == 0
            resumed += message["type"] == "resumed"
            if message["type"] == "chat":
                heard[message["room"]].append(int(message["message"]))
    assert heard == {"general": list(range(90)), "tech": list(range(60))}
    assert resumed == 6
    assert ann.you["id"] == "User_1"
    await relay.close()


@every_way
@ensureDeferred
async def test_who_was_away_for_too_long_is_told_so(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start("--rate", "0", "--store=memory:")
    relay = Relay(way.port(daemon, "chat"))
    port = await relay.open()
    ann = await way.client(port, "chat")
    await said(daemon, 0, 2)
    await get(ann, "chat", message="1")
    await relay.close()
    await said(daemon, 2, 300)  # the history has 100
    await relay.open(port)
    came = [await patiently(ann.next())]
    while came[-1]["type"] != "history":
        came.append(await patiently(ann.next()))
    assert [message["type"] for message in came if message["type"] != "presence"] == ["resumed", "gap", "history"]
    assert [int(one["message"]) for one in came[-1]["messages"]] == list(range(200, 300))
    await relay.close()


@every_way
@ensureDeferred
async def test_who_asked_is_told_when_the_answer_cannot_come(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start()
    client = await way.client(way.port(daemon, "chat"), "chat")
    daemon.signal(signal.SIGSTOP)
    answer = client.ask("who")
    daemon.kill()
    with pytest.raises(Disconnected):
        await patiently(answer)
    with pytest.raises(Disconnected):
        client.send("chat", text="hello?")
    assert not client.connected


# The daemon ends


@every_way
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
@ensureDeferred
async def test_a_client_outlives_the_daemon(daemons: Daemons, way: Way, how: signal.Signals) -> None:
    daemon = await daemons.start("--store=memory:")
    ann = await way.client(way.port(daemon, "chat"), "chat")
    await ann.ask("join_room", room="tech")
    await said(daemon, 0, 5, "tech")
    await get(ann, "chat", message="4")
    daemon.signal(how)
    await daemon.ended()
    if how == signal.SIGTERM:
        assert (await get(ann, "error"))["code"] == "shutting_down"
    again = await started_again(daemons, daemon, "--store=memory:")
    welcome = await get(ann, "welcome")
    assert welcome["you"] == ann.you
    assert (await get(ann, "gap"))["room"] == "tech"
    assert (await get(ann, "room_changed"))["room"] == "tech"
    await said(again, 5, 6, "general")
    await said(again, 6, 7, "tech")
    assert (await get(ann, "chat"))["message"] == "6"
    assert (await ann.ask("who"))["room"] == "tech"


@every_way
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
@ensureDeferred
async def test_of_what_was_kept_a_client_misses_nothing(daemons: Daemons, way: Way, how: signal.Signals) -> None:
    daemon = await daemons.start()
    ann = await way.client(way.port(daemon, "chat"), "chat")
    await ann.ask("join_room", room="tech")
    await said(daemon, 0, 5, "tech")
    await get(ann, "chat", message="4")
    daemon.signal(how)
    await daemon.ended()
    again = await started_again(daemons, daemon)
    await get(ann, "room_changed")
    await said(again, 5, 6, "tech")
    came = [await patiently(ann.next())]
    while came[-1]["type"] != "chat":
        came.append(await patiently(ann.next()))
    assert came[-1]["message"] == "5"
    assert "gap" not in [message["type"] for message in came]


@ensureDeferred
async def test_prices_go_on_after_a_cut(daemons: Daemons) -> None:
    daemon = await daemons.start("--prices", "walk:seed=7:symbols=5", "--ticker-interval", "0.05")
    for way in WAYS.values():
        relay = Relay(way.port(daemon, "ticker"))
        trader = await way.client(await relay.open(), "ticker")
        symbol = (await get(trader, "welcome"))["available_stocks"][0]
        assert set((await trader.ask("subscribe", symbols=[symbol]))["prices"]) == {symbol}
        await get(trader, "price_update")
        relay.cut()
        await get(trader, "resumed")
        assert set((await get(trader, "snapshot"))["prices"]) == {symbol}
        await get(trader, "price_update")
        await relay.close()


@ensureDeferred
async def test_a_player_is_where_it_was_after_a_cut(daemons: Daemons) -> None:
    daemon = await daemons.start()
    for way in WAYS.values():
        relay = Relay(way.port(daemon, "game"))
        player = await way.client(await relay.open(), "game")
        me = player.you["id"]
        player.send("move", dx=3, dy=4)
        while (await get(player, "state"))["positions"][me] != {"x": 3, "y": 4}:
            pass
        relay.cut()
        await get(player, "resumed")
        assert (await get(player, "state"))["positions"][me] == {"x": 3, "y": 4}
        await player.close()
        await relay.close()


# For good


@every_way
@ensureDeferred
async def test_who_was_sent_away_for_good_stays_away(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start()
    client = await way.client(way.port(daemon, "chat"), "chat")
    session = (await get(client, "welcome"))["session"]
    other: MessageClient = await daemon.client("chat")
    other.send(type="resume", session=session)
    with pytest.raises(ServerError) as replaced:
        await patiently(client.dispatch({}))
    assert (replaced.value.code, replaced.value.fatal) == ("replaced", True)
    await other.get("resumed")
    assert not client.connected


@every_way
@ensureDeferred
async def test_the_reason_why_one_is_not_let_in(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start("--max-connections", "1")
    port = way.port(daemon, "chat")
    client = await way.client(port, "chat")
    with pytest.raises(ServerError) as full:
        await way.client(port, "chat")
    assert full.value.code == "server_full"
    await client.close()
    daemon.kill()
    await daemon.ended()
    with pytest.raises(Exception, match="refused"):
        await way.client(port, "chat")


@ensureDeferred
async def test_a_client_may_be_there_before_the_daemon(daemons: Daemons) -> None:
    daemon = await daemons.start()
    daemon.kill()
    await daemon.ended()
    waiting = WAYS["lines"].client(daemon.addresses["chat"][0].port, "chat", keep_trying=True)
    again, client = await gatherResults(
        [Deferred.fromCoroutine(started_again(daemons, daemon)), Deferred.fromCoroutine(waiting)]
    )
    assert (await client.ask("ping"))["type"] == "pong"
    again.signal(signal.SIGTERM)
    assert await again.ended() == Ended(None, signal.SIGTERM)


# Reading and not reading


@every_way
@ensureDeferred
async def test_what_is_not_read_waits_at_the_server(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start("--rate", "0")
    ann = await way.client(way.port(daemon, "chat"), "chat")
    await said(daemon, 0, 3000)
    assert ann.unread <= UNREAD
    for n in range(3000):
        assert (await get(ann, "chat"))["message"] == str(n)


@every_way
@ensureDeferred
async def test_an_answer_comes_through_what_is_not_read_unless_that_is_too_much(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start("--rate", "0")
    ann = await way.client(way.port(daemon, "chat"), "chat")
    await said(daemon, 0, 400)
    assert (await patiently(ann.ask("ping")))["type"] == "pong"
    assert ann.unread > 400
    await said(daemon, 400, 2000)
    with pytest.raises(TooMuch):
        await patiently(ann.ask("ping"))
    assert ann.unread == MOST_UNREAD
    for n in range(2000):
        assert (await get(ann, "chat"))["message"] == str(n)


@every_way
@ensureDeferred
async def test_who_reads_too_slowly_is_sent_away_comes_back_and_knows_what_is_missing(
    daemons: Daemons, way: Way
) -> None:
    daemon = await daemons.start("--rate", "0", "--store=memory:")
    ann = await way.client(way.port(daemon, "chat"), "chat")
    ben: MessageClient = await daemon.client("chat")
    last = 2999
    for n in range(last + 1):
        ben.send(type="chat", text=f"{n} {'x' * 3900}")
        if n % 100 == 0:
            await ben.settled()
    await ben.settled()
    heard: list[int] = []
    missing: list[tuple[int, int]] = []
    slow = gap = False
    while not heard or heard[-1] < last:
        message = await patiently(ann.next())
        slow = slow or message.get("code") == "slow_consumer"
        gap = gap or message["type"] == "gap"
        came = message["messages"] if message["type"] == "history" else [message] if message["type"] == "chat" else []
        for one in came:
            n = int(one["message"].split()[0])
            if heard and n != heard[-1] + 1:
                missing.append((heard[-1], n))
                assert gap, "nothing is missing in silence"
            heard.append(n)
    assert slow
    assert heard == sorted(set(heard)), "nothing comes twice"
    assert len(missing) == 1


@ensureDeferred
async def test_handlers_take_messages_one_after_the_other(daemons: Daemons) -> None:
    daemon = await daemons.start()
    client = await WAYS["lines"].client(daemon.addresses["chat"][0].port, "chat")
    done: list[str] = []

    async def answers(message: dict[str, Any]) -> None:
        if message["message"] == "end":
            client.close()
            return
        done.append(f"{message['message']} begins")
        await client.ask("ping")
        done.append(f"{message['message']} ends")

    reading = client.dispatch({"chat": answers, "welcome": lambda message: done.append(message["room"])})
    for text in ("one", "two", "end"):
        client.send("chat", text=text)
    await patiently(reading)
    assert done == ["general", "one begins", "one ends", "two begins", "two ends"]


@ensureDeferred
async def test_over_tls(daemons: Daemons, certificate: Certificate) -> None:
    daemon = await daemons.start("--chat", certificate.endpoint, "--web", certificate.endpoint)
    for door, where in (("chat", "tls:localhost:{}"), ("web", "wss://localhost:{}/")):
        port = daemon.addresses[door][0].port
        way = wrapClientTLS(certificate.for_clients(), clientFromString(reactor, f"tcp:127.0.0.1:{port}"))
        client = await patiently(connect(reactor, where.format(port), "chat", via=way))
        assert (await client.ask("chat", text="hello"))["type"] == "ok"
        assert (await get(client, "chat"))["message"] == "hello"
        await patiently(client.close())
