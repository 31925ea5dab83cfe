/** Keeping order in chat: what can be done about a message or a person, by anybody and by those who may. */

import { byId } from "./dom.js";
import { complain, toast } from "./toasts.js";

export class Order {
  #chat;
  #roles = new Set();
  #about = null; // what the dialog is about: {room, user}, and {seq, text} of a message

  /** @param {import("../netplay.js").Feature} chat */
  constructor(chat) {
    this.#chat = chat;
    chat.on("logged_in", ({ roles }) => (this.#roles = new Set(roles)));
    const act = (id, done, request) => byId(id).addEventListener("click", () => this.#ask(done, request));
    act("order-report", "It is reported.", ({ room, seq }) => ({ type: "report", room, seq, reason: reason() }));
    act("order-delete", "It is deleted.", ({ room, seq }) => ({ type: "delete", room, seq }));
    act("order-mute", "They are muted.",
      (about) => ({ type: "mute", ...whom(about), seconds: seconds(), reason: reason() }));
    act("order-kick", "They are put out.", (about) => ({ type: "kick", ...whom(about), reason: reason() }));
    act("order-ban", "They are banned.",
      (about) => ({ type: "ban", ...whom(about), seconds: seconds(), reason: reason() }));
    byId("order-cancel").addEventListener("click", () => byId("order").close());
  }

  get operator() {
    return this.#roles.has("operator");
  }

  /**
   * Whether one keeps order in a room.
   *
   * @param {string} room
   * @param {string} [owner] - whose it is.
   */
  keeps(room, owner) {
    const { name, guest } = this.#chat.you ?? { guest: true };
    return !guest && (owner === name || ["operator", "moderator", `moderator:${room}`].some((it) => this.#roles.has(it)));
  }

  /**
   * Ask what is to be done about a message, or about a person.
   *
   * @param {{room: string, user: string, seq?: number, text?: string}} about
   * @param {boolean} keeps - whether one keeps order there.
   */
  about(about, keeps) {
    this.#about = about;
    const isMessage = about.seq !== undefined;
    byId("order-what").textContent = isMessage ? `${about.user}: ${about.text}` : about.user;
    byId("order-report").hidden = byId("order-delete").hidden = !isMessage;
    byId("order-keep").hidden = !keeps;
    byId("order-reason").value = "";
    byId("order-everywhere").checked = false;
    byId("order-where").hidden = !this.operator;
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

const whom = ({ room, user }) => ({ user, room: byId("order-everywhere").checked ? undefined : room });

const reason = () => byId("order-reason").value.trim();

/** For how long, undefined for good. */
const seconds = () => Number(byId("order-seconds").value) || undefined;
