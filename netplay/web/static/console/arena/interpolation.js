/**
 * The other players as they were a little earlier, between two states that have come: entity interpolation.
 *
 * How much earlier follows from how late states come at worst: 100 ms if they come evenly, more if not. Time never
 * jumps for it, it goes a little faster or slower.
 *
 * After Gabriel Gambetta, "Fast-Paced Multiplayer, Part III"
 * (https://www.gabrielgambetta.com/entity-interpolation.html) and Valve, "Source Multiplayer Networking"
 * (https://developer.valvesoftware.com/wiki/Source_Multiplayer_Networking).
 */

/** Milliseconds from what came to what is shown, at least and at most. */
const [LEAST_BEHIND, MOST_BEHIND] = [100, 600];

/** Milliseconds for which a state that came late is remembered. */
const REMEMBERED = 5000;

/** How much faster or slower time goes at most, and in how many milliseconds it would be right again. */
const [HASTE, WITHIN] = [0.25, 400];

/** Milliseconds by which time is simply set: as when the page was not looked at. */
const TOO_FAR = 2000;

/** Ticks without a state after which nothing has changed meanwhile. */
const STILL = 4;

/** Places that are kept of one, at most: two seconds, if nobody asks for them. */
const MOST_KEPT = 40;

/** Units from one state to the next that nobody goes: a new round, for example. */
const ELSEWHERE = 200;

/**
 * The tick that is shown. It follows those that come, and waits at the newest: what did not come in time is shown
 * later, not left out.
 */
export class Playhead {
  #period;
  #came = []; // {at, early}: when states came, in milliseconds, and how much before their time
  #newest = -Infinity;
  #earliest = -Infinity; // how much before its time what came fastest did, in milliseconds
  #behind = 0; // ticks from what came to what is to be shown
  #tick = null;

  /** @param {number} rate - ticks a second. */
  constructor(rate) {
    this.#period = 1000 / rate;
  }

  /** The state of a tick has come, at a time in milliseconds. */
  came(tick, at) {
    const still = tick - this.#newest > STILL;
    this.#came = this.#came.filter((other) => at - other.at < REMEMBERED);
    this.#came.push({ at, early: tick * this.#period - at });
    const early = this.#came.map((one) => one.early);
    this.#earliest = Math.max(...early);
    const late = this.#earliest - Math.min(...early);
    this.#behind = Math.min(MOST_BEHIND, Math.max(LEAST_BEHIND, late + this.#period)) / this.#period;
    this.#newest = Math.max(this.#newest, tick);
    if (still && this.#tick !== null) this.#tick = Math.max(this.#tick, Math.min(tick - 1, this.#wanted(at)));
  }

  /** The tick that the server is at, less the way of what comes fastest. */
  live(now) {
    return (now + this.#earliest) / this.#period;
  }

  /** Let so many milliseconds pass until `now`; the tick that is then shown, or null if there is nothing yet. */
  pass(milliseconds, now) {
    if (this.#came.length === 0) return null;
    const wanted = this.#wanted(now);
    const off = this.#tick === null ? Infinity : (wanted - this.#tick) * this.#period - milliseconds;
    if (Math.abs(off) > TOO_FAR) this.#tick = wanted;
    else this.#tick += (milliseconds / this.#period) * (1 + Math.max(-HASTE, Math.min(HASTE, off / WITHIN)));
    this.#tick = Math.min(this.#tick, this.#newest);
    return this.#tick;
  }

  #wanted(now) {
    return this.live(now) - this.#behind;
  }
}

/** Where each of some was, and when. */
export class Tracks {
  #tracks = new Map(); // id -> [{tick, x, y}]

  /**
   * A state has come.
   *
   * @param {number} tick
   * @param {Map<string, {x: number, y: number}>} places
   */
  take(tick, places) {
    for (const id of this.#tracks.keys()) {
      if (!places.has(id)) this.#tracks.delete(id);
    }
    for (const [id, { x, y }] of places) {
      const track = this.#tracks.get(id);
      const last = track?.at(-1);
      if (last === undefined || tick < last.tick || Math.hypot(x - last.x, y - last.y) > ELSEWHERE) {
        this.#tracks.set(id, [{ tick, x, y }]);
        continue;
      }
      if (tick - last.tick > STILL) track.push({ ...last, tick: tick - 1 });
      track.push({ tick, x, y });
      if (track.length > MOST_KEPT) track.shift();
    }
  }

  /** Where one was at a tick, which may lie between two; earlier ones are forgotten. */
  at(id, tick) {
    const track = this.#tracks.get(id);
    if (track === undefined) return null;
    while (track.length > 1 && track[1].tick <= tick) track.shift();
    const [a, b = a] = track;
    const part = b === a ? 0 : Math.max(0, Math.min(1, (tick - a.tick) / (b.tick - a.tick)));
    return { x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part };
  }
}
