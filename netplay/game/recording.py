"""
Rooms written down as they are played, to be played again: C{--record} and C{netplay replay}.

A recording is lines of JSON: a header, then each call that moved the room. Behind each C{advance} stands a digest of
the world as it then was, and every L{STATE_EVERY} seconds everything that the digest is of, so that it can be said what
is different when it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import chain, count
from pathlib import Path
from traceback import format_exception
from typing import Any

import msgspec
from msgspec import Struct
from twisted.logger import Logger

import netplay
from netplay.beat import Beat
from netplay.core import Core
from netplay.errors import Refused
from netplay.game.entities import Entity, kind_name
from netplay.game.game import Game
from netplay.game.live import LiveRoom
from netplay.game.loading import file_of
from netplay.game.players import Player
from netplay.game.room import Room
from netplay.messages import MAX_INTEGER
from netplay.wire.codecs import JSON
from netplay.wire.grammar import DECODE_ERRORS

FORMAT = 1

STATE_EVERY = 5
"""Seconds of a room's time from one whole state to the next."""

WRITE_EVERY = 1.0
"""Seconds for which what is to be written waits, at most."""

CHUNK = 2**16
"""Bytes that wait to be written, at most."""

MOST_DIFFERENCES = 20
"""Of those between two states, so many are named."""

CALLS = frozenset({"join", "leave", "drop", "back", "ready", "choose", "call", "act", "advance", "take_up"})


class NoRecording(Exception):
    """A file is no recording, or not of that game."""


class Recording:
    """
    Writes one room down, from its beginning.

    The file is opened for each write, so that rooms do not use up the descriptors that connections need.

    @param path: a file that there is not yet.
    @param limit: bytes in it, at most; then recording ends.
    @ivar ended: whether nothing more is written.
    """

    _log = Logger()

    def __init__(self, path: Path, room: Room, limit: int) -> None:
        self.ended = False
        self._path = path
        self._room = room
        self._left = limit
        self._waiting: list[bytes] = []
        self._size = 0
        self._advanced: int | None = None
        self._whole_from = 0
        header = {"format": FORMAT, "netplay": netplay.__version__, "game": room.game.name, "room": room.name}
        self._add({**header, "seed": room.seed, "file": file_of(room.game)})
        room.journal = self._called

    def write(self) -> None:
        """Let what waits go into the file."""
        if self._waiting:
            data, self._waiting, self._size = b"".join(self._waiting), [], 0
            try:
                with self._path.open("ab") as file:
                    file.write(data)
            except OSError as error:
                self._end(f"it cannot be written: {error.strerror}")

    def close(self) -> None:
        """The room is no more. How its last call came out is not known: it may have crashed in it."""
        if not self.ended:
            if self._advanced is not None:
                self._add(["advance", self._advanced])
            self.write()
            self._stop()

    def _called(self, call: str, *arguments: Any, **more: Any) -> None:
        """The room is about to be moved, so it is now known how it was after the last call."""
        if self.ended:
            return
        try:
            self._note(call, *arguments, **more)
        except Exception as error:  # it is no fault of the room, which goes on
            self._end(f"what a game holds cannot be written down: {error!r}")

    def _note(self, call: str, *arguments: Any, **more: Any) -> None:
        self._settle()
        if call == "advance":
            self._advanced = arguments[0]
        elif call == "act":
            player, message = arguments
            self._add(["act", player, {"type": "act", **msgspec.to_builtins(message)}])
        else:
            self._add([call, *arguments, more] if more else [call, *arguments])

    def _settle(self) -> None:
        if self._advanced is None:
            return
        state = state_of(self._room)
        self._add(["advance", self._advanced, digest(state)])
        self._advanced = None
        scene = self._room.scene
        if scene.ticks >= self._whole_from:
            self._whole_from = scene.ticks + STATE_EVERY * scene.rate
            self._add(["state", state])

    def _add(self, line: Any) -> None:
        if self.ended:
            return
        data = msgspec.json.encode(line) + b"\n"
        self._left -= len(data)
        if self._left < 0:
            self.write()
            self._end("it is as long as it may be; --record-limit says how long that is")
            return
        self._waiting.append(data)
        self._size += len(data)
        if self._size >= CHUNK:
            self.write()

    def _end(self, why: str) -> None:
        self._log.warn("the recording {path} ends: {why}", path=str(self._path), why=why)
        self._stop()

    def _stop(self) -> None:
        self.ended = True
        self._waiting.clear()


class Recorder:
    """
    Writes all rooms of a daemon down, each into a file of its own.

    @param directory: for the files.
    @param limit: bytes in each of them, at most.
    """

    _log = Logger()

    def __init__(self, core: Core, directory: Path, limit: int) -> None:
        self._core = core
        self._directory = directory
        self._limit = limit
        self._recordings: dict[LiveRoom, Recording] = {}
        self._beat = Beat(core.clock, WRITE_EVERY, self._write, "writing the recordings of rooms")
        self.start = self._beat.start

    def record(self, live: LiveRoom) -> None:
        """Write down what happens in a room that has just been made."""
        began = time.strftime("%Y%m%d-%H%M%S", time.gmtime(self._core.wall()))
        names = (f"{live.name}-{began}{more}.jsonl" for more in chain([""], (f"-{n}" for n in count(2))))
        path = next(path for name in names if not (path := self._directory / name).exists())
        try:
            path.touch()
        except OSError as error:
            self._log.warn("{path} cannot be written: {error}", path=str(path), error=error.strerror)
            return
        self._recordings[live] = Recording(path, live.room, self._limit)

    def stop(self) -> None:
        """Nothing more is written down."""
        self._beat.stop()
        for recording in self._recordings.values():
            recording.close()
        self._recordings.clear()

    def _write(self) -> None:
        for live, recording in list(self._recordings.items()):
            if live.closed:
                recording.close()
            else:
                recording.write()
            if recording.ended:
                del self._recordings[live]


@dataclass
class Replayed:
    """
    How it went.

    @ivar ticks: how many were replayed.
    @ivar differs: the first tick at which the world was another one, C{None} if it never was.
    @ivar differences: what was different when the recording says everything for the first time after that.
    @ivar failed: what the game raised, if it did: (tick, exception).
    """

    ticks: int = 0
    differs: int | None = None
    differences: list[str] = field(default_factory=list)
    failed: tuple[int, Exception] | None = None

    @property
    def same(self) -> bool:
        """Whether all was as it had been."""
        return self.differs is None and self.failed is None

    def told(self) -> Iterator[str]:
        """The same in words, a line each."""
        if self.differs is not None:
            yield f"different from tick {self.differs} on"
            yield from self.differences
        if self.failed is not None:
            tick, error = self.failed
            yield f"failed at tick {tick}:"
            yield "".join(format_exception(error)).rstrip()
        if self.same:
            yield f"the same in all {self.ticks} ticks"


def header_of(path: Path) -> dict[str, Any]:
    """
    What a recording is of: C{game}, C{room}, C{seed}, C{file} that the game was loaded from, C{netplay} version.

    @raise NoRecording: it is of nothing.
    """
    try:
        with path.open("rb") as file:
            header = msgspec.json.decode(file.readline())
        if header["format"] != FORMAT or not isinstance(header["seed"], int):
            raise NoRecording(f"{path} is a recording of another format")
        return {name: header[name] for name in ("game", "room", "seed", "file", "netplay")}
    except OSError as error:
        raise NoRecording(f"{path} cannot be read: {error.strerror}") from None
    except (*DECODE_ERRORS, LookupError, TypeError):
        raise NoRecording(f"{path} is no recording") from None


def replay(path: Path, game: type[Game]) -> Replayed:
    """
    Do in a new room all that was done in a recorded one, until something is different and it is known what.

    @raise NoRecording: it is none, or has a line that is none of one.
    """
    header = header_of(path)
    went = Replayed()
    try:
        room = Room(header["room"], game, header["seed"])
    except Exception as error:
        went.failed = 0, error
        return went
    with path.open("rb") as file:
        file.readline()
        for number, line in enumerate(file, 2):
            if not line.endswith(b"\n"):
                break  # the daemon was ended as it wrote this
            try:
                call, *arguments = msgspec.json.decode(line)
                if call == "state":
                    if went.differs is not None:
                        went.differences = _differences(room, arguments[0])
                        break
                    continue
                _check_call(call, arguments)
            except (*DECODE_ERRORS, ValueError, TypeError, LookupError) as error:
                raise NoRecording(f"{path}, line {number}: {error}") from None
            try:
                _repeat(room, call, arguments)
            except Exception as error:
                went.failed = room.scene.ticks, error
                break
            known = arguments[1:] if call == "advance" and went.differs is None else []
            if known and known != [digest(state_of(room))]:
                went.differs = room.scene.ticks
    went.ticks = room.scene.ticks
    return went


def _check_call(call: Any, arguments: list[Any]) -> None:
    if call not in CALLS:
        raise ValueError(f"a room is not moved by {str(call)[:40]!r}")
    if call == "advance" and not (isinstance(arguments[0], int) and arguments[0] > 0):
        raise ValueError("a room advances by whole ticks")


def _repeat(room: Room, call: str, arguments: list[Any]) -> None:
    """What was refused when it was recorded is refused again."""
    match call:
        case "take_up":
            return  # it is played with the code that there is now
        case "join":
            *arguments, more = arguments
        case "act":
            player, message = arguments
            arguments, more = [player, JSON.decode(JSON.encode(message), room.game.grammar)], {}
        case "advance":
            arguments, more = arguments[:1], {}
        case _:
            more = {}
    with suppress(Refused):
        getattr(room, call)(*arguments, **more)
    room.scene.said.clear()
    room.scene.records.clear()


def state_of(room: Room) -> dict[str, Any]:
    """Everything that is to be the same when a room is played again."""
    world = room.world
    entities = {id: {"kind": kind_name(type(entity)), **_fields(entity)} for id, entity in world.entities.items()}
    return {"phase": str(room.phase), "entities": entities, "seats": {p.id: _fields(p.seat) for p in world.seated}}


def digest(state: dict[str, Any]) -> str:
    """What is the same for equal states only, as far as anybody will ever see."""
    return blake2b(msgspec.msgpack.encode(state), digest_size=8).hexdigest()


def _differences(room: Room, recorded: Any) -> list[str]:
    found: list[str] = []
    now = msgspec.json.decode(msgspec.json.encode(state_of(room)))  # tuples as lists, as in the file
    for part in ("entities", "seats"):
        before, after = recorded[part], now[part]
        for id in {**before, **after}:
            if id not in after:
                found.append(f"{id} is gone")
            elif id not in before:
                found.append(f"{id} is new")
            else:
                fields = {**before[id], **after[id]}
                found += [
                    f"{id}.{name} is {after[id].get(name)!r}, not {before[id].get(name)!r}"
                    for name in fields
                    if before[id].get(name) != after[id].get(name)
                ]
    if recorded["phase"] != now["phase"]:
        found.append(f"the room is {now['phase']}, not {recorded['phase']}")
    return [f"at tick {room.scene.ticks} {one}" for one in found[:MOST_DIFFERENCES]]


def _fields(struct: Struct) -> dict[str, Any]:
    return {name: _plain(getattr(struct, name)) for name in struct.__struct_fields__ if name != "id"}


def _plain(value: Any) -> Any:
    """Without what is different in each process, such as the order of sets; what is somewhere else by its id."""
    match value:
        case None | bool() | str():
            return value
        case int() | float():  # 1 and 1.0 are the same: what came as JSON may be either
            return int(value) if value == value // 1 and abs(value) <= MAX_INTEGER else float(value)
        case Player() | Entity():
            return f"#{value.id}"
        case list() | tuple():
            return [_plain(one) for one in value]
        case dict():
            return sorted([str(_plain(key)), _plain(one)] for key, one in value.items())
        case set() | frozenset():
            return sorted(str(_plain(one)) for one in value)
        case Struct():
            return _fields(value)
    return type(value).__name__
