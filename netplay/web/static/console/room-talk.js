/** What is said in a room of games. */

import { append, byId, element, isolated } from "./dom.js";
import { complain } from "./toasts.js";

const MOST_LINES = 100;

export class RoomTalk {
  /**
   * @param {import("../netplay.js").Feature} game
   * @param {import("../netplay.js").Room} room
   */
  constructor(game, room) {
    const log = byId("room-log");
    room.on("entered", () => log.replaceChildren());
    game.on("chat", ({ room: name, user, message }) => {
      if (name !== room.name) return;
      append(log, element("li", {}, isolated(user, { class: "name" }), " ", isolated(message)), MOST_LINES);
      log.scrollTop = log.scrollHeight;
    });
    byId("say-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = byId("say-text").value;
      if (text.trim() === "") return;
      byId("say-text").value = "";
      game.request({ type: "say", text }).catch(complain);
    });
  }
}
