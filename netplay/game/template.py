"""What C{netplay new} writes: a small game that works, and its test."""

from __future__ import annotations

from importlib.util import find_spec
from keyword import iskeyword
from string import Template

from netplay.game.game import NAME
from netplay.game.lobby import Lobby

_GAME = Template('''\
"""
$title: take coins before the others do.

Change anything: `netplay run --dev --load $name.py` goes on with it while it is played.
"""

from netplay.game import Data, Entity, Game, Message, Score, clamp, distance

WIDTH = 10  # the middle is at 0, 0
SPEED = 5  # a second
COINS = 5


class Steer(Message):
    """Go that way: -1 to 1 each."""

    dx: float
    dy: float


class Walker(Entity):  # what everyone sees of a player
    x: float = 0
    y: float = 0
    coins: int = 0


class Coin(Entity):
    x: float
    y: float


class Seat(Data):  # what only the server knows of a player
    dx: float = 0
    dy: float = 0


class $title(Game):
    """Take $enough coins before the others do."""

    name, api, players = "$name", 1, (1, 8)
    messages, seat = [Steer], Seat
    starts, countdown = "at once", 0  # or "ready": when all have said so
    most = Score("coins")

    def setup(self):  # a round begins: this is a new object
        for _ in range(COINS):
            self.add_coin()

    def joined(self, player):
        player.entity = self.add(Walker(), owner=player)

    def on_steer(self, player, message):  # its fields are numbers, but any numbers
        player.seat.dx, player.seat.dy = clamp(message.dx, 1), clamp(message.dy, 1)

    def tick(self, dt):  # 20 times a second
        for player in self.seated:
            walker, seat = player.entity, player.seat
            walker.x = clamp(walker.x + seat.dx * SPEED * dt, WIDTH)
            walker.y = clamp(walker.y + seat.dy * SPEED * dt, WIDTH)
            for coin in self.all(Coin):
                if distance(walker, coin) < 1:
                    self.take(player, coin)

    def take(self, player, coin):
        self.remove(coin)
        self.after(1, self.add_coin)  # in a second there is another
        player.entity.coins += 1
        self.event("taken", player=player.id)
        if player.entity.coins == $enough:
            self.most.record(player, player.entity.coins)
            self.over(winner=player.id)

    def add_coin(self):
        self.add(Coin(x=self.random.uniform(-WIDTH, WIDTH), y=self.random.uniform(-WIDTH, WIDTH)))
''')

_TEST = Template('''\
"""Tests of $title: no server, no waiting. Run them with pytest."""

from $name import COINS, SPEED, Coin, Steer, $title

from netplay.game.testing import play


def test_a_player_walks_where_it_steers():
    room = play($title, ["ann", "bob"])
    room.act("ann", Steer(1, 0))
    room.advance(1)
    assert room.view("bob").entities["ann"]["x"] == SPEED
    assert room.view("bob").entities["bob"]["x"] == 0


def test_nobody_walks_faster_than_that():
    room = play($title, ["ann"])
    room.send("ann", {"type": "act", "do": "steer", "dx": 1000, "dy": 0})
    room.advance(1)
    assert room.view("ann").entities["ann"]["x"] == SPEED


def test_a_coin_is_taken_and_another_comes():
    room = play($title, ["ann"])
    ann, coin = room.world.seated[0].entity, room.world.all(Coin)[0]
    ann.x, ann.y = coin.x, coin.y
    room.advance(0.05)
    assert room.view("ann").entities["ann"]["coins"] >= 1
    assert {"event": "taken", "player": "ann"} in room.events("ann")
    room.advance(1)
    assert room.view("ann").count("coin") == COINS


def test_whoever_has_enough_wins():
    room = play($title, ["ann"])
    ann = room.world.seated[0].entity
    while room.world.playing:
        coin = room.world.all(Coin)[0]
        ann.x, ann.y = coin.x, coin.y
        room.advance(1.05)
    assert room.events("ann")[-1] == {"over": {"winner": "ann"}}
''')

_NEXT = Template("""\
$name.py is the game, test_$name.py its test.

pytest test_$name.py                  runs the test (pip install pytest)
netplay run --dev --load $name.py     plays it, and goes on with what you change while it is played

Then open http://localhost:8080/ in a browser, or type `nc localhost 5555` and paste
{"type": "join", "game": "$name"}
{"type": "act", "do": "steer", "dx": 1, "dy": 0}
""")

ENOUGH = 10
"""Coins with which a player wins."""


def files(name: str) -> dict[str, str]:
    """
    A game of that name, and its test, by the names of their files.

    @raise ValueError: no game can be called that, or no module.
    """
    if not NAME.fullmatch(name):
        raise ValueError("a game is called by one lower-case word, such as treasure")
    if iskeyword(name) or iskeyword(_title(name)) or find_spec(name) is not None:
        raise ValueError(f"{name} means something in Python; take another word, such as treasure")
    if name == Lobby.NAME:
        raise ValueError("that is where players are before they join; take another word, such as treasure")
    return {f"{name}.py": _filled(_GAME, name), f"test_{name}.py": _filled(_TEST, name)}


def what_next(name: str) -> str:
    """What to type once the files are there."""
    return _filled(_NEXT, name)


def _filled(template: Template, name: str) -> str:
    return template.substitute(name=name, title=_title(name), enough=ENOUGH)


def _title(name: str) -> str:
    """C{power_up} -> C{PowerUp}; another word for what a game imports already."""
    title = "".join(part.capitalize() for part in name.split("_"))
    return f"{title}Game" if title in _TAKEN else title


_TAKEN = frozenset({"Coin", "Data", "Entity", "Game", "Message", "Score", "Seat", "Steer", "Walker"})
