"""Tests of L{netplay.game.session}: one player on the game port."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netplay.game.feature import GameFeature
from netplay.game.games.sandbox import Sandbox
from netplay.game.messages import ROOM_REQUESTS
from netplay.interfaces import IFeature, IMessageService, ISession
from netplay.messages import COMMON
from netplay.wire.grammar import Grammar
from tests.contract import PortContract, answers_whatever_is_asked
from tests.features import House, LineClient
from tests.game.rooms import RoomsTestCase


class GameContractTests(PortContract, SynchronousTestCase):
    """What every feature does alike."""

    feature = "game"
    guest = "Player"

    def test_whatever_is_asked(self) -> None:
        answers_whatever_is_asked(self, "game", Grammar((*Sandbox.messages, *ROOM_REQUESTS, *COMMON)))


class GameTestCase(SynchronousTestCase):
    """Ann and Bob are in the lobby, and a while has passed."""

    def setUp(self) -> None:
        self.house = House()
        self.ann = self.house.connect("game")
        self.bob = self.house.connect("game")
        self.house.wait(1)
        self.ann.received()
        self.bob.received()

    def seen(self, client: LineClient) -> list[dict[str, Any]]:
        """The states that come within a second."""
        self.house.wait(1)
        return client.heard("state")


class InterfaceTests(GameTestCase):
    """What the daemon builds on."""

    def test_they_are_provided(self) -> None:
        verifyObject(IFeature, GameFeature())
        verifyObject(IMessageService, self.house.game)
        verifyObject(ISession, self.ann.protocol.client.session)

    def test_games_have_port_5555_and_frames_of_type_17(self) -> None:
        self.assertEqual((GameFeature.port, GameFeature.frame_type), (5555, 17))

    def test_after_the_end_no_state_is_sent(self) -> None:
        self.ann.send("move", dx=1)
        self.house.game.stopService()
        self.assertEqual(self.ann.received(), [])


class ActTests(GameTestCase):
    """C{move} and C{score}."""

    def test_who_only_plays_gets_nothing_but_states_and_errors(self) -> None:
        for message in ({"type": "move", "dx": 1}, {"type": "score", "points": 1}, {"type": "score"}):
            self.ann.send(**message)
            self.house.wait(0.1)
        self.assertEqual([message["type"] for message in self.ann.received()], ["state", "state", "error"])

    def test_with_a_ref_they_are_answered(self) -> None:
        self.assertEqual(self.ann.ask("move", dx=1), {"type": "ok"})
        self.assertEqual(self.ann.ask("score", points=1), {"type": "ok"})

    def test_a_move_without_fields_moves_nobody(self) -> None:
        self.assertEqual(self.ann.ask("move"), {"type": "ok"})
        self.assertEqual(self.seen(self.bob)[-1]["positions"]["Player_1"], {"x": 0, "y": 0})

    def test_integers_and_floats(self) -> None:
        self.ann.write(b'{"type":"move","dx":7.0,"dy":0.5}{"type":"score","points":1e3}')
        state = self.seen(self.bob)[-1]
        self.assertEqual(state["positions"]["Player_1"], {"x": 7, "y": 0.5})
        self.assertEqual(state["scores"]["Player_1"], 1000)

    def test_whole_numbers_are_written_without_a_point(self) -> None:
        self.ann.write(b'{"type":"move","dx":7.0}')
        self.assertIn(b'"x":7,', self.bob.read())

    def test_far_away_is_not_too_far(self) -> None:
        for _ in range(2):
            self.ann.send("move", dx=2**53 - 1, dy=-1e308)
            self.ann.send("score", points=1e308)
        state = self.seen(self.bob)[-1]
        self.assertEqual(state["positions"]["Player_1"], {"x": 2**53, "y": -(2**53)})
        self.assertEqual(state["scores"]["Player_1"], 2**53)

    def test_what_is_no_number_is_refused_and_changes_nothing(self) -> None:
        for type, field in (("move", "dx"), ("move", "dy"), ("score", "points")):
            for value in ("1", None, True, [], {}, 2**53):
                answer = self.ann.ask(type, **{field: value})
                self.assertEqual((answer["code"], answer["field"]), ("bad_message", f"$.{field}"))
        self.assertEqual(self.seen(self.bob), [])

    def test_a_score_without_points(self) -> None:
        answer = self.ann.ask("score")
        self.assertEqual((answer["code"], answer["field"]), ("bad_message", "$.points"))


class FramingTests(GameTestCase):
    """JSON with or without newlines between values."""

    def test_values_may_be_glued_together(self) -> None:
        self.ann.write(b'{"type":"move","dx":1}{"type":"move","dx":1} \n\n{"type":"ping","ref":"{"}')
        self.assertEqual([message["ref"] for message in self.ann.heard("pong")], ["{"])
        self.assertEqual(self.seen(self.bob)[-1]["positions"]["Player_1"]["x"], 2)

    def test_values_may_be_split_anywhere(self) -> None:
        for byte in b'{"type":"move","dx":1}{"type":"move","dy":2}':
            self.ann.write(bytes([byte]))
        self.assertEqual(self.seen(self.bob)[-1]["positions"]["Player_1"], {"x": 1, "y": 2})

    def test_the_answers_end_with_newlines_all_the_same(self) -> None:
        self.ann.write(b'{"type":"ping"}{"type":"ping"}')
        self.assertEqual(self.ann.read().count(b"}\n"), 2)


class FinishingTests(GameTestCase):
    """Who sends no more gets what is due."""

    def test_its_last_move_is_seen_even_while_states_have_to_wait(self) -> None:
        self.bob.send("move", dx=1)
        self.house.wait(0)  # a state has just been sent: the next is due in 50 ms
        self.ann.received()
        self.ann.send("move", dx=5)
        self.ann.half_close()
        self.house.wait(0)
        self.assertEqual(self.ann.received()[-1]["positions"]["Player_1"]["x"], 5)

    def test_who_did_nothing_gets_nothing_more(self) -> None:
        newcomer = self.house.connect("game")
        newcomer.half_close()
        self.assertEqual(newcomer.received(), [])


class ResumeTests(GameTestCase):
    """Who was here before."""

    def setUp(self) -> None:
        super().setUp()
        self.bob.send("move", dx=3, dy=4)
        self.bob.send("score", points=5)
        self.house.wait(1)
        self.ann.received()
        self.bob.received()

    def come_back(self) -> tuple[LineClient, list[dict[str, Any]]]:
        again = self.house.connect("game")
        again.send("resume", session=self.bob.hello["session"], ref="r")
        return again, again.received()

    def test_the_answer_and_then_one_full_state(self) -> None:
        self.bob.drop()
        again, [resumed, state] = self.come_back()
        self.assertEqual((resumed["type"], resumed["ref"]), ("resumed", "r"))
        self.assertEqual((resumed["you"], resumed["room"]), (self.bob.hello["you"], "lobby"))
        self.assertEqual((state["type"], state["room"], state["game"]), ("state", "lobby", "sandbox"))
        self.assertNotIn("ref", state)
        self.assertEqual(state["positions"], {"Player_1": {"x": 0, "y": 0}, "Player_2": {"x": 3, "y": 4}})
        self.assertEqual(state["scores"], {"Player_1": 0, "Player_2": 5})
        self.assertEqual(self.seen(again), [])

    def test_the_others_see_it_back_where_it_was_and_no_newcomer(self) -> None:
        self.bob.drop()
        self.house.wait(1)
        self.ann.received()
        self.come_back()
        states = self.seen(self.ann)
        self.assertEqual(len(states), 1)
        self.assertEqual(states[0]["positions"], {"Player_1": {"x": 0, "y": 0}, "Player_2": {"x": 3, "y": 4}})

    def test_when_it_takes_over_the_others_see_nothing_move(self) -> None:
        self.come_back()
        for state in self.seen(self.ann):
            self.assertEqual(state["positions"], {"Player_1": {"x": 0, "y": 0}, "Player_2": {"x": 3, "y": 4}})

    def test_it_plays_on(self) -> None:
        self.bob.drop()
        again, _ = self.come_back()
        again.send("move", dx=1)
        for client in (self.ann, again):
            self.assertEqual(self.seen(client)[-1]["positions"]["Player_2"], {"x": 4, "y": 4})

    def test_it_hears_what_the_others_do(self) -> None:
        self.bob.drop()
        again, _ = self.come_back()
        self.house.wait(1)
        again.received()
        self.ann.send("move", dx=1)
        self.assertEqual(len(self.seen(again)), 1)

    def test_its_place_is_not_lost_by_coming_back_twice(self) -> None:
        for _ in range(3):
            self.bob.drop()
            again, [_, state] = self.come_back()
            again.hello = self.bob.hello
            self.bob = again
        self.assertEqual(state["positions"]["Player_2"], {"x": 3, "y": 4})

    def test_while_it_is_away_it_is_not_in_the_lobby(self) -> None:
        self.bob.drop()
        self.assertEqual(list(self.seen(self.ann)[-1]["positions"]), ["Player_1"])

    def test_who_came_back_unseen_did_not_move(self) -> None:
        """It dropped before the others were told that it had come."""
        carol = self.house.connect("game")
        carol.drop()
        again = self.house.connect("game")
        self.assertEqual(again.ask("resume", session=carol.hello["session"])["you"]["id"], "Player_3")
        self.assertEqual(sorted(self.seen(self.ann)[-1]["positions"]), ["Player_1", "Player_2", "Player_3"])

    def test_the_second_lobby_waits_for_nobody(self) -> None:
        self.assertEqual([live.name for live in self.house.game.directory], ["lobby"])
        self.come_back()
        self.assertEqual([live.name for live in self.house.game.directory], ["lobby"])
        self.assertEqual(len(self.house.game.directory.named("lobby").room.seats), 2)


class SeatTests(RoomsTestCase):
    """A player whose connection drops keeps the seat for half a minute, but not in the lobby."""

    def setUp(self) -> None:
        super().setUp()
        self.join(self.ann, game="race")
        self.join(self.bob, game="race")
        for client in (self.ann, self.bob):
            client.ask("ready")
        self.house.wait(4)
        self.bob.send("act", do="go", dx=3, seq=7)
        self.house.wait(0.25)
        self.ann.received()
        self.bob.received()

    def roster(self) -> dict[str, Any]:
        """What Ann was told last, once she may be told."""
        self.house.wait(0.5)
        return self.ann.heard("roster")[-1]

    def test_it_is_away(self) -> None:
        self.bob.drop()
        line = self.roster()["players"][self.bob.id]
        self.assertEqual((line["away"], line["link"]), (True, None))

    def test_it_resumes_as_it_was_with_the_state_complete(self) -> None:
        self.bob.drop()
        self.house.wait(29)
        again, resumed = self.back(self.bob)
        self.assertEqual((resumed["you"]["id"], resumed["room"]), (self.bob.id, "race-1"))
        state = again.heard("state")[-1]
        self.assertEqual((state["room"], state["ack"]), ("race-1", {self.bob.id: 7}))
        self.assertEqual(
            state["entities"],
            {
                self.ann.id: {"kind": "walker", "x": 0, "score": 0},
                self.bob.id: {"kind": "walker", "x": 3, "score": 0, "card": 2},
            },
        )
        line = self.roster()["players"][self.bob.id]
        self.assertEqual((line["away"], line["team"]), (False, "blue"))
        again.send("act", do="go", dx=1)
        self.house.wait(0.25)
        self.assertEqual(self.ann.heard("state")[-1]["entities"][self.bob.id]["x"], 4)

    def test_the_others_see_it_there_all_the_time(self) -> None:
        self.bob.drop()
        self.house.wait(1)
        self.back(self.bob)
        self.house.wait(1)
        for state in self.ann.heard("state"):
            self.assertEqual(set(state["entities"]), {self.ann.id, self.bob.id})

    def test_it_takes_over_from_a_connection_that_is_still_there(self) -> None:
        again, resumed = self.back(self.bob)
        self.assertEqual([m["code"] for m in self.bob.heard("error")], ["replaced"])
        self.assertEqual(resumed["room"], "race-1")
        self.assertFalse(self.roster()["players"][self.bob.id]["away"])
        self.assertEqual(again.ask("act", do="go", dx=1), {"type": "ok"})

    def test_it_hears_what_is_said_and_is_told_who_is_there(self) -> None:
        self.bob.drop()
        again, _ = self.back(self.bob)
        self.ann.send("say", text="there you are")
        self.house.wait(0.5)
        came = [message["type"] for message in again.received()]
        self.assertIn("chat", came)
        self.assertIn("roster", came)

    def test_after_that_the_seat_is_given_up(self) -> None:
        self.bob.drop()
        self.house.wait(31)
        came = {message["type"]: message for message in self.ann.received()}
        self.assertEqual(list(came["roster"]["players"]), [self.ann.id])
        self.assertEqual(list(came["state"]["entities"]), [self.ann.id])

    def test_and_whoever_resumes_lands_in_the_lobby(self) -> None:
        self.bob.drop()
        self.house.wait(31)
        again, resumed = self.back(self.bob)
        self.assertEqual((resumed["you"]["id"], resumed["room"]), (self.bob.id, "lobby"))
        state = again.heard("state")[-1]
        self.assertEqual((state["room"], state["positions"]), ("lobby", {self.bob.id: {"x": 0, "y": 0}}))

    def test_nobody_else_takes_it(self) -> None:
        cat, dog, eel = (self.house.connect("game") for _ in range(3))
        self.bob.drop()
        self.join(cat, room="race-1")
        self.join(dog, room="race-1")
        self.assertEqual(self.refused(eel.ask("join", room="race-1"))[0], "room_full")

    def test_leave_gives_it_up_at_once(self) -> None:
        self.bob.ask("leave")
        self.bob.drop()
        self.assertEqual(list(self.roster()["players"]), [self.ann.id])
        _, resumed = self.back(self.bob)
        self.assertEqual(resumed["room"], "lobby")

    def test_a_room_from_which_all_dropped_waits_for_them(self) -> None:
        self.ann.drop()
        self.bob.drop()
        self.house.wait(29)
        _, resumed = self.back(self.bob)
        self.assertEqual(resumed["room"], "race-1")
        self.house.wait(31)
        self.assertEqual(list(self.house.game.directory.named("race-1").room.seats), [self.bob.id])

    def test_but_not_for_ever(self) -> None:
        for game in ("walk", "race"):
            cat = self.house.connect("game")
            room = self.join(cat, game=game, create=True)["room"]
            cat.drop()
            self.house.wait(29.9)
            self.assertIn(room, self.names())
            self.house.wait(0.2)
            self.assertNotIn(room, self.names())

    def test_as_a_newcomer_it_is_never_seen(self) -> None:
        cat = self.house.connect("game")
        self.house.wait(1)
        cat.received()
        self.bob.drop()
        self.back(self.bob)
        self.house.wait(1)
        self.assertEqual(cat.heard("state"), [])

    def test_its_name_is_kept_for_it(self) -> None:
        cat, dog = self.house.connect("game"), self.house.connect("game")
        self.join(cat, game="walk", name="Cat")
        cat.drop()
        self.assertEqual(self.refused(dog.ask("join", game="walk", name="cat"))[0], "name_taken")
        self.house.wait(121)
        self.join(dog, game="walk", name="cat")
