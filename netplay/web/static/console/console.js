/** The console: one connection, and a view for each of its features. */

import { connect } from "../netplay.js";
import { Account } from "./account.js";
import { Chat } from "./chat.js";
import { byId } from "./dom.js";
import { Game } from "./game.js";
import { Lag } from "./lag.js";
import { MessagesPanel } from "./messages-panel.js";
import { SlowReader } from "./slow-reader.js";
import { Status } from "./status.js";
import { Ticker } from "./ticker.js";

const VIEWS = ["chat", "game", "ticker", "messages"];

const lag = new Lag();
const net = connect({ pausable: true, transit: (way, deliver) => lag.transit(way, deliver) });
new Status(net);
new MessagesPanel(net);
new SlowReader(net);
const account = new Account();

function turnTo(name) {
  const feature = net.feature(name);
  account.watch(feature);
  return feature;
}

/** A feature is turned to when it is first looked at: nobody is a player who only came to chat. */
const builders = {
  chat: () => new Chat(turnTo("chat")),
  game: () => new Game(turnTo("game"), lag),
  ticker: () => new Ticker(turnTo("ticker")),
};
const built = {};

function show() {
  const asked = location.hash.slice(1).replace(/^join=.*/, "game"); // a link to a room
  if (!VIEWS.includes(asked) && asked !== "") return; // a link within the page
  const name = asked || VIEWS[0];
  for (const view of VIEWS) byId(view).hidden = view !== name;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${name[0].toUpperCase()}${name.slice(1)} · netplay`;
  if (name in builders) built[name] ??= builders[name]();
  built[name]?.shown?.();
  scrollTo(0, 0);
}

addEventListener("hashchange", show);
byId("main").classList.add("ready");
show();
