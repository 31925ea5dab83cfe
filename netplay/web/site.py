"""The resources of the web port: who may ask, and the WebSockets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.http import Request
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET

from netplay.core import Core
from netplay.web.origins import Origins
from netplay.web.talks import SUBPROTOCOLS, EchoTalk, FeatureTalk, SharedTalk, Talk
from netplay.web.websocket import Handshake
from netplay.wire.codecs import JSON

PLAIN = b"text/plain; charset=utf-8"

PHRASES = {421: b"Misdirected Request"}
"""Of statuses that Twisted does not know."""

ADVICE_EVERY = 10.0
"""Seconds between lines in the log that say which option would have let someone in."""

Address = Callable[[Any], str | None]
"""Whose request it is, if it came through a proxy that says so."""


def answer(request: Request, status: int, text: str, content_type: bytes = PLAIN) -> bytes:
    """A short answer in words."""
    request.setResponseCode(status, PHRASES.get(status))
    request.setHeader(b"content-type", content_type)
    return text.encode()


class Refusal(Resource):
    """
    The same answer to everything.

    @param status: of HTTP.
    @param text: for a person; ends with a newline.
    @param headers: further ones.
    """

    isLeaf = True

    def __init__(self, status: int, text: str, headers: Mapping[bytes, bytes] = {}) -> None:
        super().__init__()
        self._status = status
        self._text = text
        self._headers = headers

    def render(self, request: Request) -> bytes:
        """Say it."""
        for name, value in self._headers.items():
            request.setHeader(name, value)
        return answer(request, self._status, self._text)


class Advice:
    """Which option would have let someone in, for the log: now and then only, however many come."""

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._said = -ADVICE_EVERY

    def give(self, what: str, option: str) -> None:
        """
        @param what: was refused. Part of it comes from the client and is escaped.
        @param option: to paste.
        """
        now = self._clock.seconds()
        if now - self._said >= ADVICE_EVERY:
            self._said = now
            self._log.info("refused {what}; if that is yours, add {option}", what=what, option=option)


def _shown(value: str | None) -> str:
    """Something that a client sent, fit for one line of the log."""
    return re.sub(r"[^!-~]", "?", (value or "")[:200])


class Root(Resource):
    """
    What the web port serves, to those who ask for it by a name that is ours.

    @param children: by the first segment of their path; C{b""} is what C{/} shows.
    """

    def __init__(self, core: Core, origins: Origins, children: Mapping[bytes, IResource]) -> None:
        super().__init__()
        self._core = core
        self._origins = origins
        self._advice = Advice(core.clock)
        for segment, child in children.items():
            self.putChild(segment, child)

    def getChildWithDefault(self, path: bytes, request: Any) -> Any:
        """Check the Host first, and whether there is room for this connection."""
        host = request.getHeader("host")
        if not self._origins.host_allowed(host):
            self._core.complaints.note("host")
            if host is None:
                return Refusal(400, "A request says its Host.\n")
            self._advice.give(f"the Host {_shown(host)}", f"--public-url https://{_shown(host)}")
            return Refusal(421, "This server does not answer to that name.\n")
        refused = request.channel.port.refused
        if refused is not None and path != b"ws":
            return Refusal(403 if refused.code == "banned" else 503, f"{refused.message}\n", {b"retry-after": b"10"})
        return super().getChildWithDefault(path, request)

    def getChild(self, path: bytes, request: Request) -> Resource:
        """All else is not there."""
        return Refusal(404, "There is nothing here.\n")


class Sockets(Resource):
    """
    C{/ws}: all features on one WebSocket; and below it one for each.

    @param address: whose request it is, if a proxy says so.
    """

    def __init__(self, core: Core, origins: Origins, echo: bool, address: Address) -> None:
        super().__init__()
        self._core = core
        self._socket = lambda open_talk, subprotocols: Socket(core, origins, address, open_talk, subprotocols)
        if echo:
            self.putChild(b"echo", self._socket(_echo, ()))
        self.putChild(b"", self._socket(_shared, SUBPROTOCOLS))

    def getChild(self, path: bytes, request: Request) -> Resource:
        """The socket of a feature."""
        name = path.decode("ascii", "replace")
        if name in self._core.features:
            return self._socket(lambda *found: _feature(name, *found), SUBPROTOCOLS)
        return Refusal(404, "There is no such feature here.\n")

    def render(self, request: Request) -> Any:
        """Without a slash at the end it is the same."""
        return self.children[b""].render(request)


class Socket(Resource):
    """
    Opens WebSockets of one kind.

    @param open_talk: from connection, handshake and request to what will be said.
    """

    isLeaf = True

    def __init__(
        self,
        core: Core,
        origins: Origins,
        address: Address,
        open_talk: Callable[[Any, Handshake, Any], Talk],
        subprotocols: Iterable[str],
    ) -> None:
        super().__init__()
        self._core = core
        self._origins = origins
        self._advice = Advice(core.clock)
        self._address = address
        self._open_talk = open_talk
        self._subprotocols = tuple(subprotocols)

    def render(self, request: Any) -> Any:
        """Shake hands, or say why not."""
        if len(request.postpath) > 0 and request.postpath != [b""]:
            return answer(request, 404, "There is nothing here.\n")
        origin = request.getHeader("origin")
        if not self._origins.origin_allowed(origin, request.getHeader("host")):
            self._core.complaints.note("origin")
            self._advice.give(f"a page from {_shown(origin)}", f"--allow-origin {_shown(origin)}")
            return answer(request, 403, "Pages from elsewhere may not open WebSockets here.\n")
        handshake = Handshake(
            request.method.decode("ascii", "replace"),
            request.uri.decode("ascii", "replace"),
            request.clientproto.decode("ascii", "replace"),
            _headers(request),
            self._subprotocols,
            self._core.limits.max_message,
        )
        if not handshake.accepted:
            self._core.complaints.note("handshake")
            response = handshake.response
            request.setResponseCode(response.status_code, response.reason_phrase.encode())
            for name, value in response.headers.raw_items():
                if name.lower() not in ("content-length", "date"):
                    request.setHeader(name.encode(), value.encode("latin-1"))
            return bytes(response.body)
        port = request.channel.port
        port.upgrade(handshake, self._open_talk(port, handshake, request), self._address(request))
        return NOT_DONE_YET


def _headers(request: Any) -> Iterable[tuple[str, str]]:
    for name, values in request.requestHeaders.getAllRawHeaders():
        for value in values:
            yield name.decode("latin-1"), value.decode("latin-1")


def _echo(port: Any, handshake: Handshake, request: Any) -> Talk:
    return EchoTalk(port)


def _shared(port: Any, handshake: Handshake, request: Any) -> Talk:
    return SharedTalk(port, SUBPROTOCOLS.get(handshake.subprotocol or "", JSON), handshake.window_bits)


def _feature(name: str, port: Any, handshake: Handshake, request: Any) -> Talk:
    codec = SUBPROTOCOLS.get(handshake.subprotocol or "", JSON)
    session = request.args.get(b"session", [None])[0]
    known = None if session is None else session[:128].decode("ascii", "replace")
    return FeatureTalk(port, name, codec, handshake.window_bits, known)
