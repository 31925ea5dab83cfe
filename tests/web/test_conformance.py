"""
WebSocket as strict as RFC 6455 asks for, on C{/ws/echo}: the sections of the Autobahn test suite.

What is sent comes in one piece, frame by frame, and octet by octet; the answer has to be the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from twisted.trial.unittest import SynchronousTestCase
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame
from websockets.http11 import Response
from websockets.uri import parse_uri

from tests.features import BINARY, CLOSE, PING, PONG, TEXT, House, Peer, masked, unframed, upgrade_request

CONT = 0x0
MORE = 0x00  # as the first bits of a frame: not the last one of its message
MOST = 65536

Frames = list[tuple[int, bytes]]

NORMAL = (CLOSE, (1000).to_bytes(2))
PROTOCOL_ERROR, INVALID_DATA, TOO_BIG, POLICY = 1002, 1007, 1009, 1008


def fragments(opcode: int, payload: bytes, size: int) -> list[bytes]:
    """A message in frames of this size; the last one may be shorter."""
    pieces = [payload[at : at + size] for at in range(0, len(payload), size)]
    opcodes = [opcode, *[CONT] * (len(pieces) - 1)]
    return [
        masked(opcode, piece, first=0x80 if at == len(pieces) - 1 else MORE)
        for at, (opcode, piece) in enumerate(zip(opcodes, pieces, strict=True))
    ]


def chopped(data: bytes, size: int) -> Iterable[bytes]:
    """As a network may deliver it."""
    rest = iter(data)
    while piece := bytes(islice(rest, size)):
        yield piece


class ConformanceTestCase(SynchronousTestCase):
    """Someone who says frames, and hears frames."""

    def setUp(self) -> None:
        self.house = House()

    def opened(self) -> Peer:
        """A WebSocket."""
        peer = Peer(self.house, self.house.web.factory)
        peer.write(upgrade_request("/ws/echo"))
        self.assertTrue(peer.read().startswith(b"HTTP/1.1 101 "))
        return peer

    def exchange(self, *frames: bytes) -> tuple[Frames, Frames]:
        """
        What comes of these frames, however they are delivered.

        @return: the messages, and all else: a pong need not wait for its turn among the messages.
        """
        whole = b"".join(frames)
        deliveries: Sequence[Iterable[bytes]] = ([whole], frames, chopped(whole, 1 if len(whole) < 2000 else 997))
        answers = []
        for delivery in deliveries:
            peer = self.opened()
            for data in delivery:
                peer.write(data)
            answers.append(unframed(peer.read()))
            closing = [payload for opcode, payload in answers[-1] if opcode == CLOSE]
            self.assertEqual(peer.closed, bool(closing), "it is closed after a close frame and only then")
            self.assertTrue(not closing or answers[-1][-1][0] == CLOSE, "something came after the close frame")
            peer.drop()
        messages, *others = [[frame for frame in answer if frame[0] in (TEXT, BINARY)] for answer in answers]
        self.assertTrue(all(other == messages for other in others), "it depends on how frames are delivered")
        control, *others = [[frame for frame in answer if frame[0] not in (TEXT, BINARY)] for answer in answers]
        self.assertTrue(all(other == control for other in others), "it depends on how frames are delivered")
        return messages, control

    def assertEchoed(self, expected: Frames, *frames: bytes) -> None:
        """It comes back, and nothing else comes."""
        self.assertEqual(self.exchange(*frames, masked(CLOSE, NORMAL[1])), (expected, [NORMAL]))

    def assertFails(self, code: int, *frames: bytes, before: Sequence[tuple[int, bytes]] = ()) -> None:
        """The connection is closed with this code, after this."""
        messages, [(opcode, payload)] = self.exchange(*frames)
        self.assertEqual(messages, list(before))
        self.assertEqual((opcode, int.from_bytes(payload[:2])), (CLOSE, code))
        self.assertTrue(payload[2:].decode(), "it is said what was wrong")
        self.assertFalse(self.flushLoggedErrors())


class FramingTests(ConformanceTestCase):
    """Section 1: messages of every length."""

    def test_text(self) -> None:
        for length in (0, 1, 125, 126, 127, 128, 65535, MOST):
            self.assertEchoed([(TEXT, b"*" * length)], masked(TEXT, b"*" * length))

    def test_binary(self) -> None:
        for length in (0, 1, 125, 126, 127, 128, 65535, MOST):
            self.assertEchoed([(BINARY, b"\xfe" * length)], masked(BINARY, b"\xfe" * length))

    def test_many_at_once(self) -> None:
        sent = [(TEXT if n % 2 else BINARY, str(n).encode()) for n in range(300)]
        self.assertEchoed(sent, *(masked(*one) for one in sent))

    def test_clients_have_to_mask(self) -> None:
        self.assertFails(PROTOCOL_ERROR, b"\x81\x05hello")


class PingTests(ConformanceTestCase):
    """Section 2."""

    def test_a_pong_has_the_payload_of_its_ping(self) -> None:
        for payload in (b"", b"Hello", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125):
            self.assertEqual(self.exchange(masked(PING, payload)), ([], [(PONG, payload)]))

    def test_it_has_at_most_125_bytes(self) -> None:
        self.assertFails(PROTOCOL_ERROR, masked(PING, b"\xfe" * 126))

    def test_a_pong_that_was_not_asked_for_is_no_matter(self) -> None:
        self.assertEchoed([], masked(PONG, b"unasked"))
        self.assertEqual(self.exchange(masked(PONG, b""), masked(PING, b"x")), ([], [(PONG, b"x")]))

    def test_ten_pings_ten_pongs(self) -> None:
        pings = [f"payload-{n}".encode() for n in range(10)]
        self.assertEqual(self.exchange(*(masked(PING, ping) for ping in pings)), ([], [(PONG, ping) for ping in pings]))


class ReservedBitTests(ConformanceTestCase):
    """Section 3: without an extension there is no meaning to them."""

    def test_each_of_them(self) -> None:
        for bits in range(1, 8):
            for opcode in (TEXT, BINARY, PING, CLOSE):
                self.assertFails(
                    PROTOCOL_ERROR,
                    masked(TEXT, b"before"),
                    masked(opcode, b"", first=0x80 | bits << 4),
                    masked(TEXT, b"after"),
                    masked(PING, b""),
                    before=[(TEXT, b"before")],
                )


class OpcodeTests(ConformanceTestCase):
    """Section 4: those that mean nothing."""

    def test_each_of_them(self) -> None:
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
            for payload in (b"", b"reserved"):
                self.assertFails(
                    PROTOCOL_ERROR,
                    masked(TEXT, b"before"),
                    masked(opcode, payload),
                    masked(PING, b""),
                    before=[(TEXT, b"before")],
                )


class FragmentationTests(ConformanceTestCase):
    """Section 5."""

    def test_control_frames_cannot_be_fragments(self) -> None:
        for opcode in (PING, PONG, CLOSE):
            self.assertFails(PROTOCOL_ERROR, masked(opcode, b"", first=MORE), masked(CONT, b""))

    def test_in_two_and_more(self) -> None:
        for opcode in (TEXT, BINARY):
            for size in (1, 2, 6, 11):
                self.assertEchoed([(opcode, b"hello world!")], *fragments(opcode, b"hello world!", size))

    def test_empty_ones(self) -> None:
        begun, last = masked(TEXT, b"", first=MORE), masked(CONT, b"")
        for payload in (b"", b"between"):
            self.assertEchoed([(TEXT, payload)], begun, masked(CONT, payload, first=MORE), last)

    def test_a_ping_between_is_answered_at_once(self) -> None:
        peer = self.opened()
        peer.write(masked(TEXT, b"frag", first=MORE) + masked(PING, b"now"))
        self.assertEqual(unframed(peer.read()), [(PONG, b"now")])
        peer.write(masked(CONT, b"ments"))
        self.assertEqual(unframed(peer.read()), [(TEXT, b"fragments")])

    def test_nothing_to_continue(self) -> None:
        for first in (MORE, 0x80):
            self.assertFails(PROTOCOL_ERROR, masked(CONT, b"fragment", first=first), masked(TEXT, b"after"))
            self.assertFails(
                PROTOCOL_ERROR,
                *fragments(TEXT, b"before", 3),
                masked(CONT, b"fragment", first=first),
                before=[(TEXT, b"before")],
            )

    def test_a_message_has_to_end_before_the_next(self) -> None:
        for opcode in (TEXT, BINARY):
            for first in (MORE, 0x80):
                self.assertFails(PROTOCOL_ERROR, masked(TEXT, b"begun", first=MORE), masked(opcode, b"x", first=first))

    def test_a_message_that_is_not_whole_ends_badly_with_the_connection(self) -> None:
        self.assertFails(PROTOCOL_ERROR, masked(TEXT, b"begun", first=MORE), masked(CLOSE, NORMAL[1]))


class Utf8Tests(ConformanceTestCase):
    """Section 6."""

    valid = (
        "Hello-µ@ßöäüàá-UTF-8!!".encode(),
        "κόσμε".encode(),
        b"\x00",
        b"\xc2\x80",
        b"\xe0\xa0\x80",
        b"\xf0\x90\x80\x80",
        b"\x7f",
        b"\xdf\xbf",
        b"\xef\xbf\xbf",
        b"\xf4\x8f\xbf\xbf",
        b"\xed\x9f\xbf",
        b"\xee\x80\x80",
        b"\xef\xbf\xbd",
        b"\xef\xbf\xbe",
        b"\xf0\x9f\xbf\xbf",
    )
    invalid = (
        "κόσμε".encode() + b"\xed\xa0\x80edited",
        b"\xce\xba\xe1",
        b"\xf8\x88\x80\x80\x80",
        b"\xfc\x84\x80\x80\x80\x80",
        b"\xf7\xbf\xbf\xbf",
        b"\xfb\xbf\xbf\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\x80",
        b"\xbf",
        b"\x80\xbf\x80",
        b"\xc0 \xc1 \xc2 ",
        b"\xe0 \xef ",
        b"\xf0 ",
        b"\xfe",
        b"\xff\xff",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xc1\xbf",
        b"\xe0\x9f\xbf",
        b"\xf0\x8f\xbf\xbf",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xed\xa0\x80\xed\xb0\x80",
    )

    def test_valid_text(self) -> None:
        for text in self.valid:
            self.assertEchoed([(TEXT, text)], masked(TEXT, text))

    def test_in_fragments_that_cut_characters(self) -> None:
        for text in self.valid:
            self.assertEchoed([(TEXT, text)], *fragments(TEXT, text, 1))

    def test_invalid_text(self) -> None:
        for text in self.invalid:
            self.assertFails(INVALID_DATA, masked(TEXT, text))

    def test_in_fragments(self) -> None:
        for text in self.invalid:
            self.assertFails(INVALID_DATA, *fragments(TEXT, text, 1))

    def test_it_is_refused_as_soon_as_it_cannot_become_valid_any_more(self) -> None:
        for first, second in (("κόσμε".encode(), b"\xf4\x90"), ("κόσμε".encode() + b"\xf4", b"\x90"), (b"", b"\xff")):
            peer = self.opened()
            peer.write(masked(TEXT, first, first=MORE))
            self.assertEqual(peer.read(), b"")
            peer.write(masked(CONT, second, first=MORE))
            [(opcode, payload)] = unframed(peer.read())
            self.assertEqual((opcode, int.from_bytes(payload[:2])), (CLOSE, INVALID_DATA))

    def test_binary_messages_may_be_anything(self) -> None:
        for payload in self.invalid:
            self.assertEchoed([(BINARY, payload)] * 2, masked(BINARY, payload), *fragments(BINARY, payload, 1))

    def test_a_text_after_half_a_character_is_another_text(self) -> None:
        self.assertEchoed([(BINARY, b"\xce"), (TEXT, b"x")], *fragments(BINARY, b"\xce", 1), *fragments(TEXT, b"x", 1))


class CloseTests(ConformanceTestCase):
    """Section 7."""

    def test_the_code_comes_back(self) -> None:
        for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
            answer = (CLOSE, code.to_bytes(2))
            for reason in (b"", b"bye", "🚀".encode(), b"x" * 123):
                self.assertEqual(self.exchange(masked(CLOSE, answer[1] + reason)), ([], [answer]))

    def test_without_a_code(self) -> None:
        self.assertEqual(self.exchange(masked(CLOSE, b"")), ([], [(CLOSE, b"")]))

    def test_codes_that_cannot_be_sent(self) -> None:
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
            self.assertFails(PROTOCOL_ERROR, masked(CLOSE, code.to_bytes(2)))

    def test_half_a_code(self) -> None:
        self.assertFails(PROTOCOL_ERROR, masked(CLOSE, b"\x03"))

    def test_too_long_a_reason(self) -> None:
        self.assertFails(PROTOCOL_ERROR, masked(CLOSE, NORMAL[1] + b"x" * 124))

    def test_a_reason_that_is_no_text(self) -> None:
        self.assertFails(INVALID_DATA, masked(CLOSE, NORMAL[1] + b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80"))

    def test_what_was_said_before_is_answered(self) -> None:
        self.assertEchoed([(TEXT, b"x" * 50_000), (TEXT, b"bye")], masked(TEXT, b"x" * 50_000), masked(TEXT, b"bye"))

    def test_what_comes_after_it_is_not(self) -> None:
        for late in (masked(TEXT, b"late"), masked(PING, b""), masked(CLOSE, NORMAL[1]), b"\xff\xff\xff"):
            self.assertEqual(self.exchange(masked(CLOSE, NORMAL[1]), late), ([], [NORMAL]))


class LimitTests(ConformanceTestCase):
    """Section 9, as far as messages are allowed to go here; and 10, what clients cut by themselves."""

    def test_a_large_message_in_fragments_of_all_sizes(self) -> None:
        for opcode in (TEXT, BINARY):
            for size in (64, 256, 1024, 1300, 4096, 65535):
                self.assertEchoed([(opcode, b"*" * MOST)], *fragments(opcode, b"*" * MOST, size))

    def test_a_ping_fits_into_a_message_that_is_as_large_as_it_may_be(self) -> None:
        begun, *rest = fragments(TEXT, b"*" * MOST, MOST - 1)
        self.assertEqual(
            self.exchange(begun, masked(PING, b"x" * 125), *rest),
            ([(TEXT, b"*" * MOST)], [(PONG, b"x" * 125)]),
        )

    def test_a_byte_more_is_too_much(self) -> None:
        for opcode in (TEXT, BINARY):
            self.assertFails(TOO_BIG, masked(opcode, b"*" * (MOST + 1)))
            for size in (100, 40_000, MOST):
                self.assertFails(TOO_BIG, *fragments(opcode, b"*" * (MOST + 1), size))

    def test_a_header_that_says_so_is_enough(self) -> None:
        for length in (MOST + 1000, 2**32, 2**63 - 1, 2**64 - 1):
            self.assertFails(TOO_BIG, b"\x82\xff" + length.to_bytes(8))

    def test_fragments_are_counted(self) -> None:
        begun = [masked(TEXT, b"", first=MORE), *[masked(CONT, b"", first=MORE)] * 1022]
        self.assertEchoed([(TEXT, b"end")], *begun, masked(CONT, b"end"))
        self.assertFails(POLICY, *begun, *[masked(CONT, b"", first=MORE)] * 2)

    def test_of_each_message_for_itself(self) -> None:
        whole = [masked(TEXT, b"", first=MORE), *[masked(CONT, b"", first=MORE)] * 600, masked(CONT, b"end")]
        self.assertEchoed([(TEXT, b"end")] * 3, *whole * 3)

    def test_control_frames_are_no_fragments(self) -> None:
        pings = [masked(PING, b"")] * 1100
        messages, control = self.exchange(masked(TEXT, b"be", first=MORE), *pings, masked(CONT, b"gun"))
        self.assertEqual((messages, control), ([(TEXT, b"begun")], [(PONG, b"")] * 1100))


class DeflateClient:
    """
    C{websockets}' own client, on a cable.

    @param offers: of permessage-deflate, the first that is taken.
    """

    def __init__(self, house: House, offers: Sequence[ClientPerMessageDeflateFactory], path: str = "/ws/echo") -> None:
        self.peer = Peer(house, house.web.factory)
        self.client = ClientProtocol(parse_uri(f"ws://localhost:8080{path}"), extensions=offers, max_size=None)
        self.client.send_request(self.client.connect())
        self.talk()
        assert self.client.handshake_exc is None, self.client.handshake_exc

    def talk(self) -> None:
        """Send what is to be sent, and read what comes of it."""
        self.peer.write(b"".join(self.client.data_to_send()))
        if data := self.peer.read():
            self.client.receive_data(data)

    def send(self, payload: bytes, size: int, text: bool) -> None:
        """A message, in fragments of this size before they are compressed."""
        pieces = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
        for at, piece in enumerate(pieces):
            fin = at == len(pieces) - 1
            if at:
                self.client.send_continuation(piece, fin)
            elif text:
                self.client.send_text(piece, fin)
            else:
                self.client.send_binary(piece, fin)

    def heard(self) -> Frames:
        """The frames that came."""
        self.talk()
        assert self.client.parser_exc is None, self.client.parser_exc
        came = [event for event in self.client.events_received() if not isinstance(event, Response)]
        return [(int(one.opcode), bytes(one.data)) for one in came if isinstance(one, Frame)]


def offer(**parameters: int | bool) -> ClientPerMessageDeflateFactory:
    """What a client asks for."""
    return ClientPerMessageDeflateFactory(**parameters)  # type: ignore[arg-type]


OFFERS: tuple[Sequence[ClientPerMessageDeflateFactory], ...] = (
    (offer(),),
    (offer(client_max_window_bits=True),),
    (offer(server_no_context_takeover=True),),
    (offer(client_no_context_takeover=True),),
    (offer(server_max_window_bits=9),),
    (offer(server_max_window_bits=15),),
    (offer(client_max_window_bits=9),),
    (offer(server_no_context_takeover=True, server_max_window_bits=9),),
    (offer(server_max_window_bits=9, client_max_window_bits=9), offer(server_no_context_takeover=True), offer()),
)


class DeflateTests(SynchronousTestCase):
    """Sections 12 and 13: permessage-deflate (RFC 7692)."""

    text = "".join(f'{{"name":"κόσμε {n}","score":{n * n % 997}}}\n' for n in range(4000)).encode()

    def setUp(self) -> None:
        self.house = House()

    def test_messages_of_all_sizes_for_every_offer(self) -> None:
        for offers in OFFERS:
            client = DeflateClient(self.house, offers)
            self.assertEqual([extension.name for extension in client.client.extensions], ["permessage-deflate"])
            for length in (0, 1, 16, 64, 256, 1024, 4096, 16384, 65536):
                for size in (65536, 4096, 256):
                    payload = self.text[length : 2 * length]
                    client.send(payload, size, text=False)
                    client.send(b"again " * (length // 6), size, text=True)
                    self.assertEqual(client.heard(), [(BINARY, payload), (TEXT, b"again " * (length // 6))])

    def test_what_we_send_is_compressed_within_the_window_that_was_asked_for(self) -> None:
        for offers in OFFERS:
            client = DeflateClient(self.house, offers, "/ws/chat")
            client.heard()
            for _ in range(3):
                client.send(b'{"type":"help"}', 65536, text=True)
                client.peer.write(b"".join(client.client.data_to_send()))
                sent = client.peer.transport.value()
                self.assertEqual(sent[0], 0xC1)  # text, in one frame, compressed
                [(opcode, payload)] = client.heard()
                self.assertEqual(opcode, TEXT)
                self.assertIn(b'"type":"help"', payload)
                self.assertLess(len(sent), len(payload) / 2)

    def test_it_need_not_be_compressed(self) -> None:
        client = DeflateClient(self.house, [offer()])
        client.peer.write(masked(TEXT, b"plain"))
        self.assertEqual(client.heard(), [(TEXT, b"plain")])

    def closed_with(self, client: DeflateClient) -> int:
        *_, (opcode, payload) = unframed(client.peer.read())
        self.assertEqual(opcode, CLOSE)
        self.assertTrue(client.peer.closed)
        return int.from_bytes(payload[:2])

    def test_invalid_text_is_found_behind_the_compression(self) -> None:
        client = DeflateClient(self.house, [offer()])
        client.send(b"\xed\xa0\x80" * 100, 65536, text=True)
        client.peer.write(b"".join(client.client.data_to_send()))
        self.assertEqual(self.closed_with(client), INVALID_DATA)

    def test_what_is_no_deflate(self) -> None:
        client = DeflateClient(self.house, [offer()])
        client.peer.write(masked(TEXT, b"\xff" * 20, first=0xC0))
        self.assertEqual(self.closed_with(client), PROTOCOL_ERROR)

    def test_only_the_first_frame_says_that_it_is_compressed_and_no_control_frame(self) -> None:
        for first, second in (
            (masked(TEXT, b"", first=0x40), masked(CONT, b"", first=0xC0)),
            (masked(TEXT, b"x", first=MORE), masked(CONT, b"", first=0xC0)),
            (b"", masked(PING, b"", first=0xC0)),
            (b"", masked(TEXT, b"", first=0xA0)),
        ):
            client = DeflateClient(self.house, [offer()])
            client.peer.write(first + second)
            self.assertEqual(self.closed_with(client), PROTOCOL_ERROR)

    def test_the_limit_is_that_of_the_message(self) -> None:
        for size in (65536, 1000):
            client = DeflateClient(self.house, [offer()])
            client.send(b"x" * MOST, size, text=True)
            self.assertEqual(client.heard(), [(TEXT, b"x" * MOST)])
            client.send(b"x" * (MOST + 1), size, text=True)
            client.peer.write(b"".join(client.client.data_to_send()))
            self.assertEqual(self.closed_with(client), TOO_BIG)
