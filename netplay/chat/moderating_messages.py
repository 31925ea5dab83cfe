"""What those who keep order in chat send and get."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from netplay.chat.messages import RoomName, Seq, Who
from netplay.messages import Event, Request
from netplay.moderation.operations import After, AuditLine, Network, Reason, Seconds

SLOWEST = 3600
"""Seconds that everybody may have to wait from message to message."""

Slow = Annotated[float, Meta(ge=0, le=SLOWEST, examples=[30])]

# Requests


class Mute(Request, tag="mute"):
    """
    Let a `user`, or the guests of a `network`, say nothing in a room, or without `room` anywhere; for so many seconds,
    or for good.
    """

    user: Who | None = None
    network: Network | None = None
    room: RoomName | None = None
    seconds: Seconds | None = None
    reason: Reason = ""


class Unmute(Request, tag="unmute"):
    """Let a `user`, or the guests of a `network`, speak again."""

    user: Who | None = None
    network: Network | None = None
    room: RoomName | None = None


class Kick(Request, tag="kick"):
    """Put somebody out of a room, or without `room` off the server. They may come back."""

    user: Who
    room: RoomName | None = None
    reason: Reason = ""


class Ban(Request, tag="ban"):
    """Keep a `user` or a `network` out of a room, or without `room` off the server; for a time, or for good."""

    user: Who | None = None
    network: Network | None = None
    room: RoomName | None = None
    seconds: Seconds | None = None
    reason: Reason = ""


class Unban(Request, tag="unban"):
    """Let a `user` or a `network` in again."""

    user: Who | None = None
    network: Network | None = None
    room: RoomName | None = None


class AskSanctions(Request, tag="sanctions"):
    """Who is muted or banned in a room, or everywhere; go on with `after`, the last one you got."""

    room: RoomName | None = None
    after: After = 0


class SlowMode(Request, tag="slow_mode"):
    """Let everybody wait so many seconds from message to message; 0 ends that."""

    room: RoomName
    seconds: Slow


class LockRoom(Request, tag="lock_room"):
    """Let nobody else come into a room, or let them come again."""

    room: RoomName
    locked: bool


class ReadOnly(Request, tag="read_only"):
    """Let nobody speak in a room but those who keep order there, or everybody again."""

    room: RoomName
    read_only: bool


class Delete(Request, tag="delete"):
    """Take away what a message says. Its number stays."""

    room: RoomName
    seq: Seq


class Report(Request, tag="report"):
    """Tell those who keep order of a message."""

    room: RoomName
    seq: Seq
    reason: Reason = ""


class AskReports(Request, tag="reports"):
    """What was reported, in a room or everywhere, the newest first; go on with `before`, the last one you got."""

    room: RoomName | None = None
    before: After | None = None


class AskAudit(Request, tag="audit"):
    """Who has decided what about whom, the newest first; go on with `before`, the last one you got."""

    before: After | None = None


# Events


class SanctionLine(Struct, kw_only=True, omit_defaults=True):
    """A mute or a ban, of a `name`, an `account` or a `network`, until so many milliseconds since 1970 if it ends."""

    id: int
    kind: str
    name: str | None = None
    account: str | None = None
    network: str | None = None
    room: str | None = None
    until: int | None = None
    reason: str
    by: str
    at: int


class SanctionList(Event, tag="sanctions"):
    """Who is muted or banned."""

    sanctions: list[SanctionLine]
    more: bool


class RoomMode(Event, tag="room_mode"):
    """How a room is from now on: `slow` is in seconds."""

    room: str
    slow: float
    locked: bool
    read_only: bool
    by: str


class Deleted(Event, tag="deleted"):
    """A message says nothing any more."""

    room: str
    seq: int
    id: str


class Removed(Event, tag="removed"):
    """You are not in a room any more, or do not come back to it; `code` says why: `kicked`, `banned`, `not_allowed`."""

    room: str
    code: str
    message: str


class ReportLine(Struct):
    """A message that was reported, and what it said then."""

    id: int
    at: int
    by: str
    room: str
    seq: int
    user: str
    text: str
    reason: str


class ReportList(Event, tag="reports"):
    """What was reported."""

    reports: list[ReportLine]
    more: bool


class AuditList(Event, tag="audit"):
    """What was decided."""

    entries: list[AuditLine]
    more: bool


REQUESTS: tuple[type[Request], ...] = (
    Mute, Unmute, Kick, Ban, Unban, AskSanctions, SlowMode, LockRoom, ReadOnly, Delete, Report, AskReports, AskAudit,
)  # fmt: skip
EVENTS: tuple[type[Event], ...] = (
    SanctionList, RoomMode, Deleted, Removed, ReportList, AuditList,
)  # fmt: skip
