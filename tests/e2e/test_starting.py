"""Every way to start the daemon, and what it says when it cannot be started like that."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.task import deferLater

from tests.e2e.clients import MessageClient
from tests.e2e.daemon import (
    ASYNCIO,
    CHECKOUT,
    FEATURES,
    LOCAL,
    NETPLAY_RUN,
    TWIST,
    TWISTD,
    Certificate,
    Daemon,
    Daemons,
    Ended,
    anywhere,
    gone,
    only,
)
from tests.e2e.daemon import reactor as the_reactor


async def greets(daemon: Daemon, *features: str) -> None:
    """Each of these answers as it should."""
    for feature in features:
        client: Any = await daemon.client(feature)
        if feature == "echo":
            client.write(b"hello")
            assert await client.bytes(5) == b"hello"
        elif feature == "binary":
            await client.settled()
        elif feature == "web":
            client.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await client.bytes(15)) == b"HTTP/1.1 200 OK"
        else:
            first = await client.get()
            assert first["type"] == ("state" if feature == "game" else "welcome")
            assert first["server"].startswith("netplay/")
            await client.settled()
        client.close()


@pytest.mark.parametrize(
    "command",
    [
        ("twistd", "-n", "netplay"),
        TWIST,
        NETPLAY_RUN,
        ASYNCIO,
        ("twist", "--reactor", "asyncio", "--log-format=text", "netplay"),
    ],
    ids=" ".join,
)
@ensureDeferred
async def test_in_the_foreground(daemons: Daemons, command: tuple[str, ...]) -> None:
    daemon = await daemons.start(command=command)
    if command[0] != "twist":  # which does not say
        assert ("AsyncioSelectorReactor" in daemon.output) == ("asyncio" in command)
    assert list(daemon.addresses) == list(FEATURES)
    await greets(daemon, *FEATURES)
    left = {path.name.partition("-")[0] for path in daemons.directory.iterdir()}
    pidfile = {"twistd.pid"} if command == ("twistd", "-n", "netplay") else set()
    assert left == {"netplay.sqlite", "netplay.sqlite.lock"} | pidfile
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == Ended(None, signal.SIGTERM)
    assert {path.name for path in daemons.directory.iterdir()} == {"netplay.sqlite", "netplay.sqlite.lock"}
    assert "Traceback" not in daemon.output


@pytest.mark.parametrize("reactor", ["default", "asyncio"])
@ensureDeferred
async def test_daemonized(daemons: Daemons, reactor: str) -> None:
    chosen = [] if reactor == "default" else ["--reactor", reactor]
    options = [*chosen, "--pidfile", "netplay.pid", "--logfile", "netplay.log", "netplay"]
    status, output = await daemons.run("twistd", *options, *anywhere())
    assert (status, output) == (0, "")
    pid = int((daemons.directory / "netplay.pid").read_text())
    daemons.look_after(pid)
    log = daemons.directory / "netplay.log"
    # The command ends when the ports are open, a moment before the reactor runs and says so.
    while "try it: " not in log.read_text():
        await deferLater(the_reactor, 0.05)
    seen = Daemon(daemons.directory)
    seen.output = log.read_text()
    await greets(seen, *FEATURES)

    os.kill(pid, signal.SIGTERM)
    assert await gone(pid)
    assert not (daemons.directory / "netplay.pid").exists()
    assert "Server Shut Down." in log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize(("name", "features"), [("everything", FEATURES), ("chat", ("chat",))])
@ensureDeferred
async def test_tac_files(daemons: Daemons, name: str, features: tuple[str, ...]) -> None:
    deployed = (CHECKOUT / "tac" / f"{name}.tac").read_text()
    # The real ports may be taken where tests run.
    elsewhere, ports = re.subn(r'"tcp:\d+"', f'"{LOCAL}"', deployed)
    assert ports == len(features)
    tac = daemons.directory / f"{name}.tac"
    tac.write_text(elsewhere)
    daemon = await daemons.spawn("twistd", "-n", "--pidfile=", "-y", tac).ready()
    assert list(daemon.addresses) == list(features)
    await greets(daemon, *features)
    if name == "everything":
        local = await daemon.client("chat", 1)
        assert (await local.get("welcome"))["you"]["id"] == "User_2"
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == Ended(None, signal.SIGTERM)


@ensureDeferred
async def test_the_log_has_an_address_a_line_and_ends_with_what_to_type(daemons: Daemons) -> None:
    daemon = await daemons.start()
    said = [line.partition("] ")[2] for line in daemon.lines(r"netplay\.daemon")]
    for feature, line in zip(FEATURES, said, strict=False):
        assert re.fullmatch(rf"{feature}: 127\.0\.0\.1 port \d+", line)
    port, web = daemon.addresses["chat"][0].port, daemon.addresses["web"][0].port
    assert said[len(FEATURES) :] == [
        f"try it: open http://localhost:{web}/ in a browser; or "
        f'type `nc localhost {port}` in another terminal, then paste {{"type": "chat", "text": "hello"}}'
    ]
    chat = await daemon.client("chat")
    chat.write(said[-1].partition("then paste ")[2].encode() + b"\n")
    assert (await chat.get("chat"))["message"] == "hello"


HELP = {
    "echo": "tcp:5000:interface=127.0.0.1",
    "binary": "tcp:6000:interface=127.0.0.1",
    "game": "tcp:5555:interface=127.0.0.1",
    "chat": "tcp:8888:interface=127.0.0.1",
    "ticker": "tcp:9999:interface=127.0.0.1",
    "web": "tcp:8080:interface=127.0.0.1",
    "admin": "off",
    "max-connections": "1000",
    "max-per-address": "100",
    "rate": "50",
    "state-rate": "20",
    "max-message": "65536",
    "send-queue": "1048576",
    "idle-timeout": "600",
    "ticker-interval": "1",
    "prices": "walk:",
    "store": "sqlite:netplay.sqlite",
    "keep-messages": "100000",
    "keep-days": "0",
}
UNITS = {
    "max-connections": "Connections",
    "max-per-address": "Connections",
    "rate": "Messages a second",
    "state-rate": "States a second",
    "max-message": "Bytes",
    "send-queue": "Bytes",
    "idle-timeout": "Seconds",
    "keep-messages": "Messages",
    "keep-days": "Days",
    "ticker-interval": "Seconds",
}


@pytest.mark.parametrize("command", [TWISTD, TWIST, NETPLAY_RUN], ids=lambda command: command[0])
@ensureDeferred
async def test_help_has_each_option_with_its_unit_and_default(daemons: Daemons, command: tuple[str, ...]) -> None:
    status, output = await daemons.run(*command, "--help")
    assert status == 0
    options = {
        match[1]: " ".join(match[2].split())
        for match in re.finditer(r"^ +--([a-z-]+)=? +((?:.*\n(?: {20,})?)+?)(?= +--|\n|\Z)", output, re.MULTILINE)
    }
    for name, default in HELP.items():
        assert f"[default: {default}]" in options[name], name
    for name, unit in UNITS.items():
        assert unit in options[name], name
    assert "several times" in options["without"]
    assert f"{'netplay run' if command is NETPLAY_RUN else 'netplay'} [options]" in output


WRONG = [
    ("--rate x", "--rate x", "--rate 50"),
    ("--rate -1", "--rate -1", "--rate 50"),
    ("--rate nan", "--rate nan", "--rate 50"),
    ("--max-connections 0", "--max-connections 0", "--max-connections 1000"),
    ("--max-connections 1.5", "--max-connections 1.5", "--max-connections 1000"),
    ("--max-message 12k", "--max-message 12k", "--max-message 65536"),
    ("--send-queue 1", "--send-queue 1", "--send-queue 1048576"),
    ("--idle-timeout -5", "--idle-timeout -5", "--idle-timeout 600"),
    ("--ticker-interval 0", "--ticker-interval 0", "--ticker-interval 1"),
    ("--state-rate 0", "--state-rate 0", "--state-rate 20"),
    ("--chat tcp:notaport", "--chat tcp:notaport", "tcp:8888"),
    ("--chat nosuch:1", "--chat nosuch:1", "tcp:8888"),
    ("--chat ssl:0:privateKey=/nonexistent", "--chat ssl:0", "tcp:8888"),
    ("--without nosuch", "--without nosuch", "echo, binary, game, chat, ticker, web, admin"),
    ("--store foo:", "--store foo:", "--store memory:"),
    ("--store memory:path", "--store memory:path", "--store memory:"),
    ("--store sqlite:", "--store sqlite:", "--store sqlite:netplay.sqlite"),
    ("--keep-messages 7", "--keep-messages 7", "--keep-messages 100000"),
    ("--keep-days -1", "--keep-days -1", "--keep-days 0"),
    ("--prices foo:", "--prices foo:", "--prices csv:PATH or push: or walk[:seed=N]"),
    ("--prices csv:/nonexistent", "/nonexistent", "csv:PATH"),
    ("--prices walk:seed=x", "seed", "walk:seed=7"),
    ("stray", "'stray'", "--help"),
    ("--nosuch", "nosuch", ""),
    ("--echo off --binary off --game off --chat off --ticker off --web off", "every port is off", "--echo tcp:5000"),
    (" ".join(f"--without {name}" for name in (*FEATURES, "admin")), "nothing is left", "--without"),
]


@pytest.mark.parametrize(("typed", "wrong", "instead"), WRONG, ids=[row[0] for row in WRONG])
@ensureDeferred
async def test_a_wrong_value_is_a_usage_error_that_says_what_to_type(
    daemons: Daemons, typed: str, wrong: str, instead: str
) -> None:
    status, output = await daemons.run(*TWISTD, *typed.split())
    assert status == 1
    assert "Traceback" not in output
    last = output.rstrip("\n").rpartition("\n")[2]
    assert wrong in last
    assert instead in last


@pytest.mark.parametrize("command", [TWIST, NETPLAY_RUN], ids=lambda command: command[0])
@pytest.mark.parametrize("typed", ["--rate x", "--prices csv:/nonexistent", "stray"])
@ensureDeferred
async def test_so_it_is_with_the_other_commands(daemons: Daemons, command: tuple[str, ...], typed: str) -> None:
    status, output = await daemons.run(*command, *typed.split())
    assert status not in (0, None)
    assert "Traceback" not in output
    assert typed.split()[-1].removeprefix("csv:") in output


@pytest.mark.parametrize("typed", [[], ["walk"], ["--nosuch"]], ids=str)
@ensureDeferred
async def test_netplay_says_what_to_type(daemons: Daemons, typed: list[str]) -> None:
    status, output = await daemons.run("netplay", *typed)
    assert status == 1
    assert "Traceback" not in output
    assert output.startswith("netplay: ")


@ensureDeferred
async def test_tcp_unix_and_tls_at_once(daemons: Daemons, certificate: Certificate) -> None:
    path = daemons.directory / "chat.sock"
    daemon = await daemons.start(
        *("--chat", LOCAL),
        *("--chat", f"unix:{path}:mode=600"),
        *("--chat", certificate.endpoint),
        *("--chat", "tcp6:0:interface=\\:\\:1"),
    )
    tcp, unix, tls, tcp6 = daemon.addresses["chat"]
    assert (tcp.host, unix.path, tls.host, tcp6.host) == ("127.0.0.1", str(path), "127.0.0.1", "[::1]")
    assert path.stat().st_mode & 0o777 == 0o600
    clients: list[MessageClient] = [
        await daemon.client("chat", 0),
        await daemon.client("chat", 1),
        await daemon.client("chat", 2, certificate=certificate),
    ]
    for at, client in enumerate(clients, 1):
        assert (await client.get("welcome"))["you"]["id"] == f"User_{at}"
    for at, client in enumerate(clients, 1):
        client.send(type="chat", text="hello")
        for listener in clients:
            assert (await listener.get("chat"))["user"] == f"User_{at}"
    daemon.signal(signal.SIGTERM)
    assert await daemon.ended() == Ended(None, signal.SIGTERM)
    assert not path.exists()


@ensureDeferred
async def test_a_port_that_is_off_leaves_its_feature_on_the_shared_wires(daemons: Daemons) -> None:
    daemon = await daemons.start("--chat", "off")
    assert list(daemon.addresses) == ["echo", "binary", "game", "ticker", "web"]
    binary = await daemon.client("binary")
    binary.frame(32)
    assert (await binary.get("welcome", frame=32))["room"] == "general"


@ensureDeferred
async def test_a_feature_left_out_is_nowhere(daemons: Daemons) -> None:
    daemon = await daemons.start("--without", "chat", "--without", "ticker")
    assert list(daemon.addresses) == ["echo", "binary", "game", "web"]
    assert daemon.lines(r"try it: .*paste anything")
    binary = await daemon.client("binary")
    binary.frame(32, b"{}")
    assert (await binary.get(frame=0))["code"] == "unavailable"


@ensureDeferred
async def test_real_prices_from_a_file(daemons: Daemons) -> None:
    table: Path = daemons.directory / "prices.csv"
    table.write_text("symbol,date,price\nMSFT,Jan 1 2000,39.81\nMSFT,Feb 1 2000,36.35\nIBM,Jan 1 2000,100.52\n")
    options = only("ticker")
    daemon = await daemons.spawn(*TWISTD, *options, "--prices", f"csv:{table}", "--ticker-interval", "0.05").ready()
    ticker = await daemon.client("ticker")
    assert (await ticker.get("welcome"))["available_stocks"] == ["MSFT", "IBM"]
    ticker.send(type="subscribe", symbols=["MSFT"])
    await ticker.get("snapshot")
    seen = [(await ticker.get("price_update"))["updates"]["MSFT"]["price"] for _ in range(4)]
    assert seen in ([36.35, 39.81, 36.35, 39.81], [39.81, 36.35, 39.81, 36.35])
