"""Tests of L{netplay.game.recording}: what was written down is played again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netplay.core import Core
from netplay.errors import Refused
from netplay.game.directory import Directory
from netplay.game.recording import WRITE_EVERY, NoRecording, Recorder, Recording, header_of, replay
from netplay.game.room import Room
from netplay.limits import Limits
from netplay.ticklimit import TickLimit
from tests.game.tag import Steer, Tag


class Faster(Tag):
    """The same with one rule changed."""

    name = "tag"

    def tick(self, dt: float) -> None:
        super().tick(dt * (2 if self.ticks > 100 else 1))


class Broken(Tag):
    """The same with a mistake."""

    name = "tag"

    def tick(self, dt: float) -> None:
        super().tick(dt)
        if self.ticks == 90:
            raise ZeroDivisionError("at 90")


class RecordingTests(SynchronousTestCase):
    """One room, recorded."""

    limit = 2**20

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        room = Room("tag-1", Tag, 5)
        self.recording = Recording(self.path, room, self.limit)
        for id in ("ann", "bob"):
            room.join(id, id.title())
            room.ready(id, True)
        room.advance(60)
        room.act("ann", Steer(1, 0, seq=3))
        self.assertRaises(Refused, room.act, "ann", Steer(1, 0))
        for _ in range(200):
            room.advance()
        room.drop("bob")
        room.advance()
        self.room = room

    def closed(self) -> Path:
        self.recording.close()
        return self.path

    def test_it_is_the_same_again(self) -> None:
        went = replay(self.closed(), Tag)
        self.assertTrue(went.same)
        self.assertEqual(list(went.told()), ["the same in all 261 ticks"])

    def test_of_one_that_was_cut_off_what_is_there_is_played(self) -> None:
        path = self.closed()
        path.write_bytes(path.read_bytes()[:-20])
        went = replay(path, Tag)
        self.assertTrue(went.same)
        self.assertLess(went.ticks, 261)

    def test_changed_code_differs_at_a_tick_and_it_is_said_in_what(self) -> None:
        went = replay(self.closed(), Faster)
        self.assertEqual(went.differs, 101)
        self.assertTrue(any("ann.x is " in line for line in went.differences), went.differences)

    def test_what_the_game_raises_is_told_with_its_tick(self) -> None:
        went = replay(self.closed(), Broken)
        assert went.failed is not None
        self.assertEqual(went.failed[0], 90)
        self.assertIn("ZeroDivisionError: at 90", "\n".join(went.told()))

    def test_the_header(self) -> None:
        header = header_of(self.closed())
        self.assertEqual((header["game"], header["room"], header["seed"], header["file"]), ("tag", "tag-1", 5, None))

    def test_a_file_that_is_none(self) -> None:
        for text in ("", "hello", "[]", '{"format": 2, "seed": 1}'):
            self.path.write_text(text)
            self.assertRaises(NoRecording, replay, self.path, Tag)

    def test_a_line_that_is_none_is_named(self) -> None:
        with self.closed().open("a") as file:
            file.write('["__init__", 1]\n')
        self.assertIn("a room is not moved by '__init__'", str(self.assertRaises(NoRecording, replay, self.path, Tag)))

    def test_it_ends_at_its_limit_with_whole_lines(self) -> None:
        path = Path(self.mktemp())
        room = Room("tag-1", Tag, 5)
        recording = Recording(path, room, 1000)
        for n in range(100):
            room.advance(n + 1)
        self.assertTrue(recording.ended)
        lines: list[Any] = [json.loads(line) for line in path.read_text().splitlines()]
        self.assertLessEqual(path.stat().st_size, 1000)
        self.assertGreater(len(lines), 10)
        self.assertTrue(replay(path, Tag).same)

    def test_a_disk_that_takes_nothing_ends_it(self) -> None:
        room = Room("tag-1", Tag, 5)
        recording = Recording(Path(self.mktemp()) / "nowhere", room, 1000)
        recording.write()
        self.assertTrue(recording.ended)
        room.advance()


class RecorderTests(SynchronousTestCase):
    """All rooms of a daemon, recorded."""

    def test_each_room_has_a_file_until_it_ends(self) -> None:
        clock = Clock()
        core = Core(clock, Limits(), wall=lambda: 0.0)
        path = Path(self.mktemp())
        path.mkdir()
        recorder = Recorder(core, path, 2**20)
        directory = Directory({"tag": Tag}, core, TickLimit(0), 20)
        directory.opened.append(recorder.record)
        recorder.start()
        first = directory.open(Tag, "one")
        first.close("no_such_room", "it is over")
        again = directory.open(Tag, "one")
        clock.advance(WRITE_EVERY)
        names = ["one-19700101-000000-2.jsonl", "one-19700101-000000.jsonl"]
        self.assertEqual(sorted(file.name for file in path.iterdir()), names)
        self.assertEqual([header_of(path / name)["room"] for name in names], ["one", "one"])
        self.assertEqual(list(recorder._recordings), [again])
        recorder.stop()
        directory.stop()
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_where_nothing_can_be_written_rooms_are_made_all_the_same(self) -> None:
        recorder = Recorder(Core(Clock(), Limits()), Path(self.mktemp()), 2**20)  # which is not there
        directory = Directory({"tag": Tag}, Core(Clock(), Limits()), TickLimit(0), 20)
        directory.opened.append(recorder.record)
        self.assertEqual(directory.open(Tag, "one").name, "one")
        self.assertEqual(recorder._recordings, {})
        directory.stop()
