import pytest
from noughts import Noughts, Put

from netplay.errors import Refused
from netplay.game.testing import play


def test_three_in_a_row_win():
    room = play(Noughts, ["ann", "bob"])
    for player, cell in [("ann", 0), ("bob", 3), ("ann", 1), ("bob", 4), ("ann", 2)]:
        room.act(player, Put(cell))
    assert room.view("bob").entities["board"]["cells"] == "xxxoo...."
    assert room.events("bob")[-1] == {"over": {"winner": "ann"}}


def test_a_full_board_is_a_draw():
    room = play(Noughts, ["ann", "bob"])
    for n, cell in enumerate([0, 1, 2, 4, 3, 5, 7, 6, 8]):
        room.act(["ann", "bob"][n % 2], Put(cell))
    assert room.events("bob")[-1] == {"over": {"winner": None}}


def test_a_taken_cell_is_refused():
    room = play(Noughts, ["ann", "bob"])
    room.act("ann", Put(4))
    with pytest.raises(Refused) as refused:
        room.act("bob", Put(4))
    assert refused.value.field == "$.cell"


def test_out_of_turn_nothing_is_put():
    room = play(Noughts, ["ann", "bob"])
    with pytest.raises(Refused, match="it is the turn of"):
        room.act("bob", Put(4))


def test_there_is_no_tenth_cell():
    room = play(Noughts, ["ann", "bob"])
    with pytest.raises(Refused, match="<= 8"):
        room.send("ann", {"type": "act", "do": "put", "cell": 9})


def test_whoever_stays_has_won():
    room = play(Noughts, ["ann", "bob"])
    room.leave("ann")
    assert room.events("bob")[-1] == {"over": {"winner": "bob"}}
