"""The rules of the arena."""

from __future__ import annotations

from netplay.game import Data, Game, Near, Player, Score, Timer
from netplay.game.games.arena.entities import MAGIC, POWERS, SPEED, STRENGTH, Ground, PowerUp, Runner, Star
from netplay.game.games.arena.maps import large, small
from netplay.game.games.arena.physics import advance, collide, touching, walk
from netplay.game.games.arena.terrain import Terrain
from netplay.game.messages import Seq
from netplay.messages import Request

ROUND = 120.0
"""Seconds."""

POWER = 8.0
"""Seconds until a power-up wears off."""

SAFE = 1.0
"""Seconds after a hit in which one is not hit again."""

SHAKEN = 5
"""Stars that a hit costs, at most."""

HEAVY = 4
"""What the strong weigh."""


class Input(Request, tag="input"):
    """The directions that you hold, until the next one. States acknowledge `seq`."""

    EXAMPLE = {"up": True, "right": True}

    seq: Seq | None = None
    up: bool = False
    down: bool = False
    left: bool = False
    right: bool = False


class Seat(Data):
    """The held directions; what ends the power; the tick until which one is not hit again."""

    right: int = 0
    down: int = 0
    wearing: Timer | None = None
    safe: int = 0


class Arena(Game):
    """
    Two teams collect stars among walls.

    🚀 makes fast. 💪 makes heavy: whoever of the other team is run into flies off and loses stars. ✨ lets one pass
    through everyone, and draws what lies on the tiles around.
    """

    name, api, players = "arena", 1, (1, 25)
    teams = ("red", "blue")
    messages, seat = (Input,), Seat
    starts = "at once"
    most_stars = Score("stars")

    def map(self) -> Terrain:
        """On what it is played."""
        return small()

    def setup(self) -> None:
        """Stars and power-ups are kept by the tile on which they lie, one on each at most."""
        self.terrain = self.map()
        self.floor = self.terrain.floor()
        self.bases: dict[str | None, list[int]] = {team: self.terrain.places(team[0]) for team in self.teams}
        self.spots = self.terrain.places("+")
        self.ground = self.add(Ground(rows=self.terrain.rows))
        self.things: dict[int, Star | PowerUp] = {}
        self.sprinkle()
        self.offer()

    def joined(self, player: Player) -> None:
        player.entity = self.add(Runner(), owner=player)
        self.place(player)

    def start(self) -> None:
        for player in self.seated:
            self.place(player)  # the team may have changed
        self.ground.ends = self.after(ROUND, self.finish).due
        self.every(1, self.sprinkle)
        self.every(4, self.offer)

    def away(self, player: Player) -> None:
        self.hold(player, 0, 0)

    def on_input(self, player: Player, message: Input) -> None:
        self.hold(player, message.right - message.left, message.down - message.up)

    def tick(self, dt: float) -> None:
        terrain, things = self.terrain, self.things
        runners: list[Runner] = [player.entity for player in self.seated]
        for runner in runners:
            advance(runner, terrain)
        for a, b in touching([runner for runner in runners if runner.power != MAGIC]):
            if collide(a, b, terrain):
                self.met(a, b)
                self.met(b, a)
        for runner, tile in zip(runners, terrain.tiles(runners), strict=True):
            if tile in things:
                self.take(runner, tile)
            if runner.power == MAGIC:
                for near in terrain.around(tile):
                    if near in things:
                        self.take(runner, near)

    # Players

    def place(self, player: Player) -> None:
        """Where its team begins."""
        runner = player.entity
        runner.team = player.team
        runner.x, runner.y = self.terrain.centre(self.random.choice(self.bases[player.team]))

    def hold(self, player: Player, right: int, down: int) -> None:
        """It walks that way from now on."""
        player.seat.right, player.seat.down = right, down
        runner = player.entity
        runner.wx, runner.wy = walk(right, down, runner.power == SPEED)

    def empower(self, player: Player, power: str | None) -> None:
        """It has this power from now on, instead of the one it had."""
        seat, runner = player.seat, player.entity
        runner.power = power
        runner.weight = HEAVY if power == STRENGTH else 1
        self.hold(player, seat.right, seat.down)
        if seat.wearing is not None:
            self.cancel(seat.wearing)
        seat.wearing = None if power is None else self.after(POWER, self.empower, player, None)

    def met(self, runner: Runner, other: Runner) -> None:
        """One has run into another: if it is strong, and they are no friends, the other loses stars."""
        seat = other.owner.seat
        if runner.power != STRENGTH or other.power == STRENGTH or runner.team == other.team or self.ticks < seat.safe:
            return
        seat.safe = self.ticks + round(SAFE * self.tick_rate)
        lost = min(other.score, SHAKEN)
        other.score -= lost
        around = [tile for tile in self.terrain.around(self.terrain.tile(other.x, other.y)) if tile not in self.things]
        for tile in around[:lost]:
            self.lay(tile)
        self.event("hit", player=other.id, by=runner.id, stars=lost)

    # Things

    def lay(self, tile: int, power: str | None = None) -> None:
        """A power-up, or else a star, lies on a tile on which there is nothing."""
        x, y = self.terrain.centre(tile)
        self.things[tile] = self.add(PowerUp(x=x, y=y, power=power) if power else Star(x=x, y=y))

    def take(self, runner: Runner, tile: int) -> None:
        """Somebody has come to where something lies."""
        thing = self.things.pop(tile)
        self.remove(thing)
        if isinstance(thing, Star):
            runner.score += 1
        else:
            self.empower(runner.owner, thing.power)

    def sprinkle(self) -> None:
        """There are stars enough for all again."""
        for _ in range(10 + len(self.seated) - len(self.all(Star))):
            tile = self.random.choice(self.floor)
            if tile not in self.things:
                self.lay(tile)

    def offer(self) -> None:
        """A few more power-ups, where there is none."""
        for _ in range(1 + len(self.seated) // 8):
            tile = self.random.choice(self.spots)
            if tile not in self.things:
                self.lay(tile, self.random.choice(POWERS))

    # The end

    def finish(self) -> None:
        """The team with more stars wins, and whoever has most of all; nobody, if two have as many."""
        teams = dict.fromkeys(self.teams, 0)
        for player in self.seated:
            teams[player.entity.team] += player.entity.score
            self.most_stars.record(player, player.entity.score)
        players = {player.id: player.entity.score for player in self.seated}
        self.over(team=first(teams), winner=first(players), stars=teams)


class Crowd(Arena):
    """The arena on a large map: five hundred play, each sees what is near."""

    name, players = "crowd", (1, 500)
    interest = Near(400)

    def map(self) -> Terrain:
        return large()


def first(scores: dict[str, int]) -> str | None:
    """Who has most, if it is one alone."""
    most = max(scores.values(), default=0)
    leaders = [who for who, score in scores.items() if score == most]
    return leaders[0] if len(leaders) == 1 else None
