"""What a backend may ask of chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct
from msgspec.structs import asdict
from twisted.internet.defer import Deferred

from netplay.chat import order
from netplay.chat.messages import Emoji, RoomLine, RoomName, Seq, Text, Topic, Who
from netplay.chat.moderating_messages import ReportLine, Slow
from netplay.messages import MAX_INTEGER, Name
from netplay.moderation.operations import (
    API,
    After,
    BanLine,
    BanList,
    LiftBan,
    LiftMute,
    Limit,
    ListSanctions,
    MuteLine,
    MuteList,
    Reason,
    Sanction,
    ban_line,
    ban_list,
    lift,
    mute_line,
    mute_list,
)
from netplay.operations import Operation
from netplay.text import clean_emoji, clean_name

if TYPE_CHECKING:
    from netplay.chat.feature import ChatService

PAGE = 100
"""Rooms or reports in one answer, at most."""


class Publish(Struct, forbid_unknown_fields=True, kw_only=True):
    """Say something in a chat room. It is numbered, kept and heard like what a client says."""

    room: RoomName
    user: Name
    text: Text
    emoji: Emoji = "📢"


class Published(Struct):
    """It is kept, under this number."""

    room: str
    epoch: str
    seq: int
    id: str


class ListChatRooms(Struct, forbid_unknown_fields=True, kw_only=True):
    """The chat rooms by name, from behind `after`."""

    after: Annotated[str, Meta(max_length=32)] | None = None


class ChatRooms(Struct):
    """Rooms; with `more`, ask again with the last one as `after`."""

    rooms: list[RoomLine]
    more: bool


class ChangeRoom(Struct, forbid_unknown_fields=True, kw_only=True):
    """
    Give a chat room another topic, or let it be slow, locked or read-only, or no more; what is not said stays.

    In a `slow` one everybody waits so many seconds from message to message, 0 ends that; nobody comes into one that
    is `locked`; nobody speaks in one that is `read_only`. Those who keep order there are not meant.
    """

    room: RoomName
    topic: Topic | None = None
    slow: Slow | None = None
    locked: bool | None = None
    read_only: bool | None = None


class DeleteMessage(Struct, forbid_unknown_fields=True, kw_only=True):
    """Take away what a message says. Its number stays."""

    room: RoomName
    seq: Seq


class ListReports(Struct, forbid_unknown_fields=True, kw_only=True):
    """The messages that were reported, the newest first; go on with the last one as `before`."""

    room: RoomName | None = None
    before: After = MAX_INTEGER - 1
    limit: Limit = PAGE


class Reports(Struct):
    """Reports; with `more`, ask again with the last `id` as `before`."""

    reports: list[ReportLine]
    more: bool


class KickFromRoom(Struct, forbid_unknown_fields=True, kw_only=True):
    """Put somebody out of a chat room, by id or name. They may come back."""

    room: RoomName
    user: Who
    reason: Reason = ""


class AddRoomBan(Sanction, kw_only=True):
    """
    Keep somebody out of a chat room, for so many seconds or for good; puts them out if they are there.

    A ban that there is already is replaced. One of a network is for guests only.
    """

    room: RoomName


class ListRoomBans(ListSanctions, kw_only=True):
    """The bans from a chat room that last, from behind the one `after`."""

    room: RoomName


class LiftRoomBan(LiftBan, kw_only=True):
    """End a ban from a chat room before its time."""

    room: RoomName


class AddRoomMute(Sanction, kw_only=True):
    """
    Let somebody say nothing in a chat room, for so many seconds or for good.

    A mute that there is already is replaced. One of a network is for guests only.
    """

    room: RoomName


class ListRoomMutes(ListSanctions, kw_only=True):
    """The mutes in a chat room that last, from behind the one `after`."""

    room: RoomName


class LiftRoomMute(LiftMute, kw_only=True):
    """End a mute in a chat room before its time."""

    room: RoomName


def operations(chat: ChatService) -> Sequence[Operation]:
    """Those of one chat."""

    def publish(request: Publish) -> Deferred[Published]:
        room = chat.rooms.get(request.room)
        user, emoji = clean_name(request.user, "$.user"), clean_emoji(request.emoji)
        said, log = chat.say(room, user, request.text, emoji), chat.log(room)
        return log.kept().addCallback(lambda _: Published(room.name, log.epoch, said.seq, said.id))

    def list_rooms(request: ListChatRooms) -> ChatRooms:
        lines = chat.rooms.listing(request.after)
        return ChatRooms(lines[:PAGE], len(lines) > PAGE)

    def change_room(request: ChangeRoom) -> RoomLine | Deferred[RoomLine]:
        room = chat.rooms.get(request.room)
        asked = {field: getattr(request, field) for field in ("topic", "slow", "locked", "read_only")}
        fields = {field: value for field, value in asked.items() if value is not None}
        return order.change(chat, room, API, **fields).addCallback(lambda _: room.line()) if fields else room.line()

    def delete_message(request: DeleteMessage) -> Deferred[None]:
        return Deferred.fromCoroutine(order.delete(chat, chat.rooms.get(request.room), request.seq, API))

    def list_reports(request: ListReports) -> Deferred[Reports]:
        found = chat.core.store.reports.page(request.before, request.limit + 1, request.room)
        return found.addCallback(
            lambda records: Reports(
                [ReportLine(**asdict(record)) for record in records[: request.limit]], len(records) > request.limit
            )
        )

    def kick(request: KickFromRoom) -> None:
        room = chat.rooms.get(request.room)
        order.kick(chat, room, order.meant(chat, request.user, room), request.reason, API)

    def add_ban(request: AddRoomBan) -> Deferred[BanLine]:
        room = chat.rooms.get(request.room)
        record, kept = order.ban(chat, room, request.target(), request.seconds, request.reason, API)
        return kept.addCallback(lambda _: ban_line(record))

    def list_bans(request: ListRoomBans) -> BanList:
        return ban_list(chat.core, request, chat.rooms.get(request.room).name)

    def lift_ban(request: LiftRoomBan) -> Deferred[None]:
        return lift(chat.core, "ban", request.ban, chat.rooms.get(request.room).name)

    def add_mute(request: AddRoomMute) -> Deferred[MuteLine]:
        room, moderation = chat.rooms.get(request.room).name, chat.core.moderation
        record, kept = moderation.impose("mute", request.target(), room, request.seconds, request.reason, API)
        return kept.addCallback(lambda _: mute_line(record))

    def list_mutes(request: ListRoomMutes) -> MuteList:
        return mute_list(chat.core, request, chat.rooms.get(request.room).name)

    def lift_mute(request: LiftRoomMute) -> Deferred[None]:
        return lift(chat.core, "mute", request.mute, chat.rooms.get(request.room).name)

    here = "/chat/rooms/{room}"
    gone, busy, full = "no_such_room", "store_busy", "too_many"
    return (
        Operation("POST", f"{here}/messages", Publish, Published, publish, (gone, busy)),
        Operation("DELETE", f"{here}/messages/{{seq}}", DeleteMessage, None, delete_message, (gone, busy)),
        Operation("GET", "/chat/rooms", ListChatRooms, ChatRooms, list_rooms),
        Operation("PUT", here, ChangeRoom, RoomLine, change_room, (gone, busy)),
        Operation("GET", "/chat/reports", ListReports, Reports, list_reports, (busy,)),
        Operation("DELETE", f"{here}/members/{{user}}", KickFromRoom, None, kick, (gone, "no_such_user")),
        Operation("POST", f"{here}/bans", AddRoomBan, BanLine, add_ban, (gone, full, busy)),
        Operation("GET", f"{here}/bans", ListRoomBans, BanList, list_bans, (gone,)),
        Operation("DELETE", f"{here}/bans/{{ban}}", LiftRoomBan, None, lift_ban, (gone, "no_such_ban", busy)),
        Operation("POST", f"{here}/mutes", AddRoomMute, MuteLine, add_mute, (gone, full, busy)),
        Operation("GET", f"{here}/mutes", ListRoomMutes, MuteList, list_mutes, (gone,)),
        Operation("DELETE", f"{here}/mutes/{{mute}}", LiftRoomMute, None, lift_mute, (gone, "no_such_mute", busy)),
    )
