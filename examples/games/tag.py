"""Tag: a game with ticks."""

from netplay.game import Data, Entity, Game, Message, Near, Owner, Score, clamp


class Steer(Message):
    """Run that way, from -1 to 1 each."""

    dx: float
    dy: float


class Runner(Entity):
    x: float = 0
    y: float = 0
    it: bool = False
    breath: Owner[float] = 100  # only its own player sees it


class Seat(Data):  # of each player, on the server alone
    dx: float = 0
    dy: float = 0
    it_for: float = 0


class Tag(Game):
    """Do not be it."""

    name, api, players = "tag", 1, (2, 8)
    messages, seat, interest = [Steer], Seat, Near(8)
    tick_rate, send_rate, digits = 20, 10, 2
    best = Score("least_it", best=min)

    def joined(self, player):
        player.entity = self.add(Runner(x=self.random.uniform(-10, 10)), owner=player)

    def start(self):
        self.after(60, self.finish)
        self.make_it(self.random.choice(self.seated))

    def on_steer(self, player, message):
        player.seat.dx, player.seat.dy = clamp(message.dx, 1), clamp(message.dy, 1)

    def tick(self, dt):
        for player in self.seated:
            runner, seat = player.entity, player.seat
            runs = bool(seat.dx or seat.dy)
            runner.breath = min(100, max(0, runner.breath + (-20 if runs else 30) * dt))
            speed = 4 if runner.breath else 2
            runner.x = clamp(runner.x + seat.dx * speed * dt, 10)
            runner.y = clamp(runner.y + seat.dy * speed * dt, 10)
            seat.it_for += dt * runner.it
        if self.time >= self.counted:
            for player in self.near(self.it, 0.5)[:1]:
                self.make_it(player)

    def make_it(self, chosen):
        self.it = chosen
        self.counted = self.time + 2  # it counts to two, so that the others can run
        for player in self.seated:
            player.entity.it = player is chosen
        self.event("tagged", player=chosen.id)

    def left(self, player):
        if self.playing and player is self.it and self.seated:
            self.make_it(self.random.choice(self.seated))

    def finish(self):
        for player in self.seated:
            self.best.record(player, player.seat.it_for)
        self.over(winner=min(self.seated, key=lambda player: player.seat.it_for).id)
