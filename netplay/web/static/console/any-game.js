/** A game that the console knows nothing about: a table and a plot of what there is to see, a form for each message. */

import { arrange, byId, element, isolated, prepend, write } from "./dom.js";
import { Plot } from "./plot.js";
import { complain } from "./toasts.js";

/** Milliseconds from one table to the next, at least. */
const TABLE_EVERY = 200;

/** Rows of the table, and lines of what happened. */
const [MOST_ROWS, MOST_LINES] = [100, 50];

/** Characters of a value in the table. */
const LONGEST = 60;

/** What can be sent in every room, for which there are buttons. */
const EVERYWHERE = new Set([
  "games", "rooms", "join", "queue", "leave", "ready", "start", "team", "say", "sync", "ping", "help", "options",
  "resume", "login",
]);

export class AnyGame {
  #game;
  #room;
  #plot = new Plot(byId("any-plot"));
  #rows = new Map();
  #table = null; // the timer of the next one

  /**
   * @param {import("../netplay.js").Feature} game
   * @param {import("../netplay.js").Room} room
   */
  constructor(game, room) {
    this.#game = game;
    this.#room = room;
    game.on("event", ({ type, room: name, tick, event, ...fields }) => {
      if (name === room.name) this.#happened(`${event} ${JSON.stringify(fields)}`);
    });
    game.on("over", ({ room: name, result }) => {
      if (name === room.name) this.#happened(`over ${JSON.stringify(result)}`);
    });
  }

  /** It is played here from now on. */
  async open() {
    this.#rows.clear();
    this.#plot.clear();
    byId("any-events").replaceChildren();
    byId("any-acts").replaceChildren();
    const { name } = this.#room;
    try {
      const { types } = await this.#game.request({ type: "help" });
      if (name !== this.#room.name) return; // somewhere else by now
      const own = Object.entries(types).filter(([type]) => !EVERYWHERE.has(type));
      byId("any-acts").replaceChildren(...own.map(([type, about]) => this.#form(type, about)));
    } catch (error) {
      complain(error);
    }
  }

  /** It is no more. */
  close() {
    clearTimeout(this.#table);
    this.#table = null;
  }

  /** The state of the room is another. */
  changed() {
    this.#plot.show(this.#room.entities, this.#room.you);
    this.#table ??= setTimeout(() => this.#draw(), TABLE_EVERY);
  }

  // What there is to see

  #draw() {
    this.#table = null;
    const entities = this.#room.entities;
    for (const id of this.#rows.keys()) {
      if (!entities.has(id)) this.#rows.delete(id);
    }
    arrange(byId("any-entities"), [...entities].slice(0, MOST_ROWS).map(([id, entity]) => this.#row(id, entity)));
  }

  #row(id, { kind, owner = id, ...fields }) {
    if (!this.#rows.has(id)) {
      const name = element("th", { scope: "row" }, isolated(id));
      if (id === this.#room.you) name.append(element("span", { class: "quiet" }, " you"));
      this.#rows.set(id, element("tr", {}, name, element("td"), element("td"), element("td", { class: "fields" })));
    }
    const row = this.#rows.get(id);
    const players = this.#room.roster?.players ?? {};
    const texts = [kind ?? "", players[owner]?.name ?? "", written(fields)];
    texts.forEach((text, at) => write(row.cells[at + 1], text));
    return row;
  }

  #happened(text) {
    prepend(byId("any-events"), element("li", {}, text), MOST_LINES);
  }

  // What can be done

  #form(name, { what, fields, example }) {
    const own = Object.entries(fields).filter(([field]) => field !== "ref?" && field !== "seq?");
    const inputs = own.map(([field, holds]) => {
      const input = element("input", { name: field.replace("?", ""), autocomplete: "off", title: holds });
      input.value = shown(example[input.name]);
      return element("label", {}, element("span", {}, field.replace("?", ", optional")), input);
    });
    const send = (event) => {
      event.preventDefault();
      const { type = name, do: act } = example;
      const message = act === undefined ? { type } : { type, do: act };
      for (const [field, text] of new FormData(event.target)) {
        if (text !== "") message[field] = meant(text, fields[field] ?? fields[`${field}?`]);
      }
      this.#game.request(message).catch(complain);
    };
    return element("form", { onsubmit: send, "aria-label": name },
      element("p", { class: "quiet" }, what),
      element("div", { class: "row" }, ...inputs, element("button", { "aria-label": `Send ${name}` }, name)));
  }
}

/** The fields of an entity. */
function written(fields) {
  return Object.entries(fields).map(([name, value]) => `${name} ${clipped(JSON.stringify(value))}`).join(", ");
}

const clipped = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

/** A value as one would type it. */
const shown = (value) => (value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value));

/** What somebody has typed into a field that holds this: JSON, unless it is to be a text. */
function meant(text, holds) {
  try {
    const value = JSON.parse(text);
    return /^(string|')/.test(holds) && typeof value !== "string" ? text : value;
  } catch {
    return text;
  }
}
