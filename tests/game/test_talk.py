"""Tests of L{netplay.game.talk}: how a round ended, and what was reached in it."""

from __future__ import annotations

from netplay.game import Game, Message, Player, Score
from tests.game.rooms import RoomsTestCase


class Jump(Message):
    """Jump so high, and end the round if C{last}."""

    height: float
    last: bool = False


class Jumping(Game):
    """Jump as high as you can."""

    name, api, players = "jumping", 1, (1, 4)
    starts, countdown, rest = "at once", 0, 1
    messages = [Jump]
    highest = Score("height")

    def on_jump(self, player: Player, message: Jump) -> None:
        self.event("jumped", trace="." * int(message.height * 10_000))
        self.highest.record(player, message.height)
        if message.last:
            self.over(by=player.id)


class RecordTests(RoomsTestCase):
    """Scores that a game records."""

    games = (Jumping,)

    def setUp(self) -> None:
        super().setUp()
        self.join(self.ann, game="jumping")

    def jump(self, height: float, *, last: bool = False) -> None:
        self.ann.send("act", do="jump", height=height, last=last)

    def test_they_are_told_with_the_result(self) -> None:
        self.jump(1.5)
        self.jump(2, last=True)
        [over] = self.ann.heard("over")
        self.assertEqual(over["result"], {"by": self.ann.id})
        self.assertEqual(
            over["records"],
            [
                {"score": "height", "player": self.ann.id, "value": 1.5},
                {"score": "height", "player": self.ann.id, "value": 2},
            ],
        )

    def test_the_next_round_has_its_own(self) -> None:
        self.jump(2, last=True)
        self.house.wait(2)
        self.ann.received()
        self.jump(1, last=True)
        [over] = self.ann.heard("over")
        self.assertEqual([record["value"] for record in over["records"]], [1])


class SizeTests(RoomsTestCase):
    """What a game says of what happened."""

    games = (Jumping,)

    def test_too_much_of_it_ends_the_room(self) -> None:
        self.join(self.ann, game="jumping")
        self.join(self.bob, game="jumping")
        self.ann.send("act", do="jump", height=6)
        self.assertEqual(len(self.bob.heard("event")), 1)
        self.ann.send("act", do="jump", height=7)
        self.assertEqual([error["code"] for error in self.bob.heard("error")], ["room_crashed"])
        [failure] = self.flushLoggedErrors(RuntimeError)
        self.assertIn("'jumped' has 70", str(failure.value))
