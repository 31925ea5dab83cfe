"""Tests of L{netplay.game.sandbox}: the tutorial's rules."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netplay.game.messages import Move, Score
from netplay.game.sandbox import Sandbox, SandboxWorld
from netplay.interfaces import IGame, IWorld

MOST = 2**53

numbers = st.integers(-MOST + 1, MOST - 1) | st.floats(allow_nan=False, allow_infinity=False)


class SandboxTests(SynchronousTestCase):
    """L{SandboxWorld}, with one player in it."""

    def setUp(self) -> None:
        self.world = SandboxWorld()
        self.world.join("ann")

    def at(self, player: str = "ann") -> tuple[Any, Any]:
        position = self.world.state()["positions"][player]
        return position["x"], position["y"]

    def score(self, player: str = "ann") -> Any:
        return self.world.state()["scores"][player]

    def test_interfaces(self) -> None:
        verifyObject(IGame, Sandbox())
        verifyObject(IWorld, self.world)

    def test_it_seats_a_hundred(self) -> None:
        self.assertEqual((Sandbox.name, Sandbox.players), ("sandbox", (1, 100)))

    def test_a_player_starts_at_the_origin_without_points(self) -> None:
        self.assertEqual(self.world.state(), {"positions": {"ann": {"x": 0, "y": 0}}, "scores": {"ann": 0}})

    def test_players_who_start_do_not_share_a_position(self) -> None:
        self.world.join("bob")
        self.world.act("ann", Move(dx=1))
        self.assertEqual(self.at("bob"), (0, 0))

    def test_moves_add_up(self) -> None:
        self.assertTrue(self.world.act("ann", Move(dx=1, dy=2)))
        self.world.act("ann", Move(dx=-4, dy=0.5))
        self.assertEqual(self.at(), (-3, 2.5))

    def test_what_is_missing_is_zero(self) -> None:
        self.world.act("ann", Move(dy=3))
        self.assertEqual(self.at(), (0, 3))

    def test_points_add_up(self) -> None:
        self.assertTrue(self.world.act("ann", Score(points=10)))
        self.world.act("ann", Score(points=-3))
        self.assertEqual(self.score(), 7)

    def test_who_leaves_is_out(self) -> None:
        self.world.leave("ann")
        self.assertEqual(self.world.state(), {"positions": {}, "scores": {}})

    def test_who_comes_back_is_where_it_was(self) -> None:
        self.world.act("ann", Move(dx=5))
        self.world.act("ann", Score(points=7))
        self.world.join("ann", self.world.leave("ann"))
        self.assertEqual((self.at(), self.score()), ((5, 0), 7))

    def test_whole_floats_become_integers(self) -> None:
        self.world.act("ann", Move(dx=7.0, dy=-0.0))
        self.world.act("ann", Score(points=2.0))
        for value in (*self.at(), self.score()):
            self.assertIsInstance(value, int)

    def test_halves_that_add_up_to_a_whole_become_an_integer(self) -> None:
        self.world.act("ann", Move(dx=0.5))
        self.world.act("ann", Move(dx=0.5))
        self.assertEqual(repr(self.at()[0]), "1")

    def test_positions_and_scores_are_clamped(self) -> None:
        for _ in range(3):
            self.world.act("ann", Move(dx=MOST - 1, dy=-1.5e308))
            self.world.act("ann", Score(points=1.5e308))
        self.assertEqual((self.at(), self.score()), ((MOST, -MOST), MOST))

    @settings(deadline=None)
    @given(st.lists(st.tuples(numbers, numbers, numbers), max_size=20))
    def test_whatever_is_sent_all_stays_finite_and_exact(self, steps: list[tuple[Any, Any, Any]]) -> None:
        world = SandboxWorld()
        world.join("ann")
        for dx, dy, points in steps:
            world.act("ann", Move(dx=dx, dy=dy))
            world.act("ann", Score(points=points))
            state = world.state()
            for value in (*state["positions"]["ann"].values(), state["scores"]["ann"]):
                self.assertTrue(math.isfinite(value))
                self.assertLessEqual(abs(value), MOST)
                self.assertEqual(isinstance(value, int), value == int(value))
