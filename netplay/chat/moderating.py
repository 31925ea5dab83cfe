"""What those who keep order in chat ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict
from twisted.internet.defer import Deferred

from netplay.accounts.account import Account
from netplay.chat import order
from netplay.chat.moderating_messages import (
    AskAudit,
    AskReports,
    AskSanctions,
    AuditList,
    Ban,
    Delete,
    Kick,
    LockRoom,
    Mute,
    ReadOnly,
    Report,
    ReportLine,
    ReportList,
    SanctionLine,
    SanctionList,
    SlowMode,
    Unban,
    Unmute,
)
from netplay.chat.rules import Room
from netplay.errors import Refused
from netplay.messages import Event, Request
from netplay.moderation.operations import audit_line
from netplay.moderation.sanctions import Kind, by_account, by_name, by_network, network_named
from netplay.store.records import ReportRecord, SanctionRecord
from netplay.text import clean_name

if TYPE_CHECKING:
    from netplay.chat.session import ChatSession

PAGE = 100
"""Entries in one reply, at most."""

MOST_REPORTS = 20
"""From one connection."""

# Who may


def _account(session: ChatSession) -> Account:
    account = session.client.account
    if account is None:
        raise Refused("not_allowed", "that is for moderators; log in first")
    return account


def _room(session: ChatSession, name: str) -> Room:
    room = session.chat.rooms.get(name)
    room.check_keeper(session.client.account)
    return room


def _somewhere(session: ChatSession, name: str | None, *, operators: bool = False) -> Room | None:
    """
    The room in which something is to hold, C{None} for everywhere, if that may be decided by who asks.

    @raise Refused: C{not_allowed}, C{no_such_room}.
    """
    if name is not None:
        return _room(session, name)
    account = _account(session)
    if not (account.operator if operators else account.may_moderate(None)):
        who = "operators" if operators else "those who moderate all rooms"
        raise Refused("not_allowed", f"everywhere, that is for {who}; name a room", "$.room")
    return None


def _rank(account: Account | None, room: Room | None) -> int:
    if account is None:
        return 0
    if account.operator:
        return 3
    return 2 if account.may_moderate(None) else int(room is not None and room.kept_by(account))


def _check_above(session: ChatSession, other: Account | None, room: Room | None) -> None:
    if _rank(other, room) >= _rank(session.client.account, room):
        raise Refused("not_allowed", "they keep order as you do; that is for those above both of you", "$.user")


# Whom


async def _meant(session: ChatSession, user: str) -> tuple[str, Account | None]:
    """
    Whom a sanction is to be of: an account; a guest who is here by where it is, because a name is soon changed;
    a guest who is not here by its name.
    """
    here = session.chat.find(user)
    if here:
        account, address = here[0].client.account, here[0].client.connection.address
        if account is not None:
            return by_account(account.name), account
        if address is not None:
            return by_network(network_named(address)), None
        return by_name(here[0].member.person.name), None
    account = await session.core.accounts.find(user)
    return (by_name(clean_name(user, "$.user")), None) if account is None else (by_account(account.name), account)


async def _target(session: ChatSession, user: str | None, network: str | None) -> tuple[str, Account | None]:
    if (user is None) == (network is None):
        raise Refused("bad_message", "give either a user or a network", "$.user")
    if network is not None:
        if not _account(session).operator:
            raise Refused("not_allowed", "networks are for operators; name a user", "$.network")
        return by_network(network_named(network)), None
    assert user is not None
    return await _meant(session, user)


# What they ask for


async def _mute(session: ChatSession, message: Mute) -> None:
    room = _somewhere(session, message.room)
    target, account = await _target(session, message.user, message.network)
    _check_above(session, account, room)
    moderation = session.core.moderation
    _, kept = moderation.impose("mute", target, message.room, message.seconds, message.reason, _account(session).name)
    await kept


async def _ban(session: ChatSession, message: Ban) -> None:
    room = _somewhere(session, message.room, operators=True)
    target, account = await _target(session, message.user, message.network)
    _check_above(session, account, room)
    moderation, by = session.core.moderation, _account(session).name
    if room is None:
        _, _, kept = moderation.banish(target, message.seconds, message.reason, by)
    else:
        _, kept = order.ban(session.chat, room, target, message.seconds, message.reason, by)
    await kept


async def _lift(session: ChatSession, kind: Kind, user: str | None, network: str | None, room: Room | None) -> None:
    target: str
    account: Account | None = None
    if user is None and network is not None:  # of whoever it was decided: lists show it like that
        target = by_network(network_named(network))
    else:
        target, account = await _target(session, user, network)
    _check_above(session, account, room)
    targets = [target, *([] if user is None else [by_account(user), by_name(user)])]
    by, where = _account(session).name, None if room is None else room.name
    lifted = [kept for one in dict.fromkeys(targets) if (kept := session.core.moderation.lift(kind, one, where, by))]
    if not lifted:
        what = "muted" if kind == "mute" else "banned"
        raise Refused("no_such_user", f"nobody like that is {what} there; sanctions lists those who are", "$.user")
    for kept in lifted:
        await kept


async def _unmute(session: ChatSession, message: Unmute) -> None:
    await _lift(session, "mute", message.user, message.network, _somewhere(session, message.room))


async def _unban(session: ChatSession, message: Unban) -> None:
    room = _somewhere(session, message.room, operators=True)
    await _lift(session, "ban", message.user, message.network, room)


def _kick(session: ChatSession, message: Kick) -> None:
    """Put somebody out."""
    room = _somewhere(session, message.room, operators=True)
    there, by = order.meant(session.chat, message.user, room), _account(session).name
    _check_above(session, there[0].client.account, room)
    if room is None:
        connections = {other.client.connection for other in there}
        session.core.moderation.kick(connections, there[0].member.person.name, message.reason, by)
    else:
        order.kick(session.chat, room, there, message.reason, by)


def _sanctions(session: ChatSession, message: AskSanctions) -> Event:
    """Who is muted or banned."""
    room = _somewhere(session, message.room)
    sanctions, now = session.core.moderation.sanctions, session.core.now()
    name = None if room is None else room.name
    kinds: tuple[Kind, ...] = ("mute", "ban")
    records = [r for kind in kinds for r in sanctions.all(kind, now, name, everywhere=room is None)]
    later = sorted((record for record in records if record.id > message.after), key=lambda record: record.id)
    page = session.client.fit([_line(record) for record in later[:PAGE]])
    return SanctionList(sanctions=page, more=len(page) < len(later))


def _line(record: SanctionRecord) -> SanctionLine:
    kind, _, text = record.target.partition(":")
    about: dict[str, Any] = {kind: text}
    return SanctionLine(
        id=record.id,
        kind=record.kind,
        room=record.room,
        until=record.until,
        reason=record.reason,
        by=record.by,
        at=record.at,
        **about,
    )


def _slow_mode(session: ChatSession, message: SlowMode) -> Deferred[None]:
    """Everybody waits."""
    return _change(session, message.room, slow=float(message.seconds))


def _lock(session: ChatSession, message: LockRoom) -> Deferred[None]:
    """Nobody else comes in."""
    return _change(session, message.room, locked=message.locked)


def _read_only(session: ChatSession, message: ReadOnly) -> Deferred[None]:
    """Nobody speaks."""
    return _change(session, message.room, read_only=message.read_only)


def _change(session: ChatSession, name: str, **fields: Any) -> Deferred[None]:
    return order.change(session.chat, _room(session, name), _account(session).name, **fields)


async def _delete(session: ChatSession, message: Delete) -> None:
    await order.delete(session.chat, _room(session, message.room), message.seq, _account(session).name)


async def _report(session: ChatSession, message: Report) -> None:
    room = session.chat.rooms.joined(session.member, message.room)
    if session.reports >= MOST_REPORTS:
        raise Refused("too_many", f"you have reported {MOST_REPORTS} messages; that is noted")
    session.reports += 1
    page = await session.chat.log(room).page(message.seq + 1, message.seq - 1, 1)
    if not page:
        raise order.no_such_message()
    said = page[0]
    by, now = session.member.person.name, session.core.now()
    record = ReportRecord(now, by, room.name, said.seq, said.user, said.message, message.reason)
    await session.core.store.reports.note(record)


async def _reports(session: ChatSession, message: AskReports) -> Event:
    room = _somewhere(session, message.room)
    name = None if room is None else room.name
    records = await session.core.store.reports.page(message.before, PAGE + 1, name)
    page = session.client.fit([ReportLine(**asdict(record)) for record in records[:PAGE]])
    return ReportList(reports=page, more=len(page) < len(records))


async def _audit(session: ChatSession, message: AskAudit) -> Event:
    if not _account(session).operator:
        raise Refused("not_allowed", "the audit log is for operators")
    entries = await session.core.store.audit.page(message.before, PAGE + 1)
    page = session.client.fit([audit_line(entry) for entry in entries[:PAGE]])
    return AuditList(entries=page, more=len(page) < len(entries))


def _flow(handler: Callable[[ChatSession, Any], Any]) -> Callable[[ChatSession, Any], Deferred[Any]]:
    return lambda session, message: Deferred.fromCoroutine(handler(session, message))


HANDLERS: dict[type[Request], Callable[[Any, Any], Any]] = {
    Mute: _flow(_mute),
    Unmute: _flow(_unmute),
    Ban: _flow(_ban),
    Unban: _flow(_unban),
    Kick: _kick,
    AskSanctions: _sanctions,
    SlowMode: _slow_mode,
    LockRoom: _lock,
    ReadOnly: _read_only,
    Delete: _flow(_delete),
    Report: _flow(_report),
    AskReports: _flow(_reports),
    AskAudit: _flow(_audit),
}
