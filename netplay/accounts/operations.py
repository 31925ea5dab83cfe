"""What a backend may ask of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct
from twisted.internet.defer import Deferred

from netplay.accounts.account import ROLE
from netplay.errors import Refused
from netplay.messages import Name
from netplay.operations import Operation
from netplay.store.records import AccountRecord, AuditRecord
from netplay.text import same_name, skeleton

if TYPE_CHECKING:
    from netplay.core import Core

PAGE = 100
"""Accounts in one answer, at most."""

Role = Annotated[str, Meta(pattern=ROLE, examples=["moderator:tech"])]


class ListAccounts(Struct, forbid_unknown_fields=True, kw_only=True):
    """The accounts, in an order of their names in which look-alikes are the same, from behind the one `after`."""

    after: Name | None = None


class AccountLine(Struct):
    """An account, made at so many milliseconds since 1970; `connections` is how many it has now."""

    name: str
    roles: list[str]
    disabled: bool
    created: int
    connections: int


class AccountList(Struct):
    """Accounts; with `more`, ask again with the last name as `after`."""

    accounts: list[AccountLine]
    more: bool


class ChangeAccount(Struct, forbid_unknown_fields=True, kw_only=True):
    """
    Give an account these roles and no others, disable it, or let it be used again; what is not said stays.

    The connections of an account that is disabled end, and nobody resumes its sessions; its name stays its own.
    """

    name: Name
    roles: Annotated[list[Role], Meta(max_length=100)] | None = None
    disabled: bool | None = None


def operations(core: Core) -> Sequence[Operation]:
    """Those of one daemon."""

    def line(record: AccountRecord) -> AccountLine:
        connections = core.accounts.connections(record.skeleton)
        return AccountLine(record.name, list(record.roles), record.disabled, record.created, connections)

    async def list_accounts(request: ListAccounts) -> AccountList:
        after = None if request.after is None else skeleton(request.after)
        records = await core.store.accounts.page(after, PAGE + 1)
        return AccountList([line(record) for record in records[:PAGE]], len(records) > PAGE)

    async def change_account(request: ChangeAccount) -> AccountLine:
        fields: dict[str, Any] = {}
        if request.roles is not None:
            fields["roles"] = tuple(sorted(set(request.roles)))
        if request.disabled is not None:
            fields["disabled"] = request.disabled
        record = await core.store.accounts.find(skeleton(request.name))
        if record is not None and same_name(record.name) == same_name(request.name):
            record = await core.store.accounts.change(record.skeleton, **fields)
            if record is not None:
                await core.store.audit.note(AuditRecord(core.now(), "api", "account", record.name, repr(fields)))
                core.accounts.changed(record)
                return line(record)
        raise Refused("no_such_account", "there is no account of that name", "$.name")

    return (
        Operation(
            "GET",
            "/accounts",
            ListAccounts,
            AccountList,
            lambda request: Deferred.fromCoroutine(list_accounts(request)),
        ),
        Operation(
            "PUT",
            "/accounts/{name}",
            ChangeAccount,
            AccountLine,
            lambda request: Deferred.fromCoroutine(change_account(request)),
            ("no_such_account",),
        ),
    )
