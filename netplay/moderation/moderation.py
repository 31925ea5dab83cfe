"""What is decided about people, applied and kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from netplay.beat import Beat
from netplay.errors import Refused
from netplay.moderation.interfaces import IWordFilter
from netplay.moderation.sanctions import Kind, Sanctions, Who, by_account, holds
from netplay.store.records import AuditRecord, SanctionRecord
from netplay.text import same_name

if TYPE_CHECKING:
    from netplay.accounts.account import Account
    from netplay.connection import Connection
    from netplay.core import Core

LOOK_EVERY = 60.0
"""Seconds from one look for sanctions that have ended to the next."""

LONGEST = 10 * 366 * 24 * 3600
"""Seconds of a sanction that has an end."""


class Moderation(Service):
    """
    The sanctions of one daemon, kept in its store, and the audit log of everything that is decided.

    @ivar sanctions: those that last.
    @ivar word_filter: looks at what is said, if there is one.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self.sanctions = Sanctions()
        self.word_filter: IWordFilter | None = None
        self._beat = Beat(core.clock, LOOK_EVERY, self._forget_ended, "moderation: while looking for what has ended")

    def startService(self) -> None:
        """Know what was decided before."""
        super().startService()
        for record in self._core.store.sanctions.load():
            self.sanctions.know(record)
        self._beat.start()

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()
        self._beat.stop()

    def _forget_ended(self) -> None:
        self._drop(self.sanctions.take_ended(self._core.now()))

    def forget_room(self, room: str) -> None:
        """A room has gone: what was decided there does not hold in a later one of that name."""
        self._drop(self.sanctions.take_room(room))

    def _drop(self, records: Iterable[SanctionRecord]) -> None:
        for record in records:
            self._core.keeping.keep("sanctions", self._core.store.sanctions.drop, record.id)

    # Who may do what

    def check_address(self, host: str) -> None:
        """
        Whether a peer may come in.

        @param host: its address as text.
        @raise Refused: C{banned}, with C{retry_after} in seconds if that ends.
        """
        self._check("ban", Who(address=host), None, "your address may not connect")

    def check_account(self, account: Account) -> None:
        """
        Whether an account may be used.

        @raise Refused: C{banned}.
        """
        self._check("ban", Who(account=account.name), None, "this account may not be used")

    def check_name(self, name: str) -> None:
        """
        Whether anybody may be called that.

        @raise Refused: C{banned}.
        """
        self._check("ban", Who(name=name), None, "that name may not be used")

    def check_enter(self, who: Who, room: str) -> None:
        """
        Whether somebody may come into a room.

        @raise Refused: C{banned}.
        """
        self._check("ban", who, room, f"you may not come into {room}")

    def check_speak(self, who: Who, room: str | None = None) -> None:
        """
        Whether somebody may say something, in a room or to a person.

        @raise Refused: C{muted}, with C{retry_after} in seconds if that ends.
        """
        self._check("mute", who, room, "you may not speak" + ("" if room is None else f" in {room}"))

    def _check(self, kind: Kind, who: Who, room: str | None, text: str) -> None:
        now = self._core.now()
        record = self.sanctions.find(kind, who, room, now)
        if record is None:
            return
        text += "" if record.until is None else " for now"
        raise Refused(
            "muted" if kind == "mute" else "banned",
            f"{text}: {record.reason}" if record.reason else text,
            retry_after=None if record.until is None else (record.until - now) / 1000,
        )

    def cleaned(self, text: str) -> str:
        """
        What is said in the place of a text.

        @raise Refused: nothing is.
        """
        return text if self.word_filter is None else self.word_filter.clean(text)

    # What is decided

    def impose(
        self, kind: Kind, target: str, room: str | None, seconds: float | None, reason: str, by: str
    ) -> tuple[SanctionRecord, Deferred[None]]:
        """
        Mute or ban somebody, at once. The Deferred fires when that is kept.

        @param seconds: for how long, C{None} for good.
        @raise Refused: C{too_many}, C{store_busy}.
        """
        now = self._core.now()
        until = None if seconds is None else now + round(seconds * 1000)
        before = self.sanctions.get(kind, target, room)
        record = self.sanctions.impose(kind, target, room, until, reason, by, now)
        how_long = "for good" if seconds is None else f"for {seconds:g} s"
        kept = self._keep(record, before)
        self.note(by, kind, target, ", ".join(filter(None, (room and f"in {room}", how_long, reason))))
        return record, kept

    def lift(self, kind: Kind, target: str, room: str | None, by: str) -> Deferred[None] | None:
        """
        End a sanction before its time. The Deferred fires when that is kept; C{None} if there is no such sanction.

        @raise Refused: C{store_busy}.
        """
        record = self.sanctions.get(kind, target, room)
        if record is None:
            return None
        kept: Deferred[None] = self._core.store.sanctions.drop(record.id)
        self.sanctions.lift(kind, target, room)
        self.note(by, f"un{kind}", target, f"in {room}" if room else "")
        return kept

    def _keep(self, record: SanctionRecord, before: SanctionRecord | None) -> Deferred[None]:
        try:
            return self._core.store.sanctions.put(record)
        except Refused:
            if before is None:
                self.sanctions.lift(record.kind, record.target, record.room)
            else:
                self.sanctions.know(before)
            raise

    def note(self, by: str, action: str, target: str, detail: str = "") -> None:
        """Write something into the audit log. Nobody waits for it."""
        entry = AuditRecord(self._core.now(), by, action, target, detail)
        self._core.keeping.keep("audit", self._core.store.audit.note, entry)

    # Those who are here

    def here(self) -> Iterable[Connection]:
        """All connections that are served, in the order of their coming."""
        serving = [connection for connection in self._core.watch.connections if connection.serving]
        return sorted(serving, key=lambda connection: connection.number)

    def meant(self, target: str) -> list[Connection]:
        """The connections that a target means."""
        return [connection for connection in self.here() if _means(target, connection)]

    def end(self, connections: Iterable[Connection], refused: Refused) -> None:
        """End connections, and say why."""
        for connection in connections:
            self._core.complaints.note(refused.code)
            # In a turn of its own: it may be the one that asks for this, and is to be answered.
            self._core.clock.callLater(0, connection.end, refused)

    def kick(self, connections: Iterable[Connection], whom: str, reason: str, by: str) -> None:
        """
        End connections of somebody, who may come again.

        @param whom: for the audit log.
        """
        self.end(connections, Refused("kicked", reason or f"removed by {by}"))
        self.note(by, "kick", whom, reason)

    def banish(
        self, target: str, seconds: float | None, reason: str, by: str
    ) -> tuple[SanctionRecord, int, Deferred[None]]:
        """
        Ban somebody from everywhere, and end the connections that are there.

        @return: the ban, how many connections end, and a Deferred that fires when it is kept.
        """
        record, kept = self.impose("ban", target, None, seconds, reason, by)
        meant = self.meant(target)
        self.end(meant, Refused("banned", reason or "you may not be here for now", retry_after=seconds))
        return record, len(meant), kept


def _means(target: str, connection: Connection) -> bool:
    kind, _, text = target.partition(":")
    if kind == "network":
        return connection.address is not None and holds(target, connection.address)
    if kind == "account":
        return connection.account is not None and by_account(connection.account.name) == target
    people = (client.session.identity() for client in connection.clients())
    return any(you is not None and same_name(you.name) == text for you in people)
