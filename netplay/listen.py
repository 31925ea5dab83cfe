"""The daemon's open doors: endpoints that open together or not at all, and that survive running out of descriptors."""

from __future__ import annotations

import errno
import os
import re
import shlex
import socket
import tempfile
from collections.abc import Iterable
from typing import Any

from twisted.application.internet import StreamServerEndpointService
from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IReactorTime, IStreamServerEndpoint
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger

from netplay.accepting import AcceptGuard

SOCKET_OPTIONS = (
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 30),
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 10),
    (socket.IPPROTO_TCP, "TCP_KEEPCNT", 3),
    (socket.IPPROTO_TCP, "TCP_NODELAY", 1),  # a turn's messages leave together already; waiting for more is only delay
    # What the kernel holds unsent of prices and positions cannot be merged any more.
    (socket.IPPROTO_TCP, "TCP_NOTSENT_LOWAT", 128 * 1024),
)
"""
Socket options of listening sockets, inherited by those accepted from them. A dead peer is found after about a minute.

TCP_USER_TIMEOUT would also end peers that live but read slowly.
"""


class PortsInUse(CannotListenError):
    """Some endpoints could not be opened; the message is the one line that the user needs."""

    def __init__(self, line: str) -> None:
        super().__init__(None, None, OSError(line))
        self.line = line

    def __str__(self) -> str:
        return self.line


class Door(Service):
    """
    One listening endpoint.

    @param option: the option that moves it, such as C{--chat}.
    @param description: the endpoint as the user wrote it.
    """

    _log = Logger()

    def __init__(
        self,
        option: str,
        description: str,
        endpoint: IStreamServerEndpoint,
        factory: IProtocolFactory,
        clock: IReactorTime,
    ) -> None:
        self.option = option
        self.description = description
        self._service = StreamServerEndpointService(endpoint, factory)
        self._service._raiseSynchronously = True
        self._clock = clock
        self._guard: AcceptGuard | None = None

    def privilegedStartService(self) -> None:
        """
        Open it.

        @raise CannotListenError: it cannot be.
        """
        super().privilegedStartService()
        self._service.privilegedStartService()
        waiting: Any = self._service._waitingForPort
        waiting.addCallback(self._opened)

    def startService(self) -> None:
        """Open it unless that was done already."""
        super().startService()
        if self._service._waitingForPort is None:
            self.privilegedStartService()
        self._service.startService()

    def stopService(self) -> Deferred[Any]:
        """Close it."""
        super().stopService()
        if self._guard is not None:
            self._guard.stop()
        stopped: Deferred[Any] = self._service.stopService()
        return stopped

    def shut(self) -> None:
        """Close it now. A port that is asked to stop does so in the reactor's next turn, and there may be none."""
        opened: Any = self._service._waitingForPort
        opened.result.connectionLost(connectionDone)
        self.stopService()

    @property
    def address(self) -> str:
        """Where it really listens, as a person would write it."""
        port = self._service._waitingForPort.result if self._service._waitingForPort else None
        return _readable(port) if port is not None else self.description

    def _opened(self, port: Any) -> Any:
        listening = getattr(port, "socket", None)
        if listening is not None and listening.family in (socket.AF_INET, socket.AF_INET6):
            for level, name, value in SOCKET_OPTIONS:
                try:
                    listening.setsockopt(level, getattr(socket, name), value)
                except (AttributeError, OSError):
                    self._log.debug("{option}: there is no {name} here", option=self.option, name=name)
        if hasattr(port, "_logger"):
            self._guard = port._logger = AcceptGuard(port, self._clock)
        return port


def _readable(port: IListeningPort) -> str:
    host: Any = port.getHost()
    name = getattr(host, "name", None)
    if name is not None:
        return f"unix socket {name.decode() if isinstance(name, bytes) else name}"
    shown = f"[{host.host}]" if ":" in host.host else host.host
    return f"{shown} port {host.port}"


class Doors(MultiService):
    """All listening endpoints of the daemon."""

    def __init__(self, doors: Iterable[Door]) -> None:
        super().__init__()
        for door in doors:
            door.setServiceParent(self)
        self._opened = False

    def privilegedStartService(self) -> None:
        """
        Open them all.

        @raise PortsInUse: with all that could not be opened, and what to type instead. None is open then.
        """
        self._opened = True
        self.privilegedStarted = True
        failed: list[tuple[Any, CannotListenError]] = []
        opened: list[Any] = []
        for door in self:
            try:
                door.privilegedStartService()
            except CannotListenError as error:
                failed.append((door, error))
            except (OSError, OverflowError) as error:  # the folder of a unix socket; a port above 65535
                failed.append((door, CannotListenError(None, door.description, error)))
            else:
                opened.append(door)
        if failed:
            for door in opened:
                door.shut()
            raise PortsInUse(_how_to_avoid(failed))

    def startService(self) -> None:
        """Open them, unless that was done already."""
        if not self._opened:
            self.privilegedStartService()
        super().startService()

    def shut(self) -> None:
        """Close them all now: what they were to lead to did not come about."""
        for door in self:
            door.shut()


def _how_to_avoid(failed: list[tuple[Door, CannotListenError]]) -> str:
    reasons = ", ".join(f"{door.option} {door.description} ({_reason(error)})" for door, error in failed)
    options = " ".join(f"{door.option} {shlex.quote(_instead(door.description, error))}" for door, error in failed)
    return f"cannot listen on {reasons}; use instead: {options}"


def _instead(description: str, error: CannotListenError) -> str:
    """Another port does not help where it is the address that is wrong."""
    cause = error.socketError
    if isinstance(cause, socket.gaierror) or getattr(cause, "errno", None) == errno.EADDRNOTAVAIL:
        loopback = r"\:\:1" if description.startswith("tcp6") else "127.0.0.1"
        return re.sub(r"interface=(?:\\.|[^:\\])*", lambda _: f"interface={loopback}", description)
    return free_endpoint(description)


def _reason(error: CannotListenError) -> str:
    cause = error.socketError
    return (cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)).lower()


def free_endpoint(description: str) -> str:
    """The same endpoint with a port that is free just now (another path, for a unix socket)."""
    parts = re.split(r"(?<!\\):", description)
    unix = "unix" in parts[:2]  # the second, behind haproxy
    for at, part in enumerate(parts[1:], 1):
        if unix and part != "unix" and ("=" not in part or part.startswith("address=")):
            parts[at] = _free_path(part)
            break
        if not unix and (part.isdigit() or part.startswith("port=")):
            parts[at] = part[: -len(part.rpartition("=")[2])] + _free_port()
            break
    return ":".join(parts)


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def _free_path(path: str) -> str:
    folder, slash, name = path.removeprefix("address=").rpartition("/")
    if slash and not os.access(folder or "/", os.W_OK):
        return f"{tempfile.gettempdir()}/{name}"
    return f"{path}.2"
