/**
 * The own player where it will be, before the server says so: client-side prediction and server reconciliation.
 *
 * What is held is sampled once a tick, told to the server when it has changed, and taken to be in effect at once. Each
 * input has a number; a state of the server says which one was in effect, and the ticks since then are played again on
 * top of it. What then differs from what was shown is not shown as a jump but fades.
 *
 * The server holds an input until the next one, from whichever tick it comes in time for. So the first state that
 * acknowledges one also says which tick of the server is which tick here.
 *
 * After Gabriel Gambetta, "Fast-Paced Multiplayer, Part II"
 * (https://www.gabrielgambetta.com/client-side-prediction-server-reconciliation.html) and Valve, "Source Multiplayer
 * Networking" (https://developer.valvesoftware.com/wiki/Source_Multiplayer_Networking).
 */

import { advance } from "./physics.js";

/** Ticks that are played on top of a state, at most: with an answer that takes longer than 3 s it waits there. */
const MOST_AHEAD = 60;

/** Inputs that wait to be acknowledged, at most. */
const MOST_INPUTS = 64;

/** Milliseconds in which what was wrong fades to a third. */
const FADES_IN = 120;

/** Units; what is further away was no mistake: a new round, for example. */
const ELSEWHERE = 200;

/**
 * What is held from a tick on.
 *
 * @typedef {{seq: number, tick: number, right: number, down: number}} Input
 */

export class Prediction {
  #terrain;
  #tick = 0;
  #seq = 0;
  #inputs = []; // the one in effect in the newest state, and all after it
  #acknowledged = null; // the number of that one
  #shift = 0; // from a tick here to the same tick of the server, once one is acknowledged
  #last = null; // the newest state: {tick, body}
  #body = null; // as it will be at the tick that is now
  #before = null; // and was a tick ago
  #wrong = { x: 0, y: 0 }; // what is shown too far aside, and fades

  /** @param {import("./physics.js").Terrain} terrain */
  constructor(terrain) {
    this.#terrain = terrain;
  }

  /** The server knows of nothing that is held, as when a round starts: it is told at the next tick. */
  begin() {
    this.#inputs = [];
    this.#acknowledged = null;
  }

  /**
   * A tick is over.
   *
   * @param {number} right - what is held, each -1, 0 or 1; as is `down`.
   * @returns {Input | null} what is to be told the server, if it is something new.
   */
  step(right, down) {
    if (this.#body === null) return null;
    this.#tick += 1;
    this.#before = this.#body;
    this.#body = { ...this.#body };
    advance(this.#body, this.#terrain, right, down);
    const held = this.#inputs.at(-1);
    if (held?.right === right && held.down === down) return null;
    this.#seq += 1;
    const input = { seq: this.#seq, tick: this.#tick, right, down };
    this.#inputs.push(input);
    if (this.#inputs.length > MOST_INPUTS) this.#inputs.splice(1, 1);
    return input;
  }

  /**
   * The server has said where the player is.
   *
   * @param {number} tick - the server's.
   * @param {number | undefined} ack - the number of the input that was in effect.
   * @param {import("./physics.js").Body} body
   */
  acknowledge(tick, ack, { x, y, vx, vy, power }) {
    const at = this.#inputs.findIndex(({ seq }) => seq === ack);
    if (at >= 0) {
      this.#inputs.splice(0, at);
      if (this.#acknowledged !== ack) this.#shift = tick - this.#inputs[0].tick;
      this.#acknowledged = ack;
    }
    this.#last = { tick, body: { x, y, vx, vy, power } };
    this.#replay();
  }

  /** From the newest state to the tick that is now. */
  #replay() {
    const shown = this.at(1);
    const unknown = this.#inputs[this.#acknowledged === null ? 0 : 1]; // to the server, when it sent that
    let from = this.#acknowledged === null ? this.#tick : this.#last.tick - this.#shift;
    if (unknown !== undefined) from = Math.min(from, unknown.tick - 1);
    from = Math.max(from, this.#tick - MOST_AHEAD);
    const body = { ...this.#last.body };
    this.#before = { ...body };
    let held = -1;
    for (let tick = from + 1; tick <= this.#tick; tick += 1) {
      while (this.#inputs[held + 1]?.tick <= tick) held += 1;
      this.#before = { ...body };
      advance(body, this.#terrain, this.#inputs[held]?.right ?? 0, this.#inputs[held]?.down ?? 0);
    }
    this.#body = body;
    if (shown === null) return;
    const [x, y] = [shown.x - body.x, shown.y - body.y];
    this.#wrong = Math.hypot(x, y) < ELSEWHERE ? { x, y } : { x: 0, y: 0 };
  }

  /** Some time passes, in milliseconds: what is shown comes closer to what is. */
  fade(milliseconds) {
    const left = Math.exp(-milliseconds / FADES_IN);
    this.#wrong.x *= left;
    this.#wrong.y *= left;
  }

  /**
   * Where the player is to be drawn.
   *
   * @param {number} part - of the way from the tick before to the one that is now.
   * @returns {{x: number, y: number} | null} null before the first state.
   */
  at(part) {
    if (this.#body === null) return null;
    const [a, b, wrong] = [this.#before, this.#body, this.#wrong];
    return { x: a.x + (b.x - a.x) * part + wrong.x, y: a.y + (b.y - a.y) * part + wrong.y };
  }
}
