"""Tests of L{netplay.chat.operations}: what backends may ask of chat."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from netplay.chat.operations import ListChatRooms, Publish
from netplay.errors import Refused
from tests.chat.slow import SlowStore
from tests.features import START_ISO, House


class OperationsTestCase(SynchronousTestCase):
    """Ann is in general."""

    def setUp(self) -> None:
        self.open(House())

    def open(self, house: House) -> None:
        self.house = house
        self.ann = house.connect("chat")
        self.handlers = {operation.request: operation.handler for operation in self.house.chat.operations}

    def asked(self, request: Any) -> Any:
        answer = self.handlers[type(request)](request)
        return self.successResultOf(answer) if isinstance(answer, Deferred) else answer


class PublishTests(OperationsTestCase):
    """Saying something."""

    def test_it_is_heard_like_what_a_client_says(self) -> None:
        published = self.asked(Publish(room="general", user=" Weather ", text="Storm ahead", emoji="⛈️"))
        (heard,) = self.ann.heard("chat")
        self.assertEqual(
            heard,
            {
                "type": "chat",
                "user": "Weather",
                "message": "Storm ahead",
                "emoji": "⛈️",
                "room": "general",
                "timestamp": START_ISO,
                "at": self.house.core.now(),
                "seq": 1,
                "id": published.id,
            },
        )
        self.assertEqual((published.room, published.seq), ("general", 1))
        self.assertEqual(published.epoch, self.ann.hello["epoch"])

    def test_it_is_numbered_with_the_others_and_kept(self) -> None:
        self.ann.ask("chat", text="one")
        self.assertEqual(self.asked(Publish(room="general", user="Bot", text="two")).seq, 2)
        self.assertEqual(self.ann.ask("chat", text="three")["seq"], 3)
        history = self.ann.ask("history")["messages"]
        self.assertEqual([message["message"] for message in history], ["one", "two", "three"])

    def test_it_is_answered_when_it_is_kept(self) -> None:
        store = SlowStore()
        self.open(House(store=store))
        answer = self.handlers[Publish](Publish(room="general", user="Bot", text="hi"))
        self.assertNoResult(answer)
        self.assertEqual(len(self.ann.heard("chat")), 1)
        store.log.work()
        self.assertEqual(self.successResultOf(answer).seq, 1)

    def test_into_a_room_that_there_is_not(self) -> None:
        refused = self.assertRaises(Refused, self.asked, Publish(room="nowhere", user="Bot", text="hi"))
        self.assertEqual((refused.code, refused.field), ("no_such_room", "$.room"))

    def test_names_and_emoji_are_as_clients_may_have_them(self) -> None:
        for wrong, field in (
            ({"user": "a\u202eb"}, "$.user"),
            ({"user": "  "}, "$.user"),
            ({"emoji": "ab"}, "$.emoji"),
        ):
            request = Publish(**{"room": "general", "user": "Bot", "text": "hi", **wrong})
            refused = self.assertRaises(Refused, self.asked, request)
            self.assertEqual((refused.code, refused.field), ("bad_message", field))
        self.assertEqual(self.ann.heard("chat"), [])


class RoomTests(OperationsTestCase):
    """Which rooms there are."""

    def test_all_with_how_many_are_in_them(self) -> None:
        rooms = self.asked(ListChatRooms())
        self.assertEqual(
            [(line.room, line.members) for line in rooms.rooms], [("gaming", 0), ("general", 1), ("tech", 0)]
        )
        self.assertFalse(rooms.more)

    def test_page_by_page(self) -> None:
        for n in range(120):
            self.house.chat.rooms._rooms[f"r{n:03}"] = self.house.chat.rooms.get("tech")
        first = self.asked(ListChatRooms())
        self.assertEqual((len(first.rooms), first.more), (100, True))
        self.assertEqual(self.asked(ListChatRooms(after="gaming")).rooms[0].room, "general")
