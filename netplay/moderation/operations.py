"""What a backend may decide about people, everywhere on the daemon, and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct
from twisted.internet.defer import Deferred

from netplay.errors import Refused
from netplay.messages import MAX_INTEGER, Name
from netplay.moderation.moderation import LONGEST
from netplay.moderation.sanctions import Kind, by_account, by_name, by_network, network_named
from netplay.operations import Operation
from netplay.store.records import AuditRecord, SanctionRecord

if TYPE_CHECKING:
    from netplay.core import Core

PAGE = 100
"""Bans, mutes or entries in one answer, at most."""

API = "api"
"""Who has decided it."""

After = Annotated[int, Meta(ge=0, lt=MAX_INTEGER, examples=[41])]
Limit = Annotated[int, Meta(ge=1, le=PAGE, examples=[20])]
Id = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,15}\Z", examples=["1"])]
Reason = Annotated[str, Meta(max_length=100, examples=["spam"])]
Network = Annotated[str, Meta(min_length=1, max_length=64, examples=["192.0.2.0/24"])]
Seconds = Annotated[int, Meta(ge=1, le=LONGEST, examples=[3600])]


class _Whom(Struct, forbid_unknown_fields=True, kw_only=True):
    network: Network | None = None
    account: Name | None = None
    name: Name | None = None
    reason: Reason = ""

    def target(self) -> str:
        """
        As L{netplay.moderation.sanctions} has it.

        @raise Refused: C{bad_message}.
        """
        given = [
            target
            for target in (
                self.network and by_network(network_named(self.network)),
                self.account and by_account(self.account),
                self.name and by_name(self.name),
            )
            if target
        ]
        if len(given) != 1:
            raise Refused("bad_message", "say whom: a network, an account or a name, one of them", "$.network")
        return given[0]


class Sanction(_Whom):
    """What is asked for to ban or mute somebody."""

    seconds: Seconds | None = None


class ListSanctions(Struct, forbid_unknown_fields=True, kw_only=True):
    """What is asked for to list bans or mutes."""

    after: After = 0
    limit: Limit = PAGE


class _Line(Struct, kw_only=True, omit_defaults=True):
    network: str | None = None
    account: str | None = None
    name: str | None = None
    until: int | None = None
    reason: str
    by: str


class KickOut(_Whom):
    """
    End the connections of somebody, whatever features they use. They may come again.

    They are told that they were `kicked`, and the reason.
    """


class KickedOut(Struct):
    """How many connections have ended."""

    ended: int


class AddBan(Sanction):
    """
    Keep somebody out, for so many seconds or for good; ends the connections that they have.

    By a network: an IPv6 address without a length stands for its /64. By an account: it cannot log in. By a name:
    nobody may be called that. A ban that there is already is replaced. Unix sockets have no address and cannot be
    banned.
    """


class BanLine(_Line):
    """A ban, until so many milliseconds since 1970 if it ends."""

    ban: str


class BanAdded(Struct):
    """The ban, and how many connections it has ended."""

    ban: BanLine
    ended: int


class ListBans(ListSanctions):
    """The bans that last, from behind the one `after`."""


class BanList(Struct):
    """Bans; with `more`, ask again with the last one as `after`."""

    bans: list[BanLine]
    more: bool


class LiftBan(Struct, forbid_unknown_fields=True, kw_only=True):
    """End a ban before its time."""

    ban: Id


class AddMute(Sanction):
    """
    Let somebody say nothing, in no room and to nobody, for so many seconds or for good.

    A mute that there is already is replaced. One of a network is for guests only.
    """


class MuteLine(_Line):
    """A mute, until so many milliseconds since 1970 if it ends."""

    mute: str


class ListMutes(ListSanctions):
    """The mutes that last, from behind the one `after`."""


class MuteList(Struct):
    """Mutes; with `more`, ask again with the last one as `after`."""

    mutes: list[MuteLine]
    more: bool


class LiftMute(Struct, forbid_unknown_fields=True, kw_only=True):
    """End a mute before its time."""

    mute: Id


class ReadAudit(Struct, forbid_unknown_fields=True, kw_only=True):
    """Who has decided what about whom, the newest first; go on with the last one as `before`."""

    before: After = MAX_INTEGER - 1
    limit: Limit = PAGE


class AuditLine(Struct):
    """Something that was decided; `by` is an account, `api` or `shell`."""

    id: int
    at: int
    by: str
    action: str
    target: str
    detail: str


class Audit(Struct):
    """Entries; with `more`, ask again with the last one as `before`."""

    entries: list[AuditLine]
    more: bool


def operations(core: Core) -> Sequence[Operation]:
    """Those of one daemon."""
    moderation = core.moderation

    def kick_out(request: KickOut) -> KickedOut:
        target = request.target()
        meant = moderation.meant(target)
        if not meant:
            raise Refused("no_such_client", "nobody like that is connected")
        moderation.kick(meant, target, request.reason, API)
        return KickedOut(len(meant))

    def add_ban(request: AddBan) -> Deferred[BanAdded]:
        record, ended, kept = moderation.banish(request.target(), request.seconds, request.reason, API)
        return kept.addCallback(lambda _: BanAdded(ban_line(record), ended))

    def list_bans(request: ListBans) -> BanList:
        return ban_list(core, request)

    def lift_ban(request: LiftBan) -> Deferred[None]:
        return lift(core, "ban", request.ban)

    def add_mute(request: AddMute) -> Deferred[MuteLine]:
        record, kept = moderation.impose("mute", request.target(), None, request.seconds, request.reason, API)
        return kept.addCallback(lambda _: mute_line(record))

    def list_mutes(request: ListMutes) -> MuteList:
        return mute_list(core, request)

    def lift_mute(request: LiftMute) -> Deferred[None]:
        return lift(core, "mute", request.mute)

    def read_audit(request: ReadAudit) -> Deferred[Audit]:
        found = core.store.audit.page(request.before, request.limit + 1)
        return found.addCallback(
            lambda entries: Audit(
                [audit_line(entry) for entry in entries[: request.limit]], len(entries) > request.limit
            )
        )

    return (
        Operation("POST", "/kicks", KickOut, KickedOut, kick_out, ("no_such_client",)),
        Operation("POST", "/bans", AddBan, BanAdded, add_ban, ("too_many", "store_busy")),
        Operation("GET", "/bans", ListBans, BanList, list_bans),
        Operation("DELETE", "/bans/{ban}", LiftBan, None, lift_ban, ("no_such_ban", "store_busy")),
        Operation("POST", "/mutes", AddMute, MuteLine, add_mute, ("too_many", "store_busy")),
        Operation("GET", "/mutes", ListMutes, MuteList, list_mutes),
        Operation("DELETE", "/mutes/{mute}", LiftMute, None, lift_mute, ("no_such_mute", "store_busy")),
        Operation("GET", "/audit", ReadAudit, Audit, read_audit, ("store_busy",)),
    )


def audit_line(entry: AuditRecord) -> AuditLine:
    """As it is shown."""
    return AuditLine(entry.id, entry.at, entry.by, entry.action, entry.target, entry.detail)


# Of one room, or of everywhere


def ban_list(core: Core, request: ListSanctions, room: str | None = None) -> BanList:
    """The bans that were asked for: those in a room, or with C{None} those that hold everywhere."""
    records, more = _page(core, "ban", request, room)
    return BanList([ban_line(record) for record in records], more)


def mute_list(core: Core, request: ListSanctions, room: str | None = None) -> MuteList:
    """The mutes that were asked for, in the same way."""
    records, more = _page(core, "mute", request, room)
    return MuteList([mute_line(record) for record in records], more)


def _page(core: Core, kind: Kind, request: ListSanctions, room: str | None) -> tuple[list[SanctionRecord], bool]:
    records = core.moderation.sanctions.all(kind, core.now(), room, everywhere=room is None)
    later = [record for record in records if record.id > request.after]
    return later[: request.limit], len(later) > request.limit


def lift(core: Core, kind: Kind, id: str, room: str | None = None) -> Deferred[None]:
    """
    End a sanction in a room, or with C{None} one that holds everywhere. The Deferred fires when that is kept.

    @raise Refused: C{no_such_ban}, C{no_such_mute}; C{store_busy}.
    """
    for record in core.moderation.sanctions.all(kind, core.now(), room, everywhere=room is None):
        if str(record.id) == id:
            kept = core.moderation.lift(kind, record.target, room, API)
            assert kept is not None
            return kept
    raise Refused(f"no_such_{kind}", f"there is no such {kind}, or it has ended", f"$.{kind}")


def ban_line(record: SanctionRecord) -> BanLine:
    """As it is shown."""
    return BanLine(ban=str(record.id), **_about(record))


def mute_line(record: SanctionRecord) -> MuteLine:
    """As it is shown."""
    return MuteLine(mute=str(record.id), **_about(record))


def _about(record: SanctionRecord) -> dict[str, Any]:
    kind, _, text = record.target.partition(":")
    return {kind: text, "until": record.until, "reason": record.reason, "by": record.by}
