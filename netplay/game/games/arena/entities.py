"""What is in an arena, as clients see it."""

from __future__ import annotations

from netplay.game import Entity, Hidden
from netplay.game.games.arena.terrain import TILE

SPEED, STRENGTH, MAGIC = POWERS = "speed", "strength", "magic"


class Ground(Entity):
    """
    What is known of the round itself.

    @ivar tile: width and height of a tile, in units.
    @ivar rows: the L{Terrain}, drawn.
    @ivar ends: the tick at which the round ends, 0 before it starts.
    """

    tile: int = TILE
    rows: tuple[str, ...] = ()
    ends: int = 0


class Runner(Entity):
    """A player's L{netplay.game.games.arena.physics.Body}, its stars, and the power that it has."""

    kind = "player"

    x: int = 0
    y: int = 0
    vx: int = 0
    vy: int = 0
    team: str | None = None
    score: int = 0
    power: str | None = None
    wx: Hidden[int] = 0
    wy: Hidden[int] = 0
    weight: Hidden[int] = 1


class Star(Entity):
    """One point for whoever comes first."""

    fixed = True

    x: int
    y: int


class PowerUp(Entity):
    """Makes whoever takes it fast, strong or magic for a while."""

    kind = "powerup"
    fixed = True

    x: int
    y: int
    power: str
