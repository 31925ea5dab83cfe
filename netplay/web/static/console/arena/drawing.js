/** The picture of an arena: walls, what lies about, players with their names; around a point that may move. */

import { sheet } from "../sheet.js";
import { RADIUS, TILE } from "./physics.js";

/** Pixels of a unit, at least: where the map does not fit so, the picture follows the player. */
const LEAST_SCALE = 0.6;

/** Units across that are drawn of a map more than twice as wide: the server shows a player no more of it. */
const SIGHT = 900;

export const POWERS = { speed: "🚀", strength: "💪", magic: "✨" };

const STAR = "⭐";

/**
 * Somebody to be drawn.
 *
 * @typedef {{id: string, x: number, y: number, name: string, team: string, score: number, power: string | null,
 *   you: boolean}} Shown
 */

export class Drawing {
  #canvas;

  /** Where the middle of the picture is, in units, and pixels of a unit; of the newest one. */
  middle = { x: 0, y: 0 };
  scale = 1;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
  }

  /**
   * Draw it as it is now.
   *
   * @param {import("./physics.js").Terrain} terrain
   * @param {{x: number, y: number, kind: string, power?: string}[]} things
   * @param {Shown[]} players - those further back come first.
   * @param {{x: number, y: number} | null} focus - what is to be in the middle, as far as there is more to be seen.
   */
  draw(terrain, things, players, focus) {
    const { pen, width, height, style } = sheet(this.#canvas);
    if (width === 0) return; // is not looked at
    const whole = Math.min(width / terrain.width, height / terrain.height);
    this.scale = Math.max(LEAST_SCALE, terrain.width > 2 * SIGHT ? width / SIGHT : whole);
    this.middle = {
      x: within(focus?.x ?? 0, width / this.scale / 2, terrain.width),
      y: within(focus?.y ?? 0, height / this.scale / 2, terrain.height),
    };
    pen.translate(width / 2, height / 2);
    pen.scale(this.scale, this.scale);
    pen.translate(-this.middle.x, -this.middle.y);
    this.#ground(pen, terrain, width, height, style);
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillStyle = style.getPropertyValue("--text");
    pen.font = `24px ${style.fontFamily}`;
    for (const { x, y, power } of things) pen.fillText(POWERS[power] ?? STAR, x, y);
    for (const player of players) disc(pen, player, style);
    for (const player of players) label(pen, player, style); // above all discs
  }

  /** A point of the world, in pixels of the canvas. */
  pixels({ x, y }) {
    const { clientWidth, clientHeight } = this.#canvas;
    return {
      x: (x - this.middle.x) * this.scale + clientWidth / 2,
      y: (y - this.middle.y) * this.scale + clientHeight / 2,
    };
  }

  #ground(pen, terrain, width, height, style) {
    const [right, down] = [width / this.scale / 2, height / this.scale / 2];
    const first = { across: tile(this.middle.x - right), down: tile(this.middle.y - down) };
    const last = { across: tile(this.middle.x + right), down: tile(this.middle.y + down) };
    pen.fillStyle = style.getPropertyValue("--wall");
    for (let row = first.down; row <= last.down; row += 1) {
      for (let column = first.across; column <= last.across; column += 1) {
        // A little larger than it is, or there would be seams between them.
        if (terrain.isWall(column, row)) pen.fillRect(column * TILE, row * TILE, TILE + 0.5, TILE + 0.5);
      }
    }
  }
}

function disc(pen, { x, y, team, score, power, you }, style) {
  pen.fillStyle = style.getPropertyValue(`--team-${team}`) || style.getPropertyValue("--quiet");
  pen.globalAlpha = power === "magic" ? 0.6 : 1;
  pen.beginPath();
  pen.arc(x, y, RADIUS, 0, 2 * Math.PI);
  pen.fill();
  pen.globalAlpha = 1;
  pen.strokeStyle = style.getPropertyValue("--text");
  if (you) {
    pen.lineWidth = 3;
    pen.stroke();
  }
  pen.fillStyle = style.getPropertyValue("--on-team");
  pen.font = `700 18px ${style.fontFamily}`;
  pen.fillText(String(score), x, y + 1);
  if (power === null) return;
  pen.font = `20px ${style.fontFamily}`;
  pen.fillText(POWERS[power] ?? "", x + RADIUS, y + RADIUS);
}

/** The team, too, is not told by colour alone. */
function label(pen, { x, y, name, team, you }, style) {
  const text = `${you ? "you" : name} · ${team ?? ""}`;
  pen.font = `600 17px ${style.fontFamily}`;
  pen.lineWidth = 4;
  pen.lineJoin = "round";
  pen.strokeStyle = style.getPropertyValue("--page");
  pen.strokeText(text, x, y - RADIUS - 14);
  pen.fillStyle = style.getPropertyValue("--text");
  pen.fillText(text, x, y - RADIUS - 14);
}

const tile = (units) => Math.floor(units / TILE);

/** A middle from which as much is seen to both sides, without more beyond the edges than has to be. */
const within = (value, side, all) => (2 * side >= all ? all / 2 : Math.max(side, Math.min(all - side, value)));
