"""Tests of L{netplay.chat.rules}: who is where, and what the others are to be told of it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.accounts.account import Account
from netplay.chat.messages import Named, Presence
from netplay.chat.rules import (
    EMPTY_FOR,
    MAX_CREATED,
    MAX_JOINED,
    MAX_ROOMS,
    NAMED_UP_TO,
    STANDING,
    Member,
    Room,
    Rooms,
    members_after,
)
from netplay.errors import Refused
from netplay.people import Person
from netplay.store.records import RoomRecord


def member(number: int) -> Member:
    """Somebody."""
    return Member(Person(f"User_{number}"))


def owner(number: int, name: str = "Zoe", *roles: str) -> Member:
    """Somebody who is an account."""
    return Member(Person(f"User_{number}", Account(name, name.lower(), roles)))


def ids(lines: list[Named] | None) -> list[str]:
    """Who is named."""
    return [line.id for line in lines or ()]


class RoomsTestCase(SynchronousTestCase):
    """Rooms, and some who go there."""

    def setUp(self) -> None:
        self.rooms = Rooms(0.0)
        self.ann, self.bob = member(1), member(2)

    def create(self, member: Member, name: str, topic: str = "", now: float = 0.0, owner: str | None = None) -> Room:
        self.rooms.check_create(member, name)
        member.created += 1
        return self.rooms.know(RoomRecord(name, topic, owner), now)

    def assertRefused(self, code: str, ask: object, *args: object) -> None:
        refused = self.assertRaises(Refused, ask, *args)
        self.assertEqual((refused.code, refused.field), (code, "$.room"))


class FindingTests(RoomsTestCase):
    """Which room is meant."""

    def test_three_rooms_are_always_there(self) -> None:
        self.assertEqual(self.rooms.names(10), ["general", "gaming", "tech"])

    def test_names_are_limited(self) -> None:
        self.assertEqual(self.rooms.names(2), ["general", "gaming"])

    def test_a_room_that_is_not_there(self) -> None:
        self.assertRefused("no_such_room", self.rooms.get, "nowhere")
        self.assertIsNone(self.rooms.find("nowhere"))

    def test_without_a_name_the_current_one(self) -> None:
        self.rooms.join(self.ann, self.rooms.get("tech"))
        self.rooms.join(self.ann, self.rooms.get("gaming"))
        self.assertEqual(self.rooms.meant(self.ann, None).name, "gaming")

    def test_whoever_is_in_no_room_has_to_name_one(self) -> None:
        self.assertRefused("not_allowed", self.rooms.meant, self.ann, None)
        self.assertEqual(self.rooms.meant(self.ann, "tech").name, "tech")

    def test_rooms_one_is_in(self) -> None:
        self.rooms.join(self.ann, self.rooms.get("tech"))
        self.assertEqual(self.rooms.joined(self.ann, "tech").name, "tech")
        self.assertRefused("not_allowed", self.rooms.joined, self.ann, "general")
        self.assertRefused("no_such_room", self.rooms.joined, self.ann, "nowhere")


class JoiningTests(RoomsTestCase):
    """Coming and going."""

    def test_both_know_of_each_other(self) -> None:
        tech = self.rooms.get("tech")
        self.rooms.join(self.ann, tech)
        self.assertIn(self.ann, tech.members)
        self.assertIs(self.ann.current, tech)
        self.rooms.leave(self.ann, tech, 0.0)
        self.assertNotIn(self.ann, tech.members)
        self.assertIsNone(self.ann.current)

    def test_joining_again_makes_it_current_and_is_nothing_to_tell(self) -> None:
        for name in ("general", "tech"):
            self.rooms.join(self.ann, self.rooms.get(name))
        self.rooms.get("general").presence()
        self.rooms.join(self.ann, self.rooms.get("general"))
        self.assertEqual(list(self.ann.rooms), ["tech", "general"])
        self.assertIsNone(self.rooms.get("general").presence())

    def test_not_more_than_so_many_at_once(self) -> None:
        for number in range(MAX_JOINED):
            self.rooms.join(self.ann, Room(RoomRecord(f"r{number}"), 0.0))
        self.assertRefused("too_many", self.rooms.check_join, self.ann, self.rooms.get("tech"), True)
        self.rooms.check_join(self.ann, self.rooms.get("tech"), False)  # it leaves the others
        self.rooms.check_join(self.ann, self.ann.rooms["r0"], True)  # it is there already


class CreatingTests(RoomsTestCase):
    """Rooms that members make."""

    def test_it_is_there(self) -> None:
        room = self.create(self.ann, "garden", "what grows")
        self.assertIs(self.rooms.get("garden"), room)
        self.assertEqual((room.line().topic, room.line().members), ("what grows", 0))

    def test_a_name_that_is_taken(self) -> None:
        self.assertRefused("name_taken", self.rooms.check_create, self.ann, "general")

    def test_not_more_than_so_many_each(self) -> None:
        for number in range(MAX_CREATED):
            self.create(self.ann, f"r{number}")
        self.assertRefused("too_many", self.rooms.check_create, self.ann, "one-more")
        self.rooms.check_create(self.bob, "one-more")

    def test_what_an_account_owns_counts_wherever_it_was_made(self) -> None:
        for number in range(MAX_CREATED):
            self.create(owner(number), f"r{number}", owner="Zoe")
        self.assertRefused("too_many", self.rooms.check_create, owner(100), "one-more")
        self.rooms.check_create(owner(101, "Ann"), "one-more")

    def test_one_that_was_removed_counts_no_more(self) -> None:
        rooms = [self.create(owner(1), f"r{number}", owner="Zoe") for number in range(MAX_CREATED)]
        self.rooms.remove(rooms[0])
        self.rooms.check_create(owner(1), "one-more")

    def test_one_that_is_known_already_is_like_that_from_now_on(self) -> None:
        room = self.rooms.get("tech")
        self.assertIs(self.rooms.know(RoomRecord("tech", "how it works"), 0.0), room)
        self.assertEqual(room.line().topic, "how it works")

    def test_not_more_than_so_many_in_all(self) -> None:
        for number in range(MAX_ROOMS - len(STANDING)):
            self.create(member(number), f"r{number}")
        self.assertRefused("too_many", self.rooms.check_create, self.ann, "one-more")

    def test_the_list_is_by_name_and_goes_on_behind_any(self) -> None:
        self.create(self.ann, "garden")
        names = [line.room for line in self.rooms.listing(None)]
        self.assertEqual(names, ["gaming", "garden", "general", "tech"])
        self.assertEqual([line.room for line in self.rooms.listing("garden")], ["general", "tech"])
        self.assertEqual([line.room for line in self.rooms.listing("gas")], ["general", "tech"])
        self.assertEqual(self.rooms.listing("tech"), [])


class ExpiryTests(RoomsTestCase):
    """Rooms that stay empty."""

    def test_after_an_hour_it_is_gone(self) -> None:
        room = self.create(self.ann, "garden", now=100.0)
        self.assertEqual(self.rooms.expired(100.0 + EMPTY_FOR - 1), [])
        self.assertEqual(self.rooms.expired(100.0 + EMPTY_FOR), [room])
        self.rooms.remove(room)
        self.assertIsNone(self.rooms.find("garden"))
        self.assertEqual(EMPTY_FOR, 3600)

    def test_not_while_somebody_is_there(self) -> None:
        room = self.create(self.ann, "garden")
        self.rooms.join(self.bob, room)
        self.assertEqual(self.rooms.expired(10 * EMPTY_FOR), [])

    def test_the_hour_begins_when_the_last_one_goes(self) -> None:
        room = self.create(self.ann, "garden")
        self.rooms.join(self.bob, room)
        self.rooms.join(self.ann, room)
        self.rooms.leave(self.bob, room, 1000.0)
        self.rooms.leave(self.ann, room, 5000.0)
        self.assertEqual(self.rooms.expired(1000.0 + EMPTY_FOR), [])
        self.assertEqual(self.rooms.expired(5000.0 + EMPTY_FOR), [room])

    def test_rooms_of_accounts_stay(self) -> None:
        self.create(owner(1), "garden", owner="Zoe")
        self.assertEqual(self.rooms.expired(100 * EMPTY_FOR), [])

    def test_standing_rooms_stay(self) -> None:
        self.assertEqual(self.rooms.expired(100 * EMPTY_FOR), [])
        self.assertEqual(self.rooms.names(10), list(STANDING))


class KeepingOrderTests(RoomsTestCase):
    """Who may do what with a room."""

    def setUp(self) -> None:
        super().setUp()
        self.room = self.create(owner(1), "garden", owner="Zoe")

    def may(self, check: object, *roles: str, name: str = "Ann") -> bool:
        assert callable(check)
        try:
            check(Account(name, name.lower(), roles))
        except Refused as refused:
            self.assertEqual((refused.code, refused.field), ("not_allowed", "$.room"))
            return False
        return True

    def test_its_owner_operators_and_moderators_keep_order(self) -> None:
        check = self.room.check_keeper
        self.assertTrue(self.may(check, name="Zoe"))
        for role in ("operator", "moderator", "moderator:garden"):
            self.assertTrue(self.may(check, role), role)
        self.assertFalse(self.may(check))
        self.assertFalse(self.may(check, "moderator:tech"))
        self.assertRefused("not_allowed", check, None)

    def test_only_its_owner_and_operators_do_away_with_it(self) -> None:
        check = self.room.check_owner
        self.assertTrue(self.may(check, name="Zoe"))
        self.assertTrue(self.may(check, "operator"))
        self.assertFalse(self.may(check, "moderator", "moderator:garden"))
        self.assertRefused("not_allowed", check, None)

    def test_nobody_does_away_with_a_standing_room(self) -> None:
        self.assertFalse(self.may(self.rooms.get("tech").check_owner, "operator"))


class PresenceTests(SynchronousTestCase):
    """What is told of who comes and goes."""

    def setUp(self) -> None:
        self.room = Room(RoomRecord("tech"), 0.0)
        self.ann, self.bob = member(1), member(2)
        self.room.add(self.ann)
        self.room.presence()

    def rename(self, member: Member, name: str) -> None:
        member.person.name = name
        self.room.renamed(member.person)

    def test_nothing_new(self) -> None:
        self.assertIsNone(self.room.presence())

    def test_somebody_came(self) -> None:
        self.room.add(self.bob)
        self.assertEqual(
            self.room.presence(),
            Presence(room="tech", count=2, joined=[Named("User_2", "User_2")], left=[], renamed=[]),
        )

    def test_somebody_left(self) -> None:
        self.room.remove(self.ann, 0.0)
        self.assertEqual(self.room.presence(), Presence(room="tech", count=0, joined=[], left=["User_1"], renamed=[]))

    def test_somebody_has_another_name(self) -> None:
        self.rename(self.ann, "Ann")
        self.assertEqual(
            self.room.presence(), Presence(room="tech", count=1, joined=[], left=[], renamed=[Named("User_1", "Ann")])
        )

    def test_it_is_told_once(self) -> None:
        self.room.add(self.bob)
        self.room.presence()
        self.assertIsNone(self.room.presence())

    def test_who_came_and_left_again_was_never_there(self) -> None:
        self.room.add(self.bob)
        self.rename(self.bob, "Bob")
        self.room.remove(self.bob, 0.0)
        self.assertIsNone(self.room.presence())

    def test_who_left_and_came_again_was_never_away(self) -> None:
        self.room.remove(self.ann, 0.0)
        self.room.add(self.ann)
        self.assertIsNone(self.room.presence())

    def test_who_left_and_came_again_under_another_name_is_renamed(self) -> None:
        self.room.remove(self.ann, 0.0)
        self.ann.person.name = "Ann"
        self.room.add(self.ann)
        presence = self.room.presence()
        assert presence is not None
        self.assertEqual((presence.joined, presence.left), ([], []))
        self.assertEqual(presence.renamed, [Named("User_1", "Ann")])

    def test_who_was_renamed_left_and_came_again_is_renamed(self) -> None:
        self.rename(self.ann, "Ann")
        self.room.remove(self.ann, 0.0)
        self.room.add(self.ann)
        presence = self.room.presence()
        assert presence is not None
        self.assertEqual(presence.renamed, [Named("User_1", "Ann")])

    def test_who_came_and_took_a_name_came_with_it(self) -> None:
        self.room.add(self.bob)
        self.rename(self.bob, "Bob")
        presence = self.room.presence()
        assert presence is not None
        self.assertEqual((presence.joined, presence.renamed), ([Named("User_2", "Bob")], []))

    def test_who_was_renamed_and_left_has_just_left(self) -> None:
        self.rename(self.ann, "Ann")
        self.room.remove(self.ann, 0.0)
        presence = self.room.presence()
        assert presence is not None
        self.assertEqual((presence.left, presence.renamed), (["User_1"], []))

    def test_who_is_not_to_be_told_yet_is_not_counted_and_told_the_next_time(self) -> None:
        self.room.add(self.bob)
        self.assertIsNone(self.room.presence({"User_2"}))
        self.assertTrue(self.room.untold)
        self.rename(self.ann, "Ann")
        presence = self.room.presence({"User_2"})
        assert presence is not None
        self.assertEqual((presence.count, presence.joined), (1, []))
        presence = self.room.presence()
        assert presence is not None
        self.assertEqual((presence.count, ids(presence.joined)), (2, ["User_2"]))
        self.assertFalse(self.room.untold)

    def test_up_to_a_hundred_are_named(self) -> None:
        for number in range(2, NAMED_UP_TO + 1):
            self.room.add(member(number))
        presence = self.room.presence()
        assert presence is not None
        self.assertEqual((presence.count, len(ids(presence.joined))), (100, 99))

    def test_of_more_only_the_count_is_told(self) -> None:
        for number in range(2, NAMED_UP_TO + 2):
            self.room.add(member(number))
        self.assertEqual(self.room.presence(), Presence(room="tech", count=101))

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["in", "out", "name", "tell"])), max_size=40))
    def test_whoever_listens_knows_who_is_there_under_which_name(self, events: list[tuple[int, str]]) -> None:
        room = Room(RoomRecord("tech"), 0.0)
        everyone = {number: member(number) for number in range(1, 5)}
        known: dict[str, str] = {}
        for step, (number, what) in enumerate([*events, (1, "tell")]):
            one = everyone[number]
            if what == "in" and one not in room.members:
                room.add(one)
            elif what == "out" and one in room.members:
                room.remove(one, 0.0)
            elif what == "name":
                one.person.name = f"name {step}"
                if one in room.members:
                    room.renamed(one.person)
            elif what == "tell" and (presence := room.presence()) is not None:
                self.assertTrue(presence.joined or presence.left or presence.renamed)
                for gone in presence.left or ():
                    del known[gone]
                for named in presence.joined or ():
                    self.assertNotIn(named.id, known)
                    known[named.id] = named.name
                for named in presence.renamed or ():
                    self.assertNotEqual(known[named.id], named.name)
                    known[named.id] = named.name
                self.assertEqual(presence.count, len(room.members))
        self.assertEqual(known, {one.person.id: one.person.name for one in room.members})


class MembersAfterTests(SynchronousTestCase):
    """L{members_after}."""

    def setUp(self) -> None:
        self.room = Room(RoomRecord("tech"), 0.0)
        for number in range(1, 6):
            self.room.add(member(number))

    def page(self, after: str | None, most: int) -> tuple[list[str], bool]:
        lines, more = members_after(self.room, after, most)
        return [line.id for line in lines], more

    def test_in_the_order_of_joining(self) -> None:
        self.assertEqual(self.page(None, 5), ([f"User_{n}" for n in range(1, 6)], False))

    def test_pages(self) -> None:
        self.assertEqual(self.page(None, 2), (["User_1", "User_2"], True))
        self.assertEqual(self.page("User_2", 2), (["User_3", "User_4"], True))
        self.assertEqual(self.page("User_4", 2), (["User_5"], False))
        self.assertEqual(self.page("User_5", 2), ([], False))

    def test_behind_one_who_is_not_there_it_begins_anew(self) -> None:
        self.assertEqual(self.page("User_9", 2), (["User_1", "User_2"], True))
