"""
The binary port: frames with the header C{!IH}, as fast as Python reads them, for all features on one connection.

Types 1 to 3 and all that are named nowhere are echoed with an emoji. A feature's own type carries its messages in
MessagePack, and the type 16 above it the same in JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.plugin import IPlugin
from zope.interface import implementer

from netplay.clients import Client, error_of
from netplay.connection import Connection, ConnectionFactory, IFraming
from netplay.core import Core
from netplay.errors import Refused
from netplay.interfaces import IFeature, IFeatureService
from netplay.shared import SharedFeatures
from netplay.wire.codecs import JSON, MSGPACK, frames_wire
from netplay.wire.frames import Frames, frame

EMOJI = {1: "🚀", 2: "💪", 3: "✨"}  # speed, strength, magic
UNKNOWN = "❓"

ERROR_TYPE = 0
"""The frame type of errors that belong to no feature."""

JSON_ABOVE = 16
"""What is added to a feature's frame type for its messages in JSON."""


class BinaryProtocol(Connection):
    """One peer that speaks frames, for itself and for each feature that it uses."""

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._shared = SharedFeatures(self, frames_wire(ERROR_TYPE, JSON))  # MessagePack once the peer has written it

    def make_framing(self, max_message: int) -> IFraming:
        """Length and type before each payload."""
        return Frames(max_message)

    def deliver(self, payload: tuple[int, bytes]) -> Deferred[Any] | None:
        """To the feature that has the type, or back."""
        kind, content = payload
        codec = MSGPACK
        name = self.core.frame_types.get(kind)
        if name is None:
            codec = JSON
            name = self.core.frame_types.get(kind - JSON_ABOVE)
            if name is None:
                return self.in_turn(self._echo, kind, content)
        self._shared.error_wire = frames_wire(ERROR_TYPE, codec)
        return self._shared.received(name, frames_wire(kind, codec), content)

    def clients(self) -> Iterable[Client]:
        """Those of the features used so far."""
        return self._shared.clients()

    def farewell(self, refused: Refused, ref: str | int | None) -> bytes:
        """An error frame."""
        return self._shared.error_wire.encode(error_of(refused, ref, fatal=True))

    def _echo(self, kind: int, content: bytes) -> None:
        if not self._shared.admitted():
            return
        if kind == ERROR_TYPE:
            self._mistake(f"frames of type {ERROR_TYPE} come from the server only")
            return
        try:
            text = content.decode()
        except UnicodeDecodeError:
            self._mistake(f"the payload of a frame of type {kind} is UTF-8 text")
            return
        self.mistakes = 0
        self.outbox.write(frame(kind, f"{EMOJI.get(kind, UNKNOWN)} Echo: {text}".encode()))

    def _mistake(self, message: str) -> None:
        self._shared.mistake(Refused("bad_message", message))


class BinaryFactory(ConnectionFactory):
    """Builds L{BinaryProtocol}s."""

    protocol = BinaryProtocol
    framing = "frames"
    feature = "binary"


@implementer(IFeatureService)
class BinaryService(Service):
    """The port itself keeps nothing."""

    def __init__(self, core: Core) -> None:
        self.factory = BinaryFactory(core)


@implementer(IPlugin, IFeature)
class BinaryFeature:
    """The binary port as the daemon finds it."""

    name = "binary"
    summary = "length-prefixed frames, for echo and for all features in MessagePack or JSON"
    port = 6000
    order = 20
    greeting = ""
    frame_type = None
    parameters: list[list[Any]] = []

    def build(self, options: Mapping[str, Any], core: Core) -> BinaryService:
        """The binary port has no options of its own."""
        return BinaryService(core)
