"""Tests of L{netplay.cli}."""

from __future__ import annotations

import sys
from io import StringIO
from typing import Any

from twisted.scripts import twistd
from twisted.trial.unittest import SynchronousTestCase

import netplay
from netplay.cli import main


class MainTests(SynchronousTestCase):
    """The C{netplay} command. That it really runs is tried in e2e."""

    def setUp(self) -> None:
        self.started: list[list[str]] = []
        self.patch(twistd, "run", lambda: self.started.append(sys.argv))
        self.out = StringIO()
        self.patch(sys, "stdout", self.out)

    def main(self, *arguments: str) -> None:
        self.patch(sys, "argv", ["netplay", *arguments])
        main()

    def exits(self, *arguments: str) -> Any:
        """What it exits with: 0, or what is printed as an error."""
        error = self.assertRaises(SystemExit, self.main, *arguments)
        self.assertEqual(self.started, [])
        return error.code

    def test_run_starts_twistd_in_the_foreground_without_a_pidfile(self) -> None:
        self.main("run", "--chat", "tcp:1234", "--rate=0")
        self.assertEqual(
            self.started, [["netplay", "--nodaemon", "--pidfile=", "netplay", "--chat", "tcp:1234", "--rate=0"]]
        )

    def test_run_alone(self) -> None:
        self.main("run")
        self.assertEqual(self.started, [["netplay", "--nodaemon", "--pidfile=", "netplay"]])

    def test_without_a_command_it_says_what_to_type(self) -> None:
        self.assertIn("type `netplay run`", self.exits())

    def test_a_wrong_option_is_told_before_anything_starts(self) -> None:
        text = self.exits("run", "--rate", "fast")
        self.assertTrue(text.startswith("netplay: --rate fast: "), text)
        self.assertIn("netplay run --help", text)

    def test_an_option_that_there_is_not(self) -> None:
        self.assertIn("speed", self.exits("run", "--speed", "9"))

    def test_a_command_that_there_is_not(self) -> None:
        self.assertIn("walk", self.exits("walk"))

    def test_version(self) -> None:
        self.assertFalse(self.exits("--version"))
        self.assertEqual(self.out.getvalue(), f"netplay {netplay.__version__}\n")

    def test_help(self) -> None:
        self.assertFalse(self.exits("--help"))
        self.assertIn("run", self.out.getvalue())

    def test_help_of_run_is_that_of_the_daemon(self) -> None:
        self.assertFalse(self.exits("run", "--help"))
        text = self.out.getvalue()
        self.assertIn("Usage: netplay run [options]", text)
        self.assertIn("--idle-timeout", text)

    def test_a_new_game_has_a_name_that_python_and_games_can_have(self) -> None:
        for name in ("Treasure", "../treasure", "class", "true", "json", "pytest", "a-b", "lobby", "arena", ""):
            self.assertIn(f"new {name}: ", self.exits("new", name))

    def test_replay_wants_a_recording(self) -> None:
        self.assertIn("there is no such file", self.exits("replay", "nowhere.jsonl"))
        self.assertIn("is no recording", self.exits("replay", __file__))
