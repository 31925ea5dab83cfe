"""Tests of L{netplay.game.games.arena.physics}: how players move, meet and part."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.game.games.arena.maps import small
from netplay.game.games.arena.physics import PUSH, STEP, THROW, advance, collide, touching, walk
from netplay.game.games.arena.terrain import RADIUS, TILE, Terrain
from tests.game.games.arena.test_terrain import clear

HALL = Terrain("############ #..........# #..........# #..........# ############")


@dataclass
class Someone:
    """A L{netplay.game.games.arena.physics.Body}."""

    x: int = 200
    y: int = 100
    vx: int = 0
    vy: int = 0
    wx: int = 0
    wy: int = 0
    weight: int = 1

    def at(self) -> tuple[int, int]:
        return self.x, self.y


def tick(bodies: list[Someone], terrain: Terrain) -> None:
    for body in bodies:
        advance(body, terrain)
    for a, b in touching(bodies):
        collide(a, b, terrain)


def energy(bodies: list[Someone]) -> int:
    return sum(body.weight * (body.vx * body.vx + body.vy * body.vy) for body in bodies)


class WalkTests(SynchronousTestCase):
    """L{walk} and L{advance} without anybody else."""

    def test_all_directions_are_equally_fast(self) -> None:
        for fast in (False, True):
            straight, diagonal = hypot(*walk(1, 0, fast)), hypot(*walk(-1, 1, fast))
            self.assertLess(abs(straight - diagonal) / straight, 0.02)

    def test_a_step_goes_in_the_held_direction(self) -> None:
        someone = Someone(wx=7, wy=0)
        advance(someone, HALL)
        self.assertEqual(someone.at(), (207, 100))

    def test_a_step_and_a_throw_together_are_less_than_a_radius(self) -> None:
        self.assertLess(hypot(STEP, STEP), RADIUS)
        self.assertLess(PUSH, RADIUS)
        someone = Someone(wx=10, wy=7, vx=THROW, vy=THROW)
        advance(someone, HALL)
        self.assertEqual(someone.at(), (200 + STEP, 100 + STEP))

    def test_who_is_thrown_comes_to_rest(self) -> None:
        someone = Someone(x=60, vx=THROW, vy=-3)
        for _ in range(20):
            advance(someone, HALL)
        self.assertEqual((someone.vx, someone.vy), (0, 0))
        self.assertGreater(someone.x, 60 + 2 * TILE)

    def test_who_walks_into_a_wall_slides_along_it(self) -> None:
        someone = Someone(y=58, wx=5, wy=-5)
        for _ in range(4):
            advance(someone, HALL)
        self.assertEqual(someone.at(), (220, TILE + RADIUS))


class TouchingTests(SynchronousTestCase):
    """L{touching}."""

    def test_those_who_overlap_are_found_once(self) -> None:
        a, b, far = Someone(x=200), Someone(x=220), Someone(x=220, y=140)
        self.assertEqual(touching([b, far, a]), [(a, b)])

    def test_at_two_radii_nobody_touches(self) -> None:
        self.assertEqual(touching([Someone(x=200), Someone(x=200 + 2 * RADIUS)]), [])

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=25))
    def test_the_sweep_misses_nobody(self, spots: list[tuple[int, int]]) -> None:
        found = {frozenset((a.at(), b.at())) for a, b in touching([Someone(x, y) for x, y in spots])}
        every = {
            frozenset((a, b))
            for n, a in enumerate(spots)
            for b in spots[n + 1 :]
            if hypot(a[0] - b[0], a[1] - b[1]) < 2 * RADIUS
        }
        self.assertEqual(found, every)


class CollideTests(SynchronousTestCase):
    """L{collide}."""

    def test_who_is_run_into_is_thrown_ahead_and_who_ran_back(self) -> None:
        a, b = Someone(x=200, wx=7), Someone(x=230)
        self.assertTrue(collide(a, b, HALL))
        self.assertEqual((a.vx, b.vx), (-5, 5))

    def test_those_who_part_are_not_thrown(self) -> None:
        a, b = Someone(x=200, wx=-7), Someone(x=230)
        self.assertFalse(collide(a, b, HALL))
        self.assertEqual((a.vx, b.vx), (0, 0))

    def test_the_heavy_throws_the_light(self) -> None:
        a, b = Someone(x=200, wx=10, weight=4), Someone(x=230)
        collide(a, b, HALL)
        self.assertEqual((a.vx, b.vx), (-3, 12))

    def test_those_who_overlap_are_pushed_apart_the_light_one_further(self) -> None:
        a, b = Someone(x=200, weight=3), Someone(x=216)
        collide(a, b, HALL)
        self.assertEqual((a.x, b.x), (196, 224))

    def test_those_in_one_place_come_apart_too(self) -> None:
        a, b = Someone(), Someone()
        for _ in range(3):
            collide(a, b, HALL)
        self.assertGreaterEqual(b.x - a.x, 2 * RADIUS - 1)

    def test_nobody_is_pushed_into_a_wall(self) -> None:
        a, b = Someone(x=TILE + RADIUS), Someone(x=TILE + RADIUS + 4, wx=-7)
        for _ in range(10):
            tick([a, b], HALL)
            self.assertEqual(a.x, TILE + RADIUS)


crowds = st.lists(
    st.builds(
        lambda place, walking, thrown, weight: Someone(
            place[0], place[1], thrown[0], thrown[1], walking[0], walking[1], weight
        ),
        st.sampled_from([small().centre(tile) for tile in small().floor()[:60]]),
        st.builds(walk, st.integers(-1, 1), st.integers(-1, 1), st.booleans()),
        st.tuples(st.integers(-THROW, THROW), st.integers(-THROW, THROW)),
        st.sampled_from([1, 4]),
    ),
    min_size=2,
    max_size=12,
)


class CrowdTests(SynchronousTestCase):
    """What holds for many at once, whatever they do."""

    @settings(deadline=None, max_examples=25)
    @given(crowds, st.lists(st.builds(walk, st.integers(-1, 1), st.integers(-1, 1), st.booleans()), max_size=20))
    def test_nobody_is_inside_a_wall_and_energy_is_bounded(
        self, bodies: list[Someone], turns: list[tuple[int, int]]
    ) -> None:
        for n, turn in enumerate(turns):
            body = bodies[n % len(bodies)]
            body.wx, body.wy = turn
            tick(bodies, small())
            for body in bodies:
                self.assertTrue(clear(small(), *body.at()))
                self.assertTrue(abs(body.vx) <= THROW and abs(body.vy) <= THROW)

    @settings(deadline=None, max_examples=25)
    @given(crowds)
    def test_when_nobody_walks_all_come_to_rest_beside_each_other(self, bodies: list[Someone]) -> None:
        for body in bodies:
            body.wx = body.wy = 0
        for _ in range(240):
            before = energy(bodies)
            tick(bodies, small())
            self.assertLessEqual(energy(bodies), before)
        self.assertEqual(energy(bodies), 0)
        for a, b in touching(bodies):
            self.assertGreater(hypot(a.x - b.x, a.y - b.y), 2 * RADIUS - 4)

    @settings(deadline=None, max_examples=20)
    @given(crowds)
    def test_the_same_is_the_same_again(self, bodies: list[Someone]) -> None:
        again = [Someone(**vars(body)) for body in bodies]
        for _ in range(20):
            tick(bodies, small())
            tick(again, small())
        self.assertEqual(bodies, again)
