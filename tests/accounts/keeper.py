"""Accounts whose passwords are checked at once."""

from __future__ import annotations

from typing import Any

from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from netplay.accounts.interfaces import IPasswordKeeper
from netplay.core import Core
from netplay.store.records import AccountRecord
from netplay.text import skeleton

PASSWORD = "correct horse"


@implementer(IPasswordKeeper)
class Keeper:
    """
    Checks the passwords in the store, which are there backwards.

    @ivar asked: what was checked, in its order.
    @ivar held: if set, what the next answer waits for.
    """

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.held: Deferred[None] | None = None

    def bind(self, core: Core) -> None:
        self._core = core

    def hash(self, password: bytes) -> Deferred[str]:
        return succeed(password.decode()[::-1])

    def requestAvatarId(self, credentials: Any) -> Deferred[str]:
        return Deferred.fromCoroutine(self._check(credentials.username.decode(), credentials.password.decode()))

    async def _check(self, name: str, password: str) -> str:
        self.asked.append((name, password))
        if self.held is not None:
            await self.held
        record = await self._core.store.accounts.find(skeleton(name))
        if record is None or record.password != password[::-1]:
            raise UnauthorizedLogin
        return record.name


def account(name: str, *roles: str, disabled: bool = False) -> AccountRecord:
    """One as the store has it, with L{PASSWORD}."""
    return AccountRecord(name, skeleton(name), 0, password=PASSWORD[::-1], roles=roles, disabled=disabled)
