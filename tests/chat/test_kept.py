"""What of chat is kept: rooms, what was said in them, and where accounts were; and what owners do with their rooms."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.store.memory import MemoryStore
from tests.accounts.keeper import PASSWORD, Keeper, account
from tests.features import House, LineClient


class KeptTestCase(SynchronousTestCase):
    """A daemon with accounts, that can be killed."""

    def setUp(self) -> None:
        self.store = MemoryStore()
        for record in (account("Ann"), account("Bob"), account("Op", "operator"), account("Mo", "moderator:garden")):
            self.store.accounts.add(record)
        self.restart()

    def restart(self) -> None:
        """The daemon is killed, and another goes on with the store."""
        self.house = House(store=self.store, accounts={"checkers": [Keeper()]})

    def come(self, name: str | None = None) -> LineClient:
        """Somebody in general, who has read all."""
        client = self.house.connect("chat")
        if name is not None:
            self.assertEqual(client.ask("login", user=name, password=PASSWORD)["type"], "logged_in")
        return client

    def come_back(self, session: str, **fields: Any) -> tuple[LineClient, dict[str, Any]]:
        """A new connection that resumes; returns it and the answer."""
        client = self.house.connect("chat")
        return client, client.ask("resume", session=session, **fields)

    def room(self, name: str) -> dict[str, Any] | None:
        """As lists show it."""
        lines = self.house.connect("chat").ask("rooms")["rooms"]
        return next((line for line in lines if line["room"] == name), None)


class RoomTests(KeptTestCase):
    """Rooms after a restart."""

    def test_they_are_there_with_their_topics_and_what_was_said(self) -> None:
        guest = self.come()
        guest.ask("create_room", room="garden", topic="what grows")
        guest.ask("join_room", room="garden")
        guest.ask("chat", text="roses")
        before = guest.ask("history")
        self.restart()
        self.assertEqual(self.room("garden"), {"room": "garden", "topic": "what grows", "members": 0})
        after = self.come().ask("history", room="garden")
        self.assertEqual(after["messages"], before["messages"])
        self.assertEqual(after["epoch"], before["epoch"])

    def test_since_goes_on(self) -> None:
        guest = self.come()
        first = guest.ask("chat", text="one")
        guest.ask("chat", text="two")
        epoch = guest.hello["epoch"]
        self.restart()
        again = self.come()
        self.assertEqual((again.hello["epoch"], again.hello["seq"]), (epoch, 2))
        changed = again.ask("join_room", room="general", since={"epoch": epoch, "seq": first["seq"]})
        self.assertTrue(changed["recovered"])
        [page] = again.heard("history")
        self.assertEqual([message["message"] for message in page["messages"]], ["two"])

    def test_that_of_a_guest_goes_when_it_was_empty_for_an_hour(self) -> None:
        self.come().ask("create_room", room="garden")
        self.restart()
        self.house.wait(3590)
        self.assertIsNotNone(self.room("garden"))
        self.house.wait(70)
        self.assertIsNone(self.room("garden"))
        self.restart()
        self.assertIsNone(self.room("garden"))

    def test_that_of_an_account_stays(self) -> None:
        self.come("Ann").ask("create_room", room="garden")
        self.house.wait(7300)
        self.restart()
        self.assertEqual(self.room("garden"), {"room": "garden", "topic": "", "members": 0, "owner": "Ann"})

    def test_what_an_account_may_own_is_counted_across_restarts(self) -> None:
        ann = self.come("Ann")
        for number in range(20):
            self.assertEqual(ann.ask("create_room", room=f"r{number}"), {"type": "ok"})
        self.restart()
        self.assertEqual(self.come("Ann").ask("create_room", room="r20")["code"], "too_many")
        self.assertEqual(self.come("Bob").ask("create_room", room="r20"), {"type": "ok"})

    def test_one_that_the_store_cannot_drop_just_now_goes_later(self) -> None:
        self.come().ask("create_room", room="garden")
        self.house.wait(3599)
        patch = self.patch(self.store.rooms, "drop", self.busy)
        self.house.wait(60)
        self.assertIsNotNone(self.room("garden"))
        patch.restore()
        self.house.wait(60)
        self.assertIsNone(self.room("garden"))

    def test_one_that_the_store_does_not_take_is_not_made(self) -> None:
        self.patch(self.store.rooms, "put", self.busy)
        self.assertEqual(self.come().ask("create_room", room="garden")["code"], "store_busy")
        self.assertIsNone(self.room("garden"))

    def busy(self, *_: object) -> Deferred[None]:
        raise Refused("store_busy", "too much waits to be kept")


class OwnerTests(KeptTestCase):
    """C{set_topic} and C{delete_room}."""

    def setUp(self) -> None:
        super().setUp()
        self.ann = self.come("Ann")
        self.ann.ask("create_room", room="garden", topic="what grows")
        self.guest = self.come()
        self.guest.ask("join_room", room="garden")
        self.house.wait(2)
        self.guest.received()

    def test_the_members_hear_of_a_new_topic_and_it_is_kept(self) -> None:
        self.assertEqual(self.ann.ask("set_topic", room="garden", topic="roses"), {"type": "ok"})
        self.assertEqual(self.guest.received(), [{"type": "topic", "room": "garden", "topic": "roses", "by": "Ann"}])
        self.restart()
        line = self.room("garden")
        self.assertEqual(line and line["topic"], "roses")

    def test_operators_and_moderators_of_the_room_set_it_too_and_nobody_else(self) -> None:
        for name in ("Op", "Mo"):
            self.assertEqual(self.come(name).ask("set_topic", room="garden", topic=name), {"type": "ok"})
        for client in (self.guest, self.come("Bob")):
            self.assertEqual(client.ask("set_topic", room="garden", topic="mine")["code"], "not_allowed")
        self.assertEqual(self.come("Mo").ask("set_topic", room="tech", topic="mine")["code"], "not_allowed")

    def test_who_is_in_a_room_that_is_deleted_is_told_and_out(self) -> None:
        self.guest.ask("chat", text="roses")
        self.guest.received()
        self.assertEqual(self.ann.ask("delete_room", room="garden"), {"type": "ok"})
        self.assertEqual(self.guest.received(), [{"type": "room_deleted", "room": "garden", "by": "Ann"}])
        self.assertEqual(self.guest.ask("chat", text="hello?")["code"], "not_allowed")
        self.house.wait(2)
        self.assertEqual(self.guest.received(), [])
        self.restart()
        self.assertIsNone(self.room("garden"))

    def test_one_that_is_made_under_its_name_is_another(self) -> None:
        said = self.guest.ask("chat", text="roses")
        self.ann.ask("delete_room", room="garden")
        self.ann.ask("create_room", room="garden")
        epoch = said["id"].partition("-")[0]
        changed = self.ann.ask("join_room", room="garden", since={"epoch": epoch, "seq": 1})
        self.assertFalse(changed["recovered"])
        self.assertEqual(self.ann.ask("history", room="garden")["messages"], [])

    def test_only_its_owner_and_operators_delete_it(self) -> None:
        for client in (self.guest, self.come("Bob"), self.come("Mo")):
            self.assertEqual(client.ask("delete_room", room="garden")["code"], "not_allowed")
        self.assertEqual(self.come("Op").ask("delete_room", room="garden"), {"type": "ok"})

    def test_the_standing_rooms_are_not_to_be_deleted(self) -> None:
        self.assertEqual(self.come("Op").ask("delete_room", room="general")["code"], "not_allowed")

    def test_who_was_in_a_deleted_room_comes_back_without_it(self) -> None:
        self.guest.ask("join_room", room="tech", also=True)
        self.guest.drop()
        self.ann.ask("delete_room", room="garden")
        _, resumed = self.come_back(self.guest.hello["session"])
        self.assertEqual(list(resumed["rooms"]), ["tech"])


class SearchTests(KeptTestCase):
    """C{search}."""

    def setUp(self) -> None:
        super().setUp()
        self.ann = self.come()
        for text in ("red roses", "red tulips", "white roses"):
            self.ann.ask("chat", text=text)
        self.ann.ask("join_room", room="tech", also=True)
        self.ann.ask("chat", text="red wires")
        self.ann.received()

    def found(self, text: str, **fields: Any) -> list[str]:
        answer = self.ann.ask("search", text=text, **fields)
        self.more = answer["more"]
        return [message["message"] for message in answer["messages"]]

    def test_all_words_in_the_rooms_one_is_in_newest_first(self) -> None:
        self.assertEqual(sorted(self.found("red")), ["red roses", "red tulips", "red wires"])
        self.assertEqual(self.found("red ros"), ["red roses"])
        self.assertEqual(self.found("blue"), [])
        self.ann.ask("leave_room", room="general")
        self.assertEqual(self.found("red"), ["red wires"])

    def test_in_the_room_that_is_named(self) -> None:
        self.assertEqual(self.found("red", room="general"), ["red tulips", "red roses"])
        self.assertEqual(self.ann.ask("search", text="red", room="nowhere")["code"], "no_such_room")

    def test_page_by_page(self) -> None:
        self.assertEqual(self.found("roses", limit=1), ["white roses"])
        self.assertTrue(self.more)
        newest = self.ann.ask("search", text="roses", limit=1)["messages"][0]["id"]
        self.assertEqual(self.found("roses", limit=1, before=newest), ["red roses"])
        self.assertFalse(self.more)

    def test_a_page_fits_in_a_reply(self) -> None:
        for _ in range(30):
            self.ann.ask("chat", text="long " * 50)
        self.ann.ask("options", max_reply=2048)
        self.ann.received()
        self.assertLess(len(self.found("long")), 30)
        self.assertTrue(self.more)


class BusyTests(KeptTestCase):
    """A store that takes no more."""

    def test_what_it_does_not_take_is_not_said(self) -> None:
        ann, bob = self.come(), self.come()

        def busy(body: object) -> None:
            raise Refused("store_busy", "too much waits to be kept")

        self.patch(self.store.rooms.log("general"), "append", busy)
        self.assertEqual(ann.ask("chat", text="hello")["code"], "store_busy")
        ann.send("chat", text="hello")
        self.assertEqual(ann.heard("error")[0]["code"], "store_busy")
        self.assertEqual(bob.heard("chat"), [])

    def test_what_it_cannot_keep_just_now_is_said_and_its_author_told_if_it_asked(self) -> None:
        ann, bob = self.come(), self.come()
        log = self.store.rooms.log("general")
        self.patch(log, "kept", lambda: fail(Refused("store_busy", "not kept yet")))
        self.assertEqual(ann.ask("chat", text="one")["code"], "store_busy")
        ann.send("chat", text="two")
        self.assertEqual(ann.heard("error"), [])
        self.assertEqual(len(bob.heard("chat")), 2)


class SessionTests(KeptTestCase):
    """Accounts that come back after a restart."""

    def test_rooms_emoji_and_what_was_missed_come_back(self) -> None:
        ann, guest = self.come("Ann"), self.come()
        ann.ask("create_room", room="garden")
        ann.ask("join_room", room="garden")
        ann.ask("join_room", room="tech", also=True)
        ann.ask("set_emoji", emoji="🌹")
        last = ann.ask("chat", text="mine", room="garden")
        guest.ask("join_room", room="garden")
        guest.ask("chat", text="missed")
        self.restart()
        since = {"garden": {"epoch": last["id"].partition("-")[0], "seq": last["seq"]}}
        again, resumed = self.come_back(ann.hello["session"], since=since)
        self.assertEqual(list(resumed["rooms"]), ["garden", "tech"])
        self.assertEqual((resumed["room"], resumed["rooms"]["garden"]["recovered"]), ("tech", True))
        [page] = again.heard("history")
        self.assertEqual([message["message"] for message in page["messages"]], ["missed"])
        self.assertEqual(
            again.ask("who", room="garden")["members"],
            [{"id": again.session.member.person.id, "name": "Ann", "emoji": "🌹"}],
        )
        self.assertNotIn("Ann", [line["name"] for line in again.ask("who", room="general")["members"]])
        self.assertEqual(again.ask("set_topic", room="garden", topic="roses"), {"type": "ok"})

    def test_each_room_that_is_joined_or_left_is_kept_at_once(self) -> None:
        ann = self.come("Ann")
        ann.ask("join_room", room="tech", also=True)
        ann.ask("leave_room", room="general")
        self.restart()
        _, resumed = self.come_back(ann.hello["session"])
        self.assertEqual(list(resumed["rooms"]), ["tech"])

    def test_nothing_is_written_when_nothing_has_changed(self) -> None:
        ann = self.come("Ann")
        puts: list[object] = []
        self.patch(self.store.sessions, "put", puts.append)
        ann.ask("join_room", room="general")
        ann.ask("chat", text="hello")
        self.assertEqual(puts, [])

    def test_one_was_used_until_it_was_left(self) -> None:
        ann = self.come("Ann")
        self.house.wait(100)
        ann.drop()
        [record] = self.store.sessions._by_key.values()
        self.assertEqual(record.used, self.house.core.now())

    def test_who_comes_back_is_the_account_as_it_is_now(self) -> None:
        ann = self.come("Ann")
        ann.drop()
        again, _ = self.come_back(ann.hello["session"])
        self.assertIs(again.session.member.person.account, again.protocol.account)

    def test_several_sessions_of_one_account_are_each_their_own(self) -> None:
        first, second = self.come("Ann"), self.come("Ann")
        first.ask("join_room", room="tech")
        second.ask("join_room", room="gaming")
        self.restart()
        for client, room in ((first, "tech"), (second, "gaming")):
            self.assertEqual(list(self.come_back(client.hello["session"])[1]["rooms"]), [room])
        self.assertEqual(len(self.house.chat.people.all("Ann")), 2)


class SeveralConnectionsTests(KeptTestCase):
    """An account that is connected several times."""

    def test_each_gets_everything_once(self) -> None:
        connections, guest = [self.come("Ann"), self.come("Ann")], self.come()
        for client in connections:
            client.received()
        guest.send("chat", text="hello")
        guest.send("direct", to="Ann", text="psst")
        for client in connections:
            types = [message["type"] for message in client.received()]
            self.assertEqual(sorted(types), ["chat", "direct"])
        self.assertEqual(len(guest.heard("direct")), 1)

    def test_what_one_says_to_somebody_the_others_see_too(self) -> None:
        one, other, guest = self.come("Ann"), self.come("Ann"), self.come()
        one.received(), other.received()
        one.send("direct", to=guest.id, text="psst")
        for client in (one, other, guest):
            self.assertEqual(len(client.heard("direct")), 1)

    def test_one_that_is_meant_by_its_id_gets_it_alone(self) -> None:
        one, other, guest = self.come("Ann"), self.come("Ann"), self.come()
        guest.send("direct", to=one.id, text="psst")
        self.assertEqual((len(one.heard("direct")), len(other.heard("direct"))), (1, 0))

    def test_what_is_said_to_an_account_that_is_away_is_not_kept(self) -> None:
        ann, guest = self.come("Ann"), self.come()
        ann.drop()
        self.assertEqual(guest.ask("direct", to="Ann", text="psst")["code"], "no_such_user")
