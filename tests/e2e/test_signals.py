"""The end: everyone is told, what was said is delivered, and nobody can hold it up."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor as _reactor
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.threads import deferToThread

from tests.e2e.clients import MessageClient, plain_socket
from tests.e2e.daemon import (
    ASYNCIO,
    FEATURES,
    LOCAL,
    NETPLAY_RUN,
    TWIST,
    TWISTD,
    Certificate,
    Daemon,
    Daemons,
    Ended,
)

reactor: Any = _reactor

BOTH = pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT], ids=lambda which: which.name)


def now() -> float:
    """Seconds."""
    return float(reactor.seconds())


@BOTH
@ensureDeferred
async def test_everyone_is_told_and_it_ends_by_the_signal(
    daemons: Daemons, certificate: Certificate, which: signal.Signals
) -> None:
    daemon = await daemons.start(
        *("--chat", LOCAL, "--chat", "unix:chat.sock", "--chat", certificate.endpoint),
    )
    clients = [await daemon.client(feature) for feature in FEATURES]
    echo, binary, game, chat, ticker, web = clients
    unix = await daemon.client("chat", 1)
    tls = await daemon.client("chat", 2, certificate=certificate)
    framed = await daemon.client("binary")
    framed.send(16, type="ping")
    await framed.get("pong")
    await binary.settled()
    echo.write(b"hello")
    await echo.bytes(5)
    for client in (game, chat, ticker, unix, tls):
        await client.settled()

    before = now()
    daemon.signal(which)
    for client in (game, chat, ticker, unix, tls):
        last = (await client.end())[-1]
        assert (last["type"], last["code"], last["fatal"]) == ("error", "shutting_down", True)
    assert [(m["frame"], m["code"]) for m in await binary.end()] == [(0, "shutting_down")]
    assert [(m["frame"], m["code"]) for m in await framed.end()][-1:] == [(0, "shutting_down")]
    assert await echo.rest() == b""
    assert await web.rest() == b""
    assert all(client.reset is None for client in (*clients, unix, tls, framed))
    assert await daemon.ended() == Ended(None, which)
    assert now() - before < 4
    assert "Traceback" not in daemon.output


@BOTH
@pytest.mark.parametrize("command", [TWISTD, TWIST, NETPLAY_RUN, ASYNCIO], ids=" ".join)
@ensureDeferred
async def test_with_nobody_there(daemons: Daemons, command: tuple[str, ...], which: signal.Signals) -> None:
    daemon = await daemons.start(command=command)
    daemon.signal(which)
    assert await daemon.ended() == Ended(None, which)


@ensureDeferred
async def test_what_was_said_is_delivered_first(daemons: Daemons) -> None:
    daemon = await daemons.start("--rate", "0")
    reader: MessageClient = await daemon.client("chat")
    await reader.get("welcome")
    speaker: MessageClient = await daemon.client("chat")
    transport: Any = reader.transport
    transport.pauseProducing()
    for _ in range(150):
        speaker.send(type="chat", text="x" * 3000)
    await speaker.settled()
    daemon.signal(signal.SIGTERM)
    await speaker.end()
    transport.resumeProducing()
    got = await reader.end()
    assert len([message for message in got if message["type"] == "chat"]) == 150
    assert got[-1]["code"] == "shutting_down"
    assert await daemon.ended() == Ended(None, signal.SIGTERM)


async def stall(daemon: Daemon) -> None:
    """Somebody in chat reads nothing, and much waits for it."""
    speaker: MessageClient = await daemon.client("chat")
    await speaker.settled()
    address = daemon.addresses["chat"][0]
    stalled = plain_socket(address.host, address.port, receive_buffer=4096)
    daemon.keep(stalled)
    await speaker.get("presence", left=[], count=2)
    for _ in range(200):  # less than the send queue holds, more than the kernel takes
        speaker.send(type="chat", text="x" * 4000)
    await speaker.settled()
    speaker.close()
    await speaker.rest()


@pytest.mark.parametrize("command", [TWISTD, TWIST], ids=lambda command: command[0])
@ensureDeferred
async def test_a_stalled_reader_holds_it_up_for_five_seconds_at_most(
    daemons: Daemons, command: tuple[str, ...]
) -> None:
    daemon = await daemons.start("--rate", "0", command=command)
    await stall(daemon)
    before = now()
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended(12) == Ended(None, signal.SIGTERM)
    assert 4 < now() - before < 8
    assert "Traceback" not in daemon.output


@pytest.mark.parametrize("command", [TWISTD, ASYNCIO], ids=" ".join)
@ensureDeferred
async def test_a_second_signal_ends_it_at_once(daemons: Daemons, command: tuple[str, ...]) -> None:
    daemon = await daemons.start("--rate", "0", command=command)
    await stall(daemon)
    before = now()
    daemon.signal(signal.SIGINT)
    await daemon.line(r"TCP Port \d+ Closed")
    daemon.signal(signal.SIGINT)
    assert await daemon.ended(4) == Ended(None, signal.SIGINT)
    assert now() - before < 3


@ensureDeferred
async def test_newcomers_find_the_port_closed_while_the_others_are_told(daemons: Daemons) -> None:
    daemon = await daemons.start("--rate", "0")
    await stall(daemon)
    witness = await daemon.client("chat")
    await witness.settled()
    daemon.signal(signal.SIGTERM)
    await witness.get("error", code="shutting_down")
    with pytest.raises(ConnectionRefusedError):
        await daemon.client("chat")
    assert daemon.end is None


@ensureDeferred
async def test_half_closed_clients_hold_nothing_up(daemons: Daemons) -> None:
    daemon = await daemons.start("--rate", "0")
    # One has its answers and does not close; one has closed its direction with answers still to come, and reads none.
    address = daemon.addresses["chat"][0]
    done = plain_socket(address.host, address.port)
    daemon.keep(done)
    done.sendall(b'{"type":"ping","ref":"last"}\n')
    waiting = plain_socket(address.host, address.port, receive_buffer=4096)
    daemon.keep(waiting)
    witness = await daemon.client("chat")
    await deferToThread(lambda: [waiting.sendall(b'{"type":"help"}\n') for _ in range(400)])
    waiting.shutdown(1)
    done.shutdown(1)
    await witness.settled()

    def read() -> bytes:
        data = b""
        while more := done.recv(65536):
            data += more
        return data

    assert b'"last"' in await deferToThread(read)  # all of it, and then the end
    before = now()
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended(12) == Ended(None, signal.SIGTERM)
    assert now() - before < 8
