"""Tests of what everyone in a room is told of it: who is there, what comes next, what is said and happens."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from netplay.game import Player
from tests.features import START, LineClient
from tests.game.rooms import Race, RoomsTestCase

LINK = {"rtt": None, "backlog": 0}


class RaceTestCase(RoomsTestCase):
    """Ann and Bob are in a room for two to four, in two teams."""

    def setUp(self) -> None:
        super().setUp()
        self.join(self.ann, game="race", name="Ann")
        self.join(self.bob, game="race")
        self.roster(self.ann)

    def roster(self, client: LineClient) -> dict[str, Any]:
        """The newest, as soon as it may be told."""
        self.house.wait(0.25)
        rosters = client.heard("roster")
        return rosters[-1] if rosters else {}

    def play(self) -> None:
        """The round begins."""
        self.ann.ask("ready")
        self.bob.ask("ready")
        self.house.wait(3)
        self.ann.received()
        self.bob.received()


class RosterTests(RaceTestCase):
    """C{roster}, on joining and at each change."""

    def test_all_there_is_to_say(self) -> None:
        cat = self.house.connect("game")
        self.join(cat, room="race-1", spectate=True)
        self.assertEqual(
            self.roster(self.ann),
            {
                "type": "roster",
                "room": "race-1",
                "game": "race",
                "phase": "waiting",
                "host": self.ann.id,
                "min": 2,
                "max": 4,
                "players": {
                    self.ann.id: {
                        "name": "Ann", "team": "red", "ready": False, "away": False, "bot": False, "link": LINK,
                    },
                    self.bob.id: {
                        "name": self.bob.id, "team": "blue", "ready": False, "away": False, "bot": False, "link": LINK,
                    },
                },
                "count": 2,
                "spectators": 1,
            },
        )  # fmt: skip

    def test_the_backlog_of_who_lags(self) -> None:
        self.bob.lag()
        self.bob.send("ping")
        self.house.wait(6)
        self.assertGreater(self.roster(self.ann)["players"][self.bob.id]["link"]["backlog"], 0)

    def test_a_storm_of_changes_is_told_four_times_a_second(self) -> None:
        for n in range(100):
            self.ann.send("ready", ready=bool(n % 2))
            self.house.wait(0.01)
        self.house.wait(0.25)
        rosters = self.bob.heard("roster")
        self.assertTrue(4 <= len(rosters) <= 6, len(rosters))
        self.assertTrue(rosters[-1]["players"][self.ann.id]["ready"])

    def test_nothing_is_told_when_nothing_changes(self) -> None:
        self.house.wait(60)
        self.assertEqual(self.ann.heard("roster"), [])


class ReadyTests(RaceTestCase):
    """C{ready}, C{team} and C{start}, and the countdown."""

    def test_ready_and_not_ready(self) -> None:
        self.ann.ask("ready")
        self.assertTrue(self.roster(self.bob)["players"][self.ann.id]["ready"])
        self.ann.ask("ready", ready=False)
        self.assertFalse(self.roster(self.bob)["players"][self.ann.id]["ready"])

    def test_when_all_are_seconds_are_counted(self) -> None:
        self.ann.ask("ready")
        self.bob.ask("ready")
        now = self.house.clock.seconds()
        roster = self.roster(self.ann)
        self.assertEqual(roster["phase"], "countdown")
        self.assertLess(abs(roster["starts_at"] - (START + now + 3) * 1000), 50)
        self.house.wait(2.7)
        self.assertEqual(self.roster(self.ann)["phase"], "playing")

    def test_unless_one_is_not_after_all(self) -> None:
        self.ann.ask("ready")
        self.bob.ask("ready")
        self.house.wait(2)
        self.bob.ask("ready", ready=False)
        roster = self.roster(self.ann)
        self.assertEqual((roster["phase"], "starts_at" in roster), ("waiting", False))
        self.house.wait(10)
        self.assertEqual(self.ann.heard("roster"), [])

    def test_the_host_need_not_wait_for_the_others(self) -> None:
        self.assertEqual(self.refused(self.bob.ask("start"))[0], "not_allowed")
        self.assertEqual(self.ann.ask("start"), {"type": "ok"})
        self.assertEqual(self.roster(self.ann)["phase"], "countdown")
        self.house.wait(3)
        self.assertEqual(self.roster(self.ann)["phase"], "playing")

    def test_not_without_enough_players(self) -> None:
        self.bob.ask("leave")
        self.assertEqual(self.refused(self.ann.ask("start"))[0], "not_allowed")
        self.ann.ask("ready")
        self.assertEqual(self.roster(self.ann)["phase"], "waiting")

    def test_another_team(self) -> None:
        self.join(cat := self.house.connect("game"), game="race")
        self.assertEqual(self.refused(cat.ask("team", team="pink")), ("bad_message", "$.team"))
        self.assertEqual(cat.session.live.room.seats[cat.id].team, "red")
        self.assertEqual(self.refused(self.bob.ask("team", team="red")), ("not_allowed", "$.team"))
        self.assertEqual(self.ann.ask("team", team="blue"), {"type": "ok"})
        self.assertEqual(self.roster(self.bob)["players"][self.ann.id]["team"], "blue")

    def test_nothing_of_it_while_a_round_is_played(self) -> None:
        self.play()
        for message in ({"type": "ready"}, {"type": "team", "team": "blue"}, {"type": "start"}):
            self.assertEqual(self.refused(self.ann.ask(**message))[0], "wrong_phase")

    def test_no_acting_before_it(self) -> None:
        self.assertEqual(self.refused(self.ann.ask("act", do="go", dx=1))[0], "wrong_phase")

    def test_a_round_ends_and_the_next_is_prepared(self) -> None:
        self.play()
        self.ann.send("act", do="go", dx=10)
        self.house.wait(0.1)
        self.assertEqual(
            self.bob.heard("over"), [{"type": "over", "room": "race-1", "result": {"winner": self.ann.id}}]
        )
        self.assertEqual(self.roster(self.ann)["phase"], "over")
        self.assertEqual(self.refused(self.ann.ask("act", do="go", dx=1))[0], "wrong_phase")
        self.house.wait(5)
        came = self.bob.received()
        state = [m for m in came if m["type"] == "state"][-1]
        self.assertEqual({entity["x"] for entity in state["entities"].values()}, {0})
        roster = [m for m in came if m["type"] == "roster"][-1]
        self.assertEqual((roster["phase"], roster["players"][self.ann.id]["ready"]), ("waiting", False))
        self.play()
        self.assertEqual(self.ann.ask("act", do="go", dx=1), {"type": "ok"})


class HostTests(RaceTestCase):
    """Whoever looks after the room."""

    def test_the_next_when_the_host_leaves(self) -> None:
        self.ann.ask("leave")
        self.assertEqual(self.roster(self.bob)["host"], self.bob.id)

    def test_the_next_when_the_host_drops(self) -> None:
        self.ann.drop()
        self.assertEqual(self.roster(self.bob)["host"], self.bob.id)


class SayTests(RaceTestCase):
    """C{say}."""

    def test_everyone_in_the_room_hears_it_as_in_chat(self) -> None:
        self.ann.send("say", text="hello")
        [said] = self.bob.heard("chat")
        self.assertEqual(self.ann.heard("chat"), [said])
        self.assertEqual(
            {key: said[key] for key in ("type", "user", "message", "room", "seq")},
            {"type": "chat", "user": "Ann", "message": "hello", "room": "race-1", "seq": 1},
        )
        self.assertEqual(set(said), {"type", "user", "message", "emoji", "room", "timestamp", "at", "seq", "id"})

    def test_nobody_elsewhere_does(self) -> None:
        cat = self.house.connect("game")
        self.join(cat, game="walk")
        self.ann.send("say", text="hello")
        self.assertEqual(cat.heard("chat"), [])

    def test_it_is_counted(self) -> None:
        for text in "abc":
            self.ann.send("say", text=text)
        self.assertEqual([said["seq"] for said in self.bob.heard("chat")], [1, 2, 3])

    def test_not_nothing_and_not_too_much(self) -> None:
        for text in ("", "x" * 401):
            self.assertEqual(self.refused(self.ann.ask("say", text=text)), ("bad_message", "$.text"))

    def test_who_only_moves_in_the_lobby_does_not_hear_it(self) -> None:
        cat, dog = self.house.connect("game"), self.house.connect("game")
        dog.send("move", dx=1)
        cat.send("say", text="hello")
        self.house.wait(10)
        self.assertEqual({message["type"] for message in dog.received()}, {"state"})
        self.assertEqual(len(cat.heard("chat")), 1)


class EventTests(RaceTestCase):
    """What happens in the game."""

    def setUp(self) -> None:
        super().setUp()
        self.play()

    def test_everyone_is_told(self) -> None:
        self.ann.send("act", do="tell")
        self.house.wait(0.1)
        for client in (self.ann, self.bob):
            [event] = client.heard("event")
            self.assertEqual((event["room"], event["event"], event["by"]), ("race-1", "told", self.ann.id))
            self.assertEqual(set(event), {"type", "room", "tick", "event", "by"})

    def test_who_comes_is_told_what_happens_as_it_does(self) -> None:
        def greet(race: Race, player: Player) -> None:
            race.event("welcome", to=player)
            race.event("here", who=player.id)

        with patch.object(Race, "joined", greet):
            cat = self.house.connect("game")
            self.join(self.bob, game="walk")
            cat.ask("join", room="race-1")
            self.house.wait(0.1)
        came = [(m["type"], m.get("event")) for m in cat.received() if m["type"] == "event" or m["room"] == "race-1"]
        self.assertEqual(came[:3], [("state", None), ("event", "welcome"), ("event", "here")])
        self.assertEqual([event["event"] for event in self.ann.heard("event")], ["here"])

    def test_or_one(self) -> None:
        self.ann.send("act", do="tell", to=self.bob.id)
        self.house.wait(0.1)
        self.assertEqual(self.ann.heard("event"), [])
        self.assertEqual(len(self.bob.heard("event")), 1)

    def test_errors_name_the_field(self) -> None:
        for message, wrong in (
            ({"do": "go", "dx": -1}, ("not_allowed", "$.dx")),
            ({"do": "go", "dx": "far"}, ("bad_message", "$.dx")),
            ({"do": "go"}, ("bad_message", "$.dx")),
            ({"do": "fly"}, ("unknown_type", "$.do")),
            ({}, ("bad_message", "$.do")),
        ):
            self.assertEqual(self.refused(self.ann.ask("act", **message)), wrong, message)
        self.assertEqual(self.refused(self.ann.ask("move", dx=1))[0], "unknown_type")
