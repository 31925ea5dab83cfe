// An arena written straightforwardly with Colyseus: the same ground, walks, collisions, stars and powers as netplay's,
// in a simulation interval, with a schema; it sends a patch 20 times a second. Players have the number of their last
// input that has taken effect, from which clients predict as netplay's do, and as Colyseus's own tutorial does.
// node colyseus_arena.mjs PORT MODULES GAME PLAYERS_PER_ROOM GROUND [bare: without these numbers]
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [port, modules, game, seats, ground, bare] = process.argv.slice(2);
const load = createRequire(resolve(modules) + "/");
const { Server, Room } = load("@colyseus/core");
const { WebSocketTransport } = load("@colyseus/ws-transport");
const { schema, t } = load("@colyseus/schema");

const INTERVAL = 50, TICKS = 20, TILE = 40, RADIUS = 16;
const MARKS = ground.replaceAll("\n", ""), COLUMNS = ground.indexOf("\n");
const TILES = Array.from(MARKS, (_, tile) => tile), FLOOR = TILES.filter((tile) => MARKS[tile] !== "#");
const SPOTS = TILES.filter((tile) => MARKS[tile] === "+");
const POWERS = ["speed", "strength", "magic"];

const Player = schema({
  x: t.int16(), y: t.int16(), vx: t.int8(), vy: t.int8(), team: t.string(), score: t.uint16(), power: t.string(),
  ...(bare ? {} : { seq: t.uint16() }),
}, "Player");
const Thing = schema({ x: t.int16(), y: t.int16(), power: t.string() }, "Thing");
const State = schema({ players: t.map(Player), things: t.map(Thing) }, "State");

const any = (list) => list[Math.floor(Math.random() * list.length)];
const within = (value, most) => Math.max(-most, Math.min(most, value));
const tileAt = (x, y) => Math.floor(y / TILE) * COLUMNS + Math.floor(x / TILE);
const centre = (tile) => [(tile % COLUMNS) * TILE + TILE / 2, Math.floor(tile / COLUMNS) * TILE + TILE / 2];

/** Out of the walls beside the tile of a point. */
function settle(x, y) {
  const tile = tileAt(x, y), left = (tile % COLUMNS) * TILE, top = Math.floor(tile / COLUMNS) * TILE;
  if (MARKS[tile - 1] === "#") x = Math.max(x, left + RADIUS);
  if (MARKS[tile + 1] === "#") x = Math.min(x, left + TILE - RADIUS);
  if (MARKS[tile - COLUMNS] === "#") y = Math.max(y, top + RADIUS);
  if (MARKS[tile + COLUMNS] === "#") y = Math.min(y, top + TILE - RADIUS);
  return [x, y];
}

class Arena extends Room {
  maxClients = Number(seats);
  patchRate = INTERVAL;
  state = new State();
  held = new Map();
  tick = 0;

  onCreate() {
    this.onMessage("input", (client, { right, down, seq }) => this.held.set(client.sessionId, [right, down, seq]));
    this.setSimulationInterval(() => this.advance(), INTERVAL);
  }

  onJoin(client) {
    const player = new Player();
    player.team = this.state.players.size % 2 ? "blue" : "red";
    player.score = player.vx = player.vy = 0;
    if (!bare) player.seq = 0;
    player.power = "";
    [player.x, player.y] = centre(any(TILES.filter((tile) => MARKS[tile] === player.team[0])));
    this.state.players.set(client.sessionId, player);
    this.held.set(client.sessionId, [0, 0, 0]);
  }

  onLeave(client) {
    this.state.players.delete(client.sessionId);
    this.held.delete(client.sessionId);
  }

  advance() {
    if (this.tick++ % TICKS === 0) this.sprinkle();
    const players = [];
    for (const [id, player] of this.state.players) {
      this.move(player, ...this.held.get(id));
      players.push(player);
    }
    const solid = players.filter((player) => player.power !== "magic").sort((a, b) => a.x - b.x);
    for (let first = 0; first < solid.length; first++) {
      for (let second = first + 1; second < solid.length; second++) {
        if (solid[second].x - solid[first].x >= 2 * RADIUS) break;
        this.collide(solid[first], solid[second]);
      }
    }
    for (const player of players) this.take(player);
  }

  move(player, right, down, seq) {
    if (!bare) player.seq = seq;
    const [straight, diagonal] = player.power === "speed" ? [10, 7] : [7, 5];
    const pace = right && down ? diagonal : straight;
    const dx = within(right * pace + player.vx, 11), dy = within(down * pace + player.vy, 11);
    player.vx = Math.trunc(player.vx * 0.875);
    player.vy = Math.trunc(player.vy * 0.875);
    if (dx || dy) [player.x, player.y] = settle(player.x + dx, player.y + dy);
    if (player.power && this.tick >= player.until) player.power = "";
  }

  collide(a, b) {
    const dx = b.x - a.x, dy = b.y - a.y, gap = Math.hypot(dx, dy);
    if (gap >= 2 * RADIUS) return;
    const nx = gap ? dx / gap : 1, ny = gap ? dy / gap : 0, push = within((2 * RADIUS - gap) / 2, 8);
    for (const [player, sign, other] of [[a, -1, b], [b, 1, a]]) {
      const force = sign * (other.power === "strength" ? 12 : 5);
      player.vx = Math.trunc(within(player.vx + force * nx, 24));
      player.vy = Math.trunc(within(player.vy + force * ny, 24));
      [player.x, player.y] = settle(Math.round(player.x + sign * push * nx), Math.round(player.y + sign * push * ny));
    }
  }

  take(player) {
    const at = String(tileAt(player.x, player.y)), thing = this.state.things.get(at);
    if (!thing) return;
    this.state.things.delete(at);
    if (thing.power) {
      player.power = thing.power;
      player.until = this.tick + 8 * TICKS;
    } else {
      player.score++;
    }
  }

  sprinkle() {
    const { players, things } = this.state;
    for (let missing = 10 + players.size - things.size; missing > 0; missing--) this.lay(any(FLOOR), "");
    if (this.tick % (4 * TICKS) === 1) for (let n = 0; n <= players.size / 8; n++) this.lay(any(SPOTS), any(POWERS));
  }

  lay(tile, power) {
    const thing = new Thing();
    [thing.x, thing.y] = centre(tile);
    thing.power = power;
    if (!this.state.things.has(String(tile))) this.state.things.set(String(tile), thing);
  }
}

const server = new Server({ transport: new WebSocketTransport(), greet: false });
server.define(game, Arena);
server.listen(Number(port), "127.0.0.1");
