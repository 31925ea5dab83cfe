"""Everything but rooms: what fits in a table."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator, Sequence
from heapq import nsmallest
from itertools import islice
from typing import Any, ClassVar

from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from netplay.store.bounds import CANDLES, DAY, MOST_MISSED, MOST_NOTES, MOST_REPORTS, MOST_SESSIONS, SCORE_DAYS
from netplay.store.interfaces import IAccounts, IAlerts, IAudit, ICandles, IReports, ISanctions, IScores, ISessions
from netplay.store.records import (
    AccountRecord,
    AlertRecord,
    AuditRecord,
    CandleRecord,
    MissedRecord,
    ReportRecord,
    SanctionRecord,
    ScoreRecord,
    SessionRecord,
)

MOST_CANDLES = 1000
"""Of one symbol and length."""

MOST_PLAYERS = 1000
"""The best of one score and day, of whom it is known what they have reached."""


@implementer(IAccounts)
class MemoryAccounts:
    """Who owns a name."""

    def __init__(self) -> None:
        self._accounts: dict[str, AccountRecord] = {}

    def find(self, skeleton: str) -> Deferred[AccountRecord | None]:
        """The account whose name looks like that."""
        return succeed(self._accounts.get(skeleton))

    def add(self, account: AccountRecord) -> Deferred[bool]:
        """Keep a new one."""
        if account.skeleton in self._accounts:
            return succeed(False)
        self._accounts[account.skeleton] = account
        return succeed(True)

    def change(self, skeleton: str, **fields: Any) -> Deferred[AccountRecord | None]:
        """Give some fields other values."""
        account = self._accounts.get(skeleton)
        if account is not None:
            account = self._accounts[skeleton] = replace(account, **fields)
        return succeed(account)

    def page(self, after: str | None, limit: int) -> Deferred[list[AccountRecord]]:
        """In the order of their skeletons."""
        later = (name for name in sorted(self._accounts) if after is None or name > after)
        return succeed([self._accounts[name] for name in islice(later, limit)])


@implementer(ISessions)
class MemorySessions:
    """What accounts come back to."""

    def __init__(self) -> None:
        self._by_key: dict[str, SessionRecord] = {}
        self._by_account: defaultdict[str, OrderedDict[str, None]] = defaultdict(OrderedDict)

    def put(self, session: SessionRecord) -> Deferred[None]:
        """Keep one."""
        self._by_key[session.key] = session
        own = self._by_account[session.account]
        own[session.key] = None
        own.move_to_end(session.key)
        if len(own) > MOST_SESSIONS:
            del self._by_key[own.popitem(last=False)[0]]
        return succeed(None)

    def find(self, key: str) -> Deferred[SessionRecord | None]:
        """The one of that key."""
        return succeed(self._by_key.get(key))

    def drop(self, key: str) -> Deferred[None]:
        """It is over."""
        session = self._by_key.pop(key, None)
        if session is not None:
            own = self._by_account[session.account]
            del own[key]
            if not own:
                del self._by_account[session.account]
        return succeed(None)

    def drop_all(self, account: str) -> Deferred[None]:
        """All of an account's are over."""
        for key in self._by_account.pop(account, ()):
            del self._by_key[key]
        return succeed(None)


class _ById:
    """Records by their id."""

    def __init__(self) -> None:
        self._records: dict[int, Any] = {}

    def load(self) -> Sequence[Any]:
        """All of them, in the order of their ids."""
        return [self._records[id] for id in sorted(self._records)]

    def put(self, record: Any) -> Deferred[None]:
        """Keep one, new or changed."""
        self._records[record.id] = record
        return succeed(None)

    def drop(self, id: int) -> Deferred[None]:
        """It is no more."""
        self._records.pop(id, None)
        return succeed(None)


@implementer(ISanctions)
class MemorySanctions(_ById):
    """Who is muted or banned: L{SanctionRecord}s."""

    _records: dict[int, SanctionRecord]


class _Newest:
    """
    Records that get an id when they are kept.

    @cvar most: how many stay.
    """

    most: ClassVar[int]

    def __init__(self) -> None:
        self._count = 0
        self._records: deque[Any] = deque()

    def note(self, record: Any) -> Deferred[None]:
        """Keep one."""
        self._count += 1
        self._records.append(replace(record, id=self._count))
        if len(self._records) > self.most:
            self._records.popleft()
        return succeed(None)

    def _older(self, before: int | None) -> Iterator[Any]:
        return (record for record in reversed(self._records) if before is None or record.id < before)


@implementer(IAudit)
class MemoryAudit(_Newest):
    """Who has done what to whom: the newest L{AuditRecord}s."""

    most = MOST_NOTES

    def page(self, before: int | None, limit: int) -> Deferred[list[AuditRecord]]:
        """The newest first."""
        return succeed(list(islice(self._older(before), limit)))


@implementer(IReports)
class MemoryReports(_Newest):
    """What was reported: the newest L{ReportRecord}s."""

    most = MOST_REPORTS

    def page(self, before: int | None, limit: int, room: str | None = None) -> Deferred[list[ReportRecord]]:
        """The newest first."""
        there = (record for record in self._older(before) if room in (None, record.room))
        return succeed(list(islice(there, limit)))


@implementer(IAlerts)
class MemoryAlerts(_ById):
    """The price alerts of accounts: L{AlertRecord}s."""

    _records: dict[int, AlertRecord]

    def __init__(self) -> None:
        super().__init__()
        self._count = 0
        self._missed: dict[str, deque[MissedRecord]] = {}

    def miss(self, missed: MissedRecord) -> Deferred[None]:
        """One has fired while its account was away."""
        self._count += 1
        kept = self._missed.setdefault(missed.account, deque(maxlen=MOST_MISSED))
        kept.append(replace(missed, id=self._count))
        return succeed(None)

    def missed(self, account: str) -> Deferred[list[MissedRecord]]:
        """What an account has missed."""
        return succeed(list(self._missed.get(account, ())))

    def told(self, account: str, id: int) -> Deferred[None]:
        """The account has been told."""
        missed = self._missed.get(account, deque())
        while missed and missed[0].id <= id:
            missed.popleft()
        if not missed:
            self._missed.pop(account, None)
        return succeed(None)


@implementer(ICandles)
class MemoryCandles:
    """How prices went: the newest candles of each length."""

    def __init__(self) -> None:
        self._candles: dict[tuple[str, int], deque[CandleRecord]] = {}

    def add(self, prices: Sequence[tuple[str, float]], at: int) -> Deferred[None]:
        """These symbols have these prices."""
        for symbol, price in prices:
            for seconds in CANDLES:
                candles = self._candles.setdefault((symbol, seconds), deque(maxlen=MOST_CANDLES))
                start = at // (seconds * 1000) * seconds * 1000
                last = candles[-1] if candles else None
                if last is None or start > last.at:
                    candles.append(CandleRecord(symbol, seconds, start, price, price, price, price))
                else:
                    high, low = max(last.high, price), min(last.low, price)
                    candles[-1] = replace(last, high=high, low=low, close=price)
        return succeed(None)

    def page(self, symbol: str, seconds: int, limit: int, since: int | None = None) -> Deferred[list[CandleRecord]]:
        """See L{ICandles.page}."""
        candles = list(self._candles.get((symbol, seconds), ()))
        if since is None:
            return succeed(candles[-limit:])
        return succeed(candles[bisect_right(candles, since, key=lambda candle: candle.at) :][:limit])


_Extremes = tuple[ScoreRecord, ScoreRecord]
"""The most and the least that somebody has reached."""


@implementer(IScores)
class MemoryScores:
    """
    What players have reached: the extremes of each, on each day and of all time. Who is not among the first at either
    end is forgotten, which changes nothing there: nobody gets into them without surpassing the last.
    """

    def __init__(self) -> None:
        self._scores: dict[tuple[str, str, int | None], dict[str, _Extremes]] = {}

    def add(self, scores: Sequence[ScoreRecord]) -> Deferred[None]:
        """See L{IScores.add}."""
        for record in scores:
            for day in (None, record.at // DAY):
                key = record.game, record.score, day
                players = self._scores.setdefault(key, {})
                most, least = players.get(record.who, (record, record))
                players[record.who] = (
                    record if record.value > most.value else replace(most, player=record.player),
                    record if record.value < least.value else replace(least, player=record.player),
                )
                if len(players) > 4 * MOST_PLAYERS:
                    first = _first(players, True, MOST_PLAYERS) + _first(players, False, MOST_PLAYERS)
                    self._scores[key] = {who: players[who] for who in first}
        oldest = max((record.at for record in scores), default=0) // DAY - SCORE_DAYS
        for key in [key for key in self._scores if key[2] is not None and key[2] <= oldest]:
            del self._scores[key]
        return succeed(None)

    def best(self, game: str, score: str, *, highest: bool, day: int | None, limit: int) -> Deferred[list[ScoreRecord]]:
        """See L{IScores.best}."""
        players = self._scores.get((game, score, day), {})
        return succeed([players[who][0 if highest else 1] for who in _first(players, highest, limit)])


def _first(players: dict[str, _Extremes], highest: bool, limit: int) -> list[str]:
    def rank(who: str) -> tuple[float, int]:
        most, least = players[who]
        return (-most.value, most.at) if highest else (least.value, least.at)

    return nsmallest(limit, players, rank)
