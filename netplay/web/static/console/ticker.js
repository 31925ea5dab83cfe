/** The ticker: live prices, a chart of one of them, and alerts. */

import { Chart, money } from "./chart.js";
import { byId, element, isolated, prepend, press, refill } from "./dom.js";
import { complain, toast } from "./toasts.js";

/** Points and candles in a chart. */
const [MOST_POINTS, MOST_CANDLES] = [180, 60];

/** Seconds that a candle may tell of; it is the first in which the price has changed a few times. */
const CANDLES = [1, 2, 5, 10, 15, 30, 60, 300, 900, 3600];

/** Changes of a price in a candle, as a rule. */
const CHANGES = 5;

/** Alerts that have fired, as shown. */
const MOST_FIRED = 20;

/** Rows of the table. */
const MOST_ROWS = 500;

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export class Ticker {
  #ticker;
  #chart = new Chart(byId("chart"), (price) => this.#setAlert(price));
  #quotes = new Map(); // symbol -> {price, emoji, change}
  #rows = new Map();
  #symbol = null;
  #candles = false;
  #points = [];
  #alerts = new Map();

  /** @param {import("../netplay.js").Feature} ticker */
  constructor(ticker) {
    this.#ticker = ticker;
    ticker.on("ready", ({ resumed }) => this.#ready(resumed));
    ticker.on("snapshot", ({ prices }) => this.#prices(prices));
    ticker.on("price_update", ({ updates, at }) => this.#update(updates, at));
    ticker.on("alert", (alerted) => this.#fired(alerted));
    byId("chart-line").addEventListener("click", () => this.#kind(false));
    byId("chart-candles").addEventListener("click", () => this.#kind(true));
    byId("alert-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#setAlert(byId("alert-price").valueAsNumber);
    });
  }

  // Coming and coming back

  async #ready(resumed) {
    const before = [...this.#alerts.values()];
    if (this.#symbol !== null) this.#history(); // what was missed
    try {
      if (!resumed) {
        this.#prices((await this.#ticker.request({ type: "subscribe", symbols: ["*"] })).prices);
        for (const { symbol, direction, threshold, once } of before) {
          await this.#ticker.request({ type: "alert", symbol, [direction]: threshold, once });
        }
      }
      await this.#listAlerts();
    } catch (error) {
      complain(error);
    }
  }

  // Prices

  #prices(prices) {
    for (const [symbol, quote] of Object.entries(prices)) this.#quotes.set(symbol, { change: 0, ...quote });
    for (const symbol of Object.keys(prices)) this.#drawRow(symbol);
    if (this.#symbol === null && this.#quotes.size > 0) this.#choose([...this.#quotes.keys()][0]);
  }

  #update(updates, at) {
    for (const [symbol, quote] of Object.entries(updates)) {
      this.#quotes.set(symbol, quote);
      this.#drawRow(symbol);
    }
    const own = updates[this.#symbol];
    if (own === undefined) return;
    this.#points.push([at, own.price]);
    this.#drawChart();
  }

  #drawRow(symbol) {
    if (!this.#rows.has(symbol)) {
      if (this.#rows.size >= MOST_ROWS) return;
      const row = this.#newRow(symbol);
      this.#rows.set(symbol, row);
      byId("ticker-prices").append(row);
    }
    const { price, change } = this.#quotes.get(symbol);
    const [, priceCell, changeCell] = this.#rows.get(symbol).cells;
    priceCell.textContent = money(price);
    changeCell.textContent = `${change > 0 ? "▲ +" : change < 0 ? "▼ −" : ""}${money(Math.abs(change))}`;
    changeCell.dataset.trend = Math.sign(change);
    priceCell.getAnimations().forEach((animation) => animation.cancel());
    if (change !== 0) priceCell.animate({ opacity: [0.45, 1] }, 500);
  }

  #newRow(symbol) {
    const button = element("button", { class: "item", onclick: () => this.#choose(symbol) },
      element("span", { "aria-hidden": "true" }, this.#quotes.get(symbol).emoji ?? ""), " ", isolated(symbol));
    return element("tr", {}, element("th", { scope: "row" }, button),
      element("td", { class: "number" }), element("td", { class: "number change" }));
  }

  // The chart

  #choose(symbol) {
    this.#rows.get(this.#symbol)?.querySelector("button").removeAttribute("aria-current");
    this.#rows.get(symbol)?.querySelector("button").setAttribute("aria-current", "true");
    this.#symbol = symbol;
    byId("chart-title").replaceChildren(isolated(symbol));
    byId("alert-price").value = money(this.#quotes.get(symbol).price);
    this.#points = [];
    this.#history();
  }

  #kind(candles) {
    this.#candles = candles;
    press(byId("chart-line"), !candles);
    press(byId("chart-candles"), candles);
    this.#drawChart();
  }

  async #history() {
    const symbol = this.#symbol;
    try {
      const { points } = await this.#ticker.request({ type: "history", symbol, limit: MOST_CANDLES * CHANGES * 2 });
      if (symbol !== this.#symbol) return; // another was chosen by now
      const last = points.at(-1)?.[0] ?? 0;
      this.#points = [...points, ...this.#points.filter(([at]) => at > last)];
      this.#drawChart();
    } catch (error) {
      complain(error);
    }
  }

  #drawChart() {
    const most = MOST_CANDLES * CHANGES * 2;
    if (this.#points.length > 2 * most) this.#points = this.#points.slice(-most);
    const length = candleLength(this.#points);
    const alerts = [...this.#alerts.values()].filter(({ symbol }) => symbol === this.#symbol);
    const shown = this.#candles
      ? { candles: candlesOf(this.#points, length).slice(-MOST_CANDLES), length }
      : { points: this.#points.slice(-MOST_POINTS) };
    this.#chart.show({ symbol: this.#symbol, alerts, ...shown });
  }

  // Alerts

  async #setAlert(threshold) {
    const symbol = this.#symbol;
    const direction = threshold > this.#quotes.get(symbol).price ? "above" : "below";
    const once = byId("alert-once").checked;
    try {
      const set = await this.#ticker.request({ type: "alert", symbol, [direction]: threshold, once });
      this.#alerts.set(set.alert, set);
      toast(`You will be told when ${symbol} is ${direction} ${money(threshold)}.`);
      this.#drawAlerts();
    } catch (error) {
      complain(error);
    }
  }

  async #listAlerts() {
    const found = new Map();
    for (let after, more = true; more; ) {
      const page = await this.#ticker.request({ type: "alerts", after });
      for (const alert of page.alerts) found.set(alert.alert, alert);
      after = page.alerts.at(-1)?.alert;
      more = page.more ?? false;
    }
    this.#alerts = found;
    this.#drawAlerts();
  }

  async #cancel(alert) {
    try {
      await this.#ticker.request({ type: "cancel_alert", alert });
      this.#alerts.delete(alert);
      this.#drawAlerts();
    } catch (error) {
      complain(error);
    }
  }

  #fired({ alert, symbol, price, threshold, direction, at }) {
    const text = `${clock.format(at)} ${symbol} is ${direction} ${money(threshold)}: ${money(price)}`;
    prepend(byId("alerts-fired"), element("li", { class: "item" }, text), MOST_FIRED);
    toast(text);
    if (this.#alerts.get(alert)?.once) this.#alerts.delete(alert);
    this.#drawAlerts();
  }

  #drawAlerts() {
    refill(byId("alerts"), [...this.#alerts.values()].map((alert) => this.#alertLine(alert)));
    if (this.#symbol !== null) this.#drawChart();
  }

  #alertLine({ alert, symbol, direction, threshold, once }) {
    const text = `${symbol} ${direction} ${money(threshold)}${once ? ", once" : ""}`;
    const cancel = element("button",
      { class: "plain", "aria-label": `Cancel ${text}`, onclick: () => this.#cancel(alert) }, "Cancel");
    return element("li", { class: "item" }, element("span", { class: "name" }, text), cancel);
  }
}

function candleLength(points) {
  const pace = points.length > 1 ? (points.at(-1)[0] - points[0][0]) / (points.length - 1) / 1000 : 1;
  return CANDLES.find((seconds) => seconds >= pace * CHANGES) ?? CANDLES.at(-1);
}

/** Candles of so many seconds, each at a multiple of its length. */
function candlesOf(points, seconds) {
  const candles = [];
  for (const [at, price] of points) {
    const start = at - (at % (seconds * 1000));
    const candle = candles.at(-1);
    if (candle?.[0] === start) {
      candle[2] = Math.max(candle[2], price);
      candle[3] = Math.min(candle[3], price);
      candle[4] = price;
    } else {
      candles.push([start, price, price, price, price]);
    }
  }
  return candles;
}
