"""JSON values one after the other, with or without anything between them, as programs that just send do it."""

from __future__ import annotations

import re

from netplay.wire.lines import too_large

_SPACE = b" \t\r\n"
_START = re.compile(rb"[^ \t\r\n]")
# Inside an object or array only these bytes decide where it ends.
_STRUCTURE = re.compile(rb'["{}\[\]]')
# Inside a string: its end, an escape, or a newline, which JSON forbids there, escaped or not: we take up
# again after it.
_STRING = re.compile(rb'["\n]|\\[^\n]?')
_ESCAPE = ord("\\")
_QUOTE = ord('"')
_CLOSER = {ord("{"): ord("}"), ord("["): ord("]")}
# Most values are flat objects: those are found whole in one go. Possessive, so that nothing is tried twice.
_FLAT = re.compile(rb'\{(?:[^"{}\[\]]++|"(?:[^"\\\n]++|\\[^\n])*+")*+\}')
# Anything else runs to the end of its line or to where the next value begins.
_SCALAR_END = re.compile(rb'[\n{\["]')


class JSONStream:
    """
    Finds where each JSON value ends by its brackets and quotes; what is in it is the codec's business.

    A value that goes wrong (a bracket closed by one of the other kind, a newline in a string) ends there, and text that
    is none ends with its line or where a value might begin: what follows is read as if nothing had been. Work is linear
    in the input however it is split.

    @param max_length: the longest value that is taken, in bytes.
    """

    __slots__ = ("_at", "_buffer", "_closers", "_in_string", "_max_length")

    def __init__(self, max_length: int) -> None:
        self._max_length = max_length
        self._buffer = bytearray()
        self._restart()

    def _restart(self) -> None:
        self._at = 0  # up to here the value at the start of the buffer has been looked at
        self._closers = bytearray()  # what closes the brackets that are open, the innermost last
        self._in_string = False

    def feed(self, data: bytes) -> None:
        """Take what came from the socket."""
        self._buffer += data

    def next(self) -> bytes | None:
        """
        The next whole value, or C{None} until more comes.

        @raise Refused: C{too_large}; what follows makes no sense any more.
        """
        if not self._at:
            self._skip_space()
        if not self._buffer:
            return None
        end = self._end()
        if (len(self._buffer) if end is None else end) > self._max_length:
            raise too_large(self._max_length)
        if end is None:
            return None
        value = bytes(self._buffer[:end])
        del self._buffer[:end]
        self._restart()
        return value.rstrip(_SPACE)

    def finish(self) -> bytes | None:
        """At the end of the input: the value that was not finished (or a scalar, which only now is)."""
        rest, self._buffer = bytes(self._buffer), bytearray()
        self._restart()
        return rest.strip(_SPACE) or None

    @property
    def unfinished(self) -> bool:
        """Whether the beginning of a value waits for its rest."""
        return bool(self._buffer)

    def _skip_space(self) -> None:
        start = _START.search(self._buffer)
        del self._buffer[: start.start() if start else len(self._buffer)]

    def _end(self) -> int | None:
        """Where the value at the start of the buffer ends, or C{None} if it does not yet."""
        buffer = self._buffer
        if not self._at:
            flat = _FLAT.match(buffer)
            if flat is not None:
                return flat.end()
            first = buffer[0]
            if first in _CLOSER:
                self._closers.append(_CLOSER[first])
                self._at = 1
            elif first in b'"':
                self._in_string, self._at = True, 1
            elif first in b"}]":
                return 1  # closes nothing: a mistake of its own
        if not self._closers and not self._in_string:
            return self._scalar_end()
        while True:
            if self._in_string:
                found = _STRING.search(buffer, self._at)
                if found is None:
                    self._at = len(buffer)
                    return None
                what = found.group()
                if what == b"\\" and found.end() == len(buffer):  # what it escapes has not come
                    self._at = found.start()
                    return None
                self._at = found.end()
                if what[0] == _ESCAPE:
                    continue
                if what == b"\n":
                    return self._at
                self._in_string = False
                if not self._closers:
                    return self._at
            else:
                found = _STRUCTURE.search(buffer, self._at)
                if found is None:
                    self._at = len(buffer)
                    return None
                self._at = found.end()
                byte = buffer[found.start()]
                if byte == _QUOTE:
                    self._in_string = True
                elif byte in _CLOSER:
                    self._closers.append(_CLOSER[byte])
                elif byte != self._closers.pop() or not self._closers:
                    return self._at

    def _scalar_end(self) -> int | None:
        found = _SCALAR_END.search(self._buffer, max(self._at, 1))
        if found is None:
            self._at = len(self._buffer)
            return None
        return found.start()
