/** Which games and rooms there are, and the ways into them. */

import { byId, element, isolated, refill } from "./dom.js";
import { complain } from "./toasts.js";

/** Milliseconds from one look at the list to the next, while it is looked at. */
const LOOK_EVERY = 5000;

/** Rooms that are listed; the others are found by their game or code. */
const MOST_LISTED = 100;

export class Rooms {
  #game;
  #room;
  #enter;
  #games = new Map();
  /** Called when the games are known. */
  learned = () => {};

  /**
   * @param {import("../netplay.js").Feature} game
   * @param {import("../netplay.js").Room} room - in which one is.
   * @param {(where: object) => Promise<void>} enter - goes where fields of `join` say.
   */
  constructor(game, room, enter) {
    this.#game = game;
    this.#room = room;
    this.#enter = (where) => enter({ ...where, name: byId("player-name").value.trim() || undefined });
    game.on("ready", () => this.#learn());
    room.on("entered", () => {
      const panel = byId("rooms-panel");
      if (panel.open === room.isLobby) this.look();
      else panel.open = room.isLobby; // which is looked at once it opens
      this.#drawGames();
    });
    byId("rooms-panel").addEventListener("toggle", () => this.look());
    setInterval(() => this.look(), LOOK_EVERY);
    byId("create-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#create();
    });
    byId("code-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#enter({ code: byId("code").value });
    });
  }

  /** The teams of a game. */
  teams(game) {
    return this.#games.get(game)?.teams ?? [];
  }

  /** The scores of a game of which there is a leaderboard. */
  scores(game) {
    return this.#games.get(game)?.scores ?? [];
  }

  /** Ask for the rooms, if somebody looks at them. */
  async look() {
    if (!this.#game.ready || byId("game").hidden || !byId("rooms-panel").open) return;
    try {
      const rooms = [];
      for (let after, more = true; more && rooms.length < MOST_LISTED; after = rooms.at(-1)?.room) {
        const page = await this.#game.request({ type: "rooms", after });
        rooms.push(...page.rooms);
        more = page.more && page.rooms.length > 0;
      }
      this.#drawRooms(rooms.filter(({ room }) => room !== this.#room.name).slice(0, MOST_LISTED));
    } catch (error) {
      complain(error);
    }
  }

  async #learn() {
    try {
      const { games } = await this.#game.request({ type: "games" });
      this.#games = new Map(games.map((game) => [game.name, game]));
    } catch (error) {
      complain(error);
      return;
    }
    this.learned();
    this.#drawGames();
    refill(byId("create-game"), [...this.#games.keys()].map((name) => element("option", {}, name)));
    this.look();
  }

  #create() {
    const password = byId("create-password").value || undefined;
    const game = byId("create-game").value;
    this.#enter({ game, create: true, password, private: byId("create-private").checked });
    byId("create-password").value = "";
  }

  #drawGames() {
    const others = [...this.#games.values()].filter(({ name }) => !this.#room.isLobby || name !== this.#room.game);
    refill(byId("games"), others.map(({ name, description, players: [least, most] }) => element("li", { class: "item" },
      element("div", { class: "what" },
        element("p", {}, isolated(name, { class: "name" }), " ",
          element("span", { class: "count" }, `${least} to ${most} players`)),
        element("p", { class: "quiet" }, description)),
      element("button", { "aria-label": `Play ${name}`, onclick: () => this.#enter({ game: name }) }, "Play"))));
  }

  #drawRooms(rooms) {
    byId("rooms-none").hidden = rooms.length > 0;
    refill(byId("game-rooms"), rooms.map((line) => this.#line(line)));
  }

  #line({ room, game, players, max, phase, locked }) {
    const [join, watch] = [() => this.#enter({ room }), () => this.#enter({ room, spectate: true })];
    return element("li", { class: "room" },
      element("button", { class: "item", "aria-label": `Join ${room}`, onclick: join },
        isolated(room, { class: "name" }),
        locked ? element("span", { role: "img", "aria-label": "takes a password" }, "🔒") : "",
        element("span", { class: "count" }, `${game}, ${players}/${max}, ${phase}`)),
      element("button", { class: "plain", "aria-label": `Watch ${room}`, onclick: watch }, "Watch"));
  }
}
