"""
The header with which a proxy says whose connection it passes on: the PROXY protocol, versions 1 and 2
(U{https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt}).

Twisted's parser wants the beginning of the header in one piece, refuses C{PROXY UNKNOWN}, takes any word for an
address, and tells nobody when the header is whole; a feature that greets first has to know.
"""

from __future__ import annotations

import ipaddress
import socket
from struct import Struct

from netplay.limits import address_of

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
"""What a header of version 2 begins with (section 2.2)."""

LONGEST_LINE = 107
"""Bytes of a header of version 1, at most (section 2.1)."""

LONGEST_REST = 4096
"""Bytes that a header of version 2 may have after its fixed part: addresses take 216, the rest is of no use here."""

_FIXED = Struct("!12sBBH")
_LOCAL, _PROXY = 0x20, 0x21  # version 2 and the command
_ADDRESSES = {0x1: (socket.AF_INET, 4), 0x2: (socket.AF_INET6, 16)}  # by family: and the bytes of one
_STREAM = 0x1


class ProxyHeader:
    """
    Finds the header at the beginning of a connection.

    @ivar source: the client's address, once the header is whole; C{None} if there is none, as with the proxy's own
        checks of health (C{LOCAL}) and clients on unix sockets.
    @ivar rest: what came behind the header.
    """

    def __init__(self) -> None:
        self._buffer = b""
        self.source: str | None = None
        self.rest = b""

    def feed(self, data: bytes) -> bool:
        """
        Take what came from the socket.

        @return: whether the header is whole.
        @raise ValueError: this is none.
        """
        self._buffer += data
        start = self._buffer[: len(SIGNATURE)]
        if SIGNATURE.startswith(start):
            return self._binary()
        if b"PROXY ".startswith(start[:6]):
            return self._line()
        raise ValueError("no PROXY header")

    def _line(self) -> bool:
        line, end, rest = self._buffer.partition(b"\r\n")
        if len(line) + len(end) > LONGEST_LINE:
            raise ValueError("a line without an end")
        if not end:
            return False
        words = line.decode("ascii").split(" ")
        if words[1] != "UNKNOWN":
            _, family, source, destination, *ports = words
            version = {"TCP4": 4, "TCP6": 6}[family] if family in ("TCP4", "TCP6") else 0
            if len(ports) != 2 or not all(port.isdecimal() and int(port) < 2**16 for port in ports):
                raise ValueError("two ports are missing")
            if not ipaddress.ip_address(source).version == ipaddress.ip_address(destination).version == version:
                raise ValueError("the addresses are of another family")
            self.source = str(address_of(source))
        self.rest = rest
        return True

    def _binary(self) -> bool:
        if len(self._buffer) < _FIXED.size:
            return False
        _, command, kind, length = _FIXED.unpack_from(self._buffer)
        if command not in (_LOCAL, _PROXY) or length > LONGEST_REST:
            raise ValueError("an unknown command, or too long")
        end = _FIXED.size + length
        if len(self._buffer) < end:
            return False
        family, protocol = kind >> 4, kind & 0xF
        if command == _PROXY and protocol == _STREAM and family in _ADDRESSES:
            which, size = _ADDRESSES[family]
            if length < 2 * size + 4:
                raise ValueError("the addresses are missing")
            packed = self._buffer[_FIXED.size : _FIXED.size + size]
            self.source = str(address_of(socket.inet_ntop(which, packed)))
        self.rest = self._buffer[end:]
        return True
