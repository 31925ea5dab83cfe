"""Tests of L{netplay.game.live}: when who is told the state, seen from players of the lobby."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.features import START, House, LineClient


class RoomTestCase(SynchronousTestCase):
    """Ann and Bob are in the lobby, have seen each other, and a while has passed."""

    state_rate = 20.0

    def setUp(self) -> None:
        self.house = House(state_rate=self.state_rate)
        self.ann = self.house.connect("game")
        self.bob = self.house.connect("game")
        self.settle()

    def settle(self) -> None:
        self.house.wait(1)
        self.ann.received()
        self.bob.received()

    def x(self, state: dict[str, Any], client: LineClient) -> Any:
        return state["positions"][client.id]["x"]


class ArrivalTests(RoomTestCase):
    """A newcomer, and what the others see of it."""

    def test_the_first_message_is_the_state_with_oneself_at_the_origin(self) -> None:
        self.ann.send("move", dx=3, dy=4)
        self.ann.send("score", points=5)
        self.house.wait(1)
        carol = self.house.connect("game")
        hello = dict(carol.hello)
        for more in ("you", "session", "protocol", "server", "limits", "tick"):
            hello.pop(more)
        self.assertEqual(
            hello,
            {
                "type": "state",
                "room": "lobby",
                "game": "sandbox",
                "at": (START + 2) * 1000,
                "positions": {
                    "Player_1": {"x": 3, "y": 4},
                    "Player_2": {"x": 0, "y": 0},
                    "Player_3": {"x": 0, "y": 0},
                },
                "scores": {"Player_1": 5, "Player_2": 0, "Player_3": 0},
            },
        )

    def test_a_newcomer_gets_exactly_one(self) -> None:
        carol = self.house.connect("game", greeted=False)
        self.house.wait(5)
        self.assertEqual(len(carol.received()), 1)

    def test_the_others_are_told_in_a_moment(self) -> None:
        self.house.connect("game")
        self.assertEqual(self.ann.received(), [])
        self.house.wait(0.25)
        for client in (self.ann, self.bob):
            [state] = client.received()
            self.assertEqual(sorted(state["positions"]), ["Player_1", "Player_2", "Player_3"])

    def test_or_as_soon_as_it_does_something(self) -> None:
        carol = self.house.connect("game")
        carol.send("move", dx=1)
        [state] = self.ann.received()
        self.assertEqual(self.x(state, carol), 1)
        self.assertEqual(carol.received(), [state])

    def test_what_happens_meanwhile_the_newcomer_is_told_too(self) -> None:
        carol = self.house.connect("game")
        self.ann.send("move", dx=1)
        self.house.wait(0.25)
        states = carol.received()
        self.assertEqual(self.x(states[-1], self.ann), 1)

    def test_two_who_come_at_once_see_each_other(self) -> None:
        carol = self.house.connect("game", greeted=False)
        dave = self.house.connect("game", greeted=False)
        self.house.wait(1)
        self.assertIn("Player_4", carol.received()[-1]["positions"])
        [state] = dave.received()
        self.assertIn("Player_3", state["positions"])

    def test_who_comes_and_goes_in_a_moment_is_not_seen(self) -> None:
        self.house.connect("game").drop()
        self.house.wait(1)
        self.assertEqual(self.ann.received(), [])


class ChangeTests(RoomTestCase):
    """A change is sent at once, further ones at most 20 times a second."""

    def test_everybody_is_told_at_once(self) -> None:
        self.ann.send("move", dx=1, dy=2)
        [state] = self.bob.received()
        self.assertEqual(self.ann.received(), [state])
        self.assertEqual(
            {key: state[key] for key in ("type", "room", "game", "at", "scores")},
            {
                "type": "state",
                "room": "lobby",
                "game": "sandbox",
                "at": (START + 1) * 1000,
                "scores": {"Player_1": 0, "Player_2": 0},
            },
        )
        self.assertEqual(state["positions"]["Player_1"], {"x": 1, "y": 2})
        self.assertEqual(set(state) - {"tick", "positions"}, {"type", "room", "game", "at", "scores"})

    def test_changes_of_one_turn_are_one_state(self) -> None:
        for _ in range(10):
            self.ann.send("move", dx=1)
        [state] = self.bob.received()
        self.assertEqual(self.x(state, self.ann), 10)

    def test_further_ones_wait_for_their_time(self) -> None:
        self.ann.send("move", dx=1)
        self.bob.received()
        self.ann.send("move", dx=1)
        self.assertEqual(self.bob.received(), [])
        self.house.wait(0.04)
        self.assertEqual(self.bob.received(), [])
        self.house.wait(0.01)
        [state] = self.bob.received()
        self.assertEqual(self.x(state, self.ann), 2)

    def test_twenty_a_second_with_the_newest_at_the_end(self) -> None:
        for _ in range(200):
            self.ann.send("move", dx=1)
            self.house.wait(0.01)
        self.house.wait(0.05)
        states = self.bob.received()
        self.assertTrue(38 <= len(states) <= 41, len(states))
        self.assertEqual(self.x(states[-1], self.ann), 200)
        ticks = [state["tick"] for state in states]
        self.assertEqual(ticks, sorted(set(ticks)))

    def test_when_nothing_happens_nothing_is_sent(self) -> None:
        self.house.wait(10)
        self.assertEqual(self.ann.received(), [])

    def test_who_drops_is_out(self) -> None:
        self.bob.drop()
        [state] = self.ann.received()
        self.assertEqual(list(state["positions"]), ["Player_1"])
        self.assertEqual(list(state["scores"]), ["Player_1"])

    def test_who_is_alone_is_told_too(self) -> None:
        self.bob.drop()
        self.settle()
        self.ann.send("move", dx=1)
        self.assertEqual(len(self.ann.received()), 1)


class RateTests(RoomTestCase):
    """C{--state-rate}."""

    state_rate = 2.0

    def test_it_holds(self) -> None:
        for _ in range(100):
            self.ann.send("score", points=1)
            self.house.wait(0.05)
        self.assertTrue(10 <= len(self.bob.received()) <= 11)


class LagTests(RoomTestCase):
    """Players who do not read."""

    def test_a_player_who_lags_gets_the_newest_state_only(self) -> None:
        self.bob.lag()
        for _ in range(100):
            self.ann.send("move", dx=1)
            self.house.wait(0.1)
        self.assertEqual(self.bob.received(), [])
        self.bob.catch_up()
        [state] = self.bob.received()
        self.assertEqual(self.x(state, self.ann), 100)

    def test_the_others_do_not_notice(self) -> None:
        self.bob.lag()
        for _ in range(10):
            self.ann.send("move", dx=1)
            self.house.wait(0.1)
        self.assertEqual(len(self.ann.received()), 10)

    def test_what_it_asked_for_is_not_merged_away(self) -> None:
        self.bob.lag()
        self.bob.send("ping", ref=1)
        self.ann.send("move", dx=1)
        self.house.wait(0.1)
        self.bob.send("ping", ref=2)
        self.bob.catch_up()
        self.assertEqual([message["type"] for message in self.bob.received()], ["pong", "pong", "state"])

    def test_it_then_goes_on_as_before(self) -> None:
        self.bob.lag()
        self.ann.send("move", dx=1)
        self.house.wait(0.1)
        self.bob.catch_up()
        self.bob.received()
        for _ in range(3):
            self.ann.send("move", dx=1)
            self.house.wait(0.1)
        self.assertEqual(len(self.bob.received()), 3)


class IndependenceTests(SynchronousTestCase):
    """The lobby seats a hundred; who comes then is in a room of its own."""

    def setUp(self) -> None:
        self.house = House()
        self.first = [self.house.connect("game") for _ in range(100)]
        self.late = self.house.connect("game")
        self.house.wait(1)
        for client in (*self.first, self.late):
            client.received()

    def test_a_hundred_are_in_the_lobby(self) -> None:
        self.assertEqual({client.hello["room"] for client in self.first}, {"lobby"})
        self.assertEqual(len(self.first[-1].hello["positions"]), 100)

    def test_the_next_is_in_the_second_one(self) -> None:
        self.assertEqual(self.late.hello["room"], "lobby-2")
        self.assertEqual(list(self.late.hello["positions"]), ["Player_101"])

    def test_neither_hears_of_the_other(self) -> None:
        self.late.send("move", dx=1)
        self.assertEqual([state["room"] for state in self.late.received()], ["lobby-2"])
        self.assertEqual(self.first[0].received(), [])
        self.first[1].send("move", dx=1)
        self.assertEqual([state["room"] for state in self.first[0].received()], ["lobby"])
        self.assertEqual(self.late.received(), [])

    def test_each_has_its_own_rate(self) -> None:
        self.late.send("move", dx=1)
        self.late.received()
        self.first[0].send("move", dx=1)
        self.assertEqual(len(self.first[0].received()), 1)

    def test_who_comes_back_is_in_the_room_where_it_was(self) -> None:
        self.house.connect("game")  # the second lobby is kept open
        self.late.drop()
        self.first[0].drop()  # and there is a seat in the first one
        again = self.house.connect("game")
        self.assertEqual(again.hello["room"], "lobby")
        self.assertEqual(again.ask("resume", session=self.late.hello["session"])["room"], "lobby-2")
        [state] = again.received()
        self.assertEqual(sorted(state["positions"]), ["Player_101", "Player_102"])

    def test_who_comes_back_to_a_full_lobby_is_in_the_second_one_as_it_was(self) -> None:
        gone = self.first[0]
        gone.send("move", dx=7)
        gone.drop()
        self.assertEqual(self.house.connect("game").hello["room"], "lobby")
        again = self.house.connect("game")
        self.assertEqual(again.ask("resume", session=gone.hello["session"])["room"], "lobby-2")
        [state] = again.received()
        self.assertEqual((state["room"], state["positions"]["Player_1"]["x"]), ("lobby-2", 7))
