"""Tests of L{netplay.linkquality}."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from twisted.internet import endpoints
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netplay.linkquality import round_trip
from tests.support import make_certificate, make_folder


class Waiter(Protocol):
    """Says something, and fires once the other side has, and once the connection is over."""

    def __init__(self) -> None:
        self.heard: Deferred[None] = Deferred()
        self.over: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self.transport.write(b"hello")

    def dataReceived(self, data: bytes) -> None:
        self.heard.callback(None)

    def connectionLost(self, reason: Any = None) -> None:
        self.over.callback(None)


class RoundTripTests(TestCase):
    """The round-trip time of a connection to this machine."""

    @inlineCallbacks
    def connect(self, server: str, client: str) -> Generator[Deferred[Any], Any, tuple[Waiter, Waiter]]:
        """Both sides of a connection, when each has heard from the other."""
        from twisted.internet import reactor

        accepted = Waiter()
        port = yield endpoints.serverFromString(reactor, server).listen(Factory.forProtocol(lambda: accepted))
        self.addCleanup(port.stopListening)
        address = port.getHost()
        where = client.format(port=getattr(address, "port", None))
        endpoint = endpoints.clientFromString(reactor, where)
        if server.startswith("ssl:"):
            endpoint = endpoints.wrapClientTLS(CertificateOptions(), endpoint)
        dialled = yield endpoints.connectProtocol(endpoint, Waiter())
        self.addCleanup(lambda: dialled.over)
        self.addCleanup(dialled.transport.loseConnection)
        yield dialled.heard
        yield accepted.heard
        return accepted, dialled

    def assert_loopback(self, seconds: float | None) -> None:
        assert seconds is not None
        self.assertGreater(seconds, 0)
        self.assertLess(seconds, 1)

    @inlineCallbacks
    def test_tcp(self) -> Generator[Deferred[Any], Any, None]:
        accepted, dialled = yield self.connect("tcp:0:interface=127.0.0.1", "tcp:127.0.0.1:{port}")
        self.assert_loopback(round_trip(accepted.transport))
        self.assert_loopback(round_trip(dialled.transport))

    @inlineCallbacks
    def test_tls(self) -> Generator[Deferred[Any], Any, None]:
        pem = make_certificate(make_folder(self))
        accepted, dialled = yield self.connect(f"ssl:0:interface=127.0.0.1:privateKey={pem}", "tcp:127.0.0.1:{port}")
        self.assert_loopback(round_trip(accepted.transport))
        self.assert_loopback(round_trip(dialled.transport))

    @inlineCallbacks
    def test_a_unix_socket_has_none(self) -> Generator[Deferred[Any], Any, None]:
        path = make_folder(self) / "socket"
        accepted, _ = yield self.connect(f"unix:{path}", f"unix:{path}")
        self.assertIsNone(round_trip(accepted.transport))

    @inlineCallbacks
    def test_one_that_is_over_has_none(self) -> Generator[Deferred[Any], Any, None]:
        accepted, dialled = yield self.connect("tcp:0:interface=127.0.0.1", "tcp:127.0.0.1:{port}")
        dialled.transport.loseConnection()
        yield accepted.over
        self.assertIsNone(round_trip(accepted.transport))


class NoSocketTests(SynchronousTestCase):
    """Something that is no socket."""

    def test_it_has_none(self) -> None:
        self.assertIsNone(round_trip(StringTransport()))
