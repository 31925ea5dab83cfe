"""A game of cards: crazy eights (https://www.pagat.com/eights/crazy8s.html), without further special cards."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from netplay.game import Entity, Game, Message, Owner, Player, Score, Timer, Turns

SUITS = "CDHS"

RANKS = {"A": 1, **{str(n): n for n in range(2, 11)}, "8": 50, "J": 10, "Q": 10, "K": 10}
"""Each with the points that it costs to be left with it."""

DRAWS = 3
"""Cards that one may draw in one turn."""

THINKING = 30.0
"""Seconds for a turn. Then it is played by itself."""

ABSENT = 3.0
"""Seconds for the turn of somebody who is away."""


class Play(Message):
    """Lay a `card` from your hand. An eight goes on everything, and chooses the `suit` that is to follow."""

    card: Annotated[str, Meta(pattern="^([2-9AJQK]|10)[CDHS]$", examples=["10H"])]
    suit: Literal["C", "D", "H", "S"] | None = None


class Draw(Message):
    """Take a card."""


class Pass(Message):
    """It is the next one's turn: once you have drawn what you may."""


class Hand(Entity):
    """What somebody holds: how many cards everyone sees, which ones nobody else."""

    count: int = 0
    cards: Owner[tuple[str, ...]] = ()


class Table(Entity):
    """
    What lies open.

    @ivar top: the card that was laid last.
    @ivar suit: what is to follow: that of the card, or what an eight chose.
    @ivar turn: the player who is to move.
    """

    top: str = ""
    suit: str = ""
    turn: str | None = None


class Eights(Game):
    """Crazy eights: follow suit or rank, eights are wild, and whoever has no card left wins."""

    name, api, players = "eights", 1, (2, 6)
    messages = [Play, Draw, Pass]
    join_in = False
    most_points = Score("points")

    def setup(self) -> None:
        """The C{stock} is drawn from its end."""
        self.table = self.add(Table(), id="table")
        self.stock = [rank + suit for suit in SUITS for rank in RANKS]
        self.random.shuffle(self.stock)
        self.pile: list[str] = []
        self.turns = Turns([])
        self.drawn = self.passed = 0
        self.ends = 0.0
        self.waiting: Timer | None = None

    def joined(self, player: Player) -> None:
        player.entity = self.add(Hand(), owner=player)

    def start(self) -> None:
        self.turns = Turns(self.seated)
        for player in self.turns.order:
            for _ in range(7 if len(self.turns) == 2 else 5):
                self.take(player)
        first = next(card for card in reversed(self.stock) if not is_eight(card))
        self.stock.remove(first)
        self.turn_up(first, suit_of(first))
        self.begin()

    def left(self, player: Player) -> None:
        if not self.playing:
            return
        self.turns.remove(player)
        self.stock[:0] = player.entity.cards
        if len(self.turns) == 1:
            self.finish(self.turns.player)
        elif self.table.turn == player.id:
            self.begin()

    def away(self, player: Player) -> None:
        if self.table.turn == player.id:
            self.wait()

    def back(self, player: Player) -> None:
        if self.table.turn == player.id:
            self.wait()

    # Moves

    def on_play(self, player: Player, message: Play) -> None:
        self.turns.check(player)
        card, suit = message.card, message.suit
        if card not in player.entity.cards:
            self.refuse("you do not hold that card", "$.card")
        if not self.fits(card):
            self.refuse(f"it takes suit {self.table.suit}, rank {rank_of(self.table.top)} or an eight", "$.card")
        if is_eight(card) is (suit is None):
            self.refuse("an eight chooses a suit: C, D, H or S; no other card does", "$.suit")
        self.lay(player, card, suit or suit_of(card))

    def on_draw(self, player: Player, message: Draw) -> None:
        self.turns.check(player)
        if not self.may_draw:
            self.refuse(f"{DRAWS} cards a turn, while there are any: play, or pass", "$.do")
        self.take(player)
        self.drawn += 1
        self.passed = 0

    def on_pass(self, player: Player, message: Pass) -> None:
        self.turns.check(player)
        if self.may_draw:
            self.refuse(f"draw first: up to {DRAWS} cards", "$.do")
        self.passed += 1
        if self.passed == len(self.turns):  # nobody can do anything any more
            self.finish(min(self.turns.order, key=lambda player: points(player.entity.cards)))
        else:
            self.turns.next()
            self.begin()

    def hurry(self) -> None:
        """Time is up: the first card that fits is laid, if there is one or one can be drawn."""
        player = self.turns.player
        hand = player.entity
        while not any(map(self.fits, hand.cards)) and self.may_draw:
            self.on_draw(player, Draw())
        card = next(filter(self.fits, hand.cards), None)
        if card is None:
            self.on_pass(player, Pass())
        else:
            self.lay(player, card, suit_of(card))

    # Turns

    def begin(self) -> None:
        """A turn begins."""
        self.drawn = 0
        self.ends = self.time + THINKING
        self.table.turn = self.turns.player.id
        self.wait()

    def wait(self) -> None:
        """For whoever is to move, and not for long if it is away."""
        if self.waiting is not None:
            self.cancel(self.waiting)
        left = self.ends - self.time  # whoever goes and comes back has no more time than the others
        self.waiting = self.after(min(left, ABSENT) if self.turns.player.away else left, self.hurry)

    def finish(self, winner: Player) -> None:
        """The winner gets what the others still hold, and all lay open their cards."""
        left = {player.id: player.entity.cards for player in self.turns.order}
        others = sum(points(cards) for player, cards in left.items() if player != winner.id)
        self.most_points.record(winner, others)
        self.over(winner=winner.id, points=others, left=left)

    # Cards

    @property
    def may_draw(self) -> bool:
        """Whether whoever is to move may take another card."""
        return self.drawn < DRAWS and len(self.stock) + len(self.pile) > 1

    def fits(self, card: str) -> bool:
        """Whether it may be laid."""
        return is_eight(card) or suit_of(card) == self.table.suit or rank_of(card) == rank_of(self.table.top)

    def take(self, player: Player) -> None:
        """A card goes from the stock to a hand. If there is none, all that was laid but the last becomes the stock."""
        if not self.stock:
            self.stock, self.pile = self.pile[:-1], self.pile[-1:]
            self.random.shuffle(self.stock)
        self.hold(player, (*player.entity.cards, self.stock.pop()))

    def lay(self, player: Player, card: str, suit: str) -> None:
        """A card goes from a hand to the pile."""
        self.hold(player, tuple(held for held in player.entity.cards if held != card))
        self.turn_up(card, suit)
        if player.entity.cards:
            self.turns.next()
            self.begin()
        else:
            self.finish(player)

    def turn_up(self, card: str, suit: str) -> None:
        """A card lies on the pile now."""
        self.pile.append(card)
        self.table.top, self.table.suit = card, suit

    def hold(self, player: Player, cards: tuple[str, ...]) -> None:
        """Somebody holds these."""
        player.entity.cards, player.entity.count = cards, len(cards)


def rank_of(card: str) -> str:
    """C{"10H"} -> C{"10"}."""
    return card[:-1]


def suit_of(card: str) -> str:
    """C{"10H"} -> C{"H"}."""
    return card[-1]


def is_eight(card: str) -> bool:
    """Whether it is wild."""
    return rank_of(card) == "8"


def points(cards: tuple[str, ...]) -> int:
    """What it costs to be left with them."""
    return sum(RANKS[rank_of(card)] for card in cards)
