"""The daemon under test: a process, what it writes, how it ends, and clients of it."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any, TypeVar

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    TCP4ClientEndpoint,
    UNIXClientEndpoint,
    connectProtocol,
    wrapClientTLS,
)
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.ssl import Certificate as TrustedCertificate
from twisted.internet.ssl import optionsForClientTLS
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure

from tests.certificates import self_signed_pem
from tests.e2e.clients import PATIENCE, Changing, Client, client_for

reactor: Any = _reactor
C = TypeVar("C", bound=Client)
D = TypeVar("D", bound="Daemon")

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
FEATURES = ("echo", "binary", "game", "chat", "ticker", "web")
LOCAL = "tcp:0:interface=127.0.0.1"

TWISTD = ("twistd", "-n", "--pidfile=", "netplay")
ASYNCIO = ("twistd", "-n", "--pidfile=", "--reactor", "asyncio", "netplay")
TWIST = ("twist", "--log-format=text", "netplay")  # its own choice, where there is no terminal, is JSON
NETPLAY_RUN = ("netplay", "run")

_ADDRESS = re.compile(r"\b(\w+): (?:(?P<host>\S+) port (?P<port>\d+)|unix socket (?P<path>\S+))$", re.MULTILINE)


def anywhere(*without: str) -> list[str]:
    """Options that put every feature, but for those named, on a port of the system's choice."""
    return [word for feature in FEATURES if feature not in without for word in (f"--{feature}", LOCAL)]


def only(*features: str) -> list[str]:
    """Options that leave out all other features, and put these on a port of the system's choice."""
    others = [f"--without={feature}" for feature in FEATURES if feature not in features]
    return [*others, *(word for feature in features for word in (f"--{feature}", LOCAL))]


@dataclass(frozen=True)
class Address:
    """Where a feature listens, as the log says."""

    host: str | None = None
    port: int = 0
    path: str | None = None


@dataclass(frozen=True)
class Ended:
    """How a process ended: with an exit status, or by a signal."""

    status: int | None
    signal: int | None


class Daemon(Changing, ProcessProtocol):
    """
    One process.

    @param directory: where it is started.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory
        self.output = ""
        self.end: Ended | None = None
        self.clients: list[Client] = []
        self._sockets: list[socket] = []

    # The process

    def outReceived(self, data: bytes) -> None:
        """Standard output and standard error are taken as one."""
        self.output += data.decode(errors="backslashreplace")
        self.changed()

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        """It is gone, and all that it wrote has been read."""
        error: Any = reason.value
        self.end = Ended(0, None) if isinstance(error, ProcessDone) else Ended(error.exitCode, error.signal)
        self.changed()

    def described(self) -> str:
        """For the message of a test that waited in vain."""
        return f"process {self.end or 'is running'}, it wrote:\n{self.output}"

    @property
    def pid(self) -> int:
        """Of the process."""
        pid = self.transport.pid  # type: ignore[union-attr]
        assert pid is not None, self.described()
        return int(pid)

    def signal(self, which: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, which)

    def kill(self) -> None:
        """End it whatever it does."""
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")  # type: ignore[union-attr]

    async def ended(self, timeout: float = PATIENCE) -> Ended:
        """Wait for its end."""
        return await self.until(lambda: self.end, "its end", timeout)

    async def line(self, pattern: str, timeout: float = PATIENCE, *, after: int = 0) -> re.Match[str]:
        """Wait for a line that the pattern is found in, in what it wrote from C{after} on."""
        compiled = re.compile(pattern)

        def found() -> re.Match[str] | None:
            for line in self.output[after:].split("\n")[:-1]:  # whole lines only
                if match := compiled.search(line):
                    return match
            if self.end is not None:
                raise AssertionError(f"it ended without a line like {pattern!r}; {self.described()}")
            return None

        return await self.until(found, f"a line like {pattern!r}", timeout)

    def lines(self, pattern: str, *, after: int = 0) -> list[str]:
        """The lines so far that the pattern is found in."""
        return [line for line in self.output[after:].split("\n") if re.search(pattern, line)]

    async def ready(self) -> Daemon:
        """Wait until it serves."""
        await self.line(r"try it: ")
        return self

    @property
    def addresses(self) -> dict[str, list[Address]]:
        """By feature, in the order of its endpoints."""
        return addresses_in(self.output)

    # Clients of it

    async def client(self, feature: str, at: int = 0, *, certificate: Certificate | None = None) -> Any:
        """Connect to the feature's own port (to the one at C{at}, of several)."""
        return await self.connect(client_for(feature), feature, at, certificate=certificate)

    async def connect(
        self,
        client: C,
        feature: str,
        at: int = 0,
        *,
        certificate: Certificate | None = None,
        source: str | None = None,
    ) -> C:
        """Connect this client."""
        address = self.addresses[feature][at]
        endpoint: Any
        if address.path is not None:
            endpoint = UNIXClientEndpoint(reactor, str(self.directory / address.path))
        else:
            bind = None if source is None else (source, 0)
            endpoint = TCP4ClientEndpoint(reactor, address.host, address.port, bindAddress=bind)
        if certificate is not None:
            endpoint = wrapClientTLS(certificate.for_clients(), endpoint)
        self.clients.append(client)
        await connectProtocol(endpoint, client)
        return client

    def keep(self, sock: socket) -> None:
        """A plain socket to it; it is closed after the test."""
        self._sockets.append(sock)

    def leave(self) -> None:
        """Close all connections to it."""
        for client in self.clients:
            client.abort()
        for sock in self._sockets:
            sock.close()

    # What it costs

    def memory(self, which: str = "VmRSS") -> int:
        """Bytes of memory now (C{VmRSS}), or at the worst (C{VmHWM})."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(rf"{which}:\s+(\d+) kB", status)
        assert found is not None
        return int(found.group(1)) * 1024

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def descriptors(self) -> int:
        """How many file descriptors it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))


class Daemons:
    """
    All processes of one test.

    @param directory: an empty one, in which they start.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._all: list[Daemon] = []
        self._elsewhere: list[int] = []

    def spawn(self, *words: str | Path, directory: Path | None = None, bin: Path = BIN) -> Daemon:
        """Start a command as a user would type it."""
        return self.spawn_as(Daemon, *words, directory=directory, bin=bin)

    def spawn_as(self, kind: type[D], *words: str | Path, directory: Path | None = None, bin: Path = BIN) -> D:
        """The same, of a server that may not be ours."""
        command = [str(word) for word in words]
        environment = {
            "PATH": f"{bin}{os.pathsep}{os.defpath}",
            "HOME": str(self.directory),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
        }
        executable = shutil.which(command[0], path=environment["PATH"])
        assert executable is not None, f"there is no {command[0]} in {bin}"
        daemon = kind(directory or self.directory)
        self._all.append(daemon)
        reactor.spawnProcess(daemon, executable, command, environment, str(daemon.directory))
        return daemon

    async def start(self, *options: str, command: Sequence[str] = TWISTD) -> Daemon:
        """Start a daemon with all features on ports of the system's choice, but where C{options} name others."""
        named = {word.removeprefix("--") for word in options}
        return await self.spawn(*command, *anywhere(*named), *options).ready()

    async def run(self, *words: str | Path, directory: Path | None = None, bin: Path = BIN) -> tuple[int | None, str]:
        """Run a command to its end; its exit status and all that it wrote."""
        daemon = self.spawn(*words, directory=directory, bin=bin)
        ended = await daemon.ended(60)
        return ended.status, daemon.output

    def look_after(self, pid: int) -> None:
        """A process that is no child of ours; it ends with the test, too."""
        self._elsewhere.append(pid)

    async def clean_up(self) -> None:
        """End all that still run, and all connections to them."""
        for pid in self._elsewhere:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for daemon in self._all:
            if daemon.end is None:
                daemon.kill()
            await daemon.ended()
            daemon.leave()


def addresses_in(log: str) -> dict[str, list[Address]]:
    """The addresses that a log tells."""
    found: dict[str, list[Address]] = {}
    for match in _ADDRESS.finditer(log):
        address = Address(match["host"], int(match["port"] or 0), match["path"])
        found.setdefault(match.group(1), []).append(address)
    return found


def at_work_in(directory: Path) -> list[int]:
    """The processes whose working directory this is, such as a daemon that has let its parent go."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it is over, or somebody else's
            if (process / "cwd").resolve() == directory.resolve():
                found.append(int(process.name))
    return found


def gone(pid: int, timeout: float = PATIENCE) -> Deferred[bool]:
    """Wait for the end of a process that is no child of ours; whether it has ended in time."""

    def wait() -> bool:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            return bool(poll.poll(timeout * 1000))
        finally:
            os.close(descriptor)

    return deferToThread(wait)


@dataclass(frozen=True)
class Certificate:
    """A private key and a certificate, in files."""

    key: Path
    chain: Path

    @property
    def endpoint(self) -> str:
        """TLS on a port of the system's choice."""
        return f"ssl:0:interface=127.0.0.1:privateKey={self.key}:certKey={self.chain}"

    def for_clients(self) -> Any:
        """What makes clients trust it, and nothing else."""
        return optionsForClientTLS("localhost", trustRoot=TrustedCertificate.loadPEM(self.chain.read_bytes()))


def self_signed(directory: Path) -> Certificate:
    """Make a certificate for C{localhost} that signs itself."""
    made = Certificate(directory / "key.pem", directory / "cert.pem")
    key, certificate = self_signed_pem()
    made.key.write_bytes(key)
    made.chain.write_bytes(certificate)
    return made
