PRAGMA application_id = 1852861561;
PRAGMA user_version = 1;

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

INSERT INTO state VALUES ('clean', 1);
INSERT INTO rooms (id, name, topic, owner, epoch) VALUES (1, 'general', 'All and sundry', 'ann', '5eed');
INSERT INTO epochs VALUES (1, '01de', 0);
INSERT INTO dropped VALUES (2);
INSERT INTO messages (room, seq, epoch, at, user, emoji, text) VALUES
    (1, 1, '5eed', 1728000000000, 'Ann', '🦊', 'The quick brown fox'),
    (2, 1, '2222', 1728000000001, 'Bob', '🐻', 'A quick farewell');
INSERT INTO accounts VALUES ('ann', 'Ann', 1728000000000, NULL, '["operator"]', 0);
INSERT INTO sessions VALUES ('5e55', 'ann', 'chat', '{}', 1728000000000);
INSERT INTO sanctions VALUES (1, 'ban', 'network:192.0.2.0/24', NULL, NULL, 'spam', 'ann', 1728000000000);
INSERT INTO audit (at, by, action, target, detail) VALUES (1728000000000, 'ann', 'ban', 'network:192.0.2.0/24', 'spam');
INSERT INTO reports (at, by, room, seq, user, text, reason) VALUES
    (1728000000000, 'User_1', 'general', 1, 'Ann', 'The quick brown fox', 'rude');
INSERT INTO alerts VALUES (1, 'ann', 'ACME', 100.0, 'above', 1, 1);
INSERT INTO missed (account, at, body) VALUES ('ann', 1728000000000, '{}');
INSERT INTO candles VALUES ('ACME', 60, 1728000000, 1.0, 3.0, 0.5, 2.0);
INSERT INTO scores VALUES ('arena', 'kills', -1, 'account:ann', 'Ann', 'ann', 7, 1728000000000, 2, 1728000000001);
