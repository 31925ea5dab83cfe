/** The status bar: whether there is a connection, how fast it answers, and what goes over it. */

import { byId } from "./dom.js";

const SECOND = 1000;

/** What the reason of an end means for whoever looks at the page. */
const REASONS = {
  replaced: "This session goes on in another window",
  slow_consumer: "This page read too slowly",
  idle_timeout: "Nothing was said for a long time",
  server_full: "The server is full",
  shutting_down: "The server is going down",
};

/** The same, where the server has something to say on it. */
const WORDS = {
  kicked: ({ message }) => `You were removed: ${message}`,
  banned: ({ message }) => `You are banned: ${message}`,
};

export class Status {
  #net;
  #in = 0;
  #out = 0;
  #countdown = null;

  /** @param {import("../netplay.js").Connection} net */
  constructor(net) {
    this.#net = net;
    net.on("open", () => this.#show("open", "Connected"));
    net.on("away", ({ error, delay }) => this.#away(error, delay));
    net.on("end", ({ error }) => this.#end(error));
    net.on("round_trip", ({ seconds }) => {
      byId("status-trip").textContent = `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)} ms`;
    });
    net.on("received", () => (this.#in += 1));
    net.on("sent", () => (this.#out += 1));
    byId("status-now").addEventListener("click", () => {
      this.#show("connecting", "Connecting");
      net.reconnect();
    });
    setInterval(() => this.#rates(), SECOND);
  }

  #show(state, text) {
    clearInterval(this.#countdown);
    byId("status-dot").dataset.state = state;
    byId("status-text").textContent = text;
    byId("status-now").hidden = state === "open" || state === "connecting";
    if (state !== "open") byId("status-trip").textContent = "–";
  }

  #away(error, delay) {
    const reason = REASONS[error?.code] ?? "The connection was lost";
    this.#show("away", `${reason}. Coming back in ${Math.ceil(delay)} s`);
    this.#countdown = setInterval(() => {
      if (this.#net.state === "connecting") this.#show("connecting", "Connecting");
    }, SECOND / 4);
  }

  #end(error) {
    this.#show("ended", REASONS[error?.code] ?? WORDS[error?.code]?.(error) ?? error?.message ?? "Disconnected");
  }

  #rates() {
    byId("status-in").textContent = `${this.#in}/s`;
    byId("status-out").textContent = `${this.#out}/s`;
    this.#in = this.#out = 0;
  }
}
