/** The field of a game, drawn around one player: who is near as a disc, who is far as a mark at the edge. */

import { redrawing, sheet } from "./sheet.js";

/** Units of the world from the left edge to the right one. */
const ACROSS = 48;

/** From one line of the grid to the next. */
const GRID = 4;

/** Pixels that those at the edge keep from it. */
const MARGIN = 18;

/** How much of the way to where a player is now is shown after each frame of 1/60 s. */
const GLIDE = 0.35;

const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Field {
  #canvas;
  #players = []; // {id, x, y, you}
  #shown = new Map(); // id -> {x, y}, as drawn
  #wake;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#wake = redrawing(canvas, () => this.#draw());
  }

  /** @param {{id: string, x: number, y: number, you: boolean}[]} players - as they are now. */
  show(players) {
    this.#players = players;
    const ids = new Set(players.map(({ id }) => id));
    for (const id of this.#shown.keys()) {
      if (!ids.has(id)) this.#shown.delete(id);
    }
    this.#wake();
  }

  #draw() {
    const { pen, width, height, style } = sheet(this.#canvas);
    if (width === 0) return; // is not looked at
    if (this.#glide()) this.#wake();
    const you = this.#players.find(({ you }) => you);
    const middle = you ? this.#shown.get(you.id) : { x: 0, y: 0 };
    const scale = width / ACROSS;
    const at = ({ x, y }) => [(x - middle.x) * scale + width / 2, (y - middle.y) * scale + height / 2];
    grid(pen, width, height, scale, middle, style);
    for (const player of [...this.#players].sort((a, b) => a.you - b.you)) {
      const [x, y] = at(this.#shown.get(player.id));
      const near = x >= 0 && x <= width && y >= 0 && y <= height;
      if (near) disc(pen, x, y, player, style);
      else mark(pen, clamp(x, MARGIN, width - MARGIN), clamp(y, MARGIN, height - MARGIN), player, style);
    }
  }

  /** Move what is drawn towards what is; whether it is not there yet. */
  #glide() {
    let moving = false;
    for (const { id, x, y } of this.#players) {
      const shown = this.#shown.get(id);
      if (shown === undefined || still.matches || Math.hypot(x - shown.x, y - shown.y) > ACROSS) {
        this.#shown.set(id, { x, y });
      } else if (Math.hypot(x - shown.x, y - shown.y) < 0.02) {
        Object.assign(shown, { x, y });
      } else {
        shown.x += (x - shown.x) * GLIDE;
        shown.y += (y - shown.y) * GLIDE;
        moving = true;
      }
    }
    return moving;
  }
}

function grid(pen, width, height, scale, middle, style) {
  const step = GRID * scale;
  pen.strokeStyle = style.getPropertyValue("--line");
  pen.lineWidth = 1;
  pen.beginPath();
  for (let x = rest(width / 2 - middle.x * scale, step); x < width; x += step) {
    pen.moveTo(Math.round(x) + 0.5, 0);
    pen.lineTo(Math.round(x) + 0.5, height);
  }
  for (let y = rest(height / 2 - middle.y * scale, step); y < height; y += step) {
    pen.moveTo(0, Math.round(y) + 0.5);
    pen.lineTo(width, Math.round(y) + 0.5);
  }
  pen.stroke();
}

function disc(pen, x, y, { id, you }, style) {
  pen.fillStyle = colour(id);
  pen.beginPath();
  pen.arc(x, y, 11, 0, 2 * Math.PI);
  pen.fill();
  if (you) {
    pen.strokeStyle = style.getPropertyValue("--text");
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc(x, y, 15, 0, 2 * Math.PI);
    pen.stroke();
  }
  pen.fillStyle = style.getPropertyValue("--text");
  pen.font = `600 12px ${style.fontFamily}`;
  pen.textAlign = "center";
  pen.fillText(you ? "you" : id, x, you ? y + 30 : y - 20); // so that two at one place can both be read
}

function mark(pen, x, y, { id }, style) {
  pen.fillStyle = colour(id);
  pen.beginPath();
  pen.arc(x, y, 5, 0, 2 * Math.PI);
  pen.fill();
  pen.fillStyle = style.getPropertyValue("--quiet");
  pen.font = `11px ${style.fontFamily}`;
  pen.textAlign = x < 60 ? "left" : x > pen.canvas.clientWidth - 60 ? "right" : "center";
  pen.fillText(id, x, y > 30 ? y - 10 : y + 18);
}

/** The same for the same player, on every screen. */
export function colour(id) {
  let hash = 0;
  for (const char of id) hash = (hash * 31 + char.codePointAt(0)) % 100_003;
  return `hsl(${(hash * 137) % 360} 62% 52%)`;
}

const clamp = (value, least, most) => Math.max(least, Math.min(most, value));

const rest = (value, step) => ((value % step) + step) % step;
