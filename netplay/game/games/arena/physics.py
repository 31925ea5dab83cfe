"""
How players move in an arena, push each other and are thrown.

All is in whole units and ticks: what a client is sent is all there is, so that with L{walk}, L{advance} and
L{Terrain.settle} in its own language it foretells its player exactly, until somebody else gets in the way.
C{int} cuts towards 0 (C{Math.trunc}).
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from operator import attrgetter
from typing import Protocol, TypeVar

from netplay.game.games.arena.terrain import RADIUS, Terrain, outwards

WALK = 7, 5
"""Units a tick straight ahead, and in each of two directions at once: 5/7 is nearly the square root of a half."""

RUN = 10, 7

STEP = 11
"""Units a tick that anyone moves in one direction, at most: both together less than a radius."""

THROW = 24
"""Of C{vx} and C{vy}, at most. It is more than a step, so that who is thrown hard flies long, not fast."""

DRAG = 0.875
"""What is left of C{vx} and C{vy} after a tick."""

BOUNCE = 0.5
"""Of the speed at which two meet, how much they part with: 0 like clay, 1 like steel."""

PUSH = 8
"""Units a tick by which those who overlap are pushed apart, at most."""

REACH = 2 * RADIUS

T = TypeVar("T", int, float)


class Body(Protocol):
    """
    A player among others.

    @ivar x: of its centre, from the left, in units; C{y} is from the top.
    @ivar vx: units a tick to the right by which it is thrown, beside its walking; C{vy} is downwards.
    @ivar wx: units a tick that it walks to the right; C{wy} is downwards.
    @ivar weight: what it takes to throw it; 1 is usual.
    """

    x: int
    y: int
    vx: int
    vy: int
    wx: int
    wy: int
    weight: int


B = TypeVar("B", bound=Body)

_x, _spot = attrgetter("x"), attrgetter("x", "y")


def walk(right: int, down: int, fast: bool) -> tuple[int, int]:
    """The C{wx} and C{wy} of who holds directions, each -1, 0 or 1."""
    straight, diagonal = RUN if fast else WALK
    pace = diagonal if right and down else straight
    return right * pace, down * pace


def advance(body: Body, terrain: Terrain) -> None:
    """One tick of one player among walls."""
    vx, vy = body.vx, body.vy
    dx, dy = body.wx + vx, body.wy + vy
    if vx or vy:
        dx, dy = _within(dx, STEP), _within(dy, STEP)
        body.vx, body.vy = int(vx * DRAG), int(vy * DRAG)
    if dx or dy:
        body.x, body.y = terrain.settle(body.x + dx, body.y + dy)


def touching(bodies: Iterable[B]) -> list[tuple[B, B]]:
    """
    The pairs that overlap, from left to right. They are found by a sweep along x, as most players are not even near
    each other (U{https://en.wikipedia.org/wiki/Sweep_and_prune}).
    """
    order = sorted(bodies, key=_x)
    spots = list(map(_spot, order))
    pairs = []
    for first, (x, y) in enumerate(spots):
        second = first + 1
        while second < len(spots):
            other_x, other_y = spots[second]
            dx, dy = other_x - x, other_y - y
            if dx >= REACH:
                break
            if -REACH < dy < REACH and dx * dx + dy * dy < REACH * REACH:
                pairs.append((order[first], order[second]))
            second += 1
    return pairs


def collide(a: Body, b: Body, terrain: Terrain) -> bool:
    """
    Two that touch throw each other back and are pushed apart, each the more the lighter it is.

    @return: whether they met. It is false for those who were already parting.
    """
    dx, dy = b.x - a.x, b.y - a.y
    gap = sqrt(dx * dx + dy * dy)
    nx, ny = (dx / gap, dy / gap) if gap else (1.0, 0.0)
    share = b.weight / (a.weight + b.weight)  # a's, of all that happens to the two
    closing = (a.wx + a.vx - b.wx - b.vx) * nx + (a.wy + a.vy - b.wy - b.vy) * ny
    if closing > 0:
        parting = (1 + BOUNCE) * closing
        _throw(a, -parting * share, nx, ny)
        _throw(b, parting * (1 - share), nx, ny)
    overlap = REACH - gap
    if overlap > 0:
        _push(a, -overlap * share, nx, ny, terrain)
        _push(b, overlap * (1 - share), nx, ny, terrain)
    return closing > 0


def _throw(body: Body, speed: float, nx: float, ny: float) -> None:
    body.vx = int(_within(body.vx + speed * nx, THROW))
    body.vy = int(_within(body.vy + speed * ny, THROW))


def _push(body: Body, far: float, nx: float, ny: float, terrain: Terrain) -> None:
    far = _within(far, PUSH)
    body.x, body.y = terrain.settle(body.x + outwards(far * nx), body.y + outwards(far * ny))


def _within(value: T, most: T) -> T:
    return most if value > most else -most if value < -most else value
