"""Games on a port of their own: JSON values with or without anything between them."""

from __future__ import annotations

from netplay.connection import IFraming, MessageFactory, MessageProtocol
from netplay.wire.jsonstream import JSONStream


class GameProtocol(MessageProtocol):
    """One player on TCP, TLS or a unix socket."""

    def make_framing(self, max_message: int) -> IFraming:
        """Simple clients send values without newlines, and glue or split them as the network likes."""
        return JSONStream(max_message)


class GameFactory(MessageFactory):
    """Builds L{GameProtocol}s."""

    protocol = GameProtocol
    framing = "stream"
