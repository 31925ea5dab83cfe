"""Whose turn it is, in games in which one moves after the other."""

from __future__ import annotations

from collections.abc import Iterable

from netplay.errors import Refused
from netplay.game.players import Player


class Turns:
    """
    Players who move one after the other.

    @ivar order: whoever is to move first, then the others; whoever has moved last is the last.
    """

    def __init__(self, players: Iterable[Player]) -> None:
        self.order = list(players)

    def __len__(self) -> int:
        return len(self.order)

    @property
    def player(self) -> Player:
        """
        Whoever is to move.

        @raise IndexError: there is nobody.
        """
        return self.order[0]

    def check(self, player: Player) -> None:
        """
        Let nobody move but whose turn it is: the first thing that an C{on_...} calls.

        @raise Refused: it is another's turn.
        """
        if player is not self.player:
            raise Refused("not_allowed", f"it is the turn of {self.player.name}", "$.do")

    def next(self) -> Player:
        """It is the next one's turn: who is returned."""
        self.order.append(self.order.pop(0))
        return self.player

    def give(self, player: Player) -> None:
        """It is the turn of this one, and then of those who come after it."""
        at = self.order.index(player)
        self.order = self.order[at:] + self.order[:at]

    def remove(self, player: Player) -> None:
        """Somebody moves no more; if it was its turn, it is the next one's. Whoever is not among them may be named."""
        if player in self.order:
            self.order.remove(player)
