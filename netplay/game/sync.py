"""
What clients are told of a world: everything once, then what changed.

A L{Stream} remembers what its viewers were last sent. At each L{take} it compares the world with that, once; each
change is encoded once per codec, and what goes out is put together once per group of viewers who see the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush
from itertools import compress, count
from operator import ne
from typing import Any

import msgspec

from netplay.game.changes import Change, Changes, Rows, Seen, View, array_header
from netplay.game.entities import Entity, Kind
from netplay.game.game import Game
from netplay.game.grid import EVERYWHERE, GONE, NOWHERE, Cell, Cells, Grid
from netplay.game.messages import Delta, State
from netplay.game.players import Player
from netplay.wire.codecs import JSON, Codec


class Stream:
    """
    One sequence of states of a room, and what its viewers know.

    @param room: what the room is called.
    @param game: what is played.
    """

    __slots__ = (
        "_acks",
        "_acks_by_cell",
        "_at",
        "_brief",
        "_changes",
        "_copies",
        "_digits",
        "_entities",
        "_free",
        "_game",
        "_grid",
        "_has_secrets",
        "_kinds",
        "_known",
        "_near",
        "_room",
        "_rows",
        "_seen",
        "_teams",
        "_tick",
        "_world",
    )

    def __init__(self, room: str, game: type[Game]) -> None:
        self._room = room
        self._game = game.name
        self._brief = game.brief
        self._digits = game.digits
        self._near = game.interest is not None
        self._kinds: dict[type[Entity], Kind] = {}
        self._has_secrets = False
        self._seen: dict[str, Seen] = {}
        self._world: tuple[Game, int] | None = None  # and its turnover, when everything in it was known
        self._known: list[Seen] = []  # what was seen and may change
        self._entities: list[Entity] = []  # of these
        self._copies: list[Entity] = []  # as they were
        self._grid: Grid[Seen] = Grid(None if game.interest is None else game.interest.radius)
        self._acks: dict[str, int] = {}
        self._teams: dict[str, str | None] = {}
        self._free: list[int] = []  # numbers that were in use
        self._tick = self._at = 0
        # Since the last take
        self._changes = Changes()
        self._rows: dict[Any, Rows] = {}
        self._acks_by_cell: dict[Cell, dict[str, int]] = {}

    # What happened

    def take(self, world: Game, acks: Mapping[str, int], at: int, unseen: str | None = None) -> Changes:
        """
        Find what changed since the last time: from now on that is what the viewers know.

        @param at: milliseconds since 1970.
        @param unseen: a player of whom they are not to know yet.
        """
        self._tick = world.scene.ticks
        self._at = at
        self._rows = {}
        changes = self._changes = Changes()
        seen = self._seen
        turnover = world, world.turnover
        fresh = [] if turnover == self._world else self._sort_out(world.entities, changes)
        for n in compress(count(), map(ne, self._entities, self._copies)):
            self._look(n, changes)
        for entity in fresh:
            if unseen is None or entity.owner is None or entity.owner.id != unseen:
                self._meet(entity, changes)
        self._world = turnover if len(seen) == len(world.entities) else None
        self._take_acks(acks, changes)
        if self._has_secrets:
            teams = {player.id: player.team for player in world.scene.seats.values()}
            if any(team != teams.get(id, team) for id, team in self._teams.items()):
                changes.refresh = True
            self._teams = teams
        return changes

    def _sort_out(self, entities: Mapping[str, Entity], changes: Changes) -> list[Entity]:
        """Forget what is there no more. Returns what was not known before."""
        seen = self._seen
        for gone in [known for id, known in seen.items() if entities.get(id) is not known.entity]:
            self._forget(gone, changes)
        self._known = [known for id in entities if (known := seen.get(id)) is not None and not known.kind.fixed]
        self._entities = [known.entity for known in self._known]
        self._copies = [known.copy for known in self._known]
        return [entity for id, entity in entities.items() if id not in seen]

    def _meet(self, entity: Entity, changes: Changes) -> None:
        kind = self._kinds.get(type(entity))
        if kind is None:
            kind = Kind(type(entity), self._digits)
            for other, known in self._kinds.items():
                if known.name == kind.name and known.fields != kind.fields:
                    raise TypeError(
                        f"clients know {other.__name__} as {kind.name!r}; set kind in {type(entity).__name__}"
                    )
            self._kinds[type(entity)] = kind
            self._has_secrets |= kind.has_secrets
            changes.refresh = True  # nobody knows its fields yet
        number = heappop(self._free) if self._free else len(self._seen)
        seen = self._seen[entity.id] = Seen(entity, kind, number, self._grid.cell_of(entity))
        if not kind.fixed:
            self._known.append(seen)
            self._entities.append(entity)
            self._copies.append(seen.copy)
        self._arrive(seen, changes)

    def _forget(self, seen: Seen, changes: Changes) -> None:
        id = seen.copy.id
        del self._seen[id]
        heappush(self._free, seen.number)
        self._grid.remove(id, seen.cell)
        changes.moved.append((seen, seen.cell, GONE))

    def _look(self, n: int, changes: Changes) -> None:
        """Something is not as it was."""
        seen, entity = self._known[n], self._entities[n]
        if entity.owner is not seen.copy.owner:
            changes.refresh = True
        mask = seen.look()
        self._copies[n] = seen.copy
        if self._near:
            cell = self._grid.cell_of(entity)
            if cell != seen.cell:
                changes.moved.append((seen, seen.cell, cell))
                self._grid.remove(entity.id, seen.cell)
                seen.cell = cell
                self._arrive(seen, changes)
                return
        if mask:
            changes.add(seen, mask)

    def _arrive(self, seen: Seen, changes: Changes) -> None:
        id = seen.copy.id
        self._grid.put(id, seen, seen.cell)
        changes.arrived.add(id)
        changes.add(seen, (1 << len(seen.kind.fields)) - 1, True)

    def _take_acks(self, acks: Mapping[str, int], changes: Changes) -> None:
        if acks == self._acks:
            self._acks_by_cell = {}
            return
        before = self._acks
        changes.acks = {player: seq for player, seq in acks.items() if before.get(player) != seq}
        self._acks = dict(acks)
        by_cell: dict[Cell, dict[str, int]] = {}
        self._acks_by_cell = by_cell
        if self._near:
            for player, seq in changes.acks.items():
                by_cell.setdefault(self._cell_of(player), {})[player] = seq

    # Who sees what

    @property
    def uniform(self) -> bool:
        """Whether everyone sees the same."""
        return not (self._near or self._has_secrets)

    def view(self, player: Player, before: View | None = None) -> View:
        """
        What a player sees just now.

        @param before: what it saw, which is returned if it still does.
        """
        entity = player.entity
        seen = None if entity is None else self._seen.get(entity.id)
        cell = self._grid.cell_of(entity) if seen is None else seen.cell
        if before is not None and before.cell == cell and before.player == player.id and before.team == player.team:
            return before
        return View(cell, player.team, player.id)

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

    # What they are told

    def delta(self, before: View, now: View, codec: Codec) -> Delta | None:
        """
        What the last L{take} found, as one viewer may know it.

        @param before: what it saw when it was told something last.
        @return: C{None} if there is nothing to tell.
        """
        areas = self._grid.seen_from(now.cell)
        areas_before = areas if before.cell == now.cell else self._grid.seen_from(before.cell)
        told = [
            rows
            for cell in areas
            if (rows := self._told(cell, areas_before is not areas and cell not in areas_before, now, codec)).count
        ]
        gone = self._gone(areas_before, areas)
        acks = self._acks_for(now) if areas_before is areas else self._acks_at(now.cell)
        if not (told or gone or acks):
            return None
        delta = Delta(self._room, self._tick, self._at)
        if codec is JSON:
            delta.ack = acks or None
            delta.set = _object(told)
            delta.gone = [seen.copy.id for seen in gone] or None
        else:
            seen = self._seen
            delta.ack = {seen[id].number if id in seen else id: seq for id, seq in acks.items()} or None
            delta.new = {number: what for rows in told for number, what in rows.new.items()} or None
            delta.rows = _array(told)
            delta.gone = [seen.number for seen in gone] or None
        return delta

    def state(self, view: View, codec: Codec, *, deltas: bool = True) -> State:
        """
        Everything that a viewer may see, as of the last L{take}.

        @param deltas: whether it has to understand what L{delta} says.
        """
        shown = [seen for cell in self._grid.seen_from(view.cell) for seen in self._grid.inside(cell).values()]
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
        state.ack = self._acks_at(view.cell) or None
        if deltas and codec is not JSON:
            state.schema = {kind.name: kind.fields for kind in self._kinds.values()}
            state.scales = {kind.name: kind.scales for kind in self._kinds.values()}
            state.numbers = {seen.copy.id: seen.number for seen in shown}
        return state

    def _told(self, cell: Cell, entered: bool, view: View, codec: Codec) -> Rows:
        """What is told of a cell, to those who saw it before or to those who did not."""
        key = (cell, entered, codec, view if self._has_secrets else None)
        rows = self._rows.get(key)
        if rows is None:
            if entered:
                changes: list[Change] = [(seen, -1, True) for seen in self._grid.inside(cell).values()]
            else:
                changes = self._changes.by_cell.get(cell, [])
            rows = self._rows[key] = Rows(changes, view, codec)
        return rows

    def _gone(self, before: Cells, now: Cells) -> list[Seen]:
        """What somebody saw and sees no more."""
        changes = self._changes
        gone = [seen for seen, old, new in changes.moved if old in before and new not in now]
        if before is not now:
            for cell in before:
                if cell not in now:
                    gone += [seen for id, seen in self._grid.inside(cell).items() if id not in changes.arrived]
        return gone

    def _acks_for(self, view: View) -> Mapping[str, int]:
        """Where sight is limited, those of the players in the same cell."""
        if not self._near or view.cell is EVERYWHERE:
            return self._changes.acks
        return self._acks_by_cell.get(view.cell, {})

    def _acks_at(self, cell: Cell) -> Mapping[str, int]:
        """The same, also of those that are as they were: for who was elsewhere."""
        acks = self._acks
        if not self._near or cell is EVERYWHERE:
            return acks
        if cell is NOWHERE:  # also those of whom there is nothing in the world
            return {player: seq for player, seq in acks.items() if self._cell_of(player) is NOWHERE}
        return {id: acks[id] for id in self._grid.inside(cell) if id in acks}

    def _cell_of(self, player: str) -> Cell:
        """Where what goes by a player's id is."""
        seen = self._seen.get(player)
        return NOWHERE if seen is None else seen.cell


def _object(told: list[Rows]) -> msgspec.Raw | None:
    """In JSON, of what is encoded already."""
    return msgspec.Raw(b"{" + b",".join([rows.data for rows in told]) + b"}") if told else None


def _array(told: list[Rows]) -> msgspec.Raw | None:
    """In MessagePack, of what is encoded already."""
    if not told:
        return None
    header = array_header(sum(rows.count for rows in told))
    return msgspec.Raw(header + b"".join([rows.data for rows in told]))
