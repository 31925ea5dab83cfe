"""Tests of L{netplay.client.addresses}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netplay.client.addresses import address
from netplay.client.wires import FrameWire, LineWire, WebSocketWire


class AddressTests(SynchronousTestCase):
    """Endpoint strings and URLs."""

    def test_an_endpoint_is_taken_as_it_is(self) -> None:
        place = address("tls:example.org:8888:timeout=3", "chat")
        self.assertEqual((place.endpoint, place.url), ("tls:example.org:8888:timeout=3", None))
        self.assertIsInstance(place.wire(), LineWire)

    def test_messagepack_at_an_endpoint_is_the_binary_port(self) -> None:
        for feature, kind in (("chat", 16), ("game", 17), ("ticker", 18)):
            wire = address("tcp:localhost:6000", feature, "msgpack").wire()
            self.assertIsInstance(wire, FrameWire)
            self.assertEqual(wire.opening(), bytes([0, 0, 0, 0, 0, kind]))

    def test_urls_lead_to_the_feature_unless_they_have_a_path(self) -> None:
        for where, endpoint, url in (
            ("ws://localhost:8080", "tcp:localhost:8080", "ws://localhost:8080/ws/chat"),
            ("ws://localhost/", "tcp:localhost:80", "ws://localhost/ws/chat"),
            ("wss://example.org/", "tls:example.org:443", "wss://example.org/ws/chat"),
            ("wss://example.org/net/ws/chat", "tls:example.org:443", "wss://example.org/net/ws/chat"),
            ("ws://[::1]:8080/", "tcp:\\:\\:1:8080", "ws://[::1]:8080/ws/chat"),
        ):
            with self.subTest(where=where):
                place = address(where, "chat", "msgpack")
                self.assertEqual((place.endpoint, place.url), (endpoint, url))
                self.assertIsInstance(place.wire(), WebSocketWire)

    def test_what_cannot_be_meant_says_what_can(self) -> None:
        for where, feature, codec, says in (
            ("http://localhost/", "chat", "json", "say for example ws://localhost:8080/"),
            ("ws:///ws/chat", "chat", "json", "has a host"),
            ("ws://ann:secret@localhost/", "chat", "json", "has a host"),
            ("tcp:localhost:8888", "chat", "xml", "say json or msgpack"),
            ("tcp:localhost:6000", "echo", "msgpack", "there are .*chat.*game.*ticker"),
        ):
            with self.subTest(where=where, codec=codec), self.assertRaisesRegex(ValueError, says):
                address(where, feature, codec)  # type: ignore[arg-type]
