/** How a room is: what it is about, and who may come and speak, for those who keep order there. */

import { byId } from "./dom.js";
import { complain } from "./toasts.js";

export class RoomSettings {
  #chat;
  #room = null; // as `rooms` lists it

  /** @param {import("../netplay.js").Feature} chat */
  constructor(chat) {
    this.#chat = chat;
    byId("settings-cancel").addEventListener("click", () => byId("settings").close());
    byId("settings-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
  }

  /** @param {{room: string, topic: string, slow?: number, locked?: boolean, read_only?: boolean}} room */
  open(room) {
    this.#room = room;
    byId("settings-topic").value = room.topic;
    byId("settings-slow").value = room.slow ?? 0;
    byId("settings-locked").checked = room.locked ?? false;
    byId("settings-read-only").checked = room.read_only ?? false;
    byId("settings").showModal();
  }

  /** Ask for what is to be another, and for nothing else. */
  async #save() {
    const { room, topic, slow = 0, locked = false, read_only: readOnly = false } = this.#room;
    const wanted = {
      topic: byId("settings-topic").value.trim(),
      seconds: byId("settings-slow").valueAsNumber || 0,
      locked: byId("settings-locked").checked,
      readOnly: byId("settings-read-only").checked,
    };
    const requests = [];
    if (wanted.topic !== topic) requests.push({ type: "set_topic", room, topic: wanted.topic });
    if (wanted.seconds !== slow) requests.push({ type: "slow_mode", room, seconds: wanted.seconds });
    if (wanted.locked !== locked) requests.push({ type: "lock_room", room, locked: wanted.locked });
    if (wanted.readOnly !== readOnly) requests.push({ type: "read_only", room, read_only: wanted.readOnly });
    try {
      await Promise.all(requests.map((request) => this.#chat.request(request)));
      byId("settings").close();
    } catch (error) {
      complain(error);
    }
  }
}
