"""What is kept, as plain records. Times are milliseconds since 1970, UTC."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from netplay.messages import Chat


class RoomRecord(Struct, frozen=True):
    """
    A chat room.

    @ivar owner: the account that made it, C{None} for one of a guest's or of the daemon's own.
    @ivar slow: seconds that each member waits from message to message, 0 for none.
    @ivar locked: whether nobody may come in.
    @ivar read_only: whether only moderators may speak.
    """

    name: str
    topic: str = ""
    owner: str | None = None
    created: int = 0
    slow: float = 0.0
    locked: bool = False
    read_only: bool = False


class AccountRecord(Struct, frozen=True):
    """
    Somebody who owns a name.

    @ivar name: as it is shown.
    @ivar skeleton: what all names that look like it have in common (L{netplay.text.skeleton}); unlike that of any
        other account.
    @ivar password: its hash, as text that says how it was made; C{None} where somebody else checks who it is.
    @ivar roles: C{operator}, C{moderator}, or C{moderator:ROOM}.
    @ivar disabled: whether it may not be used.
    """

    name: str
    skeleton: str
    created: int
    password: str | None = None
    roles: tuple[str, ...] = ()
    disabled: bool = False


class SessionRecord(Struct, frozen=True):
    """
    What an account comes back to.

    @ivar key: a hash of the session's token: who reads the store cannot resume.
    @ivar state: what the feature needs to bring it back, as JSON.
    @ivar used: when it was last opened, resumed or left.
    """

    key: str
    account: str
    feature: str
    state: bytes
    used: int


class AlertRecord(Struct, frozen=True):
    """A price alert of an account; C{id} is unlike that of any other."""

    account: str
    id: int
    symbol: str
    threshold: float
    direction: Literal["above", "below"]
    once: bool
    armed: bool


class MissedRecord(Struct, frozen=True):
    """
    An alert that fired while its account was away.

    @ivar body: the message, as JSON.
    @ivar id: rises by time; 0 before it is kept.
    """

    account: str
    at: int
    body: bytes
    id: int = 0


class ScoreRecord(Struct, frozen=True):
    """
    What a player has reached.

    @ivar score: which of the game's scores it is.
    @ivar player: the name, as it is shown.
    @ivar account: C{None} for a guest.
    """

    game: str
    score: str
    player: str
    account: str | None
    value: float
    at: int

    @property
    def who(self) -> str:
        """The same for all that one account has reached, or guests of one name."""
        return f"guest:{self.player}" if self.account is None else f"account:{self.account}"


class CandleRecord(Struct, frozen=True):
    """A symbol's prices within C{seconds} from C{at} on."""

    symbol: str
    seconds: int
    at: int
    open: float
    high: float
    low: float
    close: float


class SanctionRecord(Struct, frozen=True):
    """
    Somebody is muted or banned.

    @ivar id: unlike that of any other.
    @ivar target: C{name:...} or C{account:...} (folded by L{netplay.text.same_name}), or C{network:...} (as
        L{ipaddress} writes it).
    @ivar room: where it holds, C{None} for everywhere.
    @ivar until: when it ends, C{None} for never.
    @ivar by: who decided it.
    """

    id: int
    kind: Literal["mute", "ban"]
    target: str
    room: str | None
    until: int | None
    reason: str
    by: str
    at: int


class AuditRecord(Struct, frozen=True):
    """
    Somebody who may has done something to somebody.

    @ivar id: rises by time; 0 before it is kept.
    @ivar by: an account, or C{api} for a backend, or C{shell}.
    """

    at: int
    by: str
    action: str
    target: str
    detail: str = ""
    id: int = 0


class ReportRecord(Struct, frozen=True):
    """
    Somebody thinks that those who keep order should see a message.

    @ivar by: who has reported it, as it was called.
    @ivar user: who had said it.
    @ivar text: what it said then: it may be deleted since.
    @ivar id: rises by time; 0 before it is kept.
    """

    at: int
    by: str
    room: str
    seq: int
    user: str
    text: str
    reason: str = ""
    id: int = 0


def emptied(message: Chat) -> Chat:
    """What is left of a message that was deleted."""
    return replace(message, message="", deleted=True, ref=None)
