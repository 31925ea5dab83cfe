"""Tests of L{netplay.web.admin.asyncapi}: the document is what AsyncAPI 3 asks for, and what goes over the wire."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs

from netplay.chat import messages as chat
from netplay.chat import moderating_messages as moderating
from netplay.messages import COMMON, COMMON_EVENTS
from tests.web.admin.asking import AdminCase
from tests.web.admin.test_openapi import found, references

FEATURES = ("chat", "game", "ticker")


class DocumentTests(AdminCase):
    """C{/asyncapi.json}."""

    token = None

    def setUp(self) -> None:
        super().setUp()
        self.document = self.get("/asyncapi.json").json

    def is_valid(self, key: str, message: Any) -> bool:
        """Whether a message is as its schema says, in the dialect of AsyncAPI."""
        schema = {**self.document["components"]["messages"][key]["payload"], "components": self.document["components"]}
        return jsonschema_rs.Draft7Validator(schema).is_valid(message)

    def test_what_every_document_has(self) -> None:
        self.assertEqual(self.document["asyncapi"], "3.0.0")
        self.assertLessEqual({"title", "version"}, set(self.document["info"]))
        for server in self.document["servers"].values():
            self.assertLessEqual({"host", "protocol"}, set(server))

    def test_names_are_such_as_may_be(self) -> None:
        for kind in ("channels", "operations"):
            for name in self.document[kind]:
                self.assertRegex(name, re.compile(r"^[A-Za-z0-9._-]+$"))
        for components in self.document["components"].values():
            for name in components:
                self.assertRegex(name, re.compile(r"^[A-Za-z0-9._-]+$"))

    def test_all_that_it_refers_to_is_there(self) -> None:
        for reference in references(self.document):
            found(self.document, reference)

    def test_a_channel_for_each_feature_and_one_for_all(self) -> None:
        addresses = {name: channel["address"] for name, channel in self.document["channels"].items()}
        self.assertEqual(addresses, {**{name: f"/ws/{name}" for name in FEATURES}, "all": "/ws"})

    def test_operations_speak_of_messages_of_their_own_channel(self) -> None:
        for operation in self.document["operations"].values():
            self.assertIn(operation["action"], ("receive", "send"))
            for message in operation["messages"]:
                self.assertTrue(message["$ref"].startswith(operation["channel"]["$ref"] + "/messages/"))

    def test_every_message_is_in_it(self) -> None:
        self.assertEqual(
            set(self.document["channels"]["chat"]["messages"]),
            {f"chat.receive.{kind.__struct_config__.tag}" for kind in (*chat.REQUESTS, *moderating.REQUESTS, *COMMON)}
            | {
                f"chat.send.{kind.__struct_config__.tag}" for kind in (*chat.EVENTS, *moderating.EVENTS, *COMMON_EVENTS)
            },
        )
        self.assertIn("game.receive.move", self.document["channels"]["game"]["messages"])

    def test_so_is_what_games_take(self) -> None:
        key = "game.receive.act.Play"  # a card, in eights
        self.assertIn(key, self.document["channels"]["game"]["messages"])
        self.assertTrue(self.is_valid(key, {"type": "act", "do": "play", "card": "8S", "suit": "H"}))
        self.assertFalse(self.is_valid(key, {"type": "act", "do": "play"}))

    def test_examples_are_as_their_schemas_say(self) -> None:
        for key, message in self.document["components"]["messages"].items():
            for example in message["examples"]:
                self.assertTrue(self.is_valid(key, example["payload"]), key)

    def test_so_is_what_goes_over_the_wire(self) -> None:
        for name in FEATURES:
            client = self.house.connect(name, greeted=False)
            client.send("ping", ref=1)
            client.send("nonsense")
            client.send("help", ref="x")
            client.send("history", **({"symbol": "AAPL"} if name == "ticker" else {}))
            messages = client.received()
            self.assertGreaterEqual(len(messages), 5)
            for message in messages:
                self.assertTrue(self.is_valid(f"{name}.send.{message['type']}", message), message)

    def test_tuples_are_checked(self) -> None:
        history = {"type": "history", "symbol": "AAPL"}
        self.assertTrue(self.is_valid("ticker.send.history", {**history, "points": [[1, 2.5]]}))
        for wrong in ([[1]], [["1", 2.5]], [[1, 2.5, 3]]):
            self.assertFalse(self.is_valid("ticker.send.history", {**history, "points": wrong}))

    def test_on_the_shared_channel_messages_name_their_feature(self) -> None:
        key = "all.chat.receive.chat"
        self.assertTrue(self.is_valid(key, {"feature": "chat", "type": "chat", "text": "hi"}))
        for wrong in ({"type": "chat", "text": "hi"}, {"feature": "game", "type": "chat", "text": "hi"}):
            self.assertFalse(self.is_valid(key, wrong))

    def test_fields_that_a_type_does_not_have_are_let_through(self) -> None:
        self.assertTrue(self.is_valid("chat.receive.ping", {"type": "ping", "mood": "good"}))
