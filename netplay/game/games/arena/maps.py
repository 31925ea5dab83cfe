"""The grounds that arenas are played on. C{r} and C{b}: where the teams begin; C{+}: where power-ups appear."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from netplay.game.games.arena.terrain import WALL, Terrain

ARENA = """
##############################
#............................#
#..r...##....#..#....##...b..#
#......#.....#..#.....#......#
#.r.+.......+....+.......+.b.#
#...##..................##...#
#.r.#....###......###....#.b.#
#..........#......#..........#
#..r....+............+....b..#
#..r....+............+....b..#
#..........#......#..........#
#.r.#....###......###....#.b.#
#...##..................##...#
#.r.+.......+....+.......+.b.#
#......#.....#..#.....#......#
#..r...##....#..#....##...b..#
#............................#
##############################
"""

PATCHES = [
    """
..........
.r......b.
...####...
...#......
......+...
..#....#..
..##..##..
..........
.b......r.
..........
""",
    """
..........
.b......r.
....##....
....##....
.##....##.
.##..+.##.
....##....
....##....
.r......b.
..........
""",
    """
..........
.r......b.
...####...
......#...
..#...#...
..#..+....
..####....
..........
.b......r.
..........
""",
]


@cache
def small() -> Terrain:
    """For a room of 25: 1200 by 720 units, the same for both teams."""
    return Terrain(ARENA)


@cache
def large() -> Terrain:
    """For a crowd of 500: 4080 by 4080 units."""
    return Terrain(quilt([patch.split() for patch in PATCHES], 10))


def quilt(patches: Sequence[Sequence[str]], side: int) -> str:
    """A picture of C{side} by C{side} patches in turns, with walls around it."""
    width = side * len(patches[0][0])
    rows = [
        "".join(patches[(across + down) % len(patches)][row] for across in range(side))
        for down in range(side)
        for row in range(len(patches[0]))
    ]
    edge = WALL * (width + 2)
    return "\n".join([edge, *(WALL + row + WALL for row in rows), edge])
