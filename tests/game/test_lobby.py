"""Tests of L{netplay.game.lobby}: which room who comes lands in."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netplay.game.directory import Directory
from netplay.game.games.sandbox import Sandbox
from netplay.game.lobby import Lobby
from netplay.people import Person
from netplay.ticklimit import TickLimit
from tests.support import make_core


class Pairs(Sandbox):
    """Rooms for two, so that they are soon full."""

    name, api, players = "sandbox", 1, (1, 2)


class LobbyTests(SynchronousTestCase):
    """Who comes lands in the first room that has a seat."""

    def setUp(self) -> None:
        self.directory = Directory({"sandbox": Pairs}, make_core(), TickLimit(0), 20.0)
        self.lobby = Lobby(self.directory)
        self.count = 0

    def take(self, times: int, wanted: str | None = None) -> list[str]:
        """So many come; returns where they landed."""
        landed = []
        for _ in range(times):
            self.count += 1
            live = self.lobby.find(wanted)
            live.seat(Person(f"Player_{self.count}"))
            landed.append(live.name)
        return landed

    def give(self, name: str) -> None:
        """One goes."""
        live = self.directory.named(name)
        live.leave(next(iter(live.room.seats)))

    def names(self) -> list[str]:
        return [live.name for live in self.directory]

    def test_the_first_room_is_there_from_the_beginning(self) -> None:
        self.assertEqual(self.names(), ["lobby"])

    def test_when_a_room_is_full_the_next_is_opened(self) -> None:
        self.assertEqual(self.take(5), ["lobby", "lobby", "lobby-2", "lobby-2", "lobby-3"])

    def test_the_first_free_seat_is_taken(self) -> None:
        self.take(5)
        self.give("lobby")
        self.assertEqual(self.take(2), ["lobby", "lobby-3"])

    def test_an_empty_room_is_closed(self) -> None:
        self.take(4)
        self.give("lobby-2")
        self.assertIn("lobby-2", self.names())
        self.give("lobby-2")
        self.assertEqual(self.names(), ["lobby"])

    def test_but_never_the_first(self) -> None:
        self.take(1)
        self.give("lobby")
        self.assertEqual(self.names(), ["lobby"])

    def test_a_room_that_was_closed_is_opened_again_empty(self) -> None:
        self.take(3)
        closed = self.directory.named("lobby-2")
        self.give("lobby-2")
        self.assertEqual(self.take(1), ["lobby-2"])
        self.assertIsNot(self.directory.named("lobby-2"), closed)

    def test_the_wanted_room_if_it_has_a_seat(self) -> None:
        self.take(3)
        self.give("lobby")
        self.assertEqual(self.take(1, "lobby-2"), ["lobby-2"])

    def test_the_wanted_room_is_full(self) -> None:
        self.take(4)
        self.give("lobby")
        self.assertEqual(self.take(1, "lobby-2"), ["lobby"])

    def test_the_wanted_room_is_not_there_any_more(self) -> None:
        self.assertEqual(self.take(1, "lobby-7"), ["lobby"])
