/** Who one is, in all views: logging in and out, and making an account where the server lets one. */

import { byId } from "./dom.js";
import { complain } from "./toasts.js";

export class Account {
  #feature = null; // which asks for it: any does, as it holds for the connection

  constructor() {
    byId("account-button").addEventListener("click", () => (this.#feature?.you?.guest === false ? leave() : ask()));
    byId("login-cancel").addEventListener("click", () => byId("login").close());
    byId("login-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#go(event.submitter?.value === "register");
    });
  }

  /** @param {import("../netplay.js").Feature} feature - that is turned to. */
  watch(feature) {
    this.#feature = feature;
    feature.on("login_required", ask);
    feature.on("logged_in", ({ you, roles }) => draw(you.name, ...roles));
    feature.on("ready", () => feature.you.guest && draw()); // the account may be of use no more
  }

  async #go(register) {
    const credentials = { user: byId("login-user").value.trim(), password: byId("login-password").value };
    try {
      await (register ? this.#feature.register(credentials) : this.#feature.login(credentials));
      byId("login-password").value = "";
      byId("login").close();
    } catch (error) {
      complain(error);
    }
  }
}

function ask() {
  if (!byId("login").open) byId("login").showModal();
  byId("login-user").focus();
}

/** A connection is an account's to its end, and the page keeps nothing of it anywhere else. */
function leave() {
  location.reload();
}

/** @param {...string} words - the account's name and its roles; none for a guest. */
function draw(...words) {
  byId("account-who").textContent = words.join(" · ");
  byId("account-button").textContent = words.length > 0 ? "Log out" : "Log in";
}
