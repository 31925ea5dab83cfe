"""Tests of L{netplay.game.game}: what is declared, and what a game may ask of its room."""

from __future__ import annotations

from math import inf, nan
from typing import Any, ClassVar

from twisted.plugin import IPlugin
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netplay.errors import Refused
from netplay.game import Data, Entity, Game, Message, Near, Player, Score
from netplay.game.game import MOST_ENTITIES, MOST_SAID
from netplay.game.room import Room
from netplay.interfaces import IGame
from netplay.messages import Request


class Poke(Message):
    """For a game."""

    hard: bool = False


class Wave(Request, tag="wave"):
    """The same in the old way."""


class Unreadable(Message):
    """Nobody could tell one from the other."""

    what: Demanding | Spot


class Demanding(Data):
    """Not to be made without saying what."""

    colour: str


class Spot(Entity):
    """Somewhere."""

    x: float = 0
    y: float = 0


class DeclarationTests(SynchronousTestCase):
    """Mistakes are found when the class is made, and said so that they can be mended."""

    def declare(self, **declared: Any) -> type[Game]:
        """A game with these declarations."""
        return type("Draughts", (Game,), {"name": "draughts", "api": 1, **declared})

    def test_each_mistake_is_named(self) -> None:
        for declared in (
            {"name": ""},
            {"name": "Draughts"},
            {"name": "two words"},
            {"name": "x" * 33},
            {"name": None},
            {"name": "lobby"},
            {"api": 0},
            {"api": 2},
            {"players": (0, 2)},
            {"players": (3, 2)},
            {"players": (1, 1001)},
            {"players": (2,)},
            {"players": 2},
            {"players": (1.0, 2.5)},
            {"tick_rate": 0},
            {"tick_rate": 101},
            {"tick_rate": 7.5},
            {"tick_rate": "20"},
            {"send_rate": 21},
            {"send_rate": -1},
            {"send_rate": "10"},
            {"countdown": -1},
            {"countdown": nan},
            {"rest": inf},
            {"rest": "5"},
            {"starts": "soon"},
            {"digits": -1},
            {"digits": 7},
            {"digits": 1.5},
            {"teams": ("red",)},
            {"teams": ("red", "red")},
            {"teams": "rb"},
            {"teams": None},
            {"teams": (1, 2)},
            {"interest": Near(0)},
            {"interest": 8},
            {"seat": Spot},
            {"seat": Demanding},
            {"seat": Data()},
            {"messages": [Spot]},
            {"messages": [Poke()]},
            {"messages": Poke},
            {"messages": [Poke, Poke]},
            {"messages": [Unreadable]},
        ):
            with self.subTest(declared=declared):
                error = self.assertRaises(TypeError, self.declare, **declared)
                [name] = declared
                self.assertIn("Draughts", str(error))
                self.assertIn(name, str(error))

    def test_each_message_has_its_method(self) -> None:
        error = self.assertRaises(TypeError, self.declare, messages=[Poke])
        self.assertIn("on_poke(self, player, message)", str(error))
        self.declare(messages=[Poke, Wave], on_poke=None, on_wave=None)

    def test_nothing_is_async(self) -> None:
        async def tick(world: Game, dt: float) -> None: ...

        error = self.assertRaises(TypeError, self.declare, tick=tick)
        self.assertIn("Draughts.tick is async", str(error))

    def test_what_has_no_name_is_not_checked(self) -> None:
        self.assertEqual(type("Base", (Game,), {"players": (5, 2)}).players, (5, 2))

    def test_it_is_a_plugin(self) -> None:
        game = self.declare()
        self.assertTrue(IPlugin.providedBy(game))
        self.assertTrue(verifyObject(IGame, game))

    def test_it_is_described_by_the_first_line_and_ticks_if_it_has_that(self) -> None:
        described = self.declare(__doc__="Jump over\n\nothers.", tick=lambda self, dt: None)
        self.assertEqual((described.description, described.ticking), ("Jump over", True))
        self.assertFalse(self.declare().ticking)

    def test_who_says_nothing_is_described_by_nothing(self) -> None:
        self.assertEqual(self.declare().description, "")


class Meadow(Game):
    """A world to ask things of."""

    name, api, players = "meadow", 1, (1, 4)
    messages: ClassVar[Any] = [Poke, Wave]
    starts, countdown = "at once", 0
    height = Score("height")

    def joined(self, player: Player) -> None:
        player.entity = self.add(Spot(), owner=player)

    def on_poke(self, player: Player, message: Poke) -> None:
        self.event("poked", hard=message.hard)
        if message.hard:
            self.over(winner=player.id)
            self.over(winner="who is too late")

    def on_wave(self, player: Player, message: Wave) -> None:
        self.event("waved", player, by=player.id)

    def chime(self, note: str) -> None:
        self.event(note)


class WorldTestCase(SynchronousTestCase):
    """Ann and Bob are on the meadow."""

    def setUp(self) -> None:
        self.room = Room("meadow-1", Meadow, seed=1)
        self.ann, self.bob = self.room.join("ann", "Ann"), self.room.join("bob", "Bob")
        self.world: Any = self.room.world

    def said(self) -> list[str]:
        """The events since the last time."""
        said, self.room.scene.said = self.room.scene.said, []
        return [event.event for event in said]


class EntityTests(WorldTestCase):
    """What is in the world."""

    def test_the_first_thing_of_a_player_is_called_as_the_player_and_others_by_number(self) -> None:
        things = [self.world.add(Spot(), self.ann), self.world.add(Spot()), self.world.add(Spot(), id="oak")]
        self.assertEqual([self.ann.entity.id, *(thing.id for thing in things)], ["ann", "1", "2", "oak"])
        self.assertEqual([thing.owner for thing in things], [self.ann, None, None])

    def test_a_number_that_is_taken_is_passed_over(self) -> None:
        self.world.add(Spot(), id="1")
        self.assertEqual(self.world.add(Spot()).id, "2")

    def test_two_are_not_called_the_same(self) -> None:
        self.assertRaises(ValueError, self.world.add, Spot(), id="ann")

    def test_what_is_removed_is_gone_and_may_be_removed_again(self) -> None:
        for _ in range(2):
            self.world.remove(self.ann.entity)
        self.assertEqual(self.world.all(Spot), [self.bob.entity])
        again = self.world.add(Spot(), self.ann)
        self.world.remove(self.ann.entity)
        self.assertIs(self.world.entities["ann"], again)

    def test_nothing_is_there_twice(self) -> None:
        self.assertRaises(ValueError, self.world.add, self.ann.entity)
        self.world.remove(self.ann.entity)
        self.assertIn(self.world.add(self.ann.entity), self.world.all(Spot))

    def test_there_is_an_end_to_how_many_there_are(self) -> None:
        for _ in range(MOST_ENTITIES - 2):
            self.world.add(Spot())
        self.assertRaises(RuntimeError, self.world.add, Spot())

    def test_who_is_near_the_nearest_first(self) -> None:
        cy, dee = self.room.join("cy", "Cy"), self.room.join("dee", "Dee")
        self.bob.entity.x, cy.entity.y = 3, -2
        dee.entity = None
        self.assertEqual(self.world.near(self.ann, 3), [cy, self.bob])
        self.assertEqual(self.world.near(self.ann, 2.5), [cy])
        self.assertEqual(self.world.near(Spot(x=3), 0), [self.bob])


class TimeTests(WorldTestCase):
    """What happens later."""

    def test_seconds_are_those_of_the_room(self) -> None:
        self.room.advance(30)
        self.assertEqual((self.world.ticks, self.world.time), (30, 1.5))

    def test_after(self) -> None:
        self.world.after(0.5, self.world.chime, "ding")
        self.room.advance(9)
        self.assertEqual(self.said(), [])
        self.room.advance(1)
        self.assertEqual(self.said(), ["ding"])

    def test_every_until_it_is_cancelled(self) -> None:
        timer = self.world.every(0.5, self.world.chime, "dong")
        self.room.advance(35)
        self.assertEqual(self.said(), ["dong"] * 3)
        self.world.cancel(timer)
        self.room.advance(35)
        self.assertEqual(self.said(), [])

    def test_at_once_is_the_next_tick(self) -> None:
        self.world.after(0, self.world.chime, "ding")
        self.assertEqual(self.said(), [])
        self.room.advance()
        self.assertEqual(self.said(), ["ding"])

    def test_only_methods_of_the_game(self) -> None:
        self.assertRaises(TypeError, self.world.after, 1, lambda: None)
        self.assertRaises(TypeError, self.world.every, 1, self.room.advance)


class TellingTests(WorldTestCase):
    """What is told, kept and refused."""

    def test_messages_go_to_their_methods(self) -> None:
        self.room.act("ann", Poke())
        self.room.act("bob", Wave())
        poked, waved = self.room.scene.said
        self.assertEqual((poked.event, poked.to, poked.fields), ("poked", None, {"hard": False}))
        self.assertEqual((waved.event, waved.to, waved.fields), ("waved", self.bob, {"by": "bob"}))

    def test_there_is_an_end_to_what_is_said(self) -> None:
        for _ in range(MOST_SAID):
            self.world.event("ding")
        self.assertRaises(RuntimeError, self.world.event, "ding")

    def test_scores_are_recorded(self) -> None:
        self.world.height.record(self.bob, 7)
        self.assertEqual(self.room.scene.records, [("height", self.bob, 7)])
        self.assertEqual((Meadow.height.name, Meadow.height.best), ("height", max))

    def test_a_score_is_a_finite_number(self) -> None:
        for value in (float("nan"), float("inf"), 10**400):
            self.assertRaises(ValueError, self.world.height.record, self.bob, value)
        self.assertEqual(self.room.scene.records, [])

    def test_which_scores_a_game_has(self) -> None:
        class Valley(Meadow):
            depth = Score("depth", best=min)

        self.assertEqual(list(Valley.scores), ["height", "depth"])
        self.assertEqual(list(Meadow.scores), ["height"])

    def test_scores_that_make_no_sense(self) -> None:
        for name, best in (("", max), ("x" * 65, max), (7, max), ("height", sum)):
            self.assertRaises(TypeError, Score, name, best)

    def test_to_refuse(self) -> None:
        self.patch(Meadow, "on_poke", lambda world, player, message: world.refuse("no", "$.hard"))
        refused = self.assertRaises(Refused, self.room.act, "ann", Poke())
        self.assertEqual((refused.code, refused.message, refused.field), ("not_allowed", "no", "$.hard"))

    def test_it_is_over_only_while_it_is_played(self) -> None:
        self.room.act("ann", Poke(hard=True))
        self.world.over(winner="bob")
        self.assertEqual((self.world.phase, self.room.scene.result), ("over", {"winner": "ann"}))
        self.room.advance(100)
        self.assertEqual((self.world.phase, self.room.scene.result), ("playing", None))

    def test_who_is_there(self) -> None:
        self.assertEqual((self.world.seated, self.world.host), ([self.ann, self.bob], self.ann))
        self.assertEqual((self.world.phase, self.world.playing), ("playing", True))
