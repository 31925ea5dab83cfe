"""The checker of those whose passwords are in the daemon's own store: C{--auth store}."""

from __future__ import annotations

from typing import Any

from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred
from zope.interface import implementer

from netplay.accounts.interfaces import IPasswordKeeper
from netplay.accounts.passwords import Passwords
from netplay.core import Core
from netplay.text import same_name, skeleton


@implementer(IPasswordKeeper)
class StoreChecker:
    """Takes the same time for a wrong name as for a wrong password."""

    credentialInterfaces = (IUsernamePassword,)

    def bind(self, core: Core) -> None:
        """Of this daemon's store."""
        self._core = core
        self.passwords = Passwords(core.clock)

    def hash(self, password: bytes) -> Deferred[str]:
        """See L{IPasswordKeeper.hash}."""
        return self.passwords.hash(password)

    def requestAvatarId(self, credentials: IUsernamePassword) -> Deferred[Any]:
        """
        The name of the account, as it is shown.

        @raise UnauthorizedLogin: there is none of that name with that password.
        @raise netplay.errors.Refused: C{store_busy}.
        """
        return Deferred.fromCoroutine(self._check(credentials.username.decode(), credentials.password))

    async def _check(self, name: str, password: bytes) -> str:
        accounts = self._core.store.accounts
        account = await accounts.find(skeleton(name))
        if account is not None and same_name(account.name) != same_name(name):
            account = None  # it only looks like that
        kept = None if account is None else account.password
        better = await self.passwords.check(kept, password)
        if account is None or better is None:
            raise UnauthorizedLogin
        if better != kept:
            self._core.accounts.rehashed(account.skeleton)
            self._core.keeping.keep("a password", accounts.change, account.skeleton, password=better)
        return account.name
