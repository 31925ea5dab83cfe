"""Somebody who is logged in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface, implementer

if TYPE_CHECKING:
    from netplay.connection import Connection
    from netplay.errors import Refused

OPERATOR = "operator"
MODERATOR = "moderator"

ROLE = r"^(operator|moderator(:[a-z0-9][a-z0-9_-]{0,31})?)\Z"
"""The pattern of roles: C{operator}, C{moderator}, C{moderator:ROOM}."""


def is_role(role: str) -> bool:
    """Whether there is such a role."""
    return re.match(ROLE, role) is not None


class IAccount(Interface):
    """What a login gives: the avatar interface of L{twisted.cred}."""

    name: str = Attribute("As it is shown.")
    skeleton: str = Attribute("What all names that look like it have in common; unlike that of any other account.")
    roles: frozenset[str] = Attribute("C{operator}, C{moderator}, C{moderator:ROOM}.")
    operator: bool = Attribute("Whether it may do everything.")

    def may_moderate(room: str | None) -> bool:
        """Whether it keeps order in a room, or with C{None} in all of them."""


@implementer(IAccount)
class Account:
    """
    One for all connections of an account, as long as there are any.

    @ivar granted: the roles that the store has for it.
    @ivar vouched: those that it has by what it logged in with.
    @ivar password: the hash of its password when that was last looked at, C{None} before.
    @ivar connections: those that are logged in as this one.
    """

    __slots__ = ("connections", "granted", "name", "password", "skeleton", "vouched")

    def __init__(self, name: str, skeleton: str, granted: Iterable[str] = (), vouched: Iterable[str] = ()) -> None:
        self.name = name
        self.skeleton = skeleton
        self.granted = frozenset(granted)
        self.vouched = frozenset(vouched)
        self.password: str | None = None
        self.connections: set[Connection] = set()

    @property
    def roles(self) -> frozenset[str]:
        """C{operator}, C{moderator}, C{moderator:ROOM}."""
        return self.granted | self.vouched

    @property
    def operator(self) -> bool:
        """Whether it may do everything."""
        return OPERATOR in self.roles

    def may_moderate(self, room: str | None) -> bool:
        """Whether it keeps order in a room, or with C{None} in all of them."""
        return bool(self.roles & {OPERATOR, MODERATOR, f"{MODERATOR}:{room}"})

    def end(self, refused: Refused, *, but: Connection | None = None) -> None:
        """End all its connections, or all but one."""
        for connection in self.connections - {but}:
            connection.end(refused)
