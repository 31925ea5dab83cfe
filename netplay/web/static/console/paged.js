/** A list that comes page by page. */

import { refill } from "./dom.js";
import { complain } from "./toasts.js";

export class Paged {
  #list;
  #more;
  #lines = [];
  #ask = null;
  #nothing;

  /**
   * @param {HTMLElement} list - where the lines are.
   * @param {HTMLElement} more - the button that asks for the next page.
   * @param {() => HTMLElement} nothing - what is shown when there is no line.
   */
  constructor(list, more, nothing) {
    this.#list = list;
    this.#more = more;
    this.#nothing = nothing;
    more.addEventListener("click", () => this.#next());
  }

  /**
   * Begin anew.
   *
   * @param {(last: any) => Promise<{found: any[], more: boolean}>} ask - for what comes behind the last one, which is
   *   undefined for the first page.
   * @param {(one: any) => HTMLElement} line - how one is shown.
   */
  show(ask, line) {
    const ours = (this.#ask = { ask, line, last: undefined });
    this.#lines = [];
    return this.#next(ours);
  }

  /** Take a line out. The next one's button has the focus then, the list if there is none: it is not to be lost. */
  remove(line) {
    const at = this.#lines.indexOf(line);
    if (at < 0) return; // something else is shown meanwhile
    this.#lines.splice(at, 1);
    this.#fill();
    ((this.#lines[at] ?? this.#lines.at(-1))?.querySelector("button") ?? this.#list).focus();
  }

  async #next(ours = this.#ask) {
    try {
      const { found, more } = await ours.ask(ours.last);
      if (ours !== this.#ask) return; // somebody has asked for something else meanwhile
      ours.last = found.at(-1) ?? ours.last;
      this.#lines.push(...found.map(ours.line));
      this.#fill();
      this.#more.hidden = !more || found.length === 0;
    } catch (error) {
      complain(error);
      if (ours !== this.#ask || ours.last !== undefined) return;
      refill(this.#list, []); // what is there was asked for before
      this.#more.hidden = true;
    }
  }

  #fill() {
    refill(this.#list, this.#lines.length > 0 ? this.#lines : [this.#nothing()]);
  }
}
