"""Tests of L{netplay.chat.operations}: what backends may ask of chat."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from netplay.chat.operations import ListChatRooms, Publish
from netplay.errors import Refused
from tests.accounts.keeper import PASSWORD, Keeper, account
from tests.chat.slow import SlowStore
from tests.features import START_ISO, House
from tests.web.admin.asking import AdminCase


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


class KeepingOrderTests(AdminCase):
    """What operators may do by chat, done by a backend. Ann, Bob and Olga, an operator, are in tech."""

    def make_house(self) -> House:
        return House(accounts={"checkers": [Keeper()]})

    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob, self.olga = self.come("Ann"), self.come("Bob"), self.come("Olga", "operator")
        self.house.wait(2)
        for client in (self.ann, self.bob, self.olga):
            client.received()

    def come(self, name: str, *roles: str) -> Any:
        self.house.store.accounts.add(account(name, *roles))
        client = self.house.connect("chat")
        client.ask("login", user=name, password=PASSWORD)
        client.ask("join_room", room="tech")
        return client

    def done(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.ask(method, f"/api/{path}", body)
        self.assertIn(answer.status, (200, 204), answer)
        self.house.wait(0)
        return answer.json if answer.body else None

    def audit(self) -> list[tuple[str, str, str, str]]:
        entries = self.get("/api/audit").json["entries"]
        return [(entry["by"], entry["action"], entry["target"], entry["detail"]) for entry in reversed(entries)]

    def says(self, client: Any) -> str:
        answer = client.ask("chat", room="tech", text="hello")
        return str(answer.get("code", answer["type"]))

    def test_put_out_of_a_room(self) -> None:
        self.done("DELETE", "chat/rooms/tech/members/bob?reason=calm+down")
        (removed,) = self.bob.heard("removed")
        self.assertEqual((removed["room"], removed["code"], removed["message"]), ("tech", "kicked", "calm down"))
        self.assertEqual(self.says(self.bob), "not_allowed")
        self.assertEqual(self.audit(), [("api", "kick", "Bob", "in tech, calm down")])
        again = self.ask("DELETE", "/api/chat/rooms/tech/members/Bob")
        self.assert_problem(again, 404, "no_such_user", "$.user")

    def test_banned_from_a_room_and_let_in_again(self) -> None:
        ban = self.done("POST", "chat/rooms/tech/bans", {"account": "bob", "seconds": 60, "reason": "spam"})
        (removed,) = self.bob.heard("removed")
        self.assertEqual((removed["code"], removed["message"]), ("banned", "you may not come into tech for now: spam"))
        self.assertEqual(self.done("GET", "chat/rooms/tech/bans"), {"bans": [ban], "more": False})
        for elsewhere in ("bans", "chat/rooms/gaming/bans"):
            self.assertEqual(self.done("GET", elsewhere)["bans"], [])
        self.done("DELETE", f"chat/rooms/tech/bans/{ban['ban']}")
        self.assertEqual(self.bob.ask("join_room", room="tech")["type"], "room_changed")
        self.assertEqual([action for _, action, _, _ in self.audit()], ["ban", "unban"])

    def test_muted_in_a_room_and_unmuted(self) -> None:
        mute = self.done("POST", "chat/rooms/tech/mutes", {"account": "Bob"})
        self.assertEqual(self.says(self.bob), "muted")
        self.assertEqual(self.done("GET", "chat/rooms/tech/mutes"), {"mutes": [mute], "more": False})
        self.done("DELETE", f"chat/rooms/tech/mutes/{mute['mute']}")
        self.assertEqual(self.says(self.bob), "ok")

    def test_what_is_about_another_room_is_not_lifted(self) -> None:
        ban = self.done("POST", "chat/rooms/tech/bans", {"account": "Bob"})["ban"]
        for path in (f"/api/bans/{ban}", f"/api/chat/rooms/gaming/bans/{ban}"):
            self.assert_problem(self.ask("DELETE", path), 404, "no_such_ban", "$.ban")

    def test_a_room_is_changed_and_its_members_are_told(self) -> None:
        changed = {"topic": "Only news", "slow": 30, "locked": True, "read_only": True}
        line = self.done("PUT", "chat/rooms/tech", changed)
        self.assertEqual({field: line[field] for field in changed}, changed)
        self.assertEqual(
            self.ann.received(),
            [
                {"type": "topic", "room": "tech", "topic": "Only news", "by": "api"},
                {"type": "room_mode", "room": "tech", "slow": 30, "locked": True, "read_only": True, "by": "api"},
            ],
        )
        self.assertEqual(self.says(self.ann), "not_allowed")

    def test_what_is_not_said_of_a_room_stays(self) -> None:
        self.done("PUT", "chat/rooms/tech", {"read_only": True})
        self.done("PUT", "chat/rooms/tech", {"slow": 5})
        line = self.done("PUT", "chat/rooms/tech", {})
        self.assertEqual((line["slow"], line["read_only"], "locked" in line), (5, True, False))
        self.assertEqual([detail for *_, detail in self.audit()], ["read_only: True", "slow: 5.0"])

    def test_how_slow(self) -> None:
        for seconds in (-1, 3601):
            answer = self.ask("PUT", "/api/chat/rooms/tech", {"slow": seconds})
            self.assert_problem(answer, 400, "bad_request", "$.slow")

    def test_a_message_is_deleted(self) -> None:
        said = self.bob.ask("chat", room="tech", text="shame")
        self.done("DELETE", f"chat/rooms/tech/messages/{said['seq']}")
        (deleted,) = self.ann.heard("deleted")
        self.assertEqual(deleted["id"], said["id"])
        self.assertEqual(self.audit(), [("api", "delete", "tech 1", "by Bob")])
        answer = self.ask("DELETE", "/api/chat/rooms/tech/messages/9")
        self.assert_problem(answer, 422, "bad_message", "$.seq")

    def test_what_was_reported(self) -> None:
        said = self.bob.ask("chat", room="tech", text="shame")
        for reason in ("rude", "mean"):
            self.ann.ask("report", room="tech", seq=said["seq"], reason=reason)
        page = self.done("GET", "chat/reports?room=tech&limit=1")
        (report,) = page["reports"]
        self.assertEqual((report["text"], report["reason"], report["by"], page["more"]), ("shame", "mean", "Ann", True))
        page = self.done("GET", f"chat/reports?before={report['id']}")
        self.assertEqual(([report["reason"] for report in page["reports"]], page["more"]), (["rude"], False))
        self.assertEqual(self.done("GET", "chat/reports?room=general")["reports"], [])

    def test_kicked_from_everywhere(self) -> None:
        player = self.house.connect("game")
        player.ask("login", user="Bob", password=PASSWORD)
        self.assertEqual(self.done("POST", "kicks", {"account": "BOB", "reason": "calm down"}), {"ended": 2})
        for client in (self.bob, player):
            error = client.received()[-1]
            self.assertEqual((error["code"], error["message"], error["fatal"]), ("kicked", "calm down", True))
        self.assertEqual(self.says(self.ann), "ok")
        self.assertEqual(self.audit(), [("api", "kick", "account:bob", "calm down")])
        self.assert_problem(self.ask("POST", "/api/kicks", {"name": "Bob"}), 404, "no_such_client")

    def test_operators_too(self) -> None:
        self.done("DELETE", "chat/rooms/tech/members/Olga")
        self.assertEqual(len(self.olga.heard("removed")), 1)

    def test_a_room_that_there_is_not(self) -> None:
        for method, path, body in (
            ("PUT", "", {"locked": True}),
            ("DELETE", "/messages/1", None),
            ("DELETE", "/members/Bob", None),
            ("POST", "/bans", {"account": "Bob"}),
            ("GET", "/mutes", None),
            ("DELETE", "/mutes/1", None),
        ):
            answer = self.ask(method, f"/api/chat/rooms/nowhere{path}", body)
            self.assert_problem(answer, 404, "no_such_room", "$.room")
