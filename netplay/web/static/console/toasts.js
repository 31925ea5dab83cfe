/** Short notes at the edge of the page, which go by themselves and are read out. */

import { byId, element } from "./dom.js";

const SHOWN_FOR = 6000; // milliseconds

const MOST = 4;

/** @param {string} text */
export function toast(text) {
  const toasts = byId("toasts");
  const note = element("p", { class: "toast" }, text);
  toasts.append(note);
  while (toasts.children.length > MOST) toasts.firstElementChild.remove();
  setTimeout(() => note.remove(), SHOWN_FOR);
}

/** Say why something was not done. Whoever just came back need not be told that the connection was gone. */
export function complain(error) {
  if (error.code !== "disconnected") toast(error.message);
}
