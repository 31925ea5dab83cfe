/**
 * How a player moves in the arena: `walk` and `advance` of netplay/game/games/arena/physics.py and `settle` of
 * terrain.py beside it, line by line. All in whole units and ticks, so that both come to the same places.
 */

/** Ticks a second. */
export const RATE = 20;

/** Width and height of a tile, in units, and the radius of a player. */
export const [TILE, RADIUS] = [40, 16];

/** Units a tick, straight ahead and diagonally. */
export const WALK = [7, 5];
const RUN = [10, 7];

const STEP = 11;
const DRAG = 0.875;

/** The power that makes fast. */
const SPEED = "speed";

/**
 * A player: its centre in units, units a tick by which it is thrown, and what power it has, if any.
 *
 * @typedef {{x: number, y: number, vx: number, vy: number, power: string | null}} Body
 */

/** Units a tick, right and down, of who holds directions, each -1, 0 or 1. */
export function walk(right, down, fast) {
  const [straight, diagonal] = fast ? RUN : WALK;
  const pace = right && down ? diagonal : straight;
  return [right * pace, down * pace];
}

/**
 * One tick of one player among walls.
 *
 * @param {Body} body - is moved.
 * @param {Terrain} terrain
 * @param {number} right - the direction that it holds, as is `down`.
 */
export function advance(body, terrain, right, down) {
  const { vx, vy } = body;
  const [wx, wy] = walk(right, down, body.power === SPEED);
  let [dx, dy] = [wx + vx, wy + vy];
  if (vx || vy) {
    [dx, dy] = [within(dx, STEP), within(dy, STEP)];
    [body.vx, body.vy] = [Math.trunc(vx * DRAG), Math.trunc(vy * DRAG)];
  }
  if (dx || dy) [body.x, body.y] = terrain.settle(body.x + dx, body.y + dy);
}

/** A map made of square tiles. */
export class Terrain {
  #bounds;

  /** @param {string[]} rows - of the same length; `#` is wall, and there are walls all around. */
  constructor(rows) {
    this.rows = rows;
    this.columns = rows[0].length;
    this.width = this.columns * TILE;
    this.height = rows.length * TILE;
    this.#bounds = rows.flatMap((row, down) => [...row].map((_, across) => this.#boundsOf(across, down)));
  }

  /** Whether a tile is wall, by its place; so is all around the map. */
  isWall(across, down) {
    return (this.rows[down]?.[across] ?? "#") === "#";
  }

  /** Where a player stops who has come to a point that may be too near to walls. */
  settle(x, y) {
    const bounds = this.#bounds[Math.floor(y / TILE) * this.columns + Math.floor(x / TILE)];
    if (!bounds) return [x, y];
    const { left, top, right, bottom, corners } = bounds;
    x = Math.min(Math.max(x, left), right);
    y = Math.min(Math.max(y, top), bottom);
    for (const [cornerX, cornerY] of corners) {
      const dx = x - cornerX;
      const dy = y - cornerY;
      const square = dx * dx + dy * dy;
      if (square < RADIUS * RADIUS) {
        const scale = RADIUS / Math.sqrt(square);
        x = cornerX + outwards(dx * scale);
        y = cornerY + outwards(dy * scale);
      }
    }
    return [x, y];
  }

  /** What `settle` has to know of a tile; null if a player can be anywhere in it, or nowhere. */
  #boundsOf(across, down) {
    const wall = (right, below) => this.isWall(across + right, down + below);
    if (wall(0, 0)) return null;
    const [left, top] = [across * TILE, down * TILE];
    const [right, bottom] = [left + TILE, top + TILE];
    const [west, east, north, south] = [wall(-1, 0), wall(1, 0), wall(0, -1), wall(0, 1)];
    const corners = [
      [left, top, -1, -1],
      [right, top, 1, -1],
      [left, bottom, -1, 1],
      [right, bottom, 1, 1],
    ].filter(([, , ...beyond]) => wall(...beyond));
    if (!(west || east || north || south || corners.length > 0)) return null;
    return {
      left: left + RADIUS * west,
      top: top + RADIUS * north,
      right: right - RADIUS * east,
      bottom: bottom - RADIUS * south,
      corners,
    };
  }
}

/** The next whole number away from 0. */
const outwards = (value) => (value > 0 ? Math.ceil(value) : Math.floor(value));

const within = (value, most) => Math.max(-most, Math.min(most, value));
