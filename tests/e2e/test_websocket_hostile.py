"""WebSocket clients that mean ill, or are broken; and how a WebSocket ends."""

from __future__ import annotations

import json
import signal
import socket
import zlib
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.threads import deferToThread

from tests.e2e.clients import PATIENCE, Client, everything, plain_socket
from tests.e2e.daemon import TWISTD, Daemon, Daemons, only
from tests.features import BINARY, CLOSE, PING, PONG, TEXT, masked, unframed, upgrade_request

MB = 1024 * 1024
GET = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"


class WebSocketClient(Client):
    """Sends frames."""

    async def answer(self) -> tuple[int, bytes]:
        """Wait for an answer in HTTP: its status and its body, if it says how long that is."""

        def head() -> bytes | None:
            before, end, _ = bytes(self.received).partition(b"\r\n\r\n")
            return before + end if end else None

        found = await self.until(head, "an answer in HTTP")
        await self.bytes(len(found))
        length = found.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return int(found.split()[1]), await self.bytes(int(length or 0))

    async def comes_back(self, opcode: int, payload: bytes) -> None:
        """Send a message, and wait for it to come back."""
        self.write(masked(opcode, payload))
        await self.gets(opcode, payload)

    async def gets(self, opcode: int, payload: bytes) -> None:
        """Wait for a short frame."""
        assert await self.bytes(2 + len(payload)) == bytes((0x80 | opcode, len(payload))) + payload

    async def ended(self) -> tuple[int, str, dict[str, Any] | None]:
        """Wait for the end: code and reason of the close frame, and the message before it, if it is an error."""
        *before, (opcode, payload) = unframed(await self.rest())
        assert opcode == CLOSE
        assert self.reset is None
        messages = [json.loads(payload) for opcode, payload in before if opcode == TEXT]
        last = messages[-1] if messages and messages[-1]["type"] == "error" else None
        return int.from_bytes(payload[:2]), payload[2:].decode(), last


async def visitor(daemon: Daemon) -> WebSocketClient:
    """Someone at the web port."""
    return await daemon.connect(WebSocketClient(), "web")


async def opened(daemon: Daemon, path: str = "/ws/echo", **headers: str) -> WebSocketClient:
    """Someone on a WebSocket."""
    client = await visitor(daemon)
    client.write(upgrade_request(path, **headers))
    assert (await client.answer())[0] == 101
    return client


async def web(daemons: Daemons, *options: str) -> Daemon:
    """A daemon with echo and chat on WebSocket."""
    return await daemons.spawn(*TWISTD, *only("echo", "chat", "web"), *options).ready()


# The handshake


@ensureDeferred
async def test_frames_glued_to_the_request_are_not_lost(daemons: Daemons) -> None:
    daemon = await web(daemons)
    client = await visitor(daemon)
    client.write(upgrade_request("/ws/echo") + masked(TEXT, b"one") + masked(BINARY, b"two") + masked(PING, b"three"))
    assert (await client.answer())[0] == 101
    came = unframed(await client.bytes(5 + 5 + 7))
    assert sorted(came) == [(TEXT, b"one"), (BINARY, b"two"), (PONG, b"three")]


@ensureDeferred
async def test_a_connection_kept_alive_becomes_a_websocket_once_asked_to(daemons: Daemons) -> None:
    daemon = await web(daemons)
    client = await visitor(daemon)
    for request, status in (
        (GET, 404),
        (upgrade_request("/ws/echo", Sec_WebSocket_Version="8"), 426),
        (upgrade_request("/ws/echo", Sec_WebSocket_Key="short"), 400),
        (upgrade_request("/ws/echo", Origin="https://evil.example"), 403),
        (upgrade_request("/ws/golf"), 404),
        (upgrade_request("/ws/echo"), 101),
    ):
        client.write(request)
        assert (await client.answer())[0] == status
    await client.comes_back(TEXT, b"hello")


# Too much


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        (masked(BINARY, b"x" * 4000), b"\x82\x7e" + (4000).to_bytes(2) + b"x" * 4000),
        (masked(PING, b"x" * 125), b"\x8a\x7d" + b"x" * 125),
    ],
    ids=["echoes", "pongs"],
)
@ensureDeferred
async def test_who_does_not_read_what_it_causes_is_not_read_from(daemons: Daemons, frame: bytes, answer: bytes) -> None:
    daemon = await web(daemons)
    other = await opened(daemon)
    memory = daemon.memory()
    address = daemon.addresses["web"][0]
    lazy = plain_socket(address.host, address.port)
    daemon.keep(lazy)
    lazy.sendall(upgrade_request("/ws/echo"))
    assert (await deferToThread(lazy.recv, 12)) == b"HTTP/1.1 101"
    lazy.setblocking(False)
    block = frame * (MB // len(frame))
    sent = stuck = 0
    while stuck < 20:
        try:
            sent += lazy.send(block[sent % len(block) :])
            stuck = 0
        except BlockingIOError:
            stuck += 1
        await other.comes_back(TEXT, b"still here?")
        assert sent < 32 * MB, "all of it was taken, though nothing was read"
    assert daemon.memory("VmHWM") - memory < 8 * MB
    assert not daemon.lines("slow_consumer")

    lazy.settimeout(PATIENCE)
    lazy.shutdown(socket.SHUT_WR)
    back = await deferToThread(everything, lazy)
    assert back.partition(b"\r\n\r\n")[2] == answer * (sent // len(frame))


@ensureDeferred
async def test_a_header_of_gigabytes_costs_nothing(daemons: Daemons) -> None:
    daemon = await web(daemons)
    memory = daemon.memory()
    for length in (2**32, 2**63 - 1):
        clients = [await opened(daemon) for _ in range(10)]
        for client in clients:
            client.write(b"\x82\xff" + length.to_bytes(8) + b"mask" + b"x" * 1000)
            code, reason, _ = await client.ended()
            assert code == 1009
            assert "65536" in reason
    assert daemon.memory("VmHWM") - memory < 4 * MB


@ensureDeferred
async def test_a_decompression_bomb_costs_no_more_than_a_message(daemons: Daemons) -> None:
    daemon = await web(daemons)
    deflate = {"Sec_WebSocket_Extensions": "permessage-deflate"}
    await (await opened(daemon, **deflate)).comes_back(TEXT, b"warm")
    memory = daemon.memory()
    compressor = zlib.compressobj(9, wbits=-15)
    bomb = compressor.compress(bytes(60 * MB)) + compressor.flush(zlib.Z_SYNC_FLUSH)
    assert len(bomb) < 65536
    for _ in range(5):
        client = await opened(daemon, **deflate)
        client.write(masked(BINARY, bomb[:-4], first=0xC0))
        assert (await client.ended())[0] == 1009
    assert daemon.memory("VmHWM") - memory < 4 * MB


@ensureDeferred
async def test_a_message_that_is_too_large(daemons: Daemons) -> None:
    daemon = await web(daemons, "--max-message", "2000")
    client = await opened(daemon, "/ws/chat")
    client.write(masked(TEXT, b"x" * 2001))
    code, _, error = await client.ended()
    assert error is not None
    assert (code, error["code"], error["fatal"]) == (1009, "too_large", True)


# The end


@pytest.mark.parametrize("path", ["/ws/echo", "/ws/chat", "/ws"])
@ensureDeferred
async def test_everyone_is_told_that_it_shuts_down(daemons: Daemons, path: str) -> None:
    daemon = await web(daemons)
    client = await opened(daemon, path)
    kept_alive = await visitor(daemon)
    kept_alive.write(GET)
    assert (await kept_alive.answer())[0] == 404
    daemon.signal(signal.SIGTERM)
    code, _, error = await client.ended()
    assert code == 1001
    assert (error and error["code"]) == (None if path == "/ws/echo" else "shutting_down")
    assert await kept_alive.rest() == b""
    assert (await daemon.ended()).signal == signal.SIGTERM


@ensureDeferred
async def test_the_silent_go(daemons: Daemons) -> None:
    daemon = await web(daemons, "--idle-timeout", "1")
    client = await opened(daemon, "/ws/chat")
    code, _, error = await client.ended()
    assert error is not None
    assert (code, error["code"]) == (4002, "idle_timeout")


@ensureDeferred
async def test_a_full_daemon_says_so_in_a_way_that_pages_can_read(daemons: Daemons) -> None:
    daemon = await web(daemons, "--max-connections", "1")
    inside = await opened(daemon)
    for path in ("/ws/chat", "/ws/echo"):
        code, _, error = await (await opened(daemon, path)).ended()
        assert code == 4003
        assert (error and error["code"]) == (None if path == "/ws/echo" else "server_full")
    await inside.comes_back(TEXT, b"still here")
    inside.write(masked(CLOSE, (1000).to_bytes(2)))
    assert (await inside.ended())[0] == 1000
    await (await opened(daemon)).comes_back(TEXT, b"in its place")


# The log


@ensureDeferred
async def test_nothing_that_a_client_sends_gets_into_the_log(daemons: Daemons) -> None:
    daemon = await web(daemons)
    begun = len(daemon.output)
    evil = "\x1b[31mEVIL\x07"
    for headers in (
        {"X": evil},
        {"Sec_WebSocket_Key": evil},
        {"Sec_WebSocket_Extensions": "EVIL;;"},
        {"Sec_WebSocket_Protocol": "EVIL"},
        {"Upgrade": "EVIL"},
    ):
        for path in ("/ws/chat", "/ws/EVIL"):
            client = await visitor(daemon)
            client.write(upgrade_request(path, **headers))
            assert (await client.answer())[0] in (400, 404, 426)
    for frame in (
        masked(CLOSE, (4000).to_bytes(2) + evil.encode()),
        masked(CLOSE, b"\xff\xff" + evil.encode()),
        masked(TEXT, evil.encode() + b"\xff"),
        masked(TEXT, evil.encode()) * 30,
        masked(BINARY, evil.encode()) * 30,
        evil.encode(),
    ):
        client = await opened(daemon, "/ws/chat?session=EVIL")
        client.write(frame)
        await client.ended()
    await (await opened(daemon)).comes_back(TEXT, b"still here")
    said = daemon.output[begun:]
    assert "EVIL" not in said
    assert "Traceback" not in said
    assert all(character == "\n" or character.isprintable() for character in said)
