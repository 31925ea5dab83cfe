/** Chat: rooms, several at once, and talks with one person. */

import { Conversations } from "./conversations.js";
import { arrange, byId, element, isolated, refill } from "./dom.js";
import { Order } from "./order.js";
import { Records } from "./records.js";
import { RoomSettings } from "./room-settings.js";
import { Search } from "./search.js";
import { complain, toast } from "./toasts.js";

const EMOJI = [..."🙂😀😎🤓🥳🦊🐼🐙🦉🐝🌵🌻🍀🍉🚀⚡🎲🎸⭐🔥"];

const PAGE = 50;

/** Milliseconds from one look at the list of rooms to the next. */
const LOOK_EVERY = 15_000;

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });

export class Chat {
  #chat;
  #conversations = new Conversations();
  #current = null;
  #rooms = [];
  #name = null; // that was chosen here, to be taken again by a newcomer
  #emoji = null;
  #lines = new WeakMap();
  #order;
  #records;
  #settings;

  /** @param {import("../netplay.js").Feature} chat */
  constructor(chat) {
    this.#chat = chat;
    chat.on("ready", ({ resumed }) => this.#ready(resumed));
    chat.on("welcome", ({ room }) => this.#welcome(room));
    chat.on("chat", (message) => this.#said(message));
    chat.on("history", ({ room, messages, more }) => this.#history(room, messages, more));
    chat.on("gap", ({ room }) => this.#gap(room));
    chat.on("direct", (message) => this.#direct(message));
    chat.on("presence", (presence) => this.#presence(presence));
    chat.on("error", (error) => error.fatal || this.#wrong(error));
    chat.on("deleted", ({ room, id }) => this.#deleted(room, id));
    chat.on("removed", ({ room, message }) => this.#wrong({ message: `You are not in #${room} any more: ${message}` }));
    chat.on("room_deleted", ({ room, by }) => this.#wrong({ message: `${by} has deleted #${room}.` }));
    chat.on("room_mode", (mode) => this.#mode(mode));
    chat.on("topic", ({ room, topic }) => this.#topic(room, topic));
    this.#order = new Order(chat);
    this.#records = new Records(chat);
    this.#settings = new RoomSettings(chat);
    new Search(chat, () => (this.#current?.kind === "room" ? this.#current.name : null), (room) => this.#join(room));
    chat.on("logged_in", () => this.#loggedIn());
    setInterval(() => chat.ready && !byId("chat").hidden && this.#look(), LOOK_EVERY);

    this.#submits("talk-form", () => this.#say());
    this.#submits("room-form", () => this.#create());
    this.#submits("name-form", () => this.#rename(byId("name").value));
    byId("talk-leave").addEventListener("click", () => this.#leave());
    byId("talk-settings").addEventListener("click", () => this.#settings.open(this.#listed));
    byId("talk-records").addEventListener("click", () => this.#records.open(this.#current.name, this.#order.operator));
    byId("talk-earlier").addEventListener("click", () => this.#earlier());
    byId("emoji").append(...EMOJI.map((emoji) => this.#emojiChoice(emoji)));
  }

  /** The view is looked at. */
  shown() {
    if (this.#current !== null) this.#open(this.#current);
  }

  #submits(form, done) {
    byId(form).addEventListener("submit", (event) => {
      event.preventDefault();
      done();
    });
  }

  // Coming and coming back

  #welcome(room) {
    this.#current ??= this.#conversations.get("room", room);
  }

  #ready(resumed) {
    const rooms = this.#chat.rooms;
    this.#conversations.only(rooms);
    for (const room of rooms) {
      const conversation = this.#conversations.get("room", room);
      if (conversation.entries.length === 0) this.#page(conversation);
      this.#who(conversation);
    }
    if (!resumed) {
      if (this.#name !== null) this.#rename(this.#name);
      if (this.#emoji !== null) this.#chat.request({ type: "set_emoji", emoji: this.#emoji }).catch(complain);
    }
    this.#drawName();
    this.#open(this.#current);
    this.#look();
  }

  // What is heard

  #entry({ id, seq, user, emoji, message, at, deleted }) {
    return { key: id, seq, user, emoji, text: message, at, deleted };
  }

  #deleted(room, id) {
    const conversation = this.#conversations.room(room);
    if (conversation?.empty(id) && conversation === this.#current) this.#draw();
  }

  #topic(room, topic) {
    const conversation = this.#conversations.room(room);
    if (conversation !== undefined) conversation.topic = topic;
    this.#relist(room, { topic });
  }

  #mode(mode) {
    const { room, slow, locked, read_only: readOnly } = mode;
    toast(modeOf(mode));
    this.#relist(room, { slow, locked, read_only: readOnly });
  }

  /** A room is another than it was listed. */
  #relist(room, fields) {
    const listed = this.#rooms.find((line) => line.room === room);
    if (listed !== undefined) Object.assign(listed, fields);
    this.#drawHead();
  }

  /** The current room, as it is listed. */
  get #listed() {
    const { kind, name } = this.#current;
    return kind === "room" ? this.#rooms.find(({ room }) => room === name) : undefined;
  }

  #loggedIn() {
    this.#name = null; // it is the account's now
    this.#drawName();
    if (this.#current === null) return; // it is opened once it is ready
    this.#drawHead();
    this.#drawPeople();
  }

  #drawName() {
    const { name, guest } = this.#chat.you;
    byId("name").value = name;
    byId("name").readOnly = !guest; // an account keeps its name
    byId("name-form").querySelector("button").hidden = !guest;
  }

  #said(message) {
    const conversation = this.#conversations.get("room", message.room);
    if (conversation.add(this.#entry(message))) this.#changed(conversation);
  }

  #history(room, messages, more) {
    const conversation = this.#conversations.get("room", room);
    const before = conversation.first;
    for (const message of messages) conversation.add(this.#entry(message));
    if (before === undefined || messages[0]?.seq < before) conversation.more = more;
    if (conversation === this.#current) this.#draw();
  }

  #gap(room) {
    const at = Date.now();
    const text = "Something that was said here while you were away is gone.";
    this.#conversations.get("room", room).add({ key: `gap ${at}`, at, text, note: true });
    this.#draw();
  }

  #direct({ from, to, emoji, message, at, id }) {
    const conversation = this.#conversations.get("direct", from === this.#chat.you.name ? to : from);
    conversation.joined = true;
    if (conversation.add({ key: id, user: from, emoji, text: message, at })) this.#changed(conversation);
  }

  #presence(presence) {
    const conversation = this.#conversations.get("room", presence.room);
    conversation.presence(presence);
    const own = presence.renamed?.find(({ id }) => id === this.#chat.you.id);
    if (own) this.#chat.you.name = own.name;
    if (conversation === this.#current) this.#drawPeople();
  }

  #changed(conversation) {
    if (conversation !== this.#current || byId("chat").hidden) conversation.unread += 1;
    if (conversation === this.#current) this.#draw();
    this.#drawRooms();
  }

  /** Nobody has asked for it here: most likely a room is gone that one was in. */
  #wrong({ message }) {
    toast(message);
    this.#conversations.only(this.#chat.rooms);
    this.#drawRooms();
  }

  // What is asked

  async #say() {
    const text = byId("talk-text").value;
    if (text.trim() === "") return;
    const { kind, name } = this.#current;
    byId("talk-text").value = "";
    try {
      if (kind === "room") await this.#chat.request({ type: "chat", room: name, text });
      else this.#direct(await this.#chat.request({ type: "direct", to: name, text }));
    } catch (error) {
      byId("talk-text").value ||= text; // to be tried again
      toast(error.code === "disconnected" ? "The connection was lost; that may not have been heard." : error.message);
    }
  }

  async #create() {
    const room = byId("room-name").value.trim().toLowerCase().replaceAll(" ", "-");
    try {
      await this.#chat.request({ type: "create_room", room });
      byId("room-name").value = "";
      await this.#join(room);
    } catch (error) {
      complain(error);
    }
  }

  async #join(room) {
    try {
      await this.#chat.request({ type: "join_room", room, also: true });
    } catch (error) {
      complain(error);
      return;
    }
    const conversation = this.#conversations.get("room", room);
    conversation.joined = true;
    this.#who(conversation);
    this.#choose(conversation);
    this.#look();
  }

  async #leave() {
    const left = this.#current;
    if (left.kind === "room") {
      try {
        await this.#chat.request({ type: "leave_room", room: left.name });
      } catch (error) {
        complain(error);
        return;
      }
    }
    left.joined = false;
    this.#open(this.#conversations.mine[0] ?? left);
    this.#look();
  }

  async #rename(name) {
    try {
      await this.#chat.request({ type: "set_name", name });
      this.#name = name;
    } catch (error) {
      complain(error);
    }
  }

  async #page(conversation, before) {
    const asked = { type: "history", room: conversation.name, limit: PAGE, before };
    try {
      const { messages, more } = await this.#chat.request(asked);
      this.#history(conversation.name, messages, more);
      if (messages.length === 0) conversation.more = false;
    } catch (error) {
      complain(error);
    }
  }

  async #earlier() {
    const scroll = byId("talk-scroll");
    const below = scroll.scrollHeight - scroll.scrollTop;
    await this.#page(this.#current, this.#current.first);
    this.#draw();
    scroll.scrollTop = scroll.scrollHeight - below;
  }

  async #who(conversation) {
    try {
      const { members, more } = await this.#chat.request({ type: "who", room: conversation.name });
      conversation.people = new Map(members.map(({ id, name }) => [id, name]));
      if (!more) conversation.count = members.length;
    } catch {
      return; // it is known no better
    }
    if (conversation === this.#current) this.#drawPeople();
  }

  async #look() {
    try {
      this.#rooms = (await this.#chat.request({ type: "rooms" })).rooms;
    } catch {
      return;
    }
    for (const { room, topic, members } of this.#rooms) {
      const conversation = this.#conversations.room(room);
      if (conversation === undefined) continue;
      conversation.topic = topic;
      conversation.count = members;
    }
    this.#drawRooms();
    this.#drawHead();
  }

  // What is shown

  /** Somebody wants to see a conversation, and to write there; on a phone it is further up. */
  #choose(conversation) {
    this.#open(conversation);
    byId("talk-text").focus({ preventScroll: true });
    byId("talk-title").parentElement.scrollIntoView({ block: "nearest" });
  }

  #open(conversation) {
    this.#current = conversation;
    conversation.unread = 0;
    this.#drawRooms();
    this.#draw();
    this.#drawPeople();
    const scroll = byId("talk-scroll");
    scroll.scrollTop = scroll.scrollHeight;
  }

  #drawHead() {
    const { kind, title, topic, joined } = this.#current;
    byId("talk-title").replaceChildren(isolated(title));
    const listed = this.#listed;
    byId("talk-topic").textContent = kind === "direct" ? "only the two of you" : [topic, ...modes(listed)].join(" · ");
    byId("talk-settings").hidden = byId("talk-records").hidden = !this.#keeps;
    byId("talk-leave").hidden = !joined;
    byId("talk-leave").textContent = kind === "room" ? "Leave" : "Close";
  }

  get #keeps() {
    const listed = this.#listed;
    return listed !== undefined && this.#order.keeps(listed.room, listed.owner);
  }

  #draw() {
    this.#drawHead();
    const scroll = byId("talk-scroll");
    const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40;
    byId("talk-earlier").hidden = !this.#current.more;
    arrange(byId("talk-log"), this.#current.entries.map((entry) => this.#line(entry)));
    if (atEnd) scroll.scrollTop = scroll.scrollHeight;
  }

  #line(entry) {
    if (!this.#lines.has(entry)) this.#lines.set(entry, entry.note ? noteLine(entry) : this.#messageLine(entry));
    return this.#lines.get(entry);
  }

  #messageLine(entry) {
    const { kind, name } = this.#current;
    const line = messageLine(entry);
    if (kind === "room" && !entry.deleted) {
      line.append(element("button", {
        class: "plain more",
        "aria-label": `About this message of ${entry.user}`,
        onclick: () => this.#order.about({ room: name, ...entry }, this.#keeps),
      }, "⋯"));
    }
    return line;
  }

  #drawRooms() {
    const mine = this.#conversations.mine;
    refill(byId("rooms-mine"), mine.map((conversation) => this.#roomLine(conversation)));
    const joined = new Set(mine.map(({ kind, name }) => kind === "room" && name));
    const others = this.#rooms.filter(({ room }) => !joined.has(room));
    refill(byId("rooms-others"), others.map(({ room, members }) => element("li", {}, element("button",
      { class: "item", "aria-label": `Join #${room}`, onclick: () => this.#join(room) },
      element("span", { class: "name" }, `#${room}`),
      element("span", { class: "count" }, String(members))))));
  }

  #roomLine(conversation) {
    const { title, unread } = conversation;
    return element("li", {}, element("button",
      {
        class: "item",
        "aria-current": conversation === this.#current ? "true" : undefined,
        onclick: () => this.#choose(conversation),
      },
      isolated(title, { class: "name" }),
      unread > 0 ? element("span", { class: "badge", "aria-label": `${unread} unread` }, String(unread)) : "",
    ));
  }

  #drawPeople() {
    const { kind, people, count } = this.#current;
    byId("people-count").textContent = kind === "room" ? String(count) : "2";
    const you = this.#chat.you?.id;
    const known = kind === "room" ? [...people] : [[null, this.#current.name]];
    known.sort(([, one], [, other]) => one.localeCompare(other));
    refill(byId("people"), known.map(([id, name]) => (id === you ? ownLine(name) : this.#personLine(name))));
  }

  #personLine(name) {
    const title = "Write to this person only";
    const line = element("li", { class: "room" }, element("button",
      { class: "item", title, onclick: () => this.#address(name) },
      isolated(name, { class: "name" })));
    if (this.#keeps) {
      const about = () => this.#order.about({ room: this.#current.name, user: name }, true);
      line.append(element("button", { class: "plain", "aria-label": `About ${name}`, onclick: about }, "⋯"));
    }
    return line;
  }

  #address(name) {
    const conversation = this.#conversations.get("direct", name);
    conversation.joined = true;
    this.#choose(conversation);
  }

  #emojiChoice(emoji) {
    const choose = async () => {
      try {
        await this.#chat.request({ type: "set_emoji", emoji });
        this.#emoji = emoji;
      } catch (error) {
        complain(error);
      }
    };
    const radio = element("input", { type: "radio", name: "emoji", "aria-label": emoji, onchange: choose });
    return element("label", {}, radio, element("span", { "aria-hidden": "true" }, emoji));
  }
}

/** How a room is from now on, in words. */
function modeOf({ room, by, ...mode }) {
  return `#${room}, as ${by} has set: ${modes(mode).join(", ") || "open to all again"}.`;
}

function modes({ slow, locked, read_only: readOnly } = {}) {
  const is = [slow > 0 && `one message every ${slow} s`, locked && "nobody comes in", readOnly && "read-only"];
  return is.filter(Boolean);
}

function messageLine({ user, emoji, text, at, deleted }) {
  return element("li", { class: "message" },
    element("span", { class: "face", "aria-hidden": "true" }, emoji),
    element("div", { class: "said" },
      element("p", { class: "who" }, isolated(user, { class: "name" }), " ",
        element("time", { datetime: new Date(at).toISOString() }, clock.format(at))),
      deleted ? element("p", { class: "quiet" }, "deleted") : element("p", { class: "text", dir: "auto" }, text)));
}

function ownLine(name) {
  return element("li", { class: "item" }, isolated(name, { class: "name" }), element("span", { class: "quiet" }, "you"));
}

function noteLine({ text }) {
  return element("li", { class: "note" }, text);
}
