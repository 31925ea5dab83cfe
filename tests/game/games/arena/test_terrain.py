"""Tests of L{netplay.game.games.arena.terrain} and of the maps."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.game.games.arena.maps import large, quilt, small
from netplay.game.games.arena.terrain import RADIUS, TILE, Terrain

ROOM = Terrain("""
#######
#.....#
#..#..#
#.....#
#######
""")


def clear(terrain: Terrain, x: int, y: int) -> bool:
    """Whether a player whose centre is here touches no wall: measured, from each wall around."""
    column, row = x // TILE, y // TILE
    for across in range(column - 1, column + 2):
        for down in range(row - 1, row + 2):
            if not terrain.is_floor(down * terrain.columns + across):
                dx = x - max(across * TILE, min(x, (across + 1) * TILE))
                dy = y - max(down * TILE, min(y, (down + 1) * TILE))
                if dx * dx + dy * dy < RADIUS * RADIUS:
                    return False
    return True


class TerrainTests(SynchronousTestCase):
    """L{Terrain}."""

    def test_is_measured_in_tiles(self) -> None:
        self.assertEqual((ROOM.width, ROOM.height), (7 * TILE, 5 * TILE))

    def test_a_tile_is_found_by_any_point_in_it(self) -> None:
        self.assertEqual({ROOM.tile(x, y) for x in (80, 119) for y in (40, 79)}, {9})
        self.assertEqual(ROOM.tile(*ROOM.centre(9)), 9)

    def test_places_are_found_by_their_mark(self) -> None:
        terrain = Terrain("#### #r+# ####")
        self.assertEqual((terrain.places("r"), terrain.places("+"), terrain.floor()), ([5], [6], [5, 6]))

    def test_a_step_leads_to_the_sides_and_corners_where_no_wall_is_in_the_way(self) -> None:
        self.assertEqual(ROOM.around(11), [10, 12, 18, 19])

    def test_rows_have_one_length(self) -> None:
        with self.assertRaisesRegex(ValueError, "same length"):
            Terrain("### ##")

    def test_there_are_walls_all_around(self) -> None:
        for picture in ("### #.. ###", "### ..# ###", "#.# #.# ###", "### #.# #.#", ""):
            with self.assertRaisesRegex(ValueError, "all around"):
                Terrain(picture)


class SettleTests(SynchronousTestCase):
    """L{Terrain.settle}: nobody is inside a wall."""

    def test_in_the_open_one_stays_where_one_is(self) -> None:
        self.assertEqual(ROOM.settle(100, 60), (100, 60))

    def test_a_wall_is_slid_along(self) -> None:
        self.assertEqual(ROOM.settle(47, 65), (TILE + RADIUS, 65))
        self.assertEqual(ROOM.settle(100, 47), (100, TILE + RADIUS))

    def test_in_a_corner_one_stops(self) -> None:
        self.assertEqual(ROOM.settle(45, 50), (TILE + RADIUS, TILE + RADIUS))

    def test_round_the_corner_of_a_wall_one_slips_past(self) -> None:
        x, y = ROOM.settle(113, 72)
        self.assertLess(x, 113)
        self.assertLess(y, 72)

    @settings(deadline=None, max_examples=150)
    @given(st.sampled_from([ROOM, small(), large()]), st.data())
    def test_from_wherever_one_comes(self, terrain: Terrain, data: st.DataObject) -> None:
        x, y = (
            data.draw(st.integers(TILE, terrain.width - TILE - 1)),
            data.draw(st.integers(TILE, terrain.height - TILE - 1)),
        )
        assume(clear(terrain, x, y))
        dx, dy = data.draw(st.integers(-15, 15)), data.draw(st.integers(-15, 15))
        assume(dx * dx + dy * dy < RADIUS * RADIUS)
        self.assertTrue(clear(terrain, *terrain.settle(x + dx, y + dy)))


class MapTests(SynchronousTestCase):
    """The maps."""

    def test_each_has_a_place_for_everyone(self) -> None:
        for terrain in (small(), large()):
            for mark in "rb+":
                self.assertGreaterEqual(len(terrain.places(mark)), 8)

    def test_from_each_place_there_is_a_way_to_all_others(self) -> None:
        for terrain in (small(), large()):
            start = terrain.places("r")[0]
            seen, front = {start}, [start]
            while front:
                front = sorted({one for tile in front for one in terrain.around(tile)} - seen)
                seen.update(front)
            self.assertEqual(sorted(seen), terrain.floor())

    def test_the_small_one_is_fair(self) -> None:
        mirrored = [row[::-1].translate(str.maketrans("rb", "br")) for row in small().rows]
        self.assertEqual(mirrored, list(small().rows))

    def test_a_quilt_has_its_patches_in_turns(self) -> None:
        self.assertEqual(quilt([["r"], ["b"]], 2).split(), ["####", "#rb#", "#br#", "####"])
