"""Tests of L{netplay.chat.session}: what one client asks and is told, over the chat port."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from netplay.accounts.accounts import Accounts
from netplay.chat.session import ChatSession
from tests.accounts.keeper import PASSWORD, Keeper, account
from tests.contract import PortContract, answers_whatever_is_asked
from tests.features import START, START_ISO, House, LineClient


class ChatContractTests(PortContract, SynchronousTestCase):
    """What every feature does alike."""

    feature = "chat"
    guest = "User"

    def test_mistakes_that_the_rules_find_count_too(self) -> None:
        for _ in range(20):
            self.ann.send("set_emoji", emoji="two")
        errors = self.ann.received()
        self.assertEqual([error["code"] for error in errors], ["bad_message"] * 20)
        self.assertTrue(errors[-1].get("fatal"))
        self.assertTrue(self.ann.closed)

    def test_whatever_is_asked(self) -> None:
        answers_whatever_is_asked(self, "chat", ChatSession.grammar)


class ChatTestCase(SynchronousTestCase):
    """Ann is there first, then Bob."""

    def setUp(self) -> None:
        self.house = House()
        self.ann = self.house.connect("chat")
        self.bob = self.house.connect("chat")

    def assertRefused(self, answer: dict[str, Any], code: str, field: str | None = None) -> None:
        self.assertEqual((answer["type"], answer.get("code"), answer.get("field")), ("error", code, field))

    def says(self, client: LineClient, *texts: str, **fields: Any) -> None:
        """Someone says things, and everyone reads them."""
        for text in texts:
            self.assertEqual(client.ask("chat", text=text, **fields)["type"], "ok")
        self.ann.received()
        self.bob.received()


def texts(messages: list[dict[str, Any]]) -> list[str]:
    """What was said."""
    return [message["message"] for message in messages]


class WelcomeTests(ChatTestCase):
    """The first message."""

    def test_the_tutorials_fields(self) -> None:
        hello = self.ann.hello
        self.assertEqual(hello["type"], "welcome")
        self.assertEqual(hello["message"], "Welcome User_1! 🎉")
        self.assertEqual(hello["rooms"], ["general", "gaming", "tech"])
        self.assertEqual(hello["timestamp"], START_ISO)

    def test_a_newcomer_is_in_general(self) -> None:
        self.assertEqual(self.ann.hello["room"], "general")
        self.assertIn("User_1", [member["id"] for member in self.ann.ask("who", room="general")["members"]])

    def test_where_the_log_stands(self) -> None:
        self.says(self.ann, "one", "two")
        said = self.ann.ask("history")
        hello = self.house.connect("chat").hello
        self.assertEqual((hello["epoch"], hello["seq"]), (said["epoch"], 2))
        self.assertIsInstance(hello["epoch"], str)

    def test_rooms_that_were_created_are_named_too(self) -> None:
        self.ann.ask("create_room", room="garden")
        self.assertEqual(self.house.connect("chat").hello["rooms"], ["general", "gaming", "tech", "garden"])

    def test_it_comes_before_anything_that_is_said(self) -> None:
        self.ann.send("chat", text="just now")  # not flushed: the turn is not over
        carol = self.house.connect("chat", greeted=False)
        self.ann.send("chat", text="then")
        self.assertEqual([message["type"] for message in carol.received()], ["welcome", "chat"])


class SayTests(ChatTestCase):
    """C{chat}."""

    def test_everybody_in_the_room_gets_it_with_the_tutorials_fields_and_some_more(self) -> None:
        self.house.wait(1.5)
        self.ann.received(), self.bob.received()
        self.ann.send("chat", text="hi all")
        [said] = self.bob.received()
        self.assertEqual(self.ann.received(), [said])
        self.assertIsInstance(said.pop("id"), str)
        self.assertEqual(
            said,
            {
                "type": "chat",
                "user": "User_1",
                "message": "hi all",
                "emoji": "😊",
                "room": "general",
                "timestamp": START_ISO.replace("20.000", "21.500"),
                "at": START * 1000 + 1500,
                "seq": 1,
            },
        )

    def test_nobody_else_gets_it(self) -> None:
        self.bob.ask("join_room", room="tech")
        self.bob.received()
        self.ann.send("chat", text="hi")
        self.assertEqual(self.bob.heard("chat"), [])

    def test_numbers_go_up_by_one_in_each_room(self) -> None:
        self.bob.ask("join_room", room="tech")
        for client in (self.ann, self.bob, self.ann, self.bob, self.ann):
            client.send("chat", text="x")
        self.assertEqual([said["seq"] for said in self.ann.heard("chat")], [1, 2, 3])
        self.assertEqual([said["seq"] for said in self.bob.heard("chat")], [1, 2])

    def test_ids_are_never_the_same(self) -> None:
        self.ann.ask("join_room", room="tech", also=True)
        for room in ("tech", "general", "tech"):
            self.ann.send("chat", text="x", room=room)
        self.assertEqual(len({said["id"] for said in self.ann.heard("chat")}), 3)

    def test_the_answer_says_number_and_id(self) -> None:
        answer = self.ann.ask("chat", text="hi")
        [said] = self.ann.heard("chat")
        self.assertEqual(answer, {"type": "ok", "seq": 1, "id": said["id"]})

    def test_the_broadcast_has_no_ref(self) -> None:
        self.ann.ask("chat", text="hi")
        self.assertNotIn("ref", self.ann.heard("chat")[0])
        self.assertNotIn("ref", self.bob.heard("chat")[0])

    def test_one_may_name_any_room_that_one_is_in(self) -> None:
        self.ann.ask("join_room", room="tech", also=True)
        self.ann.send("chat", text="to general", room="general")
        self.assertEqual([said["room"] for said in self.bob.heard("chat")], ["general"])

    def test_a_room_that_one_is_not_in(self) -> None:
        self.assertRefused(self.ann.ask("chat", text="hi", room="tech"), "not_allowed", "$.room")

    def test_a_room_that_is_not_there(self) -> None:
        self.assertRefused(self.ann.ask("chat", text="hi", room="nowhere"), "no_such_room", "$.room")

    def test_texts_have_1_to_4000_characters(self) -> None:
        for text in ("x", "é🚀" * 2000, "line\nline\t\x00"):
            self.assertEqual(self.ann.ask("chat", text=text)["type"], "ok")
            self.assertEqual(self.ann.heard("chat")[0]["message"], text)
        for text in ("", "x" * 4001):
            self.assertRefused(self.ann.ask("chat", text=text), "bad_message", "$.text")
        self.assertEqual(self.ann.received(), [])

    def test_a_newline_in_a_text_does_not_break_the_line(self) -> None:
        self.ann.send("chat", text="a\nb")
        self.assertEqual(self.bob.read().count(b"\n"), 1)


class JoinTestCase(ChatTestCase):
    """Somebody joins."""

    def join(self, client: LineClient, room: str, **fields: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Returns the messages of history and C{room_changed}, in which order they are checked to come."""
        client.received()
        client.send("join_room", room=room, ref="join", **fields)
        *pages, changed = client.received()
        self.assertEqual([page["type"] for page in pages], ["history"] * len(pages))
        self.assertTrue(all("ref" not in page for page in pages))
        self.assertEqual((changed["type"], changed["ref"]), ("room_changed", "join"))
        return pages, changed


class JoinTests(JoinTestCase):
    """C{join_room}."""

    def test_the_history_comes_and_then_the_tutorials_message(self) -> None:
        self.says(self.bob, "before")
        carol = self.house.connect("chat")
        [page], changed = self.join(carol, "tech")
        self.assertEqual((page["room"], page["messages"], page["more"]), ("tech", [], False))
        self.assertEqual((changed["room"], changed["message"]), ("tech", "You joined #tech 🎉"))
        self.assertEqual((changed["epoch"], changed["seq"], changed["members"]), (page["epoch"], 0, 1))
        self.assertNotIn("recovered", changed)

    def test_the_newest_page(self) -> None:
        self.says(self.ann, *map(str, range(120)))
        self.bob.ask("join_room", room="tech")
        [page], changed = self.join(self.bob, "general")
        self.assertEqual(texts(page["messages"]), [str(n) for n in range(20, 120)])
        self.assertEqual((changed["seq"], changed["members"]), (120, 2))

    def test_one_is_out_of_the_other_rooms(self) -> None:
        self.join(self.bob, "tech")
        self.ann.send("chat", text="to general")
        self.bob.send("chat", text="to tech")
        self.assertEqual(texts(self.bob.heard("chat")), ["to tech"])

    def test_with_also_one_hears_them_all_and_the_joined_one_is_current(self) -> None:
        self.join(self.bob, "tech", also=True)
        self.ann.send("chat", text="to general")
        self.bob.send("chat", text="to tech")
        self.assertEqual({said["room"] for said in self.bob.heard("chat")}, {"tech", "general"})
        self.bob.send("chat", text="to the current one")
        self.assertEqual([said["room"] for said in self.bob.heard("chat")], ["tech"])

    def test_joining_a_room_one_is_in_makes_it_current(self) -> None:
        self.join(self.bob, "tech", also=True)
        self.join(self.bob, "general", also=True)
        self.bob.send("chat", text="where")
        self.assertEqual([said["room"] for said in self.bob.heard("chat")], ["general"])

    def test_what_was_said_in_this_turn_comes_in_the_history_and_not_again(self) -> None:
        self.join(self.bob, "tech")
        self.ann.send("chat", text="just now")
        self.bob.send("join_room", room="general")
        page, changed = self.bob.received()
        self.assertEqual(texts(page["messages"]), ["just now"])
        self.assertEqual((changed["type"], changed["seq"]), ("room_changed", 1))

    def test_a_room_that_is_not_there(self) -> None:
        self.assertRefused(self.ann.ask("join_room", room="nowhere"), "no_such_room", "$.room")
        self.assertEqual(self.ann.ask("chat", text="still in general")["type"], "ok")

    def test_names_of_rooms(self) -> None:
        for room in ("", "Tech", "-tech", "_x", "a b", "x" * 33, "tech\n", "é"):
            self.assertRefused(self.ann.ask("join_room", room=room), "bad_message", "$.room")
            self.assertRefused(self.ann.ask("create_room", room=room), "bad_message", "$.room")
        for room in ("0", "a-b_c", "x" * 32):
            self.assertEqual(self.ann.ask("create_room", room=room), {"type": "ok"})

    def test_at_most_fifty_rooms_at_once(self) -> None:
        for number in range(47):
            creator = self.ann if number < 20 else self.bob if number < 40 else self.house.connect("chat")
            creator.ask("create_room", room=f"r{number}")
        for room in ("gaming", "tech", *(f"r{number}" for number in range(47))):
            self.assertEqual(self.ann.ask("join_room", room=room, also=True)["type"], "room_changed")
        self.house.connect("chat").ask("create_room", room="one-more")
        self.assertRefused(self.ann.ask("join_room", room="one-more", also=True), "too_many", "$.room")
        self.assertEqual(self.ann.ask("join_room", room="one-more")["type"], "room_changed")


class SinceTests(JoinTestCase):
    """C{join_room} with C{since}."""

    def setUp(self) -> None:
        super().setUp()
        self.says(self.ann, "1", "2", "3")
        self.epoch = self.ann.ask("history")["epoch"]
        self.bob.ask("join_room", room="tech")

    def since(self, seq: int, **fields: Any) -> tuple[list[str], Any]:
        """What comes, and whether that is all that was missed."""
        pages, changed = self.join(self.bob, "general", since={"epoch": self.epoch, "seq": seq}, **fields)
        return texts([said for page in pages for said in page["messages"]]), changed["recovered"]

    def test_all_that_came_after(self) -> None:
        self.assertEqual(self.since(1), (["2", "3"], True))

    def test_nothing_came_after(self) -> None:
        self.assertEqual(self.since(3), ([], True))

    def test_from_the_beginning(self) -> None:
        self.assertEqual(self.since(0), (["1", "2", "3"], True))

    def test_a_number_that_is_yet_to_come(self) -> None:
        self.assertEqual(self.since(4), (["1", "2", "3"], False))

    def test_another_epoch(self) -> None:
        self.epoch = "another"
        self.assertEqual(self.since(1), (["1", "2", "3"], False))

    def test_when_part_of_it_is_gone_the_newest_come(self) -> None:
        self.says(self.ann, *map(str, range(4, 151)))
        self.assertEqual(self.since(50), ([str(n) for n in range(51, 151)], True))
        self.bob.ask("join_room", room="tech")
        self.assertEqual(self.since(49), ([str(n) for n in range(51, 151)], False))

    def test_much_that_was_missed_comes_in_pages(self) -> None:
        long = "x" * 3000
        self.says(self.ann, *[long] * 60)
        pages, changed = self.join(self.bob, "general", since={"epoch": self.epoch, "seq": 3})
        self.assertEqual([said["seq"] for page in pages for said in page["messages"]], list(range(4, 64)))
        self.assertEqual([page["more"] for page in pages], [True] * (len(pages) - 1) + [False])
        self.assertGreater(len(pages), 1)
        self.assertTrue(changed["recovered"])

    def test_wrong_places(self) -> None:
        for since, field in (
            ({"epoch": self.epoch}, "$.since.seq"),
            ({"seq": 1}, "$.since.epoch"),
            ({"epoch": 5, "seq": 1}, "$.since.epoch"),
            ({"epoch": self.epoch, "seq": -1}, "$.since.seq"),
            ([], "$.since"),
        ):
            self.assertRefused(self.bob.ask("join_room", room="general", since=since), "bad_message", field)


class HistoryTests(ChatTestCase):
    """C{history}."""

    def setUp(self) -> None:
        super().setUp()
        self.says(self.ann, *map(str, range(1, 31)))

    def page(self, **fields: Any) -> tuple[list[int], bool]:
        answer = self.bob.ask("history", **fields)
        return [said["seq"] for said in answer["messages"]], answer["more"]

    def test_messages_are_as_they_were_said(self) -> None:
        self.ann.send("chat", text="hi")
        said = self.bob.heard("chat")
        answer = self.bob.ask("history", limit=1)
        self.assertEqual(answer["messages"], said)
        self.assertEqual((answer["type"], answer["room"]), ("history", "general"))

    def test_all_of_it_oldest_first(self) -> None:
        self.assertEqual(self.page(), (list(range(1, 31)), False))

    def test_the_newest(self) -> None:
        self.assertEqual(self.page(limit=3), ([28, 29, 30], True))

    def test_before(self) -> None:
        self.assertEqual(self.page(before=28, limit=3), ([25, 26, 27], True))
        self.assertEqual(self.page(before=4, limit=3), ([1, 2, 3], False))
        self.assertEqual(self.page(before=1), ([], False))
        self.assertEqual(self.page(before=0), ([], False))

    def test_after(self) -> None:
        self.assertEqual(self.page(after=2, limit=3), ([3, 4, 5], True))
        self.assertEqual(self.page(after=27, limit=3), ([28, 29, 30], False))
        self.assertEqual(self.page(after=30), ([], False))
        self.assertEqual(self.page(after=99), ([], False))

    def test_between(self) -> None:
        self.assertEqual(self.page(after=2, before=6), ([3, 4, 5], False))
        self.assertEqual(self.page(after=2, before=9, limit=3), ([3, 4, 5], True))

    def test_paging_backwards_brings_everything_once(self) -> None:
        seen, more = self.page(limit=7)
        while more:
            page, more = self.page(before=seen[0], limit=7)
            seen = page + seen
        self.assertEqual(seen, list(range(1, 31)))

    def test_paging_forwards_brings_everything_once(self) -> None:
        seen, more = self.page(after=0, limit=7)
        while more:
            page, more = self.page(after=seen[-1], limit=7)
            seen += page
        self.assertEqual(seen, list(range(1, 31)))

    def test_a_small_client_gets_small_pages(self) -> None:
        self.bob.ask("options", max_reply=1024)
        self.bob.largest = 0
        seen: list[int] = []
        more = True
        while more:
            page, more = self.page(before=seen[0] if seen else 2**40)
            seen = page + seen
        self.assertEqual(seen, list(range(1, 31)))
        self.assertLessEqual(self.bob.largest, 1024)

    def test_no_reply_is_larger_than_32_kib(self) -> None:
        self.says(self.ann, *["🚀" * 2000] * 20)
        self.bob.largest = 0
        self.assertTrue(self.page()[1])
        self.assertTrue(16_000 < self.bob.largest <= 32 * 1024)

    def test_more_than_that_is_not_to_be_had(self) -> None:
        self.says(self.ann, *["🚀" * 2000] * 20)
        self.bob.ask("options", max_reply=2**30)
        self.bob.largest = 0
        self.page()
        self.assertLessEqual(self.bob.largest, 32 * 1024)

    def test_a_message_that_is_larger_than_a_page_comes_alone(self) -> None:
        self.says(self.ann, "x" * 3000)
        self.bob.ask("options", max_reply=1024)
        self.assertEqual(self.page(), ([31], True))

    def test_the_newest_hundred_are_kept(self) -> None:
        self.says(self.ann, *map(str, range(100)))
        self.assertEqual(self.page(), (list(range(31, 131)), False))

    def test_no_more_than_a_hundred_come_at_once(self) -> None:
        self.says(self.ann, *map(str, range(100)))
        self.assertEqual(len(self.page(limit=1000)[0]), 100)

    def test_what_is_in_it_was_heard_before(self) -> None:
        self.ann.send("chat", text="just now")
        self.bob.send("history", limit=1)
        said, answer = self.bob.received()
        self.assertEqual(answer["messages"], [said])

    def test_of_another_room(self) -> None:
        self.bob.ask("join_room", room="tech", also=True)
        self.bob.ask("chat", text="in tech")
        self.assertEqual(self.ann.ask("history", room="tech")["messages"][0]["message"], "in tech")

    def test_of_a_room_that_is_not_there(self) -> None:
        self.assertRefused(self.ann.ask("history", room="nowhere"), "no_such_room", "$.room")

    def test_wrong_fields(self) -> None:
        for fields in ({"limit": 0}, {"before": -1}, {"after": 1.5}, {"room": 7}):
            [name] = fields
            self.assertRefused(self.ann.ask("history", **fields), "bad_message", f"$.{name}")


class RoomsTests(ChatTestCase):
    """C{rooms}, C{create_room} and C{leave_room}."""

    def test_the_rooms_with_topic_and_members(self) -> None:
        self.ann.ask("create_room", room="garden", topic="what grows")
        self.bob.ask("join_room", room="garden")
        lines = self.ann.ask("rooms")["rooms"]
        self.assertEqual([line["room"] for line in lines], ["gaming", "garden", "general", "tech"])
        self.assertEqual(lines[1], {"room": "garden", "topic": "what grows", "members": 1})
        self.assertEqual([line["members"] for line in lines], [0, 1, 1, 0])

    def test_many_rooms_come_in_pages(self) -> None:
        self.ann.ask("options", max_reply=1024)
        self.ann.largest = 0
        for number in range(20):
            self.ann.ask("create_room", room=f"r{number:02}", topic="t" * 200)
        seen: list[str] = []
        more = True
        while more:
            answer = self.ann.ask("rooms", **({"after": seen[-1]} if seen else {}))
            seen += [line["room"] for line in answer["rooms"]]
            more = answer["more"]
        self.assertEqual(seen, ["gaming", "general", *(f"r{n:02}" for n in range(20)), "tech"])
        self.assertLessEqual(self.ann.largest, 1024)

    def test_who_creates_a_room_is_not_in_it(self) -> None:
        self.assertEqual(self.ann.ask("create_room", room="garden"), {"type": "ok"})
        self.assertRefused(self.ann.ask("chat", text="hi", room="garden"), "not_allowed", "$.room")

    def test_a_room_that_is_there_already(self) -> None:
        self.assertRefused(self.ann.ask("create_room", room="tech"), "name_taken", "$.room")

    def test_a_topic_that_is_too_long(self) -> None:
        self.assertRefused(self.ann.ask("create_room", room="x", topic="t" * 201), "bad_message", "$.topic")

    def test_one_client_creates_twenty(self) -> None:
        for number in range(20):
            self.assertEqual(self.ann.ask("create_room", room=f"r{number}"), {"type": "ok"})
        self.assertRefused(self.ann.ask("create_room", room="one-more"), "too_many", "$.room")
        self.assertEqual(self.bob.ask("create_room", room="one-more"), {"type": "ok"})

    def test_coming_back_does_not_allow_more(self) -> None:
        for number in range(20):
            self.ann.ask("create_room", room=f"r{number}")
        self.ann.drop()
        again = self.house.connect("chat")
        again.ask("resume", session=self.ann.hello["session"])
        self.assertRefused(again.ask("create_room", room="one-more"), "too_many", "$.room")

    def test_who_leaves_hears_no_more(self) -> None:
        self.assertEqual(self.bob.ask("leave_room", room="general"), {"type": "ok"})
        self.ann.send("chat", text="gone?")
        self.assertEqual(self.bob.received(), [])

    def test_what_was_said_before_is_still_heard(self) -> None:
        self.ann.send("chat", text="bye")
        self.bob.send("leave_room", room="general")
        self.assertEqual(texts(self.bob.heard("chat")), ["bye"])

    def test_the_room_joined_last_before_becomes_current(self) -> None:
        self.bob.ask("join_room", room="tech", also=True)
        self.bob.ask("join_room", room="gaming", also=True)
        self.bob.ask("leave_room", room="gaming")
        self.bob.send("chat", text="where")
        self.bob.ask("leave_room", room="tech")
        self.bob.send("chat", text="where")
        self.assertEqual([said["room"] for said in self.bob.heard("chat")], ["tech", "general"])

    def test_leaving_another_room_leaves_the_current_one_as_it_is(self) -> None:
        self.bob.ask("join_room", room="tech", also=True)
        self.bob.ask("leave_room", room="general")
        self.bob.send("chat", text="where")
        self.assertEqual([said["room"] for said in self.bob.heard("chat")], ["tech"])

    def test_in_no_room_nothing_can_be_meant(self) -> None:
        self.ann.ask("leave_room", room="general")
        for type, fields in (("chat", {"text": "hi"}), ("who", {}), ("history", {})):
            self.assertRefused(self.ann.ask(type, **fields), "not_allowed", "$.room")

    def test_leaving_a_room_one_is_not_in(self) -> None:
        self.assertRefused(self.ann.ask("leave_room", room="tech"), "not_allowed", "$.room")
        self.assertRefused(self.ann.ask("leave_room", room="nowhere"), "no_such_room", "$.room")


class WhoTests(ChatTestCase):
    """C{who}."""

    def test_id_name_and_emoji(self) -> None:
        self.ann.ask("set_name", name="Ann")
        self.ann.ask("set_emoji", emoji="🦊")
        answer = self.bob.ask("who")
        self.assertEqual((answer["type"], answer["room"], answer["more"]), ("who", "general", False))
        self.assertEqual(
            answer["members"],
            [
                {"id": "User_1", "name": "Ann", "emoji": "🦊"},
                {"id": "User_2", "name": "User_2", "emoji": "😊"},
            ],
        )

    def test_of_another_room(self) -> None:
        self.bob.ask("join_room", room="tech")
        self.assertEqual([member["id"] for member in self.ann.ask("who", room="tech")["members"]], ["User_2"])

    def test_of_a_room_that_is_not_there(self) -> None:
        self.assertRefused(self.ann.ask("who", room="nowhere"), "no_such_room", "$.room")

    def test_at_most_a_hundred_at_a_time(self) -> None:
        for _ in range(103):
            self.house.connect("chat")
        answer = self.ann.ask("who")
        self.assertEqual([member["id"] for member in answer["members"]], [f"User_{n}" for n in range(1, 101)])
        self.assertTrue(answer["more"])
        answer = self.ann.ask("who", after="User_100")
        self.assertEqual([member["id"] for member in answer["members"]], [f"User_{n}" for n in range(101, 106)])
        self.assertFalse(answer["more"])

    def test_a_small_client_gets_small_pages(self) -> None:
        for _ in range(40):
            self.house.connect("chat")
        self.ann.received()
        self.ann.ask("options", max_reply=1024)
        self.ann.largest = 0
        self.assertTrue(self.ann.ask("who")["more"])
        self.assertLessEqual(self.ann.largest, 1024)

    def test_paging_starts_again_when_the_last_one_has_left(self) -> None:
        """Whoever is there is seen, some perhaps twice."""
        self.bob.drop()
        self.assertEqual([m["id"] for m in self.ann.ask("who", after="User_2")["members"]], ["User_1"])


class NameTests(ChatTestCase):
    """C{set_name} and C{set_emoji}."""

    def test_what_one_says_has_the_name(self) -> None:
        self.assertEqual(self.ann.ask("set_name", name="Ann"), {"type": "ok"})
        self.ann.send("chat", text="hi")
        self.assertEqual(self.bob.heard("chat")[0]["user"], "Ann")

    def test_the_id_stays(self) -> None:
        self.ann.ask("set_name", name="Ann")
        self.assertEqual(self.ann.ask("who")["members"][0]["id"], "User_1")

    def test_a_name_that_somebody_has_in_whatever_case(self) -> None:
        self.ann.ask("set_name", name="Straße")
        for name in ("Straße", "straße", "STRASSE", "ｓｔｒａsse"):
            self.assertRefused(self.bob.ask("set_name", name=name), "name_taken", "$.name")
        self.assertEqual(self.ann.ask("set_name", name="STRASSE"), {"type": "ok"})

    def test_the_numbers_of_guests_are_not_to_be_had(self) -> None:
        for name in ("User_1", "user_1", "USER_99", "Ｕser_5"):
            self.assertRefused(self.bob.ask("set_name", name=name), "name_taken", "$.name")

    def test_ones_own_number_is(self) -> None:
        self.ann.ask("set_name", name="Ann")
        self.assertEqual(self.ann.ask("set_name", name="User_1"), {"type": "ok"})
        self.assertEqual(self.bob.ask("set_name", name="Ann"), {"type": "ok"})

    def test_the_names_of_accounts_and_what_looks_like_them_are_not_to_be_had(self) -> None:
        self.house.store.accounts.add(account("Zoe"))
        for name in ("Zoe", "ZOE", "Zое", "ＺＯＥ"):
            self.assertRefused(self.bob.ask("set_name", name=name), "name_taken", "$.name")
        self.assertEqual(self.bob.ask("set_name", name="Zoey"), {"type": "ok"})

    def test_who_goes_while_a_name_is_looked_up_does_not_get_it(self) -> None:
        answer: Deferred[None] = Deferred()
        self.patch(self.house.store.accounts, "find", lambda skeleton: answer)
        self.ann.send("set_name", name="Ann")
        self.ann.drop()
        answer.callback(None)
        self.assertEqual(self.house.chat.people.all("Ann"), [])

    def test_others_hear_of_a_name_that_came_with_a_login(self) -> None:
        self.house.core.accounts = Accounts(self.house.core, [Keeper()])
        self.house.store.accounts.add(account("Zoe"))
        self.bob.ask("set_name", name="Zoe")  # was there before the account
        self.house.wait(2)
        self.carl = self.house.connect("chat")
        self.house.wait(2)
        self.carl.received()
        self.ann.ask("login", user="Zoe", password=PASSWORD)
        self.house.wait(1)
        [presence] = self.carl.heard("presence")
        self.assertEqual(presence["renamed"], [{"id": self.ann.id, "name": "Zoe"}])

    def test_names_have_1_to_32_characters(self) -> None:
        for name in ("A", "x" * 32, "Ann B. 🦊"):
            self.assertEqual(self.ann.ask("set_name", name=name), {"type": "ok"})
        for name in ("", " ", "x" * 33):
            self.assertRefused(self.ann.ask("set_name", name=name), "bad_message", "$.name")

    def test_no_control_or_direction_changing_characters(self) -> None:
        for name in ("a\nb", "a\x00b", "a\x1b[31m", "a\u202eb", "a\u2066b", "a\u200fb", "a\x7fb", "a\u2028b"):
            self.assertRefused(self.ann.ask("set_name", name=name), "bad_message", "$.name")

    def test_what_one_says_has_the_emoji(self) -> None:
        self.assertEqual(self.ann.ask("set_emoji", emoji="🚀"), {"type": "ok"})
        self.ann.send("chat", text="hi")
        self.assertEqual(self.bob.heard("chat")[0]["emoji"], "🚀")

    def test_an_emoji_is_one_grapheme(self) -> None:
        for emoji in ("👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇪🇺", "a", "é"):
            self.assertEqual(self.ann.ask("set_emoji", emoji=emoji), {"type": "ok"})
        for emoji in ("", "ab", "🚀🚀", " ", "\n", "\u202e", "e" + "\u0301" * 40):
            self.assertRefused(self.ann.ask("set_emoji", emoji=emoji), "bad_message", "$.emoji")


class DirectTests(ChatTestCase):
    """C{direct}."""

    def test_both_get_it_and_nobody_else(self) -> None:
        carol = self.house.connect("chat")
        self.ann.send("direct", to="User_2", text="psst")
        [message] = self.bob.received()
        self.assertEqual(self.ann.received(), [message])
        self.assertEqual(carol.received(), [])
        self.assertIsInstance(message.pop("id"), str)
        self.assertEqual(
            message,
            {
                "type": "direct",
                "from": "User_1",
                "to": "User_2",
                "message": "psst",
                "emoji": "😊",
                "at": START * 1000,
            },
        )

    def test_the_copy_of_who_sent_it_answers_the_ref(self) -> None:
        answer = self.ann.ask("direct", to="User_2", text="psst")
        [message] = self.bob.received()
        self.assertEqual(message, answer)
        self.assertEqual(self.ann.received(), [])

    def test_by_name(self) -> None:
        self.bob.ask("set_name", name="Bob")
        self.assertEqual(self.ann.ask("direct", to="bob", text="psst")["to"], "Bob")
        self.assertEqual(texts(self.bob.heard("direct")), ["psst"])

    def test_to_someone_in_another_room(self) -> None:
        self.bob.ask("join_room", room="tech")
        self.ann.ask("direct", to="User_2", text="psst")
        self.assertEqual(texts(self.bob.heard("direct")), ["psst"])

    def test_to_oneself_it_comes_once(self) -> None:
        self.ann.send("direct", to="User_1", text="note")
        self.assertEqual(texts(self.ann.received()), ["note"])

    def test_to_nobody(self) -> None:
        self.assertRefused(self.ann.ask("direct", to="Zoe", text="psst"), "no_such_user", "$.to")

    def test_to_someone_who_is_away(self) -> None:
        self.bob.ask("set_name", name="Bob")
        self.bob.drop()
        for who in ("User_2", "Bob"):
            self.assertRefused(self.ann.ask("direct", to=who, text="psst"), "no_such_user", "$.to")

    def test_ids_differ(self) -> None:
        self.assertNotEqual(
            self.ann.ask("direct", to="User_2", text="a")["id"], self.ann.ask("direct", to="User_2", text="b")["id"]
        )

    def test_it_is_no_part_of_the_rooms_log(self) -> None:
        self.ann.ask("direct", to="User_2", text="psst")
        self.assertEqual(self.ann.ask("history")["messages"], [])

    def test_texts_have_1_to_4000_characters(self) -> None:
        for text in ("", "x" * 4001):
            self.assertRefused(self.ann.ask("direct", to="User_2", text=text), "bad_message", "$.text")
