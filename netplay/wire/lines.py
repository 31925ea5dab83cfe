"""Newline-delimited payloads, as LineReceiver reads them, with the limit enforced while reading."""

from __future__ import annotations

from netplay.errors import Refused


class Lines:
    """
    Payloads that end with C{\\n} or C{\\r\\n}; empty lines are skipped.

    @param max_length: the longest line that is taken, in bytes, its end not counted.
    """

    __slots__ = ("_buffer", "_max_length", "_searched")

    def __init__(self, max_length: int) -> None:
        self._max_length = max_length
        self._buffer = bytearray()
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Take what came from the socket."""
        self._buffer += data

    def next(self) -> bytes | None:
        """
        The next whole payload, or C{None} until more comes.

        @raise Refused: C{too_large}; what follows makes no sense any more.
        """
        buffer = self._buffer
        while True:
            end = buffer.find(b"\n", self._searched)
            if end < 0:
                self._searched = len(buffer)
                if len(buffer) - buffer.endswith(b"\r") > self._max_length:
                    raise too_large(self._max_length)
                return None
            line = bytes(buffer[:end])
            del buffer[: end + 1]
            self._searched = 0
            if line.endswith(b"\r"):
                line = line[:-1]
            if len(line) > self._max_length:
                raise too_large(self._max_length)
            if line and not line.isspace():
                return line

    def finish(self) -> bytes | None:
        """At the end of the input: what stands there without its newline, if anything does."""
        rest, self._buffer, self._searched = bytes(self._buffer), bytearray(), 0
        return rest if rest.strip() else None

    @property
    def unfinished(self) -> bool:
        """Whether the beginning of a payload waits for its rest."""
        return bool(self._buffer)


def too_large(limit: int) -> Refused:
    """The refusal of a payload over C{limit} bytes."""
    return Refused("too_large", f"a message may have at most {limit} bytes")
