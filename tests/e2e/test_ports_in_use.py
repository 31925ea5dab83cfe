"""Ports that are taken: all of them in one line, with what to type instead, and it is true."""

from __future__ import annotations

import re
import shlex
import socket
from collections.abc import Iterator, Sequence

import pytest
from pytest_twisted import ensureDeferred

from tests.e2e.daemon import NETPLAY_RUN, TWIST, TWISTD, Daemons, anywhere, at_work_in, gone

LINE = re.compile(r"netplay: cannot listen on (.*); use instead: (.*)$")


@pytest.fixture
def taken() -> Iterator[list[str]]:
    """Two endpoints whose ports somebody else listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    yield [f"tcp:{sock.getsockname()[1]}:interface=127.0.0.1" for sock in sockets]
    for sock in sockets:
        sock.close()


def advice(output: str, *taken: str, because: str = "address already in use") -> list[str]:
    """The options that the one line offers, which names all that is taken."""
    said = [match for line in output.splitlines() if (match := LINE.search(line))]
    assert len(said) == 1, output
    assert "Traceback" not in output
    assert said[0][1] == ", ".join(f"{endpoint} ({because})" for endpoint in taken)
    return shlex.split(said[0][2])


@pytest.mark.parametrize("command", [TWISTD, TWIST, NETPLAY_RUN], ids=lambda command: command[0])
@ensureDeferred
async def test_in_the_foreground(daemons: Daemons, taken: Sequence[str], command: tuple[str, ...]) -> None:
    game, chat = taken
    others = anywhere("game", "chat")
    status, output = await daemons.run(*command, *others, "--game", game, "--chat", chat)
    assert status not in (0, None)
    pasted = advice(output, f"--game {game}", f"--chat {chat}")
    assert pasted[::2] == ["--game", "--chat"]
    assert "try it" not in output
    assert not list(daemons.directory.iterdir())

    daemon = await daemons.spawn(*command, *others, *pasted).ready()
    for feature, endpoint in zip(("game", "chat"), pasted[1::2], strict=True):
        address = daemon.addresses[feature][0]
        assert endpoint == f"tcp:{address.port}:interface=127.0.0.1"
        await (await daemon.client(feature)).settled()


@ensureDeferred
async def test_daemonized(daemons: Daemons, taken: Sequence[str]) -> None:
    game, chat = taken
    status, output = await daemons.run(
        *("twistd", "--pidfile", "netplay.pid", "--logfile", "netplay.log", "netplay"),
        *(*anywhere("game", "chat"), "--game", game, "--chat", chat),
    )
    assert status not in (0, None)
    assert "cannot listen on --game" in output  # twistd has room for 100 bytes here, and says where the rest is
    assert "look at log file" in output
    for pid in at_work_in(daemons.directory):
        await gone(pid)
    advice((daemons.directory / "netplay.log").read_text(), f"--game {game}", f"--chat {chat}")
    assert not (daemons.directory / "netplay.pid").exists()


@ensureDeferred
async def test_from_a_tac_file(daemons: Daemons, taken: Sequence[str]) -> None:
    tac = daemons.directory / "netplay.tac"
    tac.write_text(
        "from twisted.application.service import Application\n"
        "from netplay.tap import Options, makeService\n"
        "options = Options()\n"
        f"options.parseOptions({[*anywhere('chat'), '--chat', taken[0]]})\n"
        'application = Application("netplay")\n'
        "makeService(options).setServiceParent(application)\n"
    )
    status, output = await daemons.run("twistd", "-n", "--pidfile=", "-y", tac)
    assert status not in (0, None)
    advice(output, f"--chat {taken[0]}")


@ensureDeferred
async def test_a_unix_socket_is_taken_too(daemons: Daemons) -> None:
    path = daemons.directory / "chat.sock"
    await daemons.start("--chat", f"unix:{path}")
    status, output = await daemons.run(*TWISTD, *anywhere("chat"), "--chat", f"unix:{path}:mode=600")
    assert status not in (0, None)
    pasted = advice(output, f"--chat unix:{path}:mode=600", because="cannot acquire lock")
    assert pasted == ["--chat", f"unix:{path}.2:mode=600"]


@ensureDeferred
async def test_a_unix_socket_that_a_killed_daemon_left_behind_is_not(daemons: Daemons) -> None:
    path = daemons.directory / "chat.sock"
    killed = await daemons.start("--chat", f"unix:{path}")
    killed.kill()
    await killed.ended()
    assert path.is_socket()
    daemon = await daemons.start("--chat", f"unix:{path}")
    await (await daemon.client("chat")).settled()


@ensureDeferred
async def test_a_port_that_is_not_ours_to_open(daemons: Daemons) -> None:
    somewhere_else = "tcp:0:interface=192.0.2.1"
    status, output = await daemons.run(*TWISTD, *anywhere("chat"), "--chat", somewhere_else)
    assert status not in (0, None)
    assert f"netplay: cannot listen on --chat {somewhere_else} (cannot assign requested address)" in output
    assert "Traceback" not in output
