"""Tests of L{netplay.game.testing}: how a game is tested by whoever wrote it."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.game import Entity, Game, Hidden, Message, Owner, Player, Team
from netplay.game.testing import PlayedRoom, play
from tests.game.tag import Steer, Tag


class Guess(Message):
    """Turn a card."""

    card: int


class Hand(Entity):
    """What a player holds."""

    cards: Owner[tuple[int, ...]] = ()
    plan: Team[str] = ""
    held: int = 0
    dealt: Hidden[int] = 0


class Cards(Game):
    """Turns, secrets and teams."""

    name, api, players = "cards_of_tests", 1, (2, 4)
    teams = ("red", "blue")
    messages = [Guess]
    join_in = False
    rest = 1

    def joined(self, player: Player) -> None:
        player.entity = self.add(Hand(plan=f"of {player.id}"), owner=player)

    def start(self) -> None:
        for n, player in enumerate(self.seated):
            player.entity.cards, player.entity.held = (n, n + 1), 2
            self.event("dealt", player, cards=player.entity.cards)

    def on_guess(self, player: Player, message: Guess) -> None:
        if message.card not in player.entity.cards:
            self.refuse("you do not hold it", "$.card")
        if message.card == 0:
            raise ZeroDivisionError
        self.over(winner=player.id)


class TagTests(SynchronousTestCase):
    """A game with ticks, and who sees what is near."""

    def test_someone_is_it_after_a_player_drops(self) -> None:
        room = play(Tag, ["ann", "bob", "cy"], seed=1)
        room.act("ann", Steer(1, 0))
        room.advance(3)
        room.drop("ann")
        room.advance(31)
        self.assertEqual(room.view("bob").count("runner", it=True), 1)
        self.assertEqual([player.id for player in room.world.seated], ["bob", "cy"])

    def test_the_same_seed_and_the_same_calls_come_to_the_same(self) -> None:
        def played(seed: int) -> Any:
            room = play(Tag, ["ann", "bob"], seed)
            room.act("bob", Steer(-1, 0.5))
            room.advance(5)
            return room.view("ann").entities, room.events("ann")

        self.assertEqual(played(1), played(1))
        self.assertNotEqual(played(1), played(2))

    def test_what_it_sees_has_come_over_the_wire(self) -> None:
        room = play(Tag, ["ann", "bob"], seed=1)
        for player in room.world.seated:
            player.entity.x = 1.23456
        self.assertEqual(room.view("ann").entities["ann"]["x"], 1.23)
        self.assertNotIn("stamina", room.view("bob").entities["ann"])
        self.assertEqual(room.view("ann").find("runner", stamina=100).keys(), {"ann"})

    def test_who_is_far_away_is_not_seen(self) -> None:
        room = play(Tag, ["ann", "bob"], seed=1)
        room.world.seated[1].entity.x = 1000
        self.assertEqual(room.view("ann").entities.keys(), {"ann"})
        room.world.seated[0].entity.x = 1000
        self.assertEqual(room.view("ann").positions.keys(), {"ann", "bob"})

    def test_inputs_are_acknowledged(self) -> None:
        room = play(Tag, ["ann", "bob"])
        room.act("ann", Steer(1, 0, seq=4))
        self.assertEqual(room.view("ann").acks, {"ann": 4})

    def test_the_round_ends_and_another_one_is_prepared(self) -> None:
        room = play(Tag, ["ann", "bob"], seed=1)
        room.advance(60)
        self.assertEqual([list(told) for told in room.events("ann")[-1:]], [["over"]])
        self.assertEqual({record.player.id for record in room.records}, {"ann", "bob"})
        room.advance(5)
        self.assertEqual((room.room.phase, room.events("ann")[-1].keys()), ("waiting", {"over"}))
        self.assertEqual(room.view("bob").count("runner", it=False), 2)


class CardsTests(SynchronousTestCase):
    """A game with turns, secrets and teams."""

    def setUp(self) -> None:
        self.room = play(Cards, ["ann", "bob", "cy"])

    def test_events_for_one_are_told_to_that_one(self) -> None:
        self.assertEqual(self.room.events("bob"), [{"event": "dealt", "cards": [1, 2]}])

    def test_secrets_are_kept(self) -> None:
        self.assertEqual(
            self.room.view("ann").entities,
            {
                "ann": {"kind": "hand", "cards": [0, 1], "plan": "of ann", "held": 2},
                "bob": {"kind": "hand", "held": 2},
                "cy": {"kind": "hand", "plan": "of cy", "held": 2},
            },
        )

    def test_what_the_game_refuses_is_raised(self) -> None:
        refused = self.assertRaises(Refused, self.room.act, "ann", Guess(7))
        self.assertEqual((refused.code, refused.field), ("not_allowed", "$.card"))

    def test_errors_of_the_game_come_out_as_they_are(self) -> None:
        self.assertRaises(ZeroDivisionError, self.room.act, "ann", Guess(0))

    def test_what_a_client_sends_is_read_strictly(self) -> None:
        refused = self.assertRaises(Refused, self.room.send, "ann", {"type": "act", "do": "guess", "card": "x"})
        self.assertEqual((refused.code, refused.field), ("bad_message", "$.card"))
        self.assertRaises(Refused, self.room.send, "ann", {"type": "act", "do": "peek"})
        self.room.send("ann", {"type": "act", "do": "guess", "card": 1})
        self.assertEqual(self.room.events("cy")[-1], {"over": {"winner": "ann"}})

    def test_what_is_for_the_room_is_not_sent_to_the_game(self) -> None:
        self.assertRaises(TypeError, self.room.send, "ann", {"type": "ready"})

    def test_who_is_away_hears_nothing_and_then_sees_everything(self) -> None:
        self.room.drop("cy")
        self.room.act("ann", Guess(1))
        self.assertEqual(self.room.events("cy"), [{"event": "dealt", "cards": [2, 3]}])
        self.room.advance(1)
        self.assertEqual(self.room.view("cy").count("hand", held=2), 3)
        self.room.back("cy")
        self.assertEqual(self.room.view("cy").count("hand", held=0), 3)

    def test_who_leaves_is_seen_no_more(self) -> None:
        self.room.leave("bob")
        self.assertEqual(self.room.view("ann").entities.keys(), {"ann", "cy"})
        self.assertRaises(KeyError, self.room.view, "bob")


class StartTests(SynchronousTestCase):
    """Rooms in which nothing happens yet."""

    def test_players_may_come_before_the_round(self) -> None:
        room = play(Cards, ["ann"], start=False)
        room.join("bob", "blue")
        self.assertEqual(room.room.phase, "waiting")
        self.assertEqual(room.view("ann").count("hand"), 2)
        room.start()
        self.assertTrue(room.world.playing)
        self.assertEqual(self.assertRaises(Refused, room.join, "cy").code, "wrong_phase")

    def test_it_takes_enough_players(self) -> None:
        self.assertEqual(self.assertRaises(Refused, play, Cards, ["ann"]).message, "it takes 2 players")
        self.assertEqual(self.assertRaises(Refused, play, Tag, "abcdefghi").code, "room_full")

    def test_games_that_start_otherwise_start_too(self) -> None:
        class Full(Cards):
            starts = "full"

        class AtOnce(Cards):
            starts = "at once"

        class NoCountdown(AtOnce):
            countdown = 0

        for game in (Full, AtOnce, NoCountdown):
            with self.subTest(game=game):
                room: PlayedRoom = play(game, ["ann", "bob"])
                self.assertEqual(room.events("ann"), [{"event": "dealt", "cards": [0, 1]}])
