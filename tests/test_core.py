"""Tests of L{netplay.core}."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netplay import core as core_module
from netplay.core import KEPT_FOR, Complaints, Sessions, Watch
from netplay.errors import Refused
from tests.support import WALL, LogRecorder, Parrot, advance, connect, make_core


class CoreTests(SynchronousTestCase):
    """What is shared."""

    def test_now_is_in_milliseconds(self) -> None:
        core = make_core()
        self.assertEqual(core.now(), int(WALL * 1000))
        clock: Any = core.clock
        clock.advance(1.5)
        self.assertEqual(core.now(), int(WALL * 1000) + 1500)


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


class SessionsTests(SynchronousTestCase):
    """Who may come back."""

    def setUp(self) -> None:
        self.sessions = Sessions()
        self.expired: list[Any] = []

    def keep(self, state: Any, now: float) -> str:
        token = self.sessions.open(None)  # type: ignore[arg-type]
        self.sessions.keep(token, "parrot", state, self.expired.append, now)
        return token

    def resume(self, token: str) -> Any:
        return self.sessions.resume(token, "parrot", None)  # type: ignore[arg-type]

    def test_what_was_kept_is_handed_over_once(self) -> None:
        token = self.keep("state", 0)
        self.assertEqual(self.resume(token), "state")
        self.assertRaises(Refused, self.resume, token)

    def test_they_expire_each_at_its_time(self) -> None:
        for n in range(3):
            self.keep(n, n * 10)
        self.sessions.expire(KEPT_FOR - 0.1)
        self.assertEqual(self.expired, [])
        self.sessions.expire(KEPT_FOR)
        self.assertEqual(self.expired, [0])
        self.sessions.expire(KEPT_FOR + 1000)
        self.assertEqual(self.expired, [0, 1, 2])

    def test_who_came_back_does_not_expire(self) -> None:
        token = self.keep("state", 0)
        self.resume(token)
        self.sessions.expire(KEPT_FOR + 1)
        self.assertEqual(self.expired, [])

    def test_only_so_many_are_kept_and_the_oldest_goes(self) -> None:
        self.patch(core_module, "MOST_KEPT", 3)
        tokens = [self.keep(n, n) for n in range(5)]
        self.assertEqual(self.expired, [0, 1])
        for n, token in enumerate(tokens):
            if n < 2:
                self.assertRaises(Refused, self.resume, token)
            else:
                self.assertEqual(self.resume(token), n)

    def test_one_that_fails_to_expire_does_not_keep_the_others(self) -> None:
        def expired(state: Any) -> None:
            self.expired.append(state)
            raise RuntimeError("boom")

        for n in range(3):
            token = self.sessions.open(None)  # type: ignore[arg-type]
            self.sessions.keep(token, "parrot", n, expired, 0)
        self.sessions.expire(KEPT_FOR)
        self.assertEqual(self.expired, [0, 1, 2])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 3)


class WatchTests(SynchronousTestCase):
    """One timer that looks after all connections."""

    def setUp(self) -> None:
        self.core = make_core()
        self.clock: Any = self.core.clock
        self.parrot = Parrot(self.core)

    def test_it_looks_once_a_second_while_it_runs(self) -> None:
        watch = Watch(self.clock, Sessions())
        looks: list[float] = []

        class Connection:
            def check(self, now: float) -> None:
                looks.append(now)

        watch.add(Connection())  # type: ignore[arg-type]
        watch.startService()
        self.assertEqual(looks, [])
        advance(self.clock, 3)
        self.assertEqual(looks, [1, 2, 3])
        watch.stopService()
        advance(self.clock, 3)
        self.assertEqual(looks, [1, 2, 3])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_it_may_be_stopped_without_having_run(self) -> None:
        Watch(self.clock, Sessions()).stopService()

    def test_draining_with_nobody_there_is_done_at_once(self) -> None:
        self.successResultOf(self.core.watch.drain("shutting_down", "bye"))

    def test_draining_tells_everyone_and_waits_for_the_last(self) -> None:
        links = [connect(self.parrot.factory, self.clock) for _ in range(2)]
        slow = connect(self.parrot.factory, self.clock)
        slow.stops_reading()
        done = self.core.watch.drain("shutting_down", "bye")
        for link in links:
            link.turns()
            error = link.heard()[-1]
            self.assertEqual((error["code"], error["fatal"]), ("shutting_down", True))
            self.assertTrue(link.lost)
        self.assertNoResult(done)
        slow.reads()
        self.successResultOf(done)

    def test_draining_takes_5_s_at_most(self) -> None:
        link = connect(self.parrot.factory, self.clock)
        link.stops_reading()
        done = self.core.watch.drain("shutting_down", "bye")
        self.clock.advance(4.9)
        self.assertNoResult(done)
        self.clock.advance(0.1)
        self.clock.advance(0)
        self.successResultOf(done)

    def test_trouble_with_one_does_not_keep_the_others_from_being_told(self) -> None:
        links = [connect(self.parrot.factory, self.clock) for _ in range(3)]

        def end(*_: Any, **__: Any) -> None:
            raise RuntimeError("boom")

        for link in links[:2]:
            link.protocol.end = end
        done = self.core.watch.drain("shutting_down", "bye")
        for link in links:
            link.turns()
        self.assertEqual(links[2].heard()[-1]["code"], "shutting_down")
        self.successResultOf(done)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 2)
