"""The rules of chat rooms: who is where, what they are called, which rooms there are. No sockets, no clocks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from netplay.chat.messages import MemberLine, Named, Presence, RoomLine
from netplay.errors import Refused
from netplay.people import Person
from netplay.store.records import RoomRecord

if TYPE_CHECKING:
    from netplay.accounts.account import Account

STANDING = {"general": "Everyone meets here", "gaming": "Games and who plays them", "tech": "How things work"}
"""The rooms that are always there, with their topics."""

FIRST_ROOM = "general"
MAX_ROOMS = 1000
MAX_CREATED = 20
"""Rooms that one guest may create as long as it is here, and that one account may own."""
MAX_JOINED = 50
"""Rooms that one client may be in."""
EMPTY_FOR = 3600.0
"""Seconds after which an empty room of a guest's goes."""
NAMED_UP_TO = 100
"""Members up to which presence names who came and went."""


class Member:
    """
    Someone in chat.

    @ivar rooms: where they are, in the order of joining; the last one is the current.
    """

    __slots__ = ("created", "emoji", "person", "rooms")

    def __init__(self, person: Person) -> None:
        self.person = person
        self.emoji = "😊"
        self.rooms: dict[str, Room] = {}
        self.created = 0

    @property
    def current(self) -> Room | None:
        """The room that is meant when none is named."""
        return next(reversed(self.rooms.values()), None)

    def line(self) -> MemberLine:
        """As lists show them."""
        return MemberLine(self.person.id, self.person.name, self.emoji)


class Room:
    """
    One room: its members, and what of them has changed since the others were told.

    @ivar record: what of it is kept.
    """

    __slots__ = ("_joined", "_left", "_renamed", "_spoke", "empty_since", "members", "name", "record")

    def __init__(self, record: RoomRecord, now: float) -> None:
        self.name = record.name
        self.record = record
        self.members: dict[Member, None] = {}  # in the order of joining
        self.empty_since: float | None = now
        self._joined: dict[str, str] = {}
        self._left: dict[str, str | None] = {}  # with the name by which the others knew them, if it is still that
        self._renamed: dict[str, str] = {}
        self._spoke: OrderedDict[str, float] = OrderedDict()  # who has spoken in slow mode, the last ones last

    def line(self) -> RoomLine:
        """As lists show it."""
        record = self.record
        return RoomLine(
            self.name,
            record.topic,
            len(self.members),
            record.owner,
            record.slow or None,
            record.locked,
            record.read_only,
        )

    @property
    def lasting(self) -> bool:
        """Whether it stays though nobody is in it."""
        return self.name in STANDING or self.record.owner is not None

    def check_keeper(self, account: Account | None) -> None:
        """
        Whether somebody keeps order here: its owner, and moderators.

        @raise Refused: C{not_allowed}.
        """
        if not self.kept_by(account):
            raise Refused("not_allowed", f"that is for the owner of {self.name} and for moderators", "$.room")

    def kept_by(self, account: Account | None) -> bool:
        """Whether somebody keeps order here."""
        return account is not None and (account.name == self.record.owner or account.may_moderate(self.name))

    def check_enter(self, account: Account | None) -> None:
        """
        Whether somebody may come in who is not here yet.

        @raise Refused: C{not_allowed}.
        """
        if self.record.locked and not self.kept_by(account):
            raise Refused("not_allowed", f"{self.name} is locked; nobody comes in just now", "$.room")

    def check_speak(self, key: str, now: float) -> None:
        """
        Whether somebody may say something, who does not keep order here. It counts as having done so.

        @param key: the same for all that one may call itself.
        @raise Refused: C{not_allowed} where it is read-only; C{rate_limited} in slow mode.
        """
        if self.record.read_only:
            raise Refused("not_allowed", f"in {self.name} only those speak who keep order there", "$.room")
        slow, spoke = self.record.slow, self._spoke
        if not slow:
            return
        while spoke and next(iter(spoke.values())) + slow <= now:
            spoke.popitem(last=False)
        if key in spoke:
            wait = spoke[key] + slow - now
            text = f"{self.name} is in slow mode: one message every {slow:g} s"
            raise Refused("rate_limited", text, retry_after=round(wait, 3))
        spoke[key] = now

    def check_owner(self, account: Account | None) -> None:
        """
        Whether somebody may do away with it: its owner, and operators.

        @raise Refused: C{not_allowed}.
        """
        if account is None or not (account.name == self.record.owner or account.operator):
            raise Refused("not_allowed", f"that is for the owner of {self.name}", "$.room")
        if self.name in STANDING:
            raise Refused("not_allowed", f"{self.name} is always there", "$.room")

    def add(self, member: Member) -> None:
        """Somebody comes in."""
        self.members[member] = None
        self.empty_since = None
        person = member.person
        if person.id not in self._left:
            self._joined[person.id] = person.name
        elif self._left.pop(person.id) != person.name:
            self._renamed[person.id] = person.name

    def remove(self, member: Member, now: float) -> None:
        """Somebody goes. Who came since the others were told was never there for them."""
        del self.members[member]
        if not self.members:
            self.empty_since = now
        person = member.person
        renamed = self._renamed.pop(person.id, None) is not None
        if self._joined.pop(person.id, None) is None:
            self._left[person.id] = None if renamed else person.name

    def renamed(self, person: Person) -> None:
        """Somebody has another name."""
        changed = self._joined if person.id in self._joined else self._renamed
        changed[person.id] = person.name

    @property
    def untold(self) -> bool:
        """Whether something has changed since L{presence} was last asked, or was not to be told then."""
        return bool(self._joined or self._left or self._renamed)

    def presence(self, unsettled: Container[str] = ()) -> Presence | None:
        """
        What has changed since this was last asked, C{None} if nothing has.

        @param unsettled: ids of those who came, but are not to be told yet.
        """
        waiting = {id: name for id, name in self._joined.items() if id in unsettled}
        joined = {id: name for id, name in self._joined.items() if id not in unsettled}
        left, renamed = self._left, self._renamed
        if not (joined or left or renamed):
            return None
        self._joined, self._left, self._renamed = waiting, {}, {}
        count = len(self.members) - len(waiting)
        if count > NAMED_UP_TO:
            return Presence(room=self.name, count=count)
        return Presence(
            room=self.name,
            count=count,
            joined=[Named(id, name) for id, name in joined.items()],
            left=list(left),
            renamed=[Named(id, name) for id, name in renamed.items()],
        )


class Rooms:
    """
    All rooms.

    @param now: seconds, of any clock that goes on steadily; so everywhere here.
    """

    def __init__(self, now: float) -> None:
        self._rooms = {name: Room(RoomRecord(name, topic), now) for name, topic in STANDING.items()}

    def know(self, record: RoomRecord, now: float) -> Room:
        """There is this room, or it is like that from now on."""
        room = self._rooms.get(record.name)
        if room is None:
            room = self._rooms[record.name] = Room(record, now)
        room.record = record
        return room

    def get(self, name: str) -> Room:
        """
        The room of that name.

        @raise Refused: C{no_such_room}.
        """
        room = self._rooms.get(name)
        if room is None:
            raise Refused("no_such_room", f"there is no room {name}; create_room makes one", "$.room")
        return room

    def find(self, name: str) -> Room | None:
        """The room of that name, if there is one."""
        return self._rooms.get(name)

    def meant(self, member: Member, name: str | None) -> Room:
        """
        The room that a member means: the one named, else its current one.

        @raise Refused: C{no_such_room}; C{not_allowed} when none is named and it is in none.
        """
        if name is not None:
            return self.get(name)
        current = member.current
        if current is None:
            raise Refused("not_allowed", "you are in no room; join_room first, or name one you are in", "$.room")
        return current

    def joined(self, member: Member, name: str | None) -> Room:
        """
        As L{meant}, but only a room that the member is in.

        @raise Refused: C{no_such_room}, C{not_allowed}.
        """
        room = self.meant(member, name)
        if room.name not in member.rooms:
            raise Refused("not_allowed", f"you are not in {room.name}; join_room first", "$.room")
        return room

    def check_join(self, member: Member, room: Room, also: bool) -> None:
        """
        Whether a member may come in.

        @raise Refused: C{too_many}.
        """
        if also and room.name not in member.rooms and len(member.rooms) >= MAX_JOINED:
            raise Refused("too_many", f"you may be in {MAX_JOINED} rooms at once; leave one first", "$.room")

    def join(self, member: Member, room: Room) -> None:
        """A member comes in, and it is its current room; for one who is there already it becomes that."""
        if room.name in member.rooms:
            del member.rooms[room.name]
        else:
            room.add(member)
        member.rooms[room.name] = room

    def leave(self, member: Member, room: Room, now: float) -> None:
        """A member goes."""
        del member.rooms[room.name]
        room.remove(member, now)

    def check_create(self, member: Member, name: str) -> None:
        """
        Whether a member may make a room.

        @raise Refused: C{name_taken}, C{too_many}.
        """
        if name in self._rooms:
            raise Refused("name_taken", f"there is a room {name} already; join_room goes there", "$.room")
        account = member.person.account
        own = member.created if account is None else self._owned(account.name)
        if len(self._rooms) >= MAX_ROOMS or own >= MAX_CREATED:
            raise Refused("too_many", "there are enough rooms; use one that is there", "$.room")

    def _owned(self, account: str) -> int:
        return sum(room.record.owner == account for room in self._rooms.values())

    def remove(self, room: Room) -> None:
        """A room goes."""
        del self._rooms[room.name]

    def expired(self, now: float) -> list[Room]:
        """Those to be removed: rooms of guests that were empty for L{EMPTY_FOR}."""
        return [
            room
            for room in self._rooms.values()
            if not room.lasting and room.empty_since is not None and now - room.empty_since >= EMPTY_FOR
        ]

    def names(self, most: int) -> list[str]:
        """The first names, the standing rooms before the others."""
        return list(islice(self._rooms, most))

    def listing(self, after: str | None) -> list[RoomLine]:
        """All rooms by name, from behind C{after}."""
        return [self._rooms[name].line() for name in sorted(self._rooms) if after is None or name > after]


def members_after(room: Room, after: str | None, most: int) -> tuple[list[MemberLine], bool]:
    """
    Members in the order of joining, from behind the one with the id C{after}; and whether there are more.

    Should C{after} have left meanwhile, the list begins anew.
    """
    members: Iterator[Member] = iter(room.members)
    if after is not None and any(member.person.id == after for member in room.members):
        for member in members:
            if member.person.id == after:
                break
    lines = [member.line() for member in islice(members, most)]
    return lines, next(members, None) is not None
