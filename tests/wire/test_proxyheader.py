"""Tests of L{netplay.wire.proxyheader}."""

from __future__ import annotations

import socket
from struct import pack

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.wire.proxyheader import LONGEST_REST, SIGNATURE, ProxyHeader

LINE = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 8888\r\n"


def binary(kind: int, rest: bytes, command: int = 0x21) -> bytes:
    """A header of version 2."""
    return SIGNATURE + pack("!BBH", command, kind, len(rest)) + rest


TCP4 = socket.inet_aton("192.0.2.7") + socket.inet_aton("198.51.100.1") + pack("!HH", 4711, 8888)
TCP6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7") * 2 + pack("!HH", 4711, 8888)
MAPPED = socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.7") * 2 + pack("!HH", 4711, 8888)

GOOD: list[tuple[bytes, str | None]] = [
    (LINE, "192.0.2.7"),
    (b"PROXY TCP6 2001:db8::7 2001:db8::1 1 2\r\n", "2001:db8::7"),
    (b"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.8 1 2\r\n", "192.0.2.7"),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", None),
    (binary(0x11, TCP4), "192.0.2.7"),
    (binary(0x11, TCP4 + b"\x04\0\x01x"), "192.0.2.7"),  # with a TLV behind
    (binary(0x21, TCP6), "2001:db8::7"),
    (binary(0x21, MAPPED), "192.0.2.7"),
    (binary(0x31, b"\0" * 216), None),  # unix sockets
    (binary(0x00, b""), None),
    (binary(0x12, TCP4), None),  # a datagram
    (binary(0x00, b"", 0x20), None),  # LOCAL: the proxy looks whether we live
    (binary(0x11, TCP4, 0x20), None),
]

BAD = [
    b"GET / HTTP/1.1\r\n",
    b"\x16\x03\x01\x02\0",  # TLS
    b"\r\n\r\n\0\r\nQUIT!",
    b"PROXY \r\n",
    b"PROXY TCP4\r\n",
    b"PROXY TCP5 192.0.2.7 198.51.100.1 1 2\r\n",
    b"PROXY TCP4 somebody somewhere 1 2\r\n",
    b"PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n",
    b"PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.1 one two\r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.1 1 65536\r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n",
    b"PROXY TCP4 192.0.2.7\xff 198.51.100.1 1 2\r\n",
    b"PROXY UNKNOWN " + b"x" * 100,
    binary(0x11, TCP4, 0x11),  # another version
    binary(0x11, TCP4, 0x22),  # another command
    binary(0x11, TCP4[:-1]),
    binary(0x21, TCP4),
    binary(0x00, b"x" * (LONGEST_REST + 1))[:16],
]


class ProxyHeaderTests(SynchronousTestCase):
    """Both versions."""

    def test_whose_connection_it_is(self) -> None:
        for data, source in GOOD:
            header = ProxyHeader()
            self.assertTrue(header.feed(data + b"first\r\nwords"), data)
            self.assertEqual((header.source, header.rest), (source, b"first\r\nwords"), data)

    def test_byte_by_byte(self) -> None:
        for data, source in GOOD:
            header = ProxyHeader()
            whole = [header.feed(data[at : at + 1]) for at in range(len(data))]
            self.assertEqual(whole, [False] * (len(data) - 1) + [True], data)
            self.assertEqual((header.source, header.rest), (source, b""), data)

    def test_what_is_none(self) -> None:
        for data in BAD:
            self.assertRaises(ValueError, ProxyHeader().feed, data)

    def test_what_is_none_is_found_out_early(self) -> None:
        """Not only when it has become too long."""
        for data in (b"G", b"PROXIES", b"\r\n\r\n\0X", b"PROXY UNKNOWN".ljust(108)):
            self.assertRaises(ValueError, ProxyHeader().feed, data)

    @given(st.sampled_from([b"", b"PROXY TCP4 ", b"PROXY TCP6 ", SIGNATURE, SIGNATURE + b"\x21"]), st.binary())
    def test_whatever_comes_is_bounded(self, start: bytes, rest: bytes) -> None:
        header = ProxyHeader()
        try:
            for at in range(0, len(start + rest), 7):
                if header.feed((start + rest)[at : at + 7]):
                    return
        except ValueError:
            return
        self.assertLessEqual(len(header._buffer), 16 + LONGEST_REST)
