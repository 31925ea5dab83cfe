"""From what a checker says to an account: the realm of the daemon's L{twisted.cred} portal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import LoginFailed, UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, maybeDeferred
from zope.interface import implementer

from netplay.accounts.account import Account, IAccount
from netplay.accounts.interfaces import Vouched
from netplay.accounts.names import account_name
from netplay.errors import Refused
from netplay.store.records import AccountRecord
from netplay.text import same_name, skeleton

if TYPE_CHECKING:
    from netplay.core import Core


@implementer(IRealm)
class Realm:
    """
    Looks up in the store whom a checker vouches for. Who is not there yet is kept there, without a password: the
    account owns its name, roles and whatever else is to outlive it from its first login on.
    """

    def __init__(self, core: Core) -> None:
        self._core = core

    def requestAvatar(self, avatarId: Any, mind: object, *interfaces: object) -> Deferred[Any]:
        """
        The account behind an avatar id, which is a name or a L{Vouched}.

        @raise Refused: C{banned}, C{name_taken}, C{bad_message}.
        """
        if IAccount not in interfaces:
            raise NotImplementedError("there is nobody here but accounts")
        vouched = avatarId if isinstance(avatarId, Vouched) else Vouched(_text(avatarId))
        return Deferred.fromCoroutine(self._account(vouched)).addCallback(lambda account: (IAccount, account, _nothing))

    async def _account(self, vouched: Vouched) -> Account:
        name = account_name(vouched.name, "$")
        accounts = self._core.store.accounts
        record = await accounts.find(skeleton(name))
        if record is None:
            record = AccountRecord(name, skeleton(name), self._core.now())
            if not await accounts.add(record):
                return await self._account(vouched)  # it came twice at once
        if same_name(record.name) != same_name(name):
            raise Refused("name_taken", "your name looks like that of another account here; ask who runs this server")
        if record.disabled:
            raise Refused("banned", "this account is disabled")
        return Account(record.name, record.skeleton, record.roles, vouched.roles)


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _nothing() -> None:
    """Whoever logs in goes with its connection."""


def register_all(portal: Portal, checkers: Iterable[ICredentialsChecker]) -> None:
    """Have a portal ask all of them, where it knows one only for each kind of credentials."""
    by_kind: defaultdict[Any, list[ICredentialsChecker]] = defaultdict(list)
    for checker in checkers:
        for kind in checker.credentialInterfaces:
            by_kind[kind].append(checker)
    for kind, several in by_kind.items():
        portal.registerChecker(AnyOf(several), kind)


@implementer(ICredentialsChecker)
class AnyOf:
    """Whoever of several checkers agrees first."""

    def __init__(self, checkers: list[ICredentialsChecker]) -> None:
        self._checkers = checkers
        self.credentialInterfaces = [kind for checker in checkers for kind in checker.credentialInterfaces]

    def requestAvatarId(self, credentials: Any) -> Deferred[Any]:
        """Ask one after the other."""
        return Deferred.fromCoroutine(self._ask(credentials))

    async def _ask(self, credentials: Any) -> Any:
        for checker in self._checkers:
            try:
                return await maybeDeferred(checker.requestAvatarId, credentials)
            except LoginFailed:
                continue
        raise UnauthorizedLogin
