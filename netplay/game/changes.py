"""What viewers know of a world, and what has changed of it since."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter, ne
from typing import Any, NamedTuple

import msgspec

from netplay.game.entities import Entity, Kind
from netplay.game.grid import EVERYWHERE, Cell
from netplay.wire.codecs import JSON, Codec

_astuple = msgspec.structs.astuple
_copy: Callable[[Entity], Entity] = Entity.__copy__  # type: ignore[attr-defined]  # copy.copy takes thrice as long


@lru_cache(4096)
def mask_of(bits: tuple[bool, ...]) -> int:
    """Bit 0 is the first."""
    return sum(1 << n for n, bit in enumerate(bits) if bit)


@lru_cache(4096)
def picked_by(mask: int) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """What takes the values out of all that a mask stands for."""
    places = [n for n in range(mask.bit_length()) if mask >> n & 1]
    # itemgetter makes a tuple of several places or of a slice, but not of one place.
    one = slice(places[0], places[0] + 1) if places else slice(0)
    return itemgetter(*places) if len(places) > 1 else itemgetter(one)


class View(NamedTuple):
    """What it depends on what somebody sees: where on the grid, in which team, and as whom. Watchers are nobody."""

    cell: Cell = EVERYWHERE
    team: str | None = None
    player: str | None = None


class Seen:
    """
    An entity as the viewers know it.

    @ivar number: stands for it in positional rows.
    @ivar copy: of the entity as it was.
    @ivar values: of its fields, as they are sent.
    """

    __slots__ = ("cell", "copy", "entity", "kind", "number", "values")

    def __init__(self, entity: Entity, kind: Kind, number: int, cell: Cell) -> None:
        self.entity = entity
        self.kind = kind
        self.number = number
        self.cell = cell
        self.copy = _copy(entity)
        self.values = kind.values(entity)

    def look(self) -> int:
        """Know it as it is now. Returns the mask of the fields that are not as they were."""
        entity = self.entity
        self.copy = _copy(entity)
        before = self.values
        kind = self.kind
        self.values = now = kind.pick(_astuple(entity)) if kind.exact else kind.values(entity)
        return mask_of((*map(ne, now, before),))

    def visible(self, view: View) -> int:
        """Mask of the fields that a viewer sees."""
        kind = self.kind
        mask = kind.public
        owner = self.copy.owner
        if owner is not None and kind.has_secrets:
            if view.player == owner.id:
                mask |= kind.own | kind.team
            elif view.team is not None and view.team == owner.team:
                mask |= kind.team
        return mask

    def named(self, mask: int, *, whole: bool) -> dict[str, Any]:
        """
        Some of the fields, by their names.

        @param whole: whether it also says what it is, to those who did not know of it.
        """
        shown = self.kind.shown(self.values, mask)
        return {**self.label(), **shown} if whole else shown

    def label(self) -> dict[str, Any]:
        """What it is, and whose unless its name says so; C{None} if nobody's."""
        owner = self.copy.owner
        if owner is None:
            return {"kind": self.kind.name, "owner": None}
        if owner.id == self.copy.id:
            return {"kind": self.kind.name}
        return {"kind": self.kind.name, "owner": owner.id}


Change = tuple[Seen, int, bool]
"""What is to be told of an entity, the mask of the fields that are not as they were, and whether nobody knew of it
where it is now."""


class Rows:
    """
    What is told of one cell, put together.

    @ivar count: how many entities it tells of.
    @ivar data: their rows, encoded: with commas between in JSON, one after the other in MessagePack.
    @ivar new: in MessagePack, what the numbers stand for that were not known.
    """

    __slots__ = ("count", "data", "new")

    def __init__(self, changes: list[Change], view: View, codec: Codec) -> None:
        self.new: dict[int, Any] = {}
        rows: list[Any] = []
        by_name = codec is JSON
        for seen, mask, whole in changes:
            kind = seen.kind
            mask &= seen.visible(view) if kind.has_secrets else kind.public
            if not (mask or whole):
                continue
            if by_name:
                rows.append((seen.copy.id, seen.named(mask, whole=whole)))
                continue
            rows.append((seen.number, mask, *picked_by(mask)(seen.values)))
            if whole:
                self.new[seen.number] = (seen.copy.id, *seen.label().values())
        self.count = len(rows)
        # One call for all of them; what goes around them is put there by whoever puts cells together.
        self.data = codec.encode(dict(rows))[1:-1] if by_name else codec.encode(rows)[len(array_header(self.count)) :]


def array_header(count: int) -> bytes:
    """What stands before so many values in MessagePack."""
    return bytes((0x90 | count,)) if count < 16 else b"\xdc" + count.to_bytes(2)


class Changes:
    """
    What happened from one look at the world to the next.

    @ivar by_cell: the changes, by where they are to be seen.
    @ivar moved: what left a cell, and where it went.
    @ivar arrived: ids of what was in another cell before, or nowhere.
    @ivar acks: by player the newest input that has taken effect since.
    @ivar secret_of: players who see something of it that others do not.
    @ivar secret_in: teams that do.
    @ivar refresh: more changed of what somebody may see than can be told by what changed: everyone is told everything.
    """

    __slots__ = ("acks", "arrived", "by_cell", "moved", "refresh", "secret_in", "secret_of")

    def __init__(self) -> None:
        self.by_cell: dict[Cell, list[Change]] = {}
        self.moved: list[tuple[Seen, Cell, Cell]] = []
        self.arrived: set[str] = set()
        self.acks: dict[str, int] = {}
        self.secret_of: set[str] = set()
        self.secret_in: set[str] = set()
        self.refresh = False

    def __bool__(self) -> bool:
        return bool(self.by_cell or self.moved or self.acks or self.refresh)

    def add(self, seen: Seen, mask: int, whole: bool = False) -> None:
        """An entity changed, or is new where it is now."""
        cell = seen.cell
        changes = self.by_cell.get(cell)
        if changes is None:
            changes = self.by_cell[cell] = []
        changes.append((seen, mask, whole))
        kind = seen.kind
        if kind.has_secrets and mask & ~kind.public and (owner := seen.copy.owner) is not None:
            self.secret_of.add(owner.id)
            if mask & kind.team and owner.team is not None:
                self.secret_in.add(owner.team)
