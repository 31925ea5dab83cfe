"""Endpoints behind a proxy that speaks the PROXY protocol, as C{haproxy:} names them."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.protocols.haproxy import proxyEndpoint
from zope.interface import implementer

from netplay.connection import Connection, ConnectionFactory


@implementer(IStreamServerEndpoint)
class ProxiedEndpoint:
    """
    Twisted's own puts a protocol around ours, which would hide the socket from the outbox and is silent about when
    the header came. Our connections read it themselves; those of others are left to Twisted.

    @param endpoint: where the proxy connects to.
    """

    def __init__(self, endpoint: IStreamServerEndpoint) -> None:
        self._endpoint = endpoint

    def listen(self, factory: IProtocolFactory) -> Deferred[IListeningPort]:
        """Accept the connections of the proxy."""
        if isinstance(factory, ConnectionFactory):
            return self._endpoint.listen(ProxiedFactory(factory))
        port: Deferred[IListeningPort] = proxyEndpoint(self._endpoint).listen(factory)
        return port


class ProxiedFactory(Factory):
    """
    Builds connections that wait for the header.

    @param wrapped: builds them.
    """

    noisy = False

    def __init__(self, wrapped: ConnectionFactory) -> None:
        self._wrapped = wrapped

    def doStart(self) -> None:
        """The port is open."""
        self._wrapped.doStart()

    def doStop(self) -> None:
        """The port is closed."""
        self._wrapped.doStop()

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        """One for each connection of the proxy."""
        connection = self._wrapped.buildProtocol(addr)
        connection.expect_header()
        return connection
