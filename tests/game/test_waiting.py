"""Tests of L{netplay.game.waiting}: clients who wait for others to play with."""

from __future__ import annotations

from typing import Any

from netplay.game import Game
from tests.features import LineClient
from tests.game.rooms import RoomsTestCase, Walk


class Duel(Walk):
    """For two."""

    name, players = "duel", (2, 2)


class Party(Walk):
    """For two to four."""

    name, players = "party", (2, 4)


class Alone(Walk):
    """For one."""

    name, players = "alone", (1, 1)


class WaitingTests(RoomsTestCase):
    """C{queue}."""

    games: tuple[type[Game], ...] = (Walk, Duel, Party, Alone)

    def wait_for(self, client: LineClient, game: str = "duel", **how: Any) -> dict[str, Any]:
        return client.ask("queue", game=game, **how)

    def where(self, *clients: LineClient) -> list[str]:
        """In which rooms they are after a moment."""
        self.house.wait(0.1)
        return [client.session.live.name for client in clients]

    def test_it_is_said_how_many_wait(self) -> None:
        self.assertEqual(self.wait_for(self.ann), {"type": "queued", "game": "duel", "waiting": 1})
        self.assertEqual(self.wait_for(self.bob, rating=5000)["waiting"], 2)

    def test_those_of_one_strength_are_seated_without_asking(self) -> None:
        self.wait_for(self.ann)
        self.wait_for(self.bob, name="Bob")
        for client in (self.ann, self.bob):
            came = client.received()
            [seated] = [m for m in came if m["type"] == "seated"]
            self.assertEqual((seated["room"], seated["player"]), ("duel-1", client.id))
            self.assertNotIn("ref", seated)
            before = came[: came.index(seated)]
            self.assertIn("duel-1", [m["room"] for m in before if m["type"] == "state"])
        self.assertEqual(self.ann.ask("act", do="go", dx=1), {"type": "ok"})

    def test_in_a_room_of_their_own(self) -> None:
        self.wait_for(self.ann)
        self.wait_for(self.bob)
        self.house.wait(0.1)
        cat = self.house.connect("game")
        self.assertEqual([line["room"] for line in cat.ask("rooms")["rooms"]], ["lobby"])
        self.assertEqual(self.refused(cat.ask("join", room="duel-1"))[0], "no_such_room")

    def test_by_rating(self) -> None:
        cat, dog = self.house.connect("game"), self.house.connect("game")
        for client, rating in ((self.ann, 1000), (self.bob, 2000), (cat, 2010), (dog, 1010)):
            self.wait_for(client, rating=rating)
        rooms = self.where(self.ann, self.bob, cat, dog)
        self.assertEqual((rooms[0], rooms[1]), (rooms[3], rooms[2]))
        self.assertNotEqual(rooms[0], rooms[1])

    def test_who_waits_longer_takes_those_who_are_further_away(self) -> None:
        self.wait_for(self.ann, rating=1000)
        self.wait_for(self.bob, rating=1200)
        self.assertEqual(self.where(self.ann, self.bob), ["lobby", "lobby"])
        self.house.wait(5)
        self.assertEqual(self.where(self.ann, self.bob), ["duel-1", "duel-1"])

    def test_after_a_while_fewer_are_enough(self) -> None:
        self.wait_for(self.ann, "party")
        self.wait_for(self.bob, "party")
        self.house.wait(29)
        self.assertEqual(self.where(self.ann, self.bob), ["lobby", "lobby"])
        self.house.wait(2)
        self.assertEqual(self.where(self.ann, self.bob), ["party-1", "party-1"])

    def test_who_waits_plays_on_meanwhile(self) -> None:
        self.join(self.ann, game="walk")
        self.wait_for(self.ann)
        self.assertEqual(self.ann.ask("act", do="go", dx=1), {"type": "ok"})
        self.wait_for(self.bob)
        self.assertEqual(self.where(self.ann), ["duel-1"])
        self.assertNotIn("walk-1", self.names())

    def test_leave_ends_the_waiting_and_nothing_else(self) -> None:
        self.join(self.ann, game="walk")
        self.wait_for(self.ann)
        self.assertEqual(self.ann.ask("leave"), {"type": "ok"})
        self.wait_for(self.bob)
        self.assertEqual(self.where(self.ann, self.bob), ["walk-1", "lobby"])

    def test_join_ends_it_too(self) -> None:
        self.wait_for(self.ann)
        self.join(self.ann, game="walk")
        self.wait_for(self.bob)
        self.assertEqual(self.where(self.ann, self.bob), ["walk-1", "lobby"])

    def test_but_not_one_that_is_refused(self) -> None:
        self.wait_for(self.ann)
        for where in ({"code": "XXXXX"}, {"room": "nowhere"}, {"game": "duel", "spectate": True}):
            self.assertEqual(self.ann.ask("join", **where)["type"], "error")
        self.assertEqual(self.refused(self.wait_for(self.ann, "alone"))[0], "not_allowed")
        self.wait_for(self.bob)
        self.assertRegex(" ".join(self.where(self.ann, self.bob)), r"^(duel-\d) \1$")

    def test_who_drops_waits_no_more(self) -> None:
        self.wait_for(self.ann)
        self.ann.drop()
        self.assertEqual(self.wait_for(self.bob)["waiting"], 1)
        self.assertEqual(self.where(self.bob), ["lobby"])

    def test_one_waits_for_one_game_at_a_time(self) -> None:
        self.wait_for(self.ann, "party")
        self.wait_for(self.ann, "duel")
        self.wait_for(self.ann, "duel")
        self.assertEqual(self.wait_for(self.bob, "party")["waiting"], 1)
        self.assertEqual(self.wait_for(self.house.connect("game"), "duel")["waiting"], 2)

    def test_what_cannot_be_waited_for(self) -> None:
        for message, wrong in (
            ({"game": "alone"}, ("not_allowed", "$.game")),
            ({"game": "chess"}, ("no_such_game", "$.game")),
            ({}, ("bad_message", "$.game")),
            ({"game": "duel", "rating": -1}, ("bad_message", "$.rating")),
            ({"game": "duel", "rating": "high"}, ("bad_message", "$.rating")),
        ):
            self.assertEqual(self.refused(self.ann.ask("queue", **message)), wrong)

    def test_nothing_waits_for_nobody(self) -> None:
        before = len(self.house.clock.getDelayedCalls())
        self.wait_for(self.ann)
        self.ann.ask("leave")
        self.house.wait(60)
        # In the lobby they hear of each other now: its links are looked at.
        self.assertLessEqual(len(self.house.clock.getDelayedCalls()), before + 1)
