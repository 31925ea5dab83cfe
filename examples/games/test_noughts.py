import pytest
from noughts import Noughts, Put

from netplay.errors import Refused
from netplay.game.testing import play


def begun():
    room = play(Noughts, ["ann", "bob"], seed=1)
    return room, *(player.id for player in room.world.turns.order)


def test_three_in_a_row_win():
    room, x, o = begun()
    for player, cell in [(x, 0), (o, 3), (x, 1), (o, 4), (x, 2)]:
        room.act(player, Put(cell))
    assert room.view(o).entities["board"]["cells"] == "xxxoo...."
    assert room.events(o)[-1] == {"over": {"winner": x}}


def test_a_full_board_is_a_draw():
    room, x, o = begun()
    for n, cell in enumerate([0, 1, 2, 4, 3, 5, 7, 6, 8]):
        room.act(o if n % 2 else x, Put(cell))
    assert room.events(o)[-1] == {"over": {"winner": None}}


def test_a_taken_cell_is_refused():
    room, x, o = begun()
    room.act(x, Put(4))
    with pytest.raises(Refused) as refused:
        room.act(o, Put(4))
    assert refused.value.field == "$.cell"


def test_out_of_turn_nothing_is_put():
    room, _, o = begun()
    with pytest.raises(Refused, match="it is the turn of"):
        room.act(o, Put(4))


def test_there_is_no_tenth_cell():
    room, x, _ = begun()
    with pytest.raises(Refused, match="<= 8"):
        room.send(x, {"type": "act", "do": "put", "cell": 9})


def test_whoever_stays_has_won():
    room, x, o = begun()
    room.leave(x)
    assert room.events(o)[-1] == {"over": {"winner": o}}
