"""Tests of L{netplay.proxied}: connections that come through a proxy which says whose they are."""

from __future__ import annotations

from typing import Any

from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netplay.core import Core
from netplay.limits import Limits
from netplay.proxied import ProxiedEndpoint, ProxiedFactory
from netplay.web.feature import WebFeature
from tests.support import Link, Parrot, advance, connect

PROXY = "10.0.0.1"
LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"


def header(source: str) -> bytes:
    """Whose connection it is."""
    return f"PROXY TCP4 {source} 198.51.100.1 4711 8888\r\n".encode()


class ProxiedCase(SynchronousTestCase):
    """A daemon with one feature behind a proxy."""

    def setUp(self) -> None:
        self.clock = MemoryReactorClock()
        self.build()

    def build(self, **limits: Any) -> None:
        self.core = Core(self.clock, Limits(**limits))  # type: ignore[arg-type]
        self.parrot = Parrot(self.core)
        self.factory = ProxiedFactory(self.parrot.factory)

    def connect(self) -> Link:
        return connect(self.factory, self.clock, peer=PROXY)


class HeaderTests(ProxiedCase):
    """Nothing begins before the header is whole."""

    def test_the_greeting_waits_for_it_and_for_nothing_more(self) -> None:
        link = self.connect()
        self.assertEqual((self.parrot.sessions, link.taken), ([], b""))
        link.sends(header("192.0.2.7")[:20])
        self.assertEqual(self.parrot.sessions, [])
        link.sends(header("192.0.2.7")[20:])
        self.assertEqual([message["type"] for message in link.heard()], ["hello"])

    def test_what_comes_behind_it_is_heard(self) -> None:
        link = self.connect()
        link.sends(header("192.0.2.7") + b'{"type":"say","text":"hi"}\n')
        self.assertEqual([message["type"] for message in link.heard()], ["hello", "said"])

    def test_the_address_is_the_clients(self) -> None:
        link = self.connect()
        link.sends(header("192.0.2.7"))
        (connection,) = self.core.watch.connections
        self.assertEqual(connection.address, "192.0.2.7")

    def test_bytes_go_straight_to_the_socket(self) -> None:
        link = self.connect()
        link.sends(header("192.0.2.7"))
        (connection,) = self.core.watch.connections
        self.assertTrue(connection.outbox._eager)

    def test_addresses_count_apart(self) -> None:
        self.build(max_per_address=2)
        first = [self.connect() for _ in range(4)]
        for link, source in zip(first, ("192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.8"), strict=True):
            link.sends(header(source))
        self.assertEqual([link.heard()[0].get("code") for link in first], [None, None, "server_full", None])

    def test_those_that_go_make_room(self) -> None:
        self.build(max_per_address=1)
        for _ in range(3):
            link = self.connect()
            link.sends(header("192.0.2.7"))
            self.assertEqual(link.heard()[0]["type"], "hello")
            link.goes()
        self.assertEqual((self.core.gate.inside, self.core.gate._by_address), (0, {}))

    def test_one_turned_away_is_not_left_in_the_count(self) -> None:
        self.build(max_per_address=1)
        stays, late = self.connect(), self.connect()
        for link in (stays, late):
            link.sends(header("192.0.2.7"))
        late.goes()
        self.assertEqual((self.core.gate.inside, self.core.gate._by_address), (1, {"192.0.2.7": 1}))

    def test_bans_are_of_clients_not_of_the_proxy(self) -> None:
        self.core.moderation.sanctions.impose("ban", "network:192.0.2.7/32", None, None, "no", "ann", 0)
        links = [self.connect(), self.connect()]
        for link, source in zip(links, ("192.0.2.7", "192.0.2.8"), strict=True):
            link.sends(header(source))
        self.assertEqual([link.heard()[0].get("code") for link in links], ["banned", None])

    def test_a_check_of_health_counts_towards_the_whole_only(self) -> None:
        self.build(max_per_address=1)
        for words in (LOCAL, LOCAL, b"PROXY UNKNOWN\r\n"):
            link = self.connect()
            link.sends(words)
            self.assertEqual(link.heard()[0]["type"], "hello")
        self.assertEqual(self.core.gate.inside, 3)


class NoHeaderTests(ProxiedCase):
    """What a proxy would not do."""

    def test_anything_else_ends_it_and_is_counted(self) -> None:
        link = self.connect()
        link.sends(b'{"type":"say","text":"hi"}\n')
        self.assertTrue(link.lost)
        self.assertEqual((link.taken, self.parrot.sessions), (b"", []))
        self.assertEqual(self.core.complaints.total, {"proxy_header": 1})
        self.assertEqual(self.core.watch.connections, set())

    def test_10_seconds_for_it(self) -> None:
        self.core.watch.startService()
        link = self.connect()
        link.sends(header("192.0.2.7")[:10])
        advance(self.clock, 10)
        self.assertFalse(link.lost)
        advance(self.clock, 1)
        self.assertTrue(link.lost)
        self.assertEqual(self.core.gate.inside, 0)

    def test_a_proxy_that_only_looks_whether_the_port_is_open(self) -> None:
        link = self.connect()
        link.half_closes()
        self.assertTrue(link.lost)

    def test_without_a_place_it_is_told_before_it(self) -> None:
        self.build(max_connections=1)
        self.connect()
        late = self.connect()
        self.assertEqual([message["code"] for message in late.heard()], ["server_full"])

    def test_the_end_of_the_daemon_does_not_wait_for_it(self) -> None:
        link = self.connect()
        done = self.core.watch.drain("shutting_down", "bye")
        link.turns()
        self.successResultOf(done)


class WebTests(ProxiedCase):
    """The web port behind such a proxy: TLS is the proxy's, HTTP is ours."""

    def build(self, **limits: Any) -> None:
        self.core = Core(self.clock, Limits(**limits))  # type: ignore[arg-type]
        options = {parameter[0]: parameter[2] for parameter in WebFeature.parameters} | {"served": {"web": []}}
        self.factory = ProxiedFactory(WebFeature().build(options, self.core).factory)

    def test_a_request(self) -> None:
        link = self.connect()
        link.sends(header("192.0.2.7") + b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertTrue(link.taken.startswith(b"HTTP/1.1 404 "), link.taken)

    def test_one_for_whom_there_is_no_room_is_told_with_its_request(self) -> None:
        self.build(max_per_address=1)
        stays, late = self.connect(), self.connect()
        for link in (stays, late):
            link.sends(header("192.0.2.7") + b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertIn(b" 503 ", late.taken.split(b"\r\n")[0])

    def test_one_without_any_place_is_told_with_its_request(self) -> None:
        self.build(max_connections=1)
        stays, late = self.connect(), self.connect()
        for link in (stays, late):
            link.sends(header("192.0.2.7") + b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertIn(b" 503 ", late.taken.split(b"\r\n")[0])


class EndpointTests(SynchronousTestCase):
    """C{haproxy:}."""

    def listen(self, factory: Any) -> Any:
        reactor = MemoryReactorClock()
        endpoint = ProxiedEndpoint(TCP4ServerEndpoint(reactor, 8888))
        verifyObject(IStreamServerEndpoint, endpoint)
        self.successResultOf(endpoint.listen(factory))
        return reactor.tcpServers[0][1]

    def test_our_connections_read_the_header_themselves(self) -> None:
        parrot = Parrot(Core(MemoryReactorClock(), Limits()))  # type: ignore[arg-type]
        self.assertIsInstance(self.listen(parrot.factory), ProxiedFactory)

    def test_those_of_others_are_wrapped(self) -> None:
        factory = Factory.forProtocol(Protocol)
        self.assertIs(self.listen(factory).wrappedFactory, factory)

    def test_the_wrapped_factory_starts_and_stops(self) -> None:
        parrot = Parrot(Core(MemoryReactorClock(), Limits()))  # type: ignore[arg-type]
        factory = ProxiedFactory(parrot.factory)
        factory.doStart()
        self.assertEqual(parrot.factory.numPorts, 1)
        factory.doStop()
        self.assertEqual(parrot.factory.numPorts, 0)
