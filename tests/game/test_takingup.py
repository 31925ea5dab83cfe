"""Tests of L{netplay.game.takingup}: a room goes on with other code and its state."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netplay.game.game import Game
from netplay.game.loading import load
from netplay.game.room import Room
from netplay.game.takingup import take_up

BEFORE = """
from netplay.game import Data, Entity, Game

class Ball(Entity):
    x: float = 0
    old: int = 1

class Seat(Data):
    hits: int = 0

class Pong(Game):
    name, api, seat, starts, countdown = "pong", 1, Seat, "at once", 0

    def joined(self, player):
        player.entity = self.balls = [self.add(Ball(), owner=player)]
        player.entity = self.balls[0]
        self.timer = self.every(1, self.bounce, player.entity, player)

    def bounce(self, ball, player):
        ball.x += 1
        player.seat.hits += 1
"""

AFTER = BEFORE.replace("ball.x += 1", "ball.x += 100").replace("old: int = 1", "fresh: int = 7")


class TakeUpTests(SynchronousTestCase):
    """Entities, seats, timers and all that refers to them."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp() + ".py").absolute()
        self.addCleanup(sys.modules.pop, f"netplay.loaded.{self.path}", None)
        self.room = Room("pong-1", self.load(BEFORE), 1)
        self.room.join("ann", "Ann")
        self.room.advance(20)

    def load(self, source: str) -> type[Game]:
        self.path.write_text(source)
        return load(self.path)[0]

    @property
    def world(self) -> Any:
        return self.room.world

    def test_fields_keep_what_they_hold(self) -> None:
        take_up(self.room, self.load(AFTER))
        ball = self.world.entities["ann"]
        self.assertEqual((ball.x, ball.fresh, hasattr(ball, "old")), (1, 7, False))
        self.assertEqual(self.room.seats["ann"].seat.hits, 1)

    def test_what_refers_to_an_entity_still_does(self) -> None:
        take_up(self.room, self.load(AFTER))
        ball = self.world.entities["ann"]
        self.assertIs(self.world.balls[0], ball)
        self.assertIs(self.room.seats["ann"].entity, ball)
        self.assertIs(ball.owner, self.room.seats["ann"])

    def test_timers_go_on_with_the_new_code(self) -> None:
        take_up(self.room, self.load(AFTER))
        self.room.advance(20)
        self.assertEqual(self.world.entities["ann"].x, 101)
        self.world.cancel(self.world.timer)
        self.room.advance(20)
        self.assertEqual(self.world.entities["ann"].x, 101, "it is the same timer")

    def fails(self, source: str, text: str) -> None:
        before = self.room.game, self.room.world, self.room.scene.timers, self.room.seats["ann"].entity
        error = self.assertRaises((LookupError, TypeError), take_up, self.room, self.load(source))
        self.assertIn(text, str(error))
        after = self.room.game, self.room.world, self.room.scene.timers, self.room.seats["ann"].entity
        self.assertEqual(after, before)
        self.room.advance(20)
        self.assertEqual(self.world.entities["ann"].x, 2)

    def test_a_method_that_a_timer_waits_for_is_gone(self) -> None:
        self.fails(AFTER.replace("bounce", "leap"), "a timer waits for bounce")

    def test_a_class_that_is_gone(self) -> None:
        self.fails(AFTER.replace("Ball", "Cube"), "no class for it")

    def test_a_field_that_clients_cannot_be_shown(self) -> None:
        self.fails(AFTER.replace("fresh: int = 7", "fresh: dict = {}"), "Ball.fresh")
