/** Games: in which room one is, how one gets there, and the stage on which it is played. */

import { Room } from "../netplay.js";
import { AnyGame } from "./any-game.js";
import { Arena } from "./arena/arena.js";
import { byId, isolated } from "./dom.js";
import { LagPanel } from "./lag-panel.js";
import { Leaders } from "./leaders.js";
import { Lobby } from "./lobby.js";
import { askPassword } from "./password.js";
import { Roster } from "./roster.js";
import { RoomTalk } from "./room-talk.js";
import { Rooms } from "./rooms.js";
import { complain, copy, toast } from "./toasts.js";

/** By game, where it is played; others where any can be. */
const STAGES = { sandbox: "stage-lobby", arena: "stage-arena", crowd: "stage-arena" };
const ANY = "stage-any";

/** What a link to a room has behind its `#`, which browsers do not send to servers. */
const JOIN = /^#join=([A-Za-z0-9]{1,16})$/;

/** What is said when the link is copied, and where the browser does not let pages do that. */
const COPIED = "The link is copied: whoever opens it is in this room.";
const IN_ADDRESS_BAR = "Copy the address of this page: whoever opens it is in this room.";

/** What is said of inputs that come a moment too late: nothing to tell anyone. */
const TOO_LATE = "wrong_phase";

export class Game {
  #room;
  #stages;
  #stage = null;
  #rooms;

  /**
   * @param {import("../netplay.js").Feature} game
   * @param {import("./lag.js").Lag} lag - of the connection.
   */
  constructor(game, lag) {
    const room = new Room(game);
    this.#room = room;
    this.#stages = {
      "stage-lobby": new Lobby(game, room),
      "stage-arena": new Arena(game, room),
      "stage-any": new AnyGame(game, room),
    };
    this.#rooms = new Rooms(game, room, (where) => this.#join(where));
    new Roster(game, room, this.#rooms);
    new Leaders(game, room, this.#rooms);
    new RoomTalk(game, room);
    new LagPanel(lag);
    room.on("entered", () => this.#entered());
    room.on("seated", () => this.#seated());
    room.on("change", () => this.#stage?.changed());
    game.on("error", (error) => error.fatal || error.code === TOO_LATE || toast(error.message));
    byId("game-leave").addEventListener("click", () => room.leave().catch(complain));
    byId("game-link").addEventListener("click", () => copy(this.#link(), COPIED, IN_ADDRESS_BAR));
  }

  /** The view is looked at, perhaps by a link to a room. */
  shown() {
    const code = JOIN.exec(location.hash)?.[1].toUpperCase();
    if (code !== undefined && code !== this.#room.code) this.#join({ code });
    this.#rooms.look();
  }

  /** Go somewhere; with a password, if it takes one. */
  async #join(where) {
    try {
      await this.#room.join(where);
    } catch (error) {
      if (error.code !== "bad_password") {
        complain(error);
        return;
      }
      const password = await askPassword("password" in where);
      if (password !== null) await this.#join({ ...where, password });
    }
  }

  #entered() {
    const { name, game, isLobby } = this.#room;
    byId("game-title").replaceChildren(isolated(isLobby ? "Lobby" : name));
    byId("game-leave").hidden = isLobby;
    this.#seated();
    this.#turnTo(STAGES[game] ?? ANY);
  }

  #seated() {
    const { game, code, isLobby, watching } = this.#room;
    byId("game-where").textContent = watching ? "You watch" : isLobby ? "" : game;
    byId("game-link").hidden = code === null;
    if (code !== null) history.replaceState(null, "", this.#link());
    else if (JOIN.test(location.hash) && isLobby) history.replaceState(null, "", "#game");
  }

  #turnTo(wanted) {
    for (const id of Object.keys(this.#stages)) byId(id).hidden = id !== wanted;
    this.#stage?.close();
    this.#stage = this.#stages[wanted];
    this.#stage.open();
    if (!this.#room.isLobby) byId("game-title").parentElement.scrollIntoView({ block: "nearest" }); // on a phone
  }

  #link() {
    return new URL(`#join=${this.#room.code}`, location).href;
  }
}
