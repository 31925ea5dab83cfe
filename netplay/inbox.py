"""
All that came on plain sockets is read here, one after the other.

The reactor does a lot around each read of a socket: a log context, a frame for every layer of it. With many who say
little, as players do, this takes longer than to read and to understand what they say. So the inbox watches their
sockets in its place (an epoll within the reactor's, of which it is one descriptor), and does what comes of nearly
every read: it hands the bytes to the protocol. Whatever else there is to find, it leaves to the reactor.
"""

from __future__ import annotations

import select
from typing import Any, NamedTuple

from twisted.internet import tcp, unix
from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

MOST = 512
"""Sockets that are read before the reactor is asked again what else there is to do."""

SMALL = 4096
"""Bytes read at once: to make room for 64 KiB takes longer than to read the few that most messages have."""

LARGE = 65536
"""Bytes read at once from who has sent as many as that at once."""

PATIENCE = 0.005
"""Seconds that an inbox waits which may."""


class Watched(NamedTuple):
    """
    A socket that is read. What it takes for that lies side by side here: with thousands of sockets, whatever else is
    looked at is no longer in the processor's cache.

    @ivar size: the most bytes to read at once.
    """

    socket: Any
    protocol: Any
    size: int
    transport: Any


READABLE = getattr(select, "EPOLLIN", 0)
"""And nothing else to be said of a socket."""

_PLAIN = (tcp.Server, unix.Server)


@implementer(IReadDescriptor, IReactorFDSet)
class Inbox:
    """
    Reads for connections of a daemon. To the reactor it is something that can be read; to a transport it is the
    reactor, which transports ask to watch them (IReactorFDSet).

    It is there for the reactor only while it watches somebody. With patience it reads at once when nothing came for a
    while, and after that only every so often, as long as something comes: what is read together costs a fraction of
    what it does one at a time, when the processor has slept or done other things in between. Network cards and their
    drivers do the same, see U{NAPI<https://docs.kernel.org/networking/napi.html>}.

    @param patience: seconds that what comes may wait.
    """

    _log = Logger()

    def __init__(self, patience: float = 0.0) -> None:
        self._patience = patience
        self._reactor: Any = None
        self._poll: Any = None
        self._pause: IDelayedCall | None = None
        self._watched: dict[int, Watched] = {}

    def take(self, transport: Any) -> None:
        """
        A transport is read here from now on, if it is an accepted socket's own and the system can do that. TLS, and
        whatever else stands between the socket and the protocol, stays with the reactor.
        """
        if type(transport) not in _PLAIN or not transport.connected or not hasattr(select, "epoll"):
            return
        before = transport.reactor
        if isinstance(before, Inbox):
            self._reactor = before._reactor
            is_read = transport.fileno() in before._watched
        else:
            self._reactor = before
            is_read = True
        if is_read:
            before.removeReader(transport)
        transport.reactor = self
        if is_read:
            self.addReader(transport)

    # What transports ask of their reactor

    def addReader(self, transport: Any) -> None:
        """Watch it."""
        fd = transport.fileno()
        if fd not in self._watched:
            if self._poll is None:
                self._poll = select.epoll()
                self._reactor.addReader(self)
            self._poll.register(fd, READABLE)
            self._watched[fd] = Watched(transport.socket, transport.protocol, SMALL, transport)

    def removeReader(self, transport: Any) -> None:
        """Watch it no more, if it was."""
        fd = transport.fileno()
        if self._watched.pop(fd, None) is None:
            self._reactor.removeReader(transport)
            return
        self._poll.unregister(fd)
        if not self._watched:
            self._close()

    def __getattr__(self, name: str) -> Any:
        """All else is for the reactor itself."""
        return getattr(self._reactor, name)

    # What the reactor asks of a descriptor

    def fileno(self) -> int:
        """Of the epoll, which can be read when any of the sockets can."""
        fd: int = -1 if self._poll is None else self._poll.fileno()
        return fd

    def doRead(self) -> None:
        """Something came."""
        self._read()
        if self._patience and self._poll is not None:
            self._reactor.removeReader(self)
            self._wait()

    def connectionLost(self, reason: Failure) -> None:
        """The reactor is at its end, and ends all that it watches."""
        for watched in list(self._watched.values()):
            watched.transport.connectionLost(reason)

    def logPrefix(self) -> str:
        """ILoggingContext."""
        return "Inbox"

    # Reading

    def _read(self) -> bool:
        """
        Read from each that can be. Returns whether there were any.

        Then all of it is handed over, so that first the kernel's code and then ours is in the processor's cache. A
        protocol that is stopped by one before it is still handed what was read.
        """
        all_watched = self._watched
        came = []
        found = self._poll.poll(0, MOST)
        for fd, events in found:
            watched = all_watched.get(fd)
            if watched is None:
                continue
            socket, protocol, size, transport = watched
            data = b""
            if events == READABLE:
                try:
                    data = socket.recv(size)
                except BlockingIOError:
                    continue
                except OSError:
                    pass
            if not data:
                self._hand_back(transport)
                continue
            if len(data) == SMALL:
                all_watched[fd] = watched._replace(size=LARGE)
            came.append((protocol, data, transport))
        for protocol, data, transport in came:
            try:
                protocol.dataReceived(data)
            except Exception:  # one connection's trouble is not the others'
                self._log.failure("while reading from a client")
                transport.abortConnection()
        return bool(found)

    def _wait(self) -> None:
        self._pause = self._reactor.callLater(self._patience, self._look)

    def _look(self) -> None:
        """Read on while there is something; otherwise the reactor says when there is."""
        self._pause = None
        found = self._read()
        if self._poll is None:
            return
        if found:
            self._wait()
        else:
            self._reactor.addReader(self)

    def _hand_back(self, transport: Any) -> None:
        """It has come to its end, or failed: the reactor finds the same, and does what is to be done."""
        self.removeReader(transport)
        self._reactor.addReader(transport)

    def _close(self) -> None:
        self._reactor.removeReader(self)
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        self._poll.close()
        self._poll = None
