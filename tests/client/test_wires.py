"""Tests of L{netplay.client.wires}."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from websockets.frames import CLOSE, CONT, PING, TEXT, Frame
from websockets.http11 import Request
from websockets.server import ServerProtocol
from zope.interface.verify import verifyObject

from netplay.client.errors import WireError
from netplay.client.wires import MAX_MESSAGE, FrameWire, IWire, LineWire, WebSocketWire
from netplay.wire.codecs import JSON, LINES, MSGPACK, frames_wire
from netplay.wire.frames import frame
from tests.wire.test_lines import cuts, pieces

KIND = 16

values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)
messages = st.lists(
    st.fixed_dictionaries({"type": st.text(min_size=1, max_size=10), "value": values | st.lists(values, max_size=3)}),
    max_size=6,
)


def read(wire: Any, chunks: list[bytes]) -> list[dict[str, Any]]:
    """All messages in these chunks."""
    found = []
    for chunk in chunks:
        wire.feed(chunk)
        while (message := wire.next()) is not None:
            found.append(message)
    return found


class Peer:
    """The server's side of a WebSocket, by the same library."""

    def __init__(self, opening: bytes) -> None:
        self.protocol = ServerProtocol(subprotocols=["netplay.json", "netplay.msgpack"])  # type: ignore[list-item]
        self.protocol.receive_data(opening)
        (request,) = self.protocol.events_received()
        assert isinstance(request, Request)
        self.request = request
        self.protocol.send_response(self.protocol.accept(request))

    def said(self) -> bytes:
        """What it sends."""
        return b"".join(self.protocol.data_to_send())

    def heard(self, data: bytes) -> list[Any]:
        """The frames in what it gets."""
        self.protocol.receive_data(data)
        return self.protocol.events_received()


def opened(codec: Any = JSON) -> tuple[WebSocketWire, Peer]:
    """A WebSocket after the handshake."""
    wire = WebSocketWire("ws://example.org:8080/ws/chat", codec)
    peer = Peer(wire.opening())
    wire.feed(peer.said())
    return wire, peer


class WireTests(SynchronousTestCase):
    """What all wires do alike."""

    def test_all_are_wires(self) -> None:
        for wire in (LineWire(), FrameWire(KIND, MSGPACK), WebSocketWire("ws://localhost/ws/chat", JSON)):
            verifyObject(IWire, wire)

    @settings(deadline=None, max_examples=60)
    @given(messages, cuts)
    def test_messages_come_out_the_same_however_they_are_cut(self, sent: list[dict[str, Any]], cuts: list[int]) -> None:
        self.assertEqual(read(LineWire(), pieces(b"".join(map(LINES.encode, sent)), cuts)), sent)
        framed = b"".join(map(frames_wire(KIND, MSGPACK).encode, sent))
        self.assertEqual(read(FrameWire(KIND, MSGPACK), pieces(framed, cuts)), sent)
        for codec in (JSON, MSGPACK):
            wire = WebSocketWire("ws://localhost/ws/chat", codec)
            peer = Peer(wire.opening())
            for message in sent:
                (peer.protocol.send_text if codec is JSON else peer.protocol.send_binary)(codec.encode(message))
            self.assertEqual(read(wire, pieces(peer.said(), cuts)), sent)

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.binary(max_size=60), max_size=8))
    def test_any_bytes_are_messages_or_a_wire_error(self, chunks: list[bytes]) -> None:
        for wire in (LineWire(), FrameWire(KIND, MSGPACK), WebSocketWire("ws://localhost/", JSON), opened()[0]):
            try:
                found = read(wire, chunks)
            except WireError:
                continue
            self.assertTrue(all(isinstance(message["type"], str) for message in found))

    def test_what_is_no_message_is_refused(self) -> None:
        for payload in (b"[]", b'{"no": "type"}', b'{"type": 1}', b"{", b'{"type": "\xff"}', b'{"a":' * 5000):
            with self.subTest(payload=payload[:20]):
                self.assertRaises(WireError, read, LineWire(), [payload + b"\n"])

    def test_what_is_too_large_is_refused_before_it_is_whole(self) -> None:
        self.assertRaises(WireError, read, LineWire(), [b"x" * (MAX_MESSAGE + 1)])
        self.assertRaises(WireError, read, FrameWire(KIND, MSGPACK), [frame(KIND, b"x" * (MAX_MESSAGE + 1))[:100]])
        wire, _ = opened()
        self.assertRaises(WireError, read, wire, [Frame(TEXT, b"x" * (MAX_MESSAGE + 1)).serialize(mask=False)[:20]])


class FrameWireTests(SynchronousTestCase):
    """The binary port."""

    def test_it_turns_to_the_feature(self) -> None:
        self.assertEqual(FrameWire(KIND, MSGPACK).opening(), frame(KIND, b""))

    def test_what_it_says_is_in_frames_of_the_feature(self) -> None:
        said = FrameWire(KIND, MSGPACK).encode({"type": "ping"})
        self.assertEqual(said, frame(KIND, msgspec.msgpack.encode({"type": "ping"})))

    def test_an_error_that_belongs_to_no_feature_is_read_in_either_codec(self) -> None:
        error = {"type": "error", "code": "server_full"}
        for codec in (JSON, MSGPACK):
            self.assertEqual(read(FrameWire(KIND, MSGPACK), [frame(0, codec.encode(error))]), [error])


class WebSocketWireTests(SynchronousTestCase):
    """WebSocket."""

    def test_the_handshake_asks_for_the_path_and_the_codec(self) -> None:
        for codec in (JSON, MSGPACK):
            wire, peer = opened(codec)
            self.assertTrue(wire.open)
            self.assertEqual(peer.request.path, "/ws/chat")
            self.assertEqual(peer.request.headers["Host"], "example.org:8080")
            self.assertEqual(peer.protocol.subprotocol, f"netplay.{codec.name}")

    def test_json_is_text_and_messagepack_is_binary(self) -> None:
        for codec, opcode in ((JSON, 1), (MSGPACK, 2)):
            wire, peer = opened(codec)
            (frame,) = peer.heard(wire.encode({"type": "ping"}))
            self.assertEqual((frame.opcode, frame.data), (opcode, codec.encode({"type": "ping"})))

    def test_a_handshake_that_is_refused(self) -> None:
        wire = WebSocketWire("ws://localhost/ws/chat", JSON)
        wire.opening()
        wire.feed(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        with self.assertRaisesRegex(WireError, "404"):
            wire.next()
        self.assertFalse(wire.open)

    def test_messages_in_fragments_with_a_ping_between_them(self) -> None:
        wire, peer = opened()
        wire.feed(Frame(TEXT, b'{"type":', fin=False).serialize(mask=False))
        wire.feed(Frame(PING, b"there?").serialize(mask=False))
        self.assertIs(wire.next(), None)
        wire.feed(Frame(CONT, b'"pong"}').serialize(mask=False))
        self.assertEqual(wire.next(), {"type": "pong"})
        (pong,) = peer.heard(wire.answers())
        self.assertEqual(pong.data, b"there?")

    def test_a_close_frame_is_answered_and_its_code_known(self) -> None:
        wire, _ = opened()
        self.assertIs(wire.close_code, None)
        wire.feed(Frame(CLOSE, b"\x0f\xa1slow").serialize(mask=False))
        self.assertIs(wire.next(), None)
        self.assertEqual((wire.close_code, wire.open), (4001, False))
        self.assertNotEqual(wire.answers(), b"")

    def test_goodbye_is_a_close_frame_once(self) -> None:
        wire, peer = opened()
        (close,) = peer.heard(wire.closing())
        self.assertEqual((close.opcode, close.data), (CLOSE, b"\x03\xe8"))
        self.assertEqual(wire.closing(), b"")
        self.assertEqual(WebSocketWire("ws://localhost/", JSON).closing(), b"")
