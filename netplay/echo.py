"""The echo port: bytes come back as they went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.application.service import Service
from twisted.plugin import IPlugin
from zope.interface import implementer

from netplay.connection import Connection, ConnectionFactory, IFraming
from netplay.core import Core
from netplay.errors import Refused
from netplay.interfaces import IFeature, IFeatureService


class Bytes:
    """The framing of a stream that has none: what came is a payload."""

    __slots__ = ("_data",)

    unfinished = False

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> None:
        """Take what came from the socket."""
        self._data += data

    def next(self) -> bytes | None:
        """All of it."""
        data, self._data = self._data, b""
        return data or None

    def finish(self) -> None:
        """Nothing is ever left."""


class EchoProtocol(Connection):
    """Sends back what comes. Who does not read is not read from: the outbox pauses the connection."""

    def make_framing(self, max_message: int) -> IFraming:
        """None."""
        return Bytes()

    def deliver(self, payload: bytes) -> None:
        """Back."""
        self.outbox.write(payload)

    def farewell(self, refused: Refused, ref: str | int | None) -> bytes:
        """Nothing comes back that did not go in."""
        return b""


class EchoFactory(ConnectionFactory):
    """Builds L{EchoProtocol}s."""

    protocol = EchoProtocol
    framing = "bytes"
    feature = "echo"


@implementer(IFeatureService)
class EchoService(Service):
    """Echo keeps nothing."""

    def __init__(self, core: Core) -> None:
        self.factory = EchoFactory(core)


@implementer(IPlugin, IFeature)
class EchoFeature:
    """Echo as the daemon finds it."""

    name = "echo"
    summary = "bytes come back as they went"
    port = 5000
    order = 10
    greeting = "anything"
    frame_type = None
    parameters: list[list[Any]] = []

    def build(self, options: Mapping[str, Any], core: Core) -> EchoService:
        """Echo has no options of its own."""
        return EchoService(core)
