"""WebSocket frames as the server sends them (RFC 6455, section 5), and the wires made of them."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from struct import Struct

import msgspec

from netplay.wire.codecs import JSON, Codec, Wire

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA

_FINAL = 0x80
_COMPRESSED = 0x40  # RSV1, of permessage-deflate (RFC 7692, section 6)
_LENGTH_16 = Struct("!BBH")
_LENGTH_64 = Struct("!BBQ")

COMPRESS_FROM = 512
"""Bytes from which a message is worth compressing; below, deflate without its past saves next to nothing."""

WINDOW_BITS = 12
"""The window of what we compress: 4 KiB, which messages rarely exceed."""

_SYNC = b"\x00\x00\xff\xff"  # what a flush ends with and the frame leaves out


def frame(opcode: int, payload: bytes, flags: int = _FINAL) -> bytes:
    """One whole message in one frame, not masked: servers do not."""
    length = len(payload)
    if length < 126:
        return bytes((flags | opcode, length)) + payload
    if length < 65536:
        return _LENGTH_16.pack(flags | opcode, 126, length) + payload
    return _LENGTH_64.pack(flags | opcode, 127, length) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """
    The beginning of the end.

    @param code: 1000 to 4999.
    @param reason: for people; cut to the 123 bytes that there is room for.
    """
    text = reason.encode()[:123].decode(errors="ignore").encode()
    return frame(CLOSE, code.to_bytes(2) + text)


def deflated(opcode: int, payload: bytes, window_bits: int) -> bytes:
    """
    One message, compressed if that makes it smaller.

    Each message stands for itself (no context takeover, RFC 7692 section 7.1.1), so that it is compressed once for
    all who negotiated the same window.
    """
    if len(payload) >= COMPRESS_FROM:
        compressor = zlib.compressobj(wbits=-window_bits, memLevel=5)
        small = (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_SYNC)
        if len(small) < len(payload):
            return frame(opcode, small, _FINAL | _COMPRESSED)
    return frame(opcode, payload)


@cache  # few: codecs, features and windows are
def websocket_wire(codec: Codec, window_bits: int | None = None, feature: str | None = None) -> Wire:
    """
    How messages reach one kind of WebSocket client.

    @param window_bits: of permessage-deflate if that was negotiated.
    @param feature: said in every message on a socket that all features share.
    """
    opcode = TEXT if codec is JSON else BINARY
    framed: Callable[[bytes], bytes]
    if window_bits is None:
        framed = lambda payload: frame(opcode, payload)  # noqa: E731
    else:
        framed = lambda payload: deflated(opcode, payload, window_bits)  # noqa: E731
    if feature is None:
        return Wire(codec, framed)
    label = _json_label(feature) if codec is JSON else _msgpack_label(feature)
    return Wire(codec, lambda payload: framed(label(payload)))


def _json_label(feature: str) -> Callable[[bytes], bytes]:
    """Puts C{feature} first into an object that is encoded already. Messages have a type, so none is empty."""
    label = b'{"feature":' + msgspec.json.encode(feature) + b","
    return lambda payload: label + payload[1:]


def _msgpack_label(feature: str) -> Callable[[bytes], bytes]:
    label = msgspec.msgpack.encode("feature") + msgspec.msgpack.encode(feature)

    def labelled(payload: bytes) -> bytes:
        first = payload[0]
        if 0x80 <= first < 0x8F:  # a map of up to 14 pairs, with room for one more in this byte
            return bytes((first + 1,)) + label + payload[1:]
        pairs, rest = (first - 0x80, payload[1:]) if first < 0x90 else (int.from_bytes(payload[1:3]), payload[3:])
        return b"\xde" + (pairs + 1).to_bytes(2) + label + rest

    return labelled
