"""Tests of L{netplay.game.games.arena.game}: the rules."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.game.games.arena.entities import MAGIC, SPEED, STRENGTH, PowerUp, Star
from netplay.game.games.arena.game import POWER, ROUND, SAFE, SHAKEN, Arena, Crowd, Input
from netplay.game.games.arena.maps import small
from netplay.game.games.arena.physics import PUSH, STEP, WALK
from netplay.game.games.arena.terrain import TILE
from netplay.game.scene import Phase
from netplay.game.testing import play
from tests.game.games.arena.test_terrain import clear

HERE = 9 * TILE + 20, 4 * TILE + 20
"""The middle of a tile with floor around it, on the small map."""

TICK = 1 / Arena.tick_rate
"""Seconds."""


class ArenaTestCase(SynchronousTestCase):
    """Ann is red, bob is blue, and nothing lies about."""

    def setUp(self) -> None:
        self.room = play(Arena, ["ann", "bob"])
        self.world: Any = self.room.world
        self.ann, self.bob = self.runner("ann"), self.runner("bob")
        self.clear()

    def runner(self, name: str) -> Any:
        return self.room.room.seats[name].entity

    def clear(self) -> None:
        for tile in list(self.world.things):
            self.world.remove(self.world.things.pop(tile))

    def put(self, runner: Any, right: int = 0, down: int = 0) -> None:
        """Somewhere in the open."""
        runner.x, runner.y = HERE[0] + right, HERE[1] + down

    def lay(self, power: str | None = None, right: int = 0) -> int:
        """Something, so many tiles to the right of there."""
        tile: int = self.world.terrain.tile(*HERE) + right
        self.world.lay(tile, power)
        return tile


class RoundTests(ArenaTestCase):
    """How a round begins, goes on and ends."""

    def test_the_teams_begin_on_their_sides(self) -> None:
        room = play(Arena, ["ann", "bob"])
        ann, bob = (room.view("ann").entities[name] for name in ("ann", "bob"))
        self.assertEqual((ann["team"], bob["team"]), ("red", "blue"))
        self.assertLess(ann["x"], 300)
        self.assertGreater(bob["x"], 900)

    def test_who_changes_teams_before_it_begins_on_that_side(self) -> None:
        room = play(Arena, ["ann", "bob", "cy"], start=False)
        room.room.choose("cy", "blue")
        room.start()
        cy = room.view("ann").entities["cy"]
        self.assertEqual(cy["team"], "blue")
        self.assertGreater(cy["x"], 900)

    def test_clients_know_the_ground_and_when_it_ends(self) -> None:
        ground = self.world.ground
        self.assertEqual((ground.tile, ground.rows), (TILE, self.world.terrain.rows))
        self.assertEqual(ground.ends, self.world.ticks + ROUND * Arena.tick_rate)

    def test_who_comes_later_plays_at_once(self) -> None:
        self.room.join("cy")
        self.room.act("cy", Input(right=True))
        x = self.runner("cy").x
        self.room.advance(TICK)
        self.assertEqual(self.runner("cy").x, x + WALK[0])

    def test_the_better_team_and_the_best_player_win(self) -> None:
        self.room.join("cy")
        self.ann.score, self.bob.score, self.runner("cy").score = 4, 5, 2
        self.clear()
        self.world.finish()
        self.assertEqual(
            self.room.events("ann"), [{"over": {"team": "red", "winner": "bob", "stars": {"red": 6, "blue": 5}}}]
        )

    def test_a_draw_has_no_winner(self) -> None:
        self.world.finish()
        self.assertEqual(
            self.room.events("ann"), [{"over": {"team": None, "winner": None, "stars": {"red": 0, "blue": 0}}}]
        )

    def test_what_each_player_collected_is_recorded(self) -> None:
        self.ann.score = 4
        self.world.finish()
        self.assertEqual(
            [(record.score, record.player.id, record.value) for record in self.room.records],
            [("stars", "ann", 4), ("stars", "bob", 0)],
        )

    def test_after_a_while_the_next_round_begins_with_nothing(self) -> None:
        self.ann.score = 4
        self.room.advance(ROUND)
        self.assertIs(self.room.room.phase, Phase.OVER)
        self.room.advance(Arena.rest + Arena.countdown)
        self.assertIs(self.room.room.phase, Phase.PLAYING)
        self.assertEqual(self.runner("ann").score, 0)


class InputTests(ArenaTestCase):
    """What players do is hold directions, and nothing else."""

    def setUp(self) -> None:
        super().setUp()
        self.put(self.ann)

    def test_a_direction_is_held_until_the_next_input(self) -> None:
        self.room.act("ann", Input(right=True))
        self.room.advance(2 * TICK)
        self.room.act("ann", Input(up=True))
        self.room.advance(TICK)
        self.room.act("ann", Input())
        self.room.advance(TICK)
        self.assertEqual((self.ann.x, self.ann.y), (HERE[0] + 2 * WALK[0], HERE[1] - WALK[0]))

    def test_left_and_right_at_once_are_neither(self) -> None:
        self.room.act("ann", Input(left=True, right=True, down=True))
        self.room.advance(TICK)
        self.assertEqual((self.ann.x, self.ann.y), (HERE[0], HERE[1] + WALK[0]))

    def test_many_inputs_between_two_ticks_lead_no_further_than_one(self) -> None:
        for seq in range(10):
            self.room.act("ann", Input(seq=seq, right=True))
        self.room.advance(TICK)
        self.assertEqual(self.ann.x, HERE[0] + WALK[0])
        self.assertEqual(self.room.room.acks, {"ann": 9})

    def test_places_speeds_and_powers_cannot_be_sent(self) -> None:
        message = {"type": "input", "right": True, "x": 900, "dx": 100, "vx": 20, "power": SPEED, "score": 9}
        self.room.send("ann", message)
        self.room.advance(TICK)
        self.assertEqual((self.ann.x, self.ann.vx, self.ann.power, self.ann.score), (HERE[0] + WALK[0], 0, None, 0))

    def test_nobody_holds_a_direction_more_than_once(self) -> None:
        refused = self.assertRaises(Refused, self.room.send, "ann", {"type": "input", "right": 100})
        self.assertEqual((refused.code, refused.field), ("bad_message", "$.right"))

    def test_who_is_away_stands_still(self) -> None:
        self.room.act("ann", Input(right=True))
        self.room.drop("ann")
        self.room.advance(5 * TICK)
        self.assertEqual((self.ann.x, self.ann.y), HERE)


class StarTests(ArenaTestCase):
    """What there is to collect."""

    def test_a_star_is_taken_by_who_comes_to_it(self) -> None:
        self.put(self.ann)
        self.lay(right=1)
        self.room.act("ann", Input(right=True))
        self.room.advance(2 * TICK)
        self.assertEqual((self.ann.score, len(self.world.all(Star))), (0, 1))
        self.room.advance(TICK)
        self.assertEqual((self.ann.score, self.world.all(Star), self.world.things), (1, [], {}))

    def test_there_are_soon_enough_for_all_again(self) -> None:
        for _ in range(10):
            self.room.advance(1)
        self.assertEqual(len(self.world.all(Star)), 12)

    def test_on_a_tile_lies_one_thing_at_most(self) -> None:
        for _ in range(200):
            self.world.offer()
        for _ in range(50):
            self.world.sprinkle()
        places = [(thing.x, thing.y) for thing in self.world.things.values()]
        self.assertEqual(len(places), len(set(places)))
        self.assertEqual(len(self.world.all(PowerUp)), len(self.world.spots))

    def test_the_things_of_a_tile_are_what_clients_see(self) -> None:
        self.room.advance(20)
        for tile, thing in self.world.things.items():
            self.assertEqual((thing.x, thing.y), self.world.terrain.centre(tile))
            self.assertIs(self.world.entities[thing.id], thing)


class PowerTests(ArenaTestCase):
    """What power-ups do."""

    def setUp(self) -> None:
        super().setUp()
        self.put(self.ann)

    def empower(self, power: str) -> None:
        self.lay(power)
        self.room.advance(TICK)
        self.assertEqual(self.ann.power, power)

    def test_they_wear_off(self) -> None:
        for power in (SPEED, STRENGTH, MAGIC):
            self.empower(power)
            self.room.advance(POWER - 0.1)
            self.assertEqual(self.ann.power, power)
            self.room.advance(0.1)
            self.assertEqual((self.ann.power, self.ann.weight), (None, 1))

    def test_the_next_one_takes_the_place_of_the_one_before_and_lasts_as_long(self) -> None:
        self.empower(STRENGTH)
        self.room.advance(POWER - 1)
        self.empower(SPEED)
        self.room.advance(POWER - 0.1)
        self.assertEqual((self.ann.power, self.ann.weight), (SPEED, 1))

    def test_the_fast_walk_faster_from_the_same_tick_on(self) -> None:
        self.room.act("ann", Input(right=True))
        self.empower(SPEED)
        self.room.advance(TICK)
        self.assertEqual(self.ann.x, HERE[0] + 7 + 10)

    def test_the_magic_pass_through_others(self) -> None:
        self.empower(MAGIC)
        self.put(self.bob, 40)
        self.room.act("ann", Input(right=True))
        self.room.advance(11 * TICK)
        self.assertEqual((self.ann.x - HERE[0], self.bob.x - HERE[0]), (77, 40))

    def test_the_magic_draw_what_lies_on_the_tiles_around(self) -> None:
        self.lay(right=1)
        self.lay(right=self.world.terrain.columns - 1)
        self.lay(right=2)
        self.empower(MAGIC)
        self.assertEqual((self.ann.score, len(self.world.all(Star))), (2, 1))

    def run_into_bob(self, score: int) -> None:
        """Ann takes a step and is where bob is. She takes at once what she shakes out of him onto her own tile."""
        self.clear()
        self.bob.score = score
        self.put(self.bob, 34)
        self.put(self.ann)
        self.ann.vx = self.bob.vx = 0
        self.room.act("ann", Input(right=True))
        self.room.advance(TICK)

    def test_whoever_the_strong_run_into_flies_off_and_loses_stars(self) -> None:
        self.empower(STRENGTH)
        self.run_into_bob(score=9)
        self.assertEqual((self.bob.score, self.ann.score + len(self.world.all(Star))), (9 - SHAKEN, SHAKEN))
        self.assertGreater(self.bob.vx, WALK[0])
        self.assertEqual(self.room.events("bob"), [{"event": "hit", "player": "bob", "by": "ann", "stars": SHAKEN}])

    def test_nobody_loses_more_than_they_have(self) -> None:
        self.empower(STRENGTH)
        self.run_into_bob(score=2)
        self.assertEqual((self.bob.score, self.ann.score + len(self.world.all(Star))), (0, 2))

    def test_what_was_lost_lies_around(self) -> None:
        self.empower(STRENGTH)
        self.run_into_bob(score=9)
        for star in self.world.all(Star):
            self.assertLess(max(abs(star.x - self.bob.x), abs(star.y - self.bob.y)), 2 * TILE)

    def test_nobody_is_hit_again_at_once(self) -> None:
        self.empower(STRENGTH)
        for wait, score in ((0, 9 - SHAKEN), (SAFE - 0.1, 9), (0.1, 9 - SHAKEN)):
            self.room.advance(wait)
            self.run_into_bob(score=9)
            self.assertEqual(self.bob.score, score)

    def test_without_strength_nobody_is_hit(self) -> None:
        self.run_into_bob(score=9)
        self.assertEqual(self.bob.score, 9)
        self.assertGreater(self.bob.vx, 0)

    def test_the_strong_are_not_hit(self) -> None:
        self.empower(STRENGTH)
        self.world.empower(self.room.room.seats["bob"], STRENGTH)
        self.run_into_bob(score=9)
        self.assertEqual(self.bob.score, 9)

    def test_friends_are_not_hit(self) -> None:
        self.empower(STRENGTH)
        self.bob.team = self.ann.team
        self.run_into_bob(score=9)
        self.assertEqual(self.bob.score, 9)


EVERYONE = ["ann", "bob", "cy", "dee"]

inputs = st.builds(Input, up=st.booleans(), down=st.booleans(), left=st.booleans(), right=st.booleans())
scripts = st.lists(st.tuples(st.sampled_from(EVERYONE), inputs, st.integers(1, 12)), max_size=25)


class WhateverHappensTests(SynchronousTestCase):
    """What holds for any inputs."""

    @settings(deadline=None, max_examples=20)
    @given(scripts, st.integers(0, 1000))
    def test_the_same_inputs_lead_to_the_same_states(self, script: list[tuple[str, Input, int]], seed: int) -> None:
        rooms = [play(Arena, EVERYONE, seed) for _ in range(2)]
        for name, message, ticks in script:
            for room in rooms:
                room.act(name, message)
                room.advance(ticks * TICK)
            self.assertEqual(rooms[0].view("ann").entities, rooms[1].view("ann").entities)

    def test_another_seed_leads_to_another_state(self) -> None:
        self.assertNotEqual(*(play(Arena, ["ann"], seed).view("ann").entities for seed in (1, 2)))

    @settings(deadline=None, max_examples=20)
    @given(scripts)
    def test_nobody_jumps_or_is_inside_a_wall(self, script: list[tuple[str, Input, int]]) -> None:
        room = play(Arena, EVERYONE)
        runners = [player.entity for player in room.room.seats.values()]
        furthest = STEP + 3 * (PUSH + 1)  # each of the three others may push as well
        for name, message, ticks in script:
            room.act(name, message)
            for _ in range(ticks):
                before = [(runner.x, runner.y) for runner in runners]
                room.advance(TICK)
                for runner, (x, y) in zip(runners, before, strict=True):
                    self.assertTrue(clear(small(), runner.x, runner.y))
                    self.assertLessEqual(max(abs(runner.x - x), abs(runner.y - y)), furthest)


class CrowdTests(SynchronousTestCase):
    """L{Crowd}."""

    def test_each_sees_what_is_near_and_the_ground(self) -> None:
        room = play(Crowd, ["ann", "bob", "cy"])
        ann, bob, cy = (room.room.seats[name].entity for name in ("ann", "bob", "cy"))
        (ann.x, ann.y), (bob.x, bob.y), (cy.x, cy.y) = (60, 60), (400, 60), (3000, 3000)
        world: Any = room.world
        for star in world.all(Star):
            world.remove(star)
        for place in (100, 3900):
            world.add(Star(x=place, y=place))
        seen = room.view("ann")
        self.assertEqual([len(seen.find(kind)) for kind in ("ground", "player", "star")], [1, 2, 1])
