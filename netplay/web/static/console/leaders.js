/** Who is best in the game of the room that one is in, today and of all time. */

import { byId, element, isolated, press, refill } from "./dom.js";
import { complain } from "./toasts.js";

const MOST = 20;

const PERIODS = ["day", "all"];

export class Leaders {
  #game;
  #room;
  #period = PERIODS[0];

  /**
   * @param {import("../netplay.js").Feature} game
   * @param {import("../netplay.js").Room} room - in which one is.
   * @param {import("./rooms.js").Rooms} rooms - knows the games.
   */
  constructor(game, room, rooms) {
    this.#game = game;
    this.#room = room;
    const look = () => {
      byId("leaders").hidden = rooms.scores(room.game).length === 0;
      this.#look();
    };
    room.on("entered", look);
    rooms.learned = look;
    game.on("over", () => this.#look());
    byId("leaders").addEventListener("toggle", () => this.#look());
    for (const period of PERIODS) {
      byId(`leaders-${period}`).addEventListener("click", () => {
        this.#period = period;
        this.#look();
      });
    }
  }

  async #look() {
    for (const period of PERIODS) press(byId(`leaders-${period}`), period === this.#period);
    if (byId("leaders").hidden || !byId("leaders").open) return;
    const asked = { type: "leaderboard", game: this.#room.game, period: this.#period, limit: MOST };
    try {
      const { score, scores } = await this.#game.request(asked);
      byId("leaders-score").textContent = score;
      refill(byId("leaders-list"), scores.map(({ player, value }) => element("li", { class: "item" },
        isolated(player, { class: "name" }), element("span", { class: "count" }, String(value)))));
      byId("leaders-none").hidden = scores.length > 0;
    } catch (error) {
      complain(error);
    }
  }
}
