"""Tests of how clients find, make, join, watch and leave rooms."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred

from netplay.game import directory
from tests.accounts.keeper import PASSWORD, account
from tests.features import LineClient
from tests.game.rooms import RoomsTestCase, Walk


class ListTests(RoomsTestCase):
    """C{games} and C{rooms}."""

    def test_games_say_what_it_takes_to_play(self) -> None:
        games = {game["name"]: game for game in self.ann.ask("games")["games"]}
        self.assertEqual(
            games["race"],
            {
                "name": "race",
                "description": "Who comes first wins: two to four in two teams, once all are ready.",
                "players": [2, 4],
                "teams": ["red", "blue"],
                "ticks": 20,
                "scores": [],
            },
        )
        self.assertEqual(games["walk"]["ticks"], 0)
        self.assertLessEqual({"sandbox", "arena", "lockstep"}, set(games))

    def rooms(self, **which: Any) -> list[str]:
        return [line["room"] for line in self.ann.ask("rooms", **which)["rooms"]]

    def test_rooms_say_what_is_played_and_by_how_many(self) -> None:
        self.join(self.bob, game="race", create=True, room="ours", password="x")
        self.assertEqual(
            self.ann.ask("rooms", game="race"),
            {
                "type": "rooms",
                "rooms": [{"room": "ours", "game": "race", "players": 1, "max": 4, "phase": "waiting", "locked": True}],
                "more": False,
            },
        )

    def test_by_name_and_of_one_game_if_that_is_said(self) -> None:
        self.join(self.bob, game="walk", create=True, room="zoo")
        self.join(self.house.connect("game"), game="race", create=True, room="abc")
        self.assertEqual(self.rooms(), ["abc", "lobby", "zoo"])
        self.assertEqual(self.rooms(game="walk"), ["zoo"])
        self.assertEqual(self.rooms(game="chess"), [])

    def test_private_ones_are_not_listed(self) -> None:
        self.join(self.bob, game="walk", create=True, private=True)
        self.assertEqual(self.rooms(), ["lobby"])

    def test_many_come_in_pages(self) -> None:
        for n in range(30):
            self.join(self.house.connect("game"), game="walk", create=True, room=f"r{n:02}")
        self.ann.ask("options", max_reply=1500)
        pages: list[list[str]] = []
        more, after = True, dict[str, str]()
        while more:
            answer = self.ann.ask("rooms", **after)
            more = answer["more"]
            pages.append([line["room"] for line in answer["rooms"]])
            after = {"after": pages[-1][-1]}
        self.assertGreater(len(pages), 2)
        self.assertEqual([room for page in pages for room in page], ["lobby", *(f"r{n:02}" for n in range(30))])
        self.assertLessEqual(self.ann.largest, 1500)


class WhereTests(RoomsTestCase):
    """By name, by code, by game."""

    def test_by_name(self) -> None:
        self.join(self.ann, game="walk", create=True, room="den")
        self.assertEqual(self.join(self.bob, room="den")["room"], "den")

    def test_by_code_in_whatever_case(self) -> None:
        made = self.join(self.ann, game="walk", create=True, private=True)
        self.assertEqual(self.join(self.bob, code=f" {made['code'].lower()} ")["room"], made["room"])

    def test_a_private_room_is_not_found_by_name(self) -> None:
        made = self.join(self.ann, game="walk", create=True, private=True)
        self.assertEqual(self.refused(self.bob.ask("join", room=made["room"])), ("no_such_room", "$.room"))

    def test_what_there_is_not(self) -> None:
        for where, wrong in (
            ({"room": "nowhere"}, ("no_such_room", "$.room")),
            ({"code": "AAAAA"}, ("no_such_room", "$.code")),
            ({"game": "chess"}, ("no_such_game", "$.game")),
            ({"game": "chess", "create": True}, ("no_such_game", "$.game")),
            ({"create": True}, ("no_such_game", "$.game")),
            ({}, ("bad_message", "$.room")),
        ):
            self.assertEqual(self.refused(self.ann.ask("join", **where)), wrong)
        self.assertEqual(self.ann.session.live.name, "lobby")

    def test_a_game_alone_leads_to_a_new_room_if_there_is_none(self) -> None:
        self.assertEqual(self.join(self.ann, game="walk")["room"], "walk-1")

    def test_then_to_the_fullest_with_a_free_seat(self) -> None:
        others = [self.house.connect("game") for _ in range(7)]
        for client, room in zip(others, ["full", "full", "full", "full", "half", "half", "one"], strict=True):
            where = {"room": room} if room in self.names() else {"room": room, "game": "walk", "create": True}
            self.join(client, **where)
        self.assertEqual(self.join(self.ann, game="walk")["room"], "half")

    def test_never_to_a_private_or_a_locked_one(self) -> None:
        self.join(self.ann, game="walk", create=True, private=True)
        self.join(self.bob, game="walk", create=True, room="locked", password="x")
        found = self.join(self.house.connect("game"), game="walk")["room"]
        self.assertNotIn(found, ("walk-1", "locked"))

    def test_the_game_of_the_lobby_leads_there(self) -> None:
        self.join(self.ann, game="walk")
        self.assertEqual(self.join(self.ann, game="sandbox")["room"], "lobby")

    def test_where_one_is_already(self) -> None:
        self.assertEqual(self.refused(self.ann.ask("join", room="lobby")), ("not_allowed", "$.room"))

    def test_from_one_room_into_another(self) -> None:
        self.join(self.ann, game="walk", create=True, room="first")
        self.join(self.ann, game="walk", create=True, room="second")
        self.assertEqual(self.names(), ["lobby", "second"])


class CreateTests(RoomsTestCase):
    """C{create}."""

    def test_the_name_is_taken(self) -> None:
        self.join(self.ann, game="walk", create=True, room="den")
        self.assertEqual(
            self.refused(self.bob.ask("join", game="walk", create=True, room="den")), ("name_taken", "$.room")
        )

    def test_names_are_of_a_kind(self) -> None:
        for name in ("Den", "-den", "d e n", "x" * 33, "", "ä", "den\n", "lobby", "lobby-2", "lobby-x"):
            answer = self.ann.ask("join", game="walk", create=True, room=name)
            self.assertEqual(self.refused(answer), ("bad_message", "$.room"), name)
        self.assertEqual(self.names(), ["lobby"])

    def test_a_password_is_asked_for(self) -> None:
        made = self.join(self.ann, game="walk", create=True, room="den", password="sesame")
        for attempt in ({}, {"password": "Sesame"}, {"password": ""}):
            for where in ({"room": "den"}, {"code": made["code"]}):
                answer = self.bob.ask("join", **where, **attempt)
                self.assertEqual(self.refused(answer), ("bad_password", "$.password"))
        self.assertEqual(self.join(self.bob, room="den", password="sesame")["room"], "den")

    def test_a_password_in_another_script(self) -> None:
        self.join(self.ann, game="walk", create=True, room="den", password="пароль🔑")
        self.assertEqual(self.bob.ask("join", room="den", password="пароль")["code"], "bad_password")
        self.assertEqual(self.join(self.bob, room="den", password="пароль🔑")["room"], "den")

    def test_also_who_watches_has_to_know_it(self) -> None:
        self.join(self.ann, game="walk", create=True, room="den", password="sesame")
        self.assertEqual(self.bob.ask("join", room="den", spectate=True)["code"], "bad_password")

    def test_there_are_not_more_rooms_than_there_may_be(self) -> None:
        with patch.object(directory, "MOST_ROOMS", 2):
            self.join(self.ann, game="walk", create=True)
            for where in ({"game": "race"}, {"game": "walk", "create": True}):
                self.assertEqual(self.refused(self.bob.ask("join", **where)), ("too_many", None))
            self.join(self.ann, room="lobby")
            self.join(self.bob, game="race")

    def test_who_comes_lands_in_the_lobby_however_many_rooms_there_are(self) -> None:
        for _ in range(98):
            self.house.connect("game")
        with patch.object(directory, "MOST_ROOMS", 1):
            self.assertEqual(self.house.connect("game").hello["room"], "lobby-2")

    def test_nobody_watches_a_room_that_nobody_plays_in(self) -> None:
        for where in ({"game": "walk"}, {"game": "walk", "create": True}):
            self.assertEqual(self.refused(self.ann.ask("join", **where, spectate=True))[0], "no_such_room")
        self.assertEqual(self.names(), ["lobby"])
        self.assertEqual(self.ann.session.live.name, "lobby")


class SeatedTests(RoomsTestCase):
    """What one who joins is told, and how one is called."""

    def test_everything_then_the_answer_then_who_is_there(self) -> None:
        made = self.join(self.bob, game="race", create=True, room="den")
        self.ann.received()
        self.ann.send("join", room="den", ref=7)
        self.house.wait(0.25)
        state, seated, roster = [m for m in self.ann.received() if m["type"] in ("state", "seated", "roster")][:3]
        self.assertEqual((state["type"], state["room"], state["game"]), ("state", "den", "race"))
        self.assertEqual(set(state["entities"]), {self.ann.id, self.bob.id})
        self.assertEqual(
            seated,
            {
                "type": "seated",
                "ref": 7,
                "room": "den",
                "code": made["code"],
                "game": "race",
                "player": self.ann.id,
                "team": "blue",
                "spectator": False,
            },
        )
        self.assertEqual((roster["type"], set(roster["players"])), ("roster", {self.ann.id, self.bob.id}))

    def test_everything_comes_once(self) -> None:
        for game in ("walk", "run"):
            room = self.join(self.bob, game=game)["room"]
            self.ann.ask("join", room=room)
            self.house.wait(0.5)
            came = [message for message in self.ann.received() if message["type"] == "state"]
            self.assertEqual(len([state for state in came if state["room"] == room]), 1)

    def test_nothing_more_comes_of_the_room_that_was_left(self) -> None:
        self.join(self.ann, game="walk")
        self.bob.send("move", dx=1)
        self.house.wait(10)
        self.assertEqual({m["room"] for m in self.ann.received()} - {"walk-1"}, set())

    def test_the_name(self) -> None:
        self.join(self.ann, game="walk", name="Ann")
        self.join(self.bob, room="walk-1")
        self.ann.send("say", text="hi")
        self.assertEqual([said["user"] for said in self.bob.heard("chat")], ["Ann"])

    def test_a_name_is_nobody_elses(self) -> None:
        self.join(self.ann, game="walk", name="Ann")
        for taken in ("ann", "Player_1", "player_77"):
            answer = self.bob.ask("join", room="walk-1", name=taken)
            self.assertEqual(self.refused(answer), ("name_taken", "$.name"))
        self.assertEqual(self.bob.session.live.name, "lobby")

    def test_a_wish_for_a_team(self) -> None:
        self.assertEqual(self.join(self.ann, game="race", team="blue")["team"], "blue")
        self.assertEqual(self.join(self.bob, game="race")["team"], "red")

    def test_a_team_that_has_too_many_or_that_there_is_not(self) -> None:
        self.join(self.ann, game="race", team="blue")
        self.assertEqual(self.refused(self.bob.ask("join", game="race", team="blue")), ("not_allowed", "$.team"))
        self.assertEqual(self.refused(self.bob.ask("join", game="race", team="pink")), ("bad_message", "$.team"))
        self.assertEqual(self.bob.session.live.name, "lobby")

    def test_a_room_that_was_made_for_one_who_could_not_come_in_is_no_more(self) -> None:
        self.assertEqual(self.refused(self.ann.ask("join", game="race", team="pink")), ("bad_message", "$.team"))
        self.assertEqual(self.names(), ["lobby"])

    def test_all_seats_are_taken(self) -> None:
        for _ in range(4):
            self.join(self.house.connect("game"), game="walk")
        self.assertEqual(self.refused(self.ann.ask("join", room="walk-1"))[0], "room_full")
        self.ann.received()
        self.ann.send("move", dx=1)
        self.house.wait(0.1)
        self.assertEqual([m["room"] for m in self.ann.heard("state")], ["lobby"])

    def test_what_has_begun_takes_nobody(self) -> None:
        self.join(self.ann, game="closed")
        self.assertEqual(self.refused(self.bob.ask("join", room="closed-1"))[0], "wrong_phase")
        self.assertEqual(self.join(self.bob, game="closed")["room"], "closed-2")


class LeaveTests(RoomsTestCase):
    """C{leave}."""

    def test_back_in_the_lobby_with_everything_to_see(self) -> None:
        self.join(self.ann, game="walk")
        self.assertEqual(self.ann.ask("leave"), {"type": "ok"})
        [state] = [m for m in self.ann.received() if m["type"] == "state"][:1]
        self.assertEqual((state["room"], set(state["positions"])), ("lobby", {self.ann.id, self.bob.id}))
        self.ann.send("move", dx=1)
        self.house.wait(0.1)
        self.assertEqual(self.bob.received()[-1]["positions"][self.ann.id]["x"], 1)

    def test_the_seat_is_free_at_once(self) -> None:
        self.join(self.ann, game="walk")
        self.join(self.bob, room="walk-1")
        self.ann.ask("leave")
        self.house.wait(0.5)
        self.assertEqual(list(self.bob.heard("roster")[-1]["players"]), [self.bob.id])

    def test_there_is_no_leaving_the_lobby(self) -> None:
        self.assertEqual(self.refused(self.ann.ask("leave"))[0], "not_allowed")

    def test_an_empty_room_ends_and_nothing_waits_for_it(self) -> None:
        waiting = set()
        for game in ("walk", "run", "race"):
            made = self.join(self.ann, game=game)
            self.ann.ask("leave")
            self.house.wait(1)
            self.assertEqual(self.names(), ["lobby"])
            self.assertEqual(self.refused(self.ann.ask("join", code=made["code"]))[0], "no_such_room")
            waiting.add(len(self.house.clock.getDelayedCalls()))
        self.assertEqual(len(waiting), 1)


class WatchTests(RoomsTestCase):
    """C{spectate}."""

    def setUp(self) -> None:
        super().setUp()
        self.join(self.ann, game="walk")

    def watch(self, client: LineClient) -> dict[str, Any]:
        return self.join(client, room="walk-1", spectate=True)

    def test_one_who_watches_takes_no_seat(self) -> None:
        answer = self.watch(self.bob)
        self.assertEqual((answer["spectator"], answer["player"]), (True, self.bob.id))
        roster = self.ann.heard("roster")[-1]
        self.assertEqual((list(roster["players"]), roster["spectators"]), ([self.ann.id], 1))

    def test_sees_and_hears_what_happens(self) -> None:
        self.watch(self.bob)
        self.ann.send("act", do="go", dx=2)
        self.ann.send("act", do="tell")
        self.ann.send("say", text="hi")
        self.house.wait(0.1)
        came = {m["type"]: m for m in self.bob.received()}
        self.assertEqual(came["state"]["entities"][self.ann.id]["x"], 2)
        self.assertEqual((came["event"]["event"], came["chat"]["message"]), ("told", "hi"))

    def test_but_no_secrets(self) -> None:
        self.bob.ask("join", room="walk-1", spectate=True)
        [state] = [m for m in self.bob.received() if m.get("room") == "walk-1" and m["type"] == "state"]
        self.assertEqual(state["entities"][self.ann.id], {"kind": "walker", "x": 0, "score": 0})

    def test_does_not_play(self) -> None:
        self.watch(self.bob)
        for message in (
            {"type": "act", "do": "go", "dx": 1},
            {"type": "ready"},
            {"type": "start"},
            {"type": "team", "team": "red"},
        ):
            self.assertEqual(self.refused(self.bob.ask(**message))[0], "not_allowed")

    def test_may_talk(self) -> None:
        self.watch(self.bob)
        self.bob.send("say", text="go on")
        self.assertEqual([said["user"] for said in self.ann.heard("chat")], [self.bob.id])

    def test_goes(self) -> None:
        self.watch(self.bob)
        self.bob.ask("leave")
        self.house.wait(0.5)
        self.assertEqual(self.ann.heard("roster")[-1]["spectators"], 0)
        self.assertEqual(self.bob.session.live.name, "lobby")

    def test_drops(self) -> None:
        self.watch(self.bob)
        self.bob.drop()
        self.house.wait(0.5)
        self.assertEqual(self.ann.heard("roster")[-1]["spectators"], 0)

    def test_comes_back(self) -> None:
        self.watch(self.bob)
        self.bob.drop()
        again, resumed = self.back(self.bob)
        self.assertEqual(resumed["room"], "walk-1")
        [state] = again.heard("state")[-1:]
        self.assertEqual(state["room"], "walk-1")
        self.assertNotIn("card", state["entities"][self.ann.id])
        self.assertEqual(self.refused(again.ask("act", do="go", dx=1))[0], "not_allowed")

    def test_comes_back_when_the_room_is_no_more(self) -> None:
        self.watch(self.bob)
        self.bob.drop()
        self.ann.ask("leave")
        again, resumed = self.back(self.bob)
        self.assertEqual(resumed["room"], "lobby")
        self.assertEqual(again.heard("state")[-1]["room"], "lobby")

    def test_takes_a_seat_after_all(self) -> None:
        self.watch(self.bob)
        self.assertFalse(self.join(self.bob, room="walk-1")["spectator"])
        self.assertEqual(self.bob.ask("act", do="go", dx=1), {"type": "ok"})

    def test_is_sent_to_the_lobby_when_nobody_plays_any_more(self) -> None:
        self.watch(self.bob)
        self.ann.ask("leave")
        came = self.bob.received()
        self.assertEqual([m["code"] for m in came if m["type"] == "error"], ["no_such_room"])
        self.assertEqual([m["room"] for m in came if m["type"] == "state"][:1], ["lobby"])

    def test_some_games_are_not_for_watching(self) -> None:
        self.join(self.ann, game="closed")
        answer = self.bob.ask("join", room="closed-1", spectate=True)
        self.assertEqual(self.refused(answer), ("not_allowed", "$.spectate"))


class NameTests(RoomsTestCase):
    """What a player calls itself as it joins."""

    def test_who_is_refused_is_called_what_it_was(self) -> None:
        answer = self.ann.ask("join", game="race", create=True, team="green", name="Mallory")
        self.assertEqual(self.refused(answer), ("bad_message", "$.team"))
        self.join(self.ann, game="walk")
        self.house.wait(1)
        self.join(self.bob, game="walk")
        self.house.wait(1)
        self.assertEqual(self.bob.ask("join", game="run", name="Mallory")["type"], "seated")

    def test_the_name_of_an_account_is_not_to_be_had(self) -> None:
        self.house.store.accounts.add(account("Zoe"))
        for request in ({"type": "join", "game": "walk"}, {"type": "queue", "game": "walk"}):
            self.assertEqual(self.refused(self.ann.ask(**request, name="ZOE")), ("name_taken", "$.name"))

    def test_who_goes_while_a_name_is_looked_up_takes_no_seat(self) -> None:
        answer: Deferred[None] = Deferred()
        self.patch(self.house.store.accounts, "find", lambda skeleton: answer)
        self.ann.send("join", game="walk", name="Zoe")
        self.ann.drop()
        answer.callback(None)
        self.assertEqual(self.names(), ["lobby"])

    def test_who_logs_in_while_it_plays_is_called_so_there(self) -> None:
        self.house.store.accounts.add(account("Zoe"))
        room = self.join(self.ann, game="walk")["room"]
        self.join(self.bob, room=room)
        self.house.wait(1)
        self.bob.received()
        self.ann.ask("login", user="Zoe", password=PASSWORD)
        self.house.wait(1)
        self.assertEqual(self.bob.heard("roster")[-1]["players"][self.ann.id]["name"], "Zoe")

    def test_so_is_who_cannot_wait(self) -> None:
        self.house.game.games["walk"] = type("Alone", (Walk,), {"name": "walk", "api": 1, "players": (1, 1)})
        self.assertEqual(self.refused(self.ann.ask("queue", game="walk", name="Mallory"))[0], "not_allowed")
        self.assertEqual(self.bob.ask("join", game="run", name="Mallory")["type"], "seated")


class LobbyTests(RoomsTestCase):
    """What is asked for where there is no round."""

    def test_there_is_none_in_the_lobby(self) -> None:
        for request in ({"type": "ready"}, {"type": "start"}, {"type": "team", "team": "red"}):
            answer = self.ann.ask(**request)
            self.assertEqual(self.refused(answer), ("wrong_phase", None))
            self.assertIn("join a game", answer["message"])


class CrowdedTests(RoomsTestCase):
    """A room in which many come and go."""

    def test_those_who_play_get_no_more_for_it(self) -> None:
        room = self.join(self.ann, game="run")["room"]
        self.ann.ask("sync", mode="delta")
        others = [self.house.connect("game") for _ in range(20)]
        self.house.wait(1)
        self.ann.received()
        for _ in range(10):  # in a second
            for other in others[:2]:
                other.ask("join", room=room)
                other.ask("leave")
                other.ask("join", room=room)
                other.ask("leave")
            self.house.wait(0.1)
        self.assertLessEqual(len(self.ann.heard("delta")), 20)
