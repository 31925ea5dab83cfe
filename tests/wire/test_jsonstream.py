"""Tests of L{netplay.wire.jsonstream}."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.wire.jsonstream import JSONStream
from tests.wire.test_lines import cuts, pieces

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
structures = st.recursive(
    scalars | st.text(max_size=8) | st.sampled_from(['"', "\\", '\\"', "{", "]", "\n"]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3),
    max_leaves=8,
)
gaps = st.text(" \t\r\n", max_size=3).map(str.encode)


def read(framing: JSONStream, chunks: list[bytes]) -> list[bytes]:
    """All whole payloads in these chunks."""
    found = []
    for chunk in chunks:
        framing.feed(chunk)
        while (payload := framing.next()) is not None:
            found.append(payload)
    return found


def written(value: Any, indent: int | None, escaped: bool) -> bytes:
    return json.dumps(value, indent=indent, ensure_ascii=escaped).encode("utf-8", "replace")


class JSONStreamTests(SynchronousTestCase):
    """JSON values with or without anything between them."""

    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.tuples(structures, st.sampled_from([None, 0, 2]), st.booleans(), gaps), max_size=6), cuts)
    def test_values_come_out_the_same_however_they_are_glued_and_cut(
        self, values: list[tuple[Any, int | None, bool, bytes]], cuts: list[int]
    ) -> None:
        data = b""
        sent = []
        for value, indent, escaped, gap in values:
            payload = written(value, indent, escaped)
            separator = b"" if payload[:1] in b'{["' else b"\n"  # a number ends nowhere by itself
            data += payload + separator + gap
            sent.append(payload)
        self.assertEqual(read(JSONStream(10_000), pieces(data, cuts)), sent)

    @settings(deadline=None, max_examples=300)
    @given(st.lists(st.binary(max_size=30) | st.text('{}[]"\\\n a1', max_size=30).map(str.encode), max_size=12))
    def test_any_bytes_are_read_or_too_large_and_the_buffer_stays_small(self, chunks: list[bytes]) -> None:
        framing = JSONStream(50)
        try:
            for chunk in chunks:
                framing.feed(chunk)
                while (payload := framing.next()) is not None:
                    self.assertTrue(payload)
                    self.assertLessEqual(len(payload), 50)
                self.assertLessEqual(len(framing._buffer), 50)
        except Refused as refused:
            self.assertEqual(refused.code, "too_large")

    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.binary(max_size=30) | st.text('{}[]"\\\n a1', max_size=30).map(str.encode), max_size=8))
    def test_what_is_found_does_not_depend_on_the_cuts(self, chunks: list[bytes]) -> None:
        data = b"".join(chunks)
        whole = JSONStream(1000)
        single = JSONStream(1000)
        found = read(whole, [data])
        self.assertEqual(read(single, [data[n : n + 1] for n in range(len(data))]), found)
        self.assertEqual(single.finish(), whole.finish())

    @settings(deadline=None, max_examples=150)
    @given(st.lists(st.binary(max_size=30).filter(lambda b: not set(b) & set(b'{["')), max_size=5), cuts)
    def test_a_good_message_is_found_after_garbage_that_opens_nothing(
        self, garbage: list[bytes], cuts: list[int]
    ) -> None:
        good = b'{"type":"ping"}'
        data = b"".join(one + b"\n" for one in garbage) + good
        self.assertEqual(read(JSONStream(1000), pieces(data, cuts))[-1:], [good])

    @settings(deadline=None, max_examples=100)
    @given(st.binary(max_size=30).filter(lambda b: b'"' not in b), cuts)
    def test_a_good_message_is_found_after_a_string_that_is_not_closed_on_its_line(
        self, text: bytes, cuts: list[int]
    ) -> None:
        good = b'{"type":"ping"}'
        rest = text.replace(b"[", b"").replace(b"{", b"")  # what stands on later lines opens nothing
        data = b'{"type":"chat","text":"' + rest + b"\n" + good
        self.assertEqual(read(JSONStream(1000), pieces(data, cuts))[-1:], [good])

    def test_values_need_nothing_between_them(self) -> None:
        self.assertEqual(
            read(JSONStream(99), [b'{"a":1}{"b":[2]}[3]"four"']), [b'{"a":1}', b'{"b":[2]}', b"[3]", b'"four"']
        )

    def test_brackets_and_quotes_in_strings_end_nothing(self) -> None:
        value = b'{"a":"}]\\"{[","b\\\\":1}'
        self.assertEqual(read(JSONStream(99), [value]), [value])

    def test_a_newline_in_a_string_ends_the_bad_value(self) -> None:
        self.assertEqual(read(JSONStream(99), [b'{"a":"x\n{"b":1}']), [b'{"a":"x', b'{"b":1}'])

    def test_a_newline_after_a_backslash_in_a_string_ends_the_bad_value_too(self) -> None:
        self.assertEqual(read(JSONStream(99), [b'{"a":"C:\\', b'\n{"b":1}']), [b'{"a":"C:\\', b'{"b":1}'])

    def test_a_bracket_closed_by_the_other_kind_ends_the_bad_value(self) -> None:
        self.assertEqual(read(JSONStream(99), [b'{"a":[1}{"b":2}']), [b'{"a":[1}', b'{"b":2}'])

    def test_text_that_is_no_json_is_handed_on_a_line_at_a_time(self) -> None:
        self.assertEqual(
            read(JSONStream(99), [b"hello there\r\nwho are you\n7\n"]), [b"hello there", b"who are you", b"7"]
        )

    def test_a_value_after_text_that_is_no_json_is_a_payload_of_its_own(self) -> None:
        self.assertEqual(read(JSONStream(99), [b'oops {"a":1}']), [b"oops", b'{"a":1}'])

    def test_a_closing_bracket_that_opens_nothing_is_a_mistake_of_its_own(self) -> None:
        self.assertEqual(read(JSONStream(99), [b'}]{"a":1}}']), [b"}", b"]", b'{"a":1}', b"}"])

    def test_a_number_waits_for_what_comes_after_it(self) -> None:
        framing = JSONStream(99)
        self.assertEqual(read(framing, [b"12"]), [])
        self.assertEqual(read(framing, [b"3\n"]), [b"123"])

    def test_the_last_value_may_be_a_number(self) -> None:
        framing = JSONStream(99)
        read(framing, [b" 12 "])
        self.assertEqual(framing.finish(), b"12")
        self.assertFalse(framing.unfinished)

    def test_white_space_at_the_end_is_no_value(self) -> None:
        framing = JSONStream(99)
        self.assertEqual(read(framing, [b"{} \r\n\t"]), [b"{}"])
        self.assertFalse(framing.unfinished)
        self.assertIsNone(framing.finish())

    def test_a_value_as_long_as_allowed_is_taken_whatever_stands_around_it(self) -> None:
        self.assertEqual(read(JSONStream(6), [b'   "1234"   "5678"\n']), [b'"1234"', b'"5678"'])

    def test_a_value_is_refused_as_soon_as_it_is_too_long(self) -> None:
        for opening in (b"[", b'"', b"x"):
            framing = JSONStream(6)
            framing.feed(opening + b"12345")
            self.assertIsNone(framing.next())
            framing.feed(b"6")
            self.assertEqual(self.assertRaises(Refused, framing.next).code, "too_large")

    def test_values_before_one_that_is_too_long_still_come_out(self) -> None:
        framing = JSONStream(6)
        framing.feed(b"{}[1234567]")
        self.assertEqual(framing.next(), b"{}")
        self.assertRaises(Refused, framing.next)

    def test_what_was_looked_at_is_not_looked_at_again(self) -> None:
        size = 64 * 1024
        for value in (
            b'"' + b"x" * (size - 2) + b'"',
            b'{"k":[' + b"1," * (size // 2 - 5) + b"1]}",
            b"1" * (size - 1) + b"\n",
            b"[" * (size // 2) + b"]" * (size // 2),
            b'["' + b'\\"' * (size // 2 - 2) + b'"]',
        ):
            framing = JSONStream(size)
            for n in range(len(value) - 1):
                framing.feed(value[n : n + 1])
                self.assertIsNone(framing.next())
                # All that came is done with, but for a backslash that waits for what it escapes.
                self.assertGreaterEqual(framing._at, n)
            framing.feed(value[-1:])
            self.assertEqual(framing.next(), value.strip())
