"""Noughts and crosses: a game with turns."""

from typing import Annotated

from msgspec import Meta

from netplay.game import Entity, Game, Message, Turns

LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]


class Put(Message):
    """Put your mark into a cell; they are numbered line by line."""

    cell: Annotated[int, Meta(ge=0, le=8)]


class Side(Entity):
    mark: str = ""


class Board(Entity):
    cells: str = "........."
    turn: str | None = None


class Noughts(Game):
    """Three in a row."""

    name, api, players = "noughts", 1, (2, 2)
    messages, starts, join_in = [Put], "full", False

    def setup(self):
        self.board = self.add(Board(), id="board")

    def joined(self, player):
        player.entity = self.add(Side(), owner=player)

    def start(self):
        self.turns = Turns(self.seated)
        for player, mark in zip(self.seated, "xo", strict=True):
            player.entity.mark = mark
        self.board.turn = self.turns.player.id

    def on_put(self, player, message):
        self.turns.check(player)
        board, mark = self.board, player.entity.mark
        if board.cells[message.cell] != ".":
            self.refuse("that cell is taken", "$.cell")
        board.cells = board.cells[: message.cell] + mark + board.cells[message.cell + 1 :]
        if any(all(board.cells[n] == mark for n in line) for line in LINES):
            self.over(winner=player.id)
        elif "." not in board.cells:
            self.over(winner=None)
        board.turn = self.turns.next().id

    def left(self, player):
        if self.playing:
            self.over(winner=self.seated[0].id)
