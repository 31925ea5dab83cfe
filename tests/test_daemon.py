"""Tests of L{netplay.daemon}: the order in which things start and end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.trial.unittest import SynchronousTestCase

from netplay.core import Phase
from netplay.daemon import Daemon
from netplay.store.errors import CannotOpen
from tests.support import LogRecorder, Parrot, connect, make_core


class Part(Service):
    """Part of a daemon that notes what happens to it and takes its time to end."""

    def __init__(self, name: str, events: list[str], stop: Callable[[], Any] = lambda: None) -> None:
        self.label = name
        self.events = events
        self.stop = stop

    def privilegedStartService(self) -> None:
        super().privilegedStartService()
        self.events.append(f"{self.label} opens")

    def startService(self) -> None:
        super().startService()
        self.events.append(f"{self.label} starts")

    def stopService(self) -> Any:
        super().stopService()
        self.events.append(f"{self.label} stops")
        return self.stop()

    def shut(self) -> None:
        self.events.append(f"{self.label} shut")


class DaemonCase(SynchronousTestCase):
    """A daemon of parts that take notes, and a core that is real."""

    def setUp(self) -> None:
        self.core = make_core()
        self.clock: Any = self.core.clock
        self.events: list[str] = []
        self.parts = {name: Part(name, self.events) for name in ("doors", "first", "second", "store")}
        self.daemon = self.make()

    def make(self, **more: Any) -> Daemon:
        parts = self.parts
        return Daemon(self.core, parts["store"], (parts["first"], parts["second"]), parts["doors"], **more)  # type: ignore[arg-type]


class StartTests(DaemonCase):
    """What others lean on first; but the doors before all."""

    def test_its_name(self) -> None:
        self.assertEqual(self.daemon.name, "netplay")

    def test_the_order(self) -> None:
        self.daemon.privilegedStartService()
        self.assertEqual(self.events, ["doors opens"])
        self.daemon.startService()
        self.assertEqual(self.events, ["doors opens", "doors starts", "store starts", "first starts", "second starts"])
        self.assertTrue(self.daemon.running)
        self.assertTrue(self.core.watch.running)

    def test_when_a_door_does_not_open_nothing_has_begun(self) -> None:
        def refuse() -> None:
            raise CannotListenError(None, 80, OSError("taken"))

        self.parts["doors"].startService = refuse  # type: ignore[method-assign]
        self.assertRaises(CannotListenError, self.daemon.startService)
        self.assertEqual(self.events, [])
        self.assertFalse(self.daemon.running)

    def test_when_the_store_does_not_open_the_doors_are_shut_again(self) -> None:
        def refuse() -> None:
            raise CannotOpen("it is damaged")

        self.parts["store"].startService = refuse  # type: ignore[method-assign]
        self.assertRaises(CannotOpen, self.daemon.startService)
        self.assertEqual(self.events, ["doors starts", "doors shut"])
        self.assertFalse(self.daemon.running)

    def test_the_log_ends_with_the_hints(self) -> None:
        log = LogRecorder(self)
        self.make(hints=lambda: ["chat: 127.0.0.1 port 8888", "try {this}"]).startService()
        self.assertEqual(log.texts()[-2:], ["chat: 127.0.0.1 port 8888", "try {this}"])

    def test_it_runs_once_the_reactor_does(self) -> None:
        waiting: list[Callable[[], None]] = []
        said: list[Phase] = []
        daemon = self.make(when_running=waiting.append, running=lambda: said.append(self.core.phase))
        self.assertIs(self.core.phase, Phase.STARTING)
        daemon.startService()
        self.assertIs(self.core.phase, Phase.STARTING)
        self.assertEqual(said, [])
        waiting[0]()
        self.assertIs(self.core.phase, Phase.RUNNING)
        self.assertEqual(said, [Phase.RUNNING])
        daemon.stopService()
        self.assertIs(self.core.phase, Phase.DRAINING)


class StopTests(DaemonCase):
    """In phases, each when the one before has really ended."""

    def test_each_waits_for_the_one_before(self) -> None:
        ends: dict[str, Deferred[None]] = {}
        for name, part in self.parts.items():
            ends[name] = Deferred()
            part.stop = lambda name=name: ends[name]  # type: ignore[misc]
        self.daemon.startService()
        link = connect(Parrot(self.core).factory, self.clock)
        self.events.clear()

        done = self.daemon.stopService()
        self.assertEqual(self.events, ["doors stops"])
        link.turns()
        self.assertFalse(link.lost)
        ends["doors"].callback(None)
        link.stops_reading()
        self.assertEqual(self.events, ["doors stops"])
        link.reads()
        self.assertEqual(link.heard()[-1]["code"], "shutting_down")
        self.assertTrue(link.lost)
        self.assertEqual(self.events, ["doors stops", "second stops"])
        self.assertFalse(self.core.watch.running)
        ends["second"].callback(None)
        self.assertEqual(self.events, ["doors stops", "second stops", "first stops"])
        ends["first"].callback(None)
        self.assertEqual(self.events[-1], "store stops")
        self.assertNoResult(done)
        ends["store"].callback(None)
        self.successResultOf(done)
        self.assertFalse(self.daemon.running)

    def test_nothing_waits_longer_than_5_s_for_a_peer(self) -> None:
        self.daemon.startService()
        link = connect(Parrot(self.core).factory, self.clock)
        link.stops_reading()
        done = self.daemon.stopService()
        self.clock.advance(4.9)
        self.assertNoResult(done)
        self.clock.advance(0.2)
        self.clock.advance(0)
        self.successResultOf(done)
        self.assertEqual(self.events[-4:], ["doors stops", "second stops", "first stops", "store stops"])

    def test_a_phase_that_fails_does_not_keep_the_others_from_ending(self) -> None:
        def fail() -> None:
            raise RuntimeError("boom")

        def fail_later() -> Deferred[None]:
            failed: Deferred[None] = Deferred()
            self.clock.callLater(1, failed.errback, RuntimeError("boom"))
            return failed

        self.parts["doors"].stop = fail_later
        self.parts["second"].stop = fail
        self.parts["first"].stop = fail_later
        self.parts["store"].stop = fail
        self.daemon.startService()
        self.events.clear()
        done = self.daemon.stopService()
        self.clock.pump([1, 1, 1])
        self.successResultOf(done)
        self.assertEqual(self.events, ["doors stops", "second stops", "first stops", "store stops"])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 4)

    def test_it_is_told_when_the_end_begins(self) -> None:
        told: list[list[str]] = []
        daemon = self.make(stopping=lambda: told.append(list(self.events)))
        daemon.startService()
        self.events.clear()
        daemon.stopService()
        self.assertEqual(told, [[]])

    def test_it_can_be_stopped_when_it_never_quite_started(self) -> None:
        self.successResultOf(self.daemon.stopService())
