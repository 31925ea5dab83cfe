"""Tests of L{netplay.chat.feature}: presence, expiry, coming back, and stores that take their time."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netplay import connection
from netplay.channel import Channel
from netplay.chat.feature import ChatFeature
from netplay.interfaces import IFeature, IMessageService, ISession
from tests.chat.slow import SlowStore
from tests.features import House, LineClient


class ChatTestCase(SynchronousTestCase):
    """Ann and Bob are in general, and everything there is to say about that is said."""

    def setUp(self) -> None:
        self.house = House()
        self.ann = self.house.connect("chat")
        self.bob = self.house.connect("chat")
        self.house.wait(1)
        self.ann.received()
        self.bob.received()

    def come_back(self, client: LineClient, **fields: Any) -> tuple[LineClient, list[dict[str, Any]]]:
        """A new connection that resumes at once; returns it and all that comes of that."""
        again = self.house.connect("chat")
        again.hello = client.hello
        again.send("resume", session=client.hello["session"], **fields)
        return again, again.received()

    def epoch(self, room: str = "general") -> str:
        return str(self.ann.ask("history", room=room)["epoch"])


class InterfaceTests(ChatTestCase):
    """What the daemon builds on."""

    def test_they_are_provided(self) -> None:
        verifyObject(IFeature, ChatFeature())
        verifyObject(IMessageService, self.house.chat)
        verifyObject(ISession, self.ann.protocol.client.session)

    def test_chat_has_port_8888_and_frames_of_type_16(self) -> None:
        self.assertEqual((ChatFeature.port, ChatFeature.frame_type), (8888, 16))

    def test_nothing_is_left_to_do_after_the_end(self) -> None:
        self.house.chat.stopService()
        self.house.chat.startService()
        self.house.chat.stopService()


class PresenceTests(ChatTestCase):
    """C{presence}."""

    def presence(self, client: LineClient) -> list[dict[str, Any]]:
        messages = client.heard("presence")
        for message in messages:
            del message["type"]
        return messages

    def test_who_comes_is_told_within_a_second(self) -> None:
        self.house.connect("chat")
        self.assertEqual(self.presence(self.ann), [])
        self.house.wait(1)
        [told] = self.presence(self.ann)
        self.assertEqual(
            told,
            {
                "room": "general",
                "count": 3,
                "at": self.house.core.now(),
                "joined": [{"id": "User_3", "name": "User_3"}],
                "left": [],
                "renamed": [],
            },
        )

    def test_who_goes(self) -> None:
        self.bob.drop()
        self.house.wait(1)
        [told] = self.presence(self.ann)
        self.assertEqual((told["count"], told["joined"], told["left"]), (1, [], ["User_2"]))

    def test_who_leaves_the_room_and_who_comes_to_it(self) -> None:
        self.bob.ask("join_room", room="tech")
        carol = self.house.connect("chat")
        carol.ask("join_room", room="tech", also=True)
        self.house.wait(1)
        [told] = self.presence(carol)[1:]
        self.assertEqual([told["room"], told["count"]], ["tech", 2])
        [told] = self.presence(self.ann)
        self.assertEqual((told["left"], [named["id"] for named in told["joined"]]), (["User_2"], ["User_3"]))

    def test_who_has_another_name(self) -> None:
        self.bob.ask("set_name", name="Bob")
        self.house.wait(1)
        [told] = self.presence(self.ann)
        self.assertEqual(told["renamed"], [{"id": "User_2", "name": "Bob"}])

    def test_the_same_name_again_is_nothing_to_tell(self) -> None:
        self.bob.ask("set_name", name="User_2")
        self.house.wait(1)
        self.assertEqual(self.presence(self.ann), [])

    def test_who_comes_and_goes_within_a_second_is_not_told(self) -> None:
        carol = self.house.connect("chat")
        self.house.wait(0.5)
        carol.drop()
        self.house.wait(2)
        self.assertEqual(self.presence(self.ann), [])

    def test_at_most_once_a_second_whatever_happens(self) -> None:
        for _ in range(100):
            self.house.connect("chat")
            self.house.wait(0.05)
        told = self.presence(self.ann)
        self.assertTrue(4 <= len(told) <= 5, len(told))
        self.assertEqual(len({named["id"] for one in told for named in one.get("joined", ())}), told[-1]["count"] - 2)

    def test_above_a_hundred_members_only_the_count(self) -> None:
        for _ in range(99):
            self.house.connect("chat")
        self.house.wait(1)
        self.assertEqual(self.presence(self.ann), [{"room": "general", "count": 101, "at": self.house.core.now()}])

    def test_it_is_no_part_of_the_log(self) -> None:
        self.house.connect("chat")
        self.house.wait(1)
        self.assertEqual(self.ann.ask("history")["messages"], [])
        self.assertEqual(self.ann.ask("chat", text="x")["seq"], 1)


class ExpiryTests(ChatTestCase):
    """Rooms that were made and are empty."""

    def setUp(self) -> None:
        super().setUp()
        self.ann.ask("create_room", room="garden")
        self.bob.ask("join_room", room="garden")
        self.bob.ask("chat", text="anyone?")
        self.first_epoch = self.epoch("garden")

    def exists(self) -> bool:
        return "garden" in [line["room"] for line in self.ann.ask("rooms")["rooms"]]

    def test_it_goes_after_an_hour(self) -> None:
        self.bob.ask("leave_room", room="garden")
        self.house.wait(3599)
        self.assertTrue(self.exists())
        self.house.wait(61)
        self.assertFalse(self.exists())

    def test_not_while_somebody_is_there(self) -> None:
        self.house.wait(7300)
        self.assertTrue(self.exists())

    def test_a_room_of_the_same_name_has_no_history_and_another_epoch(self) -> None:
        self.bob.ask("leave_room", room="garden")
        self.house.wait(3660)
        self.assertEqual(self.ann.ask("create_room", room="garden"), {"type": "ok"})
        page = self.ann.ask("history", room="garden")
        self.assertEqual(page["messages"], [])
        self.assertNotEqual(page["epoch"], self.first_epoch)
        changed = self.ann.ask("join_room", room="garden", since={"epoch": self.first_epoch, "seq": 0})
        self.assertFalse(changed["recovered"])

    def test_the_other_rooms_keep_theirs(self) -> None:
        before = self.epoch()
        self.bob.ask("leave_room", room="garden")
        self.house.wait(3660)
        self.ann.ask("chat", text="still here")
        self.assertEqual(self.epoch(), before)

    def test_standing_rooms_never_go(self) -> None:
        self.house.wait(7300)
        self.assertIn("tech", [line["room"] for line in self.ann.ask("rooms")["rooms"]])


class ResumeTests(ChatTestCase):
    """Who was here before."""

    def setUp(self) -> None:
        super().setUp()
        self.ann.ask("chat", text="1")
        self.since = {"general": {"epoch": self.epoch(), "seq": 1}}
        self.bob.received()

    def test_the_answer_says_who_and_where_one_is(self) -> None:
        self.bob.ask("join_room", room="tech", also=True)
        self.bob.drop()
        _, [resumed, *_] = self.come_back(self.bob, since=self.since)
        self.assertEqual(resumed["type"], "resumed")
        self.assertEqual(resumed["you"], self.bob.hello["you"])
        self.assertEqual(resumed["room"], "tech")
        self.assertEqual(list(resumed["rooms"]), ["general", "tech"])
        self.assertEqual(resumed["rooms"]["general"], {**self.since["general"], "recovered": True})

    def test_what_was_missed_comes_then_what_is_live_in_order_and_once(self) -> None:
        self.bob.drop()
        for text in ("2", "3"):
            self.ann.ask("chat", text=text)
        self.ann.send("chat", text="4")
        again = self.house.connect("chat")
        again.send("resume", session=self.bob.hello["session"], since=self.since)
        self.ann.send("chat", text="5")
        resumed, history, live = again.received()
        self.assertEqual([message["type"] for message in (resumed, history, live)], ["resumed", "history", "chat"])
        self.assertEqual([said["message"] for said in history["messages"]], ["2", "3", "4"])
        self.assertEqual((history["more"], live["message"]), (False, "5"))
        self.assertEqual(resumed["rooms"]["general"]["seq"], 4)

    def test_nothing_was_missed(self) -> None:
        self.bob.drop()
        _, [resumed, history] = self.come_back(self.bob, since=self.since)
        self.assertTrue(resumed["rooms"]["general"]["recovered"])
        self.assertEqual(history["messages"], [])

    def test_much_was_missed(self) -> None:
        self.bob.drop()
        for _ in range(50):
            self.ann.ask("chat", text="x" * 3000)
        _, [_, *pages] = self.come_back(self.bob, since=self.since)
        self.assertGreater(len(pages), 1)
        self.assertEqual([said["seq"] for page in pages for said in page["messages"]], list(range(2, 52)))
        self.assertEqual([page["more"] for page in pages], [True] * (len(pages) - 1) + [False])

    def test_too_much_was_missed(self) -> None:
        self.bob.drop()
        for number in range(2, 120):
            self.ann.ask("chat", text=str(number))
        _, [resumed, history] = self.come_back(self.bob, since=self.since)
        self.assertFalse(resumed["rooms"]["general"]["recovered"])
        self.assertEqual([said["seq"] for said in history["messages"]], list(range(20, 120)))

    def test_places_that_never_were(self) -> None:
        for place in ({"epoch": "another", "seq": 1}, {**self.since["general"], "seq": 2}):
            self.bob.drop()
            self.bob, [resumed, *_] = self.come_back(self.bob, since={"general": place})
            self.assertFalse(resumed["rooms"]["general"]["recovered"])

    def test_without_a_place_nothing_can_be_recovered(self) -> None:
        self.bob.drop()
        again, [resumed] = self.come_back(self.bob)
        self.assertFalse(resumed["rooms"]["general"]["recovered"])
        self.ann.send("chat", text="live")
        self.assertEqual([said["message"] for said in again.heard("chat")], ["live"])

    def test_places_in_rooms_one_was_not_in_are_passed_over(self) -> None:
        self.bob.drop()
        _, [resumed, *_] = self.come_back(
            self.bob, since={"tech": {"epoch": "x", "seq": 0}, "No Room": {"epoch": "", "seq": 0}}
        )
        self.assertEqual(list(resumed["rooms"]), ["general"])

    def test_the_rooms_and_the_current_one_are_as_before(self) -> None:
        self.bob.ask("join_room", room="gaming")
        self.bob.ask("join_room", room="tech", also=True)
        self.bob.ask("join_room", room="gaming", also=True)
        self.bob.drop()
        again, _ = self.come_back(self.bob)
        self.assertEqual(again.ask("chat", text="here")["type"], "ok")
        self.assertEqual(again.ask("chat", text="there", room="tech")["type"], "ok")
        self.assertEqual([said["room"] for said in again.heard("chat")], ["gaming", "tech"])

    def test_in_no_room(self) -> None:
        self.bob.ask("leave_room", room="general")
        self.bob.drop()
        again, [resumed] = self.come_back(self.bob)
        self.assertEqual(resumed["rooms"], {})
        self.assertEqual(again.ask("chat", text="hi")["code"], "not_allowed")

    def test_a_room_that_has_gone_meanwhile(self) -> None:
        self.ann.ask("create_room", room="garden")
        self.bob.ask("join_room", room="garden")
        self.house.wait(3550)
        self.bob.drop()
        self.house.chat.rooms.get("garden").empty_since = 0.0  # as if it had been empty for long
        self.house.wait(60)
        _, [resumed] = self.come_back(self.bob)
        self.assertEqual(resumed["rooms"], {})

    def test_name_and_emoji_are_as_before(self) -> None:
        self.bob.ask("set_name", name="Bob")
        self.bob.ask("set_emoji", emoji="🦊")
        self.bob.drop()
        again, [resumed, *_] = self.come_back(self.bob)
        self.assertEqual(resumed["you"], {"id": "User_2", "name": "Bob", "guest": True})
        again.ask("chat", text="hi")
        [said] = again.heard("chat")
        self.assertEqual((said["user"], said["emoji"]), ("Bob", "🦊"))

    def test_direct_messages_reach_who_came_back(self) -> None:
        self.bob.drop()
        again, _ = self.come_back(self.bob)
        self.assertEqual(self.ann.ask("direct", to="User_2", text="psst")["type"], "direct")
        self.assertEqual(len(again.heard("direct")), 1)

    def test_who_resumes_at_once_is_never_seen_as_a_newcomer(self) -> None:
        self.bob.drop()
        self.house.wait(2)
        self.ann.received()
        self.come_back(self.bob)
        self.house.wait(2)
        joined = [named["id"] for told in self.ann.heard("presence") for named in told["joined"]]
        self.assertEqual(joined, ["User_2"])

    def test_not_even_when_something_is_told_just_then(self) -> None:
        self.bob.drop()
        self.house.wait(2)
        self.house.connect("chat").ask("set_name", name="Carol")
        self.house.wait(0.95)  # in a moment that is told
        again = self.house.connect("chat")
        self.house.wait(0.1)
        again.send("resume", session=self.bob.hello["session"])
        self.house.wait(2)
        told = self.ann.heard("presence")
        self.assertEqual({named["id"] for one in told for named in one["joined"]}, {"User_2", "User_3"})

    def test_a_newcomer_who_goes_elsewhere_at_once_is_told_there(self) -> None:
        self.bob.ask("join_room", room="tech")
        self.house.wait(0.95)
        self.house.connect("chat").ask("join_room", room="tech")
        self.house.wait(2)
        joined = [named["id"] for told in self.bob.heard("presence") for named in told["joined"]]
        self.assertEqual(joined, ["User_2", "User_3"])

    def test_who_takes_over_from_a_connection_that_is_still_there_is_not_seen_to_move(self) -> None:
        self.come_back(self.bob)
        self.house.wait(2)
        self.assertEqual(self.ann.heard("presence"), [])
        self.assertTrue(self.bob.closed)

    def test_the_one_that_was_replaced_has_all_that_came_before(self) -> None:
        self.ann.send("chat", text="2")
        again, [_, history] = self.come_back(self.bob, since=self.since)
        self.assertEqual([message["type"] for message in self.bob.received()], ["chat", "error"])
        self.assertEqual([said["message"] for said in history["messages"]], ["2"])
        self.assertEqual(again.received(), [])


class SlowReaderTests(ChatTestCase):
    """Bob missed a lot, and reads it at his own pace."""

    def setUp(self) -> None:
        super().setUp()
        self.epochs = {"general": self.epoch()}
        for room in ("tech", "gaming"):
            self.ann.ask("join_room", room=room, also=True)
            self.epochs[room] = self.bob.ask("join_room", room=room, also=True)["epoch"]
        self.bob.drop()
        for room in self.epochs:
            for _ in range(30):
                self.ann.send("chat", room=room, text="x" * 4000)
        self.ann.received()
        self.since = {room: {"epoch": epoch, "seq": 0} for room, epoch in self.epochs.items()}

    def test_no_more_is_sent_than_he_may_leave_unread(self) -> None:
        again = self.house.connect("chat")
        again.lag()
        again.send("resume", session=self.bob.hello["session"], since=self.since)
        self.assertLess(again.protocol.outbox.backlog, 2 * 32 * 1024)

    def test_all_of_it_comes_as_he_reads(self) -> None:
        again = self.house.connect("chat")
        again.lag()
        again.send("resume", session=self.bob.hello["session"], since=self.since)
        pages = []
        for _ in range(60):
            again.catch_up()
            pages += again.heard("history")
            again.lag()
        missed = [(page["room"], message["seq"]) for page in pages for message in page["messages"]]
        self.assertEqual(missed, [(room, seq + 1) for room in self.epochs for seq in range(30)])


class GreetingTests(ChatTestCase):
    """Something goes wrong while a newcomer is greeted."""

    def test_nothing_of_it_stays(self) -> None:
        def broken(*args: object) -> None:
            raise ZeroDivisionError

        self.patch(Channel, "join", broken)
        newcomer = self.house.connect("chat", greeted=False)
        self.assertEqual(newcomer.received()[-1]["code"], "internal")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        newcomer.drop()
        self.assertEqual(self.ann.ask("direct", to="User_3", text="?")["code"], "no_such_user")


class AwayTests(ChatTestCase):
    """What is kept for who may come back."""

    def setUp(self) -> None:
        super().setUp()
        self.bob.ask("set_name", name="Bob")
        self.bob.drop()

    def test_the_name_is_kept(self) -> None:
        self.house.wait(119)
        self.assertEqual(self.ann.ask("set_name", name="bob")["code"], "name_taken")

    def test_and_freed_after_two_minutes(self) -> None:
        self.house.wait(121)
        self.assertEqual(self.ann.ask("set_name", name="bob"), {"type": "ok"})

    def test_who_came_back_keeps_it(self) -> None:
        self.come_back(self.bob)
        self.house.wait(200)
        self.assertEqual(self.ann.ask("set_name", name="bob")["code"], "name_taken")

    def test_who_is_away_is_in_no_room(self) -> None:
        self.assertEqual([member["id"] for member in self.ann.ask("who")["members"]], ["User_1"])


def refs(client: LineClient) -> list[Any]:
    """Of the answers that came."""
    return [message["ref"] for message in client.received() if "ref" in message]


class SlowStoreTests(SynchronousTestCase):
    """A store that takes its time holds up nobody but who waits for it."""

    def setUp(self) -> None:
        self.store = SlowStore()
        self.house = House(store=self.store)
        self.ann = self.house.connect("chat")
        self.bob = self.house.connect("chat")

    def test_delivery_does_not_wait(self) -> None:
        self.ann.send("chat", text="hi")
        self.assertEqual(len(self.bob.heard("chat")), 1)

    def test_ok_waits_until_it_is_kept(self) -> None:
        self.ann.send("chat", text="hi", ref=1)
        self.assertEqual([message["type"] for message in self.ann.received()], ["chat"])
        self.store.log.work()
        self.assertEqual([message["type"] for message in self.ann.received()], ["ok"])

    def test_the_next_request_waits_for_the_answer_of_the_one_before(self) -> None:
        self.ann.write(b'{"type":"history","ref":1}\n{"type":"ping","ref":2}\n')
        self.assertEqual(self.ann.received(), [])
        self.assertTrue(self.ann.paused)
        self.store.log.work()
        self.assertEqual([message["ref"] for message in self.ann.received()], [1, 2])
        self.assertFalse(self.ann.paused)

    def test_what_is_said_next_is_heard_before_it_is_answered(self) -> None:
        self.ann.write(
            b'{"type":"chat","text":"1","ref":1}\n{"type":"chat","text":"2","ref":2}\n{"type":"chat","text":"3"}\n'
        )
        self.assertEqual([said["message"] for said in self.bob.heard("chat")], ["1", "2", "3"])
        self.assertEqual(refs(self.ann), [])
        self.store.log.work()
        self.assertEqual(refs(self.ann), [1, 2])

    def test_all_else_has_its_turn_and_is_answered_in_it(self) -> None:
        self.ann.write(
            b'{"type":"chat","text":"1","ref":1}\n{"type":"chat","text":"","ref":2}\n'
            b'{"type":"ping","ref":3}\n{"type":"chat","text":"2","ref":4}\n{"type":"nonsense","ref":5}\n'
        )
        self.assertEqual(len(self.bob.heard("chat")), 1)
        self.assertEqual(refs(self.ann), [])
        self.store.log.work()
        self.assertEqual(refs(self.ann), [1, 2, 3])
        self.assertEqual(len(self.bob.heard("chat")), 1)
        self.store.log.work()
        self.assertEqual(refs(self.ann), [4, 5])

    def test_so_many_may_be_unanswered(self) -> None:
        self.patch(connection, "MOST_UNANSWERED", 2)
        for n in range(3):
            self.ann.send("chat", text=str(n), ref=n)
        self.assertEqual(len(self.bob.heard("chat")), 2)
        self.store.log.work()
        self.assertEqual(refs(self.ann), [0, 1])
        self.assertEqual(len(self.bob.heard("chat")), 1)

    def test_what_waits_its_turn_is_not_done_for_who_has_gone(self) -> None:
        self.ann.send("chat", text="1", ref=1)
        self.ann.send("join_room", room="tech", ref=2)
        self.ann.drop()
        self.store.log.work()
        self.assertEqual([member["id"] for member in self.bob.ask("who", room="tech")["members"]], [])

    def test_who_sends_no_more_gets_its_answers(self) -> None:
        self.ann.send("chat", text="1", ref=1)
        self.ann.half_close()
        self.house.wait(0)
        self.assertFalse(self.ann.closed)
        self.store.log.work()
        self.house.wait(0)
        self.assertEqual(refs(self.ann), [1])
        self.assertTrue(self.ann.closed)

    def test_nobody_else_waits(self) -> None:
        self.ann.send("history", ref=1)
        self.assertEqual(self.bob.ask("ping")["type"], "pong")

    def test_what_is_said_while_the_history_is_read_is_heard_once(self) -> None:
        self.bob.ask("leave_room", room="general")
        self.bob.send("join_room", room="general", since={"epoch": "slow", "seq": 0}, ref="j")
        self.ann.send("chat", text="meanwhile")
        for _ in range(5):
            self.store.log.work()
        self.ann.send("chat", text="then")
        heard = [
            said["message"]
            for message in self.bob.received()
            for said in (message["messages"] if message["type"] == "history" else [message])
            if "message" in said and said["type"] == "chat"
        ]
        self.assertEqual(heard, ["meanwhile", "then"])

    def test_the_newest_page_does_not_lack_what_was_said_while_it_was_read(self) -> None:
        self.bob.ask("leave_room", room="general")
        self.bob.send("join_room", room="general", ref="j")
        page, self.store.log.todo = self.store.log.todo, []
        self.ann.send("chat", text="meanwhile")
        read = [(waiter, self.store.log.read(None, None, 0)) for waiter, _ in page]  # read before that
        for waiter, found in read:
            waiter.callback(found)
        for _ in range(5):
            self.store.log.work()
        changed = [message for message in self.bob.received() if message["type"] in ("room_changed", "chat", "history")]
        seen = [said["seq"] for message in changed if message["type"] == "history" for said in message["messages"]]
        self.assertEqual(seen, [1])

    def test_who_goes_while_coming_back_is_still_in_all_rooms(self) -> None:
        self.bob.send("join_room", room="tech", also=True)
        self.store.rooms.log("tech").work()
        self.bob.drop()
        since = {"general": {"epoch": "slow", "seq": 0}}
        for _ in range(2):
            again = self.house.connect("chat")
            again.send("resume", session=self.bob.hello["session"], since=since)
            [resumed] = again.heard("resumed")
            self.assertEqual(list(resumed["rooms"]), ["general", "tech"])
            again.drop()

    def test_who_resumes_misses_nothing_in_one_room_while_that_of_another_is_read(self) -> None:
        for client in (self.ann, self.bob):
            client.send("join_room", room="tech", also=True)
            self.store.rooms.log("tech").work()
        self.bob.drop()
        again = self.house.connect("chat")
        again.send("resume", session=self.bob.hello["session"], since={"general": {"epoch": "slow", "seq": 0}})
        self.ann.send("chat", text="meanwhile", room="tech")
        for _ in range(5):
            self.store.rooms.log("general").work()
            self.store.rooms.log("tech").work()
        self.ann.send("chat", text="then", room="tech")
        resumed, *messages = again.received()
        self.assertEqual(resumed["rooms"]["tech"]["seq"], 0)
        heard = [
            said["message"]
            for message in messages
            for said in (message["messages"] if message["type"] == "history" else [message])
        ]
        self.assertEqual(heard, ["meanwhile", "then"])

    def test_who_left_while_the_history_was_read_is_in_no_room(self) -> None:
        self.bob.send("join_room", room="tech")
        self.bob.drop()
        self.store.rooms.log("tech").work()
        self.assertEqual([member["id"] for member in self.ann.ask("who", room="tech")["members"]], [])
