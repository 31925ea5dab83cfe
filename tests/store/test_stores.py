"""Tests of both stores: see L{tests.store.cases}."""

from __future__ import annotations

from netplay.store.memory import MemoryStore
from netplay.store.sqlite import SQLiteStore
from tests.store.cases import StoreCase, cases_of


def memory(case: StoreCase) -> MemoryStore:
    """Forgets."""
    return MemoryStore()


def sqlite(case: StoreCase) -> SQLiteStore:
    """In a file of its own."""
    return SQLiteStore(case.mktemp(), case.core)


globals().update(cases_of("Memory", memory))
globals().update(cases_of("SQLite", sqlite))
