"""Rooms, and what was said in them."""

from __future__ import annotations

import re
import secrets
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from itertools import count, islice
from typing import Any

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from netplay.messages import Chat, Position
from netplay.store.interfaces import IRoomLog, IRooms
from netplay.store.records import RoomRecord, emptied
from netplay.store.sqlite.changes import Change, Cursor, Table
from netplay.store.sqlite.database import Database
from netplay.store.sqlite.index import Index
from netplay.times import iso

AT_HAND = 128
"""The newest messages of a room that are kept in memory too: whoever joins waits for no disk."""

MOST_EPOCHS = 16
"""Ended epochs of a room of which it is known how far they went."""

SHORTEST_START = 3
"""Characters from which on the last word of a search may be the beginning of one."""

_COLUMNS = ("room", "seq", "epoch", "at", "user", "emoji", "text")
_MESSAGE = (
    "SELECT m.seq, m.epoch, m.at, m.user, m.emoji, m.text, m.deleted, r.name "
    "FROM messages m JOIN rooms r ON r.id = m.room"
)


def _chat(row: tuple[int, str, int, str, str, str, int, str]) -> Chat:
    seq, epoch, at, user, emoji, text, deleted, room = row
    return Chat(
        user=user,
        message=text,
        emoji=emoji,
        room=room,
        timestamp=iso(at / 1000),
        at=at,
        seq=seq,
        id=f"{epoch}-{seq}",
        deleted=bool(deleted),
    )


@implementer(IRoomLog)
class SQLiteLog:
    """
    What was said in one room.

    @param room: its number among the rooms.
    @param ended: the epochs before, each with its last number.
    @param oldest: the first number that is kept.
    """

    __slots__ = (
        "_at_hand", "_database", "_deletions", "_ended", "_index", "_messages", "_newest", "_room", "epoch", "oldest",
        "seq",
    )  # fmt: skip

    def __init__(
        self,
        database: Database,
        messages: Table,
        index: Index,
        room: int,
        epoch: str,
        seq: int = 0,
        oldest: int = 1,
        ended: Mapping[str, int] = {},
    ) -> None:
        self._database = database
        self._messages = messages
        self._index = index
        self._room = room
        self._ended = ended
        self._newest: Change | None = None  # of which the newest message is
        self._at_hand: deque[Chat] = deque()  # ends with the newest message, and has all that is not kept
        self._deletions = 0  # what was read before the last one may have what is deleted
        self.epoch = epoch
        self.seq = seq
        self.oldest = oldest

    def append(self, body: Chat) -> None:
        """See L{IRoomLog.append}."""
        seq = self.seq + 1
        text = body.message
        row = self._room, seq, self.epoch, body.at, body.user, body.emoji, text
        self._newest = self._database.insert(self._messages, row, len(text))
        self.seq = body.seq = seq
        body.id = f"{self.epoch}-{seq}"
        self._at_hand.append(body)
        self._index.behind += 1

    def kept(self) -> Deferred[None]:
        """See L{IRoomLog.kept}."""
        return succeed(None) if self._newest is None else self._database.when_kept(self._newest)

    def kept_up_to(self, seq: int) -> None:
        """So far it is on the disk."""
        at_hand = self._at_hand
        while len(at_hand) > AT_HAND and at_hand[0].seq <= seq:
            at_hand.popleft()

    def page(self, before: int | None = None, after: int | None = None, limit: int = AT_HAND) -> Deferred[list[Chat]]:
        """See L{IRoomLog.page}."""
        start, stop = self.oldest, self.seq + 1
        if before is not None:
            stop = min(stop, before)
        if after is None:
            start = max(start, stop - limit)
        else:
            start = max(start, after + 1)
            stop = min(stop, start + limit)
        if start >= stop:
            return succeed([])
        at_hand = self._at_hand
        first = at_hand[0].seq if at_hand else self.seq + 1
        if start >= first:
            return succeed(list(islice(at_hand, start - first, stop - first)))
        return self._read(start, stop, first)

    def _read(self, start: int, stop: int, first: int) -> Deferred[list[Chat]]:
        """What is not at hand, where C{first} is, and then what is."""
        read = self._database.read(partial(_page, self._room, start, min(stop, first)))
        return read.addCallback(self._with_what_is_at_hand, start, stop, first, self._deletions)

    def _with_what_is_at_hand(
        self, found: list[Chat], start: int, stop: int, first: int, deletions: int
    ) -> list[Chat] | Deferred[list[Chat]]:
        at_hand = self._at_hand
        if at_hand and at_hand[0].seq > first:  # so much was said meanwhile that some of it went to the disk only
            return self._read(start, stop, at_hand[0].seq)
        page = found + [message for message in at_hand if first <= message.seq < stop]
        fits = stop >= first == (at_hand[0].seq if at_hand else self.seq + 1)  # nobody else has read it meanwhile
        if fits and deletions == self._deletions and (room := AT_HAND - len(at_hand)) > 0:
            at_hand.extendleft(reversed(found[-room:]))
        return page

    def recovers(self, since: Position) -> bool:
        """See L{IRoomLog.recovers}."""
        last = self.seq if since.epoch == self.epoch else self._ended.get(since.epoch, -1)
        return self.oldest - 1 <= since.seq <= last

    def delete(self, seq: int) -> Deferred[Chat | None]:
        """See L{IRoomLog.delete}."""
        if not self.oldest <= seq <= self.seq:
            return succeed(None)
        deleted = self._database.write(partial(_empty, self._room, seq))
        self._empty_at_hand(seq)
        return deleted.addCallback(self._is_deleted, seq)

    def _is_deleted(self, left: Chat | None, seq: int) -> Chat | None:
        self._empty_at_hand(seq)  # it may have been read while that waited to be kept
        return left

    def _empty_at_hand(self, seq: int) -> None:
        self._deletions += 1
        for place, message in enumerate(self._at_hand):
            if message.seq == seq:
                self._at_hand[place] = emptied(message)

    def forget_before(self, seq: int) -> None:
        """Older ones are not kept any more."""
        self.oldest = seq
        while self._at_hand and self._at_hand[0].seq < seq:
            self._at_hand.popleft()

    # In another thread

    def first_since(self, at: int, cursor: Cursor) -> int:
        """The number of the first message that is not older than C{at}, as far as a look goes."""
        cursor.execute(
            "SELECT seq, at FROM messages WHERE room = ? AND seq >= ? ORDER BY seq LIMIT 10000",
            (self._room, self.oldest),
        )
        first = self.oldest
        for seq, said_at in cursor.fetchall():
            if said_at >= at:
                break
            first = seq + 1
        return first

    def take_away(self, most: int, cursor: Cursor) -> bool:
        """Some of what is not kept any more; whether there may be more."""
        gone: int = cursor.execute(
            "DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE room = ? AND seq < ? LIMIT ?)",
            (self._room, self.oldest, most),
        ).rowcount
        cursor.execute(
            "UPDATE rooms SET last = ? WHERE id = ? AND last < ?", (self.oldest - 1, self._room, self.oldest - 1)
        )
        return gone == most


def _page(room: int, start: int, stop: int, cursor: Cursor) -> list[Chat]:
    cursor.execute(f"{_MESSAGE} WHERE m.room = ? AND m.seq >= ? AND m.seq < ? ORDER BY m.seq", (room, start, stop))
    return [_chat(row) for row in cursor.fetchall()]


def _empty(room: int, seq: int, cursor: Cursor) -> Chat | None:
    cursor.execute("UPDATE messages SET text = '', deleted = 1 WHERE room = ? AND seq = ?", (room, seq))
    cursor.execute(f"{_MESSAGE} WHERE m.room = ? AND m.seq = ?", (room, seq))
    row = cursor.fetchone()
    return None if row is None else _chat(row)


@implementer(IRooms)
class SQLiteRooms:
    """All rooms. They are known from the start to the end; what was said in them is read when it is asked for."""

    def __init__(self, database: Database, index: Index) -> None:
        self._database = database
        self._index = index
        self._messages = Table("messages", _COLUMNS, self._kept)
        self._records: dict[str, RoomRecord] = {}
        self._numbers: dict[str, int] = {}
        self.logs: dict[int, SQLiteLog] = {}
        self._next = count(1)

    def begin(self, *, clean: bool) -> None:
        """
        Know the rooms.

        @param clean: whether nothing can have been said that was not kept. Otherwise each room begins an epoch.
        """
        if not clean:
            self._database.ask(_begin_epochs)
        for id, record, epoch, seq, oldest, ended in self._database.ask(_rooms):
            self._records[record.name] = record
            self._numbers[record.name] = id
            self.logs[id] = SQLiteLog(self._database, self._messages, self._index, id, epoch, seq, oldest, ended)
        self._next = count(self._database.ask(_last_number) + 1)

    def load(self) -> Sequence[RoomRecord]:
        """All of them, by name."""
        return [self._records[name] for name in sorted(self._records)]

    def put(self, room: RoomRecord) -> Deferred[None]:
        """See L{IRooms.put}."""
        number = self._numbers.get(room.name)
        if number is not None:
            done = self._database.write(partial(_change_room, number, room))
        else:
            number, epoch = next(self._next), secrets.token_hex(4)
            done = self._database.write(partial(_add_room, number, room, epoch))
            self._numbers[room.name] = number
            self.logs[number] = SQLiteLog(self._database, self._messages, self._index, number, epoch)
        self._records[room.name] = room
        return done

    def drop(self, name: str) -> Deferred[None]:
        """See L{IRooms.drop}."""
        number = self._numbers.get(name)
        if number is None:
            return succeed(None)
        done = self._database.write(partial(_drop_room, number))
        del self._numbers[name], self._records[name], self.logs[number]
        return done

    def log(self, name: str) -> SQLiteLog:
        """See L{IRooms.log}."""
        return self.logs[self._numbers[name]]

    def _kept(self, values: Sequence[Any]) -> None:
        width = self._messages.width
        newest = dict(zip(values[::width], values[1::width], strict=True))
        for number, seq in newest.items():
            log = self.logs.get(number)
            if log is not None:
                log.kept_up_to(seq)

    def search(self, text: str, rooms: Collection[str], before: str | None, limit: int) -> Deferred[list[Chat]]:
        """See L{IRooms.search}."""
        wanted = _query(text)
        numbers = [self._numbers[name] for name in rooms if name in self._numbers]
        if wanted is None or not numbers:
            return succeed([])
        places = " OR ".join(f"room{number}" for number in numbers)
        search = partial(_search, f"room : ({places}) AND text : ({wanted})", before, limit)
        if not self._index.behind:
            return self._database.read(search)
        return self._index.catch_up().addCallback(lambda _: self._database.read(search))


def _query(text: str) -> str | None:
    """Words in the language of FTS5: each as a string, so that none of them means anything there."""
    words = re.findall(r"\w+", text)
    if not words:
        return None
    query = " AND ".join(f'"{word}"' for word in words)
    return f"{query} *" if len(words[-1]) >= SHORTEST_START else query


def _search(query: str, before: str | None, limit: int, cursor: Cursor) -> list[Chat]:
    last = 2**62
    if before is not None:
        epoch, _, seq = before.rpartition("-")
        cursor.execute(
            "SELECT id FROM messages WHERE seq = ? AND epoch = ? AND room IN "
            "(SELECT id FROM rooms WHERE epoch = ? UNION SELECT room FROM epochs WHERE epoch = ?)",
            (seq, epoch, epoch, epoch),
        )
        last = (cursor.fetchone() or (0,))[0]
    cursor.execute(
        f"{_MESSAGE} JOIN found ON found.rowid = m.id WHERE found MATCH ? AND found.rowid < ? "
        "ORDER BY found.rowid DESC LIMIT ?",
        (query, last, limit),
    )
    return [_chat(row) for row in cursor.fetchall()]


# At the start

_ROOM_FIELDS = RoomRecord.__struct_fields__


def _begin_epochs(cursor: Cursor) -> None:
    cursor.executescript(
        f"""
        BEGIN IMMEDIATE;
        INSERT INTO epochs (room, epoch, last)
            SELECT id, epoch, max(last, coalesce((SELECT max(seq) FROM messages WHERE room = rooms.id), 0)) FROM rooms;
        DELETE FROM epochs WHERE rowid NOT IN (
            SELECT rowid FROM epochs AS newer WHERE newer.room = epochs.room ORDER BY rowid DESC LIMIT {MOST_EPOCHS});
        UPDATE rooms SET epoch = lower(hex(randomblob(4)));
        COMMIT;
        """
    )


def _rooms(cursor: Cursor) -> list[tuple[int, RoomRecord, str, int, int, dict[str, int]]]:
    ended: dict[int, dict[str, int]] = {}
    for room, epoch, last in cursor.execute("SELECT room, epoch, last FROM epochs").fetchall():
        ended.setdefault(room, {})[epoch] = last
    cursor.execute(
        f"SELECT id, epoch, last, (SELECT max(seq) FROM messages WHERE room = rooms.id), "
        f"(SELECT min(seq) FROM messages WHERE room = rooms.id), {', '.join(_ROOM_FIELDS)} FROM rooms"
    )
    found = []
    for id, epoch, last, newest, oldest, name, topic, owner, created, slow, locked, read_only in cursor.fetchall():
        seq = max(last, newest or 0)
        record = RoomRecord(name, topic, owner, created, slow, bool(locked), bool(read_only))
        found.append((id, record, epoch, seq, oldest or seq + 1, ended.get(id, {})))
    return found


def _last_number(cursor: Cursor) -> int:
    cursor.execute("SELECT max(coalesce((SELECT max(id) FROM rooms), 0), coalesce((SELECT max(room) FROM dropped), 0))")
    (number,) = cursor.fetchone()
    return int(number)


# Changes


def _add_room(number: int, room: RoomRecord, epoch: str, cursor: Cursor) -> None:
    values = [getattr(room, field) for field in _ROOM_FIELDS]
    marks = ", ".join("?" * (len(values) + 2))
    cursor.execute(
        f"INSERT INTO rooms (id, epoch, {', '.join(_ROOM_FIELDS)}) VALUES ({marks})", (number, epoch, *values)
    )


def _change_room(number: int, room: RoomRecord, cursor: Cursor) -> None:
    assignments = ", ".join(f"{field} = ?" for field in _ROOM_FIELDS)
    values = [getattr(room, field) for field in _ROOM_FIELDS]
    cursor.execute(f"UPDATE rooms SET {assignments} WHERE id = ?", (*values, number))


def _drop_room(number: int, cursor: Cursor) -> None:
    cursor.execute("DELETE FROM rooms WHERE id = ?", (number,))
    cursor.execute("INSERT INTO dropped (room) VALUES (?)", (number,))  # what was said there goes by and by
