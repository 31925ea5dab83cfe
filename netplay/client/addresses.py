"""Where a server is, as a program says it: an endpoint string of Twisted or a URL; and which wire belongs to that."""

from __future__ import annotations

from typing import Literal, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from twisted.internet.endpoints import quoteStringArgument
from twisted.plugin import getPlugins

from netplay.client.wires import FrameWire, IWire, LineWire, WebSocketWire
from netplay.wire.codecs import JSON, MSGPACK

CodecName = Literal["json", "msgpack"]

PORTS = {"ws": 80, "wss": 443}


class Address(NamedTuple):
    """
    One feature of one server.

    @ivar endpoint: a client endpoint string, as L{twisted.internet.endpoints.clientFromString} takes it.
    @ivar feature: its name.
    @ivar url: of its WebSocket, C{None} for a port that speaks without.
    @ivar codec: how messages are written.
    """

    endpoint: str
    feature: str
    url: str | None
    codec: CodecName

    def wire(self) -> IWire:
        """The wire of a new connection."""
        if self.url is not None:
            return WebSocketWire(self.url, MSGPACK if self.codec == "msgpack" else JSON)
        if self.codec == "msgpack":
            return FrameWire(_frame_type(self.feature), MSGPACK)
        return LineWire()


def address(where: str, feature: str, codec: CodecName = "json") -> Address:
    """
    Find out what is meant.

    @param where: C{tcp:localhost:8888}, C{tls:chat.example.org:8888}, C{unix:/run/netplay/chat.sock}, or a URL of the
        web port: C{wss://example.org/}, to which C{/ws/} and the feature are added unless it has a path.
    @param feature: C{chat}, C{game}, C{ticker}, or another that the server has.
    @param codec: C{msgpack} is the subprotocol C{netplay.msgpack} of a URL. At an endpoint it is the server's binary
        port, as the features' own ports speak JSON only.
    @raise ValueError: a URL of another kind, or no such codec or feature.
    """
    if codec not in ("json", "msgpack"):
        raise ValueError(f"there is no codec {codec!r}; say json or msgpack")
    scheme, separator, _ = where.partition("://")
    if not separator:
        if codec == "msgpack":
            _frame_type(feature)
        return Address(where, feature, None, codec)
    if scheme not in PORTS:
        raise ValueError(f"not ws:// or wss://: {scheme}://; say for example ws://localhost:8080/")
    url = urlsplit(where)
    if url.hostname is None or url.username is not None or url.fragment:
        raise ValueError("a URL here has a host, perhaps a port and a path: ws://localhost:8080/")
    kind = "tls" if scheme == "wss" else "tcp"
    endpoint = f"{kind}:{quoteStringArgument(url.hostname)}:{url.port or PORTS[scheme]}"
    path = f"/ws/{feature}" if url.path in ("", "/") else url.path
    return Address(endpoint, feature, urlunsplit((scheme, url.netloc, path, url.query, "")), codec)


def _frame_type(feature: str) -> int:
    """The type of a feature's frames on the binary port, as the feature itself says."""
    from netplay import plugins
    from netplay.interfaces import IFeature

    types = {one.name: one.frame_type for one in getPlugins(IFeature, plugins) if one.frame_type is not None}
    if feature not in types:
        raise ValueError(f"no feature {feature!r} has frames on the binary port; there are {', '.join(sorted(types))}")
    return types[feature]
