/**
 * Reads nothing for ten seconds, and tells what the server made of that.
 *
 * Between a server and a page that does not read are buffers, the kernels' and the browser's, which take some hundred
 * kilobytes before anyone notices; prices alone would need minutes to fill them. So the page asks for more: it sends
 * itself long direct messages, which nobody else gets. The server answers until its own bound, stops reading from this
 * page, and keeps of each price the newest only.
 */

import { byId } from "./dom.js";
import { complain } from "./toasts.js";

const SECONDS = 10;

/** Of the rate that the server allows: the rest is for whoever looks at the page. */
const SHARE = 0.8;

/** Messages a second, where the server allows more. */
const MOST_RATE = 100;

/** Bytes of a direct message around its text, at most. */
const ENVELOPE = 256;

/** Characters of a direct message, at most. */
const LONGEST = 4000;

/** Unlike letters, these do not become small when the connection compresses: 20,992 of three bytes each. */
const [FIRST_IDEOGRAPH, IDEOGRAPHS] = [0x4e00, 0x5200];

/** Milliseconds after it reads on within which what was kept is expected. */
const CATCH_UP = 3000;

export class SlowReader {
  #net;
  #merged = 0;
  #prices = 0;
  #most = 0;

  /** @param {import("../netplay.js").Connection} net */
  constructor(net) {
    this.#net = net;
    const button = byId("slow-button");
    button.disabled = !net.canPause;
    if (!net.canPause) {
      byId("slow-text").textContent = "This browser cannot stop reading a WebSocket; Chromium and its kin can.";
    }
    button.addEventListener("click", () => this.#run().catch(complain).finally(() => (button.disabled = false)));
    net.on("received", ({ message }) => {
      if (message.type === "price_update") {
        this.#prices += 1;
        this.#merged += message.merged ?? 0;
      }
    });
  }

  async #run() {
    const net = this.#net;
    byId("slow-button").disabled = true;
    const chat = net.feature("chat");
    const ticker = net.feature("ticker");
    this.#say("Getting ready");
    await Promise.all([chat.request({ type: "ping" }), ticker.request({ type: "subscribe", symbols: ["*"] })]);
    this.#merged = this.#prices = this.#most = 0;
    net.pause();
    const asked = await this.#fill(chat);
    net.resume();
    this.#say("Reading on");
    await Promise.race([Promise.allSettled(asked), sleep(CATCH_UP)]);
    await sleep(CATCH_UP);
    this.#say(this.#told());
  }

  /** Ask for answers as fast as one may, until the time is over; what they will be. */
  async #fill(chat) {
    const asked = [];
    const began = performance.now();
    const longest = Math.min(LONGEST, Math.floor((chat.limits.max_message - ENVELOPE) / 3));
    const rate = Math.min(chat.limits.rate || MOST_RATE, MOST_RATE) * SHARE;
    for (;;) {
      const passed = (performance.now() - began) / 1000;
      if (passed >= SECONDS || !chat.ready) return asked;
      while (asked.length < rate * (1 + passed)) {
        asked.push(chat.request({ type: "direct", to: chat.you.id, text: incompressible(longest) }).catch(() => {}));
      }
      this.#say(`Reads nothing for ${Math.ceil(SECONDS - passed)} s more`);
      await Promise.all([sleep(250), this.#look()]);
    }
  }

  /** How much waits on the server for its slowest reader, where it tells. */
  async #look() {
    const answer = await fetch("metrics").catch(() => null);
    const found = answer?.ok && /^netplay_backlog_max_bytes (\S+)$/m.exec(await answer.text());
    if (found) this.#most = Math.max(this.#most, Number(found[1]));
  }

  #told() {
    const most = Math.ceil(this.#most / 1024);
    const bound = most > 0 ? `, and at most ${most} KiB ever waited for its slowest reader` : "";
    if (this.#merged === 0) return `The buffers between took it all: no price was left out${bound}.`;
    return `The server left out ${this.#merged} prices that newer ones had replaced${bound}.`;
  }

  #say(text) {
    byId("slow-text").textContent = text;
  }
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function incompressible(length) {
  const random = crypto.getRandomValues(new Uint16Array(length));
  return String.fromCharCode(...random.map((n) => FIRST_IDEOGRAPH + (n % IDEOGRAPHS)));
}
