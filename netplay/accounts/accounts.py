"""Who is logged in, and how one comes to be: a service of the daemon's core around a L{twisted.cred} portal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from typing import Protocol as Shape

from twisted.cred.credentials import UsernamePassword
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import UnauthorizedLogin, UnhandledCredentials
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, maybeDeferred
from zope.interface import implementer

from netplay.accounts.account import Account, IAccount
from netplay.accounts.interfaces import IBoundChecker, Vouched
from netplay.errors import Refused
from netplay.store.records import AccountRecord
from netplay.text import clean_name, same_name, skeleton

if TYPE_CHECKING:
    from netplay.connection import Connection
    from netplay.core import Core


class Accounts:
    """
    @param core: the daemon's; its store is asked when somebody comes.
    @param checkers: who says who somebody is; of several for the same kind of credentials, the first that agrees.
    @param guests: whether one may be here without an account.
    """

    def __init__(self, core: Core, checkers: Iterable[ICredentialsChecker] = (), *, guests: bool = True) -> None:
        self._core = core
        self.guests = guests
        self._here: dict[str, Account] = {}  # by skeleton, as long as one of their connections is there

    # Who is here

    def enter(self, connection: Connection, account: Account) -> Account:
        """
        A connection is an account's from now on.

        @return: the object that stands for it on all its connections.
        """
        account = self._here.setdefault(account.skeleton, account)
        account.connections.add(connection)
        return account

    def leave(self, connection: Connection, account: Account) -> None:
        """A connection has gone."""
        account.connections.discard(connection)
        if not account.connections and self._here.get(account.skeleton) is account:
            del self._here[account.skeleton]

    def find(self, name: str) -> Deferred[Account | None]:
        """The account of that name, C{None} if there is none or it may not be used."""
        return Deferred.fromCoroutine(self._find(name))

    async def _find(self, name: str) -> Account | None:
        record = await self._core.store.accounts.find(skeleton(name))
        if record is None or record.disabled or same_name(record.name) != same_name(name):
            return None
        return self._here.get(record.skeleton) or Account(record.name, record.skeleton, record.roles)

    def login(self, credentials: Any, address: str | None) -> Deferred[Account]:
        """
        Log in.

        @param address: where it comes from.
        @raise Refused: C{bad_login}, C{rate_limited}, C{banned} where the account is disabled.
        """
        raise Refused("not_allowed", "nobody can do that here")

    def register(self, user: str, password: str, address: str | None) -> Deferred[Account]:
        """
        Make a name somebody's own, and log in.

        @raise Refused: C{not_allowed} where registration is closed; C{name_taken}, C{bad_message}, C{rate_limited}.
        """
        raise Refused("not_allowed", "nobody can do that here")

    def set_password(self, account: Account | None, password: str, new: str, address: str | None) -> Deferred[None]:
        """
        Another password for an account.

        @raise Refused: C{not_allowed} for guests, and for accounts whose passwords are kept elsewhere; C{bad_login};
            C{rate_limited}.
        """
        raise Refused("not_allowed", "nobody can do that here")

    def check_name(self, name: str, account: Account | None) -> Deferred[None]:
        """
        Whether somebody may be called that.

        @raise Refused: C{name_taken}: it looks like the name of an account that is not C{account}.
        """
        return Deferred.fromCoroutine(self._check_name(name, account))

    async def _check_name(self, name: str, account: Account | None) -> None:
        record = await self._core.store.accounts.find(skeleton(name))
        if record is not None and (account is None or account.skeleton != record.skeleton):
            raise Refused("name_taken", "that name belongs to somebody, or looks as if; take another", "$.name")

