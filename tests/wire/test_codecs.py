"""Tests of L{netplay.wire.codecs}."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.messages import COMMON, Error, Ping, Pong
from netplay.wire.codecs import JSON, LINES, MSGPACK, frames_wire
from netplay.wire.frames import HEADER
from netplay.wire.grammar import Grammar


class CodecTests(SynchronousTestCase):
    """Messages to payloads and back."""

    grammar = Grammar(COMMON)

    def test_both_codecs_read_what_they_have_written(self) -> None:
        for codec in (JSON, MSGPACK):
            self.assertEqual(codec.decode(codec.encode(Ping(ref=7)), self.grammar), Ping(ref=7))

    def test_both_codecs_write_the_same_fields(self) -> None:
        message = Error(code="bad_json", message="a\nb", ref="x")
        self.assertEqual(msgspec.json.decode(JSON.encode(message)), msgspec.msgpack.decode(MSGPACK.encode(message)))

    def test_a_codec_is_told_by_its_name(self) -> None:
        self.assertEqual((JSON.name, MSGPACK.name), ("json", "msgpack"))

    def test_the_ref_of_a_message_is_read_whatever_else_is_in_it(self) -> None:
        odd = {"type": ["no", "such"], "ref": "r1", "x": 1.5}
        self.assertEqual(JSON.ref_in(msgspec.json.encode(odd)), "r1")
        self.assertEqual(MSGPACK.ref_in(msgspec.msgpack.encode(odd)), "r1")

    def test_a_ref_written_as_a_float_is_an_integer(self) -> None:
        self.assertEqual(repr(JSON.ref_in(b'{"ref":7.0}')), "7")

    def test_what_is_no_ref_is_none(self) -> None:
        for ref in (b"null", b"true", b"[1]", b"1.5", b"9007199254740992", b'"' + b"x" * 257 + b'"'):
            self.assertIsNone(JSON.ref_in(b'{"ref":' + ref + b"}"))

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=40))
    def test_looking_for_a_ref_never_fails(self, payload: bytes) -> None:
        JSON.ref_in(payload)
        MSGPACK.ref_in(payload)

    def test_looking_for_a_ref_in_deep_nesting_or_long_numbers_finds_none(self) -> None:
        for payload in (b"[" * 60_000, b"9" * 60_000):
            self.assertIsNone(JSON.ref_in(payload))
        self.assertIsNone(MSGPACK.ref_in(b"\x91" * 60_000))

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=60))
    def test_any_bytes_give_a_message_or_a_refusal(self, payload: bytes) -> None:
        for codec in (JSON, MSGPACK):
            try:
                codec.decode(payload, self.grammar)
            except Refused as refused:
                self.assertIn(refused.code, {"bad_json", "bad_message", "unknown_type"})


class WireTests(SynchronousTestCase):
    """Codecs with framing."""

    def test_a_line_ends_with_its_only_newline(self) -> None:
        line = LINES.encode(Error(code="internal", message="two\nlines"))
        self.assertTrue(line.endswith(b"\n"))
        self.assertEqual(line.count(b"\n"), 1)
        self.assertEqual(json.loads(line)["message"], "two\nlines")

    def test_a_frame_carries_its_type_and_length(self) -> None:
        framed = frames_wire(17, MSGPACK).encode(Pong(at=5))
        length, kind = HEADER.unpack_from(framed)
        self.assertEqual((length, kind), (len(framed) - HEADER.size, 17))
        self.assertEqual(msgspec.msgpack.decode(framed[HEADER.size :]), {"type": "pong", "at": 5})

    def test_each_wire_exists_once_so_that_channels_encode_once(self) -> None:
        self.assertIs(frames_wire(16, JSON), frames_wire(16, JSON))
        self.assertIsNot(frames_wire(16, JSON), frames_wire(16, MSGPACK))
