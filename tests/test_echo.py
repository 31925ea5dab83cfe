"""Tests of L{netplay.echo}: bytes come back as they went."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netplay.echo import EchoFeature
from netplay.interfaces import IFeature, IFeatureService
from tests.features import House, Peer


class EchoTests(SynchronousTestCase):
    """The echo port."""

    def setUp(self) -> None:
        self.house = House()
        self.ann = self.house.connect_echo()

    def test_interfaces(self) -> None:
        verifyObject(IFeature, EchoFeature())
        verifyObject(IFeatureService, self.house.echo)
        self.assertEqual((EchoFeature.port, EchoFeature.frame_type), (5000, None))

    def test_nothing_comes_by_itself(self) -> None:
        self.house.wait(10)
        self.assertEqual(self.ann.read(), b"")

    def test_bytes_come_back_at_once(self) -> None:
        self.ann.write(b"no newline")
        self.assertEqual(self.ann.transport.value(), b"no newline")

    def test_http_is_just_bytes(self) -> None:
        self.ann.write(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(self.ann.read(), b"GET / HTTP/1.1\r\n\r\n")

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.binary(max_size=300), max_size=20))
    def test_any_bytes_come_back_as_they_went(self, chunks: list[bytes]) -> None:
        ann = House().connect_echo()
        for chunk in chunks:
            ann.write(chunk)
        self.assertEqual(ann.read(), b"".join(chunks))

    def test_everybody_gets_their_own(self) -> None:
        bob = self.house.connect_echo()
        self.ann.write(b"ann")
        bob.write(b"bob")
        self.assertEqual((self.ann.read(), bob.read()), (b"ann", b"bob"))

    def test_there_is_no_limit_to_what_is_sent(self) -> None:
        ann = House(rate=1.0, burst=1.0, max_message=1024).connect_echo()
        for _ in range(100):
            ann.write(b"x" * 10_000)
        self.assertEqual(len(ann.read()), 1_000_000)

    def test_who_half_closes_gets_every_byte_back(self) -> None:
        self.ann.write(b"x" * 100_000)
        self.ann.half_close()
        self.assertEqual(len(self.ann.read()), 100_000)
        self.assertTrue(self.ann.closed)


class BackPressureTests(SynchronousTestCase):
    """A client that does not read is not read from."""

    def setUp(self) -> None:
        self.house = House()
        self.ann = self.house.connect_echo()

    def fill(self, ann: Peer) -> bytes:
        """Send, as a socket would hand it on, until nothing more is read; returns what was sent."""
        ann.lag()
        sent = b""
        while not ann.paused and len(sent) < 10_000_000:
            chunk = len(sent).to_bytes(4, "big") * 4096
            sent += chunk
            ann.write(chunk)
        return sent

    def test_it_is_not_read_from_after_a_while(self) -> None:
        sent = self.fill(self.ann)
        self.assertTrue(self.ann.paused)
        self.assertLess(len(sent), 200_000)

    def test_it_costs_bounded_memory(self) -> None:
        sent = self.fill(self.ann)
        self.assertLessEqual(self.ann.protocol.outbox.backlog, len(sent))
        self.assertFalse(self.ann.closed)

    def test_when_it_reads_again_it_gets_everything_and_is_read_from(self) -> None:
        sent = self.fill(self.ann)
        self.ann.catch_up()
        self.assertEqual(self.ann.read(), sent)
        self.assertFalse(self.ann.paused)
        self.ann.write(b"more")
        self.assertEqual(self.ann.read(), b"more")

    def test_what_was_on_its_way_when_reading_stopped_comes_back_too(self) -> None:
        sent = self.fill(self.ann)
        self.ann.write(b"the last of it")
        self.ann.catch_up()
        self.assertEqual(self.ann.read(), sent + b"the last of it")

    def test_a_half_closed_one_that_does_not_read_gets_every_byte_later(self) -> None:
        sent = self.fill(self.ann)
        self.ann.half_close()
        self.house.wait(30)
        self.assertFalse(self.ann.closed)
        self.ann.catch_up()
        self.assertEqual(self.ann.read(), sent)
        self.assertTrue(self.ann.closed)

    def test_so_does_one_to_whom_only_a_little_is_left_to_send(self) -> None:
        self.ann.lag()
        self.ann.write(b"first")
        self.ann.write(b"x" * 10_000)
        self.ann.half_close()
        self.house.wait(30)
        self.assertFalse(self.ann.closed)
        self.ann.catch_up()
        self.assertEqual(len(self.ann.read()), 10_005)
        self.assertTrue(self.ann.closed)
