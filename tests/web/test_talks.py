"""Tests of L{netplay.web.talks}: what the contract of the features does not say of the socket that they share."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from tests.features import (
    BINARY,
    TEXT,
    House,
    PackedSharedWebSocketClient,
    PackedWebSocketClient,
    SharedWebSocketClient,
    WebSocketClient,
    masked,
)


class SharedTests(SynchronousTestCase):
    """C{/ws}"""

    def setUp(self) -> None:
        self.house = House()

    def refused(self, client: WebSocketClient, payload: bytes) -> tuple[str, str | None]:
        """Code and field of the one error that comes of a message; the connection goes on."""
        client.received()
        client.feed(masked(client.opcode, payload))
        [error] = client.received()
        self.assertEqual(error["type"], "error")
        self.assertEqual(client.ask("ping")["type"], "pong")
        self.assertEqual(self.flushLoggedErrors(), [])
        return error["code"], error.get("field")

    def test_no_feature(self) -> None:
        client = SharedWebSocketClient(self.house, "chat")
        for payload in (b"{}", b'{"type":"ping"}', b'{"feature":7}', b'{"feature":"%b"}' % (b"x" * 33)):
            self.assertEqual(self.refused(client, payload), ("bad_message", "$.feature"), payload)

    def test_no_object_and_nothing_that_can_be_read(self) -> None:
        client = SharedWebSocketClient(self.house, "chat")
        self.assertEqual(self.refused(client, b"[]"), ("bad_message", None))
        self.assertEqual(self.refused(client, b"{"), ("bad_json", None))

    def test_keys_that_are_no_text(self) -> None:
        client = PackedSharedWebSocketClient(self.house, "chat")
        feature, chat = map(msgspec.msgpack.encode, ("feature", "chat"))
        self.assertEqual(self.refused(client, b"\x82" + feature + chat + b"\xa1\xff\x01"), ("bad_json", None))
        self.assertEqual(self.refused(client, b"\x82\xa1\xff\x01" + feature + chat), ("bad_json", None))

    def test_nesting_without_end(self) -> None:
        for client, deep in (
            (SharedWebSocketClient(self.house, "chat"), b"[" * 60_000),
            (PackedSharedWebSocketClient(self.house, "chat"), b"\x91" * 60_000),
        ):
            for payload in (deep, client.encoded(b'{"feature":"chat"}')[:-1] + deep):
                code, _ = self.refused(client, payload)
                self.assertIn(code, ("bad_json", "bad_message"))

    def test_who_says_nothing_else_is_greeted_once(self) -> None:
        client = SharedWebSocketClient(self.house, "chat")
        [welcome] = client.received()
        self.assertEqual(welcome["type"], "welcome")
        client.feed(masked(TEXT, b'{"feature":"chat"}'))
        self.assertEqual(client.received(), [])

    def test_each_message_says_its_feature(self) -> None:
        client = SharedWebSocketClient(self.house, "chat")
        client.feed(masked(TEXT, b'{"feature":"ticker"}'))
        said: list[dict[str, Any]] = [json.loads(payload) for payload in client.messages()]
        self.assertEqual(
            [(message["feature"], message["type"]) for message in said], [("chat", "welcome"), ("ticker", "welcome")]
        )


class KindTests(SynchronousTestCase):
    """Text for JSON, binary for MessagePack."""

    def test_the_wrong_kind_is_said_and_the_connection_goes_on(self) -> None:
        house = House()
        for client, other in (
            (WebSocketClient(house, "chat"), BINARY),
            (PackedWebSocketClient(house, "chat"), TEXT),
            (SharedWebSocketClient(house, "chat"), BINARY),
        ):
            client.received()
            client.feed(masked(other, b'{"type":"ping"}'))
            [error] = client.received()
            self.assertEqual(error["code"], "bad_message")
            self.assertIn("netplay.json", error["message"])
            self.assertIn("netplay.msgpack", error["message"])
            self.assertEqual(client.ask("ping")["type"], "pong")
