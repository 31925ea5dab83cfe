"""Tests of L{netplay.game.reloading}: real files, the clock's time."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from netplay.core import Core
from netplay.game.directory import Directory
from netplay.game.game import Game
from netplay.game.loading import load
from netplay.game.reloading import LOOK_EVERY, Reloading
from netplay.limits import Limits
from netplay.ticklimit import TickLimit
from tests.game.test_takingup import AFTER, BEFORE


class ReloadingTests(SynchronousTestCase):
    """One file, one room."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp() + ".py").absolute()
        self.addCleanup(sys.modules.pop, f"netplay.loaded.{self.path}", None)
        self.path.write_text(BEFORE)
        self.games: dict[str, type[Game]] = {game.name: game for game in load(self.path)}
        self.clock = Clock()
        core = Core(self.clock, Limits())
        limit = TickLimit(0.25)
        self.directory = Directory(self.games, core, limit, 20)
        self.live = self.directory.open(self.games["pong"])
        reloading = Reloading(self.clock, [self.path], self.games, self.directory, limit)
        limit.install()
        self.addCleanup(limit.restore)
        reloading.start()
        self.addCleanup(reloading.stop)
        self.addCleanup(self.directory.stop)

    def change(self, source: str) -> Any:
        self.path.write_text(source)
        self.clock.advance(LOOK_EVERY)
        return self.live.room.game

    def test_rooms_go_on_with_what_is_new(self) -> None:
        self.assertIs(self.change(AFTER), self.games["pong"])
        self.assertIs(type(self.live.room.world), self.games["pong"])

    def test_nothing_is_loaded_again_while_nothing_changes(self) -> None:
        before = self.games["pong"]
        self.clock.advance(LOOK_EVERY)
        self.assertIs(self.games["pong"], before)

    def test_a_broken_file_is_told_and_the_old_code_goes_on(self) -> None:
        before = self.games["pong"]
        with capturedLogs() as log:
            self.assertIs(self.change("class Pong(Game:"), before)
        self.assertIn("SyntaxError", str(log))
        self.assertIs(self.games["pong"], before)
        self.assertIs(self.change(AFTER), self.games["pong"])
        self.assertIsNot(self.games["pong"], before)

    def test_so_is_one_that_does_not_come_to_an_end(self) -> None:
        before = self.games["pong"]
        with capturedLogs() as log:
            self.assertIs(self.change(f"{AFTER}\nwhile True:\n    pass\n"), before)
        self.assertIn("TickOverrun: it did not return within 0.25 s", str(log))
