"""Tests of L{netplay.game.room}: seats, teams, hosts and phases, by calls alone."""

from __future__ import annotations

from contextlib import suppress as ignoring
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.game import Data, Entity, Game, Message, Player
from netplay.game.room import AWAY, Room


class Win(Message):
    """End the round."""


class Cheat(Message):
    """Be refused."""


class Pawn(Entity):
    """A player."""

    x: float = 0
    moves: int = 0


class Seat(Data):
    """What is kept of a player."""

    won: bool = False


class Duel(Game):
    """Once all are ready; in teams, with ticks."""

    name, api, players = "duel", 1, (2, 4)
    teams = ("red", "blue")
    messages, seat = [Win, Cheat], Seat
    tick_rate = 10

    def setup(self) -> None:
        self.heard = ["setup"]

    def joined(self, player: Player) -> None:
        self.heard.append(f"joined {player.id}")
        player.entity = self.add(Pawn(x=self.random.random()), player)

    def left(self, player: Player) -> None:
        assert player.entity.id in self.entities
        assert player not in self.seated
        self.heard.append(f"left {player.id}")

    def away(self, player: Player) -> None:
        self.heard.append(f"away {player.id}")

    def back(self, player: Player) -> None:
        self.heard.append(f"back {player.id}")

    def start(self) -> None:
        self.heard.append("start")
        self.every(1, self.chime)

    def tick(self, dt: float) -> None:
        self.seated[0].entity.x += dt

    def chime(self) -> None:
        self.random.choice(self.seated).entity.moves += 1

    def on_win(self, player: Player, message: Win) -> None:
        player.seat.won = True
        self.over(winner=player.id)

    def on_cheat(self, player: Player, message: Cheat) -> None:
        self.refuse("no", "$.do")


class Full(Duel):
    """Once all seats are taken; whoever comes later waits for the next."""

    name, players, starts, join_in = "full", (2, 3), "full", False


class AtOnce(Duel):
    """At once, and without teams."""

    name, players, starts, countdown, teams = "at_once", (1, 3), "at once", 0, ()
    tick = Game.tick


class RoomTestCase(SynchronousTestCase):
    """Ann and Bob wait for a duel; Ann is the host."""

    game: type[Game] = Duel

    def setUp(self) -> None:
        self.room = Room("den", self.game, seed=1)
        self.ann, self.bob = self.room.join("ann", "Ann"), self.room.join("bob", "Bob")

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.room.advance(round(seconds * self.game.tick_rate))

    def play(self) -> None:
        """Begin the round."""
        for player in list(self.room.seats):
            self.room.ready(player, True)
        self.wait(3)

    def refused(self, *call: Any) -> tuple[str, str | None]:
        """How a call is refused: code and field."""
        error = self.assertRaises(Refused, *call)
        return error.code, error.field

    @property
    def heard(self) -> list[str]:
        """The hooks of this round that were called."""
        world: Any = self.room.world
        return world.heard


class PhaseTests(RoomTestCase):
    """What the room is about."""

    def test_once_all_are_ready_it_counts_down_and_starts(self) -> None:
        self.room.ready("ann", True)
        self.assertEqual((self.room.phase, self.room.starts_in), ("waiting", None))
        self.room.ready("bob", True)
        self.assertEqual((self.room.phase, self.room.starts_in), ("countdown", 3))
        self.wait(2.9)
        self.assertEqual(self.room.phase, "countdown")
        self.wait(0.1)
        self.assertEqual((self.room.phase, self.room.starts_in), ("playing", None))
        self.assertEqual(self.heard, ["setup", "joined ann", "joined bob", "start"])

    def test_who_is_not_ready_after_all_or_comes_in_or_goes_ends_the_countdown(self) -> None:
        for call in (("ready", "bob", False), ("join", "cy", "Cy"), ("leave", "bob"), ("drop", "bob")):
            with self.subTest(call=call):
                self.setUp()
                for player in ("ann", "bob"):
                    self.room.ready(player, True)
                getattr(self.room, call[0])(*call[1:])
                self.assertEqual(self.room.phase, "waiting")
                self.wait(10)
                self.assertEqual(self.room.phase, "waiting")

    def test_who_is_away_is_not_waited_for(self) -> None:
        self.room.join("cy", "Cy")
        for player in ("ann", "bob"):
            self.room.ready(player, True)
        self.room.drop("cy")
        self.assertEqual(self.room.phase, "countdown")

    def test_the_host_need_not_wait(self) -> None:
        self.assertEqual(self.refused(self.room.call, "bob"), ("not_allowed", None))
        self.room.call("ann")
        self.assertEqual(self.room.phase, "countdown")

    def test_which_is_said_for_one_countdown(self) -> None:
        self.room.call("ann")
        self.room.drop("bob")
        self.room.back("bob")
        self.assertEqual(self.room.phase, "waiting")
        self.room.call("ann")
        self.wait(3)
        self.room.act("ann", Win())
        self.wait(5)
        self.assertEqual(self.room.phase, "waiting")

    def test_but_for_enough_players(self) -> None:
        self.room.leave("bob")
        self.assertEqual(self.refused(self.room.call, "ann"), ("not_allowed", None))

    def test_it_ends_rests_and_waits_again_with_a_new_world(self) -> None:
        self.play()
        before = self.room.world
        self.room.act("bob", Win())
        self.assertEqual((self.room.phase, self.room.scene.result), ("over", {"winner": "bob"}))
        self.wait(4.9)
        self.assertIs(self.room.world, before)
        self.wait(0.1)
        self.assertEqual((self.room.phase, self.room.scene.result), ("waiting", None))
        self.assertEqual(self.heard, ["setup", "joined ann", "joined bob"])
        self.assertEqual((self.bob.ready, self.bob.seat.won), (False, False))

    def test_what_is_for_another_phase_is_refused(self) -> None:
        self.assertEqual(self.refused(self.room.act, "ann", Win()), ("wrong_phase", None))
        self.play()
        for call, *arguments in (("ready", "ann", True), ("choose", "ann", "blue"), ("call", "ann")):
            self.assertEqual(self.refused(getattr(self.room, call), *arguments), ("wrong_phase", None))
        self.room.act("ann", Win())
        self.assertEqual(self.refused(self.room.act, "ann", Win()), ("wrong_phase", None))

    def test_when_everyone_has_left_it_begins_anew(self) -> None:
        self.play()
        for player in ("ann", "bob"):
            self.room.drop(player)
        self.wait(40)
        self.assertEqual((self.room.phase, self.room.world.entities, self.room.scene.host), ("waiting", {}, None))
        self.assertEqual(self.heard, ["setup"])


class SeatTests(RoomTestCase):
    """Who is in it."""

    def test_there_are_so_many_seats(self) -> None:
        self.room.join("cy", "Cy")
        self.room.join("dee", "Dee")
        self.assertEqual(self.refused(self.room.join, "eve", "Eve"), ("room_full", None))
        self.assertEqual(self.room.free, 0)

    def test_nobody_comes_into_one_that_has_too_many(self) -> None:
        self.patch(Duel, "players", (1, 1))  # the game was changed while it was played
        self.assertEqual(self.refused(self.room.join, "cy", "Cy"), ("room_full", None))

    def test_who_comes_while_it_is_played_plays(self) -> None:
        self.play()
        self.room.join("cy", "Cy")
        self.assertEqual(self.heard[-1], "joined cy")

    def test_a_lost_connection_has_half_a_minute(self) -> None:
        self.play()
        self.room.drop("bob")
        self.assertTrue(self.bob.away)
        self.wait(AWAY - 0.1)
        self.assertIn("bob", self.room.seats)
        self.wait(0.1)
        self.assertNotIn("bob", self.room.seats)
        self.assertEqual((self.heard[-2:], list(self.room.world.entities)), (["away bob", "left bob"], ["ann"]))

    def test_who_is_back_stays(self) -> None:
        self.room.drop("bob")
        self.wait(20)
        self.room.back("bob")
        self.wait(40)
        self.assertEqual((self.bob.away, self.heard[-2:]), (False, ["away bob", "back bob"]))

    def test_inputs_are_acknowledged_while_it_is_here(self) -> None:
        self.play()
        self.assertEqual(self.refused(self.room.act, "ann", Cheat(seq=3)), ("not_allowed", "$.do"))
        self.assertEqual(self.room.acks, {"ann": 3})
        self.room.leave("ann")
        self.assertEqual(self.room.acks, {})

    def test_who_was_here_before_is_as_it_was(self) -> None:
        self.assertEqual(self.room.join("cy", "Cy", kept={"moves": 7}).entity.moves, 7)

    def test_what_changes_the_roster_is_noted(self) -> None:
        for call in (
            ("ready", "ann", True),
            ("choose", "ann", "red"),
            ("drop", "bob"),
            ("back", "bob"),
            ("join", "cy", "Cy"),
            ("leave", "cy"),
        ):
            with self.subTest(call=call):
                self.room.changed = False
                getattr(self.room, call[0])(*call[1:])
                self.assertTrue(self.room.changed)


class HostTests(RoomTestCase):
    """Who looks after the room."""

    def test_when_the_host_goes_it_is_who_came_next(self) -> None:
        self.room.join("cy", "Cy")
        self.room.leave("ann")
        self.assertIs(self.room.scene.host, self.bob)

    def test_who_is_back_is_not_the_host_again(self) -> None:
        self.room.drop("ann")
        self.assertIs(self.room.scene.host, self.bob)
        self.room.back("ann")
        self.assertIs(self.room.scene.host, self.bob)

    def test_who_comes_when_all_are_away_is_the_host(self) -> None:
        self.room.drop("ann")
        self.room.drop("bob")
        cy = self.room.join("cy", "Cy")
        self.assertIs(self.room.scene.host, cy)

    def test_bots_only_when_there_is_nobody_else(self) -> None:
        room = Room("den", Duel, seed=1)
        bot = room.join("bot", "Bot", bot=True)
        self.assertIs(room.scene.host, bot)
        ann = room.join("ann", "Ann")
        self.assertIs(room.scene.host, ann)


class TeamTests(RoomTestCase):
    """Ann is red and Bob is blue."""

    def test_players_are_spread(self) -> None:
        teams = [self.room.join(id, id).team for id in ("cy", "dee")]
        self.assertEqual([self.ann.team, self.bob.team, *teams], ["red", "blue", "red", "blue"])

    def test_one_may_choose_if_it_stays_even(self) -> None:
        self.assertEqual(self.refused(self.room.choose, "ann", "blue"), ("not_allowed", "$.team"))
        self.room.join("cy", "Cy", "blue")
        self.assertEqual(self.refused(self.room.join, "dee", "Dee", "blue"), ("not_allowed", "$.team"))
        self.room.choose("bob", "red")
        self.assertEqual(self.bob.team, "red")

    def test_there_must_be_such_a_team(self) -> None:
        self.assertEqual(self.refused(self.room.choose, "ann", "green"), ("bad_message", "$.team"))
        self.assertEqual(self.refused(self.room.join, "cy", "Cy", "green"), ("bad_message", "$.team"))
        room = Room("den", AtOnce, seed=1)
        self.assertEqual(self.refused(room.join, "cy", "Cy", "red"), ("bad_message", "$.team"))
        self.assertIsNone(room.join("cy", "Cy").team)


class OtherStartTests(RoomTestCase):
    """Rooms that do not wait for all to be ready."""

    def test_full(self) -> None:
        room = Room("den", Full, seed=1)
        for player in ("ann", "bob"):
            room.join(player, player)
            room.ready(player, True)
        self.assertEqual(room.phase, "waiting")
        room.join("cy", "Cy")
        room.advance(30)
        self.assertEqual(room.phase, "playing")
        room.leave("cy")
        self.assertEqual(room.free, 0)
        self.assertEqual(self.refused(room.join, "dee", "Dee"), ("wrong_phase", None))

    def test_at_once(self) -> None:
        room = Room("den", AtOnce, seed=1)
        room.join("ann", "Ann")
        self.assertEqual(room.phase, "playing")


class TimeTests(RoomTestCase):
    """Ticks, and what is due."""

    def test_a_game_that_ticks_does_so_while_it_is_played(self) -> None:
        x = self.ann.entity.x
        self.wait(5)
        self.assertEqual(self.ann.entity.x, x)
        self.play()
        x = self.ann.entity.x
        self.wait(2)
        self.assertAlmostEqual(self.ann.entity.x, x + 2)

    def test_many_ticks_at_once_are_the_same_as_one_by_one(self) -> None:
        other = Room("den", Duel, seed=1)
        for id in ("ann", "bob"):
            other.join(id, id.title())
        for room in (self.room, other):
            room.call("ann")
        self.room.advance(123)
        for _ in range(123):
            other.advance()
        self.assertEqual(summary(self.room), summary(other))

    def test_what_is_next(self) -> None:
        self.assertIsNone(self.room.next_due)
        self.room.drop("bob")
        self.assertEqual(self.room.next_due, 300)
        self.room.back("bob")
        self.room.call("ann")
        self.assertEqual(self.room.next_due, 30)
        self.room.advance(30)
        self.assertEqual(self.room.next_due, 31)
        self.room.act("ann", Win())
        self.assertEqual(self.room.next_due, 80)


def summary(room: Room) -> Any:
    """All that matters of a room, to be compared."""
    return (
        room.phase,
        room.scene.ticks,
        room.scene.host and room.scene.host.id,
        room.scene.random.getstate(),
        room.acks,
        [(p.id, p.team, p.away, p.ready, p.seat) for p in room.seats.values()],
        [(e.id, e.owner.id, e.x, e.moves) for e in room.world.all(Pawn)],
    )


class Machine(RuleBasedStateMachine):
    """People and bots who come, go, act and wait, in whatever order."""

    ids = st.sampled_from(["ann", "bob", "cy", "dee", "eve"])
    teams = st.sampled_from([None, "red", "blue"])

    @initialize(
        game=st.sampled_from([Duel, Full, AtOnce]), seed=st.integers(0, 9), here=st.lists(ids, unique=True, max_size=3)
    )
    def begin(self, game: type[Game], seed: int, here: list[str]) -> None:
        self.game = game
        self.seed = seed
        self.room = Room("den", game, seed)
        self.calls: list[Any] = []
        self.room.journal = lambda *call, **more: self.calls.append((call, more))
        self.seated: list[str] = []
        self.until: dict[str, int] = {}
        self.called = False
        for id in here:
            self.join(id, None, bot=False)

    def sizes(self) -> dict[str, int]:
        """How many are in each team."""
        return {t: sum(p.team == t for p in self.room.seats.values()) for t in self.game.teams}

    def attempt(self, *call: Any, **more: Any) -> bool:
        """Whether it is granted; if not, nothing has changed."""
        before = summary(self.room)
        try:
            getattr(self.room, call[0])(*call[1:], **more)
        except Refused:
            acks = self.room.acks if call[0] == "act" else before[4]
            assert summary(self.room) == (*before[:4], acks, *before[5:])
            return False
        return True

    @rule(id=ids, team=teams, bot=st.booleans())
    def join(self, id: str, team: str | None, bot: bool) -> None:
        if id not in self.seated and self.attempt("join", id, id, team, bot=bot):
            self.seated.append(id)
            assert team in (None, self.room.seats[id].team)
            self.evenly(id)

    @rule(id=ids, team=teams.filter(bool))
    def choose(self, id: str, team: str) -> None:
        if id in self.seated and self.attempt("choose", id, team):
            assert self.room.seats[id].team == team
            self.evenly(id)

    def evenly(self, id: str) -> None:
        """The team that was chosen is not larger than another by more than one."""
        sizes = self.sizes()
        assert not sizes or sizes[str(self.room.seats[id].team)] <= min(sizes.values()) + 1

    @rule(id=ids)
    def leave(self, id: str) -> None:
        if id in self.seated:
            self.room.leave(id)
            self.gone(id)

    @rule(id=ids)
    def drop(self, id: str) -> None:
        if id in self.seated and id not in self.until:
            self.room.drop(id)
            self.until[id] = self.room.scene.ticks + round(AWAY * self.game.tick_rate)

    @rule(id=ids)
    def back(self, id: str) -> None:
        if id in self.until:
            self.room.back(id)
            del self.until[id]

    @rule(id=ids, ready=st.booleans())
    def ready(self, id: str, ready: bool) -> None:
        if id in self.seated:
            self.attempt("ready", id, ready)

    @rule()
    def let_it_start(self) -> None:
        for id in self.seated:
            self.attempt("ready", id, True)
        if (host := self.room.scene.host) is not None:
            self.call(host.id)
        self.advance(30)

    @rule(id=ids)
    def call(self, id: str) -> None:
        if id in self.seated and self.attempt("call", id):
            assert self.room.scene.host is self.room.seats[id]
            self.called = True

    @rule(id=ids, message=st.sampled_from([Win(), Win(seq=3), Cheat(seq=4)]))
    def act(self, id: str, message: Message) -> None:
        if id in self.seated:
            playing = self.room.phase == "playing"
            assert self.attempt("act", id, message) == (playing and isinstance(message, Win))

    @rule(ticks=st.sampled_from([1, 5, 30, 50, 150, 300]))
    def advance(self, ticks: int) -> None:
        world, phase = self.room.world, self.room.phase
        end = self.room.scene.ticks + ticks
        self.room.advance(ticks)
        assert self.room.scene.ticks == end
        for id in [id for id, until in self.until.items() if until <= end]:
            self.gone(id)
        if phase == "over" and ticks >= 50:
            assert self.room.world is not world
            assert self.room.scene.result is None

    def gone(self, id: str) -> None:
        self.seated.remove(id)
        self.until.pop(id, None)

    @invariant()
    def seats_are_as_they_should_be(self) -> None:
        room = self.room
        assert list(room.seats) == self.seated
        assert len(self.seated) <= self.game.players[1]
        assert {id for id, player in room.seats.items() if player.away} == set(self.until)
        assert room.acks.keys() <= room.seats.keys()
        assert [entity.id for entity in room.world.all(Pawn)] == self.seated
        assert all(player.entity is room.world.entities[id] for id, player in room.seats.items())

    @invariant()
    def somebody_who_is_there_is_host(self) -> None:
        host, players = self.room.scene.host, self.room.seats.values()
        assert (host is None) == (not players)
        assert host is None or host is self.room.seats[host.id]
        if host is not None and any(not (player.away or player.bot) for player in players):
            assert not host.away
            assert not host.bot

    @invariant()
    def the_phase_follows_from_who_is_there(self) -> None:
        room = self.room
        there = [player for player in room.seats.values() if not player.away]
        if room.phase != "countdown":
            self.called = False
        willing = {
            "ready": all(player.ready for player in there),
            "full": len(room.seats) == self.game.players[1],
            "at once": True,
        }[self.game.starts]
        may_start = len(there) >= self.game.players[0] and (willing or self.called)
        if room.phase == "waiting":
            assert not may_start
        elif room.phase == "countdown":
            assert may_start
            assert room.starts_in is not None
            assert 0 < room.starts_in <= self.game.countdown
        elif room.phase == "playing":
            assert room.seats
            assert room.scene.result is None
        else:
            assert room.scene.result is not None
        assert (room.starts_in is None) == (room.phase != "countdown")

    @precondition(lambda self: self.calls)
    @rule()
    def it_can_be_played_again(self) -> None:
        again = Room("den", self.game, self.seed)
        for (name, *arguments), more in self.calls:
            with ignoring(Refused):  # by the game
                getattr(again, name)(*arguments, **more)
        assert summary(again) == summary(self.room)


class WhateverHappensTests(SynchronousTestCase):
    """Any order of calls keeps seats, teams, hosts and phases consistent."""

    def test_the_room_is_as_it_should_be(self) -> None:
        run_state_machine_as_test(Machine, settings=settings(max_examples=120, stateful_step_count=40, deadline=None))
