"""Where the things of a world are, and what is seen from where."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar
from typing import Protocol as Shape

T = TypeVar("T")

Cell = tuple[int, int]

EVERYWHERE: Cell = (1 << 60, 0)
"""The cell of whoever sees the whole world, however large, and of everything where nobody's sight is limited."""

NOWHERE: Cell = (1 << 60, 1)
"""The cell of what has no place, and is therefore seen from all others; and of players who are nowhere."""

GONE: Cell = (1 << 60, 2)
"""The cell of what is no more."""


class Cells(Container[Cell], Iterable[Cell], Shape):
    """Those that somebody sees."""


class _All:
    """
    The cells of a world, all of them.

    @param known: those in which something is.
    """

    def __init__(self, known: Iterable[Cell]) -> None:
        self._known = known

    def __contains__(self, cell: object) -> bool:
        return cell is not GONE

    def __iter__(self) -> Iterator[Cell]:
        return iter(self._known)


class Grid(Generic[T]):
    """
    Things by cell. From a cell one sees it and the eight around it.

    @param radius: width and height of a cell; with C{None} there is but one, L{EVERYWHERE}.
    """

    def __init__(self, radius: float | None) -> None:
        self._radius = radius
        self._cells: dict[Cell, dict[str, T]] = {} if radius is not None else {EVERYWHERE: {}}

    def cell_of(self, thing: Any) -> Cell:
        """Where something is, by its C{x} and C{y}."""
        radius = self._radius
        if radius is None:
            return EVERYWHERE
        try:
            return int(thing.x // radius), int(thing.y // radius)
        except AttributeError:
            return NOWHERE

    def put(self, id: str, thing: T, cell: Cell) -> None:
        """Something is there now."""
        there = self._cells.get(cell)
        if there is None:
            there = self._cells[cell] = {}
        there[id] = thing

    def remove(self, id: str, cell: Cell) -> None:
        """It is there no more."""
        there = self._cells[cell]
        del there[id]
        if not there and self._radius is not None:
            del self._cells[cell]

    def inside(self, cell: Cell) -> Mapping[str, T]:
        """What is in a cell, by id."""
        return self._cells.get(cell, {})

    def seen_from(self, cell: Cell) -> Cells:
        """The cells that somebody sees who is in one."""
        if self._radius is None:
            return (EVERYWHERE,)
        if cell is NOWHERE:
            return (NOWHERE,)
        if cell is EVERYWHERE:
            return _All(self._cells)
        x, y = cell
        return (
            NOWHERE,
            (x - 1, y - 1), (x, y - 1), (x + 1, y - 1),
            (x - 1, y), cell, (x + 1, y),
            (x - 1, y + 1), (x, y + 1), (x + 1, y + 1),
        )  # fmt: skip
