"""What those who say who somebody is provide beyond L{twisted.cred}."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import ICredentials
from zope.interface import Attribute

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from netplay.core import Core


class IToken(ICredentials):
    """Somebody brings what another server has signed."""

    token: str = Attribute("As it came.")


class IBoundChecker(ICredentialsChecker):
    """A checker that needs the daemon. Those are made as options are read, when there is none yet."""

    def bind(core: Core) -> None:
        """This is the daemon. Called once, before the store is open."""


class IPasswordKeeper(IBoundChecker):
    """The checker of those accounts whose passwords the daemon's own store has."""

    def hash(password: bytes) -> Deferred[str]:
        """
        What the store is to have of a password, worked out beside the reactor.

        @raise netplay.errors.Refused: C{store_busy}: too many are waiting.
        """


class Vouched(NamedTuple):
    """
    An avatar id with what else a checker knows. Checkers may just as well return a name alone.

    @ivar roles: besides those that the store has for the account.
    """

    name: str
    roles: Collection[str] = ()
