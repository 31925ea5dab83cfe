"""Tests of L{netplay.complaints}."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netplay.complaints import Complaints
from tests.support import LogRecorder, Parrot, advance, connect, make_core


class ComplaintsTests(SynchronousTestCase):
    """What clients did wrong: one line at once, then counted ones."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.complaints = Complaints(self.clock)
        self.log = LogRecorder(self)

    def test_the_first_is_said_at_once(self) -> None:
        self.complaints.note("bad_json")
        self.assertEqual(self.log.texts(), ["refused: 1 x bad_json"])

    def test_the_rest_is_counted_for_ten_seconds(self) -> None:
        for _ in range(1000):
            self.complaints.note("bad_json")
        self.complaints.note("http")
        self.clock.advance(9.9)
        self.assertEqual(len(self.log.texts()), 1)
        self.clock.advance(0.1)
        self.assertEqual(self.log.texts()[1:], ["refused: 999 x bad_json, 1 x http"])

    def test_however_much_comes_it_is_a_line_every_ten_seconds(self) -> None:
        for _ in range(100):
            for _ in range(50):
                self.complaints.note("bad_json")
            self.clock.advance(1)
        self.assertEqual(len(self.log.texts()), 11)

    def test_after_a_quiet_while_the_next_is_said_at_once(self) -> None:
        self.complaints.note("bad_json")
        advance(self.clock, 20)
        self.complaints.note("bad_json")
        self.assertEqual(self.log.texts(), ["refused: 1 x bad_json"] * 2)

    def test_quiet_it_keeps_no_timer(self) -> None:
        self.complaints.note("bad_json")
        advance(self.clock, 20)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_all_that_ever_came_is_counted(self) -> None:
        for _ in range(3):
            self.complaints.note("bad_json")
            self.clock.advance(10)
        self.assertEqual(self.complaints.total, {"bad_json": 3})

    def test_nothing_that_a_client_sent_gets_into_the_log(self) -> None:
        core = make_core(max_message=2000)
        clock: Any = core.clock
        core.watch.startService()
        parrot = Parrot(core)
        evil = "\x1b[2Jforged\x07"
        for line in (
            evil,
            f'{{"type": "{evil}"}}',
            '{"type": "forged"}',
            '{"type": "say", "forged": 1, "ref": "forged"}',
            '{"type": "say", "text": {"forged": []}}',
            '{"type": "resume", "session": "forged"}',
            '{"type": "forbidden", "ref": "forged"}',
            "GET /forged HTTP/1.1\r\nHost: forged\r\n",
            '{"type": "say", "text": "forged' + "x" * 3000,
            '{"type": "boom", "ref": "forged"}',
        ):
            link = connect(parrot.factory, clock)
            link.sends(line.encode() + b"\n")
            advance(clock, 15)
            link.goes()
        self.flushLoggedErrors(RuntimeError)
        texts = self.log.texts()
        self.assertGreater(len(texts), 5)
        for text in texts:
            self.assertNotIn("forged", text)
            self.assertEqual(text, text.replace("\x1b", "").replace("\x07", ""))
