/** Who one is: logging in, and making an account where the server lets one. */

import { byId } from "./dom.js";
import { complain } from "./toasts.js";

export class AccountForm {
  #chat;
  #done;

  /**
   * @param {import("../netplay.js").Feature} chat
   * @param {(roles: string[]) => void} done - one is logged in now.
   */
  constructor(chat, done) {
    this.#chat = chat;
    this.#done = done;
    chat.on("login_required", () => this.#ask());
    byId("login-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#go(event.submitter?.value === "register");
    });
  }

  #ask() {
    byId("account").open = true;
    byId("login-user").focus();
  }

  async #go(register) {
    const credentials = { user: byId("login-user").value.trim(), password: byId("login-password").value };
    try {
      if (register) await this.#chat.request({ type: "register", ...credentials });
      const { roles } = await this.#chat.login(credentials);
      byId("login-password").value = "";
      byId("account").open = false;
      this.#done(roles);
    } catch (error) {
      complain(error);
    }
  }
}
