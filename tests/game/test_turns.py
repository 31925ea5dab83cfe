"""Tests of L{netplay.game.turns}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.game.players import Player
from netplay.game.turns import Turns


class TurnsTests(SynchronousTestCase):
    """L{Turns} of Ann, Bob and Cy."""

    def setUp(self) -> None:
        self.players = self.ann, self.bob, self.cy = [Player(id, id.title()) for id in ("ann", "bob", "cy")]
        self.turns = Turns(self.players)

    def test_one_moves_after_the_other(self) -> None:
        moved = [self.turns.player, *(self.turns.next() for _ in range(3))]
        self.assertEqual(moved, [self.ann, self.bob, self.cy, self.ann])

    def test_whoever_moved_last_is_the_last(self) -> None:
        self.turns.next()
        self.assertIs(self.turns.order[-1], self.ann)

    def test_nobody_else_may_move(self) -> None:
        self.turns.check(self.ann)
        refused = self.assertRaises(Refused, self.turns.check, self.bob)
        self.assertEqual(
            (refused.code, refused.message, refused.field), ("not_allowed", "it is the turn of Ann", "$.do")
        )

    def test_it_can_be_given_to_somebody(self) -> None:
        self.turns.give(self.cy)
        self.assertEqual([self.turns.player, self.turns.next()], [self.cy, self.ann])

    def test_when_somebody_goes_it_is_the_next_ones(self) -> None:
        self.turns.remove(self.ann)
        self.assertIs(self.turns.player, self.bob)
        self.assertEqual(len(self.turns), 2)

    def test_when_another_goes_it_stays(self) -> None:
        self.turns.remove(self.bob)
        self.turns.remove(self.bob)
        self.assertEqual([self.turns.player, self.turns.next()], [self.ann, self.cy])
