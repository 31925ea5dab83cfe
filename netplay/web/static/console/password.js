/** Asks for the password of a room. */

import { byId } from "./dom.js";

/**
 * @param {boolean} again - the one that was given was not right.
 * @returns {Promise<string | null>} null if none is given.
 */
export function askPassword(again) {
  const dialog = byId("password");
  const input = byId("password-text");
  byId("password-why").textContent = again ? "That is not its password." : "This room takes a password.";
  input.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "join" ? input.value : null);
    byId("password-form").onsubmit = (event) => {
      event.preventDefault();
      dialog.close("join");
    };
    byId("password-cancel").onclick = () => dialog.close();
  });
}
