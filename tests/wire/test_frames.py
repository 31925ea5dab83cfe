"""Tests of L{netplay.wire.frames}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.wire.frames import HEADER, Frames, frame
from tests.wire.test_lines import cuts, pieces


class FramesTests(SynchronousTestCase):
    """Payloads behind a header."""

    def test_a_header_is_four_bytes_of_length_and_two_of_type_in_network_order(self) -> None:
        self.assertEqual(frame(0x0102, b"abc"), b"\x00\x00\x00\x03\x01\x02abc")

    @settings(deadline=None, max_examples=150)
    @given(st.lists(st.tuples(st.integers(0, 65535), st.binary(max_size=40)), max_size=8), cuts)
    def test_frames_come_out_the_same_however_they_are_cut(
        self, sent: list[tuple[int, bytes]], cuts: list[int]
    ) -> None:
        framing = Frames(40)
        found = []
        for chunk in pieces(b"".join(frame(kind, payload) for kind, payload in sent), cuts):
            framing.feed(chunk)
            while (one := framing.next()) is not None:
                found.append(one)
        self.assertEqual(found, sent)
        self.assertFalse(framing.unfinished)

    @settings(deadline=None, max_examples=150)
    @given(st.lists(st.binary(max_size=60) | st.just(b"\0\0\0\1"), max_size=10))
    def test_any_bytes_are_read_or_too_large_and_the_buffer_stays_small(self, chunks: list[bytes]) -> None:
        framing = Frames(50)
        try:
            for chunk in chunks:
                framing.feed(chunk)
                while (one := framing.next()) is not None:
                    self.assertLessEqual(len(one[1]), 50)
                self.assertLess(len(framing._buffer), HEADER.size + 50)
        except Refused as refused:
            self.assertEqual(refused.code, "too_large")

    def test_a_payload_as_long_as_allowed_is_taken(self) -> None:
        framing = Frames(3)
        framing.feed(frame(1, b"abc"))
        self.assertEqual(framing.next(), (1, b"abc"))

    def test_a_length_that_is_too_large_is_refused_before_the_payload_comes(self) -> None:
        framing = Frames(3)
        framing.feed(HEADER.pack(4, 1))
        self.assertEqual(self.assertRaises(Refused, framing.next).code, "too_large")

    def test_an_empty_payload_is_a_frame(self) -> None:
        framing = Frames(3)
        framing.feed(frame(16, b""))
        self.assertEqual(framing.next(), (16, b""))

    def test_half_a_frame_at_the_end_is_dropped(self) -> None:
        framing = Frames(3)
        framing.feed(frame(1, b"abc")[:-1])
        self.assertIsNone(framing.next())
        self.assertTrue(framing.unfinished)
        framing.finish()
        self.assertFalse(framing.unfinished)
        self.assertIsNone(framing.next())
