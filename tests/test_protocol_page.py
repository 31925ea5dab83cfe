"""The pages with tables are what the code says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import CODES
from netplay.game import Game

DOCS = Path(__file__).parent.parent / "docs"


def load_tables() -> ModuleType:
    """docs/tables.py, which is no package."""
    spec = importlib.util.spec_from_file_location("tables", DOCS / "tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class ProtocolPageTests(SynchronousTestCase):
    """docs/protocol.md"""

    def setUp(self) -> None:
        self.page = (DOCS / "protocol.md").read_text()
        self.tables = load_tables()

    def test_its_tables_are_made_from_the_types(self) -> None:
        """Should this fail: python docs/tables.py"""
        self.assertEqual(self.page, self.tables.filled(self.page))

    def test_it_has_every_table(self) -> None:
        self.assertEqual(sorted(re.findall(r"<!-- table: (.*) -->", self.page)), sorted(self.tables.TABLES))

    def test_it_explains_every_code_that_the_daemon_says(self) -> None:
        said = set()
        for module in (DOCS.parent / "netplay").rglob("*.py"):
            text = module.read_text()
            said |= set(re.findall(r'(?:Refused|_give_up|end|drain|code=)\(?\s*"([a-z_]+)"', text)) & CODES
        self.assertIn("slow_consumer", said)
        explained = {code for code in CODES if f"`{code}`" in self.page}
        self.assertEqual(said - explained, set())


class GamePageTests(SynchronousTestCase):
    """The reference in docs/writing-a-game.md"""

    def setUp(self) -> None:
        self.page = (DOCS / "writing-a-game.md").read_text()
        self.tables = load_tables()

    def test_it_is_made_from_the_docstrings(self) -> None:
        """Should this fail: python docs/tables.py"""
        self.assertEqual(self.page, self.tables.filled(self.page))

    def test_it_has_every_table(self) -> None:
        self.assertEqual(re.findall(r"<!-- table: (.*) -->", self.page), list(self.tables.GAME_TABLES))

    def test_it_names_all_that_a_game_has(self) -> None:
        for name in vars(Game):
            if not name.startswith("_") and name not in ("act", "description", "scores", "ticking"):
                self.assertRegex(self.page, rf"\| `{name}[`(]", name)
