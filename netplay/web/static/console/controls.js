/** What a player wants, from keys, buttons and fingers: directions that are held, and strokes of the space bar. */

const KEYS = {
  ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right",
  KeyW: "up", KeyS: "down", KeyA: "left", KeyD: "right",
};

const WAYS = { up: [0, -1], down: [0, 1], left: [-1, 0], right: [1, 0] };

/** A finger points straight ahead, not diagonally, when it is so much further that way than the other. */
const STRAIGHT = 2.4; // the tangent of 67.5 degrees

export class Controls {
  #held = new Map(); // what holds it -> [dx, dy]
  #pressed;
  #rested;

  /**
   * @param {HTMLElement} field - where keys and fingers count.
   * @param {Iterable<HTMLElement>} buttons - with the direction in `data-move`.
   * @param {object} heard
   * @param {() => void} heard.pressed - something is held.
   * @param {() => void} [heard.rested] - nothing is held any more.
   * @param {() => void} [heard.stroke] - of the space bar.
   * @param {() => {x: number, y: number}} [heard.middle] - from where fingers point, in pixels of the field.
   */
  constructor(field, buttons, { pressed, rested = () => {}, stroke = () => {}, middle = () => centre(field) }) {
    this.#pressed = pressed;
    this.#rested = rested;
    field.addEventListener("keydown", (event) => {
      if (event.code in KEYS && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        if (!event.repeat) this.#hold(event.code, WAYS[KEYS[event.code]]);
      } else if (event.code === "Space") {
        event.preventDefault();
        if (!event.repeat) stroke();
      }
    });
    field.addEventListener("keyup", ({ code }) => this.#release(code));
    field.addEventListener("blur", () => this.release());
    field.addEventListener("pointerdown", (event) => {
      field.setPointerCapture(event.pointerId);
      this.#hold(event.pointerId, towards(field, event, middle()));
    });
    field.addEventListener("pointermove", (event) => {
      if (this.#held.has(event.pointerId)) this.#held.set(event.pointerId, towards(field, event, middle()));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      field.addEventListener(end, ({ pointerId }) => this.#release(pointerId));
    }
    for (const button of buttons) {
      const way = WAYS[button.dataset.move];
      button.addEventListener("pointerdown", () => this.#hold(button, way));
      for (const end of ["pointerup", "pointerleave", "pointercancel"]) {
        button.addEventListener(end, () => this.#release(button));
      }
      button.addEventListener("click", ({ detail }) => {
        if (detail !== 0) return;
        this.#hold(button, way); // by keyboard
        this.#release(button);
      });
    }
  }

  /** The direction that all that is held comes to: [dx, dy], each -1, 0 or 1. */
  get direction() {
    let [dx, dy] = [0, 0];
    for (const [right, down] of this.#held.values()) {
      dx += right;
      dy += down;
    }
    return [Math.sign(dx), Math.sign(dy)];
  }

  /** Nothing is held any more. */
  release() {
    this.#held.clear();
    this.#rested();
  }

  #hold(holder, way) {
    this.#held.set(holder, way);
    this.#pressed();
  }

  #release(holder) {
    if (this.#held.delete(holder) && this.#held.size === 0) this.#rested();
  }
}

const centre = ({ clientWidth, clientHeight }) => ({ x: clientWidth / 2, y: clientHeight / 2 });

/** The direction in which a finger is, seen from a point of the field. */
function towards(field, { clientX, clientY }, middle) {
  const { left, top } = field.getBoundingClientRect();
  const [x, y] = [clientX - left - middle.x, clientY - top - middle.y];
  return [
    Math.abs(y) > STRAIGHT * Math.abs(x) ? 0 : Math.sign(x),
    Math.abs(x) > STRAIGHT * Math.abs(y) ? 0 : Math.sign(y),
  ];
}
