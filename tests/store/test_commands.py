"""Tests of L{netplay.store.commands}."""

from __future__ import annotations

import sqlite3
import sys
from io import StringIO
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netplay.cli import main
from netplay.store.sqlite.schema import bring_up_to_date


class BackupTests(SynchronousTestCase):
    """C{netplay backup}"""

    def backup(self, *arguments: str) -> str:
        """What it says when it is done."""
        out = StringIO()
        self.patch(sys, "argv", ["netplay", "backup", *arguments])
        self.patch(sys, "stdout", out)
        main()
        return out.getvalue()

    def refused(self, *arguments: str) -> Any:
        """What it says when it cannot be done."""
        return self.assertRaises(SystemExit, self.backup, *arguments).code

    def test_a_store_becomes_a_file(self) -> None:
        path, copy = Path(self.mktemp()), Path(self.mktemp())
        connection = sqlite3.connect(path)
        bring_up_to_date(connection, path)
        connection.close()
        said = self.backup("--store", f"sqlite:{path}", str(copy))
        self.assertEqual(said, f"all that sqlite:{path} keeps is in {copy.absolute()}\n")
        self.assertTrue(copy.read_bytes().startswith(b"SQLite format 3"))

    def test_it_says_what_to_type_instead(self) -> None:
        self.assertIn("`netplay backup monday.sqlite`", self.refused())
        self.assertIn("--store sqlite:PATH", self.refused(self.mktemp(), "--store", "sqlite:nowhere.sqlite"))
        self.assertIn("--store sqlite:netplay.sqlite", self.refused(self.mktemp(), "--store", "memory:"))
        self.assertIn("--store", self.refused(self.mktemp(), "--store", "stone:"))
