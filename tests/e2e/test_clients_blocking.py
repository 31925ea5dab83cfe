"""The client for programs with a loop of their own against real daemons; each program is a thread."""

from __future__ import annotations

import signal
import ssl
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.threads import deferToThread

from netplay.client import Disconnected, ServerError, TooMuch
from netplay.client.blocking import Client, connect
from netplay.client.link import MOST_UNREAD, UNREAD
from tests.e2e.clients import PATIENCE, MessageClient
from tests.e2e.daemon import Certificate, Daemons
from tests.e2e.relay import Relay
from tests.e2e.ways import Way, every_way, said, started_again

FRAME = 1 / 60
"""Seconds of a frame: what a game waits between two looks."""


def soon(attempt: int) -> float:
    """When to come back."""
    return 0.02 * attempt


class Program:
    """
    A program with a loop, which looks once a frame.

    @ivar came: all that has come.
    """

    def __init__(self, way: Way, port: int, feature: str = "chat") -> None:
        self.client: Client = connect(way.where.format(port=port), feature, codec=way.codec, retry=soon)
        self.came: list[dict[str, Any]] = []

    def until(self, found: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Run until this message has come."""
        late = monotonic() + PATIENCE
        while monotonic() < late:
            new = self.client.poll()
            self.came += new
            for message in new:
                if found(message):
                    return message
            sleep(FRAME)
        raise AssertionError(f"waited {PATIENCE:g} s in vain; {self.came!r:.2000} came")

    def texts(self) -> list[str]:
        """What was said."""
        return [message["message"] for message in self.came if message["type"] == "chat"]


def is_chat(text: str) -> Callable[[dict[str, Any]], bool]:
    """Whether somebody said this."""
    return lambda message: message["type"] == "chat" and message["message"] == text


@every_way
@ensureDeferred
async def test_it_asks_polls_and_leaves(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start()
    port = way.port(daemon, "chat")

    def program() -> None:
        with connect(way.where.format(port=port), "chat", codec=way.codec) as client:
            assert client.poll()[0]["type"] == "welcome"
            assert client.poll() == []
            assert client.you["id"] == "User_1"
            with pytest.raises(ServerError) as refused:
                client.ask("join_room", room="nowhere")
            assert (refused.value.code, refused.value.field) == ("no_such_room", "$.room")
            client.send("chat", text="last words")
        with pytest.raises(Disconnected):
            client.send("chat", text="too late")
        client.close()

    await deferToThread(program)
    ben: MessageClient = await daemon.client("chat")
    assert (await ben.ask(type="history"))["messages"][-1]["message"] == "last words"
    await ben.get("presence")
    assert [one["id"] for one in (await ben.ask(type="who"))["members"]] == ["User_2"]


@every_way
@ensureDeferred
async def test_a_program_that_is_cut_off_again_and_again_hears_everything_once(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start("--rate", "0")
    relay = Relay(way.port(daemon, "chat"))
    ann = await deferToThread(Program, way, await relay.open())
    for n in range(5):
        await said(daemon, n * 10, n * 10 + 5)
        relay.cut()
        await said(daemon, n * 10 + 5, n * 10 + 10)
        await deferToThread(ann.until, is_chat(str(n * 10 + 9)))
    assert ann.texts() == [str(n) for n in range(50)]
    assert [m["type"] for m in ann.came if m["type"] not in ("chat", "presence")] == ["welcome", *["resumed"] * 5]
    await deferToThread(ann.client.close)
    await relay.close()


@every_way
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
@ensureDeferred
async def test_a_program_outlives_the_daemon(daemons: Daemons, way: Way, how: signal.Signals) -> None:
    daemon = await daemons.start("--store=memory:")
    ann = await deferToThread(Program, way, way.port(daemon, "chat"))
    await said(daemon, 0, 3)
    await deferToThread(ann.until, is_chat("2"))
    daemon.signal(how)
    await daemon.ended()
    again = await started_again(daemons, daemon, "--store=memory:")
    await deferToThread(ann.until, lambda message: message == {"type": "gap", "room": "general"})
    await said(again, 3, 4)
    await deferToThread(ann.until, is_chat("3"))
    assert ann.texts() == ["0", "1", "2", "3"]
    assert [m["type"] for m in ann.came].count("welcome") == 2
    await deferToThread(ann.client.close)


@every_way
@ensureDeferred
async def test_a_program_that_was_sent_away_for_good_stays_away(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start()
    ann = await deferToThread(Program, way, way.port(daemon, "chat"))
    session = (await deferToThread(ann.until, lambda message: message["type"] == "welcome"))["session"]
    other: MessageClient = await daemon.client("chat")
    other.send(type="resume", session=session)
    with pytest.raises(ServerError) as replaced:
        await deferToThread(ann.until, lambda message: False)
    assert replaced.value.code == "replaced"
    await other.get("resumed")


@every_way
@ensureDeferred
async def test_what_a_program_does_not_read_waits_at_the_server(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start("--rate", "0")
    ann = await deferToThread(Program, way, way.port(daemon, "chat"))
    await said(daemon, 0, 3000)
    assert ann.client.unread <= UNREAD
    with pytest.raises(TooMuch):
        await deferToThread(ann.client.ask, "ping")
    assert ann.client.unread == MOST_UNREAD
    await deferToThread(ann.until, is_chat("2999"))
    assert ann.texts() == [str(n) for n in range(3000)]
    await deferToThread(ann.client.close)


@ensureDeferred
async def test_a_program_that_waits_for_no_answer_any_more(daemons: Daemons) -> None:
    daemon = await daemons.start()
    client = await deferToThread(connect, f"tcp:127.0.0.1:{daemon.addresses['chat'][0].port}", "chat")
    daemon.signal(signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        await deferToThread(client.ask, "ping", timeout=0.05)
    daemon.signal(signal.SIGCONT)
    assert (await deferToThread(client.ask, "who"))["type"] == "who"
    await deferToThread(client.close)


@ensureDeferred
async def test_a_program_over_tls_believes_the_right_server_only(daemons: Daemons, certificate: Certificate) -> None:
    daemon = await daemons.start("--chat", certificate.endpoint, "--web", certificate.endpoint)
    trust = ssl.create_default_context(cafile=str(certificate.chain))
    for door, where in (("chat", "tls:localhost:{}"), ("web", "wss://localhost:{}/")):
        address = where.format(daemon.addresses[door][0].port)
        client = await deferToThread(connect, address, "chat", trust=trust)
        assert (await deferToThread(client.ask, "chat", text="hello " * 600))["type"] == "ok"
        await deferToThread(client.close)
        with pytest.raises(ssl.SSLCertVerificationError):
            await deferToThread(connect, address, "chat")


@ensureDeferred
async def test_why_a_program_does_not_get_in(daemons: Daemons) -> None:
    daemon = await daemons.start("--max-connections", "1")
    port = daemon.addresses["chat"][0].port
    first = await deferToThread(connect, f"tcp:127.0.0.1:{port}", "chat")
    with pytest.raises(ServerError, match="server_full"):
        await deferToThread(connect, f"tcp:127.0.0.1:{port}", "chat")
    await deferToThread(first.close)
    daemon.kill()
    await daemon.ended()
    with pytest.raises(ConnectionRefusedError):
        await deferToThread(connect, f"tcp:127.0.0.1:{port}", "chat")
