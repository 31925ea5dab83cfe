/** Keeping order in chat: what can be done about a message, by anybody and by those who may. */

import { byId } from "./dom.js";
import { complain, toast } from "./toasts.js";

const MUTED_FOR = 600; // seconds

export class Order {
  #chat;
  #about = null; // the message that the dialog is about

  /** @param {import("../netplay.js").Feature} chat */
  constructor(chat) {
    this.#chat = chat;
    const act = (id, done, request) => byId(id).addEventListener("click", () => this.#ask(done, request));
    act("order-report", "It is reported.", ({ room, seq }) => ({ type: "report", room, seq }));
    act("order-delete", "It is deleted.", ({ room, seq }) => ({ type: "delete", room, seq }));
    act("order-mute", "They are muted here for ten minutes.",
      ({ room, user }) => ({ type: "mute", room, user, seconds: MUTED_FOR }));
    act("order-kick", "They are put out.", ({ room, user }) => ({ type: "kick", room, user }));
    act("order-ban", "They are banned from this room.", ({ room, user }) => ({ type: "ban", room, user }));
  }

  /**
   * Ask what is to be done about a message.
   *
   * @param {{room: string, seq: number, user: string, text: string}} message
   */
  about(message) {
    this.#about = message;
    byId("order-what").textContent = `${message.user}: ${message.text}`;
    byId("order-keep").hidden = this.#chat.you.guest;
    byId("order").showModal();
  }

  async #ask(done, request) {
    byId("order").close();
    try {
      await this.#chat.request(request(this.#about));
      toast(done);
    } catch (error) {
      complain(error);
    }
  }
}
