"""Tests of L{netplay.game.bots}: somebody to play with for who is alone."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netplay.game.bots import filled
from netplay.game.games.arena.bots import Brain
from netplay.game.games.arena.game import Arena
from tests.features import House, LineClient


class BotsTests(SynchronousTestCase):
    """Three players are enough."""

    def setUp(self) -> None:
        self.house = House()
        self.house.game.directory.opened.append(filled(Arena, self.house.core, 3, Brain))
        self.ann = self.join()

    def join(self) -> LineClient:
        client = self.house.connect("game")
        client.ask("join", game="arena")
        client.ask("sync", mode="delta")
        self.house.wait(1)
        return client

    def roster(self) -> dict[str, Any]:
        return self.ann.heard("roster")[-1]["players"]

    def test_who_is_alone_has_somebody_to_play_with(self) -> None:
        self.assertEqual([line["bot"] for line in self.roster().values()], [False, True, True])

    def test_others_take_their_seats(self) -> None:
        self.join()
        self.assertEqual([line["bot"] for line in self.roster().values()], [False, True, False])
        self.join()
        self.join()
        self.assertEqual([line["bot"] for line in self.roster().values()], [False] * 4)

    def test_they_move(self) -> None:
        self.house.wait(3)
        self.ann.received()
        self.house.wait(2)
        moved = {id for delta in self.ann.heard("delta") for id in delta.get("set", {}) if id.startswith("Bot_")}
        self.assertEqual(moved, {"Bot_1", "Bot_2"})

    def test_a_person_is_the_host(self) -> None:
        bob = self.join()
        self.ann.ask("leave")
        self.house.wait(1)
        self.assertEqual(bob.heard("roster")[-1]["host"], bob.id)

    def test_without_people_the_room_ends(self) -> None:
        self.ann.ask("leave")
        self.house.wait(1)
        self.assertEqual([live.name for live in self.house.game.directory], ["lobby"])
