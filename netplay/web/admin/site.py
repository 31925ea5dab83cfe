"""What the daemon's keepers see over HTTP: on the web port, or on an endpoint of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec
from twisted.internet.interfaces import IAddress, IProtocolNegotiationFactory
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.resource import IResource, Resource
from zope.interface import implementer

from netplay.accounts import operations as accounts
from netplay.core import Core
from netplay.moderation import operations as moderation
from netplay.operations import Operation
from netplay.web.admin import visitors
from netplay.web.admin.api import API
from netplay.web.admin.asyncapi import asyncapi
from netplay.web.admin.health import healthz, readyz
from netplay.web.admin.metrics import metrics
from netplay.web.admin.tokens import token_of
from netplay.web.http import HTTP_1_1, WebChannel, make_site
from netplay.web.problems import Nothing, Page

MOST_CONNECTIONS = 100
"""To the endpoint of the keepers; any further are just closed."""


def admin_children(options: Mapping[str, Any], core: Core) -> dict[bytes, IResource]:
    """
    The resources, by the first segment of their path.

    @raise twisted.python.usage.UsageError: the token is no good.
    """

    def operations() -> Iterable[Operation]:
        everywhere = (accounts, moderation, visitors)
        return [*core.operations, *(one for part in everywhere for one in part.operations(core))]

    return {
        b"api": API(core, token_of(options), operations),
        b"asyncapi.json": _described_messages(core),
        b"metrics": metrics(core),
        b"healthz": healthz(),
        b"readyz": readyz(core),
    }


def _described_messages(core: Core) -> Page:
    @cache  # when first asked for: by then all features are built, and they do not change
    def document() -> bytes:
        return msgspec.json.encode(asyncapi(core.features))

    return Page(lambda request: (document(), "application/json"))


class Root(Resource):
    """
    What an endpoint of the keepers' own serves.

    @param children: as L{admin_children} has them.
    """

    def __init__(self, children: Mapping[bytes, IResource]) -> None:
        super().__init__()
        for segment, child in children.items():
            self.putChild(segment, child)

    def getChild(self, path: bytes, request: Any) -> Resource:
        """All else is not there."""
        return Nothing()


class AdminChannel(WebChannel):
    """
    One connection to the endpoint of the keepers. Twisted's own timer ends it when it is idle.

    It is none of the daemon's connections: it goes on while those are ended, so that it can be seen that they are.
    """

    def timeoutConnection(self) -> None:
        """Nothing came for too long."""
        transport: Any = self.transport
        transport.abortConnection()


class AdminPort:
    """
    What the channels of that endpoint tell of themselves.

    @param core: where it is counted.
    """

    framing = None  # nothing but HTTP is spoken

    def __init__(self, core: Core) -> None:
        self._core = core

    def request_begun(self) -> None:
        """One begins."""

    def request_refused(self) -> None:
        """A request made no sense."""
        self._core.complaints.note("http")

    def request_done(self) -> None:
        """It is answered."""


@implementer(IProtocolNegotiationFactory)
class AdminFactory(WrappingFactory):
    """
    Builds the connections of that endpoint, so many at once.

    @param root: what is served.
    """

    noisy = False

    def __init__(self, root: IResource, core: Core) -> None:
        port = AdminPort(core)

        def channel() -> AdminChannel:
            made = AdminChannel()
            made.port = port
            return made

        site: Any = make_site(root, core)
        site.protocol = channel
        super().__init__(site)

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """One for each peer, while there is room."""
        return super().buildProtocol(addr) if len(self.protocols) < MOST_CONNECTIONS else None

    def acceptableProtocols(self) -> list[bytes]:
        """Over TLS (ALPN, RFC 7301)."""
        return [HTTP_1_1]

    def close(self) -> None:
        """End all connections, when what was answered is sent."""
        for wrapper in list(self.protocols):
            if isinstance(wrapper, ProtocolWrapper):
                wrapper.loseConnection()
