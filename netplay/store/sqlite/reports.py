"""What was reported."""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import Deferred
from zope.interface import implementer

from netplay.store.bounds import MOST_REPORTS
from netplay.store.interfaces import IReports
from netplay.store.records import ReportRecord
from netplay.store.sqlite.newest import Newest


@implementer(IReports)
class SQLiteReports(Newest[ReportRecord]):
    """The newest reports. There are few enough of them to look through for those of one room."""

    table = "reports"
    record = ReportRecord
    most = MOST_REPORTS

    def page(self, before: int | None, limit: int, room: str | None = None) -> Deferred[list[ReportRecord]]:
        """See L{IReports.page}."""
        where = {} if room is None else {"room": room}
        return self._database.read(partial(self._page, before, limit, where))
