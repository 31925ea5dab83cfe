/** How a room is: what it is about, and who may come and speak, for those who keep order there. */

import { byId } from "./dom.js";
import { complain } from "./toasts.js";

/** What one asks for to change a setting. */
const CHANGES = [
  { setting: "topic", type: "set_topic" },
  { setting: "slow", type: "slow_mode", as: "seconds" },
  { setting: "locked", type: "lock_room" },
  { setting: "read_only", type: "read_only" },
];

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
    this.#room = { slow: 0, locked: false, read_only: false, ...room };
    byId("settings-topic").value = this.#room.topic;
    byId("settings-slow").value = this.#room.slow;
    byId("settings-locked").checked = this.#room.locked;
    byId("settings-read-only").checked = this.#room.read_only;
    byId("settings").showModal();
  }

  /** Ask for what is to be another, and for nothing else. */
  async #save() {
    const room = this.#room;
    const wanted = {
      topic: byId("settings-topic").value.trim(),
      slow: byId("settings-slow").valueAsNumber || 0,
      locked: byId("settings-locked").checked,
      read_only: byId("settings-read-only").checked,
    };
    const change = async ({ setting, type, as = setting }) => {
      await this.#chat.request({ type, room: room.room, [as]: wanted[setting] });
      room[setting] = wanted[setting]; // should another one be refused, and this be taken back
    };
    try {
      await Promise.all(CHANGES.filter(({ setting }) => wanted[setting] !== room[setting]).map(change));
      byId("settings").close();
    } catch (error) {
      complain(error);
    }
  }
}
