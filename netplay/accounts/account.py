"""Somebody who is logged in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface, implementer

if TYPE_CHECKING:
    from netplay.connection import Connection

OPERATOR = "operator"
MODERATOR = "moderator"


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

    @ivar connections: those that are logged in as this one.
    """

    __slots__ = ("connections", "name", "roles", "skeleton")

    def __init__(self, name: str, skeleton: str, roles: Iterable[str] = ()) -> None:
        self.name = name
        self.skeleton = skeleton
        self.roles = frozenset(roles)
        self.connections: set[Connection] = set()

    @property
    def operator(self) -> bool:
        """Whether it may do everything."""
        return OPERATOR in self.roles

    def may_moderate(self, room: str | None) -> bool:
        """Whether it keeps order in a room, or with C{None} in all of them."""
        return bool(self.roles & {OPERATOR, MODERATOR, f"{MODERATOR}:{room}"})
