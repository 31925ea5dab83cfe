/** The lobby: everyone moves as they like and scores what they say. */

import { Controls } from "./controls.js";
import { arrange, byId, element, isolated } from "./dom.js";
import { Field, colour } from "./field.js";

/** Milliseconds without a step after which it is said where one is. */
const SETTLED = 700;

/** Rows of the table; whoever has fewer points is on the field only. */
const MOST_ROWS = 100;

export class Game {
  #game;
  #field = new Field(byId("game-canvas"));
  #rows = new Map();
  #place = null;
  #settling = null;

  /** @param {import("../netplay.js").Feature} game */
  constructor(game) {
    this.#game = game;
    game.on("state", (state) => this.#show(state));
    const controls = new Controls(
      byId("game-canvas"),
      document.querySelectorAll("[data-move]"),
      (dx, dy) => game.send({ type: "move", dx, dy }),
      () => this.#score(),
    );
    game.on("away", () => controls.release());
    byId("game-score").addEventListener("click", () => this.#score());
  }

  #score() {
    this.#game.send({ type: "score", points: 1 });
  }

  #show({ positions, scores }) {
    const own = this.#game.you?.id;
    const players = Object.entries(positions).map(([id, { x, y }]) => ({ id, x, y, you: id === own }));
    this.#field.show(players);
    byId("game-count").textContent = String(players.length);
    players.sort((a, b) => scores[b.id] - scores[a.id] || (a.id < b.id ? -1 : 1));
    const shown = players.slice(0, MOST_ROWS);
    for (const id of this.#rows.keys()) {
      if (!(id in positions)) this.#rows.delete(id);
    }
    arrange(byId("game-players"), shown.map((player) => this.#row(player, scores[player.id])));
    const you = players.find(({ you }) => you);
    if (you) this.#moved(`${you.x}, ${you.y}`);
  }

  #row({ id, x, y, you }, score) {
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
