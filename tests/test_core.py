"""Tests of L{netplay.core}."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.support import WALL, make_core


class CoreTests(SynchronousTestCase):
    """What is shared."""

    def test_now_is_in_milliseconds(self) -> None:
        core = make_core()
        self.assertEqual(core.now(), int(WALL * 1000))
        clock: Any = core.clock
        clock.advance(1.5)
        self.assertEqual(core.now(), int(WALL * 1000) + 1500)
