"""
The seam of stores: what is kept, without a word about how.

What is read at the start (C{load}) is read there and then, before anyone is served; everything else takes as long as
it takes. A Deferred of what changes something fires when that is kept: after it, the change is there whatever
happens to the daemon. Until then it fires an errback with L{netplay.errors.Refused} C{store_busy} if it cannot be
kept just now. C{store_busy} is raised at once, with nothing done, when more waits to be kept than may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.application.service import IService
from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path
    from typing import Any

    from twisted.internet.defer import Deferred

    from netplay.core import Core
    from netplay.messages import Chat, Position
    from netplay.store.records import (
        AccountRecord,
        AlertRecord,
        AuditRecord,
        CandleRecord,
        MissedRecord,
        ReportRecord,
        RoomRecord,
        SanctionRecord,
        ScoreRecord,
        SessionRecord,
    )


class IStorePlugin(Interface):
    """Makes stores, found as a plugin: C{--store NAME:ARGUMENT}."""

    name: str = Attribute("What stands before the colon.")
    usage: str = Attribute("What to type, such as C{csv:PATH}.")

    def build(argument: str, core: Core) -> IStore:
        """
        Make a store from what stands after the colon. Nothing is opened yet.

        @raise twisted.python.usage.UsageError: that makes no sense; says what would.
        """

    def beside(argument: str, core: Core) -> IStore:
        """
        The same store for a command, beside the daemon whose it is: rooms, alerts, candles and scores are left alone.

        @raise twisted.python.usage.UsageError: nobody but the daemon can use it; says what to do instead.
        """

    def back_up(argument: str, copy: Path) -> None:
        """
        Make a file that has all that is kept, beside the daemon or without it; with it in place of the store,
        everything is as it was.

        @raise twisted.python.usage.UsageError: that is not possible; says why.
        """


class IStore(IService):
    """
    Where things are kept. C{startService} opens it there and then, or raises L{netplay.store.errors.CannotOpen}: a
    store that cannot be used ends the start. C{stopService} fires when everything that waited is kept.
    """

    rooms: IRooms = Attribute("The rooms of chat, and what was said in them.")
    accounts: IAccounts = Attribute("Who owns a name.")
    sessions: ISessions = Attribute("What accounts come back to.")
    sanctions: ISanctions = Attribute("Who is muted or banned.")
    audit: IAudit = Attribute("Who has done what to whom.")
    reports: IReports = Attribute("What was reported.")
    alerts: IAlerts = Attribute("The price alerts of accounts.")
    candles: ICandles = Attribute("How prices went.")
    scores: IScores = Attribute("What players have reached.")
    waiting: int = Attribute("How many changes wait to be kept.")


class IRoomLog(Interface):
    """
    What was said in one room, numbered. The log numbers a message at once; keeping it may take longer.
    """

    epoch: str = Attribute(
        "Unlike that of any other room. Changes when numbers may be lost; goes on from the last kept."
    )
    seq: int = Attribute("The number of the newest message, 0 before the first.")

    def append(body: Chat) -> None:
        """
        Number C{body} (sets its C{seq}, and its C{id} to C{EPOCH-SEQ}) at once. It will be kept by and by, soon if
        somebody waits for that.

        @raise netplay.errors.Refused: C{store_busy}; then it has no number.
        """

    def kept() -> Deferred[None]:
        """Fires when all that was numbered up to now is kept."""

    def page(before: int | None, after: int | None, limit: int) -> Deferred[list[Chat]]:
        """
        At most C{limit} messages, oldest first: the newest, the newest of those before a number, or the oldest of
        those after one. What is numbered is there, whether it is kept yet or not.
        """

    def recovers(since: Position) -> bool:
        """Whether everything after C{since} is still there."""

    def delete(seq: int) -> Deferred[Chat | None]:
        """
        Empty a message: its number stays, with no text and C{deleted} set. The Deferred has what is left of it, or
        C{None} if there is no such message.
        """


class IRooms(Interface):
    """The rooms of chat, and what was said in them."""

    def load() -> Sequence[RoomRecord]:
        """All of them, by name."""

    def put(room: RoomRecord) -> Deferred[None]:
        """Keep a room, new or changed."""

    def drop(name: str) -> Deferred[None]:
        """The room is gone, with its log. One made later under its name is another."""

    def log(name: str) -> IRoomLog:
        """The log of a room that was loaded or put."""

    def search(text: str, rooms: Collection[str], before: str | None, limit: int) -> Deferred[list[Chat]]:
        """
        At most C{limit} messages in these rooms that have all words of C{text}, the last as the beginning of one,
        newest first.

        @param before: the C{id} of a message: only what is older.
        """


class IAccounts(Interface):
    """Who owns a name."""

    def find(skeleton: str) -> Deferred[AccountRecord | None]:
        """The account whose name looks like that."""

    def add(account: AccountRecord) -> Deferred[bool]:
        """Keep a new one; C{False} if there is one whose name looks the same."""

    def change(skeleton: str, **fields: Any) -> Deferred[AccountRecord | None]:
        """
        Give some fields of an account other values. The rest of it stays as it is there and then, whoever has changed
        that meanwhile. The Deferred has what it is now, C{None} if there is no such account.
        """

    def page(after: str | None, limit: int) -> Deferred[list[AccountRecord]]:
        """In the order of their skeletons, from behind the one with C{after}."""


class ISessions(Interface):
    """What accounts come back to; the most that one may have are kept, the last used of them."""

    def put(session: SessionRecord) -> Deferred[None]:
        """Keep one, new or changed."""

    def find(key: str) -> Deferred[SessionRecord | None]:
        """The one of that key."""

    def drop(key: str) -> Deferred[None]:
        """It is over."""

    def drop_all(account: str) -> Deferred[None]:
        """All of an account's are over."""


class ISanctions(Interface):
    """Who is muted or banned."""

    def load() -> Sequence[SanctionRecord]:
        """All of them, in the order of their ids; the ended ones may be among them."""

    def put(sanction: SanctionRecord) -> Deferred[None]:
        """Keep one, new or changed."""

    def drop(id: int) -> Deferred[None]:
        """It is lifted, or has ended."""


class IAudit(Interface):
    """Who has done what to whom."""

    def note(entry: AuditRecord) -> Deferred[None]:
        """Keep one."""

    def page(before: int | None, limit: int) -> Deferred[list[AuditRecord]]:
        """The newest, or the newest of those before an id; newest first."""


class IReports(Interface):
    """
    Messages that were reported. Anybody may, so they have a bound of their own: no number of them leaves less of the
    audit log.
    """

    def note(report: ReportRecord) -> Deferred[None]:
        """Keep one."""

    def page(before: int | None, limit: int, room: str | None = None) -> Deferred[list[ReportRecord]]:
        """The newest, or the newest of those before an id, of one room or of all; newest first."""


class IAlerts(Interface):
    """The price alerts of accounts."""

    def load() -> Sequence[AlertRecord]:
        """All of them, in the order of their ids."""

    def put(alert: AlertRecord) -> Deferred[None]:
        """Keep one, new or changed."""

    def drop(id: int) -> Deferred[None]:
        """It is cancelled, or has fired for the last time."""

    def miss(missed: MissedRecord) -> Deferred[None]:
        """One has fired while its account was away; the newest hundred of an account are kept."""

    def missed(account: str) -> Deferred[list[MissedRecord]]:
        """What an account has missed and was not told yet, oldest first: all that was said by L{miss} before this."""

    def told(account: str, id: int) -> Deferred[None]:
        """The account has been told what it had missed up to this one: that is kept no more."""


class ICandles(Interface):
    """How prices went, in candles of a second, a minute and an hour."""

    def add(prices: Sequence[tuple[str, float]], at: int) -> Deferred[None]:
        """These symbols have these prices from C{at} on: they are in the candles of all three lengths."""

    def page(symbol: str, seconds: int, limit: int, since: int | None = None) -> Deferred[list[CandleRecord]]:
        """
        Candles of one length (1, 60 or 3600 seconds), oldest first: the newest, or the oldest of those that begin
        after C{since}.
        """


class IScores(Interface):
    """What players have reached."""

    def add(scores: Sequence[ScoreRecord]) -> Deferred[None]:
        """Keep the scores of a round."""

    def best(game: str, score: str, *, highest: bool, day: int | None, limit: int) -> Deferred[list[ScoreRecord]]:
        """
        The best of each player (an account, or a guest by name), the best first; of two that are as good, the older.

        @param highest: whether more is better.
        @param day: of that day only, in days since 1970, UTC; C{None} for all time. Days are forgotten after a month.
        """
