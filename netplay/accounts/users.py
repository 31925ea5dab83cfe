"""What can be done with the accounts of a store by those who run it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from twisted.python.usage import UsageError

from netplay.accounts.names import account_name
from netplay.accounts.passwords import Passwords
from netplay.core import Core
from netplay.store.records import AccountRecord, AuditRecord
from netplay.text import readings, same_name, skeleton

PAGE = 500
"""Accounts that are read at once."""


class Users:
    """
    Each method says what was done, for people, or raises L{UsageError}.

    @param core: with a store that is open.
    """

    def __init__(self, core: Core, passwords: Passwords) -> None:
        self._core = core
        self._accounts = core.store.accounts
        self._passwords = passwords

    async def add(self, name: str, password: str | None, roles: Sequence[str]) -> str:
        """Make an account."""
        name = account_name(name)
        for reading in readings(name):
            if there := await self._accounts.find(reading):
                raise UsageError(f"add {name}: there is {there.name} already, which is or looks the same")
        kept = None if password is None else await self._passwords.hash(password.encode())
        record = AccountRecord(name, skeleton(name), self._core.now(), password=kept, roles=_sorted(roles))
        if not await self._accounts.add(record):
            raise UsageError(f"add {name}: somebody has just made one that is or looks the same")
        await self._note("user_add", name, " ".join(record.roles))
        return f"{name} has an account now; roles: {_told(record)}"

    async def list(self) -> str:
        """A line for each."""
        rows = [("NAME", "CREATED", "STATE", "PASSWORD", "ROLES")]
        async for record in self._all():
            password = "elsewhere" if record.password is None else "here"
            rows.append((record.name, _day(record), _state(record), password, " ".join(record.roles)))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    async def show(self, name: str) -> str:
        """What is known of one."""
        record = await self._one("show", name)
        password = "none here; somebody else checks who it is" if record.password is None else "kept here"
        return (
            f"name      {record.name}\ncreated   {_day(record)}\nstate     {_state(record)}\n"
            f"password  {password}\nroles     {_told(record)}"
        )

    async def password(self, name: str, password: str) -> str:
        """Another one. Who knows the old one may have sessions: they are over."""
        record = await self._one("password", name)
        await self._accounts.change(record.skeleton, password=await self._passwords.hash(password.encode()))
        await self._core.store.sessions.drop_all(record.name)
        await self._note("user_password", record.name)
        return f"{record.name} has another password now"

    async def role(self, name: str, roles: Sequence[str]) -> str:
        """These and no others."""
        record = await self._one("role", name)
        changed = await self._accounts.change(record.skeleton, roles=_sorted(roles))
        assert changed is not None, "accounts are never removed"
        await self._note("user_role", record.name, " ".join(changed.roles))
        return f"{record.name} has other roles now: {_told(changed)}"

    async def disable(self, name: str) -> str:
        """Not to be used any more."""
        record = await self._one("disable", name)
        await self._accounts.change(record.skeleton, disabled=True)
        await self._note("user_disable", record.name)
        return f"{record.name} is disabled now"

    async def enable(self, name: str) -> str:
        """To be used again."""
        record = await self._one("enable", name)
        await self._accounts.change(record.skeleton, disabled=False)
        await self._note("user_enable", record.name)
        return f"{record.name} may be used now"

    async def _one(self, command: str, name: str) -> AccountRecord:
        record = await self._accounts.find(skeleton(name))
        if record is None:
            raise UsageError(f"{command} {name}: there is no such account; `netplay user list` shows all")
        if same_name(record.name) != same_name(name):
            raise UsageError(f"{command} {name}: there is only {record.name}, which looks like that")
        return record

    async def _all(self) -> AsyncIterator[AccountRecord]:
        page = await self._accounts.page(None, PAGE)
        while page:
            for record in page:
                yield record
            page = await self._accounts.page(page[-1].skeleton, PAGE)

    async def _note(self, action: str, target: str, detail: str = "") -> None:
        await self._core.store.audit.note(AuditRecord(self._core.now(), "shell", action, target, detail))


def _sorted(roles: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(roles)))


def _told(record: AccountRecord) -> str:
    return ", ".join(record.roles) or "none"


def _day(record: AccountRecord) -> str:
    return f"{datetime.fromtimestamp(record.created / 1000, UTC):%Y-%m-%d}"


def _state(record: AccountRecord) -> str:
    return "disabled" if record.disabled else "enabled"
