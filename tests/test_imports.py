"""Importing netplay installs no reactor: whoever starts it chooses one."""

from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

IMPORT_ALL = """
import importlib, pkgutil, sys
import netplay

names = [module.name for module in pkgutil.walk_packages(netplay.__path__, "netplay.")]
for name in [*names, "twisted.plugins.netplay_plugin"]:
    importlib.import_module(name)
assert "twisted.internet.reactor" not in sys.modules, "somebody imports the reactor"
print(*names)
"""


class ImportTests(SynchronousTestCase):
    """In a process of its own, as this one has a reactor."""

    def test_no_module_imports_the_reactor(self) -> None:
        done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        imported = done.stdout.split()
        for name in ("netplay.tap", "netplay.cli", "netplay.chat.feature", "netplay.plugins.netplay_features"):
            self.assertIn(name, imported)
