"""Tests of L{netplay.game.operations}: what backends may ask of the games."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netplay.game.messages import GameLine, RoomLine
from netplay.game.operations import ListGameRooms, ListGames
from tests.features import House


class OperationsTests(SynchronousTestCase):
    """Games and their rooms."""

    def setUp(self) -> None:
        self.house = House()
        self.handlers = {operation.request: operation.handler for operation in self.house.game.operations}

    def asked(self, request: Any) -> Any:
        return self.handlers[type(request)](request)

    def test_the_games(self) -> None:
        sandbox = self.house.game.games["sandbox"]
        self.assertIn(GameLine("sandbox", sandbox.description, (1, 100), [], 0, []), self.asked(ListGames()).games)

    def test_the_rooms_and_who_plays_there(self) -> None:
        self.house.connect("game").send("move", dx=1)
        rooms = self.asked(ListGameRooms())
        self.assertEqual((rooms.rooms, rooms.more), ([RoomLine("lobby", "sandbox", 1, 100, "playing", False)], False))

    def test_from_behind_one(self) -> None:
        for _ in range(101):
            self.house.connect("game")
        self.assertEqual([line.room for line in self.asked(ListGameRooms(after="lobby")).rooms], ["lobby-2"])
