"""Tests of L{netplay.web.websocket}."""

from __future__ import annotations

import tracemalloc
import zlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.web.websocket import MOST_FRAGMENTS, PIECE, Closing, Handshake, Message, Messages
from tests.features import BINARY, CLOSE, PING, PONG, TEXT, House, Peer, masked, unframed, upgrade_request
from tests.wire.test_lines import cuts, pieces

CONT = 0x0
MORE = 0x00  # as the first bits of a frame: not the last one of its message
COMPRESSED = 0xC0

ASKED = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def ask(
    *further: tuple[str, str],
    method: str = "GET",
    version: str = "HTTP/1.1",
    offered: tuple[str, ...] = (),
    **changed: Any,
) -> Handshake:
    """A handshake with these headers; one that is C{None} is left out."""
    headers = ASKED | {name.replace("_", "-"): value for name, value in changed.items()}
    named = [(name, value) for name, value in headers.items() if value is not None]
    return Handshake(method, "/ws", version, [*named, *further], offered, 1000)


class HandshakeTests(SynchronousTestCase):
    """Requests for a WebSocket, and the answer to them."""

    def assertRefused(self, handshake: Handshake, status: int, **headers: str) -> None:
        self.assertFalse(handshake.accepted)
        self.assertEqual(handshake.response.status_code, status)
        for name, value in headers.items():
            self.assertEqual(handshake.response.headers.get_all(name.replace("_", "-")), [value])

    def test_the_answer_proves_that_the_key_was_read(self) -> None:
        handshake = ask()
        self.assertTrue(handshake.accepted)
        self.assertEqual(handshake.response.headers["Sec-WebSocket-Accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        self.assertTrue(handshake.response.serialize().startswith(b"HTTP/1.1 101 Switching Protocols\r\n"))

    def test_upgrade_may_stand_among_others_and_in_any_case(self) -> None:
        self.assertTrue(ask(Connection="keep-alive, upgrade", Upgrade="WebSocket").accepted)

    def test_a_key_is_16_bytes_in_base64_and_there_is_one(self) -> None:
        for key in (None, "", "short", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZTE=", "!" * 24, "é" * 24):
            self.assertRefused(ask(Sec_WebSocket_Key=key), 400)
        self.assertRefused(ask(("Sec-WebSocket-Key", ASKED["Sec-WebSocket-Key"])), 400)

    def test_another_version_is_told_ours(self) -> None:
        for version in ("0", "8", "12", "14", "013", "13.0", "13, 8", "", "x"):
            self.assertRefused(ask(Sec_WebSocket_Version=version), 426, Sec_WebSocket_Version="13", Upgrade="websocket")
        self.assertRefused(ask(("Sec-WebSocket-Version", "8")), 426, Sec_WebSocket_Version="13")

    def test_so_is_who_names_none(self) -> None:
        self.assertRefused(ask(Sec_WebSocket_Version=None), 400, Sec_WebSocket_Version="13")

    def test_a_request_that_asks_for_no_websocket(self) -> None:
        for changed in ({"Upgrade": None}, {"Connection": None}, {"Connection": "close"}, {"Upgrade": "h2c"}):
            self.assertRefused(ask(**changed), 426, Upgrade="websocket", Sec_WebSocket_Version="13")

    def test_only_get_opens_one(self) -> None:
        for method in ("POST", "HEAD", "OPTIONS", "get"):
            self.assertRefused(ask(method=method), 405, Allow="GET")

    def test_in_http_1_1(self) -> None:
        for version in ("HTTP/1.0", "HTTP/2"):
            self.assertRefused(ask(version=version), 505)

    def test_the_first_subprotocol_that_we_know(self) -> None:
        for wanted, chosen in (("b", "b"), ("b, a", "b"), ("soap, a", "a"), ("a,b", "a")):
            handshake = ask(offered=("a", "b"), Sec_WebSocket_Protocol=wanted)
            self.assertEqual(handshake.subprotocol, chosen)
            self.assertEqual(handshake.response.headers["Sec-WebSocket-Protocol"], chosen)

    def test_none_if_none_is_wanted_or_there_are_none(self) -> None:
        for handshake in (ask(offered=("a", "b")), ask(Sec_WebSocket_Protocol="soap")):
            self.assertTrue(handshake.accepted)
            self.assertIsNone(handshake.subprotocol)
            self.assertNotIn("Sec-WebSocket-Protocol", handshake.response.headers)

    def test_those_that_we_do_not_know_are_told_what_there_is(self) -> None:
        handshake = ask(offered=("a", "b"), Sec_WebSocket_Protocol="soap, rest")
        self.assertRefused(handshake, 400)
        self.assertIn(b"a, b", bytes(handshake.response.body))

    def test_our_window_is_4_kib_or_what_the_client_can_hold(self) -> None:
        bits = "server_max_window_bits"
        for offer, window_bits in (
            ("permessage-deflate", 12),
            ("permessage-deflate; client_max_window_bits", 12),
            ("permessage-deflate; client_max_window_bits=10", 12),
            (f"permessage-deflate; {bits}=15", 12),
            (f"permessage-deflate; {bits}=12", 12),
            (f"permessage-deflate; {bits}=9", 9),
            (f"permessage-deflate; {bits}=8", None),  # which zlib cannot do
            (f"permessage-deflate; {bits}=8, permessage-deflate", 12),
            (f"permessage-deflate; {bits}=7, permessage-deflate; {bits}=10", 10),
            ("permessage-deflate; unheard_of, permessage-deflate; server_no_context_takeover", 12),
            ("x-webkit-deflate-frame", None),
        ):
            handshake = ask(Sec_WebSocket_Extensions=offer)
            self.assertTrue(handshake.accepted, offer)
            self.assertEqual(handshake.window_bits, window_bits, offer)
            said = handshake.response.headers.get("Sec-WebSocket-Extensions", "")
            self.assertEqual(f"{bits}={window_bits}" in said, window_bits is not None, offer)

    def test_neither_side_keeps_a_window_between_messages(self) -> None:
        said = ask(Sec_WebSocket_Extensions="permessage-deflate").response.headers["Sec-WebSocket-Extensions"]
        self.assertIn("server_no_context_takeover", said)
        self.assertIn("client_no_context_takeover", said)

    def test_without_compression_if_none_is_wanted(self) -> None:
        self.assertIsNone(ask().window_bits)
        self.assertNotIn("Sec-WebSocket-Extensions", ask().response.headers)

    def test_a_header_with_a_control_character_is_named(self) -> None:
        for character in "\x01\x1b\x7f":
            handshake = ask(("X-Color", f"{character}[31m"))
            self.assertRefused(handshake, 400)
            self.assertIn(b"X-Color", bytes(handshake.response.body))

    @settings(deadline=None, max_examples=200)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from([*ASKED, "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"]),
                st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=30)
                | st.text('permessage-deflate;=,"\\ 0123', max_size=30),
            ),
            max_size=3,
        )
    )
    def test_whatever_the_headers_say_there_is_an_answer(self, headers: list[tuple[str, str]]) -> None:
        handshake = ask(*headers, offered=("a",))
        self.assertIn(handshake.response.status_code, (101, 400, 426))
        head, _, _ = handshake.response.serialize().partition(b"\r\n\r\n")
        self.assertTrue(head.decode("latin-1").replace("\r\n", "").isprintable())


class Reader:
    """
    Someone who hands over bytes, and takes out messages.

    @ivar pongs: what answered pings.
    """

    def __init__(self, max_message: int = 1000, deflate: bool = False) -> None:
        handshake = Handshake("GET", "/ws", "HTTP/1.1", ASKED.items(), (), max_message)
        if deflate:
            headers = [*ASKED.items(), ("Sec-WebSocket-Extensions", "permessage-deflate")]
            handshake = Handshake("GET", "/ws", "HTTP/1.1", headers, (), max_message)
        assert handshake.accepted
        self.pongs = bytearray()
        self.messages = Messages(handshake, self.pongs.extend)

    def read(self, *chunks: bytes) -> list[Message | Closing]:
        """All that these chunks say."""
        found = []
        for chunk in chunks:
            self.messages.feed(chunk)
            while (one := self.messages.next()) is not None:
                found.append(one)
        return found

    @property
    def held(self) -> int:
        """Bytes that wait for more."""
        messages = self.messages
        return len(messages._buffer) + len(messages._begun) + len(messages._protocol.reader.buffer)


def in_frames(message: tuple[bool, str, int, bytes | None]) -> bytes:
    """A message in fragments of some bytes, with a ping after each but the last."""
    text, content, size, ping = message
    payload = content.encode()
    pieces = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
    frames = []
    for at, piece in enumerate(pieces):
        opcode = CONT if at else TEXT if text else BINARY
        last = at == len(pieces) - 1
        frames.append(masked(opcode, piece, first=0x80 if last else MORE))
        if ping is not None and not last:
            frames.append(masked(PING, ping))
    return b"".join(frames)


messages = st.lists(
    st.tuples(st.booleans(), st.text(max_size=40), st.integers(1, 20), st.none() | st.binary(max_size=10)), max_size=6
)


class MessagesTests(SynchronousTestCase):
    """Messages in bytes."""

    def assertTooLarge(self, reader: Reader, data: bytes) -> None:
        refused = self.assertRaises(Refused, reader.read, data)
        self.assertEqual(refused.code, "too_large")
        self.assertEqual((reader.held, reader.messages.next()), (0, None))

    @settings(deadline=None, max_examples=200)
    @given(messages, cuts)
    def test_they_come_out_the_same_however_they_are_cut(
        self, sent: list[tuple[bool, str, int, bytes | None]], cuts: list[int]
    ) -> None:
        reader = Reader()
        data = b"".join(map(in_frames, sent))
        found = reader.read(*pieces(data, cuts))
        self.assertEqual(found, [Message(text, content.encode()) for text, content, _, _ in sent])
        self.assertFalse(reader.messages.unfinished)
        pongs = [
            (PONG, ping)
            for _, content, size, ping in sent
            if ping is not None
            for _ in range((len(content.encode()) - 1) // size)
        ]
        self.assertEqual(unframed(bytes(reader.pongs)), pongs)

    def test_what_is_begun_is_unfinished(self) -> None:
        reader = Reader()
        self.assertFalse(reader.messages.unfinished)
        for data, unfinished in (
            (b"\x81", True),
            (masked(TEXT, b"one")[1:], False),
            (masked(TEXT, b"", first=MORE), True),
            (masked(PING, b""), True),
            (masked(CONT, b"")[:-1], True),
            (masked(CONT, b"")[-1:], False),
        ):
            reader.read(data)
            self.assertEqual(reader.messages.unfinished, unfinished)

    def test_no_more_is_parsed_than_is_asked_for(self) -> None:
        reader = Reader()
        reader.messages.feed(masked(TEXT, b"first") + masked(TEXT, b"x" * 500) * 20 + masked(PING, b""))
        self.assertEqual(reader.messages.next(), Message(True, b"first"))
        self.assertGreater(len(reader.messages._buffer), 20 * 500 - PIECE)
        self.assertEqual(reader.pongs, b"")
        reader.read(b"")
        self.assertEqual(unframed(bytes(reader.pongs)), [(PONG, b"")])

    def test_text_that_is_none_is_refused_before_its_message_is_whole(self) -> None:
        for first, second in ((b"\xe1\xbd", b"x"), (b"ok", b"\xff"), (b"", b"\xed\xa0\x80"), (b"\xf4", b"\x90")):
            reader = Reader()
            self.assertEqual(reader.read(masked(TEXT, first, first=MORE)), [])
            self.assertEqual(reader.read(masked(CONT, second, first=MORE)), [Closing(1007, "text is UTF-8")])
            self.assertEqual((reader.read(masked(TEXT, b"more")), reader.held), ([], 0))

    def test_the_peer_closes(self) -> None:
        for payload, closing in (
            (b"", Closing(None, "")),
            (b"\x03\xe8", Closing(1000, "")),
            (b"\x0f\xa0because", Closing(4000, "")),
        ):
            self.assertEqual(Reader().read(masked(CLOSE, payload)), [closing])

    def test_a_mistake_of_the_peers_has_a_reason(self) -> None:
        [closing] = Reader().read(masked(3, b""))
        assert isinstance(closing, Closing)
        self.assertEqual(closing.code, 1002)
        self.assertTrue(closing.reason)

    def test_pings_before_the_end_are_answered_and_the_close_frame_is_left_to_others(self) -> None:
        for end in (masked(CLOSE, b"\x03\xe8"), masked(3, b"")):
            reader = Reader()
            reader.read(masked(PING, b"last") + end + masked(PING, b"late"))
            self.assertEqual(unframed(bytes(reader.pongs)), [(PONG, b"last")])

    def test_at_the_end_of_the_input_what_has_no_end_is_forgotten(self) -> None:
        reader = Reader()
        reader.read(masked(TEXT, b"begun", first=MORE) + b"\x81")
        self.assertTrue(reader.messages.unfinished)
        reader.messages.finish()
        self.assertFalse(reader.messages.unfinished)
        self.assertIsNone(reader.messages.next())

    def test_a_header_is_enough_to_be_too_large(self) -> None:
        for length in (2000, 2**32, 2**63 - 1):
            self.assertTooLarge(Reader(), b"\x82\xff" + length.to_bytes(8))

    def test_so_is_the_header_of_a_fragment(self) -> None:
        reader = Reader()
        reader.read(masked(TEXT, b"x" * 900, first=MORE))
        self.assertTooLarge(reader, b"\x80\xfe" + (800).to_bytes(2))

    def test_the_limit_is_exact(self) -> None:
        for begun in (b"", b"x", b"x" * 1000):
            reader = Reader()
            reader.read(masked(TEXT, begun, first=MORE))
            self.assertEqual(reader.read(masked(CONT, b"x" * (1000 - len(begun)))), [Message(True, b"x" * 1000)])
            reader.read(masked(TEXT, begun, first=MORE))
            self.assertTooLarge(reader, masked(CONT, b"x" * (1001 - len(begun)), first=MORE))
        self.assertEqual(Reader().read(masked(TEXT, b"x" * 1000)), [Message(True, b"x" * 1000)])
        self.assertTooLarge(Reader(), masked(TEXT, b"x" * 1001))

    def test_fragments_are_counted_and_cost_nothing(self) -> None:
        reader = Reader()
        reader.read(masked(TEXT, b"", first=MORE) + masked(CONT, b"", first=MORE) * (MOST_FRAGMENTS - 1))
        self.assertEqual(reader.held, 0)
        self.assertEqual(
            reader.read(masked(CONT, b"", first=MORE)), [Closing(1008, f"more than {MOST_FRAGMENTS} fragments")]
        )

    def test_there_may_be_more_where_messages_may_be_larger(self) -> None:
        reader = Reader(max_message=64 * 2000)
        begun, more = masked(TEXT, b"x" * 64, first=MORE), masked(CONT, b"x" * 64, first=MORE)
        whole = begun + more * 1998 + masked(CONT, b"x" * 64)
        self.assertEqual(reader.read(whole), [Message(True, b"x" * 64 * 2000)])
        [closing] = reader.read(masked(TEXT, b"", first=MORE) + masked(CONT, b"", first=MORE) * 2000)
        self.assertEqual(closing, Closing(1008, "more than 2000 fragments"))

    def test_a_decompression_bomb_is_not_unpacked(self) -> None:
        compressor = zlib.compressobj(9, wbits=-15)
        bomb = compressor.compress(bytes(50_000_000)) + compressor.flush(zlib.Z_SYNC_FLUSH)
        self.assertLess(len(bomb), 65536)
        for frames in (
            masked(BINARY, bomb[:-4], first=COMPRESSED),
            masked(BINARY, b"", first=0x40) + masked(CONT, bomb, first=MORE) + masked(CONT, b""),
        ):
            reader = Reader(max_message=65536, deflate=True)
            tracemalloc.start()
            try:
                self.assertTooLarge(reader, frames)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            self.assertLess(peak, 1_000_000)


anything = st.one_of(
    st.binary(max_size=60),
    st.builds(
        masked,
        st.integers(0, 15),
        st.binary(max_size=150) | st.text(max_size=40).map(str.encode),
        st.sampled_from((MORE, 0x80, 0x80, 0x80, 0x40, COMPRESSED, 0x90)),
    ),
    st.integers(0, 255).map(lambda first: bytes((first, 0xFF)) + (2**32).to_bytes(8)),
)


noise = st.sampled_from((b"\xff", b"\x01", b"\r\n", b": ", b",", b";", b'"', b"%", b"\0")) | st.binary(max_size=4)


class FuzzTests(SynchronousTestCase):
    """Anything at all, on a whole connection."""

    @settings(deadline=None, max_examples=300)
    @given(st.lists(st.tuples(st.integers(0, 220), noise), max_size=4))
    def test_a_request_that_was_garbled_on_its_way_is_answered(self, changes: list[tuple[int, bytes]]) -> None:
        request = upgrade_request("/ws/echo", "netplay.json", Origin="http://localhost:8080")
        for at, wrong in changes:
            request = request[:at] + wrong + request[at + len(wrong) :]
        house = House()
        peer = Peer(house, house.web.factory)
        peer.write(request)
        self.assertRegex(peer.read() or b"HTTP/1.1 408", rb"^HTTP/1.1 (101|4\d\d|505) ?")
        self.assertEqual(self.flushLoggedErrors(), [])

    @settings(deadline=None, max_examples=300)
    @given(
        st.sampled_from(("/ws/echo", "/ws/chat", "/ws")),
        st.booleans(),
        st.lists(anything, max_size=12),
        cuts,
    )
    def test_it_goes_on_or_ends_with_a_close_frame(
        self, path: str, deflate: bool, sent: list[bytes], cuts: list[int]
    ) -> None:
        house = House(max_message=2000)
        peer = Peer(house, house.web.factory)
        headers = {"Sec_WebSocket_Extensions": "permessage-deflate"} if deflate else {}
        peer.write(upgrade_request(path, **headers))
        peer.read()
        for chunk in pieces(b"".join(sent), cuts):
            peer.write(chunk)
            framing = peer.protocol.framing
            assert isinstance(framing, Messages)
            held = len(framing._buffer) + len(framing._begun) + len(framing._protocol.reader.buffer)
            self.assertLess(held, 2000 + 125 + 14)
        frames = unframed(peer.read())
        self.assertEqual(peer.closed, bool(frames) and frames[-1][0] == CLOSE)
        self.assertNotIn(CLOSE, [opcode for opcode, _ in frames[:-1]])
        for opcode, payload in frames:
            self.assertIn(opcode, (TEXT, BINARY, PONG, CLOSE))
            if opcode == CLOSE and payload:
                self.assertNotEqual(int.from_bytes(payload[:2]), 1011)
        self.assertEqual(self.flushLoggedErrors(), [])
