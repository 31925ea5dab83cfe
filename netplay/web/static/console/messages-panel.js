/** All messages as they go over the wire, both ways; those that were sent can be copied to be sent from elsewhere. */

import { byId, element, prepend, press } from "./dom.js";
import * as snippets from "./snippets.js";
import { copy } from "./toasts.js";

const MOST_LINES = 200;

/** What comes all the time by itself. */
const STEADY = new Set(["ping", "pong", "state", "delta", "price_update", "move", "input"]);

/** Characters of a message in its line. */
const PREVIEW = 160;

const clock = new Intl.DateTimeFormat([], {
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
});

export class MessagesPanel {
  #held = false;
  #chosen = null; // {message, sent, button}
  #as = "json";

  /** @param {import("../netplay.js").Connection} net */
  constructor(net) {
    net.on("sent", ({ message, bytes }) => this.#add(message, bytes, true));
    net.on("received", ({ message, bytes }) => this.#add(message, bytes, false));
    byId("wire-hold").addEventListener("click", ({ target }) => {
      this.#held = !this.#held;
      press(target, this.#held);
    });
    byId("wire-clear").addEventListener("click", () => byId("wire-log").replaceChildren());
    byId("wire-copy").addEventListener("click", () => this.#copy());
    for (const button of document.querySelectorAll("[data-as]")) {
      button.addEventListener("click", () => this.#show(button.dataset.as));
    }
  }

  #add(message, bytes, sent) {
    if (this.#held || (STEADY.has(message.type) && !byId("wire-steady").checked)) return;
    const { feature = "", type = "greeting please", ...fields } = message;
    const preview = snippets.ascii(JSON.stringify(fields)).slice(0, PREVIEW);
    const button = element("button",
      { class: sent ? "line sent" : "line", onclick: () => this.#choose({ message, sent, button }) },
      element("span", { class: "way", "aria-hidden": "true" }, sent ? "↑" : "↓"),
      element("span", { class: "hidden" }, sent ? "sent" : "received"),
      element("time", {}, clock.format(Date.now())),
      element("span", { class: "quiet" }, feature),
      element("strong", {}, type),
      element("span", { class: "preview" }, preview),
      element("span", { class: "quiet bytes" }, `${bytes} B`));
    prepend(byId("wire-log"), element("li", {}, button), MOST_LINES);
  }

  #choose(chosen) {
    this.#chosen?.button.removeAttribute("aria-current");
    this.#chosen = chosen;
    chosen.button.setAttribute("aria-current", "true");
    byId("wire-none").hidden = true;
    byId("wire-chosen").hidden = false;
    const sendable = chosen.sent && chosen.message.type !== undefined;
    for (const button of document.querySelectorAll("[data-as]")) {
      button.disabled = !sendable && button.dataset.as !== "json";
    }
    this.#show(sendable ? this.#as : "json");
  }

  #show(as) {
    this.#as = as;
    for (const button of document.querySelectorAll("[data-as]")) press(button, button.dataset.as === as);
    const { message } = this.#chosen;
    const host = location.hostname;
    byId("wire-text").textContent = {
      json: () => snippets.json(message),
      nc: () => snippets.nc(message, host),
      python: () => snippets.python(message, location.origin),
      javascript: () => snippets.javascript(message, location.origin),
    }[as]();
  }

  #copy() {
    const shown = byId("wire-text");
    getSelection().selectAllChildren(shown);
    copy(shown.textContent, "Copied.", "Selected; copy it with Ctrl+C.");
  }
}
