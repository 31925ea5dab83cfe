"""HTTP by Twisted's own channel, with its limits drawn tighter."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, AnyStr
from typing import Protocol as Shape

from twisted.web.http import HTTPChannel
from twisted.web.resource import IResource
from twisted.web.server import Request, Site

from netplay.messages import SERVER
from netplay.web.problems import PROBLEM, problem_body

if TYPE_CHECKING:
    from netplay.core import Core

MOST_BODY = 64 * 1024
"""Bytes of a request's body, at most."""

MOST_HEADERS = 100
"""Header fields of one request, at most. (All of them together: 16 KiB.)"""


HTTP_1_1 = b"http/1.1"
"""What clients that ask over TLS which protocols are spoken (ALPN, RFC 7301) are told; browsers go if none is."""


_ABSOLUTE = re.compile(rb"https?://(?P<authority>[^/?#]*)(?P<rest>.*)", re.IGNORECASE | re.DOTALL)


class WebRequest(Request):
    """A request whose body is bounded, and whose answer says nothing of how it is made."""

    _received = 0
    _turned_down = False

    def getHeader(self, key: AnyStr) -> AnyStr | None:
        """Asked for in text, each byte is a character: Twisted's way raises where they are no UTF-8."""
        if isinstance(key, bytes):
            return super().getHeader(key)
        value = super().getHeader(key.encode())
        return None if value is None else value.decode("latin-1")

    def render(self, resrc: Any) -> None:
        """With the headers that every answer has."""
        self.setHeader(b"server", SERVER.encode())
        self.setHeader(b"x-content-type-options", b"nosniff")
        super().render(resrc)

    def gotLength(self, length: int | None) -> None:
        """A body that is said to be too long is not waited for."""
        if length is not None and length > MOST_BODY:
            self._too_large()
            length = 0
        super().gotLength(length or 0)  # for a length that is not known Twisted would open a file

    def handleContentChunk(self, data: bytes) -> None:
        """Nor is one that turns out to be."""
        self._received += len(data)
        if self._received <= MOST_BODY:
            super().handleContentChunk(data)
        elif self._received - len(data) <= MOST_BODY:
            self._too_large()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """What was turned down has no effect, should the rest of it come all the same."""
        if self._turned_down:
            return
        absolute = _ABSOLUTE.fullmatch(path)
        if absolute is not None:  # its authority takes the place of the Host (RFC 9112, section 3.2.2)
            self.requestHeaders.setRawHeaders(b"host", [absolute["authority"]])
            path = b"/" + absolute["rest"].removeprefix(b"/")
        super().requestReceived(command, path, version)

    def _too_large(self) -> None:
        self._turned_down = True
        self.requestHeaders.removeHeader(b"expect")  # of 100-continue: nothing is to come
        channel: Any = self.channel
        channel.turn_down(413, "too_large", f"a body may have at most {MOST_BODY} bytes")


class IPort(Shape):
    """The connection, as its channel sees it."""

    framing: Any

    def request_begun(self) -> None: ...
    def request_refused(self) -> None: ...
    def request_done(self) -> None: ...


class WebChannel(HTTPChannel):
    """
    The requests of one connection, one after the other.

    @ivar port: the connection.
    @ivar receiving: whether a request has begun and is not whole.
    @ivar answering: whether an answer is being made.
    @ivar upgraded: whether the connection speaks HTTP no more.
    """

    maxHeaders = MOST_HEADERS
    timeOut = None
    receiving = True  # someone who connects is expected to ask for something
    answering = False
    upgraded = False
    port: IPort

    def dataReceived(self, data: bytes) -> None:
        """Some of a request."""
        self._begin()
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """A line, perhaps of a request that came glued to the one before."""
        self._begin()
        super().lineReceived(line)

    def _begin(self) -> None:
        if not (self.receiving or self.answering):
            self.receiving = True
            self.port.request_begun()

    def headerReceived(self, line: bytes) -> bool:
        """A header is whole. A length with thousands of digits is more than Python reads."""
        try:
            valid: bool = super().headerReceived(line)
        except ValueError:
            valid = False
            self._respondToBadRequestAndDisconnect()
        return valid

    def allContentReceived(self) -> None:
        """A request is whole."""
        self.receiving = False
        self.answering = True
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        """It is answered."""
        self.answering = False
        super().requestDone(request)
        self.port.request_done()

    def rawDataReceived(self, data: bytes) -> None:
        """What came glued to a request that has ended HTTP on this connection is for what comes after it."""
        if self.upgraded:
            self.port.framing.feed(data)
        else:
            super().rawDataReceived(data)

    def loseConnection(self) -> Any:
        """Of a request that makes no sense, count that."""
        if self.receiving:
            self.receiving = False
            self.port.request_refused()
        return super().loseConnection()

    def lineLengthExceeded(self, line: bytes) -> Any:
        """A line without an end."""
        return self.turn_down(431, "too_large", "that was too long")

    def _respondToBadRequestAndDisconnect(self) -> None:
        """What Twisted's channel does not take. (It would send a status and no more.)"""
        if self._receivedHeaderSize > self.totalHeadersSize or self._receivedHeaderCount > self.maxHeaders:
            detail = f"a request may have at most {self.maxHeaders} headers and {self.totalHeadersSize} bytes of them"
            self.turn_down(431, "too_large", detail)
        else:
            self.turn_down(400, "bad_request", "that is no request of HTTP/1.1")

    def turn_down(self, status: int, code: str, detail: str) -> Any:
        """Answer what is not to be looked at any further with a problem, and close."""
        body = problem_body(status, code, detail)
        transport: Any = self.transport
        transport.write(
            b"HTTP/1.1 %d %b\r\nContent-Type: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
            % (status, HTTPStatus(status).phrase.encode(), PROBLEM.encode(), len(body), body)
        )
        return self.loseConnection()


def make_site(root: IResource, core: Core) -> Site:
    """The site whose requests a L{WebChannel} hears."""
    site = Site(root, requestFactory=WebRequest, parsePOSTFormSubmission=False, reactor=core.clock)
    site.noisy = False
    site.log = _no_log  # type: ignore[method-assign]
    return site


def _no_log(request: Any) -> None:
    """What clients ask for is no news, and may hold a session."""
