/** What was decided and reported: who is muted or banned, what was reported, and the audit log. */

import { byId, element, isolated, press } from "./dom.js";
import { Paged } from "./paged.js";
import { complain } from "./toasts.js";

const when = new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "short" });

export class Records {
  #chat;
  #room = null;
  #lines = new Paged(byId("records-list"), byId("records-more"),
    () => element("li", { class: "quiet" }, "There is nothing."));

  /** @param {import("../netplay.js").Feature} chat */
  constructor(chat) {
    this.#chat = chat;
    byId("records-close").addEventListener("click", () => byId("records").close());
    for (const button of this.#kinds) button.addEventListener("click", () => this.#show(button.dataset.records));
    byId("network-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#banNetwork();
    });
  }

  get #kinds() {
    return byId("records").querySelectorAll("[data-records]");
  }

  /**
   * @param {string} room - whose they are.
   * @param {boolean} operator - whether the audit log may be read, and what holds everywhere.
   */
  open(room, operator) {
    this.#room = room;
    for (const button of this.#kinds) button.hidden = button.dataset.for === "operator" && !operator;
    byId("records").showModal();
    this.#show("here");
  }

  #show(kind) {
    for (const button of this.#kinds) press(button, button.dataset.records === kind);
    byId("network-form").hidden = kind !== "everywhere";
    const room = this.#room;
    const kinds = {
      here: () => this.#list({ type: "sanctions", room }, "sanctions", "after", (one) => this.#sanction(one)),
      everywhere: () => this.#list({ type: "sanctions" }, "sanctions", "after", (one) => this.#sanction(one)),
      reports: () => this.#list({ type: "reports", room }, "reports", "before", reported),
      audit: () => this.#list({ type: "audit" }, "entries", "before", decided),
    };
    kinds[kind]();
  }

  async #banNetwork() {
    try {
      await this.#chat.request({ type: "ban", network: byId("network").value.trim() });
    } catch (error) {
      complain(error);
      return;
    }
    byId("network").value = "";
    this.#show("everywhere");
  }

  #list(request, field, from, line) {
    const ask = async (last) => {
      const answer = await this.#chat.request({ ...request, [from]: last?.id });
      return { found: answer[field], more: answer.more };
    };
    this.#lines.show(ask, line);
  }

  #sanction({ kind, account, name, network, room, until, reason, by }) {
    const whom = account ?? name ?? network;
    const target = network === undefined ? { user: whom } : { network };
    const done = { mute: "muted", ban: "banned" }[kind];
    const end = until === undefined ? "for good" : `until ${when.format(until)}`;
    const lift = element("button", {
      "aria-label": `Lift the ${kind} of ${whom}`,
      onclick: async () => {
        try {
          await this.#chat.request({ type: `un${kind}`, ...target, room });
          this.#lines.remove(line);
        } catch (error) {
          complain(error);
        }
      },
    }, "Lift");
    const line = element("li", { class: "item" },
      element("div", { class: "what" },
        element("p", {}, isolated(whom, { class: "name" }), ` ${done} ${end} by `, isolated(by)),
        element("p", { class: "quiet", dir: "auto" }, reason)),
      lift);
    return line;
  }
}

function reported({ at, by, user, text, reason }) {
  return element("li", { class: "item" }, element("div", { class: "what" },
    element("p", {}, isolated(user, { class: "name" }), ": ", element("span", { dir: "auto" }, text)),
    element("p", { class: "quiet" }, "reported by ", isolated(by), `, ${when.format(at)}`, reason && ": ",
      isolated(reason))));
}

function decided({ at, by, action, target, detail }) {
  return element("li", { class: "item" }, element("div", { class: "what" },
    element("p", {}, isolated(by, { class: "name" }), ` ${action} `, isolated(target)),
    element("p", { class: "quiet" }, `${when.format(at)} `, isolated(detail))));
}
