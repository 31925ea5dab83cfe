"""Tests of L{netplay.game.directory}: all rooms of a daemon."""

from __future__ import annotations

from unittest.mock import patch

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.game import directory
from netplay.game.directory import CODE_LENGTH, CODE_LETTERS, Directory
from netplay.game.live import LiveRoom
from netplay.people import Person
from netplay.ticklimit import TickLimit
from tests.game.rooms import Run, Walk
from tests.support import make_core


class DirectoryTests(SynchronousTestCase):
    """Rooms without clients."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.directory = Directory({"walk": Walk, "run": Run}, make_core(self.clock), TickLimit(0), 20.0)

    def names(self) -> list[str]:
        return [live.name for live in self.directory]

    def test_rooms_without_a_name_are_numbered(self) -> None:
        self.directory.open(Walk, "walk-2")
        for game in (Walk, Walk, Run):
            self.directory.open(game)
        self.assertEqual(self.names(), ["walk-2", "walk-1", "walk-3", "run-1"])

    def test_codes_can_be_read_aloud_and_differ(self) -> None:
        codes = [self.directory.open(Walk).code or "" for _ in range(100)]
        self.assertEqual(len(set(codes)), 100)
        self.assertLessEqual(set("".join(codes)), set(CODE_LETTERS))
        self.assertEqual({len(code) for code in codes}, {CODE_LENGTH})

    def test_a_code_that_is_in_use_is_not_given_again(self) -> None:
        with patch.object(directory, "_code", side_effect=["AAAAA", "AAAAA", "BBBBB"]):
            self.assertEqual([self.directory.open(Walk).code for _ in range(2)], ["AAAAA", "BBBBB"])

    def test_what_is_closed_is_not_found_any_more(self) -> None:
        live = self.directory.open(Walk, "den")
        live.close("no_such_room", "so it is")
        live.close("no_such_room", "twice is as good as once")
        self.assertNotIn("den", self.directory)
        for find in (lambda: self.directory.named("den"), lambda: self.directory.coded(live.code or "")):
            self.assertEqual(self.assertRaises(Refused, find).code, "no_such_room")

    def test_whoever_asked_hears_of_each_new_room(self) -> None:
        heard: list[LiveRoom] = []
        self.directory.opened.append(heard.append)
        live = self.directory.open(Walk)
        self.assertEqual(heard, [live])

    def test_where_nobody_came_there_is_no_room(self) -> None:
        empty, taken = self.directory.open(Walk), self.directory.open(Walk)
        kept = self.directory.open(Walk, permanent=True)
        taken.seat(Person("Player_1"))
        for live in (empty, taken, kept):
            self.directory.discard(live)
        self.assertEqual(list(self.directory), [taken, kept])

    def test_a_room_that_cannot_be_made_leaves_nothing_behind(self) -> None:
        with patch.object(Walk, "setup", side_effect=ZeroDivisionError):
            self.assertEqual(self.assertRaises(Refused, self.directory.open, Walk).code, "room_crashed")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.names(), [])

    def test_in_the_end_nothing_waits(self) -> None:
        for game in (Walk, Run):
            self.directory.open(game).seat(Person("Player_1"))
        self.assertNotEqual(self.clock.getDelayedCalls(), [])
        self.directory.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_rooms_whose_players_are_away_make_place_when_there_are_too_many(self) -> None:
        with patch.object(directory, "MOST_ROOMS", 2):
            for name in ("here", "away"):
                self.directory.open(Walk, name).seat(Person(name))
            self.assertEqual(self.assertRaises(Refused, self.directory.open, Walk).code, "too_many")
            self.directory.named("away").drop("away")
            self.directory.open(Walk, "new").seat(Person("new"))
        self.assertEqual(self.names(), ["here", "new"])
