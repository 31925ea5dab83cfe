from tag import Steer, Tag

from netplay.game.testing import play


def test_whoever_is_caught_is_it():
    room = play(Tag, ["ann", "bob"], seed=1)
    catcher, runner = room.world.it, next(player for player in room.world.seated if not player.entity.it)
    direction = 1 if runner.entity.x > catcher.entity.x else -1
    room.act(catcher.id, Steer(direction, 0))
    room.advance(10)
    assert room.view("ann").find("runner", it=True).keys() == {runner.id}
    assert room.events("ann")[-1] == {"event": "tagged", "player": runner.id}


def test_nobody_runs_faster_than_they_can():
    room = play(Tag, ["ann", "bob"])
    before = room.view("ann").entities["ann"]["x"]
    room.send("ann", {"type": "act", "do": "steer", "dx": 1000, "dy": 0})
    room.advance(0.5)
    assert abs(room.view("ann").entities["ann"]["x"] - before) < 2.01


def test_breath_is_seen_by_nobody_else():
    room = play(Tag, ["ann", "bob"])
    assert room.view("ann").entities["ann"]["breath"] == 100
    assert "breath" not in room.view("ann").entities["bob"]


def test_someone_is_it_after_a_player_drops():
    room = play(Tag, ["ann", "bob", "cy"], seed=1)
    room.drop("ann")
    room.advance(31)
    assert room.view("bob").count("runner") == 2
    assert room.view("bob").count("runner", it=True) == 1
