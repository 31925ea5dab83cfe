"""A copy of a store, taken while a daemon uses it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from netplay.store.errors import CannotOpen
from netplay.store.sqlite.schema import version_of


def back_up(source: Path, copy: Path) -> None:
    """
    Copy all that was kept at one moment, with SQLite's U{online backup <https://www.sqlite.org/backup.html>}: the
    daemon goes on meanwhile. The copy is there as a whole or not at all, and only its owner may read it.

    What it was made from goes on after it, so whoever starts with it begins new epochs, as after a crash.

    @raise CannotOpen: there is no store of netplay's, or it cannot be copied there; says why.
    """
    if not source.is_file():
        raise CannotOpen(f"--store sqlite:{source}: there is no such store; type where it is, --store sqlite:PATH")
    if copy.exists():
        raise CannotOpen(f"backup {copy}: there is such a file already; give another name")
    unfinished = copy.with_name(f"{copy.name}.unfinished")
    try:
        os.close(os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        try:
            _copy(source, unfinished)
            unfinished.replace(copy)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise CannotOpen(f"backup {copy}: it cannot be written ({error.strerror})") from None
    except sqlite3.DatabaseError as error:
        raise CannotOpen(f"backup {copy}: {source} cannot be copied there ({error})") from None


def _copy(source: Path, copy: Path) -> None:
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True)) as store,
        closing(sqlite3.connect(copy, isolation_level=None)) as target,
    ):
        if not version_of(store, source):
            raise CannotOpen(f"--store sqlite:{source}: there is nothing in it yet")
        store.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, and nothing beside it
        target.execute("DELETE FROM state WHERE name = 'clean'")
