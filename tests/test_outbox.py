"""Tests of L{netplay.outbox}."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import ssl
from twisted.internet.interfaces import IHalfCloseableProtocol, IHandshakeListener
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from netplay.outbox import CHUNK, Fanout, Outbox
from tests.support import Link, Peer, TLSPeer, Wrapped, make_certificate, make_folder, turn, until

LIMIT = 1_000_000
HIGH = 64 * 1024
LAST_WORDS = 5.0


@implementer(IHalfCloseableProtocol, IHandshakeListener)
class Sender(Protocol):
    """Has an outbox and tells it what happens."""

    outbox: Outbox
    lost_at: Failure | None = None
    ready = False
    send_buffer: int | None = None

    def __init__(
        self,
        clock: Any,
        limit: int = LIMIT,
        high: int = HIGH,
        overflowed: Callable[[Outbox], None] = lambda outbox: outbox.cut(b""),
    ) -> None:
        self._settings = clock, limit, high, LAST_WORDS
        self._overflowed = overflowed
        self.overflows: list[int] = []

    def connectionMade(self) -> None:
        if self.send_buffer is not None:
            self.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.send_buffer)
        self.outbox = Outbox(self.transport, *self._settings, self.overflowed)

    def handshakeCompleted(self) -> None:
        self.ready = True

    def overflowed(self) -> None:
        self.overflows.append(self.outbox.backlog)
        self._overflowed(self.outbox)

    def readConnectionLost(self) -> None:
        self.outbox.input_over()

    def writeConnectionLost(self) -> None:
        pass

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost_at = reason
        self.outbox.lost()


class OutboxCase(SynchronousTestCase):
    """Over a real C{tcp.Connection} whose socket takes what the test says."""

    def open(self, **settings: Any) -> None:
        self.clock = MemoryReactorClock()
        self.sender = Sender(self.clock, **settings)
        self.link = Link(self.sender, self.clock, room=0)
        self.outbox = self.sender.outbox

    def setUp(self) -> None:
        self.open()


def blocks(*sizes: int) -> list[bytes]:
    """Messages that can be told from each other, all over."""
    return [bytes([n % 251]) * size for n, size in enumerate(sizes)]


class OrderTests(OutboxCase):
    """Bytes arrive complete and in order."""

    def test_a_reader_that_keeps_up_is_written_to_at_once(self) -> None:
        self.link.reads()
        self.outbox.write(b"now")
        self.assertEqual(self.link.taken, b"now")  # no turn has passed
        self.assertNotIn(self.link.transport, self.clock.getWriters())
        self.assertTrue(self.outbox.clear)

    def test_what_the_kernel_does_not_take_follows(self) -> None:
        self.link.reads(4)
        self.outbox.write(b"abcdef")
        self.outbox.write(b"ghi")
        self.assertEqual(self.link.taken, b"abcd")
        self.assertEqual(self.outbox.backlog, 5)
        self.assertFalse(self.outbox.clear)
        self.link.reads()
        self.assertEqual(self.link.taken, b"abcdefghi")
        self.assertEqual(self.outbox.backlog, 0)
        self.assertTrue(self.outbox.clear)

    def test_nothing_overtakes_what_the_transport_still_holds(self) -> None:
        """An eager write is in order only when the transport's own buffer is empty as well."""
        self.outbox.write(b"a" * 1000)
        self.link.reads(999)
        self.assertEqual(self.outbox.backlog, 1000)  # counted until the chunk is gone as a whole
        self.outbox.write(b"b")
        self.link.reads()
        self.assertEqual(self.link.taken, b"a" * 1000 + b"b")

    def test_pieces_are_sent_as_one(self) -> None:
        self.link.reads()
        self.outbox.writeSequence([b"a", b"b", b"c"])
        self.assertEqual(self.link.socket.sends, [3])

    def test_taken_counts_what_is_gone(self) -> None:
        self.link.reads(10)
        self.outbox.write(b"x" * 25)
        self.assertEqual(self.outbox.taken, 10)
        self.link.reads()
        self.assertEqual(self.outbox.taken, 25)

    def test_a_drained_outbox_writes_eagerly_again(self) -> None:
        self.outbox.write(b"first")
        self.link.reads()
        self.outbox.write(b"second")
        self.assertEqual(self.link.taken, b"firstsecond")
        self.assertIsNone(self.link.transport.producer)

    @settings(max_examples=150, deadline=None)
    @given(
        st.lists(
            st.one_of(
                st.tuples(st.just("write"), st.integers(1, 300 * 1024)),
                st.tuples(st.just("write"), st.integers(1, 300)),
                st.tuples(st.just("offer"), st.integers(0, 2)),
                st.tuples(st.just("read"), st.integers(1, 200 * 1024)),
                st.tuples(st.just("turn"), st.just(1)),
            ),
            max_size=30,
        )
    )
    def test_whatever_is_written_and_however_it_is_read(self, steps: list[tuple[str, int]]) -> None:
        self.open(limit=100_000_000)
        written = bytearray()
        newest: dict[int, bytes] = {}
        late: list[bytes] = []
        for n, (what, size) in enumerate(steps):
            if what == "write":
                data = (b"<%d>" % n).ljust(size, b".")
                self.outbox.write(data)
                written += data
            elif what == "offer":
                newest[size] = b"{%d:%d}" % (size, n)
                late.append(newest[size])
                self.outbox.offer(size, lambda data=newest[size]: data)  # type: ignore[misc]
            elif what == "read":
                self.link.reads(size)
            else:
                self.link.turn()
        self.link.reads()
        self.link.turns(300)  # a chunk a turn
        taken = self.link.taken
        for data in late:  # offers are whole and come at most once, the newest of each key surely
            self.assertLessEqual(taken.count(data), 1)
        for data in newest.values():
            self.assertEqual(taken.count(data), 1)
        for data in late:
            taken = taken.replace(data, b"")
        self.assertEqual(taken, bytes(written))
        self.assertEqual((self.outbox.backlog, self.outbox.clear), (0, True))
        self.assertEqual(self.outbox.taken, len(self.link.taken))


class OfferTests(OutboxCase):
    """What is offered under a key waits in its newest version."""

    def test_to_a_reader_that_keeps_up_every_version_goes(self) -> None:
        self.link.reads()
        for n in range(3):
            self.assertTrue(self.outbox.offer("price", lambda n=n: b"%d" % n))  # type: ignore[misc]
        self.assertEqual(self.link.taken, b"012")
        self.assertEqual(self.outbox.merged, 0)

    def test_to_one_that_lags_the_newest_goes(self) -> None:
        self.outbox.write(b"<")
        for n in range(5):
            self.assertFalse(self.outbox.offer("price", lambda n=n: b"%d" % n))  # type: ignore[misc]
        self.link.reads()
        self.assertEqual(self.link.taken, b"<4")
        self.assertEqual(self.outbox.merged, 4)

    def test_each_key_is_kept(self) -> None:
        self.outbox.write(b"<")
        for key in ("a", "b", "a"):
            self.outbox.offer(key, key.encode)
        self.link.reads()
        self.assertEqual(sorted(self.link.taken), sorted(b"<ab"))

    def test_it_is_rendered_late(self) -> None:
        self.outbox.write(b"x" * 1000)
        state = {"tick": 1}
        self.outbox.offer("state", lambda: b"%d" % state["tick"])
        self.link.reads(999)
        state["tick"] = 2
        self.link.reads(1)
        self.link.reads()
        self.assertTrue(self.link.taken.endswith(b"x2"))

    def test_it_comes_after_everything_else_that_waits(self) -> None:
        self.outbox.write(b"a")
        self.outbox.offer("key", lambda: b"[offer]")
        self.outbox.write(b"b")
        self.link.reads()
        self.assertEqual(self.link.taken, b"ab[offer]")

    def test_what_is_forgotten_is_not_sent(self) -> None:
        self.outbox.write(b"<")
        self.outbox.offer("a", lambda: b"a")
        self.outbox.offer("b", lambda: b"b")
        self.outbox.forget("a")
        self.outbox.forget("never offered")
        self.link.reads()
        self.assertEqual(self.link.taken, b"<b")

    def test_it_takes_no_room_while_it_waits(self) -> None:
        self.outbox.write(b"x")
        self.outbox.offer("big", lambda: b"y" * (2 * LIMIT))
        self.assertEqual(self.outbox.backlog, 1)
        self.link.reads()
        self.assertEqual(self.sender.overflows, [])
        self.assertEqual(len(self.link.taken), 1 + 2 * LIMIT)

    def test_what_was_offered_while_an_offer_drains_follows(self) -> None:
        self.outbox.write(b"<")
        self.outbox.offer("a", lambda: b"1" * 1000)
        self.link.reads(500)
        self.outbox.offer("a", lambda: b"2")
        self.outbox.write(b"|")
        self.link.reads()
        self.assertEqual(self.link.taken, b"<" + b"1" * 1000 + b"|2")


class BoundTests(OutboxCase):
    """No more than so many bytes wait."""

    def setUp(self) -> None:
        self.open(limit=1000, high=100, overflowed=lambda outbox: None)

    def test_up_to_the_limit_all_is_well(self) -> None:
        self.outbox.write(b"x" * 600)
        self.outbox.write(b"x" * 400)
        self.assertEqual(self.sender.overflows, [])

    def test_one_byte_more_is_told_once(self) -> None:
        self.outbox.write(b"x" * 1000)
        self.outbox.write(b"y")
        self.outbox.write(b"z" * 5000)
        self.assertEqual(self.sender.overflows, [1001])

    def test_what_lies_in_the_transport_counts(self) -> None:
        self.outbox.write(b"x" * 800)
        self.link.turns()
        self.outbox.write(b"y" * 201)
        self.assertEqual(self.sender.overflows, [1001])

    def test_what_was_taken_does_not(self) -> None:
        self.link.reads(900)
        self.outbox.write(b"x" * 1900)
        self.assertEqual(self.sender.overflows, [])
        self.outbox.write(b"y")
        self.assertEqual(self.sender.overflows, [1001])

    def test_a_single_write_may_be_too_much(self) -> None:
        self.outbox.write(b"x" * 1001)
        self.assertEqual(self.sender.overflows, [1001])


class CutTests(OutboxCase):
    """Whole messages that wait are dropped, one that was begun is finished, then comes the farewell."""

    def test_what_was_begun_is_finished(self) -> None:
        a, b, c = blocks(100, 100, 100)
        self.link.reads(30)
        for data in (a, b, c):
            self.outbox.write(data)
        self.link.turns()
        self.outbox.cut(b"bye")
        self.link.reads()
        self.assertEqual(self.link.taken, a + b"bye")

    def test_what_was_not_begun_goes(self) -> None:
        a, b, c = blocks(CHUNK, 100, 100)
        for data in (a, b, c):
            self.outbox.write(data)  # the first is the transport's already
        self.outbox.cut(b"bye")
        self.link.reads()
        self.assertEqual(self.link.taken, a + b"bye")

    def test_a_message_of_which_a_chunk_was_handed_over_is_finished(self) -> None:
        a, b = blocks(3 * CHUNK + 7, 100)
        self.outbox.write(a)
        self.outbox.write(b)
        self.outbox.cut(b"bye")
        self.link.reads()
        self.assertEqual(self.link.taken, a + b"bye")

    def test_the_message_that_overflows_in_an_eager_write(self) -> None:
        self.open(limit=1000, overflowed=lambda outbox: outbox.cut(b"bye"))
        self.link.reads(10)
        (a,) = blocks(2000)
        self.outbox.write(a)
        self.link.reads()
        self.assertEqual(self.link.taken, a + b"bye")

    def test_the_message_that_overflows_and_of_which_nothing_went(self) -> None:
        self.open(limit=1000, overflowed=lambda outbox: outbox.cut(b"bye"))
        self.outbox.write(b"x" * 2000)
        self.link.reads()
        self.assertEqual(self.link.taken, b"bye")

    def test_with_nothing_to_say(self) -> None:
        self.open(limit=1000)
        self.outbox.write(b"x" * 2000)
        self.link.reads()
        self.assertEqual(self.link.taken, b"")
        self.assertTrue(self.link.socket.shut)

    def test_offers_go(self) -> None:
        self.outbox.write(b"x")
        self.outbox.offer("key", lambda: b"offer")
        self.outbox.cut(b"bye")
        self.link.reads()
        self.assertEqual(self.link.taken, b"xbye")

    def test_the_farewell_does_not_overflow_again(self) -> None:
        self.open(limit=1000, overflowed=lambda outbox: outbox.cut(b"bye" * 1000))
        self.outbox.write(b"x" * 1001)
        self.assertEqual(len(self.sender.overflows), 1)

    def test_what_was_dropped_does_not_count_any_more(self) -> None:
        for data in blocks(100, 200, 300):
            self.outbox.write(data)  # the first is the transport's already
        self.outbox.cut(b"bye")
        self.assertEqual(self.outbox.backlog, 103)

    def test_a_long_farewell_is_no_overflow(self) -> None:
        self.open(limit=1000)
        self.outbox.write(b"x" * 990)
        self.outbox.cut(b"bye" * 10)
        self.assertEqual(self.sender.overflows, [])

    def test_then_it_closes(self) -> None:
        self.outbox.write(b"x" * 1000)
        self.outbox.cut(b"bye")
        self.link.reads()
        self.assertTrue(self.link.socket.shut)
        self.link.half_closes()
        self.assertTrue(self.link.lost)

    def test_who_does_not_take_it_is_cut_off(self) -> None:
        self.outbox.write(b"x" * 1000)
        self.outbox.cut(b"bye")
        self.clock.advance(LAST_WORDS - 0.1)
        self.assertFalse(self.link.lost)
        self.clock.advance(0.1)
        self.link.turn()
        self.assertTrue(self.link.lost)
        self.assertEqual(self.link.taken, b"")

    def test_with_nothing_waiting_it_only_says_farewell(self) -> None:
        self.link.reads()
        self.outbox.cut(b"bye")
        self.link.turns()
        self.assertEqual(self.link.taken, b"bye")
        self.assertTrue(self.link.socket.shut)

    @settings(max_examples=150, deadline=None)
    @given(
        st.lists(st.one_of(st.integers(1, 200), st.integers(1, 200_000)), min_size=1, max_size=8),
        st.integers(0, 400_000),
        st.integers(0, 100_000),
    )
    def test_only_whole_messages_arrive(self, sizes: list[int], before: int, between: int) -> None:
        self.open(limit=100_000_000)
        messages = blocks(*sizes)
        self.link.reads(before)
        for data in messages:
            self.outbox.write(data)
        self.link.reads(between)
        self.outbox.cut(b"\xffbye")
        self.link.reads()
        whole = [b"".join(messages[:n]) + b"\xffbye" for n in range(len(messages) + 1)]
        self.assertIn(self.link.taken, whole)


class CloseTests(OutboxCase):
    """Close: nothing more is taken, what waits is sent, then the connection ends, at the latest after 5 s."""

    def test_with_nothing_waiting_it_ends(self) -> None:
        self.outbox.close()
        self.link.turns()
        self.assertTrue(self.link.lost)

    def test_what_waits_is_sent_first(self) -> None:
        self.outbox.write(b"x" * 200_000)
        self.outbox.close()
        self.link.reads(100_000)
        self.assertFalse(self.link.lost)
        self.link.reads()
        self.assertEqual(len(self.link.taken), 200_000)
        self.assertTrue(self.link.lost)

    def test_nothing_more_is_taken(self) -> None:
        self.outbox.write(b"before")
        self.outbox.close()
        self.outbox.write(b"after")
        self.outbox.offer("key", lambda: b"offer")
        self.link.reads()
        self.assertEqual(self.link.taken, b"before")

    def test_offers_are_dropped(self) -> None:
        self.outbox.write(b"before")
        self.outbox.offer("key", lambda: b"offer")
        self.outbox.close()
        self.link.reads()
        self.assertEqual(self.link.taken, b"before")

    def test_who_does_not_take_it_is_cut_off_after_5_s(self) -> None:
        self.outbox.write(b"x" * 1000)
        self.outbox.loseConnection()
        self.clock.advance(LAST_WORDS - 0.1)
        self.assertFalse(self.link.lost)
        self.clock.advance(0.1)
        self.link.turn()
        self.assertTrue(self.link.lost)

    def test_once_it_is_over_no_timer_is_left(self) -> None:
        self.outbox.close()
        self.link.turns()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_lingering_it_closes_its_own_direction_and_waits_for_the_peer(self) -> None:
        self.link.reads()
        self.outbox.write(b"bye")
        self.outbox.close(linger=True)
        self.link.turns()
        self.assertTrue(self.link.socket.shut)
        self.assertFalse(self.link.lost)
        self.assertTrue(self.link.reading)
        self.link.half_closes()
        self.assertTrue(self.link.lost)

    def test_lingering_it_reads_even_if_reading_was_paused(self) -> None:
        self.outbox.pauseProducing()
        self.outbox.close(linger=True)
        self.link.turns()
        self.assertTrue(self.link.reading)

    def test_lingering_it_sends_what_waits_first(self) -> None:
        self.outbox.write(b"x" * 1000)
        self.outbox.close(linger=True)
        self.link.turns()
        self.assertFalse(self.link.socket.shut)
        self.link.reads()
        self.assertEqual(len(self.link.taken), 1000)
        self.assertTrue(self.link.socket.shut)

    def test_lingering_is_not_for_ever(self) -> None:
        self.outbox.close(linger=True)
        self.link.turns()
        self.clock.advance(LAST_WORDS)
        self.link.turn()
        self.assertTrue(self.link.lost)

    def test_when_the_peer_has_closed_already_it_does_not_linger(self) -> None:
        self.link.half_closes()
        self.assertFalse(self.link.lost)
        self.outbox.close(linger=True)
        self.assertFalse(self.link.reading)
        self.link.turns()
        self.assertTrue(self.link.lost)

    def test_when_the_peer_closes_while_something_waits_that_is_sent(self) -> None:
        self.outbox.write(b"x" * 1000)
        self.outbox.close(linger=True)
        self.link.half_closes()
        self.assertFalse(self.link.lost)
        self.link.reads()
        self.assertEqual(len(self.link.taken), 1000)
        self.assertTrue(self.link.lost)

    def test_who_lingers_can_be_hurried(self) -> None:
        self.outbox.close(linger=True)
        self.link.turns()
        self.outbox.close()
        self.link.turns()
        self.assertTrue(self.link.lost)

    def test_who_is_to_linger_once_all_is_sent_can_be_hurried(self) -> None:
        self.outbox.write(b"x" * 1000)
        self.outbox.close(linger=True)
        self.outbox.close()
        self.link.reads()
        self.assertEqual(len(self.link.taken), 1000)
        self.assertTrue(self.link.lost)

    def test_after_the_end_of_the_input_reading_is_not_taken_up_again(self) -> None:
        self.link.half_closes()
        self.outbox.resumeProducing()
        self.assertFalse(self.link.reading)

    def test_abort_ends_it_whatever_waits(self) -> None:
        self.outbox.write(b"x" * 1000)
        self.outbox.abortConnection()
        self.link.turn()
        self.assertTrue(self.link.lost)

    def use_everything(self) -> None:
        """All that someone may still do to an outbox that has ended."""
        before = self.link.taken
        self.outbox.write(b"x")
        self.outbox.writeSequence([b"x", b"y"])
        self.outbox.offer("key", lambda: b"offer")
        self.outbox.forget("key")
        self.outbox.pauseProducing()
        self.outbox.resumeProducing()
        self.outbox.progress()
        self.outbox.input_over()
        self.outbox.cut(b"bye")
        self.outbox.close()
        self.outbox.close(linger=True)
        self.outbox.loseConnection()
        self.outbox.stopProducing()
        self.outbox.abortConnection()
        self.link.turns()
        self.assertEqual(self.link.taken, before)
        self.assertEqual(self.outbox.backlog, 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_after_the_loss_nothing_is_written_and_nothing_raises(self) -> None:
        self.link.reads()
        self.link.goes()
        self.use_everything()

    def test_after_a_loss_with_something_waiting_as_well(self) -> None:
        self.outbox.write(b"x" * 1000)
        self.link.goes()
        self.link.socket.room = None
        self.use_everything()

    def test_after_a_close_as_well(self) -> None:
        self.link.reads()
        self.outbox.close()
        self.use_everything()
        self.assertTrue(self.link.lost)

    def test_after_an_abort_as_well(self) -> None:
        self.link.reads()
        self.outbox.abortConnection()
        self.use_everything()
        self.assertTrue(self.link.lost)


class ResetTests(OutboxCase):
    """The peer resets the connection while we write."""

    def test_the_loss_is_not_told_inside_the_caller(self) -> None:
        self.link.socket.error = ConnectionResetError(104, "Connection reset by peer")
        self.outbox.write(b"x")
        self.assertIsNone(self.sender.lost_at)
        self.assertFalse(self.outbox.clear)
        self.outbox.write(b"y")
        self.link.turn()
        self.assertIsNotNone(self.sender.lost_at)

    def test_while_draining(self) -> None:
        self.outbox.write(b"x" * 1000)
        self.link.socket.error = BrokenPipeError(32, "Broken pipe")
        self.outbox.write(b"y")
        self.assertIsNone(self.sender.lost_at)
        self.link.turn()
        self.assertIsNotNone(self.sender.lost_at)


class DrainedTests(OutboxCase):
    """Who waits until nothing waits."""

    def test_at_once_when_nothing_waits(self) -> None:
        self.successResultOf(self.outbox.drained())

    def test_when_the_last_byte_is_taken(self) -> None:
        self.outbox.write(b"x" * 100)
        done = [self.outbox.drained(), self.outbox.drained()]
        self.link.reads(99)
        for one in done:
            self.assertNoResult(one)
        self.link.reads(1)
        for one in done:
            self.successResultOf(one)

    def test_after_what_was_offered(self) -> None:
        self.outbox.write(b"x")
        self.outbox.offer("key", lambda: b"offer")
        self.outbox.drained().addCallback(lambda _: self.outbox.write(b"!"))
        self.link.reads()
        self.assertEqual(self.link.taken, b"xoffer!")

    def test_when_the_connection_is_lost(self) -> None:
        self.outbox.write(b"x")
        done = self.outbox.drained()
        self.link.goes()
        self.successResultOf(done)
        self.successResultOf(self.outbox.drained())

    def test_when_it_closes_meanwhile(self) -> None:
        self.outbox.write(b"x")
        self.outbox.close()
        done = self.outbox.drained()
        self.assertNoResult(done)
        self.link.reads()
        self.successResultOf(done)

    def test_who_closes_then_closes_once(self) -> None:
        self.outbox.write(b"x")
        self.outbox.drained().addCallback(lambda _: self.outbox.close(linger=True))
        self.link.reads()
        self.assertEqual(self.link.taken, b"x")
        self.link.half_closes()
        self.assertTrue(self.link.lost)


class Recorder:
    """A producer that notes what it is told."""

    def __init__(self, produce: Callable[[], None] = lambda: None) -> None:
        self.told: list[str] = []
        self._produce = produce

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")
        self._produce()

    def stopProducing(self) -> None:
        self.told.append("stop")


class ProducerTests(OutboxCase):
    """Whoever writes a lot registers and is told when to wait."""

    def setUp(self) -> None:
        self.open(high=1000)

    def test_a_streaming_one_is_paused_above_high_and_resumed_at_half(self) -> None:
        producer = Recorder()
        self.outbox.registerProducer(producer, True)
        self.outbox.write(b"x" * 500)  # the transport takes chunks: this is the first
        self.link.turns()
        self.outbox.write(b"x" * 500)
        self.assertEqual(producer.told, [])
        self.outbox.write(b"x")
        self.assertEqual(producer.told, ["pause"])
        self.outbox.write(b"x" * 499)
        self.assertEqual(producer.told, ["pause"])
        self.link.reads(500)  # 1000 are left
        self.assertEqual(producer.told, ["pause"])
        self.link.reads(1000)
        self.assertEqual(producer.told, ["pause", "resume"])

    def test_exactly_half_is_enough(self) -> None:
        producer = Recorder()
        self.outbox.registerProducer(producer, True)
        self.outbox.write(b"x" * 600)
        self.link.turns()
        self.outbox.write(b"x" * 500)
        self.assertEqual(producer.told, ["pause"])
        self.link.reads(600)
        self.assertEqual(producer.told, ["pause", "resume"])

    def test_it_can_be_paused_again(self) -> None:
        producer = Recorder()
        self.outbox.registerProducer(producer, True)
        for _ in range(2):
            self.link.stops_reading()
            self.outbox.write(b"x" * 1001)
            self.link.socket.room = 2000
            self.link.turns()
        self.assertEqual(producer.told, ["pause", "resume"] * 2)

    def test_who_keeps_up_hears_nothing(self) -> None:
        producer = Recorder()
        self.outbox.registerProducer(producer, True)
        self.link.reads()
        self.outbox.write(b"x" * 100_000)
        self.assertEqual(producer.told, [])

    def test_a_pull_producer_is_asked_whenever_there_is_room(self) -> None:
        pieces = [b"%d" % n * 400 for n in range(10)]
        expected = b"".join(pieces)
        producer = Recorder(lambda: self.outbox.write(pieces.pop(0)) if pieces else self.outbox.unregisterProducer())
        self.outbox.registerProducer(producer, False)
        self.link.turns()
        self.assertLess(len(expected) - sum(map(len, pieces)), 3000)  # not all at once
        self.link.reads()
        self.assertEqual(self.link.taken, expected)

    def test_a_pull_producer_is_asked_on_when_all_is_taken_at_once(self) -> None:
        self.link.reads()
        pieces = [b"%d" % n for n in range(10)]
        producer = Recorder(lambda: self.outbox.write(pieces.pop(0)) if pieces else self.outbox.unregisterProducer())
        self.outbox.registerProducer(producer, False)
        self.link.turns(30)
        self.assertEqual(self.link.taken, b"0123456789")

    def test_there_is_one_at_a_time(self) -> None:
        self.outbox.registerProducer(Recorder(), True)
        self.assertRaises(RuntimeError, self.outbox.registerProducer, Recorder(), True)
        self.outbox.unregisterProducer()
        self.outbox.registerProducer(Recorder(), True)

    def test_who_unregisters_hears_nothing_more(self) -> None:
        producer = Recorder()
        self.outbox.registerProducer(producer, True)
        self.outbox.write(b"x" * 2000)
        self.outbox.unregisterProducer()
        self.link.reads()
        self.assertEqual(producer.told, ["pause"])

    def test_when_the_connection_is_lost_it_is_told_to_stop(self) -> None:
        producer = Recorder()
        self.outbox.registerProducer(producer, True)
        self.link.goes()
        self.assertEqual(producer.told, ["stop"])

    def test_who_comes_after_the_loss_is_told_to_stop(self) -> None:
        self.link.goes()
        for streaming in (True, False):
            producer = Recorder()
            self.outbox.registerProducer(producer, streaming)
            self.assertEqual(producer.told, ["stop"])

    def test_reading_is_paused_and_resumed_through_it(self) -> None:
        self.outbox.pauseProducing()
        self.assertFalse(self.link.reading)
        self.outbox.resumeProducing()
        self.assertTrue(self.link.reading)


class WrappedTests(SynchronousTestCase):
    """What is no plain socket: written through while it is not paused."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.transport = Wrapped()
        self.overflows: list[int] = []
        self.outbox = Outbox(
            self.transport, self.clock, 1000, 100, LAST_WORDS, lambda: self.overflows.append(self.outbox.backlog)
        )

    def test_its_own_writing_is_used(self) -> None:
        self.outbox.write(b"a")
        self.assertEqual(self.transport.value(), b"a")
        self.assertTrue(self.transport.streaming)

    def test_while_it_is_full_we_queue(self) -> None:
        self.transport.full()
        self.assertFalse(self.outbox.clear)
        self.outbox.write(b"a")
        self.outbox.write(b"b")
        self.assertEqual((self.transport.value(), self.outbox.backlog), (b"", 2))
        self.transport.ready()
        self.assertEqual((self.transport.value(), self.outbox.backlog), (b"ab", 0))
        self.assertTrue(self.outbox.clear)

    def test_it_may_become_full_while_it_is_filled(self) -> None:
        self.transport.full()
        for data in blocks(CHUNK, CHUNK, CHUNK):
            self.outbox.write(data)
        take = self.transport.write

        def write(data: bytes) -> None:
            take(data)
            self.transport.full()

        self.transport.write = write  # type: ignore[method-assign]
        sizes = []
        for _ in range(3):
            self.transport.ready()
            sizes.append(len(self.transport.value()))
        self.assertEqual(sizes, [CHUNK, 2 * CHUNK, 3 * CHUNK])

    def test_offers_are_merged(self) -> None:
        self.transport.full()
        for n in range(3):
            self.outbox.offer("key", lambda n=n: b"%d" % n)  # type: ignore[misc]
        self.transport.ready()
        self.assertEqual(self.transport.value(), b"2")
        self.assertEqual((self.outbox.merged, self.outbox.backlog), (2, 0))

    def test_the_bound_holds(self) -> None:
        self.transport.full()
        self.outbox.write(b"x" * 1000)
        self.assertEqual(self.overflows, [])
        self.outbox.write(b"x")
        self.outbox.write(b"x")
        self.assertEqual(self.overflows, [1001])

    def test_a_registered_producer_is_paused_and_resumed(self) -> None:
        producer = Recorder()
        self.outbox.registerProducer(producer, True)
        self.transport.full()
        self.outbox.write(b"x" * 101)
        self.transport.ready()
        self.assertEqual(producer.told, ["pause", "resume"])

    def test_close_sends_what_waits(self) -> None:
        self.transport.full()
        self.outbox.write(b"x")
        self.outbox.close()
        self.assertFalse(self.transport.disconnecting)
        self.transport.ready()
        self.assertEqual(self.transport.value(), b"x")
        self.assertTrue(self.transport.disconnecting)
        self.assertIsNone(self.transport.producer)  # TLS never closes while one is registered

    def test_close_does_not_wait_for_ever(self) -> None:
        self.outbox.close()
        self.clock.advance(LAST_WORDS)
        self.assertTrue(self.transport.disconnected)

    def test_lingering_it_just_closes(self) -> None:
        """There is no half-close in TLS."""
        self.outbox.close(linger=True)
        self.assertTrue(self.transport.disconnecting)
        self.assertFalse(self.transport.half_closed)

    def test_who_closes_when_all_is_drained_closes_once(self) -> None:
        self.transport.full()
        self.outbox.write(b"x")
        self.outbox.drained().addCallback(lambda _: self.outbox.close())
        self.transport.ready()
        self.assertEqual(self.transport.value(), b"x")
        self.assertTrue(self.transport.disconnecting)

    def test_cut_drops_what_waits(self) -> None:
        self.transport.full()
        self.outbox.write(b"x" * 100)
        self.outbox.cut(b"bye")
        self.transport.ready()
        self.assertEqual(self.transport.value(), b"bye")


class FanoutTests(SynchronousTestCase):
    """Several outboxes that are sent the same."""

    def setUp(self) -> None:
        self.clock = MemoryReactorClock()
        self.fanout = Fanout()
        self.links = [self.join() for _ in range(3)]

    def join(self) -> Link:
        link = Link(Sender(self.clock), self.clock)
        self.fanout.add(link.protocol.outbox)
        return link

    def heard(self) -> list[bytes]:
        for link in self.links:
            link.reads()
        return [link.taken for link in self.links]

    def test_all_get_all(self) -> None:
        self.fanout.write(b"one")
        self.fanout.write(b"two")
        self.assertEqual(self.heard(), [b"onetwo"] * 3)

    def test_whoever_lags_gets_all_in_order_and_the_others_at_once(self) -> None:
        self.links[1].stops_reading()
        for data in (b"one", b"two", b"three"):
            self.fanout.write(data)
        self.assertEqual([link.taken for link in self.links], [b"onetwothree", b"", b"onetwothree"])
        self.links[1].protocol.outbox.write(b"four")
        self.assertEqual(self.heard()[1], b"onetwothreefour")
        self.fanout.write(b"five")
        self.assertEqual(self.heard()[1], b"onetwothreefourfive")

    def test_half_of_it_taken(self) -> None:
        self.fanout.write(b"before")
        for at, link in enumerate(self.links):
            link.socket.room = at
        self.fanout.write(b"halves")
        self.fanout.write(b"after")
        self.assertEqual(self.heard(), [b"beforehalvesafter"] * 3)

    def test_a_socket_that_fails_is_its_own_affair(self) -> None:
        self.fanout.write(b"one")
        self.links[0].socket.error = ConnectionResetError(104, "reset")
        self.fanout.write(b"two")
        self.fanout.write(b"three")
        self.assertEqual([link.taken for link in self.links], [b"one", b"onetwothree", b"onetwothree"])
        self.links[0].turns()
        self.assertTrue(self.links[0].lost)

    def test_who_was_closed_gets_nothing_more(self) -> None:
        self.fanout.write(b"one")
        self.links[2].protocol.outbox.close()
        self.fanout.write(b"two")
        self.assertEqual(self.heard(), [b"onetwo", b"onetwo", b"one"])

    def test_each_knows_what_it_has_taken(self) -> None:
        self.fanout.write(b"12345")
        self.links.append(self.join())
        self.links[1].socket.room = 3
        self.fanout.write(b"6789")
        outboxes = [link.protocol.outbox for link in self.links]
        self.assertEqual([outbox.taken for outbox in outboxes], [9, 8, 9, 4])
        self.fanout.remove(outboxes[0])
        outboxes[0].write(b"!")
        self.fanout.write(b"0")
        self.heard()
        self.assertEqual([outbox.taken for outbox in outboxes], [10, 10, 10, 5])
        self.assertEqual([link.taken for link in self.links], [b"123456789!", b"1234567890", b"1234567890", b"67890"])

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.tuples(st.sampled_from("wrsaxo"), st.integers(0, 3), st.integers(1, 6)), max_size=30))
    def test_whatever_happens_each_gets_what_was_sent_while_it_was_there(
        self, steps: list[tuple[str, int, int]]
    ) -> None:
        self.setUp()
        self.links.append(self.join())
        outboxes = [link.protocol.outbox for link in self.links]
        expected = [b""] * 4
        inside = [True] * 4
        for n, (step, who, size) in enumerate(steps):
            data = bytes((65 + n % 26,)) * size
            match step:
                case "w":
                    self.fanout.write(data)
                    expected = [had + data if there else had for had, there in zip(expected, inside, strict=True)]
                case "o":
                    outboxes[who].write(data)
                    expected[who] += data
                case "r":
                    self.links[who].reads(size)
                case "s":
                    self.links[who].stops_reading()
                case "a" if not inside[who]:
                    self.fanout.add(outboxes[who])
                    inside[who] = True
                case "x" if inside[who]:
                    self.fanout.remove(outboxes[who])
                    inside[who] = False
        self.assertEqual(self.heard(), expected)
        self.assertEqual([outbox.taken for outbox in outboxes], list(map(len, expected)))


class SocketCase(TestCase):
    """Over real sockets, with a peer that reads when it is told to."""

    timeout = 30

    def listen(self, listen: Callable[[Factory], Any], **settings: Any) -> Any:
        """A listening port; C{self.senders} are the protocols that it makes."""
        self.clock = Clock()  # for deadlines only: the sockets are driven by the real reactor
        self.senders: list[Sender] = []
        case = self

        class Senders(Factory):
            noisy = False

            def buildProtocol(self, addr: Any) -> Sender:
                sender = Sender(case.clock, **settings)
                sender.send_buffer = None if case.tls else 8192
                case.senders.append(sender)
                return sender

        port = listen(Senders())
        self.addCleanup(port.stopListening)
        return port

    tls = False

    async def accept(self, peer: Peer) -> Sender:
        """The protocol that serves a peer."""
        self.addCleanup(self._end, peer)
        await until(lambda: self.senders)
        return self.senders[0]

    async def _end(self, peer: Peer) -> None:
        peer.close()
        for sender in self.senders:
            if sender.lost_at is None:
                sender.outbox.abortConnection()
        await until(lambda: all(sender.lost_at is not None for sender in self.senders))


class TCPTests(SocketCase):
    """On a loopback connection."""

    async def connect(self, **settings: Any) -> tuple[Sender, Peer]:
        from twisted.internet import reactor

        port = self.listen(lambda factory: reactor.listenTCP(0, factory, interface="127.0.0.1"), **settings)
        peer = Peer(("127.0.0.1", port.getHost().port))
        return await self.accept(peer), peer

    async def test_a_peer_that_reads_late_gets_everything_in_order(self) -> None:
        sender, peer = await self.connect(limit=10_000_000)
        sizes = [1, 300 * 1024, 7, 100_000, 65_536, 65_537, 1, 200_000]
        for data in blocks(*sizes):
            sender.outbox.write(data)
            await turn()
        self.assertGreater(sender.outbox.backlog, 0)
        self.assertEqual(sender.overflows, [])
        sender.outbox.close()
        self.assertEqual(await peer.read_all(), b"".join(blocks(*sizes)))
        self.assertEqual(sender.outbox.taken, sum(sizes))

    async def test_eager_writes_backlog_and_offers_in_turn(self) -> None:
        sender, peer = await self.connect(limit=10_000_000)
        outbox, written, rounds = sender.outbox, bytearray(), 0
        while rounds < 5:  # each fills the pipe and empties it again
            while outbox.clear:
                data = bytes([65 + rounds]) * 20_000
                outbox.write(data)
                written += data
            for _ in range(3):
                outbox.offer("key", lambda rounds=rounds: b"<%d>" % rounds)
            written += b"<%d>" % rounds
            rounds += 1
            await peer.read_until(lambda: outbox.clear)
        outbox.close()
        self.assertEqual(await peer.read_all(), bytes(written))
        self.assertEqual(outbox.merged, 10)

    async def test_what_the_peer_acknowledges_is_progress_though_nothing_more_is_taken(self) -> None:
        sender, peer = await self.connect(limit=10_000_000)
        while sender.outbox.clear:
            sender.outbox.write(b"x" * 20_000)
        before = await self.settled(sender.outbox)
        await turn()
        self.assertEqual(sender.outbox.progress(), before)
        sender.transport.stopWriting()  # nothing more is taken from us

        def acknowledged() -> bool:
            peer.read()
            return sender.outbox.progress() != before

        await until(acknowledged)
        self.assertEqual(sender.outbox.taken, before[0])

    async def settled(self, outbox: Outbox) -> tuple[int, int]:
        """What C{progress} says once the kernel has sent what the peer has room for."""
        progress, same = outbox.progress(), 0
        while same < 200:
            await turn()
            same = same + 1 if outbox.progress() == progress else 0
            progress = outbox.progress()
        return progress

    async def test_last_words_reach_a_peer_that_is_still_sending(self) -> None:
        """A socket that is closed with input unread is reset, and the peer may lose our last words over it."""
        sender, peer = await self.connect()
        sender.outbox.pauseProducing()
        peer.socket.send(b"y" * 1000)
        await turn()
        sender.outbox.write(b"last words")
        sender.outbox.close(linger=True)
        await turn()
        peer.socket.send(b"z")
        self.assertEqual(await peer.read_all(), b"last words")
        peer.close()
        await until(lambda: sender.lost_at is not None)

    async def test_a_half_closed_peer_gets_the_rest(self) -> None:
        sender, peer = await self.connect(limit=10_000_000)
        sender.outbox.write(b"x" * 500_000)
        peer.socket.shutdown(socket.SHUT_WR)
        for _ in range(5):
            await turn()
        sender.outbox.close()
        self.assertEqual(len(await peer.read_all()), 500_000)

    async def test_a_peer_that_resets_while_we_write(self) -> None:
        sender, peer = await self.connect(limit=10_000_000)
        sender.outbox.pauseProducing()  # so that only writing can tell
        peer.reset()
        told_inside = []
        while sender.outbox.clear:
            sender.outbox.write(b"x" * 1000)
            told_inside.append(sender.lost_at)
            if sender.outbox.clear:
                await turn()
        self.assertEqual(set(told_inside), {None})
        await until(lambda: sender.lost_at is not None)

    async def test_a_peer_that_resets_while_something_waits(self) -> None:
        sender, peer = await self.connect(limit=10_000_000)
        sender.outbox.write(b"x" * 1_000_000)
        drained = sender.outbox.drained()
        peer.reset()
        await until(lambda: sender.lost_at is not None)
        self.successResultOf(drained)
        self.assertEqual(sender.outbox.backlog, 0)

    async def test_a_peer_that_never_reads_costs_no_more_than_the_bound(self) -> None:
        sender, _ = await self.connect(limit=100_000)
        written = 0
        while not sender.overflows:
            sender.outbox.write(b"x" * 1000)
            written += 1000
            await turn()
        self.assertLess(sender.overflows[0], 101_001)
        self.assertLess(written, 1_000_000)  # the kernel's buffers are small here
        self.clock.advance(LAST_WORDS)
        await until(lambda: sender.lost_at is not None)


class UNIXTests(SocketCase):
    """On a unix socket."""

    async def test_a_peer_that_reads_late_gets_everything_in_order(self) -> None:
        from twisted.internet import reactor

        path = f"{make_folder(self)}/socket"
        self.listen(lambda factory: reactor.listenUNIX(path, factory), limit=10_000_000)
        peer = Peer(path)
        sender = await self.accept(peer)
        sizes = [5, 300 * 1024, 7, 65_537]
        for data in blocks(*sizes):
            sender.outbox.write(data)
            await turn()
        self.assertGreater(sender.outbox.backlog, 0)
        sender.outbox.close()
        self.assertEqual(await peer.read_all(), b"".join(blocks(*sizes)))


class TLSTests(SocketCase):
    """Behind TLS: the transport's own writing, as its push producer."""

    tls = True

    async def connect(self, **settings: Any) -> tuple[Sender, TLSPeer]:
        from twisted.internet import reactor

        pem = make_certificate(make_folder(self)).read_bytes()
        context = ssl.PrivateCertificate.loadPEM(pem).options()
        port = self.listen(lambda factory: reactor.listenSSL(0, factory, context, interface="127.0.0.1"), **settings)
        peer = TLSPeer(("127.0.0.1", port.getHost().port))
        sender = await self.accept(peer)
        await peer.shake_hands()
        await until(lambda: sender.ready)
        return sender, peer

    async def test_nothing_goes_in_the_clear(self) -> None:
        sender, peer = await self.connect()
        secret = b"between us " * 100
        sender.outbox.write(secret)
        await peer.read_until(lambda: len(peer.got) >= len(secret))
        self.assertEqual(bytes(peer.got), secret)
        self.assertNotIn(b"between us", bytes(peer.raw))

    async def test_a_peer_that_reads_late_gets_everything_in_order(self) -> None:
        sender, peer = await self.connect(limit=100_000_000)
        sizes = [1, 300 * 1024, 7]
        while sender.outbox.clear:
            data = blocks(*sizes)[-1]
            sender.outbox.write(data)
            sizes.append(100_000)
            await turn()
        for _ in range(5):
            sender.outbox.write(blocks(*sizes)[-1])
            sizes.append(50_000)
        self.assertGreater(sender.outbox.backlog, 0)
        sizes.pop()
        sender.outbox.close()
        got = await peer.read_all()
        self.assertEqual(len(got), len(b"".join(blocks(*sizes)[2:])))
        self.assertEqual(got, b"".join(blocks(*sizes)[2:]))

    async def test_a_peer_that_never_reads_costs_no_more_than_the_bound(self) -> None:
        sender, _ = await self.connect(limit=100_000)
        written = 0
        while not sender.overflows:
            sender.outbox.write(b"x" * 1000)
            written += 1000
            await turn()
        self.assertLess(sender.overflows[0], 101_001)
        self.clock.advance(LAST_WORDS)  # it will not answer our good-bye either
        await until(lambda: sender.lost_at is not None)

    async def test_its_producer_is_paused_and_resumed(self) -> None:
        sender, peer = await self.connect(limit=100_000_000)
        producer = Recorder()
        sender.outbox.registerProducer(producer, True)
        while not producer.told:
            sender.outbox.write(b"x" * 10_000)
            await turn()
        self.assertEqual(producer.told, ["pause"])
        await peer.read_until(lambda: len(producer.told) > 1)
        self.assertEqual(producer.told, ["pause", "resume"])
