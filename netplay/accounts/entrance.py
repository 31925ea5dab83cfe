"""Where a client waits that is nobody yet, on a server without guests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zope.interface import implementer

from netplay.interfaces import ISession
from netplay.messages import COMMON, PROTOCOL, SERVER, LoginRequired, Resume
from netplay.session import COMMON_HANDLERS, Session
from netplay.wire.grammar import Grammar

if TYPE_CHECKING:
    from netplay.clients import Client
    from netplay.core import Core


@implementer(ISession)
class Entrance(Session):
    """Stands in for a feature's session until the client has logged in: nothing of the feature is told or taken."""

    __slots__ = ()

    grammar = Grammar(COMMON)
    handlers = COMMON_HANDLERS

    def __init__(self, client: Client, core: Core) -> None:
        super().__init__(client, core)
        client.send(
            LoginRequired(
                message="there are no guests here: log in, with {type: login, user, password} or {type: login, token}",
                protocol=PROTOCOL,
                server=SERVER,
                limits=client.caps(),
            )
        )

    def lost(self) -> None:
        """There is nothing to come back to."""

    def resumed(self, kept: object, request: Resume) -> None:
        """Whoever resumes has logged in by that, and is in the feature."""
        raise AssertionError("nobody resumes here")

    def expired(self, kept: object) -> None:
        """Nothing was kept."""
