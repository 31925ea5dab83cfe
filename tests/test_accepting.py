"""Tests of L{netplay.accepting}."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from netplay.accepting import AcceptGuard
from tests.support import LogRecorder


class FakePort:
    """Notes whether it accepts."""

    reading = True

    def stopReading(self) -> None:
        self.reading = False

    def startReading(self) -> None:
        self.reading = True


class AcceptGuardTests(SynchronousTestCase):
    """File descriptors have run out."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.port = FakePort()
        self.guard = AcceptGuard(self.port, self.clock)
        self.logger = Logger(namespace="x", observer=self.guard)
        self.log = LogRecorder(self)

    def refuse(self) -> None:
        self.logger.info("Could not accept new connection ({acceptError})", acceptError="EMFILE")

    def test_accepting_rests_for_a_second(self) -> None:
        self.refuse()
        self.assertFalse(self.port.reading)
        self.clock.advance(0.9)
        self.assertFalse(self.port.reading)
        self.clock.advance(0.1)
        self.assertTrue(self.port.reading)

    def test_and_again(self) -> None:
        for _ in range(3):
            self.refuse()
            self.assertFalse(self.port.reading)
            self.clock.advance(1)
            self.assertTrue(self.port.reading)

    def test_the_log_gets_a_line_at_most_every_ten_seconds(self) -> None:
        for _ in range(29):
            self.refuse()
            self.clock.advance(1)
        texts = self.log.texts()
        self.assertEqual(len(texts), 3)
        self.assertIn("1 connections turned away", texts[0])
        self.assertIn("9 connections turned away", texts[1])
        self.assertIn("ulimit -n", texts[0])

    def test_those_that_were_closed_at_once_are_counted(self) -> None:
        self.logger.info("EMFILE encountered; releasing reserved file descriptor.")
        self.assertEqual(self.log.texts(), [])
        for n in range(5):
            self.logger.info("EMFILE recovery: Closed socket from {address}", address=("192.0.2.1", n))
        self.logger.info("Re-reserving EMFILE recovery file descriptor.")
        self.clock.advance(10)
        self.assertEqual([text.split(": ")[1].split(" ")[0] for text in self.log.texts()], ["1", "4"])
        self.assertTrue(self.port.reading)

    def test_when_the_port_is_closed_it_stays_so(self) -> None:
        self.refuse()
        self.guard.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.refuse()
        self.clock.advance(5)
        self.assertFalse(self.port.reading)

    def test_a_peer_that_thought_better_of_it_is_no_trouble(self) -> None:
        self.logger.info("Could not accept new connection ({acceptError})", acceptError="ECONNABORTED")
        self.assertTrue(self.port.reading)
        self.assertEqual(self.log.texts(), [])
