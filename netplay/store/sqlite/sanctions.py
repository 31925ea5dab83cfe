"""Who is muted or banned."""

from __future__ import annotations

from zope.interface import implementer

from netplay.store.interfaces import ISanctions
from netplay.store.records import SanctionRecord
from netplay.store.sqlite.byid import ById


@implementer(ISanctions)
class SQLiteSanctions(ById[SanctionRecord]):
    """All sanctions."""

    table = "sanctions"
    record = SanctionRecord
