/** A chart of one price: a line or candles, the time to the right, with the thresholds of alerts. */

import { drawn } from "./dom.js";
import { redrawing } from "./sheet.js";

/** A chart is at least so many candles wide, or a few would be blocks. */
const LEAST_CANDLES = 24;

/** Pixels: for the prices at the right, the times below. */
const [RIGHT, BELOW, ABOVE] = [58, 22, 10];

/** Pixels. */
const LINE_HEIGHT = 13;

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export class Chart {
  #box;
  #shown = null;
  #scale = null;
  #wake;

  /**
   * @param {HTMLElement} box - which it fills.
   * @param {(price: number) => void} chosen - somebody clicked at a price.
   */
  constructor(box, chosen) {
    this.#box = box;
    this.#wake = redrawing(box, () => this.#draw());
    box.addEventListener("click", ({ clientY }) => {
      if (this.#scale !== null) chosen(this.#scale.price(clientY - box.getBoundingClientRect().top));
    });
  }

  /**
   * @param {object} what
   * @param {string} what.symbol
   * @param {[at: number, price: number][]} [what.points] - milliseconds since 1970, and the price.
   * @param {[at: number, open: number, high: number, low: number, close: number][]} [what.candles]
   * @param {number} [what.length] - of a candle, in seconds.
   * @param {{threshold: number, direction: string}[]} what.alerts
   */
  show(what) {
    this.#shown = what;
    this.#wake();
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#box;
    if (width === 0 || this.#shown === null) return; // is not looked at
    const { symbol, points = [], candles = [], length = 0, alerts } = this.#shown;
    const rows = candles.length > 0 ? candles : points;
    if (rows.length === 0) {
      this.#box.replaceChildren();
      return;
    }
    const prices = rows.flatMap((row) => row.slice(1));
    const to = rows.at(-1)[0] + length * 1000;
    const from = Math.min(rows[0][0], to - LEAST_CANDLES * length * 1000);
    const scale = (this.#scale = new Scale(from, to, prices, width, height));
    const last = prices.at(-1);
    const label = `${symbol}: ${money(last)} now, from ${money(Math.min(...prices))} to ${money(Math.max(...prices))}`;
    this.#box.replaceChildren(drawn("svg", { width, height, role: "img", "aria-label": label },
      ...priceLines(scale, last), ...timeMarks(scale),
      ...(candles.length > 0 ? candles.map((candle) => drawnCandle(candle, length, scale)) : line(points, scale)),
      ...alerts.filter(({ threshold }) => scale.shows(threshold)).map((alert) => threshold(alert, scale)),
      drawn("text", { class: "now", x: scale.right + 6, y: scale.y(last) + 4 }, money(last))));
  }
}

/** From times and prices to pixels, and back. */
class Scale {
  constructor(from, to, prices, width, height) {
    const [low, high] = [Math.min(...prices), Math.max(...prices)];
    const room = Math.max((high - low) * 0.15, high * 0.002);
    Object.assign(this, { from, to: Math.max(to, from + 1000), low: low - room, high: high + room });
    Object.assign(this, { width, right: width - RIGHT, bottom: height - BELOW });
  }

  x(at) {
    return ((at - this.from) / (this.to - this.from)) * this.right;
  }

  y(price) {
    return ABOVE + ((this.high - price) / (this.high - this.low)) * (this.bottom - ABOVE);
  }

  price(y) {
    const price = this.high - ((y - ABOVE) / (this.bottom - ABOVE)) * (this.high - this.low);
    return Math.max(0.01, Math.round(price * 100) / 100);
  }

  shows(price) {
    return price > this.low && price < this.high;
  }
}

export const money = (price) => price.toFixed(2);

function priceLines(scale, last) {
  return steps(scale.low, scale.high, 5).flatMap((price) => {
    const y = Math.round(scale.y(price)) + 0.5;
    const line = drawn("line", { class: "grid", x1: 0, x2: scale.right, y1: y, y2: y });
    if (Math.abs(y - scale.y(last)) < LINE_HEIGHT) return [line]; // the price of now stands there
    return [line, drawn("text", { class: "axis", x: scale.right + 6, y: y + 4 }, money(price))];
  });
}

function timeMarks(scale) {
  const count = Math.max(2, Math.min(5, Math.floor(scale.right / 120)));
  return Array.from({ length: count }, (_, n) => {
    const part = n / (count - 1);
    const anchor = n === 0 ? "start" : n === count - 1 ? "end" : "middle";
    const text = clock.format(scale.from + part * (scale.to - scale.from));
    return drawn("text", { class: "axis", x: part * scale.right, y: scale.bottom + 16, "text-anchor": anchor }, text);
  });
}

function line(points, scale) {
  const path = points.map(([at, price]) => `${scale.x(at).toFixed(1)},${scale.y(price).toFixed(1)}`);
  const [first, last] = [scale.x(points[0][0]), scale.x(points.at(-1)[0])];
  return [
    drawn("polygon", { class: "area", points: `${first},${scale.bottom} ${path.join(" ")} ${last},${scale.bottom}` }),
    drawn("polyline", { class: "line", points: path.join(" ") }),
  ];
}

function drawnCandle([at, open, high, low, close], length, scale) {
  const [left, right] = [scale.x(at), scale.x(at + length * 1000)];
  const middle = (left + right) / 2;
  const width = Math.max(1, (right - left) * 0.7);
  const [top, bottom] = [scale.y(Math.max(open, close)), scale.y(Math.min(open, close))];
  return drawn("g", { class: close >= open ? "candle up" : "candle down" },
    drawn("line", { x1: middle, x2: middle, y1: scale.y(high), y2: scale.y(low) }),
    drawn("rect", { x: middle - width / 2, y: top, width, height: Math.max(1, bottom - top) }));
}

function threshold({ threshold, direction }, scale) {
  const y = scale.y(threshold);
  return drawn("g", { class: "threshold" },
    drawn("line", { x1: 0, x2: scale.right, y1: y, y2: y }),
    drawn("text", { x: 4, y: y - 4 }, `${direction} ${money(threshold)}`));
}

/** Round numbers between two, about so many. */
function steps(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const found = [];
  for (let n = Math.ceil(low / step); n * step <= high; n += 1) found.push(n * step);
  return found;
}
