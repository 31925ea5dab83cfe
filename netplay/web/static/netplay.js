/**
 * netplay in web pages: chat, game and ticker of a netplay server over WebSocket. One ES module, no dependencies.
 *
 *     import { connect } from "/netplay.js";
 *
 *     const net = connect();
 *     const chat = net.feature("chat");
 *     chat.on("chat", ({ user, message }) => console.log(`${user}: ${message}`));
 *     await chat.request({ type: "chat", text: "hi all" });
 *
 * A connection that is lost comes back by itself, and each feature goes on where it was: messages of rooms are
 * numbered, so that none is missed and none comes twice. Where some are gone for good, an event `gap` says so.
 *
 * @module netplay
 */

/** Seconds within which the first attempt to come back is made. */
const FIRST_DELAY = 0.5;

/** Seconds within which every later one is. */
const MOST_DELAY = 30;

/** Close codes (RFC 6455, section 7.4) after which a client may come back. */
const COME_BACK_AFTER = new Set([1001, 1006, 4001, 4002, 4003]);

/** Seconds from one `ping` to the next. */
const PING_EVERY = 5;

/** Seconds without an answer to it after which the connection is taken for lost. */
const GONE_AFTER = 20;

/** Requests that wait for their answers, or for the connection, at most. */
const MOST_ASKED = 1000;

const SUBPROTOCOL = "netplay.json";

/** What makes a client leave a room, by the request and its answer. */
const OUT_OF_ROOM = new Set([
  "leave_room ok", "join_room no_such_room", "join_room banned", "join_room not_allowed",
]);

/** Events that say that one is in a room no more. */
const PUT_OUT = new Set(["removed", "room_deleted"]);

/**
 * A message: its `type`, and what belongs to it.
 *
 * @typedef {{type: string, [field: string]: any}} Message
 */

/**
 * Up to where a room was heard. `seq` is null when that is not known, as after a gap; `gap` is whether it was said that
 * something is missing.
 *
 * @typedef {{epoch: string, seq: number | null, gap: boolean}} Position
 */

/**
 * Why a request was not done. `code` is one of the protocol's, or `disconnected` (it may have been done), or `too_many`
 * (it was not sent); `field` is the JSON path of what was wrong, if something was.
 */
export class NetplayError extends Error {
  /** @param {{code: string, message: string, field?: string, retry_after?: number}} error */
  constructor(error) {
    super(error.message);
    this.name = "NetplayError";
    this.code = error.code;
    this.field = error.field;
    /** Seconds, with `rate_limited`. */
    this.retryAfter = error.retry_after;
  }
}

const disconnected = () =>
  new NetplayError({ code: "disconnected", message: "the connection was lost before the answer came" });

const tooMany = () =>
  new NetplayError({ code: "too_many", message: `${MOST_ASKED} requests wait for their answers` });

/** Events by name. */
class Emitter {
  #listeners = new Map();

  /**
   * Hear of something.
   *
   * @param {string} type - of the event; "*" is every one.
   * @param {(event: any) => void} listener
   * @returns {() => void} to hear of it no more.
   */
  on(type, listener) {
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
    this.#listeners.get(type).add(listener);
    return () => this.#listeners.get(type).delete(listener);
  }

  /** @protected */
  emit(type, event) {
    for (const name of [type, "*"]) {
      for (const listener of [...(this.#listeners.get(name) ?? [])]) {
        try {
          listener(event);
        } catch (error) {
          reportError(error); // of that listener; the others hear of it all the same
        }
      }
    }
  }
}

/**
 * What a client knows of its conversation with one feature: who it is, what it has asked, and up to where it has heard
 * each room. It outlives connections, and knows nothing of them.
 */
class Session {
  /** @type {Message | null} */
  you = null;
  limits = {};
  ready = false;
  resumed = false;
  /** @type {Map<string, Position>} */
  rooms = new Map();

  #say;
  #token = null;
  #refs = 0;
  #asked = new Map();
  #greeting = null; // to be handed on once it is valid
  #resuming = null; // the ref of what is to be answered first, while it is not
  #loggingIn = null; // the ref of a login that is to be answered before it is ready
  #meanwhile = []; // came until then
  #login = null; // who waits for that
  #leaving = null;
  #credentials;

  /**
   * @param {(message: Message) => void} say - sends a message.
   * @param {() => object | null} credentials - what to log in with, null for a guest.
   */
  constructor(say, credentials) {
    this.#say = say;
    this.#credentials = credentials;
  }

  /** Whether there is anything to resume. */
  get known() {
    return this.#token !== null;
  }

  /**
   * Send a request.
   *
   * @param {Message} message
   * @param {(answer: Message) => void} resolve
   * @param {(error: Error) => void} reject
   */
  ask(message, resolve, reject) {
    if (this.#asked.size >= MOST_ASKED) {
      reject(tooMany());
      return;
    }
    this.#ask(message, { resolve, reject, rejoins: false });
  }

  /** Log in, with what has become known just now. */
  login(resolve, reject) {
    if (this.ready) this.ask(this.#asLogin(), resolve, reject);
    else {
      this.#login?.reject(tooMany());
      this.#login = { resolve, reject };
      this.#settle();
    }
  }

  /** There is a new connection. */
  opened() {
    if (this.#token === null) return;
    const since = {};
    for (const [room, { epoch, seq }] of this.rooms) {
      if (seq !== null) since[room] = { epoch, seq };
    }
    this.#resuming = this.#ref();
    this.#say({ type: "resume", session: this.#token, since, ref: this.#resuming });
  }

  /** The connection is gone. */
  lost(forGood) {
    this.ready = false;
    if (forGood) {
      this.#login?.reject(disconnected());
      this.#login = null;
    }
    this.#greeting = this.#resuming = this.#loggingIn = this.#leaving = null;
    this.#meanwhile = [];
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    if (asked.some(({ rejoins }) => rejoins)) this.#token = null; // it is not in all its rooms yet: another tries again
    for (const { reject } of asked) reject(disconnected());
  }

  /**
   * Take a message from the server.
   *
   * @param {Message} message
   * @returns {Message[]} what of it is for the program, which may be nothing.
   */
  received(message) {
    if (message.type === "error" && message.fatal) return [message];
    if (!this.ready) return this.#arriving(message);
    if (message.type === "logged_in") this.you = message.you;
    const asked = this.#asked.get(message.ref);
    if (asked !== undefined) {
      this.#asked.delete(message.ref);
      return this.#answer(asked, message);
    }
    if (message.type === "chat") return this.#live(message);
    if (PUT_OUT.has(message.type)) this.rooms.delete(message.room);
    if (message.type === "history" && message.messages) return this.#missed(message);
    return [message];
  }

  // Coming and coming back

  #arriving(message) {
    if (this.#resuming !== null && message.ref === this.#resuming) {
      this.#resuming = null;
      return message.type === "resumed" ? this.#taken(message) : this.#enter();
    }
    if (this.#loggingIn !== null && message.ref === this.#loggingIn) {
      this.#loggingIn = null;
      return this.#loggedIn(message);
    }
    if (this.#leaving !== null) {
      if (message.ref === this.#leaving) {
        this.#leaving = null;
        return this.#arrived();
      }
    } else if ("session" in message || message.type === "login_required") {
      this.#greeting = message;
      if (this.#resuming === null && this.#loggingIn === null) return this.#enter(); // void if the session is there
    } else if (this.#loggingIn !== null && this.#meanwhile.length < MOST_ASKED) {
      this.#meanwhile.push(message);
    }
    return []; // what a newcomer hears before it is somebody will come again
  }

  /** As somebody new: say who that is, if it is somebody. */
  #enter() {
    const greeting = this.#greeting;
    if (greeting === null || this.#settle()) return [];
    return greeting.type === "login_required" ? [greeting] : this.#newcomer(greeting);
  }

  /** Log in, if there is something to log in with and the server waits for it. */
  #settle() {
    const credentials = this.#credentials();
    const waits = this.#greeting !== null && this.#resuming === null && (this.#greeting.you?.guest ?? true);
    if (credentials === null || !waits) return false;
    if (this.#loggingIn === null) {
      this.#loggingIn = this.#ref();
      this.#say({ ...this.#asLogin(), ref: this.#loggingIn });
    }
    return true;
  }

  #asLogin() {
    return { type: "login", ...this.#credentials() };
  }

  #loggedIn(message) {
    const login = this.#login;
    const meanwhile = this.#meanwhile;
    this.#login = null;
    this.#meanwhile = [];
    if (message.type === "error") {
      login?.reject(new NetplayError(message));
      const guest = this.#greeting.type === "login_required" ? [] : this.#newcomer(this.#greeting);
      return [...guest, message, ...meanwhile.flatMap((one) => this.received(one))];
    }
    login?.resolve(message);
    const told = this.#newcomer({ ...this.#greeting, you: message.you });
    return [...told, message, ...meanwhile.flatMap((one) => this.received(one))];
  }

  /** The session goes on. */
  #taken(message) {
    this.#greeted(message, true);
    const rooms = new Map();
    const gaps = [];
    for (const [room, { epoch, seq, recovered }] of Object.entries(message.rooms)) {
      const before = this.rooms.get(room);
      if (before !== undefined && recovered) {
        rooms.set(room, { epoch, seq: before.seq, gap: false });
      } else {
        // The newest page follows where it was said what is known, and nothing where not.
        const known = before !== undefined && before.seq !== null;
        rooms.set(room, { epoch, seq: known ? null : seq, gap: known });
        gaps.push(gap(room));
      }
    }
    this.rooms = rooms;
    return [...this.#arrived(), ...gaps];
  }

  /** It is somebody new; who takes the place of the one it was before, if it was one. */
  #newcomer(message) {
    this.#greeted(message, false);
    if (!("epoch" in message)) return this.#arrived();
    if (this.rooms.size === 0) {
      this.rooms.set(message.room, { epoch: message.epoch, seq: message.seq, gap: false });
      return this.#arrived();
    }
    // What was missed is to come before what is live: out of the room in which newcomers are.
    this.#leaving = this.#ref();
    this.#say({ type: "leave_room", room: message.room, ref: this.#leaving });
    for (const [room, position] of this.rooms) {
      position.gap = false;
      const join = { type: "join_room", room, also: true };
      if (position.seq !== null) join.since = { epoch: position.epoch, seq: position.seq };
      this.#ask(join, { resolve: null, reject: () => {}, rejoins: true });
    }
    return [];
  }

  #greeted(message, resumed) {
    this.#greeting = message;
    this.#token = message.session;
    this.you = message.you ?? null;
    this.limits = message.limits ?? {};
    this.resumed = resumed;
  }

  #arrived() {
    this.ready = true;
    const greeting = this.#greeting;
    this.#greeting = null;
    return greeting === null ? [] : [greeting];
  }

  // Answers

  #ref() {
    this.#refs += 1;
    return `netplay-${this.#refs}`;
  }

  #ask(message, asked) {
    const request = { ...message, ref: message.ref ?? this.#ref() };
    this.#asked.set(request.ref, { ...asked, request });
    this.#say(request);
  }

  #answer({ request, resolve, reject }, message) {
    const also = message.type === "room_changed" ? this.#joined(request, message) : [];
    if (OUT_OF_ROOM.has(`${request.type} ${message.code ?? message.type}`)) this.rooms.delete(request.room);
    if (resolve === null) return [...also, message]; // nobody has asked for it
    if (message.type === "error") reject(new NetplayError(message));
    else resolve(message);
    return message.type === "logged_in" ? [message] : also; // that is an event in every feature, whoever has asked
  }

  #joined(request, message) {
    const { room, epoch, seq } = message;
    const before = this.rooms.get(room);
    if (request.also) this.rooms.delete(room);
    else this.rooms.clear();
    this.rooms.set(room, { epoch, seq, gap: false });
    return before !== undefined && !before.gap && message.recovered === false ? [gap(room)] : [];
  }

  // Rooms

  #live(message) {
    const position = this.rooms.get(message.room);
    return position === undefined ? [message] : this.#next(position, message);
  }

  /** The message, unless it has come before; and after what is missing, if something is. */
  #next(position, message) {
    const last = position.seq;
    if (last !== null && message.seq <= last) return [];
    position.seq = message.seq;
    return last === null || message.seq === last + 1 ? [message] : [gap(message.room), message];
  }

  /** A page of what came while nobody was there; or of what was before, for one who joins. */
  #missed(page) {
    const position = this.rooms.get(page.room);
    const messages = page.messages;
    if (position === undefined) return [page];
    if (messages.length === 0) return [];
    if (position.epoch !== page.epoch) {
      if (position.seq !== null && messages[0].seq !== position.seq + 1) {
        position.seq = null; // the numbers of another epoch say nothing
      }
      position.epoch = page.epoch;
    } else if (position.seq !== null && messages[0].seq > position.seq + 1) {
      position.seq = null;
    }
    if (position.seq !== null) return messages.flatMap((message) => this.#next(position, message));
    position.seq = messages.at(-1).seq;
    const told = position.gap;
    position.gap = !told;
    return told ? [page] : [gap(page.room), page];
  }
}

/** Something that was said in a room is not to be had. */
const gap = (room) => ({ type: "gap", room });

/**
 * One feature: its messages, and what to say to it.
 *
 * Its events are the server's messages by their `type`, and
 *
 * - `ready` {resumed}: it can be spoken to, for the first time or again. Without `resumed` it is a newcomer: what it
 *   had (a name, subscriptions) is to be set again. The rooms it was in are joined by themselves.
 * - `away` {}: just now it cannot.
 * - `gap` {room}: something that was said there while it was away is gone for good.
 */
export class Feature extends Emitter {
  #session;
  #connection;
  #waiting = [];

  /** @hideconstructor */
  constructor(session, connection) {
    super();
    this.#session = session;
    this.#connection = connection;
  }

  /** Who you are: `id`, `name`, `guest`; null until the server has said so. */
  get you() {
    return this.#session.you;
  }

  /** What you may do: `max_message`, `max_reply` (bytes), `rate` (messages a second), `idle` (seconds). */
  get limits() {
    return this.#session.limits;
  }

  /** Whether it can be spoken to. */
  get ready() {
    return this.#session.ready;
  }

  /** The names of the rooms that you are in; the last one is the current one. */
  get rooms() {
    return [...this.#session.rooms.keys()];
  }

  /** The connection that it is on. */
  get connection() {
    return this.#connection;
  }

  /**
   * Say something that needs no answer. Rooms are joined and left by `request`.
   *
   * @param {Message} message
   * @returns {boolean} whether it was sent: false while there is no connection.
   */
  send(message) {
    if (!this.ready) return false;
    this.#connection.say(this, message);
    return true;
  }

  /**
   * Ask for something. While there is no connection, it waits for one.
   *
   * @param {Message} message - without `ref`, which is seen to.
   * @returns {Promise<Message>} the answer.
   * @throws {NetplayError} what the server says is wrong, or `disconnected`.
   */
  request(message) {
    return new Promise((resolve, reject) => {
      if (this.ready) this.#session.ask(message, resolve, reject);
      else if (this.#waiting.length < MOST_ASKED) this.#waiting.push([message, resolve, reject]);
      else reject(tooMany());
    });
  }

  /**
   * Be an account, in all features of this connection, and again whenever it comes back. Where there are no guests, an
   * event `login_required` asks for this.
   *
   * @param {{user: string, password: string} | {token: string}} credentials - are kept as long as the page is open.
   * @returns {Promise<Message>} `logged_in` {you, roles}.
   * @throws {NetplayError} `bad_login` and others; then they are forgotten.
   */
  async login(credentials) {
    this.#connection.credentials = credentials;
    try {
      return await new Promise((resolve, reject) => this.#session.login(resolve, reject));
    } catch (error) {
      if (error.code !== "disconnected") this.#connection.credentials = null;
      throw error;
    }
  }

  /**
   * Make an account and be it, where the server lets people do that. As `login` in all else.
   *
   * @param {{user: string, password: string}} credentials
   */
  async register(credentials) {
    const answer = await this.login({ type: "register", ...credentials });
    this.#connection.credentials = credentials; // it is there when the connection comes back
    return answer;
  }

  /** @package - for the connection. */
  received(message) {
    const wasReady = this.ready;
    const told = this.#session.received(message);
    for (const one of told) {
      this.emit(one.type, one);
      if (!wasReady && one === told[0]) this.#isReady();
    }
  }

  /** @package - for the connection. */
  lost(forGood) {
    const wasReady = this.ready;
    this.#session.lost(forGood);
    if (wasReady) this.emit("away", {});
    if (forGood) {
      for (const [, , reject] of this.#waiting.splice(0)) reject(disconnected());
    }
  }

  #isReady() {
    if (!this.ready) return;
    this.emit("ready", { resumed: this.#session.resumed });
    for (const [message, resolve, reject] of this.#waiting.splice(0)) this.#session.ask(message, resolve, reject);
  }
}

/**
 * A room of games as one client sees it: made from each `state` and each `delta` that comes, and from the roster.
 *
 * Its events:
 *
 * - `entered` {}: this is another room than before.
 * - `seated` {}: now it is known how others find it, and whether one only watches.
 * - `change` {}: the state is another.
 * - `roster` {}: who is in it or what it is about is another.
 *
 * What happens in it (`event`, `over`, `chat`) is to be heard from the feature.
 */
export class Room extends Emitter {
  /** What it is called, what is played in it, and the code by which others find it. */
  name = "";
  game = "";
  /** @type {string | null} null where there is none, as for the lobby, or if it is not known. */
  code = null;
  /** Whether one only watches. */
  watching = false;
  /** The tick of the newest state, and its time in milliseconds since 1970, by the server. */
  tick = 0;
  at = 0;
  /**
   * What there is to see, by id: `kind`, the fields, and the `owner`, unless that is the player of the same id. Where
   * states say positions and scores only, as the lobby's do, it is these.
   *
   * @type {Map<string, Record<string, any>>}
   */
  entities = new Map();
  /** @type {Map<string, number>} by player the `seq` of the newest input that has taken effect. */
  acks = new Map();
  /** @type {Message | null} the newest `roster`. */
  roster = null;

  #game;
  #mode = null; // that was asked for here

  /** @param {Feature} game - the feature of that name. */
  constructor(game) {
    super();
    this.#game = game;
    game.on("state", (state) => this.#state(state));
    game.on("delta", (delta) => this.#delta(delta));
    game.on("seated", (seated) => this.#seated(seated, "delta")); // by the queue
    game.on("resumed", ({ room }) => room === this.name && this.#sync());
    game.on("roster", (roster) => {
      if (roster.room !== this.name) return;
      this.roster = roster;
      this.emit("roster", {});
    });
  }

  /** One's own id as a player in it; null for those who watch. */
  get you() {
    return this.watching ? null : (this.#game.you?.id ?? null);
  }

  /** Whether that is the lobby, in which newcomers are. */
  get isLobby() {
    return /^lobby(-\d+)?$/.test(this.name);
  }

  /**
   * Go there.
   *
   * @param {object} where - fields of `join`.
   * @param {"delta" | "full"} [mode] - how to be told the state: what changed, or everything each time.
   * @returns {Promise<Message>} `seated`.
   * @throws {NetplayError}
   */
  async join(where, mode = "delta") {
    const seated = await this.#game.request({ ...where, type: "join" });
    this.#seated(seated, mode);
    return seated;
  }

  /** Back to the lobby. */
  async leave() {
    await this.#game.request({ type: "leave" });
  }

  #seated({ room, code, spectator }, mode) {
    if (room !== this.name) return; // and out of it again
    this.code = code ?? null;
    this.watching = spectator;
    this.#mode = mode;
    this.#sync();
    this.emit("seated", {});
  }

  #sync() {
    if (this.#mode !== null) this.#game.send({ type: "sync", mode: this.#mode });
  }

  #state({ room, game, tick, at, positions, scores, entities, ack = {} }) {
    const entered = room !== this.name;
    if (entered) {
      this.name = room;
      this.game = game;
      this.code = this.roster = this.#mode = null;
      this.watching = false;
    }
    this.tick = tick;
    this.at = at;
    this.acks = new Map(Object.entries(ack));
    this.entities = new Map(entities === undefined ? brief(positions, scores) : Object.entries(entities));
    if (entered) this.emit("entered", {});
    this.emit("change", {});
  }

  #delta({ room, tick, at, set = {}, gone = [], ack = {} }) {
    if (room !== this.name) return;
    this.tick = tick;
    this.at = at;
    for (const id of gone) this.entities.delete(id);
    for (const [id, fields] of Object.entries(set)) {
      this.entities.set(id, "kind" in fields ? fields : { ...this.entities.get(id), ...fields });
    }
    for (const [player, seq] of Object.entries(ack)) this.acks.set(player, seq);
    this.emit("change", {});
  }
}

/** Players of whom a state says no more than this. */
const brief = (positions, scores) =>
  Object.entries(positions).map(([id, place]) => [id, { ...place, score: scores[id] }]);

/**
 * A connection to the server, which comes back when it is lost.
 *
 * Its events:
 *
 * - `open` {}: there is one.
 * - `away` {code, error?, delay}: it is lost; in `delay` seconds it is tried again. `code` is that of the close.
 * - `end` {code, error?}: it is over, and does not come back by itself.
 * - `round_trip` {seconds}: how long the server took to answer just now.
 * - `sent`, `received` {message, bytes}: each message on the wire as it is, both ways.
 * - `error`: one from the server that belongs to no feature.
 */
export class Connection extends Emitter {
  /** @package - what features log in with, null for guests. */
  credentials = null;

  #url;
  #only;
  #open;
  #features = new Map();
  #sessions = new Map();
  #socket = null;
  #state = "connecting";
  #attempt = 0;
  #retry = null;
  #beat = null;
  #pinged = null;
  #lastWords = null;
  #pauses = false;
  #paused = false;
  #transit;
  #online = () => this.reconnect();

  /** @hideconstructor - see {@link connect}. */
  constructor(url, feature, pausable, transit) {
    super();
    this.#url = url;
    this.#only = feature;
    this.#transit = transit;
    this.#pauses = pausable && "WebSocketStream" in globalThis;
    this.#open = this.#pauses ? openStream : openSocket;
    if (feature) this.feature(feature);
    this.#connect();
  }

  /** "connecting", "open", "away" (it comes back) or "ended" (it does not). */
  get state() {
    return this.#state;
  }

  /** Whether `pause` works: browsers can stop reading a WebSocketStream only. */
  get canPause() {
    return this.#pauses;
  }

  /**
   * A feature. The server greets once it is turned to for the first time.
   *
   * @param {string} [name] - "chat", "game" or "ticker".
   * @returns {Feature}
   */
  feature(name = this.#only) {
    if (this.#only && name !== this.#only) throw new TypeError(`this connection is for ${this.#only} only`);
    if (!this.#features.has(name)) {
      const session = new Session(
        (message) => this.#write(name, message),
        () => this.credentials,
      );
      this.#sessions.set(name, session);
      this.#features.set(name, new Feature(session, this));
      if (this.#state === "open") this.#greet(name);
    }
    return this.#features.get(name);
  }

  /** Read nothing until `resume`: the server then notices a slow reader. Only where `canPause`. */
  pause() {
    if (!this.#pauses) throw new TypeError("this browser cannot stop reading a WebSocket");
    this.#paused = true;
    this.#socket?.pause();
  }

  /** Read on. */
  resume() {
    this.#paused = false;
    this.#pinged = null;
    this.#socket?.resume();
  }

  /** Connect again now instead of later, also where it would not come back by itself. */
  reconnect() {
    if (this.#state === "away" || this.#state === "ended") this.#connect();
  }

  /** Go, and do not come back. */
  close() {
    this.#socket?.close();
    this.#lost(1000);
  }

  /** @package - for features. */
  say(feature, message) {
    for (const [name, known] of this.#features) {
      if (known === feature) this.#write(name, message);
    }
  }

  #connect() {
    this.#waitNoMore();
    this.#state = "connecting";
    this.#lastWords = this.#pinged = null;
    this.#paused = false;
    const current = (handler) => (...args) => {
      if (this.#socket === socket) handler(...args);
    };
    const arriving = (handler) => (event) => this.#transit("in", () => handler(event));
    const socket = this.#open(this.#url, {
      opened: current(() => this.#opened()),
      received: arriving(current((text) => this.#received(text))),
      closed: arriving(current((code) => this.#lost(code))),
    });
    this.#socket = socket;
  }

  #opened() {
    this.#state = "open";
    this.#beat = setInterval(() => this.#ping(), PING_EVERY * 1000);
    this.emit("open", {});
    for (const name of this.#features.keys()) this.#greet(name);
  }

  #greet(name) {
    const session = this.#sessions.get(name);
    if (session.known) session.opened();
    else if (!this.#only) this.#write(name, {});
  }

  #write(name, message) {
    const whole = this.#only ? message : { feature: name, ...message };
    const text = JSON.stringify(whole);
    const socket = this.#socket;
    this.#transit("out", () => socket.send(text));
    this.emit("sent", { message: whole, bytes: utf8Length(text) });
  }

  #received(text) {
    const { feature: named, ...message } = JSON.parse(text);
    this.emit("received", { message: named ? { feature: named, ...message } : message, bytes: utf8Length(text) });
    if (message.type === "error" && message.fatal) this.#lastWords = new NetplayError(message);
    const feature = this.#features.get(this.#only ?? named);
    if (feature === undefined) {
      this.emit(message.type, message);
      return;
    }
    const wasReady = feature.ready;
    feature.received(message);
    if (wasReady || !feature.ready) return;
    this.#attempt = 0; // the server has let us in
    this.#ping();
  }

  /** A sign of life, and how long it takes. */
  #ping() {
    const now = performance.now();
    if (this.#paused) return;
    if (this.#pinged !== null) {
      if (now - this.#pinged >= GONE_AFTER * 1000) {
        this.#socket.close();
        this.#lost(1006);
      }
      return;
    }
    const session = [...this.#sessions.values()].find(({ ready }) => ready);
    if (session === undefined) return;
    this.#pinged = now;
    const answered = () => {
      if (this.#pinged === now) {
        this.#pinged = null;
        this.emit("round_trip", { seconds: (performance.now() - now) / 1000 });
      }
    };
    session.ask({ type: "ping" }, answered, answered);
  }

  #lost(code) {
    if (this.#state === "ended") return;
    clearInterval(this.#beat);
    this.#waitNoMore();
    this.#socket = null;
    const comesBack = COME_BACK_AFTER.has(code);
    this.#state = comesBack ? "away" : "ended";
    for (const feature of this.#features.values()) feature.lost(!comesBack);
    const error = this.#lastWords ?? undefined;
    if (!comesBack) {
      this.emit("end", { code, error });
      return;
    }
    const delay = fullJitter(this.#attempt);
    this.#attempt += 1;
    this.#retry = setTimeout(() => this.#connect(), delay * 1000);
    globalThis.addEventListener?.("online", this.#online); // when there is a network again, at once
    this.emit("away", { code, error, delay });
  }

  #waitNoMore() {
    clearTimeout(this.#retry);
    globalThis.removeEventListener?.("online", this.#online);
  }
}

/**
 * Connect to a netplay server: the one that this module came from, unless another is given.
 *
 * @param {object} [options]
 * @param {string | URL} [options.url] - of the WebSocket, such as `wss://play.example.com/ws`.
 * @param {string} [options.feature] - the only one to be used; without it all are to be had on one connection.
 * @param {boolean} [options.pausable] - whether reading is to be paused at times, where the browser can do that.
 * @param {(way: "in" | "out", deliver: () => void) => void} [options.transit] - carries each message: it calls
 *   `deliver` when one arrives, each way in order. To try how a program does on a slow network.
 * @returns {Connection}
 */
export function connect({ url, feature, pausable = false, transit = atOnce } = {}) {
  return new Connection(String(url ?? webSocketUrl(feature)), feature, pausable, transit);
}

const atOnce = (way, deliver) => deliver();

/**
 * Seconds to wait before an attempt to come back: any time up to a limit that doubles each time. Clients that were lost
 * together do not come back together, and those of a server that stays away do not knock often. (Brooker, "Exponential
 * Backoff And Jitter", 2015.)
 *
 * @param {number} attempt - counted from 0 since the server last let us in.
 * @returns {number}
 */
export function fullJitter(attempt) {
  return Math.random() * Math.min(MOST_DELAY, FIRST_DELAY * 2 ** attempt);
}

function webSocketUrl(feature) {
  const url = new URL(feature ? `ws/${feature}` : "ws", import.meta.url);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

const utf8 = new TextEncoder();
const utf8Length = (text) => utf8.encode(text).length;

// Sockets: {send(text), close()}, and {pause(), resume()} where that can be done

function openSocket(url, { opened, received, closed }) {
  const socket = new WebSocket(url, SUBPROTOCOL);
  socket.onopen = opened;
  socket.onmessage = ({ data }) => received(data);
  socket.onclose = ({ code }) => closed(code);
  return { send: (text) => socket.send(text), close: () => socket.close(1000) };
}

/** What is not read from a stream is not read from the network either, once the buffers between are full. */
function openStream(url, { opened, received, closed }) {
  const stream = new WebSocketStream(url, { protocols: [SUBPROTOCOL] });
  let writer = null;
  let reading = Promise.resolve();
  let resume = () => {};

  async function read() {
    const { readable, writable } = await stream.opened;
    writer = writable.getWriter();
    opened();
    for await (const text of readable) {
      await reading;
      received(text);
    }
  }

  read()
    .then(() => stream.closed)
    .then(({ closeCode }) => closeCode, ({ closeCode }) => closeCode ?? 1006)
    .then(closed);
  stream.closed.catch(() => {}); // is heard of above
  return {
    send: (text) => writer.write(text).catch(() => {}), // the end is heard of above
    close: () => stream.close({ closeCode: 1000 }),
    pause: () => {
      reading = new Promise((resolve) => (resume = resolve));
    },
    resume: () => resume(),
  };
}
