"""
What clients are told of a world: everything once, then what changed.

A L{Stream} remembers what its viewers were last sent. At each L{take} it compares the world with that, once; each
change is encoded once per codec, and what goes out is put together once per group of viewers who see the same.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from heapq import heappop, heappush
from typing import Any, NamedTuple
from typing import Protocol as Shape

import msgspec

from netplay.game.entities import Entity, Kind
from netplay.game.game import Game
from netplay.game.messages import Delta, State
from netplay.game.players import Player
from netplay.wire.codecs import JSON, Codec

Cell = tuple[int, int]

EVERYWHERE: Cell = (1 << 60, 0)
"""The cell of whoever sees the whole world, however large, and of everything where nobody's sight is limited."""

NOWHERE: Cell = (1 << 60, 1)
"""The cell of what has no place, and is therefore seen from all others; and of players who are nowhere."""

_copy: Callable[[Entity], Entity] = Entity.__copy__  # type: ignore[attr-defined]  # copy.copy takes thrice as long

_GONE: Cell = (1 << 60, 2)


class _Cells(Container[Cell], Iterable[Cell], Shape):
    """Those that somebody sees."""


class _All:
    """
    The cells of a world, all of them.

    @param known: those in which something is.
    """

    def __init__(self, known: Iterable[Cell]) -> None:
        self._known = known

    def __contains__(self, cell: object) -> bool:
        return True

    def __iter__(self) -> Iterator[Cell]:
        return iter(self._known)


class View(NamedTuple):
    """What it depends on what somebody sees: where on the grid, in which team, and as whom. Watchers are nobody."""

    cell: Cell = EVERYWHERE
    team: str | None = None
    player: str | None = None


class _Seen:
    """An entity as the viewers know it."""

    __slots__ = ("cell", "copy", "entity", "kind", "number", "values")

    def __init__(self, entity: Entity, kind: Kind, number: int, cell: Cell) -> None:
        self.entity = entity
        self.kind = kind
        self.number = number
        self.cell = cell
        self.copy = _copy(entity)
        self.values = kind.values(entity)

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

    def row(self, mask: int, whole: bool, codec: Codec) -> bytes:
        """
        Some of the fields: C{"id": {...}} in JSON, C{[number, mask, values...]} in MessagePack.

        @param whole: whether it also says what it is, to those who did not know of it.
        """
        if codec is not JSON:
            return codec.encode((self.number, mask, *(v for n, v in enumerate(self.values) if mask >> n & 1)))
        shown = self.kind.shown(self.values, mask)
        return codec.encode({self.copy.id: {**self.label(), **shown} if whole else shown})[1:-1]

    def label(self) -> dict[str, Any]:
        """What it is, and whose unless its name says so; C{None} if nobody's."""
        owner = self.copy.owner
        if owner is None:
            return {"kind": self.kind.name, "owner": None}
        if owner.id == self.copy.id:
            return {"kind": self.kind.name}
        return {"kind": self.kind.name, "owner": owner.id}


class _Change:
    """What is to be told of an entity; encoded when first needed."""

    __slots__ = ("_rows", "mask", "seen", "whole")

    def __init__(self, seen: _Seen, mask: int, whole: bool) -> None:
        self.seen = seen
        self.mask = mask
        self.whole = whole
        self._rows: dict[tuple[Codec, int], bytes] = {}

    def row(self, mask: int, codec: Codec) -> bytes:
        """See L{_Seen.row}."""
        row = self._rows.get((codec, mask))
        if row is None:
            row = self._rows[codec, mask] = self.seen.row(mask, self.whole, codec)
        return row


class Changes:
    """
    What happened from one L{Stream.take} to the next.

    @ivar refresh: more changed of what somebody may see than can be told by what changed: everyone gets a full state.
    """

    def __init__(self) -> None:
        self.by_cell: dict[Cell, list[_Change]] = {}
        self.moved: list[tuple[_Seen, Cell, Cell]] = []
        self.arrived: set[str] = set()
        self.acks: dict[str, int] = {}
        self.secret_of: set[str] = set()
        self.secret_in: set[str] = set()
        self.refresh = False

    def __bool__(self) -> bool:
        return bool(self.by_cell or self.moved or self.acks or self.refresh)

    def add(self, seen: _Seen, mask: int, *, whole: bool = False) -> None:
        """An entity changed, or is new where it is now."""
        cell = seen.cell
        changes = self.by_cell.get(cell)
        if changes is None:
            changes = self.by_cell[cell] = []
        changes.append(_Change(seen, mask, whole))
        kind = seen.kind
        owner = seen.copy.owner
        if owner is not None and mask & ~kind.public:
            self.secret_of.add(owner.id)
            if mask & kind.team and owner.team is not None:
                self.secret_in.add(owner.team)


class Stream:
    """
    One sequence of states of a room, and what its viewers know.

    @param room: what the room is called.
    @param game: what is played.
    """

    def __init__(self, room: str, game: type[Game]) -> None:
        self._room = room
        self._game = game.name
        self._brief = game.brief
        self._digits = game.digits
        self._radius = game.interest.radius if game.interest is not None else None
        self._kinds: dict[type[Entity], Kind] = {}
        self._has_secrets = False
        self._seen: dict[str, _Seen] = {}
        self._cells: dict[Cell, dict[str, _Seen]] = {}  # by cell, where sight is limited
        self._acks: dict[str, int] = {}
        self._teams: dict[str, str | None] = {}
        self._free: list[int] = []  # numbers that were in use
        self._changes = Changes()
        self._tick = self._at = 0

    # What happened

    def take(self, world: Game, acks: Mapping[str, int], at: int, unseen: str | None = None) -> Changes:
        """
        Find what changed since the last time: from now on that is what the viewers know.

        @param at: milliseconds since 1970.
        @param unseen: a player of whom they are not to know yet.
        """
        self._tick = world.scene.ticks
        self._at = at
        changes = self._changes = Changes()
        seen = self._seen
        entities = world.entities
        for known in [known for id, known in seen.items() if entities.get(id) is not known.entity]:
            self._forget(known, changes)
        for id, entity in entities.items():
            found = seen.get(id)
            if found is None:
                if unseen is None or entity.owner is None or entity.owner.id != unseen:
                    self._meet(entity, changes)
            elif entity != found.copy:
                self._compare(entity, found, changes)
        if acks != self._acks:
            changes.acks = {player: seq for player, seq in acks.items() if self._acks.get(player) != seq}
            self._acks = dict(acks)
        if self._has_secrets:
            teams = {player.id: player.team for player in world.scene.seats.values()}
            if any(team != teams.get(id, team) for id, team in self._teams.items()):
                changes.refresh = True
            self._teams = teams
        return changes

    def _meet(self, entity: Entity, changes: Changes) -> None:
        kind = self._kinds.get(type(entity))
        if kind is None:
            kind = self._kinds[type(entity)] = Kind(type(entity), self._digits)
            self._has_secrets |= kind.has_secrets
            changes.refresh = True  # nobody knows its fields yet
        number = heappop(self._free) if self._free else len(self._seen)
        seen = self._seen[entity.id] = _Seen(entity, kind, number, self.cell_of(entity))
        if self._radius is not None:
            self._cells.setdefault(seen.cell, {})[entity.id] = seen
            changes.arrived.add(entity.id)
        changes.add(seen, (1 << len(kind.fields)) - 1, whole=True)

    def _forget(self, seen: _Seen, changes: Changes) -> None:
        id = seen.copy.id
        del self._seen[id]
        heappush(self._free, seen.number)
        if self._radius is not None:
            self._leave_cell(seen)
        changes.moved.append((seen, seen.cell, _GONE))

    def _compare(self, entity: Entity, seen: _Seen, changes: Changes) -> None:
        before = seen.copy
        seen.copy = _copy(entity)
        if entity.owner is not before.owner:
            changes.refresh = True
        values = seen.kind.values(entity)
        known, seen.values = seen.values, values
        if self._radius is not None:
            cell = self.cell_of(entity)
            if cell != seen.cell:
                changes.moved.append((seen, seen.cell, cell))
                self._leave_cell(seen)
                seen.cell = cell
                self._cells.setdefault(cell, {})[entity.id] = seen
                changes.arrived.add(entity.id)
                changes.add(seen, (1 << len(known)) - 1, whole=True)
                return
        if values == known:
            return
        mask = 0
        bit = 1
        for value, old in zip(values, known, strict=True):
            if value != old:
                mask |= bit
            bit <<= 1
        changes.add(seen, mask)

    def _leave_cell(self, seen: _Seen) -> None:
        there = self._cells[seen.cell]
        del there[seen.copy.id]
        if not there:
            del self._cells[seen.cell]

    # Who sees what

    def cell_of(self, entity: Any) -> Cell:
        """Where something is on the grid."""
        if self._radius is None:
            return EVERYWHERE
        try:
            return int(entity.x // self._radius), int(entity.y // self._radius)
        except AttributeError:
            return NOWHERE

    def view(self, player: Player) -> View:
        """What a player sees just now."""
        entity = player.entity
        seen = None if entity is None else self._seen.get(entity.id)
        return View(self.cell_of(entity) if seen is None else seen.cell, player.team, player.id)

    @property
    def uniform(self) -> bool:
        """Whether everyone sees the same."""
        return self._radius is None and not self._has_secrets

    def _areas(self, cell: Cell) -> _Cells:
        """The cells that are seen from one."""
        if self._radius is None:
            return (EVERYWHERE,)
        if cell is NOWHERE:
            return (NOWHERE,)
        if cell is EVERYWHERE:
            return _All(self._cells)
        x, y = cell
        return (NOWHERE, *((x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)))

    # What they are told

    def group(self, before: View, now: View) -> tuple[Any, ...]:
        """Viewers with equal groups are told the same by the last L{take}."""
        if not self._has_secrets:
            return before.cell, now.cell
        changes = self._changes
        moved = before.cell != now.cell
        return (
            before.cell,
            now.cell,
            now.team if moved or now.team in changes.secret_in else None,
            now.player if moved or now.player in changes.secret_of else None,
        )

    def company(self, view: View) -> tuple[Any, ...]:
        """Viewers with equal companies get the same full state."""
        return view if self._has_secrets else (view.cell,)

    def delta(self, before: View, now: View, codec: Codec) -> Delta | None:
        """
        What the last L{take} found, as one viewer may know it.

        @param before: what it saw when it was told something last.
        @return: C{None} if there is nothing to tell.
        """
        changes = self._changes
        areas = self._areas(now.cell)
        told: list[_Change] = []
        if before.cell == now.cell:
            areas_before = areas
            for cell in areas:
                told += changes.by_cell.get(cell, ())
        else:
            areas_before = self._areas(before.cell)
            for cell in areas:
                if cell in areas_before:
                    told += changes.by_cell.get(cell, ())
                else:
                    told += [_Change(seen, -1, True) for seen in self._cells.get(cell, {}).values()]
        gone = [seen for seen, old, new in changes.moved if old in areas_before and (new is _GONE or new not in areas)]
        if areas_before is not areas:
            for cell in areas_before:
                if cell not in areas:
                    gone += [s for id, s in self._cells.get(cell, {}).items() if id not in changes.arrived]
        rows: list[bytes] = []
        new: dict[int, Any] = {}
        for change in told:
            seen = change.seen
            mask = change.mask & (seen.visible(now) if seen.kind.has_secrets else seen.kind.public)
            if mask or change.whole:
                rows.append(change.row(mask, codec))
                if change.whole and codec is not JSON:
                    new[seen.number] = (seen.copy.id, *seen.label().values())
        acks = self._acks_for(changes.acks, now)
        if not (rows or gone or acks):
            return None
        delta = Delta(self._room, self._tick, self._at)
        if codec is JSON:
            delta.ack = acks or None
            delta.set = _object(rows)
            delta.gone = [seen.copy.id for seen in gone] or None
        else:
            delta.ack = {self._number(player): seq for player, seq in acks.items()} or None
            delta.new = new or None
            delta.rows = _array(rows)
            delta.gone = [seen.number for seen in gone] or None
        return delta

    def state(self, view: View, codec: Codec) -> State:
        """Everything that a viewer may see, as of the last L{take}."""
        shown = self._visible(view)
        positions: dict[str, dict[str, Any]] = {}
        scores: dict[str, Any] = {}
        entities: dict[str, dict[str, Any]] = {}
        for seen in shown:
            fields = seen.kind.shown(seen.values, seen.visible(view))
            id = seen.copy.id
            owner = seen.copy.owner
            if owner is not None and owner.id == id:
                if "x" in fields and "y" in fields:
                    positions[id] = {"x": fields["x"], "y": fields["y"]}
                if "score" in fields:
                    scores[id] = fields["score"]
            if not self._brief:
                entities[id] = {**seen.label(), **fields}
        state = State(self._room, self._game, self._tick, self._at, positions, scores)
        if not self._brief:
            state.entities = entities
        acks = self._acks_for(self._acks, view)
        if acks:
            state.ack = acks
        if codec is not JSON:
            state.schema = {kind.name: kind.fields for kind in self._kinds.values()}
            state.scales = {kind.name: kind.scales for kind in self._kinds.values()}
            state.numbers = {seen.copy.id: seen.number for seen in shown}
        return state

    def _visible(self, view: View) -> Iterable[_Seen]:
        if self._radius is None:
            return self._seen.values()
        return [seen for cell in self._areas(view.cell) for seen in self._cells.get(cell, {}).values()]

    def _acks_for(self, acks: Mapping[str, int], view: View) -> Mapping[str, int]:
        """Where sight is limited, those of the players in the same cell."""
        if self._radius is None or view.cell is EVERYWHERE or not acks:
            return acks
        here = self._cells.get(view.cell, {})
        return {player: seq for player, seq in acks.items() if player in here}

    def _number(self, player: str) -> int | str:
        """Under which number the viewers know what goes by a player's id."""
        seen = self._seen.get(player)
        return player if seen is None else seen.number


def _object(rows: list[bytes]) -> msgspec.Raw | None:
    """In JSON, of what is encoded already."""
    return msgspec.Raw(b"{" + b",".join(rows) + b"}") if rows else None


def _array(rows: list[bytes]) -> msgspec.Raw | None:
    """In MessagePack, of what is encoded already."""
    if not rows:
        return None
    count = len(rows)
    header = bytes((0x90 | count,)) if count < 16 else b"\xdc" + count.to_bytes(2)
    return msgspec.Raw(header + b"".join(rows))
