"""Length-prefixed payloads with a type: the binary port's C{!IH} header, much like NetstringReceiver's."""

from __future__ import annotations

from struct import Struct

from netplay.wire.lines import too_large

HEADER = Struct("!IH")
"""Length of the payload in bytes (4 bytes), type (2 bytes), both in network order."""


def frame(kind: int, payload: bytes) -> bytes:
    """One frame: header and payload."""
    return HEADER.pack(len(payload), kind) + payload


class Frames:
    """
    Payloads behind a header that says their length and type.

    @param max_length: the longest payload that is taken, in bytes.
    """

    __slots__ = ("_buffer", "_max_length")

    def __init__(self, max_length: int) -> None:
        self._max_length = max_length
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take what came from the socket."""
        self._buffer += data

    def next(self) -> tuple[int, bytes] | None:
        """
        The next whole frame as (type, payload), or C{None} until more comes.

        @raise Refused: C{too_large}, as soon as the header says so; what follows makes no sense any more.
        """
        buffer = self._buffer
        if len(buffer) < HEADER.size:
            return None
        length, kind = HEADER.unpack_from(buffer)
        if length > self._max_length:
            raise too_large(self._max_length)
        end = HEADER.size + length
        if len(buffer) < end:
            return None
        payload = bytes(buffer[HEADER.size : end])
        del buffer[:end]
        return kind, payload

    def finish(self) -> None:
        """At the end of the input: half a frame says nothing."""
        self._buffer.clear()

    @property
    def unfinished(self) -> bool:
        """Whether the beginning of a frame waits for its rest."""
        return bool(self._buffer)
