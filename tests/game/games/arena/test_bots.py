"""Tests of L{netplay.game.games.arena.bots}: programs see what clients see, and play decently."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netplay.game.games.arena.bots import Brain
from netplay.game.games.arena.entities import MAGIC, STRENGTH
from netplay.game.games.arena.game import Arena, Input
from netplay.game.testing import play

HALL = [
    "#########",
    "#.......#",
    "#.......#",
    "#.......#",
    "#########",
]
ROUND_THE_CORNER = [
    "#########",
    "#...#...#",
    "#...#...#",
    "#.......#",
    "#########",
]


def middle(column: int, row: int) -> dict[str, int]:
    return {"x": column * 40 + 20, "y": row * 40 + 20}


def player(column: int, row: int, team: str = "red", power: str | None = None, score: int = 0) -> dict[str, Any]:
    return {"kind": "player", **middle(column, row), "team": team, "power": power, "score": score}


def star(column: int, row: int) -> dict[str, Any]:
    return {"kind": "star", **middle(column, row)}


def decided(rows: list[str], **entities: dict[str, Any]) -> Input:
    """What a program holds that is called "me"."""
    return Brain().decide("me", {"1": {"kind": "ground", "rows": rows}, **entities}, Random(1))


class BrainTests(SynchronousTestCase):
    """L{Brain}."""

    def test_goes_to_what_is_nearest(self) -> None:
        self.assertEqual(decided(HALL, me=player(3, 2), far=star(7, 2), near=star(1, 2)), Input(left=True))

    def test_near_is_what_is_near_on_foot(self) -> None:
        held = decided(ROUND_THE_CORNER, me=player(3, 1), behind_the_wall=star(5, 1), here=star(1, 2))
        self.assertEqual(held, Input(left=True))

    def test_goes_round_walls(self) -> None:
        self.assertEqual(decided(ROUND_THE_CORNER, me=player(3, 1), it=star(5, 1)), Input(down=True))

    def test_goes_across_where_there_is_no_wall_in_the_corner(self) -> None:
        self.assertEqual(decided(HALL, me=player(3, 1), it=star(5, 3)), Input(down=True, right=True))

    def test_keeps_away_from_the_strong(self) -> None:
        held = decided(HALL, me=player(2, 2), it=star(6, 2), foe=player(5, 2, "blue", STRENGTH), far=star(1, 3))
        self.assertEqual((held.left, held.right), (True, False))

    def test_does_not_fear_its_friends_nor_anyone_while_it_is_magic(self) -> None:
        for team, power in (("red", None), ("blue", MAGIC)):
            held = decided(HALL, me=player(2, 2, power=power), it=star(6, 2), other=player(5, 2, team, STRENGTH))
            self.assertEqual(held, Input(right=True))

    def test_hunts_those_who_have_stars_while_it_is_strong(self) -> None:
        me = player(3, 2, power=STRENGTH)
        self.assertEqual(decided(HALL, me=me, it=star(2, 2), foe=player(6, 2, "blue", score=3)), Input(right=True))
        self.assertEqual(decided(HALL, me=me, it=star(2, 2), foe=player(6, 2, "blue")), Input(left=True))

    def test_goes_somewhere_if_it_is_stuck_or_sees_nothing(self) -> None:
        self.assertNotEqual(decided(HALL, me=player(3, 2)), Input())
        brain, random = Brain(), Random(3)
        world = {"1": {"kind": "ground", "rows": HALL}, "me": player(3, 2), "it": star(5, 2)}
        self.assertEqual(brain.decide("me", world, random), Input(right=True))
        self.assertNotEqual(brain.decide("me", world, random), Input(right=True))

    def test_stands_still_while_it_is_not_in_the_world(self) -> None:
        self.assertEqual(decided(HALL, it=star(1, 1)), Input())
        self.assertEqual(Brain().decide("me", {"me": player(1, 1)}, Random(1)), Input())

    def test_collects_in_a_real_round(self) -> None:
        room = play(Arena, ["ann", "bob"], seed=1)
        brain, random = Brain(), Random(1)
        for _ in range(100):
            room.act("ann", brain.decide("ann", room.view("ann").entities, random))
            room.advance(0.2)
        self.assertGreater(room.view("bob").scores["ann"], 5)
