"""Who may come back, and as whom."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from netplay.errors import Refused
from netplay.store.records import SessionRecord

if TYPE_CHECKING:
    from netplay.accounts.account import Account
    from netplay.clients import Client
    from netplay.core import Core

KEPT_FOR = 120.0
"""Seconds that one may take to come back as if one had not been away; a guest cannot come back later."""

MOST_KEPT = 10_000
"""Sessions kept for those who may come back; the oldest goes first."""


@dataclass
class _Kept:
    feature: str
    state: Any
    until: float
    expired: Callable[[Any], None]
    account: Account | None


@dataclass
class Sessions:
    """
    Which session belongs to whom: to a client that is connected, or to what one left behind that may come back.
    """

    _log = Logger()

    _live: dict[str, Client] = field(default_factory=dict)
    _kept: OrderedDict[str, _Kept] = field(default_factory=OrderedDict)  # in the order in which they expire

    def open(self, client: Client) -> str:
        """A new session for a client: a token nobody can guess."""
        token = secrets.token_urlsafe(12)
        self._live[token] = client
        return token

    def keep(
        self,
        token: str,
        feature: str,
        state: Any,
        expired: Callable[[Any], None],
        now: float,
        account: Account | None = None,
    ) -> None:
        """The client is gone and may come back; C{expired} is called with the state when it does not."""
        del self._live[token]
        self._kept[token] = _Kept(feature, state, now + KEPT_FOR, expired, account)
        if len(self._kept) > MOST_KEPT:
            self._expire_one()

    def close(self, token: str) -> None:
        """The session is over."""
        del self._live[token]

    def knows(self, token: str) -> bool:
        """Whether somebody has that session, or may come back to it."""
        return token in self._live or token in self._kept

    def owner(self, token: str) -> str | None:
        """The name of the account whose session it is, C{None} if it is a guest's or nobody's."""
        held = self._live.get(token) or self._kept.get(token)
        return None if held is None or held.account is None else held.account.name

    def resume(self, token: str, feature: str, client: Client) -> Any:
        """
        Hand the session to the client that asks for it and return what was kept. Whoever is still connected with
        it is sent away.

        @raise Refused: C{bad_session}.
        """
        holder = self._live.get(token)
        if holder is not None and holder is not client and holder.feature == feature:
            holder.end("replaced", "your session goes on in another connection")
        kept = self._kept.get(token)
        if kept is None or kept.feature != feature:
            raise Refused("bad_session", "no such session, or it is over; go on with the one you have", "$.session")
        del self._kept[token]
        self._live[token] = client
        return kept.state

    def take(self, token: str, client: Client) -> None:
        """A session that was saved is a client's from now on."""
        self._live[token] = client

    def forget(self, account: Account) -> None:
        """Nobody comes back to what an account has left."""
        for token, kept in list(self._kept.items()):
            if kept.account is not None and kept.account.skeleton == account.skeleton:
                self._kept.move_to_end(token, last=False)
                self._expire_one()

    def expire(self, now: float) -> None:
        """Forget those who did not come back in time."""
        while self._kept and next(iter(self._kept.values())).until <= now:
            self._expire_one()

    def _expire_one(self) -> None:
        _, kept = self._kept.popitem(last=False)
        try:
            kept.expired(kept.state)
        except Exception:  # the others are to expire all the same
            self._log.failure("{feature}: while a session expired", feature=kept.feature)


class SavedSessions:
    """
    What accounts come back to at any time, after a restart too. The store has a hash of each token, so that whoever
    reads it cannot come back as somebody else.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    def save(self, token: str, account: str, feature: str, state: bytes) -> None:
        """That is what the account comes back to with this token from now on."""
        record = SessionRecord(_key(token), account, feature, state, self._core.now())
        self._core.keeping.keep("sessions", self._core.store.sessions.put, record)

    def drop(self, token: str) -> None:
        """Nobody comes back with this token."""
        self._core.keeping.keep("sessions", self._core.store.sessions.drop, _key(token))

    async def find(self, token: str, feature: str) -> SessionRecord | None:
        """What there is to come back to in a feature."""
        record = await self._core.store.sessions.find(_key(token))
        return None if record is None or record.feature != feature else record


def _key(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
