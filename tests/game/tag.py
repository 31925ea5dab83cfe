"""A whole game, for tests of all that is around games: whoever is it should not be."""

from __future__ import annotations

from netplay.game import Data, Entity, Game, Message, Near, Owner, Player, Score, clamp


class Steer(Message):
    """Run that way."""

    dx: float
    dy: float


class Runner(Entity):
    """A player."""

    x: float = 0
    y: float = 0
    it: bool = False
    stamina: Owner[float] = 100


class Seat(Data):
    """Where a player wants to go, and for how many seconds it was it."""

    dx: float = 0
    dy: float = 0
    it_for: float = 0


class Tag(Game):
    """Do not be it."""

    name, api, players = "tag", 1, (2, 8)
    tick_rate, send_rate, digits = 20, 10, 2
    messages, seat, interest = [Steer], Seat, Near(8)
    best = Score("least_it", best=min)

    def joined(self, player: Player) -> None:
        player.entity = self.add(Runner(x=self.random.uniform(0, 20)), owner=player)

    def start(self) -> None:
        self.after(60, self.finish)
        self.make_it(self.random.choice(self.seated))

    def on_steer(self, player: Player, message: Steer) -> None:
        if player.seat.dx == message.dx and player.seat.dy == message.dy:
            self.refuse("you run that way already", "$.dx")
        player.seat.dx, player.seat.dy = clamp(message.dx, 1), clamp(message.dy, 1)

    def tick(self, dt: float) -> None:
        for player in self.seated:
            player.entity.x += player.seat.dx * 4 * dt
            player.entity.y += player.seat.dy * 4 * dt
            player.seat.it_for += dt * player.entity.it
        it = next(p for p in self.seated if p.entity.it)
        if caught := self.near(it, 0.5):
            self.make_it(caught[0])

    def make_it(self, chosen: Player) -> None:
        for player in self.seated:
            player.entity.it = player is chosen
        self.event("tagged", player=chosen.id)

    def left(self, player: Player) -> None:
        if self.playing and self.seated:
            self.make_it(self.random.choice(self.seated))

    def finish(self) -> None:
        for player in self.seated:
            self.best.record(player, player.seat.it_for)
        self.over(winner=min(self.seated, key=lambda p: p.seat.it_for).id)
