"""Tests of L{netplay.wire.lines}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.wire.lines import Lines


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """C{data} cut at these places (modulo its length)."""
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def read(framing: Lines, chunks: list[bytes]) -> list[bytes]:
    """All whole payloads in these chunks."""
    found = []
    for chunk in chunks:
        framing.feed(chunk)
        while (payload := framing.next()) is not None:
            found.append(payload)
    return found


cuts = st.lists(st.integers(0, 10_000), max_size=12)
line = st.binary(min_size=1, max_size=40).filter(lambda b: b"\n" not in b and not b.endswith(b"\r") and not b.isspace())


class LinesTests(SynchronousTestCase):
    """Payloads between newlines."""

    @settings(deadline=None, max_examples=150)
    @given(st.lists(st.tuples(line, st.sampled_from([b"\n", b"\r\n", b"\n\n \r\n"])), max_size=8), cuts)
    def test_lines_come_out_the_same_however_they_are_cut(
        self, lines: list[tuple[bytes, bytes]], cuts: list[int]
    ) -> None:
        glued = b"".join(payload + end for payload, end in lines)
        self.assertEqual(read(Lines(40), pieces(glued, cuts)), [payload for payload, _ in lines])

    @settings(deadline=None, max_examples=150)
    @given(st.lists(st.binary(max_size=60), max_size=10))
    def test_any_bytes_are_read_or_too_large_and_the_buffer_stays_small(self, chunks: list[bytes]) -> None:
        framing = Lines(50)
        try:
            for chunk in chunks:
                framing.feed(chunk)
                while (payload := framing.next()) is not None:
                    self.assertLessEqual(len(payload), 50)
                self.assertLessEqual(len(framing._buffer), 51)
        except Refused as refused:
            self.assertEqual(refused.code, "too_large")

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.binary(max_size=30), max_size=5), cuts)
    def test_a_good_line_is_found_after_any_garbage_lines(self, garbage: list[bytes], cuts: list[int]) -> None:
        good = b'{"type":"ping"}'
        data = b"".join(one + b"\n" for one in garbage) + good + b"\n"
        self.assertEqual(read(Lines(100), pieces(data, cuts))[-1], good)

    def test_a_line_as_long_as_allowed_is_taken_with_either_end(self) -> None:
        self.assertEqual(read(Lines(4), [b"1234\n", b"1234\r", b"\n"]), [b"1234", b"1234"])

    def test_a_line_that_is_too_long_is_refused(self) -> None:
        framing = Lines(4)
        framing.feed(b"12345\n")
        self.assertEqual(self.assertRaises(Refused, framing.next).code, "too_large")

    def test_a_line_is_refused_as_soon_as_it_is_too_long(self) -> None:
        framing = Lines(4)
        framing.feed(b"1234")
        self.assertIsNone(framing.next())
        framing.feed(b"5")
        self.assertEqual(self.assertRaises(Refused, framing.next).code, "too_large")

    def test_lines_before_one_that_is_too_long_still_come_out(self) -> None:
        framing = Lines(4)
        framing.feed(b"ok\n12345")
        self.assertEqual(framing.next(), b"ok")
        self.assertRaises(Refused, framing.next)

    def test_what_was_searched_is_not_searched_again(self) -> None:
        framing = Lines(64 * 1024)
        for _ in range(64 * 1024):
            framing.feed(b"x")
            self.assertIsNone(framing.next())
            self.assertEqual(framing._searched, len(framing._buffer))

    def test_the_last_line_may_lack_its_newline(self) -> None:
        framing = Lines(100)
        self.assertEqual(read(framing, [b"one\ntwo"]), [b"one"])
        self.assertEqual(framing.finish(), b"two")

    def test_white_space_at_the_end_is_no_line(self) -> None:
        framing = Lines(100)
        self.assertEqual(read(framing, [b"one\n \r"]), [b"one"])
        self.assertIsNone(framing.finish())

    def test_it_can_tell_whether_a_line_waits_for_its_rest(self) -> None:
        framing = Lines(100)
        self.assertFalse(framing.unfinished)
        read(framing, [b"on"])
        self.assertTrue(framing.unfinished)
        read(framing, [b"e\n"])
        self.assertFalse(framing.unfinished)
