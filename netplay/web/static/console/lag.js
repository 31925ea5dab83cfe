/**
 * A slow network in the page: whatever goes over its connection arrives later, each way.
 *
 * Nothing is ever missing, since WebSockets run over TCP. What is lost is sent again after a timeout, and all that
 * follows waits for it.
 */

/** Milliseconds after which Linux sends again what was not acknowledged, at least (`TCP_RTO_MIN`). */
const LEAST_TIMEOUT = 200;

export class Lag {
  /** Milliseconds that each message takes, each way, and up to how many more. */
  delay = 0;
  jitter = 0;
  /** Which share of messages is lost, from 0 to 1. */
  loss = 0;
  #ways = { in: new Way(), out: new Way() };

  /**
   * Carry a message, as `connect({ transit })` wants it.
   *
   * @param {"in" | "out"} way
   * @param {() => void} deliver
   */
  transit(way, deliver) {
    let takes = this.delay + Math.random() * this.jitter;
    if (Math.random() < this.loss) takes += Math.max(LEAST_TIMEOUT, 2 * this.delay + this.jitter);
    this.#ways[way].carry(takes, deliver);
  }
}

/** One direction, in order. */
class Way {
  #under = []; // way: {due, deliver}
  #timer = null;

  carry(takes, deliver) {
    const last = this.#under.at(-1)?.due ?? 0;
    if (takes === 0 && this.#under.length === 0) deliver();
    else this.#under.push({ due: Math.max(last, performance.now() + takes), deliver });
    this.#wait();
  }

  #wait() {
    if (this.#under.length === 0) return;
    this.#timer ??= setTimeout(() => this.#arrive(), this.#under[0].due - performance.now());
  }

  #arrive() {
    this.#timer = null;
    const now = performance.now();
    while (this.#under.length > 0 && this.#under[0].due <= now) this.#under.shift().deliver();
    this.#wait();
  }
}
