"""
The tables, and how those of an older version become those of the present one.

C{application_id} says that a file is a store of netplay's, C{user_version} which version of it. A migration is a
script; once it was in a release it never changes.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from netplay.store.errors import CannotOpen

APPLICATION_ID = 0x6E706C79
"""C{nply}"""

MIGRATIONS = (
    """
    CREATE TABLE state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
    INSERT INTO state VALUES ('indexed', 0);  -- the id up to which messages can be found by their words

    CREATE TABLE rooms (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        topic TEXT NOT NULL DEFAULT '',
        owner TEXT,
        created INTEGER NOT NULL DEFAULT 0,
        slow REAL NOT NULL DEFAULT 0,
        locked INTEGER NOT NULL DEFAULT 0,
        read_only INTEGER NOT NULL DEFAULT 0,
        epoch TEXT NOT NULL,
        last INTEGER NOT NULL DEFAULT 0  -- the newest number that was deleted: numbers go on behind it
    );
    CREATE TABLE epochs (  -- that have ended, and with which number
        room INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
        epoch TEXT NOT NULL,
        last INTEGER NOT NULL,
        PRIMARY KEY (room, epoch)
    );
    CREATE TABLE dropped (room INTEGER PRIMARY KEY);  -- rooms that are gone, while what was said there is not yet
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        room INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        epoch TEXT NOT NULL,
        at INTEGER NOT NULL,
        user TEXT NOT NULL,
        emoji TEXT NOT NULL,
        text TEXT NOT NULL,
        deleted INTEGER NOT NULL DEFAULT 0
    );
    CREATE UNIQUE INDEX messages_by_seq ON messages (room, seq);
    -- The room is a word of its own, so that a search in one room does not look through all others.
    -- Beginnings are indexed: otherwise all words that begin so are merged before the first message is found.
    CREATE VIEW searchable AS SELECT id, 'room' || room AS room, text FROM messages;
    -- Neither ranks nor phrases are asked for.
    CREATE VIRTUAL TABLE found USING fts5 (
        room, text, content = 'searchable', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2',
        prefix = '3 4 5 6', columnsize = 0, detail = column
    );
    CREATE TRIGGER messages_removed AFTER DELETE ON messages
    WHEN old.id <= (SELECT value FROM state WHERE name = 'indexed') BEGIN
        INSERT INTO found (found, rowid, room, text) VALUES ('delete', old.id, 'room' || old.room, old.text);
    END;
    CREATE TRIGGER messages_changed AFTER UPDATE ON messages
    WHEN old.id <= (SELECT value FROM state WHERE name = 'indexed') BEGIN
        INSERT INTO found (found, rowid, room, text) VALUES ('delete', old.id, 'room' || old.room, old.text);
        INSERT INTO found (rowid, room, text) VALUES (new.id, 'room' || new.room, new.text);
    END;

    CREATE TABLE accounts (
        skeleton TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        created INTEGER NOT NULL,
        password TEXT,
        roles TEXT NOT NULL DEFAULT '[]',
        disabled INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE sessions (
        key TEXT PRIMARY KEY,
        account TEXT NOT NULL,
        feature TEXT NOT NULL,
        state BLOB NOT NULL,
        used INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX sessions_by_account ON sessions (account, used);
    CREATE TABLE sanctions (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        target TEXT NOT NULL,
        room TEXT,
        until INTEGER,
        reason TEXT NOT NULL,
        by TEXT NOT NULL,
        at INTEGER NOT NULL
    );
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        by TEXT NOT NULL,
        action TEXT NOT NULL,
        target TEXT NOT NULL,
        detail TEXT NOT NULL
    );
    CREATE TABLE reports (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        by TEXT NOT NULL,
        room TEXT NOT NULL,
        seq INTEGER NOT NULL,
        user TEXT NOT NULL,
        text TEXT NOT NULL,
        reason TEXT NOT NULL
    );
    CREATE TABLE alerts (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL,
        symbol TEXT NOT NULL,
        threshold REAL NOT NULL,
        direction TEXT NOT NULL,
        once INTEGER NOT NULL,
        armed INTEGER NOT NULL
    );
    CREATE TABLE missed (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL,
        at INTEGER NOT NULL,
        body BLOB NOT NULL
    );
    CREATE INDEX missed_by_account ON missed (account, id);
    CREATE TABLE candles (
        symbol TEXT NOT NULL,
        seconds INTEGER NOT NULL,
        at INTEGER NOT NULL,
        open REAL NOT NULL,
        high REAL NOT NULL,
        low REAL NOT NULL,
        close REAL NOT NULL,
        PRIMARY KEY (symbol, seconds, at)
    ) WITHOUT ROWID;
    CREATE TABLE scores (  -- the extremes of each player, on each day and (day -1) of all time
        game TEXT NOT NULL,
        score TEXT NOT NULL,
        day INTEGER NOT NULL,
        who TEXT NOT NULL,
        player TEXT NOT NULL,
        account TEXT,
        most REAL NOT NULL,
        most_at INTEGER NOT NULL,
        least REAL NOT NULL,
        least_at INTEGER NOT NULL,
        PRIMARY KEY (game, score, day, who)
    ) WITHOUT ROWID;
    CREATE INDEX scores_by_most ON scores (game, score, day, most DESC, most_at);
    CREATE INDEX scores_by_least ON scores (game, score, day, least, least_at);
    CREATE INDEX scores_by_day ON scores (day);
    """,
)
"""From each version to the next; a new file goes through all of them."""

VERSION = len(MIGRATIONS)


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """
    Which version a file is of; 0 for an empty one.

    @raise CannotOpen: it is no store, or that of a newer netplay.
    """
    (identity,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if identity != APPLICATION_ID and (tables or version or identity):
        raise CannotOpen(f"{path} is a database of something else; give another, such as --store sqlite:netplay.sqlite")
    if version > VERSION:
        raise CannotOpen(
            f"{path} was written by a newer netplay (version {version} of the store; this one knows {VERSION}); "
            "update netplay, or give another file"
        )
    return int(version)


def check_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """
    Leave it to the daemon to change an older one: it may be the older one that runs.

    @raise CannotOpen: it is not of the present version, or no store.
    """
    if version_of(connection, path) != VERSION:
        raise CannotOpen(f"{path} is of an older netplay; start the daemon (`netplay run`), which brings it up to date")


def bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """
    Make the tables, or change those of an older version, all or nothing. Before that, a copy of the file is put
    beside it.

    @raise CannotOpen: it is no store, or that of a newer netplay.
    """
    version = version_of(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    if version == VERSION:
        return
    if version:
        copy = Path(f"{path}.before-v{VERSION}")
        copy.unlink(missing_ok=True)
        connection.execute("VACUUM INTO ?", (str(copy),))
        copy.chmod(0o600)
    script = "".join(
        f"{migration}; PRAGMA user_version = {number};"
        for number, migration in enumerate(MIGRATIONS[version:], version + 1)
    )
    try:
        connection.executescript(f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID}; {script} COMMIT;")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
