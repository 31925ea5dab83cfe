/** Short notes at the edge of the page, which go by themselves and are read out. */

import { append, byId, element } from "./dom.js";

const SHOWN_FOR = 6000; // milliseconds

const MOST = 4;

/** @param {string} text */
export function toast(text) {
  const note = element("p", { class: "toast" }, text);
  append(byId("toasts"), note, MOST);
  setTimeout(() => note.remove(), SHOWN_FOR);
}

/** Say why something was not done. Whoever just came back need not be told that the connection was gone. */
export function complain(error) {
  if (error.code !== "disconnected") toast(error.message);
}

/**
 * Copy a text. Browsers let pages do that on HTTPS and localhost only.
 *
 * @param {string} text
 * @param {string} copied - what to say then.
 * @param {string} instead - what somebody can do where it is not to be had.
 */
export async function copy(text, copied, instead) {
  try {
    await navigator.clipboard.writeText(text);
    toast(copied);
  } catch {
    toast(instead);
  }
}
