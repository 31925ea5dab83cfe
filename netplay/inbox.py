"""
All that came on plain sockets is read here, one after the other.

The reactor does a lot around each read of a socket: a log context, a frame for every layer of it. With many who say
little, as players do, this takes longer than to read and to understand what they say. So the inbox watches their
sockets in its place (an epoll within the reactor's, of which it is one descriptor), and does what comes of nearly
every read: it hands the bytes to the protocol. Whatever else there is to find, it leaves to the reactor.
"""

from __future__ import annotations

import select
from typing import Any

from twisted.internet import tcp, unix
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

MOST = 512
"""Sockets that are read before the reactor is asked again what else there is to do."""

_PLAIN = (tcp.Server, unix.Server)


@implementer(IReadDescriptor, IReactorFDSet)
class Inbox:
    """
    Reads for all connections of a daemon. To the reactor it is something that can be read; to a transport it is the
    reactor, which transports ask to watch them (IReactorFDSet).

    It is there for the reactor only while it watches somebody.
    """

    _log = Logger()

    def __init__(self) -> None:
        self._reactor: Any = None
        self._poll: Any = None
        self._transports: dict[int, Any] = {}

    def take(self, transport: Any) -> None:
        """
        A transport is read here from now on, if it is an accepted socket's own and the system can do that. TLS, and
        whatever else stands between the socket and the protocol, stays with the reactor.
        """
        if type(transport) in _PLAIN and hasattr(select, "epoll"):
            self._reactor = transport.reactor
            transport.stopReading()
            transport.reactor = self
            transport.startReading()

    # What transports ask of their reactor

    def addReader(self, transport: Any) -> None:
        """Watch it."""
        fd = transport.fileno()
        if fd not in self._transports:
            if self._poll is None:
                self._poll = select.epoll()
                self._reactor.addReader(self)
            self._poll.register(fd, select.EPOLLIN)
            self._transports[fd] = transport

    def removeReader(self, transport: Any) -> None:
        """Watch it no more, if it was."""
        fd = transport.fileno()
        if self._transports.pop(fd, None) is None:
            self._reactor.removeReader(transport)
            return
        self._poll.unregister(fd)
        if not self._transports:
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
        """Read from each that can be."""
        transports = self._transports
        for fd, events in self._poll.poll(0, MOST):
            transport = transports.get(fd)
            if transport is None:
                continue  # it was stopped by one before it
            data = b""
            if events == select.EPOLLIN:
                try:
                    data = transport.socket.recv(transport.bufferSize)
                except BlockingIOError:
                    continue
                except OSError:
                    pass
            if data:
                try:
                    transport.protocol.dataReceived(data)
                except Exception:  # one connection's trouble is not the others'
                    self._log.failure("while reading from a client")
                    transport.abortConnection()
            else:
                self._hand_back(transport)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor is at its end, and ends all that it watches."""
        for transport in list(self._transports.values()):
            transport.connectionLost(reason)

    def logPrefix(self) -> str:
        """ILoggingContext."""
        return "Inbox"

    def _hand_back(self, transport: Any) -> None:
        """It has come to its end, or failed: the reactor finds the same, and does what is to be done."""
        self.removeReader(transport)
        self._reactor.addReader(transport)

    def _close(self) -> None:
        self._reactor.removeReader(self)
        self._poll.close()
        self._poll = None
