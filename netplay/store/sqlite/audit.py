"""Who has done what to whom."""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import Deferred
from zope.interface import implementer

from netplay.store.bounds import MOST_NOTES
from netplay.store.interfaces import IAudit
from netplay.store.records import AuditRecord
from netplay.store.sqlite.newest import Newest


@implementer(IAudit)
class SQLiteAudit(Newest[AuditRecord]):
    """The newest entries."""

    table = "audit"
    record = AuditRecord
    most = MOST_NOTES

    def page(self, before: int | None, limit: int) -> Deferred[list[AuditRecord]]:
        """See L{IAudit.page}."""
        return self._database.read(partial(self._page, before, limit, {}))
