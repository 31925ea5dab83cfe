"""What the ground of an arena is like: walls, and where players and things can be. Whole numbers only."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, floor, sqrt
from typing import Protocol

TILE = 40
"""Width and height of a tile, in units."""

RADIUS = 16
"""Of a player, in units. Two of them fit into a tile, so that a player touches walls on one side at a time."""

WALL = "#"

Bounds = tuple[int, int, int, int, tuple[tuple[int, int], ...]]
"""Where in a tile a player's centre can be: from left, top to right, bottom, and a radius away from these corners."""


class Spot(Protocol):
    """What is somewhere."""

    x: int
    y: int


class Terrain:
    """
    A map made of square tiles, drawn as text: C{#} is wall, any other character is floor that can be found by it.

    @param picture: rows of the same length, walls all around.
    @ivar rows: the picture.
    @ivar width: of all, in units, as is C{height}.
    @raise ValueError: that is no such picture.
    """

    def __init__(self, picture: str) -> None:
        self.rows = tuple(picture.split())
        self._marks = "".join(self.rows)
        self.columns = len(self.rows[0]) if self.rows else 0
        if any(len(row) != self.columns for row in self.rows):
            raise ValueError("all rows of a map have the same length")
        edges = [*self.rows[:1], *self.rows[-1:], *(row[0] + row[-1] for row in self.rows)]
        if not edges or set("".join(edges)) != {WALL}:
            raise ValueError(f"a map has walls ({WALL}) all around")
        self.width = self.columns * TILE
        self.height = len(self.rows) * TILE
        self._bounds = [self._bounds_of(tile) for tile in range(len(self._marks))]

    def tile(self, x: int, y: int) -> int:
        """The number of the tile at a point."""
        return y // TILE * self.columns + x // TILE

    def tiles(self, spots: Iterable[Spot]) -> list[int]:
        """The same for many at once."""
        columns = self.columns
        return [spot.y // TILE * columns + spot.x // TILE for spot in spots]

    def centre(self, tile: int) -> tuple[int, int]:
        """Of a tile, by its number."""
        row, column = divmod(tile, self.columns)
        return column * TILE + TILE // 2, row * TILE + TILE // 2

    def places(self, marks: str) -> list[int]:
        """The tiles that are drawn as one of these characters."""
        return [tile for tile, mark in enumerate(self._marks) if mark in marks]

    def floor(self) -> list[int]:
        """All tiles that are no wall."""
        return [tile for tile in range(len(self._marks)) if self.is_floor(tile)]

    def is_floor(self, tile: int) -> bool:
        """Whether a tile is no wall."""
        return self._marks[tile] != WALL

    def around(self, tile: int) -> list[int]:
        """Where a step leads from a floor tile: to its sides, then across its corners where no wall is in the way."""
        across = [one for one in (tile - 1, tile + 1) if self.is_floor(one)]
        along = [one for one in (tile - self.columns, tile + self.columns) if self.is_floor(one)]
        corners = [one + other - tile for one in across for other in along]
        return across + along + [one for one in corners if self.is_floor(one)]

    def settle(self, x: int, y: int) -> tuple[int, int]:
        """
        Where a player stops who has come to a point that may be too near to walls: slid along them, out of them.

        One pass is enough: what lies beside a tile holds the player on the near side of it, and no two of these can
        touch at once.

        @param x: of its centre, less than a radius away from where it touched nothing; C{y} likewise.
        """
        bounds = self._bounds[y // TILE * self.columns + x // TILE]
        if bounds is None:
            return x, y
        left, top, right, bottom, corners = bounds
        if x < left:
            x = left
        elif x > right:
            x = right
        if y < top:
            y = top
        elif y > bottom:
            y = bottom
        for corner_x, corner_y in corners:
            dx = x - corner_x
            dy = y - corner_y
            square = dx * dx + dy * dy
            if square < RADIUS * RADIUS:
                scale = RADIUS / sqrt(square)
                x = corner_x + outwards(dx * scale)
                y = corner_y + outwards(dy * scale)
        return x, y

    def _bounds_of(self, tile: int) -> Bounds | None:
        """What C{settle} has to know of a tile; C{None} if a player can be anywhere in it, or nowhere."""
        if not self.is_floor(tile):
            return None
        row, column = divmod(tile, self.columns)
        left, top = column * TILE, row * TILE
        right, bottom = left + TILE, top + TILE
        up, down = tile - self.columns, tile + self.columns
        west, east, north, south = (not self.is_floor(one) for one in (tile - 1, tile + 1, up, down))
        diagonal = {
            (left, top): up - 1,
            (right, top): up + 1,
            (left, bottom): down - 1,
            (right, bottom): down + 1,
        }
        corners = tuple(corner for corner, beyond in diagonal.items() if not self.is_floor(beyond))
        if not (west or east or north or south or corners):
            return None
        return left + RADIUS * west, top + RADIUS * north, right - RADIUS * east, bottom - RADIUS * south, corners


def outwards(value: float) -> int:
    """The next whole number away from 0: far enough."""
    return ceil(value) if value > 0 else floor(value)
