"""Tests of L{netplay.people}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netplay.accounts.account import Account
from netplay.errors import Refused
from netplay.messages import Identity
from netplay.people import People, Person


class PeopleTests(SynchronousTestCase):
    """Who is who."""

    def setUp(self) -> None:
        self.people = People("User")
        self.ann = self.come()
        self.bob = self.come()

    def come(self) -> Person:
        person = Person(self.people.number())
        self.people.add(person)
        return person

    def assertTaken(self, person: Person, name: str) -> None:
        before = person.name
        refused = self.assertRaises(Refused, self.people.rename, person, name)
        self.assertEqual((refused.code, refused.field), ("name_taken", "$.name"))
        self.assertEqual(person.name, before)

    def test_a_guest_has_a_number_for_a_name(self) -> None:
        self.assertEqual((self.ann.id, self.ann.name), ("User_1", "User_1"))

    def test_numbers_rise_even_when_someone_has_left(self) -> None:
        self.people.remove(self.bob)
        self.assertEqual(self.come().id, "User_3")

    def test_the_id_stays_when_the_name_changes(self) -> None:
        self.people.rename(self.ann, "Ann")
        self.assertEqual((self.ann.id, self.ann.name), ("User_1", "Ann"))
        self.assertEqual((self.ann.identity().id, self.ann.identity().name), ("User_1", "Ann"))

    def test_a_name_is_kept_as_it_will_be_shown(self) -> None:
        self.people.rename(self.ann, "  Ann ")
        self.assertEqual(self.ann.name, "Ann")

    def test_a_name_that_is_no_name_is_refused(self) -> None:
        self.assertEqual(self.assertRaises(Refused, self.people.rename, self.ann, "\n").code, "bad_message")
        self.assertEqual(self.ann.name, "User_1")

    def test_a_name_is_taken_in_whatever_case_and_style(self) -> None:
        self.people.rename(self.ann, "Straße")
        for name in ("Straße", "straße", "STRASSE", "Ｓｔｒａｓｓｅ", "Stra\u200bße", " Straße "):
            self.assertTaken(self.bob, name)

    def test_the_case_of_ones_own_name_may_change(self) -> None:
        self.people.rename(self.ann, "ann")
        self.people.rename(self.ann, "ANN")
        self.assertEqual(self.ann.name, "ANN")
        self.assertTaken(self.bob, "ann")

    def test_nobody_can_take_what_looks_like_a_guests_number(self) -> None:
        for name in (
            "User_2",
            "User_9",
            "user_9",
            "USER_0009",
            "Ｕｓｅｒ＿９",
            "User_९",
            "Us\u200ber_9",
            "User_9\u00ad",
        ):
            self.assertTaken(self.ann, name)

    def test_ones_own_number_can_be_taken_back(self) -> None:
        self.people.rename(self.ann, "Ann")
        self.people.rename(self.ann, "User_1")
        self.assertEqual(self.ann.name, "User_1")
        self.people.rename(self.bob, "Ann")
        self.assertEqual(self.bob.name, "Ann")

    def test_what_only_begins_like_a_number_is_a_name(self) -> None:
        for name in ("User", "User_", "User_9a", "User 9", "Player_9"):
            self.people.rename(self.ann, name)
            self.assertEqual(self.ann.name, name)

    def test_the_old_name_is_free_after_a_change(self) -> None:
        self.people.rename(self.ann, "Ann")
        self.people.rename(self.ann, "Anna")
        self.people.rename(self.bob, "ann")
        self.assertIs(self.people.find("Ann"), self.bob)

    def test_the_name_is_free_when_someone_is_gone(self) -> None:
        self.people.rename(self.ann, "Ann")
        self.people.remove(self.ann)
        self.assertIsNone(self.people.find("Ann"))
        self.assertIsNone(self.people.find("User_1"))
        self.people.rename(self.bob, "Ann")

    def test_who_is_gone_takes_no_name_of_another_along(self) -> None:
        carl = Person("carl")  # an id that is no number
        self.people.add(carl)
        self.people.rename(self.ann, "Carl")
        self.people.remove(carl)
        self.assertIs(self.people.find("Carl"), self.ann)

    def test_people_are_found_by_id_and_by_name_as_people_read_it(self) -> None:
        self.people.rename(self.ann, "Ann")
        for who in ("User_1", "Ann", "aNN", "Ａｎｎ"):
            self.assertIs(self.people.find(who), self.ann)
        self.assertIsNone(self.people.find("Nobody"))
        self.assertIsNone(self.people.find(""))

    def log_in(self, person: Person, name: str = "Ann") -> None:
        self.people.log_in(person, Account(name, name.lower()))

    def test_an_account_has_its_name_and_is_no_guest(self) -> None:
        self.log_in(self.ann)
        self.assertEqual(self.ann.identity(), Identity("User_1", "Ann", guest=False))
        self.assertEqual(Person("User_9", self.ann.account).name, "Ann")

    def test_an_account_may_be_several_persons_of_one_name(self) -> None:
        self.log_in(self.ann)
        self.log_in(self.bob)
        self.assertEqual(self.people.all("ann"), [self.ann, self.bob])
        self.people.remove(self.ann)
        self.assertEqual(self.people.all("ann"), [self.bob])

    def test_a_person_that_came_as_an_account_is_found_by_name(self) -> None:
        carl = Person(self.people.number(), Account("Carl", "carl"))
        self.people.add(carl)
        self.people.add(carl)  # as it is when somebody comes back
        self.assertEqual(self.people.all("Carl"), [carl])
        self.assertTaken(self.ann, "carl")

    def test_an_account_has_its_name_for_good(self) -> None:
        self.log_in(self.ann)
        refused = self.assertRaises(Refused, self.people.rename, self.ann, "Anna")
        self.assertEqual((refused.code, refused.field), ("not_allowed", "$.name"))
        self.people.rename(self.ann, "ANN")  # games send a name each time
        self.assertEqual(self.ann.name, "Ann")
        self.assertTaken(self.bob, "Ann")

    def test_a_guest_who_has_the_name_of_an_account_gives_it_back_and_hears_of_it(self) -> None:
        told: list[str] = []
        self.people.rename(self.bob, "Ann")
        self.bob.renamed = lambda: told.append(self.bob.name)
        self.log_in(self.ann)
        self.assertEqual((self.bob.name, told, self.people.all("Ann")), ("User_2", ["User_2"], [self.ann]))

    def test_the_name_one_had_as_a_guest_is_free(self) -> None:
        self.people.rename(self.ann, "Zoe")
        self.log_in(self.ann)
        self.people.rename(self.bob, "Zoe")

    def test_nothing_is_kept_of_those_who_are_gone(self) -> None:
        self.people.rename(self.ann, "Ann")
        self.people.remove(self.ann)
        self.people.remove(self.bob)
        self.assertEqual((self.people._by_id, self.people._by_name), ({}, {}))
