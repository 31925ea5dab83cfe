/**
 * What was said where: rooms and talks with one person, as they are now. Knows nothing of the page or the wire.
 */

/** Messages kept of one conversation; those before can be asked for again. */
const MOST_KEPT = 1000;

/** Members of a room up to which presence names who comes and goes; above, it counts them. */
const MOST_NAMED = 100;

/** Conversations at once; the talk with one person that began first goes first. */
const MOST_CONVERSATIONS = 200;

/** One room, or the talk with one person. */
export class Conversation {
  /** @type {{user: string, emoji: string, text: string, at: number, key: string, seq?: number, note?: boolean,
   *   deleted?: boolean}[]} */
  entries = [];
  /** @type {Map<string, string>} id -> name */
  people = new Map();
  count = 0;
  unread = 0;
  topic = "";
  joined = true;
  /** Whether there is more before the first entry. */
  more = false;
  #keys = new Set();

  /**
   * @param {"room" | "direct"} kind
   * @param {string} name - of the room, or of the other person.
   */
  constructor(kind, name) {
    this.kind = kind;
    this.name = name;
  }

  /** How it is shown. */
  get title() {
    return this.kind === "room" ? `#${this.name}` : this.name;
  }

  /** The number of the first message that is here. */
  get first() {
    return this.entries.find(({ seq }) => seq !== undefined)?.seq;
  }

  /**
   * Something was said, now or before.
   *
   * @returns {boolean} whether it was not known yet.
   */
  add(entry) {
    if (this.#keys.has(entry.key)) return false;
    this.#keys.add(entry.key);
    let at = this.entries.length;
    while (at > 0 && isAfter(this.entries[at - 1], entry)) at -= 1;
    this.entries.splice(at, 0, entry);
    if (this.entries.length > MOST_KEPT) {
      this.#keys.delete(this.entries.shift().key);
      this.more = this.kind === "room";
    }
    return true;
  }

  /** A message says nothing any more; the entry in its place, if it is here. */
  empty(key) {
    const at = this.entries.findIndex((entry) => entry.key === key);
    if (at >= 0) this.entries[at] = { ...this.entries[at], text: "", deleted: true };
    return this.entries[at];
  }

  /** Who came, went and changed names. */
  presence({ count, joined = [], left = [], renamed = [] }) {
    this.count = count;
    for (const id of left) this.people.delete(id);
    for (const { id, name } of joined) this.people.set(id, name);
    for (const { id, name } of renamed) this.people.set(id, name);
    // Not by comparing sizes: newcomers are in `who` a moment before they count here.
    if (count > MOST_NAMED) this.people.clear();
  }
}

/** By time, and what was said within a millisecond by its number. */
const isAfter = (one, other) => (one.at === other.at ? one.seq > other.seq : one.at > other.at);

export class Conversations {
  #byTitle = new Map();

  /** A conversation, a new one if there is none. */
  get(kind, name) {
    const title = `${kind} ${name}`;
    if (!this.#byTitle.has(title)) {
      this.#makeRoom();
      this.#byTitle.set(title, new Conversation(kind, name));
    }
    return this.#byTitle.get(title);
  }

  #makeRoom() {
    if (this.#byTitle.size < MOST_CONVERSATIONS) return;
    const oldest = [...this.#byTitle].find(([, { kind, joined }]) => kind === "direct" || !joined);
    if (oldest !== undefined) this.#byTitle.delete(oldest[0]);
  }

  /** The conversation of a room, if there is one. */
  room(name) {
    return this.#byTitle.get(`room ${name}`);
  }

  /** Of rooms one is in and of people, in the order in which they began. */
  get mine() {
    return [...this.#byTitle.values()].filter(({ joined }) => joined);
  }

  /** One is in these rooms, and in no others. */
  only(rooms) {
    for (const conversation of this.#byTitle.values()) {
      if (conversation.kind === "room") conversation.joined = rooms.includes(conversation.name);
    }
  }
}
