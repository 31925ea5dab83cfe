"""A room goes on with the changed code of its game."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import msgspec
from msgspec.structs import force_setattr

from netplay.game.entities import Entity, Kind, kind_name
from netplay.game.game import Game
from netplay.game.room import Room


def take_up(room: Room, game: type[Game]) -> None:
    """
    Let a room go on with changed code and the state that it has. What goes wrong leaves the room as it was.

    Entities and what is kept of players are made anew, of the classes that are called as theirs were: fields of the
    same name keep what they hold, new ones have their defaults. Whatever else the game has set is copied, and refers
    to the new ones where it referred to the old. The room ticks as often as it did; C{setup} is not called again.

    @raise Exception: a timer waits for a method that there is no more, a class is gone, or the like.
    """
    scene, world = room.scene, room.world
    for timer in scene.timers:
        if not callable(getattr(game, timer.method, None)):
            raise LookupError(f"a timer waits for {timer.method}, which there is no more")
    kinds = _entity_classes(game)
    players = list(room.seats.values())
    made: list[tuple[Any, Any]] = []
    memo: dict[int, Any] = {id(kept): kept for kept in (scene, scene.random, *players)}
    for entity in {id(e): e for e in (*world.entities.values(), *_theirs(players))}.values():
        if type(entity).__module__ == room.game.__module__:
            cls = kinds.get(kind_name(type(entity)))
            if cls is None:
                raise LookupError(f"there is a {kind_name(type(entity))!r} in the room, and no class for it any more")
            made.append((entity, _blank(cls)))
    for changed_class in {type(new) for _, new in made}:
        Kind(changed_class, game.digits)  # whether it can be shown
    made += [(player.seat, game.seat()) for player in players]
    memo.update({id(old): new for old, new in made})
    for old, new in made:
        for name in set(old.__struct_fields__).intersection(new.__struct_fields__):
            force_setattr(new, name, deepcopy(getattr(old, name), memo))
    timers = deepcopy(scene.timers, memo)
    changed = game.__new__(game)
    changed.__dict__.update(deepcopy(world.__dict__, memo))
    seats = [(player, memo[id(player.seat)], deepcopy(player.entity, memo)) for player in players]

    # From here on nothing can go wrong.
    room.journal("take_up")
    room.game, room.world, scene.timers = game, changed, timers
    for player, seat, entity in seats:
        player.seat, player.entity = seat, entity


def _entity_classes(game: type[Game]) -> dict[str, type[Entity]]:
    """Those of the module of a game, by what clients call them."""
    there = vars(sys.modules[game.__module__]).values()
    return {kind_name(c): c for c in there if isinstance(c, type) and issubclass(c, Entity) and c is not Entity}


def _theirs(players: Iterable[Any]) -> list[Entity]:
    return [player.entity for player in players if player.entity is not None]


def _blank(cls: type[Entity]) -> Entity:
    """One whose fields hold their defaults, C{None} where there are none."""
    required: dict[str, Any] = {field.name: None for field in msgspec.structs.fields(cls) if field.required}
    return cls(**required)
