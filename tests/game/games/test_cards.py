"""Tests of L{netplay.game.games.cards}."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.game.games.cards import ABSENT, RANKS, SUITS, THINKING, Draw, Eights, Pass, Play, is_eight, points
from netplay.game.testing import PlayedRoom, play

DECK = sorted(rank + suit for rank in RANKS for suit in SUITS)


def everywhere(game: Eights) -> list[str]:
    """All cards, wherever they are."""
    hands = [card for player in game.seated for card in player.entity.cards]
    return sorted([*hands, *game.stock, *game.pile])


class CardsTestCase(SynchronousTestCase):
    """Three play, Ann first; what they hold and what lies on the table is said by each test."""

    names = ("ann", "bob", "cy")

    def setUp(self) -> None:
        self.room: PlayedRoom = play(Eights, self.names, seed=1)
        self.game: Any = self.room.world

    def arrange(self, top: str, *hands: str, stock: str = "") -> None:
        """Everyone holds just these cards, the stock is drawn from its end."""
        for player, hand in zip(self.game.seated, hands, strict=True):
            self.game.hold(player, tuple(hand.split()))
        self.game.stock[:] = stock.split()
        self.game.pile.clear()
        self.game.turn_up(top, top[-1])

    def hand(self, name: str) -> Any:
        return self.room.room.seats[name].entity.cards

    def assert_refused(self, field: str, name: str, message: Play | Draw | Pass) -> None:
        before = everywhere(self.game), self.game.table.turn
        refused = self.assertRaises(Refused, self.room.act, name, message)
        self.assertEqual((refused.code, refused.field), ("not_allowed", field))
        self.assertEqual((everywhere(self.game), self.game.table.turn), before)


class DealTests(CardsTestCase):
    """What everybody has in the beginning, and sees."""

    def test_five_cards_each_and_one_on_the_table(self) -> None:
        self.assertEqual([len(self.hand(name)) for name in self.names], [5, 5, 5])
        self.assertEqual(self.game.table.top, self.game.pile[-1])
        self.assertEqual(len(self.game.stock), 52 - 15 - 1)

    def test_two_have_seven(self) -> None:
        room = play(Eights, ["ann", "bob"])
        self.assertEqual([player.entity.count for player in room.world.seated], [7, 7])

    def test_no_eight_lies_on_the_table(self) -> None:
        for seed in range(60):
            top = play(Eights, self.names, seed=seed).world.table.top
            self.assertFalse(is_eight(top), f"seed {seed}")

    def test_everyone_sees_its_own_cards_and_how_many_the_others_have(self) -> None:
        shown = self.room.view("bob").entities
        self.assertEqual(tuple(shown["bob"]["cards"]), self.hand("bob"))
        self.assertEqual(shown["ann"], {"kind": "hand", "count": 5})

    def test_nothing_is_shown_of_the_stock(self) -> None:
        self.assertEqual(sorted(self.room.view("ann").entities), ["ann", "bob", "cy", "table"])


class PlayTests(CardsTestCase):
    """Laying a card."""

    def test_it_follows_suit_or_rank(self) -> None:
        self.arrange("5H", "9H 2C", "9S AD", "3C")
        self.room.act("ann", Play("9H"))
        self.assertEqual((self.game.table.top, self.game.table.suit, self.game.table.turn), ("9H", "H", "bob"))
        self.room.act("bob", Play("9S"))
        self.assertEqual(self.game.table.suit, "S")
        self.assertEqual(self.hand("bob"), ("AD",))

    def test_another_card_is_refused(self) -> None:
        self.arrange("5H", "9S 2C", "AD", "3C")
        self.assert_refused("$.card", "ann", Play("9S"))

    def test_one_that_somebody_else_holds_is_refused(self) -> None:
        self.arrange("5H", "9S 2C", "AH", "3C")
        self.assert_refused("$.card", "ann", Play("AH"))

    def test_what_is_no_card_never_reaches_the_game(self) -> None:
        refused = self.assertRaises(Refused, self.room.send, "ann", {"type": "act", "do": "play", "card": "1H"})
        self.assertEqual((refused.code, refused.field), ("bad_message", "$.card"))

    def test_out_of_turn_nothing_is_done(self) -> None:
        self.arrange("5H", "9H 2C", "AH 2D", "3C", stock="KD")
        for message in (Play("AH"), Draw(), Pass()):
            self.assert_refused("$.do", "bob", message)

    def test_an_eight_goes_on_everything_and_chooses_a_suit(self) -> None:
        self.arrange("5H", "8S 2C", "AH AD 3C", "3C")
        self.room.act("ann", Play("8S", "D"))
        self.assert_refused("$.card", "bob", Play("AH"))
        self.room.act("bob", Play("AD"))

    def test_an_eight_has_to_and_no_other_card_does(self) -> None:
        self.arrange("5H", "8S 9H", "AH", "3C")
        self.assert_refused("$.suit", "ann", Play("8S"))
        self.assert_refused("$.suit", "ann", Play("9H", "D"))


class DrawTests(CardsTestCase):
    """Taking cards, and passing."""

    def test_the_turn_stays(self) -> None:
        self.arrange("5H", "9S 2C", "AH", "3C", stock="KD 6H")
        self.room.act("ann", Draw())
        self.assertEqual(self.hand("ann"), ("9S", "2C", "6H"))
        self.room.act("ann", Play("6H"))

    def test_three_at_most_then_one_passes(self) -> None:
        self.arrange("5H", "9S 2C", "AH", "3C", stock="KD QD JD 10D")
        for _ in range(3):
            self.assert_refused("$.do", "ann", Pass())
            self.room.act("ann", Draw())
        self.assert_refused("$.do", "ann", Draw())
        self.room.act("ann", Pass())
        self.assertEqual(self.game.table.turn, "bob")
        self.room.act("bob", Draw())

    def test_what_was_laid_is_the_stock_when_there_is_none(self) -> None:
        self.arrange("5H", "9H 2C", "AH 2D", "3C")
        self.room.act("ann", Play("9H"))
        self.room.act("bob", Draw())
        self.assertEqual(self.hand("bob"), ("AH", "2D", "5H"))
        self.assertEqual(self.game.pile, ["9H"])

    def test_when_nobody_can_do_anything_whoever_has_the_fewest_points_wins(self) -> None:
        self.arrange("5H", "9S KC", "AD 2S", "8C")
        for name in self.names:
            self.room.act(name, Pass())
        [over] = self.room.events("cy")[-1:]
        self.assertEqual((over["over"]["winner"], over["over"]["points"]), ("bob", 19 + 50))

    def test_who_can_do_something_again_is_not_stuck(self) -> None:
        self.arrange("5H", "9S KC", "AD 2S", "8C")
        self.room.act("ann", Pass())
        self.room.act("bob", Pass())
        self.room.leave("cy")
        self.room.act("ann", Draw())
        self.room.act("ann", Pass())
        self.assertTrue(self.game.playing)
        self.room.act("bob", Pass())
        self.assertFalse(self.game.playing)


class TimeTests(CardsTestCase):
    """Nobody stops the others."""

    def test_whoever_thinks_too_long_plays_what_fits(self) -> None:
        self.arrange("5H", "2C 9H", "AH", "3C", stock="KD")
        self.room.advance(THINKING - 1)
        self.assertEqual(self.game.table.turn, "ann")
        self.room.advance(1)
        self.assertEqual((self.game.table.top, self.game.table.turn), ("9H", "bob"))

    def test_or_draws_until_something_does(self) -> None:
        self.arrange("5H", "2C", "AH", "3C", stock="KD 6H QS")
        self.room.advance(THINKING)
        self.assertEqual((self.game.table.top, self.hand("ann")), ("6H", ("2C", "QS")))

    def test_or_passes(self) -> None:
        self.arrange("5H", "2C", "AH", "3C", stock="KD 6H QS JS 9D")
        self.room.advance(THINKING)
        self.assertEqual((self.game.table.turn, self.hand("ann")), ("bob", ("2C", "9D", "JS", "QS")))

    def test_somebody_who_is_away_is_not_waited_for_as_long(self) -> None:
        self.room.drop("ann")
        self.room.drop("bob")
        self.room.advance(ABSENT)
        self.assertEqual(self.game.table.turn, "bob")
        self.room.advance(ABSENT)
        self.assertEqual(self.game.table.turn, "cy")

    def test_coming_and_going_brings_no_time(self) -> None:
        for _ in range(15):
            self.room.drop("ann")
            self.room.advance(1)
            self.room.back("ann")
            self.room.advance(1)
        self.assertEqual(self.game.table.turn, "bob")


class LeavingTests(CardsTestCase):
    """Players who go."""

    def test_their_cards_are_drawn_last(self) -> None:
        self.arrange("5H", "9H 2C", "AH", "3C 3D", stock="KD")
        self.room.leave("cy")
        self.assertEqual(self.game.stock, ["3C", "3D", "KD"])
        self.assertEqual(self.game.table.turn, "ann")

    def test_the_next_one_moves_if_it_was_their_turn(self) -> None:
        self.room.leave("ann")
        self.assertEqual(self.game.table.turn, "bob")
        self.assertNotIn("ann", self.room.view("bob").entities)

    def test_whoever_stays_alone_has_won(self) -> None:
        self.room.leave("ann")
        self.room.leave("cy")
        self.assertEqual(self.room.events("bob")[-1]["over"]["winner"], "bob")


class EndTests(CardsTestCase):
    """Getting rid of the last card."""

    def test_whoever_has_no_card_left_wins_what_the_others_hold(self) -> None:
        self.arrange("5H", "9H", "8S KD", "AC 10C 7C")
        self.room.act("ann", Play("9H"))
        [over] = self.room.events("bob")[-1:]
        self.assertEqual(
            over["over"],
            {
                "winner": "ann",
                "points": 50 + 10 + 1 + 10 + 7,
                "left": {"ann": [], "bob": ["8S", "KD"], "cy": ["AC", "10C", "7C"]},
            },
        )

    def test_the_points_are_recorded(self) -> None:
        self.arrange("5H", "9H", "8S", "AC")
        self.room.act("ann", Play("9H"))
        [record] = self.room.records
        self.assertEqual((record.score, record.player.id, record.value), ("points", "ann", 51))

    def test_the_next_round_begins_with_a_new_deck(self) -> None:
        self.arrange("5H", "9H", "8S", "AC")
        self.room.act("ann", Play("9H"))
        self.room.advance(Eights.rest)
        for name in self.names:
            self.room.room.ready(name, True)
        self.room.advance(Eights.countdown)
        self.assertEqual(everywhere(self.room.world), DECK)
        self.assertEqual(self.room.view("ann").entities["bob"], {"kind": "hand", "count": 5})


class PropertyTests(SynchronousTestCase):
    """Whatever is played."""

    @settings(deadline=None, max_examples=40)
    @given(
        st.integers(2, 6), st.integers(0, 99), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=60)
    )
    def test_no_card_is_lost_or_seen_by_whoever_should_not(
        self, players: int, seed: int, moves: list[tuple[int, int]]
    ) -> None:
        room = play(Eights, [f"p{n}" for n in range(players)], seed=seed)
        for what, which in moves:
            game = room.world
            if not game.playing:
                return
            player = game.turns.player
            cards = player.entity.cards
            card = cards[which % len(cards)]
            choices = [Draw(), Pass(), Play(card, "H" if is_eight(card) else None)]
            try:
                if what < 8:
                    room.act(player.id, choices[what % 3])
                elif what == 8:
                    room.advance(THINKING)
                elif which == 0 and len(game.seated) > 1:
                    room.leave(player.id)
            except Refused:
                continue
            self.assertEqual(everywhere(room.world), DECK)
            for viewer in room.world.seated:
                for id, shown in room.view(viewer.id).entities.items():
                    if shown["kind"] == "hand" and id != viewer.id:
                        self.assertEqual(set(shown), {"kind", "count"})


class PointsTests(SynchronousTestCase):
    """L{points}."""

    def test_eights_are_dear(self) -> None:
        self.assertEqual(points(("8C", "10D", "QH", "AS", "7C")), 50 + 10 + 10 + 1 + 7)
