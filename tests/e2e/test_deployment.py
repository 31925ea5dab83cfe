"""How the daemon meets its surroundings: proxies, renewed certificates, sockets from systemd, the local network."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.ssl import Certificate as TrustedCertificate
from twisted.internet.ssl import optionsForClientTLS

from netplay.lan import lan_address, qr_lines
from tests.certificates import self_signed_pem
from tests.e2e.clients import Client
from tests.e2e.daemon import FEATURES, LOCAL, TWISTD, Certificate, Daemon, Daemons

PROXIED = f"haproxy:{LOCAL}"


def header(source: str) -> bytes:
    """What a proxy says first (PROXY protocol, version 1)."""
    return f"PROXY TCP4 {source} 198.51.100.1 4711 8888\r\n".encode()


# Proxies


@ensureDeferred
async def test_every_feature_behind_a_proxy(daemons: Daemons) -> None:
    daemon = await daemons.start(
        *(word for name in FEATURES for word in (f"--{name}", LOCAL, f"--{name}", PROXIED)),
    )
    for feature, first in (("chat", "welcome"), ("ticker", "welcome"), ("game", "state")):
        client = await daemon.client(feature, 1)
        client.write(header("192.0.2.7"))
        assert (await client.get(first))["you"]["guest"]
    for feature, said, heard in (
        ("echo", b"hello", b"hello"),
        ("binary", b"\0\0\0\x01\0\x01x", "🚀 Echo: x".encode()),
        ("web", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"HTTP/1.1 "),
    ):
        raw = await daemon.connect(Client(), feature, 1)
        raw.write(header("192.0.2.7") + said)
        await raw.until(lambda raw=raw, heard=heard: heard in raw.received or None, f"{heard!r} of {feature}")


@ensureDeferred
async def test_addresses_behind_a_proxy_count_apart(daemons: Daemons) -> None:
    daemon = await daemons.start("--chat", LOCAL, "--chat", PROXIED, "--max-per-address", "1")
    first, second, again = [await daemon.client("chat", 1) for _ in range(3)]
    for client, source in ((first, "192.0.2.7"), (second, "192.0.2.8")):
        client.write(header(source))
        await client.get("welcome")
    again.write(header("192.0.2.7"))
    assert (await again.get("error"))["code"] == "server_full"
    first.no_more()
    await first.rest()
    later = await daemon.client("chat", 1)
    later.write(header("192.0.2.7"))
    await later.get("welcome")


@ensureDeferred
async def test_without_the_header_nothing_is_served(daemons: Daemons) -> None:
    daemon = await daemons.start("--chat", LOCAL, "--chat", PROXIED)
    client = await daemon.client("chat", 1)
    client.write(b'{"type":"chat","text":"hello"}\n')
    assert await client.rest() == b""
    await daemon.line("refused: 1 x proxy_header")


# Certificates


class Certbot:
    """Keeps certificates as certbot does: C{live} has links to the newest of C{archive}."""

    def __init__(self, directory: Path) -> None:
        self._archive, self._live = directory / "archive", directory / "live"
        self._archive.mkdir()
        self._live.mkdir()
        self._count = 0
        self.files = Certificate(self._live / "privkey.pem", self._live / "cert.pem")

    def renew(self) -> Certificate:
        """A new key and certificate; they go by their own names for good."""
        self._count += 1
        for link, pem in zip((self.files.key, self.files.chain), self_signed_pem(), strict=True):
            file = self._archive / f"{link.stem}{self._count}.pem"
            file.write_bytes(pem)
            new = link.with_suffix(".new")
            new.symlink_to(file)
            new.rename(link)
        return Certificate(self._archive / f"privkey{self._count}.pem", self._archive / f"cert{self._count}.pem")


async def knock_until(daemon: Daemon, pattern: str) -> None:
    """Connect, and go, until there is such a line: files are looked at when someone comes."""
    while not daemon.lines(pattern):
        client = await daemon.connect(Client(), "chat")
        client.close()
        await client.rest()


@ensureDeferred
async def test_a_renewed_certificate_is_taken_up_without_a_restart(daemons: Daemons, tmp_path: Path) -> None:
    certbot = Certbot(tmp_path)
    first = certbot.renew()
    daemon = await daemons.start("--chat", certbot.files.endpoint)
    old = await daemon.client("chat", certificate=first)
    await old.get("welcome")
    second = certbot.renew()
    await knock_until(daemon, "took up a new certificate")
    new = await daemon.client("chat", certificate=second)
    await new.get("welcome")
    new.send(type="chat", text="renewed")
    assert (await old.get("chat"))["message"] == "renewed"


@ensureDeferred
async def test_a_renewal_that_went_wrong_changes_nothing(daemons: Daemons, tmp_path: Path) -> None:
    certbot = Certbot(tmp_path)
    first = certbot.renew()
    daemon = await daemons.start("--chat", certbot.files.endpoint)
    certbot.files.chain.unlink()
    certbot.files.chain.write_bytes(self_signed_pem()[1])
    await knock_until(daemon, "cannot be used")
    client = await daemon.client("chat", certificate=first)
    await client.get("welcome")
    assert len(daemon.lines("cannot be used")) == 1


class OfBrowsers(Certificate):
    """Trusted by clients that would rather speak HTTP/2."""

    def for_clients(self) -> Any:
        """With the protocols that they know (ALPN)."""
        trusted = TrustedCertificate.loadPEM(self.chain.read_bytes())
        return optionsForClientTLS("localhost", trustRoot=trusted, acceptableProtocols=[b"h2", b"http/1.1"])


@pytest.mark.parametrize("port", ["web", "admin"])
@ensureDeferred
async def test_what_speaks_http_does_TLS_itself(daemons: Daemons, certificate: Certificate, port: str) -> None:
    daemon = await daemons.start(f"--{port}", certificate.endpoint)
    browser = OfBrowsers(certificate.key, certificate.chain)
    client = await daemon.connect(Client(), port, certificate=browser)
    client.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await client.until(lambda: b"alive" in client.received or None, "an answer")


# Sockets from systemd

ACTIVATE = """
import os, socket, sys
names, *command = sys.argv[1:]
for at, name in enumerate(names.split(":"), 3):
    listening = socket.create_server(("127.0.0.1", 0)).detach()
    if listening != at:
        os.dup2(listening, at)
    os.set_inheritable(at, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(at - 2), LISTEN_FDNAMES=names)
os.execvp(command[0], command)
"""
"""What systemd does before it runs a service (sd_listen_fds(3)): its sockets are the descriptors from 3 on."""


@ensureDeferred
async def test_sockets_from_systemd(daemons: Daemons) -> None:
    others = [f"--without={name}" for name in FEATURES if name not in ("chat", "echo")]
    endpoints = ("--chat", "systemd:domain=INET:name=chat", "--echo", "systemd:domain=INET:index=1")
    daemon = daemons.spawn("python", "-c", ACTIVATE, "chat:echo", *TWISTD, *others, *endpoints)
    await daemon.line("echo: 127.0.0.1 port ")
    await daemon.line("chat: 127.0.0.1 port ")
    await (await daemon.client("chat")).get("welcome")
    raw = await daemon.connect(Client(), "echo")
    raw.write(b"hello")
    assert await raw.bytes(5) == b"hello"


@ensureDeferred
async def test_a_socket_that_systemd_did_not_hand_over(daemons: Daemons) -> None:
    for which in ("name=chat", "index=0"):
        status, output = await daemons.run(*TWISTD, "--chat", f"systemd:domain=INET:{which}")
        assert status == 1
        assert f"--chat systemd:domain=INET:{which}: systemd has handed over no such socket" in output
        assert "Traceback" not in output


# The local network


@ensureDeferred
async def test_on_the_network_with_a_code_to_scan(daemons: Daemons) -> None:
    with socket.create_server(("0.0.0.0", 0)) as probe:
        port = probe.getsockname()[1]
    daemon = await daemons.start("--lan", "--web", f"tcp:{port}")
    address = lan_address()
    if address is None:
        await daemon.line("this machine has no address in a network")
        return
    url = f"http://{address}:{port}/"
    await daemon.line(f"on this network: {url}")
    for line in qr_lines(url):
        assert line in daemon.output
    await daemon.line("everyone on this network can come in")
    assert not daemon.lines("on this network: chat")  # its endpoint was given
