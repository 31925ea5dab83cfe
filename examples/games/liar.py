"""Liar's dice: a game in which not everyone sees everything."""

from typing import Annotated

from msgspec import Meta

from netplay.game import Entity, Game, Message, Owner, Turns


class Bid(Message):
    """Under all cups together there are so many dice of this face."""

    count: Annotated[int, Meta(ge=1, le=18)]
    face: Annotated[int, Meta(ge=1, le=6)]


class Liar(Message):
    """There are not as many as was said."""


class Cup(Entity):
    dice: int = 3
    faces: Owner[tuple[int, ...]] = ()  # nobody else sees what lies under it


class Table(Entity):
    turn: str | None = None
    count: int = 0
    face: int = 0


class LiarsDice(Game):
    """Bid higher, or do not believe it."""

    name, api, players = "liar", 1, (2, 6)
    messages, join_in = [Bid, Liar], False

    def setup(self):
        self.table = self.add(Table(), id="table")

    def joined(self, player):
        player.entity = self.add(Cup(), owner=player)

    def start(self):
        self.turns = Turns(self.seated)
        self.roll()

    def roll(self):
        for player in self.turns.order:
            cup = player.entity
            cup.faces = tuple(self.random.randint(1, 6) for _ in range(cup.dice))
        self.table.count = self.table.face = 0
        self.table.turn = self.turns.player.id

    def on_bid(self, player, message):
        self.turns.check(player)
        if (message.count, message.face) <= (self.table.count, self.table.face):
            self.refuse("bid more dice, or as many of a higher face", "$.count")
        self.table.count, self.table.face = message.count, message.face
        self.table.turn = self.turns.next().id

    def on_liar(self, player, message):
        self.turns.check(player)
        if not self.table.count:
            self.refuse("nobody has said anything yet", "$.do")
        cups = {one.id: one.entity.faces for one in self.turns.order}
        found = sum(faces.count(self.table.face) for faces in cups.values())
        loser = player if found >= self.table.count else self.turns.order[-1]  # whoever has moved before
        self.event("shown", cups=cups, found=found, loser=loser.id)
        loser.entity.dice -= 1
        self.turns.give(loser)
        if not loser.entity.dice:
            self.out(loser)
        else:
            self.roll()

    def out(self, player):
        player.entity.faces = ()
        self.turns.remove(player)
        if len(self.turns) == 1:
            self.over(winner=self.turns.player.id)
        else:
            self.roll()

    def left(self, player):
        if self.playing and player in self.turns.order:
            self.out(player)
