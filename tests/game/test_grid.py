"""Tests of L{netplay.game.grid}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netplay.game import Entity
from netplay.game.grid import EVERYWHERE, GONE, NOWHERE, Grid


class Spot(Entity):
    """Somewhere."""

    x: float = 0
    y: float = 0


class GridTests(SynchronousTestCase):
    """Cells that are 4 wide."""

    def setUp(self) -> None:
        self.grid: Grid[str] = Grid(4)

    def test_where_things_are(self) -> None:
        cells = [self.grid.cell_of(thing) for thing in (Spot(x=3.9, y=4), Spot(x=-0.1, y=-4), Entity(), None)]
        self.assertEqual(cells, [(0, 1), (-1, -1), NOWHERE, NOWHERE])

    def test_one_sees_the_cells_around_and_what_is_nowhere(self) -> None:
        seen = list(self.grid.seen_from((5, -5)))
        around = [(x, y) for x in (4, 5, 6) for y in (-6, -5, -4)]
        self.assertEqual(sorted(seen), sorted([NOWHERE, *around]))
        self.assertEqual(list(self.grid.seen_from(NOWHERE)), [NOWHERE])

    def test_who_is_everywhere_sees_all_there_is(self) -> None:
        self.grid.put("a", "A", (0, 0))
        self.grid.put("b", "B", (99, 99))
        seen = self.grid.seen_from(EVERYWHERE)
        self.assertEqual(list(seen), [(0, 0), (99, 99)])
        self.assertIn((7, 7), seen)
        self.assertNotIn(GONE, seen)

    def test_cells_are_forgotten_when_nothing_is_in_them(self) -> None:
        for id in ("a", "b"):
            self.grid.put(id, id.upper(), (0, 0))
        self.grid.remove("a", (0, 0))
        self.assertEqual(self.grid.inside((0, 0)), {"b": "B"})
        self.grid.remove("b", (0, 0))
        self.assertEqual(self.grid.inside((0, 0)), {})
        self.assertEqual(list(self.grid.seen_from(EVERYWHERE)), [])

    def test_without_a_radius_there_is_one_cell(self) -> None:
        grid: Grid[str] = Grid(None)
        self.assertEqual([grid.cell_of(thing) for thing in (Spot(x=99), None)], [EVERYWHERE, EVERYWHERE])
        grid.put("a", "A", EVERYWHERE)
        grid.remove("a", EVERYWHERE)
        self.assertEqual(list(grid.seen_from(EVERYWHERE)), [EVERYWHERE])
