/** Who has said that: messages that have all of some words, the newest first. */

import { byId, element, isolated } from "./dom.js";
import { Paged } from "./paged.js";

const when = new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "short" });

export class Search {
  #chat;
  #go;
  #found = new Paged(byId("search-found"), byId("search-more"),
    () => element("li", { class: "quiet" }, "Nobody has said that."));

  /**
   * @param {import("../netplay.js").Feature} chat
   * @param {() => string | null} here - the room that is looked at, null if it is none.
   * @param {(room: string) => void} go - to a room.
   */
  constructor(chat, here, go) {
    this.#chat = chat;
    this.#go = go;
    byId("talk-search").addEventListener("click", () => {
      byId("search-here").checked &&= here() !== null;
      byId("search-here").disabled = here() === null;
      byId("search").showModal();
      byId("search-text").focus();
    });
    byId("search-close").addEventListener("click", () => byId("search").close());
    byId("search-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = byId("search-text").value.trim();
      const room = byId("search-here").checked ? here() : undefined;
      if (text !== "") this.#show(text, room);
    });
  }

  #show(text, room) {
    const ask = async (last) => {
      const { messages, more } = await this.#chat.request({ type: "search", text, room, before: last?.id });
      return { found: messages, more };
    };
    this.#found.show(ask, (message) => this.#line(message));
  }

  #line({ room, user, message, at }) {
    const go = () => {
      byId("search").close();
      this.#go(room);
    };
    return element("li", {}, element("button", { class: "item found", onclick: go },
      element("span", { class: "who" }, isolated(user, { class: "name" }), ` in #${room}, `,
        element("time", { datetime: new Date(at).toISOString() }, when.format(at))),
      element("span", { class: "text", dir: "auto" }, message)));
  }
}
