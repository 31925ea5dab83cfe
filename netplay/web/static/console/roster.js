/** Who is in a room, in which team, whether the round can begin, and how it ended. */

import { byId, element, isolated, press, refill, write } from "./dom.js";
import { complain } from "./toasts.js";

/** Milliseconds from one look at the countdown to the next. */
const COUNT_EVERY = 250;

export class Roster {
  #game;
  #room;
  #rooms;
  #result = null; // of the last round, until the next one
  #phase = null;
  #skew = 0; // milliseconds that the clock here is ahead of the server's

  /**
   * @param {import("../netplay.js").Feature} game
   * @param {import("../netplay.js").Room} room
   * @param {import("./rooms.js").Rooms} rooms - knows the games.
   */
  constructor(game, room, rooms) {
    this.#game = game;
    this.#room = room;
    this.#rooms = rooms;
    room.on("entered", () => {
      this.#result = this.#phase = null;
      byId("room-panel").hidden = room.isLobby;
      this.#draw();
    });
    room.on("roster", () => this.#told());
    room.on("change", () => (this.#skew = Date.now() - room.at));
    game.on("over", ({ room: name, result }) => {
      if (name !== room.name) return;
      this.#result = result;
      this.#draw();
    });
    byId("room-ready").addEventListener("click", () => this.#ask({ type: "ready", ready: !this.#own?.ready }));
    byId("room-start").addEventListener("click", () => this.#ask({ type: "start" }));
    setInterval(() => this.#drawPhase(), COUNT_EVERY);
  }

  get #own() {
    return this.#room.roster?.players[this.#room.you];
  }

  #told() {
    const { phase } = this.#room.roster;
    const begins = phase === "countdown" || phase === "playing";
    if (begins && phase !== this.#phase) this.#result = null;
    this.#phase = phase;
    this.#draw();
  }

  #ask(request) {
    this.#game.request(request).catch(complain);
  }

  #draw() {
    const { roster, you, isLobby } = this.#room;
    if (roster === null || isLobby) return;
    const players = Object.entries(roster.players);
    byId("room-count").textContent = `${players.length}/${roster.max}`;
    refill(byId("room-players"), players.map(([id, player]) => playerLine(id, player, this.#room)));
    const watchers = roster.spectators;
    byId("room-watchers").textContent = watchers > 0 ? `and ${watchers} watching` : "";
    const before = roster.phase === "waiting" || roster.phase === "countdown";
    byId("room-before").hidden = !before || this.#own === undefined;
    byId("room-start").hidden = roster.host !== you || roster.phase !== "waiting";
    press(byId("room-ready"), this.#own?.ready ?? false);
    refill(byId("room-teams"), this.#rooms.teams(roster.game).map((team) => this.#teamButton(team)));
    byId("room-result").textContent = this.#result === null ? "" : `It ended: ${words(this.#result, roster)}`;
    this.#drawPhase();
  }

  #teamButton(team) {
    const choose = () => this.#ask({ type: "team", team });
    const button = element("button", { onclick: choose }, isolated(team, { class: "name" }));
    press(button, this.#own?.team === team);
    return button;
  }

  #drawPhase() {
    const { roster } = this.#room;
    if (roster === null) return;
    write(byId("room-phase"), phaseOf(roster, Date.now() - this.#skew));
  }
}

/** What a room is about, at a time of the server's clock. */
function phaseOf({ phase, starts_at: startsAt, players, min }, now) {
  if (phase === "countdown") return `Starts in ${Math.max(0, Math.ceil((startsAt - now) / 1000))} s`;
  if (phase !== "waiting") return { playing: "The round is on", over: "The round is over" }[phase];
  const missing = min - Object.keys(players).length;
  if (missing > 0) return `Waiting for ${missing} more`;
  return "Waiting until all are ready";
}

function playerLine(id, { name, team, ready, away, bot, link }, { roster, you }) {
  const marks = [
    id === you && "you",
    id === roster.host && "host",
    bot && "bot",
    away && "away",
    ready && roster.phase === "waiting" && "ready",
    team,
  ];
  const trip = link?.rtt ?? null;
  return element("li", { class: "item", "data-team": team ?? undefined },
    isolated(name, { class: "name" }),
    element("span", { class: "quiet" }, marks.filter(Boolean).join(", ")),
    trip === null ? "" : element("span", { class: "count" }, `${trip} ms`));
}

/** A result as a sentence, with players called by their names. */
function words(result, { players }) {
  const told = (value) => {
    if (value === null) return "nobody";
    if (Array.isArray(value)) return value.map(told).join(", ");
    if (typeof value !== "object") return players[value]?.name ?? String(value);
    return Object.entries(value).map(([key, inner]) => `${told(key)} ${told(inner)}`).join(", ");
  };
  return Object.entries(result).map(([key, value]) => `${key}: ${told(value)}`).join("; ");
}
