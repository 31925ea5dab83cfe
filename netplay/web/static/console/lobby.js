/** The lobby, and other rooms with its rules: everyone moves as they like and scores what they say. */

import { Controls } from "./controls.js";
import { arrange, byId, element, isolated } from "./dom.js";
import { Field, colour } from "./field.js";

/** Milliseconds from one step to the next while a direction is held: well below what the server lets one send. */
const STEP_EVERY = 60;

/** Milliseconds without a step after which it is said where one is. */
const SETTLED = 700;

/** Rows of the table; whoever has fewer points is on the field only. */
const MOST_ROWS = 100;

export class Lobby {
  #game;
  #room;
  #field = new Field(byId("game-canvas"));
  #controls;
  #stepping = null;
  #rows = new Map();
  #place = null;
  #settling = null;

  /**
   * @param {import("../netplay.js").Feature} game
   * @param {import("../netplay.js").Room} room
   */
  constructor(game, room) {
    this.#game = game;
    this.#room = room;
    const buttons = byId("stage-lobby").querySelectorAll("[data-move]");
    this.#controls = new Controls(byId("game-canvas"), buttons, {
      pressed: () => this.#start(),
      rested: () => this.#rest(),
      stroke: () => this.#score(),
    });
    game.on("away", () => this.#controls.release());
    byId("game-score").addEventListener("click", () => this.#score());
  }

  /** It is played here from now on. */
  open() {
    byId("game-board").hidden = false;
    this.#place = null;
  }

  /** It is no more. */
  close() {
    byId("game-board").hidden = true;
    this.#controls.release();
    clearTimeout(this.#settling);
  }

  #start() {
    this.#step();
    this.#stepping ??= setInterval(() => this.#step(), STEP_EVERY);
  }

  #rest() {
    clearInterval(this.#stepping);
    this.#stepping = null;
  }

  #step() {
    const [dx, dy] = this.#controls.direction;
    if (dx !== 0 || dy !== 0) this.#game.send({ type: "move", dx, dy });
  }

  #score() {
    this.#game.send({ type: "score", points: 1 });
  }

  /** The state of the room is another. */
  changed() {
    const own = this.#room.you;
    const players = [...this.#room.entities].map(([id, { x, y, score }]) => ({ id, x, y, score, you: id === own }));
    this.#field.show(players);
    players.sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
    const shown = players.slice(0, MOST_ROWS);
    for (const id of this.#rows.keys()) {
      if (!this.#room.entities.has(id)) this.#rows.delete(id);
    }
    arrange(byId("game-players"), shown.map((player) => this.#row(player)));
    byId("game-count").textContent = String(players.length);
    const you = players.find(({ you }) => you);
    if (you) this.#moved(`${you.x}, ${you.y}`);
  }

  #row({ id, x, y, score, you }) {
    if (!this.#rows.has(id)) this.#rows.set(id, playerRow(id, you));
    const row = this.#rows.get(id);
    row.cells[1].textContent = String(score);
    row.cells[2].textContent = `${x}, ${y}`;
    return row;
  }

  /** Say where one is, not each step but where it ends. */
  #moved(place) {
    if (place === this.#place) return;
    this.#place = place;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => (byId("game-where").textContent = `You are at ${place}`), SETTLED);
  }
}

function playerRow(id, you) {
  const dot = element("span", { class: "dot", "aria-hidden": "true" });
  dot.style.background = colour(id);
  const name = element("th", { scope: "row" }, dot, " ", isolated(id));
  if (you) name.append(element("span", { class: "quiet" }, " you"));
  return element("tr", {}, name, element("td", { class: "number" }), element("td", { class: "number" }));
}
