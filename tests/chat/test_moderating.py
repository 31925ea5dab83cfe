"""Tests of L{netplay.chat.moderating}: keeping order, over a real daemon without a reactor."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from netplay.accounts.account import Account
from netplay.errors import Refused
from netplay.moderation.words import WordFilter
from netplay.store.memory import MemoryStore
from netplay.store.records import AccountRecord, ReportRecord
from netplay.text import skeleton
from tests.features import House


class ModeratingCase(SynchronousTestCase):
    """Olga is an operator, Mo moderates all rooms, Tess only tech, and Bob and guests moderate nothing."""

    roles = {"Olga": ("operator",), "Mo": ("moderator",), "Tess": ("moderator:tech",), "Bob": ()}

    def setUp(self) -> None:
        self.house = House(store=MemoryStore())
        self.core = self.house.core
        for name, roles in self.roles.items():
            self.core.store.accounts.add(AccountRecord(name, skeleton(name), 1, roles=roles))

    def come(self, name: str | None = None, host: str = "192.0.2.7") -> Any:
        """Somebody comes to chat, as an account or as a guest."""
        self.house.host = host
        client = self.house.connect("chat")
        if name is not None:
            connection: Any = client.protocol
            connection.logged_in(Account(name, skeleton(name), self.roles[name]), connection.client)
        client.received()
        return client

    def ask(self, client: Any, type: str, **fields: Any) -> Any:
        """A request, and its answer."""
        client.send(type, ref="r", **fields)
        self.house.wait(0)
        return next(message for message in client.received() if message.get("ref") == "r")

    def done(self, client: Any, type: str, **fields: Any) -> None:
        self.assertEqual(self.ask(client, type, **fields)["type"], "ok")

    def refused(self, client: Any, type: str, **fields: Any) -> tuple[str, str | None]:
        answer = self.ask(client, type, **fields)
        self.assertEqual(answer["type"], "error", answer)
        return answer["code"], answer.get("field")

    def says(self, client: Any, room: str = "general") -> str:
        """What comes of saying something: C{ok}, or a code."""
        answer = self.ask(client, "chat", room=room, text="hello")
        return str(answer.get("code", answer["type"]))

    def heard(self, client: Any, type: str) -> list[Any]:
        self.house.wait(0)
        return [message for message in client.received() if message["type"] == type]


class MuteTests(ModeratingCase):
    """Who may not speak."""

    def test_everywhere_until_it_ends(self) -> None:
        mo, bob = self.come("Mo"), self.come("Bob")
        self.done(mo, "mute", user="Bob", seconds=60, reason="spam")
        answer = self.ask(bob, "chat", text="hello")
        self.assertEqual((answer["code"], answer["retry_after"]), ("muted", 60))
        self.assertIn("spam", answer["message"])
        self.house.wait(60)
        self.assertEqual(self.says(bob), "ok")

    def test_to_nobody_alone_and_in_no_game_either(self) -> None:
        mo, bob = self.come("Mo"), self.come("Bob")
        self.done(mo, "mute", user="Bob")
        self.assertEqual(self.refused(bob, "direct", to="Mo", text="psst")[0], "muted")
        player = self.house.connect("game")
        connection: Any = player.protocol
        connection.logged_in(Account("Bob", "bob"), connection.client)
        self.assertEqual(self.refused(player, "say", text="hello")[0], "muted")

    def test_in_one_room(self) -> None:
        tess, bob = self.come("Tess"), self.come("Bob")
        self.ask(bob, "join_room", room="tech", also=True)
        self.done(tess, "mute", user="Bob", room="tech")
        self.assertEqual(self.says(bob, "tech"), "muted")
        self.assertEqual(self.says(bob, "general"), "ok")

    def test_unmuted(self) -> None:
        mo, bob = self.come("Mo"), self.come("Bob")
        self.done(mo, "mute", user="Bob")
        self.done(mo, "unmute", user="Bob")
        self.assertEqual(self.says(bob), "ok")
        self.assertEqual(self.refused(mo, "unmute", user="Bob"), ("no_such_user", "$.user"))

    def test_an_account_that_is_away_is_unmuted_in_capitals_or_not(self) -> None:
        mo = self.come("Mo")
        for muted, unmuted in (("Bob", "BOB"), ("bob", "Bob")):
            self.done(mo, "mute", user=muted)
            self.done(mo, "unmute", user=unmuted)
            self.assertEqual(self.says(self.come("Bob")), "ok")

    def test_so_is_one_that_is_disabled(self) -> None:
        mo = self.come("Mo")
        self.done(mo, "mute", user="Bob")
        self.core.store.accounts.change(skeleton("Bob"), disabled=True)
        self.done(mo, "unmute", user="bob")

    def test_the_guests_of_a_network(self) -> None:
        olga, mo, guest = self.come("Olga"), self.come("Mo"), self.come()
        self.done(olga, "mute", network="192.0.2.0/24")
        self.assertEqual(self.says(guest), "muted")
        self.assertEqual(self.says(mo), "ok")
        self.assertEqual(self.refused(mo, "mute", network="192.0.2.0/24"), ("not_allowed", "$.network"))

    def test_a_guest_who_has_gone_by_the_network_that_is_listed(self) -> None:
        mo, guest = self.come("Mo"), self.come()
        for room in ({}, {"room": "general"}):
            self.done(mo, "mute", user=self.ask(guest, "who")["members"][1]["id"], **room)
            [line] = self.ask(mo, "sanctions", **room)["sanctions"]
            self.assertEqual(self.says(guest), "muted")
            self.done(mo, "unmute", network=line["network"], **room)
            self.assertEqual(self.says(guest), "ok")

    def test_a_guest_whatever_it_calls_itself(self) -> None:
        mo, guest, other = self.come("Mo"), self.come(), self.come(host="198.51.100.1")
        id = self.ask(guest, "who")["members"][1]["id"]
        self.done(mo, "mute", user=id)
        self.done(guest, "set_name", name="Innocent")
        self.assertEqual(self.says(guest), "muted")
        self.assertEqual(self.says(self.come()), "muted")
        self.assertEqual(self.says(other), "ok")

    def test_accounts_at_that_address_may_speak(self) -> None:
        mo, guest = self.come("Mo"), self.come()
        id = self.ask(guest, "who")["members"][1]["id"]
        self.done(mo, "mute", user=id)
        self.assertEqual(self.says(self.come("Bob")), "ok")

    def test_somebody_who_is_not_here(self) -> None:
        self.done(self.come("Mo"), "mute", user="Bob")
        self.assertEqual(self.says(self.come("Bob")), "muted")


class BanTests(ModeratingCase):
    """Who may not come in."""

    def test_from_a_room_it_is_put_out_and_does_not_come_again(self) -> None:
        tess, bob = self.come("Tess"), self.come("Bob")
        self.ask(bob, "join_room", room="tech", also=True)
        self.done(tess, "ban", user="Bob", room="tech", seconds=60, reason="spam")
        (removed,) = self.heard(bob, "removed")
        self.assertEqual((removed["room"], removed["code"]), ("tech", "banned"))
        self.assertEqual(self.refused(bob, "join_room", room="tech")[0], "banned")
        self.assertEqual(self.says(bob), "ok")
        self.house.wait(60)
        self.assertEqual(self.ask(bob, "join_room", room="tech")["type"], "room_changed")

    def test_who_is_banned_from_a_room_reads_nothing_of_it(self) -> None:
        mo, bob = self.come("Mo"), self.come("Bob")
        self.ask(mo, "join_room", room="tech")
        self.done(mo, "ban", user="Bob", room="tech")
        self.assertEqual(self.says(mo, "tech"), "ok")
        self.assertEqual(self.refused(bob, "history", room="tech")[0], "banned")
        self.assertEqual(self.refused(bob, "search", text="hello", room="tech")[0], "banned")

    def test_nor_does_who_comes_back_to_it(self) -> None:
        mo, bob = self.come("Mo"), self.house.connect("chat")
        since = self.ask(bob, "join_room", room="tech")
        self.ask(mo, "join_room", room="tech")
        bob.drop()
        self.core.moderation.impose("ban", "network:192.0.2.7/32", "tech", None, "", "Mo")
        self.assertEqual(self.says(mo, "tech"), "ok")
        again = self.house.connect("chat")
        again.send(
            "resume", session=bob.hello["session"], since={"tech": {"epoch": since["epoch"], "seq": since["seq"]}}
        )
        self.assertEqual(self.heard(again, "history"), [])

    def test_nor_does_who_is_banned_while_it_comes_in(self) -> None:
        guest = self.come()
        reading: Deferred[list[Any]] = Deferred()
        self.patch(self.core.store.rooms.log("tech"), "page", lambda *_: reading)
        guest.send("join_room", room="tech", ref="r")
        self.core.moderation.impose("ban", "network:192.0.2.7/32", "tech", None, "", "Mo")
        reading.callback([])
        self.assertEqual([error["code"] for error in self.heard(guest, "error")], ["banned"])

    def test_from_the_room_in_which_newcomers_are(self) -> None:
        olga, guest = self.come("Olga"), self.come()
        id = self.ask(guest, "who")["members"][1]["id"]
        self.done(olga, "ban", user=id, room="general")
        again = self.house.connect("chat", greeted=False)
        self.assertEqual([m["type"] for m in again.received()], ["welcome", "removed"])
        self.assertEqual(self.refused(again, "chat", text="hello")[0], "not_allowed")

    def test_from_the_server(self) -> None:
        olga, bob = self.come("Olga", "198.51.100.1"), self.come("Bob")
        self.done(olga, "ban", user="Bob", reason="spam")
        error = bob.received()[-1]
        self.assertEqual((error["code"], error["message"], error["fatal"]), ("banned", "spam", True))
        again = self.house.connect("chat")
        account = Account("Bob", skeleton("Bob"))
        refused = self.assertRaises(Refused, again.protocol.check_account, account)
        self.assertEqual(refused.code, "banned")
        self.done(olga, "unban", user="Bob")
        again.protocol.check_account(account)

    def test_a_network(self) -> None:
        olga, guest = self.come("Olga", "198.51.100.1"), self.come()
        self.done(olga, "ban", network="192.0.2.0/24", seconds=60)
        self.assertEqual(guest.received()[-1]["code"], "banned")
        self.assertEqual(self.house.connect("chat", greeted=False).received()[0]["code"], "banned")
        self.house.wait(60)
        self.assertEqual(self.house.connect("chat", greeted=False).received()[0]["type"], "welcome")

    def test_a_name_that_nobody_may_have(self) -> None:
        olga, guest = self.come("Olga"), self.come()
        self.done(olga, "ban", user="Admin")
        self.assertEqual(self.refused(guest, "set_name", name="ADMIN")[0], "banned")

    def test_what_makes_no_sense(self) -> None:
        olga = self.come("Olga")
        self.assertEqual(self.refused(olga, "ban"), ("bad_message", "$.user"))
        self.assertEqual(self.refused(olga, "ban", user="Bob", network="192.0.2.1"), ("bad_message", "$.user"))
        self.assertEqual(self.refused(olga, "ban", network="example.com"), ("bad_message", "$.network"))


class KickTests(ModeratingCase):
    """Who is to go, and may come back."""

    def test_out_of_a_room(self) -> None:
        tess, bob = self.come("Tess"), self.come("Bob")
        self.ask(bob, "join_room", room="tech", also=True)
        self.done(tess, "kick", user="Bob", room="tech", reason="calm down")
        (removed,) = self.heard(bob, "removed")
        self.assertEqual((removed["code"], removed["message"]), ("kicked", "calm down"))
        self.assertEqual(self.says(bob, "tech"), "not_allowed")
        self.assertEqual(self.ask(bob, "join_room", room="tech")["type"], "room_changed")

    def test_off_the_server(self) -> None:
        olga, bob = self.come("Olga"), self.come("Bob")
        self.done(olga, "kick", user="Bob")
        error = bob.received()[-1]
        self.assertEqual((error["code"], error["fatal"]), ("kicked", True))

    def test_nobody(self) -> None:
        self.assertEqual(self.refused(self.come("Olga"), "kick", user="Bob"), ("no_such_user", "$.user"))


class MayTests(ModeratingCase):
    """Who may do what."""

    def test_guests_and_others_may_nothing(self) -> None:
        self.come("Mo")
        requests: list[dict[str, Any]] = [
            {"type": "mute", "user": "Mo", "room": "general"},
            {"type": "unmute", "user": "Mo"},
            {"type": "kick", "user": "Mo", "room": "general"},
            {"type": "ban", "user": "Mo"},
            {"type": "unban", "user": "Mo", "room": "general"},
            {"type": "sanctions"},
            {"type": "slow_mode", "room": "general", "seconds": 5},
            {"type": "lock_room", "room": "general", "locked": True},
            {"type": "read_only", "room": "general", "read_only": True},
            {"type": "delete", "room": "general", "seq": 1},
            {"type": "reports"},
            {"type": "audit"},
        ]
        for somebody in (self.come(), self.come("Bob")):
            for request in requests:
                self.assertEqual(self.refused(somebody, **request)[0], "not_allowed", request)

    def test_a_moderator_of_a_room_elsewhere_and_everywhere(self) -> None:
        tess = self.come("Tess")
        self.assertEqual(self.refused(tess, "mute", user="Bob", room="gaming")[0], "not_allowed")
        self.assertEqual(self.refused(tess, "mute", user="Bob"), ("not_allowed", "$.room"))

    def test_a_moderator_of_all_rooms_keeps_nobody_off_the_server(self) -> None:
        mo = self.come("Mo")
        self.assertEqual(self.refused(mo, "ban", user="Bob"), ("not_allowed", "$.room"))
        self.assertEqual(self.refused(mo, "kick", user="Bob"), ("not_allowed", "$.room"))
        self.assertEqual(self.refused(mo, "ban", network="192.0.2.1", room="tech"), ("not_allowed", "$.network"))

    def test_nobody_acts_on_those_above_or_beside(self) -> None:
        clients = {name: self.come(name) for name in self.roles}
        for by, on in (("Tess", "Mo"), ("Tess", "Olga"), ("Mo", "Olga"), ("Mo", "Mo"), ("Olga", "Olga")):
            self.assertEqual(
                self.refused(clients[by], "mute", user=on, room="tech"), ("not_allowed", "$.user"), (by, on)
            )
        self.done(clients["Mo"], "mute", user="Tess", room="tech")

    def test_nobody_ends_what_was_decided_about_themselves(self) -> None:
        olga, mo = self.come("Olga"), self.come("Mo")
        self.done(olga, "mute", user="Mo")
        self.assertEqual(self.refused(mo, "unmute", user="Mo"), ("not_allowed", "$.user"))
        self.assertEqual(self.refused(mo, "direct", to="Olga", text="psst")[0], "muted")

    def test_the_owner_of_a_room(self) -> None:
        bob = self.come("Bob")
        self.done(bob, "create_room", room="den")
        self.done(bob, "slow_mode", room="den", seconds=5)

    def test_a_room_takes_with_it_what_was_decided_there(self) -> None:
        bob = self.come("Bob")
        self.done(bob, "create_room", room="den")
        self.done(bob, "ban", user="Ann", room="den")
        self.done(bob, "delete_room", room="den")
        self.assertEqual(self.core.store.sanctions.load(), [])
        self.assertEqual(len(self.core.moderation.sanctions), 0)


class BusyStoreTests(ModeratingCase):
    """When the store takes nothing, nothing is done."""

    def setUp(self) -> None:
        super().setUp()
        self.olga, self.bob = self.come("Olga"), self.come("Bob")
        self.done(self.olga, "mute", user="Bob")
        self.patch(self.core.store.sanctions, "put", self.busy)
        self.patch(self.core.store.sanctions, "drop", self.busy)

    def busy(self, _: object) -> None:
        raise Refused("store_busy", "not now")

    def test_who_is_muted_again_stays_so(self) -> None:
        self.assertEqual(self.refused(self.olga, "mute", user="Bob", seconds=60)[0], "store_busy")
        answer = self.ask(self.bob, "chat", text="hello")
        self.assertEqual((answer["code"], answer.get("retry_after")), ("muted", None))

    def test_who_is_to_be_unmuted_stays_so(self) -> None:
        self.assertEqual(self.refused(self.olga, "unmute", user="Bob")[0], "store_busy")
        self.assertEqual(self.says(self.bob), "muted")
        self.assertEqual([entry["action"] for entry in self.ask(self.olga, "audit")["entries"]], ["mute"])


class ModeTests(ModeratingCase):
    """How a room is."""

    def setUp(self) -> None:
        super().setUp()
        self.mo, self.bob = self.come("Mo"), self.come("Bob")

    def test_slow(self) -> None:
        self.done(self.mo, "slow_mode", room="general", seconds=30)
        (mode,) = self.heard(self.bob, "room_mode")
        self.assertEqual((mode["slow"], mode["locked"], mode["read_only"], mode["by"]), (30, False, False, "Mo"))
        self.assertEqual(self.says(self.bob), "ok")
        self.house.wait(10)
        answer = self.ask(self.bob, "chat", text="and")
        self.assertEqual((answer["code"], answer["retry_after"]), ("rate_limited", 20))
        self.house.wait(20)
        self.assertEqual(self.says(self.bob), "ok")
        self.assertEqual([self.says(self.mo), self.says(self.mo)], ["ok", "ok"])

    def test_slow_for_guests_by_where_they_are(self) -> None:
        self.done(self.mo, "slow_mode", room="general", seconds=30)
        hosts = ("192.0.2.7", "192.0.2.7", "192.0.2.8", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
        said = [self.says(self.come(host=host)) for host in hosts]
        self.assertEqual(said, ["ok", "rate_limited", "ok", "ok", "rate_limited", "ok"])

    def test_locked(self) -> None:
        self.done(self.mo, "lock_room", room="tech", locked=True)
        self.assertEqual(self.refused(self.bob, "join_room", room="tech"), ("not_allowed", "$.room"))
        self.assertEqual(self.ask(self.mo, "join_room", room="tech")["type"], "room_changed")
        self.done(self.mo, "lock_room", room="tech", locked=False)
        self.assertEqual(self.ask(self.bob, "join_room", room="tech")["type"], "room_changed")

    def test_one_that_is_locked_tells_nothing_of_what_was_said_there(self) -> None:
        self.ask(self.mo, "join_room", room="tech")
        self.assertEqual(self.says(self.mo, "tech"), "ok")
        self.done(self.mo, "lock_room", room="tech", locked=True)
        self.assertEqual(self.refused(self.bob, "history", room="tech"), ("not_allowed", "$.room"))
        self.assertEqual(self.refused(self.bob, "search", room="tech", text="hello"), ("not_allowed", "$.room"))
        self.assertEqual(self.ask(self.bob, "search", text="hello")["messages"], [])
        self.assertEqual(len(self.ask(self.mo, "history", room="tech")["messages"]), 1)

    def test_who_is_in_it_when_it_is_locked_stays_and_reads(self) -> None:
        self.ask(self.bob, "join_room", room="tech")
        self.done(self.mo, "lock_room", room="tech", locked=True)
        self.assertEqual(self.says(self.bob, "tech"), "ok")
        self.assertEqual(len(self.ask(self.bob, "history", room="tech")["messages"]), 1)
        self.assertEqual(len(self.ask(self.bob, "search", room="tech", text="hello")["messages"]), 1)

    def test_who_comes_back_to_a_locked_one_is_told_that_it_is_not_there(self) -> None:
        guest = self.house.connect("chat")
        since = self.ask(guest, "join_room", room="tech", also=True)
        guest.drop()
        self.done(self.mo, "lock_room", room="tech", locked=True)
        self.ask(self.mo, "join_room", room="tech")
        self.assertEqual(self.says(self.mo, "tech"), "ok")
        again = self.house.connect("chat")
        again.send(
            "resume", session=guest.hello["session"], since={"tech": {"epoch": since["epoch"], "seq": since["seq"]}}
        )
        self.house.wait(0)
        resumed, removed = (m for m in again.received() if m["type"] != "presence")
        self.assertEqual((list(resumed["rooms"]), resumed["room"]), (["general"], "general"))
        self.assertEqual((removed["type"], removed["room"], removed["code"]), ("removed", "tech", "not_allowed"))
        self.assertEqual(self.says(again, "tech"), "not_allowed")

    def test_read_only(self) -> None:
        self.done(self.mo, "read_only", room="general", read_only=True)
        self.assertEqual([self.says(self.bob), self.says(self.mo)], ["not_allowed", "ok"])

    def test_lists_show_it_and_the_store_keeps_it(self) -> None:
        self.done(self.mo, "slow_mode", room="tech", seconds=5)
        self.done(self.mo, "lock_room", room="tech", locked=True)
        line = next(line for line in self.ask(self.bob, "rooms")["rooms"] if line["room"] == "tech")
        self.assertEqual((line["slow"], line["locked"]), (5, True))
        (record,) = (room for room in self.core.store.rooms.load() if room.name == "tech")
        self.assertEqual((record.slow, record.locked), (5, True))

    def test_how_slow(self) -> None:
        for seconds in (-1, 3601):
            self.assertEqual(
                self.refused(self.mo, "slow_mode", room="tech", seconds=seconds), ("bad_message", "$.seconds")
            )


class MessageTests(ModeratingCase):
    """What was said."""

    def setUp(self) -> None:
        super().setUp()
        self.mo, self.bob = self.come("Mo"), self.come("Bob")

    def test_deleted(self) -> None:
        said = self.ask(self.bob, "chat", text="shame")
        self.bob.received()
        self.done(self.mo, "delete", room="general", seq=said["seq"])
        (deleted,) = self.heard(self.bob, "deleted")
        self.assertEqual((deleted["seq"], deleted["id"]), (said["seq"], said["id"]))
        (message,) = self.ask(self.bob, "history")["messages"]
        self.assertEqual((message["message"], message["deleted"]), ("", True))
        self.assertEqual(self.refused(self.mo, "delete", room="general", seq=99), ("bad_message", "$.seq"))

    def test_reported(self) -> None:
        said = self.ask(self.bob, "chat", text="shame")
        guest = self.come()
        self.done(guest, "report", room="general", seq=said["seq"], reason="rude")
        (report,) = self.ask(self.mo, "reports")["reports"]
        self.assertEqual(
            (report["room"], report["seq"], report["user"], report["text"], report["reason"]),
            ("general", said["seq"], "Bob", "shame", "rude"),
        )
        self.assertEqual(self.ask(self.mo, "reports", room="tech")["reports"], [])
        self.assertEqual(self.refused(guest, "report", room="general", seq=99), ("bad_message", "$.seq"))

    def test_reports_of_one_room_page_by_page(self) -> None:
        said = self.ask(self.bob, "chat", text="shame")
        for n in range(150):
            room = "tech" if n < 120 else "general"
            self.core.store.reports.note(ReportRecord(1, "Cy", room, said["seq"], "Bob", f"shame {n}"))
        page = self.ask(self.mo, "reports", room="tech")
        self.assertEqual((len(page["reports"]), page["more"], page["reports"][0]["text"]), (100, True, "shame 119"))
        page = self.ask(self.mo, "reports", room="tech", before=page["reports"][-1]["id"])
        self.assertEqual((len(page["reports"]), page["more"]), (20, False))

    def test_reports_are_not_in_the_audit_log(self) -> None:
        said, olga = self.ask(self.bob, "chat", text="shame"), self.come("Olga")
        self.done(self.bob, "report", room="general", seq=said["seq"])
        self.assertEqual(self.ask(olga, "audit")["entries"], [])

    def test_so_many_reports(self) -> None:
        said = self.ask(self.bob, "chat", text="shame")
        guest = self.come()
        for _ in range(20):
            self.done(guest, "report", room="general", seq=said["seq"])
        self.assertEqual(self.refused(guest, "report", room="general", seq=said["seq"])[0], "too_many")

    def test_words_that_are_not_said(self) -> None:
        self.core.moderation.word_filter = WordFilter(["darn", "heck*"])
        self.done(self.bob, "chat", text="Darn those heckling darning needles")
        (heard,) = self.heard(self.mo, "chat")
        self.assertEqual(heard["message"], "**** those ******** darning needles")


class RecordTests(ModeratingCase):
    """What was decided."""

    def test_who_is_muted_or_banned(self) -> None:
        mo, olga = self.come("Mo"), self.come("Olga")
        self.done(mo, "mute", user="Bob", seconds=60, reason="spam")
        self.done(olga, "ban", network="203.0.113.0/24")
        self.done(mo, "mute", user="Bob", room="tech")
        lines = self.ask(mo, "sanctions")["sanctions"]
        self.assertEqual(
            [(line["kind"], line.get("account"), line.get("network"), line["by"]) for line in lines],
            [("mute", "bob", None, "Mo"), ("ban", None, "203.0.113.0/24", "Olga")],
        )
        (line,) = self.ask(mo, "sanctions", room="tech")["sanctions"]
        self.assertEqual((line["room"], line["account"]), ("tech", "bob"))
        self.assertEqual(self.ask(mo, "sanctions", after=lines[0]["id"])["sanctions"], lines[1:])

    def test_all_of_it_is_in_the_audit_log(self) -> None:
        olga, bob = self.come("Olga"), self.come("Bob")
        self.done(olga, "mute", user="Bob", room="tech", seconds=60, reason="spam")
        self.done(olga, "unmute", user="Bob", room="tech")
        self.done(olga, "slow_mode", room="tech", seconds=5)
        said = self.ask(bob, "chat", text="shame")
        self.done(olga, "delete", room="general", seq=said["seq"])
        self.done(olga, "kick", user="Bob", room="general")
        entries = self.ask(olga, "audit")["entries"]
        self.assertEqual(
            [(entry["by"], entry["action"], entry["target"], entry["detail"]) for entry in reversed(entries)],
            [
                ("Olga", "mute", "account:bob", "in tech, for 60 s, spam"),
                ("Olga", "unmute", "account:bob", "in tech"),
                ("Olga", "room", "tech", "slow: 5.0"),
                ("Olga", "delete", "general 1", "by Bob"),
                ("Olga", "kick", "Bob", "in general"),
            ],
        )

    def test_it_holds_after_a_restart(self) -> None:
        self.done(self.come("Mo"), "mute", user="Bob")
        again = House(store=self.core.store)
        self.house, self.core = again, again.core
        self.assertEqual(self.says(self.come("Bob")), "muted")

    def test_what_has_ended_is_not_kept(self) -> None:
        self.done(self.come("Mo"), "mute", user="Bob", seconds=60)
        self.house.wait(121)
        self.assertEqual(self.core.store.sanctions.load(), [])
