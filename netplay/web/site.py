"""The resources of the web port: who may ask, and the WebSockets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET
from websockets.http11 import Response

from netplay.core import Core
from netplay.errors import Refused
from netplay.web.origins import Origins, pasteable
from netplay.web.problems import Answering, Nothing, Refusal, not_found, problem
from netplay.web.talks import SUBPROTOCOLS, EchoTalk, FeatureTalk, SharedTalk, Talk
from netplay.web.websocket import Handshake
from netplay.wire.codecs import JSON

ADVICE_EVERY = 10.0
"""Seconds between lines in the log that say which option would have let someone in."""


class Advice:
    """Which option would have let someone in, for the log: now and then only, however many come."""

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._said = -ADVICE_EVERY

    def give(self, what: str, sent: str, option: str, url: str) -> None:
        """
        @param what: kind of thing that was refused.
        @param sent: by the client; fit for one line of the log once it is here.
        @param option: that would let it in, with C{url}, if that is fit to be pasted.
        """
        now = self._clock.seconds()
        if now - self._said < ADVICE_EVERY:
            return
        self._said = now
        shown = re.sub(r"[^!-~]", "?", sent[:200])
        advice = f"; if that is yours, add {option} {url}" if pasteable(url) else ""
        self._log.info("refused {what} {shown}{advice}", what=what, shown=shown, advice=advice)


class Root(Resource):
    """
    What the web port serves.

    @param pages: for browsers, which may have been led here by a name that is not ours; by the first segment of their
        path, C{b""} is what C{/} shows.
    @param others: for programs, which know whom they ask.
    """

    def __init__(
        self, core: Core, origins: Origins, pages: Mapping[bytes, IResource], others: Mapping[bytes, IResource]
    ) -> None:
        super().__init__()
        self._core = core
        self._origins = origins
        self._advice = Advice(core.clock)
        self._others = frozenset(others)
        for segment, child in (*pages.items(), *others.items()):
            self.putChild(segment, child)

    def getChildWithDefault(self, path: bytes, request: Any) -> Any:
        """Check the Host first, and whether there is room for this connection."""
        hosts = request.requestHeaders.getRawHeaders(b"host", [])  # RFC 9112, section 3.2: there is one
        host = request.getHeader("host") if len(hosts) == 1 else None
        if path not in self._others and not self._origins.host_allowed(host):
            self._core.complaints.note("host")
            if host is None:
                return Refusal(Refused("no_host", "a request says its Host, once"))
            self._advice.give("the Host", host, "--public-url", f"https://{host}")
            return Refusal(Refused("wrong_host", "this server does not answer to that name"))
        if path != b"ws":  # which says it in its own way
            refused = request.channel.port.refusal(request.requestHeaders)
            if refused is not None:
                return Refusal(refused)
        return super().getChildWithDefault(path, request)

    def getChild(self, path: bytes, request: Any) -> Resource:
        """All else is not there."""
        return Nothing()


class Sockets(Resource):
    """
    C{/ws}: all features on one WebSocket; and below it one for each.

    @param echo: whether there is echo, too.
    """

    def __init__(self, core: Core, origins: Origins, echo: bool) -> None:
        super().__init__()
        self._core = core
        advice = Advice(core.clock)  # one for all, or each request would have its own line in the log
        self._socket = lambda open_talk, subprotocols: Socket(core, origins, advice, open_talk, subprotocols)
        if echo:
            self.putChild(b"echo", self._socket(_echo, ()))
        self.putChild(b"", self._socket(_shared, SUBPROTOCOLS))

    def getChild(self, path: bytes, request: Any) -> Resource:
        """The socket of a feature."""
        name = path.decode("ascii", "replace")
        if name in self._core.features:
            return self._socket(lambda *found: _feature(name, *found), SUBPROTOCOLS)
        return Nothing()

    def render(self, request: Any) -> Any:
        """Without a slash at the end it is the same."""
        return self.children[b""].render(request)


class Socket(Answering):
    """
    Opens WebSockets of one kind.

    @param advice: for those who are refused.
    @param open_talk: from connection, handshake and request to what will be said.
    """

    def __init__(
        self,
        core: Core,
        origins: Origins,
        advice: Advice,
        open_talk: Callable[[Any, Handshake, Any], Talk],
        subprotocols: Iterable[str],
    ) -> None:
        super().__init__()
        self._core = core
        self._origins = origins
        self._advice = advice
        self._open_talk = open_talk
        self._subprotocols = tuple(subprotocols)

    def answer(self, request: Any) -> Any:
        """Shake hands, or say why not."""
        if request.postpath not in ([], [b""]):
            return not_found(request)
        origin = request.getHeader("origin")
        if not self._origins.origin_allowed(origin, request.getHeader("host")):
            self._core.complaints.note("origin")
            self._advice.give("a page from", origin or "", "--allow-origin", origin or "")
            raise Refused("wrong_origin", "pages from elsewhere may not open WebSockets here")
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
            return _not_opened(request, handshake.response)
        port = request.channel.port
        port.upgrade(handshake, self._open_talk(port, handshake, request), port.address_told(request.requestHeaders))
        return NOT_DONE_YET


def _not_opened(request: Any, response: Response) -> bytes:
    """What was wrong with a handshake, with the headers that say what would be right."""
    ours = ("connection", "content-length", "content-type", "date")
    headers = {name.encode(): value.encode("latin-1") for name, value in response.headers.raw_items()}
    helpful = {name: value for name, value in headers.items() if name.decode().lower() not in ours}
    detail = bytes(response.body).decode().strip()
    return problem(request, response.status_code, "bad_handshake", detail, headers=helpful)


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
