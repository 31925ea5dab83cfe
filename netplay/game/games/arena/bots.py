"""Programs that play in the arena: they see what clients see, and hold directions as clients do."""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import lru_cache
from random import Random
from typing import Any

from netplay.game.games.arena.entities import MAGIC, STRENGTH
from netplay.game.games.arena.game import Input
from netplay.game.games.arena.terrain import Terrain

SIGHT = 300
"""Tiles that are looked at for something worth going to, at most."""

NEAR_ENOUGH = 6
"""Units from the middle of the way that need no step aside."""


class Brain:
    """
    Plays decently: it goes to whatever is worth having and nearest on foot, keeps away from the strong, and hunts when
    it is strong itself. Whoever calls it two to ten times a second has a pleasant opponent.
    """

    def __init__(self) -> None:
        self._was: tuple[int, int] | None = None

    def decide(self, me: str, entities: Mapping[str, Mapping[str, Any]], random: Random) -> Input:
        """
        What to hold until it is asked again.

        @param me: its player's id.
        @param entities: what is to be seen, by id, as a client keeps it.
        """
        own = entities.get(me)
        rows = next((entity["rows"] for entity in entities.values() if entity["kind"] == "ground"), None)
        if own is None or rows is None:
            return Input()
        terrain = _terrain(tuple(rows))
        here = own["x"], own["y"]
        stuck, self._was = here == self._was, here
        aim = None if stuck else _way(terrain, terrain.tile(*here), *_wishes(terrain, own, entities))
        x, y = terrain.centre(random.choice(terrain.around(terrain.tile(*here))) if aim is None else aim)
        dx, dy = x - here[0], y - here[1]
        return Input(up=dy < -NEAR_ENOUGH, down=dy > NEAR_ENOUGH, left=dx < -NEAR_ENOUGH, right=dx > NEAR_ENOUGH)


def _wishes(
    terrain: Terrain, own: Mapping[str, Any], entities: Mapping[str, Mapping[str, Any]]
) -> tuple[set[int], set[int]]:
    """The tiles to go to and those to keep away from."""
    things: set[int] = set()
    prey: set[int] = set()
    shunned: set[int] = set()
    is_strong = own["power"] == STRENGTH
    for entity in entities.values():
        kind = entity["kind"]
        if kind in ("star", "powerup"):
            things.add(terrain.tile(entity["x"], entity["y"]))
        elif kind == "player" and entity["team"] != own["team"]:
            tile = terrain.tile(entity["x"], entity["y"])
            if is_strong and entity["score"] and entity["power"] is None:
                prey.add(tile)
            elif entity["power"] == STRENGTH and not is_strong and own["power"] != MAGIC:
                shunned.update((tile, *terrain.around(tile)))
    return (prey or things) - shunned, shunned


def _way(terrain: Terrain, start: int, wanted: Container[int], shunned: Container[int]) -> int | None:
    """
    The next tile on the shortest way to any that is wanted; C{None} if there is none in sight.
    A breadth-first search: U{https://en.wikipedia.org/wiki/Breadth-first_search}.
    """
    came_from = {start: start}
    queue = [start]
    for tile in queue:
        if tile in wanted:
            way = [tile]
            while way[-1] != start:
                way.append(came_from[way[-1]])
            return way[-2] if tile != start else tile
        if len(queue) > SIGHT:
            break
        for near in terrain.around(tile):
            if near not in came_from and near not in shunned:
                came_from[near] = tile
                queue.append(near)
    return None


@lru_cache(maxsize=8)
def _terrain(rows: tuple[str, ...]) -> Terrain:
    return Terrain("\n".join(rows))
