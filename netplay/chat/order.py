"""What comes of keeping order in a room, whoever may ask for it: somebody in chat, or a backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from netplay.chat.messages import TopicSet
from netplay.chat.moderating_messages import Deleted, RoomMode
from netplay.chat.rules import Room
from netplay.errors import Refused
from netplay.store.records import SanctionRecord

if TYPE_CHECKING:
    from netplay.chat.feature import ChatService
    from netplay.chat.session import ChatSession


def meant(chat: ChatService, user: str, room: Room | None = None) -> list[ChatSession]:
    """
    Who is in a room, or with C{None} anywhere, with that id or that name: an account on all its connections.

    @raise Refused: C{no_such_user}.
    """
    there = [session for session in chat.find(user) if room is None or room.name in session.member.rooms]
    if not there:
        raise Refused("no_such_user", "nobody there has that id or name; who lists them", "$.user")
    return there


def kick(chat: ChatService, room: Room, there: Sequence[ChatSession], reason: str, by: str) -> None:
    """
    Put somebody out of a room.

    @param there: as L{meant} has it.
    """
    refused = Refused("kicked", reason or f"removed by {by}")
    whom = there[0].member.person.name
    for session in there:
        chat.put_out(room, session, refused)
    chat.core.moderation.note(by, "kick", whom, ", ".join(filter(None, (f"in {room.name}", reason))))


def ban(
    chat: ChatService, room: Room, target: str, seconds: float | None, reason: str, by: str
) -> tuple[SanctionRecord, Deferred[None]]:
    """
    Ban somebody from a room, and put out who is there. The Deferred fires when that is kept.

    @param target: as L{netplay.moderation.sanctions} has it.
    @raise Refused: C{too_many}, C{store_busy}.
    """
    record, kept = chat.core.moderation.impose("ban", target, room.name, seconds, reason, by)
    chat.put_out_banned(room)
    return record, kept


def change(chat: ChatService, room: Room, by: str, **fields: Any) -> Deferred[None]:
    """
    Give some fields of a room's record other values, and tell its members. The Deferred fires when that is kept.

    @raise Refused: C{store_busy}.
    """
    kept = chat.change(room, **fields)
    record, channel = room.record, chat.channel(room)
    if "topic" in fields:
        channel.publish(TopicSet(room=room.name, topic=record.topic, by=by))
    if fields.keys() - {"topic"}:
        mode = RoomMode(room=room.name, slow=record.slow, locked=record.locked, read_only=record.read_only, by=by)
        channel.publish(mode)
    detail = ", ".join(f"{field}: {value}" for field, value in fields.items())
    chat.core.moderation.note(by, "room", room.name, detail)
    return kept


async def delete(chat: ChatService, room: Room, seq: int, by: str) -> None:
    """
    Take away what a message says, and tell the room's members.

    @raise Refused: C{bad_message}: there is no such message; C{store_busy}.
    """
    left = await chat.log(room).delete(seq)
    if left is None:
        raise no_such_message()
    chat.channel(room).publish(Deleted(room=room.name, seq=left.seq, id=left.id))
    chat.core.moderation.note(by, "delete", f"{room.name} {left.seq}", f"by {left.user}")


def no_such_message() -> Refused:
    """There is nothing of that number."""
    return Refused("bad_message", "there is no message of that number", "$.seq")
