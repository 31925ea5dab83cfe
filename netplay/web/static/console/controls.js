/** What a player wants, from keys, buttons and fingers: directions that are held, and strokes of the space bar. */

const KEYS = {
  ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right",
  KeyW: "up", KeyS: "down", KeyA: "left", KeyD: "right",
};

const STEPS = { up: [0, -1], down: [0, 1], left: [-1, 0], right: [1, 0] };

/** Milliseconds from one step to the next while a direction is held: well below what the server lets one send. */
const STEP_EVERY = 60;

export class Controls {
  #held = new Map(); // what holds it -> direction
  #timer = null;
  #moved;

  /**
   * @param {HTMLElement} field - where keys and fingers count.
   * @param {Iterable<HTMLElement>} buttons - with the direction in `data-move`.
   * @param {(dx: number, dy: number) => void} moved - one step.
   * @param {() => void} scored
   */
  constructor(field, buttons, moved, scored) {
    this.#moved = moved;
    field.addEventListener("keydown", (event) => {
      if (event.code in KEYS && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        if (!event.repeat) this.#hold(event.code, KEYS[event.code]);
      } else if (event.code === "Space") {
        event.preventDefault();
        if (!event.repeat) scored();
      }
    });
    field.addEventListener("keyup", ({ code }) => this.#release(code));
    field.addEventListener("blur", () => this.release());
    field.addEventListener("pointerdown", (event) => {
      field.setPointerCapture(event.pointerId);
      this.#hold(event.pointerId, towards(field, event));
    });
    field.addEventListener("pointermove", (event) => {
      if (this.#held.has(event.pointerId)) this.#held.set(event.pointerId, towards(field, event));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      field.addEventListener(end, ({ pointerId }) => this.#release(pointerId));
    }
    for (const button of buttons) {
      const direction = button.dataset.move;
      button.addEventListener("pointerdown", () => this.#hold(button, direction));
      for (const end of ["pointerup", "pointerleave", "pointercancel"]) {
        button.addEventListener(end, () => this.#release(button));
      }
      button.addEventListener("click", ({ detail }) => detail === 0 && moved(...STEPS[direction])); // by keyboard
    }
  }

  /** Nothing is held any more. */
  release() {
    this.#held.clear();
    this.#rest();
  }

  #hold(holder, direction) {
    this.#held.set(holder, direction);
    this.#step();
    this.#timer ??= setInterval(() => this.#step(), STEP_EVERY);
  }

  #release(holder) {
    this.#held.delete(holder);
    if (this.#held.size === 0) this.#rest();
  }

  #rest() {
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #step() {
    let [dx, dy] = [0, 0];
    for (const direction of new Set(this.#held.values())) {
      dx += STEPS[direction][0];
      dy += STEPS[direction][1];
    }
    if (dx !== 0 || dy !== 0) this.#moved(dx, dy);
  }
}

/** The direction in which a finger is, seen from the middle of the field. */
function towards(field, { clientX, clientY }) {
  const { left, top, width, height } = field.getBoundingClientRect();
  const [x, y] = [clientX - left - width / 2, clientY - top - height / 2];
  if (Math.abs(x) > Math.abs(y)) return x < 0 ? "left" : "right";
  return y < 0 ? "up" : "down";
}
