"""The web port behind a real nginx, with the configuration that is in C{deploy/}."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from tests.e2e.clients import Client
from tests.e2e.daemon import CHECKOUT, LOCAL, Address, Certificate, Daemon, Daemons

NAME = "play.example.com"

MAIN = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr notice;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/netplay.conf;
}}
"""


def free_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


class Nginx(Daemon):
    """nginx, whose addresses the test has chosen."""

    tls = 0

    @property
    def addresses(self) -> dict[str, list[Address]]:
        """Where the two servers of the file listen."""
        return {"https": [Address("127.0.0.1", self.tls)]}


async def nginx(daemons: Daemons, daemon: Daemon, certificate: Certificate, changed: dict[str, str]) -> Nginx:
    """Start nginx with the file from C{deploy/}, on ports and with a certificate of the test's."""
    executable = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    assert executable is not None, "these tests need nginx: apt-get install nginx-light"
    folder = daemons.directory
    tls = free_port()
    text = (CHECKOUT / "deploy" / "nginx.conf").read_text()
    for pattern, here in {
        r"127\.0\.0\.1:8080": f"127.0.0.1:{daemon.addresses['web'][0].port}",
        r"listen 80;": f"listen 127.0.0.1:{free_port()};",
        r"listen 443 ssl;": f"listen 127.0.0.1:{tls} ssl;",
        r"/etc/letsencrypt/\S+/fullchain\.pem": str(certificate.chain),
        r"/etc/letsencrypt/\S+/privkey\.pem": str(certificate.key),
        **changed,
    }.items():
        text, times = re.subn(pattern, here, text)
        assert times, f"there is no {pattern} in nginx.conf"
    (folder / "netplay.conf").write_text(text)
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    running = daemons.spawn_as(Nginx, executable, "-c", folder / "nginx.conf", "-p", folder)
    running.tls = tls
    await running.line("using the .* event method")
    return running


async def behind_nginx(
    daemons: Daemons, certificate: Certificate, *options: str, changed: dict[str, str] | None = None
) -> tuple[Daemon, Nginx]:
    """A daemon as the file says it should run, and nginx before it."""
    daemon = await daemons.start(
        *("--web", LOCAL, "--public-url", f"https://{NAME}", "--trust-proxy", "127.0.0.1", *options)
    )
    return daemon, await nginx(daemons, daemon, certificate, changed or {})


class Browser(Client):
    """Speaks just enough HTTP."""

    async def ask(self, path: str, *headers: str) -> tuple[int, bytes]:
        """A request on the same connection as the last one; status and body."""
        self.write("\r\n".join([f"GET {path} HTTP/1.1", f"Host: {NAME}", *headers, "", ""]).encode())
        await self.until(lambda: (b"\r\n\r\n" in self.received) or None, "the end of the headers")
        at = self.received.index(b"\r\n\r\n")
        status = int(self.received[9:12])
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", self.received[:at])
        del self.received[: at + 4]
        return status, await self.bytes(int(length.group(1)) if length and status != 101 else 0)

    async def upgrade(self, path: str, *headers: str) -> dict[str, Any]:
        """Open a WebSocket; its first message."""
        key = base64.b64encode(os.urandom(16)).decode()
        wanted = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}")
        status, _ = await self.ask(path, *wanted, f"Origin: https://{NAME}", *headers)
        assert status == 101
        first, length = await self.bytes(2)
        assert first == 0x81  # a whole message of text
        size = int.from_bytes(await self.bytes(2)) if length == 126 else length
        message: dict[str, Any] = json.loads(await self.bytes(size))
        return message


async def browser(running: Nginx, certificate: Certificate, source: str | None = None) -> Browser:
    """A new connection to nginx."""
    return await running.connect(Browser(), "https", certificate=certificate, source=source)


@ensureDeferred
async def test_a_request(daemons: Daemons, certificate: Certificate) -> None:
    _, running = await behind_nginx(daemons, certificate)
    visitor = await browser(running, certificate)
    assert await visitor.ask("/healthz") == (200, b"alive\n")


@ensureDeferred
async def test_requests_and_then_a_websocket_on_one_connection_all_the_way(
    daemons: Daemons, certificate: Certificate
) -> None:
    daemon, running = await behind_nginx(daemons, certificate)
    visitor = await browser(running, certificate)
    assert (await visitor.ask("/healthz"))[0] == 200
    with_one = daemon.descriptors()
    for _ in range(3):
        assert (await visitor.ask("/healthz"))[0] == 200
    assert daemon.descriptors() == with_one
    assert (await visitor.upgrade("/ws/chat"))["type"] == "welcome"
    assert daemon.descriptors() == with_one


APPENDS = {r"X-Forwarded-For \$remote_addr": "X-Forwarded-For $proxy_add_x_forwarded_for"}
"""Another way that is often seen: what the client sent is passed on, with its address behind."""


@pytest.mark.parametrize("changed", [{}, APPENDS], ids=["as it is", "appending"])
@ensureDeferred
async def test_caps_are_those_of_the_clients_address(
    daemons: Daemons, certificate: Certificate, changed: dict[str, str]
) -> None:
    _, running = await behind_nginx(daemons, certificate, "--max-per-address", "1", changed=changed)
    first, again, other, liar = [
        await browser(running, certificate, source) for source in ("127.0.0.2", "127.0.0.2", "127.0.0.3", "127.0.0.2")
    ]
    assert (await first.upgrade("/ws/chat"))["type"] == "welcome"
    assert (await again.upgrade("/ws/chat"))["code"] == "server_full"
    assert (await other.upgrade("/ws/chat"))["type"] == "welcome"
    lies = ("X-Forwarded-For: 192.0.2.7", "Forwarded: for=192.0.2.7", "X-Real-IP: 192.0.2.7")
    assert (await liar.upgrade("/ws/chat", *lies))["code"] == "server_full"


@ensureDeferred
async def test_pages_from_elsewhere_stay_out(daemons: Daemons, certificate: Certificate) -> None:
    _, running = await behind_nginx(daemons, certificate)
    visitor = await browser(running, certificate)
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", key)
    status, _ = await visitor.ask("/ws/chat", *upgrade, "Origin: https://evil.example")
    assert status == 403


def test_files_name_nobodys_machine() -> None:
    """They are examples."""
    for file in sorted((CHECKOUT / "deploy").iterdir()):
        for path in re.findall(r"(?<![\w.:/-])/(\w+)/", Path(file).read_text()):
            assert path in ("dev", "etc", "opt", "run", "var", "usr", "home", "ws"), (file.name, path)
