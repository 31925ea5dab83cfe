"""Clients that mean ill, or are broken: what they get, and that nobody else notices."""

from __future__ import annotations

import resource
import socket
import struct
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from tests.e2e.clients import HEADER, PATIENCE, BinaryClient, Client, MessageClient, everything, plain_socket
from tests.e2e.daemon import ASYNCIO, TWISTD, Daemon, Daemons, anywhere, only

reactor: Any = _reactor
MB = 1024 * 1024


def stalled(daemon: Daemon, feature: str, receive_buffer: int | None = 4096) -> socket.socket:
    """Somebody who never reads."""
    address = daemon.addresses[feature][0]
    sock = plain_socket(address.host, address.port, receive_buffer=receive_buffer)
    daemon.keep(sock)
    return sock


# Readers that do not read


@ensureDeferred
async def test_a_reader_that_never_reads_is_cut_and_nobody_else_notices(daemons: Daemons) -> None:
    daemon = await daemons.start("--rate", "0", "--send-queue", "65536", "--max-per-address", "1000")
    speaker: MessageClient = await daemon.client("chat")
    await speaker.settled()
    listeners = [await daemon.client("chat") for _ in range(5)]
    for listener in listeners:
        await listener.settled()
    memory = daemon.memory()
    for _ in range(10):
        stalled(daemon, "chat")
    await speaker.get("presence", count=16)

    text = "x" * 4000
    for n in range(0, 1000, 10):  # less at once than the send queue holds: whoever reads gets all of it
        for m in range(n, n + 10):
            speaker.send(type="chat", text=f"{m} {text}"[:4000])
        for reader in (speaker, *listeners):
            await reader.get("chat", message=f"{n + 9} {text}"[:4000])
    await speaker.get("presence", count=6)  # the ten have gone from the room
    for reader in (speaker, *listeners):
        said = [message for message in reader.messages if message["type"] == "chat"]
        assert [message["seq"] for message in said] == list(range(1, 1001))
    # Ten times a queue, what the kernel holds is not ours, and a little for the work.
    assert daemon.memory("VmHWM") - memory < 16 * MB
    assert daemon.lines(r"refused: .*slow_consumer")


@ensureDeferred
async def test_the_reader_that_is_cut_finds_out_why_and_can_resume_without_a_gap(daemons: Daemons) -> None:
    daemon = await daemons.start("--rate", "0", "--send-queue", "65536")
    speaker: MessageClient = await daemon.client("chat")
    await speaker.settled()
    slow: MessageClient = await daemon.client("chat")
    welcome = await slow.get("welcome")
    transport: Any = slow.transport
    transport.pauseProducing()
    sent = 0
    while not daemon.lines("slow_consumer"):
        speaker.send(type="chat", text=f"{sent} " + "x" * 3000)
        sent += 1
        await speaker.settled()
        assert sent < 10000
    transport.resumeProducing()
    got = await slow.end()
    assert (got[-1]["type"], got[-1]["code"], got[-1]["fatal"]) == ("error", "slow_consumer", True)
    heard = [message["seq"] for message in got if message["type"] == "chat"]
    assert heard == list(range(1, len(heard) + 1))
    assert len(heard) < sent

    back: MessageClient = await daemon.client("chat")
    since = {"general": {"epoch": welcome["epoch"], "seq": len(heard)}}
    back.send(type="resume", session=welcome["session"], since=since)
    how = (await back.get("resumed"))["rooms"]["general"]
    await back.settled()
    missed = [said["seq"] for m in back.messages if m["type"] == "history" for said in m["messages"]]
    assert how["recovered"] is (sent - len(heard) <= 100)
    assert missed == list(range(len(heard) + 1 if how["recovered"] else sent - 99, sent + 1))[-len(missed) :]
    assert missed[-1] == sent


@ensureDeferred
async def test_who_only_sends_to_echo_costs_bounded_memory_and_gets_everything_in_the_end(daemons: Daemons) -> None:
    daemon = await daemons.start()
    memory = daemon.memory()
    client = stalled(daemon, "echo", None)
    size = 64 * MB
    block = bytes(range(256)) * 4096
    client.setblocking(False)
    sent = 0

    def push() -> bool:
        """Send until nobody takes any more."""
        nonlocal sent
        while sent < size:
            try:
                sent += client.send(block[sent % MB :])
            except BlockingIOError:
                return True
        return False

    # It is stuck when the daemon has read nothing of what waits for it while it answered others.
    other = await daemon.client("echo")
    while push():
        before = sent
        for _ in range(20):
            other.write(b"ping")
            assert await other.bytes(4) == b"ping"
        push()
        if sent == before:
            break
    assert sent < size, "all of it was taken, though nothing was read"
    assert daemon.memory("VmHWM") - memory < 8 * MB

    client.settimeout(PATIENCE)
    client.shutdown(socket.SHUT_WR)
    back = await deferToThread(everything, client)
    assert len(back) == sent
    assert back == (block * (sent // MB + 1))[:sent]


@pytest.mark.parametrize("feature", ["chat", "binary"])
@ensureDeferred
async def test_who_asks_and_never_reads_is_not_read_from(daemons: Daemons, feature: str) -> None:
    daemon = await daemons.start("--rate", "0")
    memory = daemon.memory()
    client = stalled(daemon, feature, None)
    client.setblocking(False)
    # Large, because the kernel takes megabytes of them, and each is answered in the end.
    request = b'{"type":"help","ref":1,"more":"%s"}\n' % (b"x" * 4000)
    if feature == "binary":
        request = HEADER.pack(len(request), 32) + request
    block = request * 100
    other = await daemon.client("chat")
    stuck = 0
    sent = 0
    while stuck < 20:
        try:
            sent += client.send(block[sent % len(block) :])
            stuck = 0
        except BlockingIOError:
            stuck += 1
        await other.settled()
        assert sent < 32 * MB
    assert daemon.memory("VmHWM") - memory < 8 * MB
    assert not daemon.lines("slow_consumer")
    client.settimeout(PATIENCE)
    client.shutdown(socket.SHUT_WR)
    back = await deferToThread(everything, client)
    whole = sent // len(request)
    assert back.count(b'"ref":1,') + back.count(b'"ref":1}') == whole


@ensureDeferred
async def test_who_does_not_read_prices_gets_the_newest_ones_later(daemons: Daemons) -> None:
    daemon = await daemons.start("--prices", "walk:seed=7:symbols=1000", "--ticker-interval", "0.03")
    witness: MessageClient = await daemon.client("ticker")
    witness.send(type="subscribe", symbols=["*"])
    lazy: MessageClient = await daemon.client("ticker")
    lazy.send(type="subscribe", symbols=["*"])
    await lazy.settled()
    transport: Any = lazy.transport
    transport.pauseProducing()
    memory = daemon.memory()
    for _ in range(100):
        await witness.get("price_update")
    assert daemon.memory() - memory < 8 * MB
    transport.resumeProducing()
    folded = await lazy.until(
        lambda: next((m for m in lazy.messages if m["type"] == "price_update" and m.get("merged")), None),
        "an update that says what was merged",
    )
    assert folded["merged"] > 0
    await lazy.settled()  # it was not cut
    # What it knows then is what the others know, and nothing old came after the new.
    at = folded["at"]
    later = await lazy.get("price_update")
    while later["at"] <= at or later.get("merged"):
        later = await lazy.get("price_update")
    same = await witness.until(
        lambda: next((m for m in reversed(witness.messages) if m.get("at") == later["at"] and "updates" in m), None),
        "the same beat",
    )
    assert later["updates"] == same["updates"]

    def known(client: MessageClient) -> dict[str, Any]:
        prices: dict[str, Any] = {}
        for message in client.messages:
            if message.get("at", 0) <= later["at"]:
                prices.update({s: (p["price"]) for s, p in message.get("updates", message.get("prices", {})).items()})
        return prices

    assert known(lazy) == known(witness)
    beats = [message["at"] for message in lazy.messages if message["type"] == "price_update"]
    assert beats == sorted(set(beats))


# Limits


async def turned_away(client: MessageClient) -> str:
    """What somebody is told who may not come in."""
    (said,) = await client.end()
    assert (said["type"], said["code"], said["fatal"]) == ("error", "server_full", True)
    assert client.reset is None
    return str(said["message"])


@ensureDeferred
async def test_a_full_daemon_says_so_and_has_room_when_one_leaves(daemons: Daemons) -> None:
    daemon = await daemons.start("--max-connections", "3")
    inside = [await daemon.client(feature) for feature in ("chat", "game", "ticker")]
    for client in inside:
        await client.settled()
    for feature in ("chat", "game", "ticker", "binary"):
        assert "3" in await turned_away(await daemon.client(feature))
    assert await (await daemon.client("echo")).rest() == b""
    inside[1].no_more()
    await inside[1].end()
    newcomer = await daemon.client("chat")
    await newcomer.settled()
    await turned_away(await daemon.client("chat"))
    for client in (inside[0], inside[2]):
        await client.settled()


@ensureDeferred
async def test_an_address_has_its_own_limit(daemons: Daemons) -> None:
    daemon = await daemons.start("--max-per-address", "2", "--chat", "tcp:0:interface=127.0.0.1", "--chat", "unix:sock")
    for client in (first := await daemon.client("chat"), await daemon.client("game")):
        await client.settled()
    assert "2" in await turned_away(await daemon.client("chat"))
    elsewhere = await daemon.connect(MessageClient(), "chat", source="127.0.0.2")
    await elsewhere.settled()
    for _ in range(3):  # the same machine is nobody's address
        await (await daemon.client("chat", 1)).settled()
    first.no_more()
    await first.end()
    await (await daemon.client("chat")).settled()


@ensureDeferred
async def test_the_silent_go_but_not_the_silent_reader_of_a_live_feed(daemons: Daemons) -> None:
    daemon = await daemons.start(
        *("--idle-timeout", "1", "--ticker-interval", "0.2", "--prices", "walk:seed=7:symbols=100")
    )
    reader = await daemon.client("ticker")
    reader.send(type="subscribe", symbols=["*"])
    begun = (await reader.get("price_update"))["at"]
    silent: list[MessageClient] = [await daemon.client(feature) for feature in ("chat", "game", "ticker", "binary")]
    for client in silent:
        last = (await client.end())[-1]
        assert (last["type"], last["code"], last["fatal"]) == ("error", "idle_timeout", True)
        assert client.reset is None
    update = await reader.get("price_update")
    while update["at"] - begun < 4000:
        update = await reader.get("price_update")
    await reader.settled()


@ensureDeferred
async def test_messages_over_the_rate_have_no_effect(daemons: Daemons) -> None:
    daemon = await daemons.start("--rate", "5")
    client: MessageClient = await daemon.client("chat")
    assert (await client.get("welcome"))["limits"]["rate"] == 5
    client.write(b"".join(b'{"type":"chat","text":"%d","ref":%d}\n' % (n, n) for n in range(30)))
    answers = [await client.get(ref=n) for n in range(30)]
    taken = [answer["ref"] for answer in answers if answer["type"] == "ok"]
    assert taken[:10] == list(range(10))  # the burst
    assert len(taken) < 20
    refused = [answer for answer in answers if answer["type"] == "error"]
    assert len(refused) == 30 - len(taken)
    assert {answer["code"] for answer in refused} == {"rate_limited"}
    wait = refused[-1]["retry_after"]
    assert 0 < wait <= 0.2
    await deferLater(reactor, wait + 0.01)
    client.send(type="chat", text="now")
    await client.get("chat", message="now")
    said = [message["message"] for message in client.messages if message["type"] == "chat"]
    assert said == [*map(str, taken), "now"]

    # Without a ref it is said at most once a second, and it is no mistake that ends the connection.
    other: MessageClient = await daemon.client("chat")
    other.write(b'{"type":"chat","text":"more"}\n' * 200)
    await other.get("error", code="rate_limited")
    other.no_more()
    await other.end()
    assert len([m for m in other.messages if m.get("code") == "rate_limited"]) <= 2


TOO_LARGE = [
    ("chat", b"x" * 70000),
    ("chat", b'{"type":"chat","text":"' + b"x" * 70000 + b'"}\n'),
    ("game", b'{"type":"move","dx":' + b" " * 70000),
    ("ticker", b"[" * 70000 + b"\n"),
    ("binary", struct.pack("!IH", 0xFFFFFFFF, 1)),
    ("binary", struct.pack("!IH", 65537, 32)),
]


@pytest.mark.parametrize(("feature", "data"), TOO_LARGE)
@ensureDeferred
async def test_what_is_too_large_ends_the_connection(daemons: Daemons, feature: str, data: bytes) -> None:
    daemon = await daemons.start()
    client: MessageClient = await daemon.client(feature)
    client.write(data)
    last = (await client.end())[-1]
    assert (last["type"], last["code"], last["fatal"]) == ("error", "too_large", True)
    assert "65536" in last["message"]
    assert client.reset is None


@pytest.mark.parametrize("feature", ["chat", "game", "ticker", "binary"])
@ensureDeferred
async def test_twenty_mistakes_in_a_row_end_a_connection_and_nineteen_do_not(daemons: Daemons, feature: str) -> None:
    daemon = await daemons.start()
    client = await daemon.client(feature)

    def mistakes(n: int) -> None:
        for _ in range(n):
            if isinstance(client, BinaryClient):
                client.frame(32, b"nonsense")
            else:
                client.write(b"nonsense\n")

    def good() -> None:
        if isinstance(client, BinaryClient):
            client.send(32, type="ping")
        else:
            client.send(type="ping")

    for _ in range(2):
        mistakes(19)
        good()
        await client.get("pong")
    mistakes(30)
    got = await client.end()
    errors = [message for message in client.messages if message["type"] == "error"]
    assert [error["code"] for error in errors] == ["bad_json"] * 58
    assert [error.get("fatal", False) for error in errors] == [False] * 57 + [True]
    assert got[-1] == errors[-1]
    assert client.reset is None


# The log


@ensureDeferred
async def test_nothing_that_a_client_sends_gets_into_the_log(daemons: Daemons) -> None:
    daemon = await daemons.start("--rate", "0", "--max-per-address", "1000")
    begun = len(daemon.output)
    evil = "\x1b[31mEVIL\x07\r\n2026-01-01T00:00:00+0000 [-] EVIL \u202e \x9b \x85 \u2028"
    raw = b"\x1b[31mEVIL\r2026-01-01T00:00:00+0000 [-] EVIL\x00\xff\n"
    for _ in range(20):
        chat = await daemon.client("chat")
        chat.write(raw * 5)
        chat.send(type=evil, text=evil)
        chat.send(type="chat", text=evil)
        chat.send(type="chat", text="x", room=evil)
        chat.send(type="set_name", name=evil)
        chat.send(type="set_emoji", emoji=evil)
        chat.send(type="create_room", room=evil, topic=evil)
        chat.send(type="direct", to=evil, text=evil)
        chat.send(type="resume", session=evil, since={evil: {"epoch": evil, "seq": 1}})
        chat.send(**{"type": "chat", evil: 1, "text": {"EVIL": evil}})
        await chat.settled()
        ticker = await daemon.client("ticker")
        ticker.send(type="subscribe", symbols=[evil])
        await ticker.settled()
        game = await daemon.client("game")
        game.write(raw.replace(b"[", b"") + b'{"type":"move","dx":"EVIL"}')  # it would wait for the end of an array
        await game.settled()
        web = await daemon.connect(Client(), "chat")
        web.write(b"GET /EVIL HTTP/1.1\r\n\r\n")
        await web.rest()
        binary = await daemon.client("binary")
        binary.frame(16, raw)
        binary.frame(3, raw)
        await binary.settled()
        binary.frame(1, b"x" * 70000)
        await binary.end()
    for client in daemon.clients:
        client.abort()
    await (await daemon.client("chat")).settled()
    said = daemon.output[begun:]
    assert "EVIL" not in said
    assert all(character == "\n" or character.isprintable() for character in said)
    # One line at once, then one in ten seconds at most; each with counts.
    lines = said.splitlines()
    assert 1 <= len(lines) <= 3, said
    assert all(" refused: " in line for line in lines)


# Descriptors


def squeeze(daemon: Daemon, spare: int) -> None:
    """Let the daemon have so many more file descriptors than it has now."""
    limit = daemon.descriptors() + spare
    resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (limit, limit))


@pytest.mark.parametrize("command", [TWISTD, ASYNCIO], ids=" ".join)
@ensureDeferred
async def test_out_of_descriptors_it_neither_spins_nor_dies_nor_floods_the_log(
    daemons: Daemons, command: tuple[str, ...]
) -> None:
    daemon = await daemons.start(command=command)
    inside = await daemon.client("chat")
    await inside.settled()
    begun = len(daemon.output)
    squeeze(daemon, 20)
    crowd = [stalled(daemon, feature, None) for _ in range(20) for feature in ("chat", "game", "echo")]
    await daemon.line("out of file descriptors", after=begun)
    before = daemon.cpu()
    for _ in range(3):  # who is inside is served
        await deferLater(reactor, 0.5)
        await inside.settled()
    assert daemon.cpu() - before < 0.5
    assert len(daemon.output[begun:].splitlines()) <= 10, daemon.output[begun:]
    assert "Traceback" not in daemon.output

    for sock in crowd:
        sock.close()
    served = None
    while served is None:  # those who still stand in the queue of the port are turned away with the crowd
        newcomer: MessageClient = await daemon.client("chat")
        served = await newcomer.until(lambda: newcomer.messages[:1] or (newcomer.over or None), "an answer")  # noqa: B023
        served = None if served is True else served
    assert served[0]["type"] == "welcome"
    await newcomer.settled()
    await inside.settled()


@ensureDeferred
async def test_with_few_descriptors_allowed_it_takes_as_many_clients_as_it_can_serve(daemons: Daemons) -> None:
    limited = ("sh", "-c", 'ulimit -n 80; exec "$@"', "sh", *TWISTD)
    daemon = await daemons.spawn(*limited, *anywhere()).ready()
    assert daemon.lines("only 80 file descriptors are allowed: at most 16 connections; .*ulimit -n")
    inside = [await daemon.client("chat") for _ in range(16)]
    for client in inside:
        await client.settled()
    for _ in range(100):
        await turned_away(await daemon.client("chat"))
    inside[0].no_more()
    await inside[0].end()
    await (await daemon.client("chat")).settled()
    assert not daemon.lines("out of file descriptors")


@ensureDeferred
async def test_a_crowd_that_comes_and_goes_leaves_nothing_behind(daemons: Daemons) -> None:
    daemon = await daemons.spawn(*TWISTD, *only("chat"), "--rate", "0").ready()
    witness = await daemon.client("chat")
    await witness.ask(type="chat", text="the store has begun to write")
    descriptors = daemon.descriptors()
    for _ in range(5):
        crowd = [await daemon.client("chat") for _ in range(50)]
        for at, client in enumerate(crowd):
            await client.settled()
            client.abort() if at % 2 else client.close()
        for client in crowd:
            await client.rest()
        while (await witness.ask(type="who"))["members"][1:]:
            pass
    assert daemon.descriptors() == descriptors
