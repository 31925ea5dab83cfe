/** Elements. What people have written gets into the page as text only, never as markup. */

export const byId = (id) => document.getElementById(id);

/**
 * A new element.
 *
 * @param {string} name - of its tag.
 * @param {Record<string, any>} attributes - those whose name begins with "on" are listeners; undefined and false ones
 *   are left out.
 * @param {...(Node | string)} children - strings become text.
 */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** A new element of a drawing. */
export function drawn(name, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function filled(made, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** A text whose direction is its own, so that it cannot turn what stands beside it. */
export const isolated = (text, attributes = {}) => element("bdi", attributes, text);

/** Show a button as pressed or not. */
export const press = (button, pressed) => button.setAttribute("aria-pressed", String(pressed));

/** Change a text if it is another: what stays as it is need not be laid out and read out again. */
export function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** A new line on top of those in a list; beyond `most` the last ones go. */
export function prepend(list, line, most) {
  list.prepend(line);
  while (list.children.length > most) list.lastElementChild.remove();
}

/** A new line below those in a list; beyond `most` the first ones go. */
export function append(list, line, most) {
  list.append(line);
  while (list.children.length > most) list.firstElementChild.remove();
}

/** Keep `children` in this order within `parent`, moving no more than needed: focus stays where it is. */
export function arrange(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) {
    if (!wanted.has(child)) child.remove();
  }
  children.forEach((child, at) => {
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  });
}

/** Fill a list anew; a button in it that has the focus keeps it, if there still is one of that name. */
export function refill(parent, children) {
  const focused = parent.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  parent.replaceChildren(...children);
  if (focused === null) return;
  const again = [...parent.querySelectorAll("button")].find((button) => nameOf(button) === focused);
  again?.focus({ preventScroll: true });
}

const nameOf = (button) => button.getAttribute("aria-label") ?? button.querySelector(".name")?.textContent ?? null;
