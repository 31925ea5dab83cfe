import pytest
from liar import Bid, Liar, LiarsDice

from netplay.errors import Refused
from netplay.game.testing import play


def begun(**cups):
    """Ann is to move, and this lies under the cups."""
    room = play(LiarsDice, cups)
    for player in room.world.seated:
        player.entity.faces = cups[player.id]
        player.entity.dice = len(cups[player.id])
    return room


def test_everyone_sees_only_what_lies_under_the_own_cup():
    room = begun(ann=(1, 2, 2), bob=(6, 6, 6))
    assert room.view("ann").entities["ann"]["faces"] == [1, 2, 2]
    assert room.view("ann").entities["bob"] == {"kind": "cup", "dice": 3}


def test_a_lie_costs_a_die():
    room = begun(ann=(1, 2, 2), bob=(6, 6, 6))
    room.act("ann", Bid(3, 2))
    room.act("bob", Liar())
    [shown] = room.events("bob")
    assert (shown["found"], shown["loser"], shown["cups"]["ann"]) == (2, "ann", [1, 2, 2])
    assert room.view("bob").entities["ann"]["dice"] == 2


def test_so_does_not_believing_the_truth():
    room = begun(ann=(1, 2, 2), bob=(2, 6, 6))
    room.act("ann", Bid(3, 2))
    room.act("bob", Liar())
    assert room.view("bob").entities["table"]["turn"] == "bob"
    assert room.view("bob").entities["bob"]["dice"] == 2


def test_a_bid_is_higher_than_the_last():
    room = begun(ann=(1, 2, 2), bob=(2, 6, 6))
    room.act("ann", Bid(2, 3))
    with pytest.raises(Refused, match="bid more dice"):
        room.act("bob", Bid(2, 3))
    room.act("bob", Bid(2, 4))


def test_whoever_keeps_a_die_wins():
    room = begun(ann=(1,), bob=(2,))
    room.act("ann", Bid(1, 6))
    room.act("bob", Liar())
    assert room.events("ann")[-1] == {"over": {"winner": "bob"}}


def test_whoever_leaves_is_out():
    room = begun(ann=(1,), bob=(2,), cy=(3,))
    room.leave("ann")
    assert room.view("cy").entities["table"]["turn"] == "bob"
    room.leave("bob")
    assert room.events("cy")[-1] == {"over": {"winner": "cy"}}
