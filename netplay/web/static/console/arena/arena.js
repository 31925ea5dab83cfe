/** The arena, played: what is held goes to the server, and all is drawn as smoothly as the network allows. */

import { Controls } from "../controls.js";
import { byId, write } from "../dom.js";
import { Drawing, POWERS } from "./drawing.js";
import { Playhead, Tracks } from "./interpolation.js";
import { RATE, Terrain } from "./physics.js";
import { Prediction } from "./prediction.js";

const TICK = 1000 / RATE; // milliseconds

/** Milliseconds that pass at once, at most: when the page was not looked at, it was not played. */
const LONGEST = 500;

const FEELS = { speed: "You are fast", strength: "You are strong: run into the others", magic: "Nobody stops you" };

export class Arena {
  #game;
  #room;
  #drawing = new Drawing(byId("arena-canvas"));
  #controls;
  #tapped = [0, 0]; // a direction that was held for less than a tick counts for one
  #frame = null;
  #drawn = 0; // when, in milliseconds
  #due = 0; // milliseconds since the last tick here
  #rows = null;
  #terrain = null;
  #prediction = null;
  #playhead = null;
  #tracks = null;
  #playing = false;
  #ends = 0;
  #power = null;

  /**
   * @param {import("../../netplay.js").Feature} game
   * @param {import("../../netplay.js").Room} room
   */
  constructor(game, room) {
    this.#game = game;
    this.#room = room;
    const buttons = byId("stage-arena").querySelectorAll("[data-move]");
    this.#controls = new Controls(byId("arena-canvas"), buttons, {
      pressed: () => (this.#tapped = this.#controls.direction),
      middle: () => this.#drawing.pixels(this.#prediction?.at(1) ?? this.#drawing.middle),
    });
    game.on("ready", () => this.#prediction?.begin());
    game.on("away", () => this.#controls.release());
    game.on("event", (event) => event.event === "hit" && event.room === room.name && this.#hit(event));
  }

  /** It is played here from now on. */
  open() {
    this.#rows = this.#power = null;
    this.#playing = false;
    this.#frame ??= requestAnimationFrame((now) => this.#draw(now));
    byId("arena-canvas").focus({ preventScroll: true }); // to be played at once
  }

  /** It is no more. */
  close() {
    this.#controls.release();
    cancelAnimationFrame(this.#frame);
    this.#frame = null;
  }

  /** The state of the room is another. */
  changed() {
    const { entities, tick, acks, you } = this.#room;
    const ground = [...entities.values()].find(({ kind }) => kind === "ground");
    if (ground === undefined) return;
    if (this.#rows !== ground.rows) this.#learn(ground.rows);
    this.#ends = ground.ends;
    if (this.#playing !== ground.ends > tick) this.#turn(ground.ends > tick);
    if (this.#playing) this.#playhead.came(tick, performance.now());
    const players = [...entities].filter(([, { kind }]) => kind === "player");
    this.#tracks.take(tick, new Map(players));
    const own = entities.get(you);
    if (own === undefined) return;
    this.#prediction.acknowledge(tick, acks.get(you), own);
    if (own.power !== this.#power) this.#feel(own.power);
  }

  #learn(rows) {
    const known = this.#rows?.join() === rows.join();
    this.#rows = rows;
    if (known) return;
    this.#terrain = new Terrain(rows);
    this.#prediction = new Prediction(this.#terrain);
    this.#tracks = new Tracks();
    this.#playhead = null;
  }

  /** A round begins or ends: nothing is held, as far as the server knows. */
  #turn(playing) {
    this.#playing = playing;
    this.#prediction.begin();
    if (playing) this.#playhead = new Playhead(RATE);
  }

  // Time

  #draw(now) {
    this.#frame = requestAnimationFrame((next) => this.#draw(next));
    const passed = Math.max(0, Math.min(now - this.#drawn, LONGEST));
    this.#drawn = now;
    if (this.#terrain === null) return;
    this.#step(passed);
    this.#prediction.fade(passed);
    const tick = this.#playhead?.pass(passed, now) ?? Infinity;
    const things = [...this.#room.entities.values()].filter(({ kind }) => kind === "star" || kind === "powerup");
    const players = this.#players(tick);
    this.#drawing.draw(this.#terrain, things, players, players.at(-1) ?? null);
    this.#tell(this.#playhead?.live(now) ?? Infinity);
  }

  #step(passed) {
    if (!this.#playing || this.#room.you === null) return;
    this.#due += passed;
    while (this.#due >= TICK) {
      this.#due -= TICK;
      const [dx, dy] = this.#controls.direction;
      const [right, down] = dx || dy ? [dx, dy] : this.#tapped;
      this.#tapped = [0, 0];
      const input = this.#prediction.step(right, down);
      if (input === null) continue;
      this.#game.send({
        type: "input", seq: input.seq, left: right < 0, right: right > 0, up: down < 0, down: down > 0,
      });
    }
  }

  /** All as they are to be drawn, the own one last. */
  #players(tick) {
    const { entities, you } = this.#room;
    return [...entities]
      .filter(([, { kind }]) => kind === "player")
      .map(([id, { team, score, power }]) => ({
        id, team, score, power, you: id === you, name: this.#name(id),
        ...(id === you ? this.#prediction.at(this.#due / TICK) : this.#tracks.at(id, tick)),
      }))
      .sort((a, b) => a.you - b.you);
  }

  #name(id) {
    return this.#room.roster?.players[id]?.name ?? id;
  }

  // What is said beside the picture

  #tell(tick) {
    const { entities, roster, you } = this.#room;
    const seconds = Math.max(0, Math.ceil((this.#ends - tick) / RATE));
    write(byId("arena-clock"), `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`);
    const stars = { red: 0, blue: 0 };
    let seen = 0;
    for (const { kind, team, score } of entities.values()) {
      if (kind !== "player") continue;
      stars[team] += score;
      seen += 1;
    }
    // Who only sees those near cannot tell.
    const known = seen === Object.keys(roster?.players ?? {}).length;
    for (const [team, sum] of Object.entries(stars)) write(byId(`arena-${team}`), known ? String(sum) : "–");
    const own = entities.get(you);
    write(byId("arena-own"), own === undefined ? "–" : `${own.score} ${POWERS[own.power] ?? ""}`);
  }

  #feel(power) {
    if (this.#power !== null || power !== null) byId("game-where").textContent = FEELS[power] ?? "It has worn off";
    this.#power = power;
  }

  #hit({ player, by, stars }) {
    const { you } = this.#room;
    const lost = `${stars} ${stars === 1 ? "star" : "stars"}`;
    if (player === you) byId("game-where").textContent = `${this.#name(by)} ran into you: you lose ${lost}`;
    else if (by === you) byId("game-where").textContent = `You ran into ${this.#name(player)}, who loses ${lost}`;
  }
}
