"""A relay between clients and a daemon, whose connections a test can cut."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.address import IPv4Address
from twisted.internet.endpoints import serverFromString
from twisted.internet.protocol import connectionDone
from twisted.protocols.portforward import ProxyFactory, ProxyServer
from twisted.python.failure import Failure

reactor: Any = _reactor


class RelayedConnection(ProxyServer):
    """One connection."""

    factory: Relay

    def connectionMade(self) -> None:
        """A client has come."""
        self.factory.connections.add(self)
        super().connectionMade()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It has gone, or was cut."""
        self.factory.connections.discard(self)
        if self.peer is not None:
            super().connectionLost(reason)


class Relay(ProxyFactory):
    """
    @param port: of the daemon, on this machine.
    @ivar connections: those that there are now.
    """

    protocol = RelayedConnection

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port)
        self.noisy = False
        self.connections: set[RelayedConnection] = set()
        self._listening: Any = None

    async def open(self, port: int = 0) -> int:
        """Listen; on which port."""
        self._listening = await serverFromString(reactor, f"tcp:{port}:interface=127.0.0.1").listen(self)
        address = self._listening.getHost()
        assert isinstance(address, IPv4Address)
        return address.port

    def cut(self) -> None:
        """All connections are reset, in both directions."""
        for connection in list(self.connections):
            transport: Any = connection.transport
            transport.abortConnection()

    async def close(self) -> None:
        """Take no more, and cut those there are."""
        await self._listening.stopListening()
        self.cut()
