"""Alerts on their way to those who have set them, whether they are here, away for a while, or away for long."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from twisted.internet.defer import Deferred, succeed

from netplay.core import Core
from netplay.errors import Refused
from netplay.people import Person
from netplay.store.bounds import MOST_MISSED
from netplay.store.records import AlertRecord, MissedRecord
from netplay.ticker.alerts import Alert, Alerts
from netplay.ticker.market import Quote
from netplay.ticker.messages import Alerted
from netplay.times import iso
from netplay.wire.codecs import JSON

if TYPE_CHECKING:
    from netplay.clients import Client
    from netplay.ticker.session import TickerSession


class Holder(NamedTuple):
    """An account as the owner of alerts; guests own theirs by their id."""

    account: str


def owner_of(person: Person) -> Hashable:
    """Whose alerts somebody sets: all connections of an account have them in common."""
    return person.id if person.account is None else Holder(person.account.name)


class Notices:
    """
    Who is told of which alert. What a guest has missed is in memory, as all that is a guest's; the alerts of accounts
    and what they have missed are in the store.

    Nothing that has fired is lost: in the store an alert of an account stays armed until the system has taken the
    message for one of the account's connections, or until the store has it as missed; and what was missed stays there
    until it has been taken. Should the daemon be killed in between, it is told a second time, rather than never.
    """

    def __init__(self, alerts: Alerts, core: Core) -> None:
        self._alerts = alerts
        self._core = core
        self._here: dict[Hashable, dict[TickerSession, None]] = {}
        self._missed: dict[Hashable, list[Alerted]] = {}
        self._telling: set[Holder] = set()

    def load(self) -> None:
        """Watch for the alerts that accounts have set before the daemon began."""
        for kept in self._core.store.alerts.load():
            alert = Alert(str(kept.id), kept.symbol, kept.threshold, kept.direction, kept.once, kept.armed)
            self._alerts.add(Holder(kept.account), alert)

    # Who is here

    def arrived(self, session: TickerSession) -> None:
        """From now on a session hears the alerts of whom it serves; and now, what that one has missed."""
        owner = owner_of(session.person)
        self._here.setdefault(owner, {})[session] = None
        for alerted in self._missed.pop(owner, ()):
            session.client.send(alerted)
        if isinstance(owner, Holder) and owner not in self._telling:
            self._telling.add(owner)
            self._core.keeping.keep("missed alerts", Deferred.fromCoroutine, self._tell_missed(owner))

    def departed(self, session: TickerSession) -> None:
        """That session hears them no more."""
        owner = owner_of(session.person)
        del self._here[owner][session]
        if not self._here[owner]:
            del self._here[owner]

    def forget(self, person: Person) -> None:
        """That person will not come back. An account has what it has."""
        if person.account is None:
            self._alerts.forget(person.id)
            self._missed.pop(person.id, None)

    def hand_over(self, guest: Hashable, account: Hashable) -> None:
        """What a guest has set belongs to the account as which it has logged in."""
        if isinstance(account, Holder) and not isinstance(guest, Holder):
            for alert in self._alerts.hand_over(guest, account):
                self._core.keeping.keep("alerts", self._keep, account, alert)

    # Setting and taking back

    def set(
        self,
        person: Person,
        symbol: str,
        *,
        above: float | None = None,
        below: float | None = None,
        once: bool = False,
        price_now: float,
    ) -> Deferred[Alert]:
        """
        As L{Alerts.set}. The Deferred fires when that is kept.

        @raise Refused: C{bad_message}, C{too_many}, C{store_busy}.
        """
        owner = owner_of(person)
        alert = self._alerts.set(owner, symbol, above=above, below=below, once=once, price_now=price_now)
        if not isinstance(owner, Holder):
            return succeed(alert)
        try:
            kept = self._keep(owner, alert)
        except Refused:
            self._alerts.cancel(owner, alert.id)
            raise
        return kept.addCallback(lambda _: alert)

    def cancel(self, person: Person, alert_id: str) -> Deferred[None]:
        """
        As L{Alerts.cancel}. The Deferred fires when that is kept.

        @raise Refused: C{bad_message}, C{store_busy}.
        """
        owner = owner_of(person)
        alert = self._alerts.get(owner, alert_id)
        kept = self._core.store.alerts.drop(int(alert.id)) if isinstance(owner, Holder) else succeed(None)
        self._alerts.cancel(owner, alert_id)
        return kept

    def of(self, person: Person) -> list[Alert]:
        """What somebody has set, oldest first."""
        return self._alerts.of(owner_of(person))

    def _keep(self, owner: Holder, alert: Alert) -> Deferred[None]:
        """Let the store have it as it is now, or no more."""
        number = int(alert.id)
        if alert not in self._alerts.of(owner):
            return self._core.store.alerts.drop(number)
        kept = AlertRecord(
            owner.account, number, alert.symbol, alert.threshold, alert.direction, alert.once, alert.armed
        )
        return self._core.store.alerts.put(kept)

    # Telling

    def crossed(self, quote: Quote, wall: float) -> None:
        """A symbol has a new price, at so many seconds since 1970."""
        fired, armed = self._alerts.crossed(quote.symbol, quote.price)
        for owner, alert in armed:
            if isinstance(owner, Holder):
                self._core.keeping.keep("alerts", self._keep, owner, alert)
        for owner, alert in fired:
            alerted = Alerted(
                alert=alert.id,
                symbol=quote.symbol,
                price=quote.price,
                threshold=alert.threshold,
                direction=alert.direction,
                timestamp=iso(wall),
                at=int(wall * 1000),
            )
            if isinstance(owner, Holder):
                self._core.keeping.keep("alerts", Deferred.fromCoroutine, self._fire(owner, alert, alerted))
            elif owner in self._here:
                self._send(owner, [alerted])
            else:
                self._miss(owner, alerted)

    async def _fire(self, owner: Holder, alert: Alert, alerted: Alerted) -> None:
        core = self._core
        if not await self._taken(owner, [alerted]):
            missed = MissedRecord(owner.account, alerted.at, JSON.encode(alerted))
            if not core.keeping.keep("missed alerts", core.store.alerts.miss, missed):
                self._miss(owner, alerted)
                return  # it stays armed in the store
        await self._keep(owner, alert)

    async def _tell_missed(self, owner: Holder) -> None:
        try:
            missed = await self._core.store.alerts.missed(owner.account)
            if missed and await self._taken(owner, [msgspec.json.decode(one.body, type=Alerted) for one in missed]):
                await self._core.store.alerts.told(owner.account, missed[-1].id)
        finally:
            self._telling.discard(owner)

    async def _taken(self, owner: Hashable, messages: Sequence[Alerted]) -> bool:
        """Tell all who are here; whether one of them could take it."""
        for client in self._send(owner, messages):
            await client.drained()
            if not client.lagging:
                return True
        return False

    def _send(self, owner: Hashable, messages: Sequence[Alerted]) -> list[Client]:
        clients = [session.client for session in self._here.get(owner, ())]
        for client in clients:
            for alerted in messages:
                client.send(alerted)
        return clients

    def _miss(self, owner: Hashable, alerted: Alerted) -> None:
        missed = self._missed.setdefault(owner, [])
        missed.append(alerted)
        del missed[:-MOST_MISSED]
