"""Tests of L{netplay.ticklimit}."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path
from signal import ITIMER_REAL, SIGALRM
from typing import Any

from twisted.internet import task, utils
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netplay.ticklimit import TickLimit, TickOverrun
from tests.support import make_folder

SECONDS = 0.02


def spin() -> None:
    """Does not return for so long that a test may call it endless."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        pass
    raise AssertionError("nobody interrupted it")


class TickLimitTests(SynchronousTestCase):
    """What is called through a limit of 20 ms."""

    def setUp(self) -> None:
        self.earlier = signal.getsignal(SIGALRM)
        self.limit = TickLimit(SECONDS)
        self.limit.install()
        self.addCleanup(self.limit.restore)

    def test_what_returns_in_time(self) -> None:
        self.assertEqual(self.limit.call(divmod, 7, 2), (3, 1))
        with self.assertRaises(ZeroDivisionError):
            self.limit.call(divmod, 7, 0)

    def test_an_endless_loop(self) -> None:
        with self.assertRaisesRegex(TickOverrun, "within 0.02 s"):
            self.limit.call(spin)

    def test_waiting(self) -> None:
        for wait in (time.sleep, threading.Event().wait):
            with self.assertRaises(TickOverrun):
                self.limit.call(wait, 10)

    def test_code_that_catches_every_error_does_not_go_on(self) -> None:
        def careless() -> None:
            try:
                spin()
            except Exception:
                raise AssertionError("caught") from None

        with self.assertRaises(TickOverrun):
            self.limit.call(careless)

    def test_code_that_catches_everything_is_interrupted_until_it_ends(self) -> None:
        caught = []

        def stubborn() -> None:
            for _ in range(1000):
                try:
                    spin()
                except:  # noqa: E722
                    caught.append(sys.exc_info()[0])
            raise AssertionError("it goes on and on")

        for _ in range(2):  # the first alarm of the second time is one that the first has left behind
            with self.assertRaises(TickOverrun):
                self.limit.call(stubborn)
        self.assertEqual(set(caught), {TickOverrun})

    def test_each_call_has_the_whole_time(self) -> None:
        def outlast_the_alarm() -> None:
            while signal.getitimer(ITIMER_REAL)[0] < 0.5:
                pass

        limit = TickLimit(1)
        limit.install()
        self.addCleanup(limit.restore)
        limit.call(int)
        while signal.getitimer(ITIMER_REAL)[0] > 0.01:
            pass
        limit.call(outlast_the_alarm)
        self.assertGreater(signal.getitimer(ITIMER_REAL)[0], 0.5)

    def test_after_a_call_nothing_is_interrupted(self) -> None:
        self.limit.call(int)
        while signal.getitimer(ITIMER_REAL) != (0, 0):
            pass  # the alarm comes, finds nothing, and switches the timer off
        with self.assertRaises(TickOverrun):
            self.limit.call(spin)

    def test_after_an_interrupted_call_nothing_is_interrupted(self) -> None:
        with self.assertRaises(TickOverrun):
            self.limit.call(spin)
        while signal.getitimer(ITIMER_REAL) != (0, 0):
            pass

    def test_a_call_within_a_call_shares_its_time(self) -> None:
        def outer() -> None:
            self.limit.call(int)
            spin()

        with self.assertRaises(TickOverrun):
            self.limit.call(outer)
        with self.assertRaises(TickOverrun):
            self.limit.call(self.limit.call, spin)

    def test_the_signal_is_put_back(self) -> None:
        self.assertNotEqual(signal.getsignal(SIGALRM), self.earlier)
        self.limit.call(int)
        self.limit.restore()
        self.assertEqual(signal.getsignal(SIGALRM), self.earlier)
        self.assertEqual(signal.getitimer(ITIMER_REAL), (0, 0))

    def test_one_that_was_installed_later_goes_on(self) -> None:
        later = TickLimit(SECONDS)
        later.install()
        self.addCleanup(later.restore)
        self.limit.restore()
        with self.assertRaises(TickOverrun):
            later.call(spin)

    def test_restored_within_a_call(self) -> None:
        self.limit.call(self.limit.restore)
        self.limit.call(int)
        self.assertEqual(signal.getitimer(ITIMER_REAL), (0, 0))

    def test_installed_twice_is_installed(self) -> None:
        self.limit.install()
        self.limit.restore()
        self.assertEqual(signal.getsignal(SIGALRM), self.earlier)


class UnlimitedTests(SynchronousTestCase):
    """Where no limit is in force things are just called."""

    def assert_unlimited(self, limit: TickLimit) -> None:
        self.assertEqual(limit.call(signal.getitimer, ITIMER_REAL), (0, 0))

    def test_not_installed(self) -> None:
        self.assert_unlimited(TickLimit(SECONDS))

    def test_no_limit(self) -> None:
        limit = TickLimit(0)
        limit.install()
        self.addCleanup(limit.restore)
        self.assert_unlimited(limit)

    def test_outside_the_main_thread(self) -> None:
        limit = TickLimit(SECONDS)
        thread = threading.Thread(target=limit.install)
        thread.start()
        thread.join()
        self.assert_unlimited(limit)


class ReactorTests(TestCase):
    """The reactor does not mind."""

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor = reactor
        self.limit = TickLimit(SECONDS)
        self.limit.install()
        self.addCleanup(self.limit.restore)

    def overrun(self, f: Any, *args: Any) -> Deferred[None]:
        """In a turn of its own."""
        return self.assertFailure(task.deferLater(self.reactor, 0, self.limit.call, f, *args), TickOverrun)

    @inlineCallbacks
    def test_it_goes_on(self) -> Generator[Deferred[Any], Any, None]:
        yield self.overrun(spin)
        yield self.overrun(time.sleep, 10)
        # Waiting, the reactor itself is interrupted by an alarm that finds nothing.
        yield task.deferLater(self.reactor, 2 * SECONDS, lambda: None)
        self.assertEqual(signal.getitimer(ITIMER_REAL), (0, 0))

    @inlineCallbacks
    def test_the_end_of_a_process_is_noticed(self) -> Generator[Deferred[Any], Any, None]:
        ended = utils.getProcessValue("/bin/sh", ("-c", "exit 3"))
        yield self.overrun(spin)
        self.assertEqual((yield ended), 3)
        self.limit.call(int)
        self.assertEqual((yield utils.getProcessValue("/bin/sh", ("-c", "exit 4"))), 4)


class AsyncioTests(TestCase):
    """Nor does asyncio's."""

    @inlineCallbacks
    def test_asyncio(self) -> Generator[Deferred[Any], Any, None]:
        name = f"{ReactorTests.__module__}.{ReactorTests.__qualname__}"
        folder = make_folder(self) / "trial"
        arguments = ("-m", "twisted.trial", "--reactor=asyncio", f"--temp-directory={folder}", name)
        said, errors, code = yield utils.getProcessOutputAndValue(
            sys.executable, arguments, os.environ, str(Path(__file__).parents[1])
        )
        self.assertEqual(code, 0, (said + errors).decode())
        self.assertIn(b"successes=2", said)
