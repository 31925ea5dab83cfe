"""Tests of L{netplay.game.lobby}: which room who comes lands in."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netplay.game.lobby import Lobby
from netplay.game.sandbox import Sandbox
from tests.features import House


class LobbyTests(SynchronousTestCase):
    """Rooms for two, so that they are soon full."""

    def setUp(self) -> None:
        game = Sandbox()
        game.players = (1, 2)
        self.lobby = Lobby(game, House().core, 20.0)

    def take(self, times: int, wanted: str | None = None) -> list[str]:
        """So many come; returns where they landed."""
        return [self.lobby.take_seat(wanted).name for _ in range(times)]

    def give(self, name: str) -> None:
        self.lobby.give_seat(self.lobby.rooms[name])

    def test_the_first_room_is_there_from_the_beginning(self) -> None:
        self.assertEqual(list(self.lobby.rooms), ["lobby"])

    def test_when_a_room_is_full_the_next_is_opened(self) -> None:
        self.assertEqual(self.take(5), ["lobby", "lobby", "lobby-2", "lobby-2", "lobby-3"])

    def test_the_first_free_seat_is_taken(self) -> None:
        self.take(5)
        self.give("lobby")
        self.assertEqual(self.take(2), ["lobby", "lobby-3"])

    def test_an_empty_room_is_closed(self) -> None:
        self.take(4)
        self.give("lobby-2")
        self.assertIn("lobby-2", self.lobby.rooms)
        self.give("lobby-2")
        self.assertEqual(list(self.lobby.rooms), ["lobby"])

    def test_but_never_the_first(self) -> None:
        self.take(1)
        self.give("lobby")
        self.assertEqual(list(self.lobby.rooms), ["lobby"])

    def test_a_room_that_was_closed_is_opened_again_empty(self) -> None:
        self.take(3)
        closed = self.lobby.rooms["lobby-2"]
        self.give("lobby-2")
        self.assertEqual(self.take(1), ["lobby-2"])
        self.assertIsNot(self.lobby.rooms["lobby-2"], closed)

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
