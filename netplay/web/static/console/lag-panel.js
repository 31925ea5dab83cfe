/** The sliders of a slow network. */

import { byId } from "./dom.js";

export class LagPanel {
  #lag;

  /** @param {import("./lag.js").Lag} lag */
  constructor(lag) {
    this.#lag = lag;
    this.#slider("delay", (value) => (lag.delay = value), "ms");
    this.#slider("jitter", (value) => (lag.jitter = value), "ms");
    this.#slider("loss", (value) => (lag.loss = value / 100), "%");
  }

  #slider(name, set, unit) {
    const slider = byId(`lag-${name}`);
    const show = () => {
      set(slider.valueAsNumber);
      byId(`lag-${name}-value`).textContent = `${slider.value} ${unit}`;
      const { delay, jitter, loss } = this.#lag;
      byId("lag-on").textContent = delay + jitter + loss > 0 ? "on" : "";
    };
    slider.addEventListener("input", show);
    show(); // browsers keep what was set before a reload
  }
}
