/** Whatever has an `x` and a `y`, each as a disc with its id, in a picture that grows with the room that they take. */

import { colour } from "./field.js";
import { redrawing, sheet } from "./sheet.js";

/** Pixels around the discs, and of a disc. */
const [MARGIN, RADIUS] = [26, 7];

/** Beyond this nothing is labelled: nobody could read it. */
const MOST_LABELS = 60;

export class Plot {
  #canvas;
  #bounds = null; // {left, top, right, bottom} of all that ever was
  #places = []; // {id, x, y, you}
  #wake;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#wake = redrawing(canvas, () => this.#draw());
  }

  /** Begin anew. */
  clear() {
    this.#bounds = null;
    this.#places = [];
  }

  /**
   * @param {Map<string, Record<string, any>>} entities
   * @param {string | null} own - the id of one's own.
   */
  show(entities, own) {
    this.#places = [...entities]
      .filter(([, { x, y }]) => Number.isFinite(x) && Number.isFinite(y))
      .map(([id, { x, y }]) => ({ id, x, y, you: id === own }));
    for (const { x, y } of this.#places) {
      const { left = x, top = y, right = x, bottom = y } = this.#bounds ?? {};
      this.#bounds = {
        left: Math.min(left, x), top: Math.min(top, y), right: Math.max(right, x), bottom: Math.max(bottom, y),
      };
    }
    this.#canvas.hidden = this.#places.length === 0;
    this.#wake();
  }

  #draw() {
    const { pen, width, height, style } = sheet(this.#canvas);
    if (width === 0 || this.#bounds === null) return;
    const { left, top, right, bottom } = this.#bounds;
    const scale = Math.min((width - 2 * MARGIN) / (right - left || 1), (height - 2 * MARGIN) / (bottom - top || 1));
    for (const { id, x, y, you } of this.#places) {
      const across = (x - (left + right) / 2) * scale + width / 2;
      const down = (y - (top + bottom) / 2) * scale + height / 2;
      pen.fillStyle = colour(id);
      pen.beginPath();
      pen.arc(across, down, RADIUS, 0, 2 * Math.PI);
      pen.fill();
      if (this.#places.length > MOST_LABELS && !you) continue;
      pen.fillStyle = style.getPropertyValue("--text");
      pen.font = `${you ? 700 : 400} 11px ${style.fontFamily}`;
      pen.textAlign = "center";
      pen.fillText(you ? "you" : id, across, down - RADIUS - 4);
    }
  }
}
