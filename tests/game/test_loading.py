"""Tests of L{netplay.game.loading}, with real files."""

from __future__ import annotations

import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netplay.game.games.cards import Eights
from netplay.game.loading import LoadError, file_of, load, together

GAME = '''
from __future__ import annotations
from netplay.game import Entity, Game

class Ball(Entity):
    x: float = 1

class Pong(Game):
    """Back and forth."""
    name, api = "pong", 1
'''


class LoadTests(SynchronousTestCase):
    """Finding the games in a file."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp() + ".py").absolute()

    def load(self, source: str) -> list[str]:
        self.path.write_text(source)
        self.addCleanup(sys.modules.pop, f"netplay.loaded.{self.path}", None)
        return [game.name for game in load(self.path)]

    def refused(self, source: str) -> str:
        return str(self.assertRaises(LoadError, self.load, source))

    def test_a_game(self) -> None:
        self.assertEqual(self.load(GAME), ["pong"])
        self.assertEqual(file_of(load(self.path)[0]), str(self.path))

    def test_an_installed_game_has_no_file(self) -> None:
        self.assertIsNone(file_of(Eights))

    def test_games_that_it_imports_are_not_its_own(self) -> None:
        self.assertEqual(self.load(GAME + "from netplay.game.games.cards import Eights\n"), ["pong"])

    def test_a_file_without_a_game(self) -> None:
        self.assertIn("has no game in it", self.refused("x = 1"))

    def test_two_games_of_one_name(self) -> None:
        self.assertIn("two games 'pong'", self.refused(GAME + "class Again(Pong):\n    name = 'pong'\n"))

    def test_a_name_that_there_is_already(self) -> None:
        error = self.assertRaises(LoadError, together, [Eights], [Eights])
        self.assertIn(f"there is a game {Eights.name!r} already", str(error))

    def test_no_file(self) -> None:
        self.assertIn("cannot be read", str(self.assertRaises(LoadError, load, self.path)))

    def test_an_exception_is_told_from_the_file_on(self) -> None:
        text = self.refused("def f():\n    return 1 / 0\n\nf()\n")
        self.assertIn("ZeroDivisionError", text)
        self.assertIn(f'File "{self.path}", line 4', text)
        self.assertNotIn("loading.py", text)

    def test_what_is_no_python(self) -> None:
        text = self.refused("class Pong(Game:\n")
        self.assertIn("SyntaxError", text)
        self.assertIn("line 1", text)

    def test_a_game_for_another_api(self) -> None:
        self.assertIn("api 2", self.refused(GAME.replace('"pong", 1', '"pong", 2')))

    def test_a_file_that_fails_leaves_what_was_there(self) -> None:
        self.load(GAME)
        before = sys.modules[f"netplay.loaded.{self.path}"]
        self.refused("1 / 0")
        self.assertIs(sys.modules[f"netplay.loaded.{self.path}"], before)
