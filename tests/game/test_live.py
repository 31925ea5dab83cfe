"""Tests of L{netplay.game.live}: when who is told the state, seen from players of the lobby; games that go wrong."""

from __future__ import annotations

import json
from typing import Any, ClassVar
from unittest.mock import patch

from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netplay.game import Entity, Game, Message, Player
from netplay.game.games.sandbox import Sandbox
from tests.features import START, House, LineClient
from tests.game.rooms import Go, RoomsTestCase, Run, Walk
from tests.support import LogRecorder, Peer, until


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


class Poke(Message):
    """Do what goes wrong."""


class Thing(Entity):
    """What does not fit."""

    weight: float = 0
    text: str = ""


class Fragile(Game):
    """
    Goes wrong where it is told to.

    @cvar at: the hook that does.
    @cvar how: what it does there.
    """

    name, api, players = "fragile", 1, (1, 4)
    starts, countdown, rest = "at once", 0, 0
    messages = [Poke, Go]
    at: ClassVar[str] = ""
    how: ClassVar[Any] = None

    def reach(self, hook: str) -> None:
        if hook == self.at:
            self.how()

    def setup(self) -> None:
        self.reach("setup")

    def joined(self, player: Player) -> None:
        self.reach("joined")

    def left(self, player: Player) -> None:
        self.reach("left")

    def away(self, player: Player) -> None:
        self.reach("away")

    def back(self, player: Player) -> None:
        self.reach("back")

    def start(self) -> None:
        self.every(0.5, self.timer)
        self.reach("start")

    def timer(self) -> None:
        self.reach("timer")

    def on_poke(self, player: Player, message: Poke) -> None:
        self.reach("on_poke")

    def on_go(self, player: Player, message: Go) -> None:
        pass

    # How

    def fail(self) -> None:
        raise ZeroDivisionError("the game went wrong")

    def weigh_nothing(self) -> None:
        self.add(Thing(weight=float("nan")))

    def weigh_everything(self) -> None:
        self.add(Thing(weight=float("inf")))

    def weigh_words(self) -> None:
        self.add(Thing(weight="heavy"))  # type: ignore[arg-type]

    def show_itself(self) -> None:
        self.add(Thing(text=self))  # type: ignore[arg-type]

    def tell_itself(self) -> None:
        self.event("look", game=self)

    def tell_one_itself(self) -> None:
        self.event("look", to=self.seated[0], game=self)

    def chatter(self) -> None:
        while True:
            self.event("blah")

    def breed(self) -> None:
        while True:
            self.add(Thing())

    def end(self) -> None:
        self.over()

    def end_oddly(self) -> None:
        self.over(winner=self)

    def leave(self) -> None:
        raise GeneratorExit

    def end_everything(self) -> None:
        raise SystemExit

    def interrupt(self) -> None:
        raise KeyboardInterrupt

    def say_no(self) -> None:
        self.refuse("not like that")


class FragileRun(Fragile):
    """The same, twenty times a second."""

    name = "fragile_run"

    def tick(self, dt: float) -> None:
        self.reach("tick")


class CrashTests(RoomsTestCase):
    """What goes wrong in a game ends that room, and it alone."""

    games = (Fragile, FragileRun, Walk, Run)

    def setUp(self) -> None:
        super().setUp()
        self.cat = self.house.connect("game")
        self.join(self.cat, game="run")

    def wrong(self, at: str, how: str = "fail") -> None:
        """From now on it goes wrong there, until it has L{ended}."""
        Fragile.at, Fragile.how = at, vars(Fragile)[how]
        self.addCleanup(setattr, Fragile, "at", "")

    def ended(self, *clients: LineClient, room: str = "fragile-1") -> None:
        """The room is closed, who was in it is in the lobby and sees that, the log has it once, and others go on."""
        Fragile.at = ""
        for client in clients:
            came = client.received()
            self.assertEqual([m["code"] for m in came if m["type"] == "error"][:1], ["room_crashed"], came)
            last = [m for m in came if m["type"] == "state"][-1]
            self.assertEqual((last["room"], client.id in last["positions"]), ("lobby", True))
            self.assertEqual(client.ask("move", dx=1), {"type": "ok"})
        self.assertNotIn(room, self.names())
        self.assertEqual(len(self.flushLoggedErrors()), 1)
        self.house.wait(2)
        self.cat.send("act", do="tell")
        self.house.wait(1)
        self.assertEqual(len(self.cat.heard("event")), 1)
        self.assertEqual(self.flushLoggedErrors(), [])

    def together(self, game: str = "fragile") -> None:
        """Ann and Bob play it."""
        self.join(self.ann, game=game)
        self.join(self.bob, game=game)

    def test_the_log_names_game_room_and_tick(self) -> None:
        self.together("fragile_run")
        self.wrong("tick")
        log = LogRecorder(self)
        self.house.wait(0.1)
        [event] = log.events
        self.assertIn("the game fragile_run failed in room fragile_run-1 at tick ", formatEvent(event))
        self.assertIsInstance(event["tick"], int)
        self.assertIn("in fail", event["log_failure"].getTraceback())
        self.ended(self.ann, self.bob, room="fragile_run-1")

    def test_as_it_is_made(self) -> None:
        self.wrong("setup")
        self.assertEqual(self.refused(self.ann.ask("join", game="fragile"))[0], "room_crashed")
        self.assertEqual(self.ann.session.live.name, "lobby")
        self.ended()

    def test_as_somebody_joins_a_new_room(self) -> None:
        self.wrong("joined")
        self.assertEqual(self.refused(self.ann.ask("join", game="fragile"))[0], "room_crashed")
        self.assertEqual(self.ann.session.live.name, "lobby")
        self.ended()

    def test_as_somebody_joins_others(self) -> None:
        self.join(self.ann, game="fragile")
        self.wrong("joined")
        self.assertEqual(self.refused(self.bob.ask("join", game="fragile"))[0], "room_crashed")
        self.assertEqual(self.bob.session.live.name, "lobby")
        self.ended(self.ann)

    def test_as_somebody_leaves(self) -> None:
        self.together()
        self.wrong("left")
        self.assertEqual(self.ann.ask("leave"), {"type": "ok"})
        self.assertEqual(self.ann.session.live.name, "lobby")
        self.ended(self.bob)

    def test_as_somebody_drops(self) -> None:
        self.together()
        self.wrong("away")
        self.ann.drop()
        self.ended(self.bob)

    def test_and_who_dropped_comes_back_to_the_lobby(self) -> None:
        self.together()
        self.wrong("away")
        self.ann.drop()
        again, resumed = self.back(self.ann)
        self.assertEqual(resumed["room"], "lobby")
        self.assertIn(again.id, again.heard("state")[-1]["positions"])
        self.ended(self.bob)

    def test_as_somebody_comes_back(self) -> None:
        self.together()
        self.ann.drop()
        self.wrong("back")
        again, resumed = self.back(self.ann)
        self.assertEqual(resumed["type"], "resumed")
        self.ended(again, self.bob)

    def test_as_a_seat_is_given_up(self) -> None:
        self.together()
        self.ann.drop()
        self.wrong("left")
        self.house.wait(30)
        self.ended(self.bob)

    def test_as_the_round_starts(self) -> None:
        self.wrong("start")
        self.assertEqual(self.refused(self.ann.ask("join", game="fragile"))[0], "room_crashed")
        self.ended()

    def test_as_the_next_round_starts(self) -> None:
        self.together()
        self.wrong("on_poke", "end")
        self.ann.send("act", do="poke")
        self.wrong("start")
        self.house.wait(1)
        self.ended(self.ann, self.bob)

    def test_in_what_somebody_does(self) -> None:
        for game in (Fragile, FragileRun):
            with self.subTest(game.name):
                self.together(game.name)
                self.wrong("on_poke")
                self.assertEqual(self.refused(self.ann.ask("act", do="poke"))[0], "room_crashed")
                self.ended(self.ann, self.bob, room=f"{game.name}-1")

    def test_when_a_timer_is_due(self) -> None:
        for game in (Fragile, FragileRun):
            with self.subTest(game.name):
                self.together(game.name)
                self.wrong("timer")
                self.house.wait(1)
                self.ended(self.ann, self.bob, room=f"{game.name}-1")

    def test_in_what_it_shows(self) -> None:
        for game in (Fragile, FragileRun):
            for n, how in enumerate(("weigh_nothing", "weigh_everything", "weigh_words", "show_itself"), 1):
                with self.subTest(game.name, how=how):
                    self.together(game.name)
                    self.wrong("on_poke", how)
                    self.ann.send("act", do="poke")
                    self.house.wait(1)
                    self.ended(self.ann, self.bob, room=f"{game.name}-{n}")

    def test_in_what_it_tells(self) -> None:
        for game in (Fragile, FragileRun):
            for n, how in enumerate(("tell_itself", "tell_one_itself", "end_oddly", "chatter", "breed"), 1):
                with self.subTest(game.name, how=how):
                    self.together(game.name)
                    self.wrong("on_poke", how)
                    self.ann.send("act", do="poke")
                    self.house.wait(1)
                    self.ended(self.ann, self.bob, room=f"{game.name}-{n}")

    def test_when_it_raises_what_nobody_should(self) -> None:
        for game in (Fragile, FragileRun):
            for n, how in enumerate(("leave", "end_everything", "interrupt"), 1):
                with self.subTest(game.name, how=how):
                    self.together(game.name)
                    self.wrong("on_poke", how)
                    self.ann.send("act", do="poke")
                    self.ended(self.ann, self.bob, room=f"{game.name}-{n}")

    def test_a_tick_does_not_end_the_daemon(self) -> None:
        for n, how in enumerate(("end_everything", "interrupt"), 1):
            with self.subTest(how=how):
                self.together("fragile_run")
                self.wrong("tick", how)
                self.house.wait(0.1)
                self.ended(self.ann, self.bob, room=f"fragile_run-{n}")

    def test_when_it_refuses_what_nobody_asked_for(self) -> None:
        for n, hook in enumerate(("joined", "left", "timer", "away"), 1):
            with self.subTest(hook):
                self.join(self.ann, game="fragile")
                self.join(cat := self.house.connect("game"), game="fragile")
                self.wrong(hook, "say_no")
                match hook:
                    case "joined":
                        self.assertEqual(self.refused(self.bob.ask("join", game="fragile"))[0], "room_crashed")
                    case "left":
                        cat.ask("leave")
                    case "away":
                        cat.drop()
                self.house.wait(1)
                self.ended(self.ann, room=f"fragile-{n}")

    def test_who_watches_is_sent_to_the_lobby_too(self) -> None:
        self.join(self.ann, game="fragile")
        self.join(self.bob, room="fragile-1", spectate=True)
        self.wrong("on_poke")
        self.ann.send("act", do="poke")
        self.ended(self.ann, self.bob)

    def test_who_comes_to_watch_and_sees_what_cannot_be_shown(self) -> None:
        self.join(self.ann, game="fragile")
        self.wrong("on_poke", "weigh_nothing")
        self.ann.send("act", do="poke")
        answer = self.bob.ask("join", room="fragile-1", spectate=True)
        self.assertEqual(self.refused(answer)[0], "room_crashed")
        self.ended(self.ann, self.bob)

    def test_nothing_waits_for_it_any_more(self) -> None:
        before = None
        for _ in range(2):
            self.together("fragile_run")
            self.wrong("tick")
            self.house.wait(1)
            Fragile.at = ""
            self.assertEqual(len(self.flushLoggedErrors()), 1)
            waiting = len(self.house.clock.getDelayedCalls())
            self.assertIn(before, (None, waiting))
            before = waiting

    def test_those_who_were_matched_for_it(self) -> None:
        self.wrong("joined")
        for client in (self.ann, self.bob, self.house.connect("game"), self.house.connect("game")):
            client.send("queue", game="fragile")
        self.house.wait(1)
        for client in (self.ann, self.bob):
            self.assertEqual([m["code"] for m in client.heard("error")], ["room_crashed"])
            self.assertEqual(client.session.live.name, "lobby")
        self.ended()


class ReadingTests(TestCase):
    """When it is read what players say, over real sockets."""

    timeout = 30

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.house = House()
        self.port: Any = reactor.listenTCP(0, self.house.game.factory, interface="127.0.0.1")  # type: ignore[attr-defined]
        self.addCleanup(self.port.stopListening)

    async def connect(self) -> tuple[Peer, Any]:
        """A client, and the transport of its connection."""
        connections = self.house.core.watch.connections
        before = set(connections)
        peer = Peer(("127.0.0.1", self.port.getHost().port))
        await until(lambda: connections - before)
        [connection] = connections - before
        return peer, connection.transport

    async def says(self, peer: Peer, **message: Any) -> None:
        """Until it has the answer."""
        peer.socket.sendall(json.dumps({**message, "ref": 1}).encode())
        await peer.read_until(lambda: b'"ref":1' in peer.got)
        peer.got.clear()

    async def test_who_plays_where_the_game_ticks_may_wait_a_moment(self) -> None:
        core = self.house.core
        (ann, to_ann), (bob, to_bob) = await self.connect(), await self.connect()
        await self.says(ann, type="join", game="arena")
        self.assertIs(to_ann.reactor, core.inbox)
        self.house.wait(4)  # it has begun
        self.assertIs(to_ann.reactor, core.patient_inbox)
        await self.says(bob, type="join", game="arena")
        self.assertIs(to_bob.reactor, core.patient_inbox)
        await self.says(bob, type="leave")
        self.assertIs(to_bob.reactor, core.inbox)
        self.house.wait(121)  # it is over
        self.assertIs(to_ann.reactor, core.inbox)
        for peer in (ann, bob):
            peer.close()
        await until(lambda: not core.watch.connections)


class BrokenLobbyTests(SynchronousTestCase):
    """Even the lobby may go wrong."""

    def test_everybody_lands_in_a_new_one(self) -> None:
        house = House()
        ann, bob = house.connect("game"), house.connect("game")
        house.wait(1)
        for client in (ann, bob):
            client.received()
        with patch.object(Sandbox, "on_move", Fragile.fail):
            self.assertEqual(ann.ask("move", dx=1)["code"], "room_crashed")
        self.assertEqual(len(self.flushLoggedErrors(TypeError, ZeroDivisionError)), 1)
        house.wait(1)
        ann.send("move", dx=1)
        for client in (ann, bob):
            positions = client.heard("state")[-1]["positions"]
            self.assertEqual(positions, {ann.id: {"x": 1, "y": 0}, bob.id: {"x": 0, "y": 0}})
