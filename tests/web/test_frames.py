"""Tests of L{netplay.web.frames}; what is sent is read by C{websockets}' own client."""

from __future__ import annotations

import random
from itertools import product

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from netplay.web.frames import (
    BINARY,
    COMPRESS_FROM,
    PONG,
    TEXT,
    WINDOW_BITS,
    close_frame,
    deflated,
    frame,
    websocket_wire,
)
from netplay.wire.codecs import JSON, MSGPACK

COMPRESSED = 0x40
LONG = b'{"type":"chat","text":"' + b"again and " * 100 + b'again"}'


def reader(window_bits: int | None = None) -> ClientProtocol:
    """A client that has shaken hands already, with deflate for windows of so many bits."""
    client = ClientProtocol(parse_uri("ws://localhost/"), state=OPEN, max_size=None)
    if window_bits is not None:
        client.extensions = [PerMessageDeflate(True, True, window_bits, 15)]
    return client


def read(data: bytes, window_bits: int | None = None) -> list[tuple[int, bytes]]:
    """The frames that it reads: opcode and payload."""
    client = reader(window_bits)
    client.receive_data(data)
    if client.parser_exc is not None:
        raise client.parser_exc
    frames = [event for event in client.events_received() if isinstance(event, Frame)]
    assert all(one.fin for one in frames)
    return [(int(one.opcode), bytes(one.data)) for one in frames]


class FrameTests(SynchronousTestCase):
    """Frames as they are sent."""

    def test_a_length_takes_as_few_bytes_as_it_can(self) -> None:
        for length, header in (
            (0, b"\x82\x00"),
            (125, b"\x82\x7d"),
            (126, b"\x82\x7e\x00\x7e"),
            (65535, b"\x82\x7e\xff\xff"),
            (65536, b"\x82\x7f\0\0\0\0\0\1\0\0"),
        ):
            sent = frame(BINARY, bytes(length))
            self.assertEqual((sent[: len(header)], len(sent)), (header, len(header) + length))
            self.assertEqual(read(sent), [(BINARY, bytes(length))])

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.tuples(st.sampled_from((TEXT, BINARY, PONG)), st.text(max_size=40)), max_size=8))
    def test_frames_come_one_after_the_other(self, sent: list[tuple[int, str]]) -> None:
        frames = [(opcode, text.encode()[:125]) for opcode, text in sent]
        self.assertEqual(read(b"".join(frame(*one) for one in frames)), frames)

    def test_a_close_frame_says_code_and_reason(self) -> None:
        self.assertEqual(close_frame(1001), b"\x88\x02\x03\xe9")
        self.assertEqual(close_frame(4002, "idle"), b"\x88\x06\x0f\xa2idle")

    def test_a_reason_that_is_too_long_is_cut_between_characters(self) -> None:
        for reason, kept in (
            ("x" * 123, "x" * 123),
            ("x" * 124, "x" * 123),
            ("é" * 62, "é" * 61),
            ("x" + "🚀" * 31, "x" + "🚀" * 30),
        ):
            client = reader()
            client.receive_data(close_frame(1008, reason))
            self.assertEqual((client.close_code, client.close_reason), (None, None))  # until the connection ends
            assert client.close_rcvd is not None
            self.assertEqual((client.close_rcvd.code, client.close_rcvd.reason), (1008, kept))


class DeflateTests(SynchronousTestCase):
    """Messages that are compressed."""

    def test_a_long_message_is_smaller_and_can_be_read_with_every_window(self) -> None:
        for window_bits in range(9, 16):
            sent = deflated(TEXT, LONG, window_bits)
            self.assertTrue(sent[0] & COMPRESSED)
            self.assertLess(len(sent), len(LONG) / 5)
            self.assertEqual(read(sent, window_bits), [(TEXT, LONG)])
            self.assertFalse(sent.endswith(b"\x00\x00\xff\xff"))  # RFC 7692, section 7.2.1

    def test_what_repeats_itself_beyond_the_window_is_not_referred_to(self) -> None:
        noise = random.Random(7).randbytes(1000)
        payload = bytes(1000) + noise + noise
        for window_bits, least, most in ((9, 2000, 2100), (12, 1000, 1100)):
            sent = deflated(BINARY, payload, window_bits)
            self.assertEqual(read(sent, window_bits), [(BINARY, payload)])
            self.assertTrue(least < len(sent) < most, len(sent))

    def test_each_message_stands_for_itself(self) -> None:
        sent = deflated(TEXT, LONG, WINDOW_BITS)
        self.assertEqual(deflated(TEXT, LONG, WINDOW_BITS), sent)
        self.assertEqual(read(sent * 3, WINDOW_BITS), [(TEXT, LONG)] * 3)

    def test_a_short_one_is_not_worth_it(self) -> None:
        self.assertEqual(deflated(TEXT, b"x" * (COMPRESS_FROM - 1), 12), frame(TEXT, b"x" * (COMPRESS_FROM - 1)))
        self.assertTrue(deflated(TEXT, b"x" * COMPRESS_FROM, 12)[0] & COMPRESSED)

    def test_what_does_not_get_smaller_goes_as_it_is(self) -> None:
        noise = random.Random(7).randbytes(2000)
        self.assertEqual(deflated(BINARY, noise, 15), frame(BINARY, noise))


class WireTests(SynchronousTestCase):
    """Messages on their way to one kind of client."""

    def test_json_is_text_and_messagepack_is_binary(self) -> None:
        message = {"type": "pong", "at": 7}
        self.assertEqual(read(websocket_wire(JSON).encode(message)), [(TEXT, b'{"type":"pong","at":7}')])
        self.assertEqual(read(websocket_wire(MSGPACK).encode(message)), [(BINARY, b"\x82\xa4type\xa4pong\xa2at\x07")])

    def test_there_is_one_for_all_clients_of_a_kind_so_that_each_message_is_written_and_compressed_once(self) -> None:
        kinds = list(product((JSON, MSGPACK), (None, 9, 12), (None, "chat")))
        self.assertEqual(len({websocket_wire(*kind) for kind in kinds}), len(kinds))
        for kind in kinds:
            self.assertIs(websocket_wire(*kind), websocket_wire(*kind))

    def test_the_feature_comes_first_in_json(self) -> None:
        [(_, payload)] = read(websocket_wire(JSON, None, "chat").encode({"type": "pong"}))
        self.assertEqual(payload, b'{"feature":"chat","type":"pong"}')

    def test_the_feature_is_one_more_pair_in_messagepack_however_many_there_are(self) -> None:
        wire = websocket_wire(MSGPACK, None, "ticker")
        for pairs in (1, 13, 14, 15, 16, 17, 1000, 65534):
            message = {f"field {n}": n for n in range(pairs)}
            [(_, payload)] = read(wire.encode(message))
            self.assertEqual(msgspec.msgpack.decode(payload), {"feature": "ticker", **message}, pairs)

    def test_the_feature_is_compressed_with_the_rest(self) -> None:
        message = {"type": "chat", "text": "again and " * 100}
        for codec, decode in ((JSON, msgspec.json.decode), (MSGPACK, msgspec.msgpack.decode)):
            sent = websocket_wire(codec, WINDOW_BITS, "chat").encode(message)
            self.assertTrue(sent[0] & COMPRESSED)
            [(_, payload)] = read(sent, WINDOW_BITS)
            self.assertEqual(decode(payload), {"feature": "chat", **message})
