"""One connection of the web port: requests of HTTP, until one of them makes it a WebSocket."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolNegotiationFactory
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.server import Site
from zope.interface import implementer

from netplay.clients import Client
from netplay.connection import Connection, ConnectionFactory, IFraming
from netplay.core import Core
from netplay.errors import Refused
from netplay.web.frames import CLOSE, PING, close_frame, frame
from netplay.web.http import HTTP_1_1, WebChannel
from netplay.web.proxies import Proxies, client_address
from netplay.web.talks import Talk
from netplay.web.websocket import Closing, Handshake, Message, Messages

KEPT_ALIVE = 60.0
"""Seconds without a request after which a connection is closed."""

PING_AFTER = 25.0
"""Seconds of silence on a WebSocket after which we ask whether anyone is there: proxies close after 60."""

GONE_AFTER = 20.0
"""Seconds in which that is to be answered."""

CLOSE_CODES = {
    "shutting_down": 1001,
    "too_large": 1009,
    "internal": 1011,
    "slow_consumer": 4001,
    "idle_timeout": 4002,
    "server_full": 4003,
    "kicked": 4004,
    "banned": 4004,
}
"""What a WebSocket is closed with, by the code of the error that ends it."""

HTTP = "http"
"""The name of the framing before it is a WebSocket."""

POLICY_VIOLATION = 1008
"""For all other errors."""


class Requests:
    """
    The framing of HTTP: what comes is handled as it is fed, so that no payload is ever found.

    @param channel: Twisted's.
    """

    __slots__ = ("_channel",)

    unfinished = False  # how long a request may take is seen to elsewhere

    def __init__(self, channel: WebChannel) -> None:
        self._channel = channel

    def feed(self, data: bytes) -> None:
        """Take what came from the socket."""
        self._channel.dataReceived(data)

    def next(self) -> None:
        """There are none."""

    def finish(self) -> None:
        """Nothing is left."""


class WebProtocol(Connection):
    """
    Begins as HTTP on Twisted's own channel, for which the outbox is the transport. A request for a WebSocket turns it
    into one: the same outbox, limits and watch, with other framing.

    @ivar refused: why there is no room for it. HTTP says so to each request; a WebSocket is opened first, as
        browsers tell their pages only close codes.
    """

    __slots__ = ("_talk",)

    factory: WebFactory
    refused: Refused | None = None
    _channel: WebChannel | None = None
    _alive = False  # something came before the last check, be it only a pong
    _alive_at = 0.0
    _pinged = False
    _counted = 0  # messages at the last check
    _waiting_since = 0.0  # for the rest of a request, or for the next

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._talk: Talk | None = None

    def make_framing(self, max_message: int) -> IFraming:
        """HTTP first of all."""
        channel = self._channel = WebChannel()
        return Requests(channel)

    # As HTTP

    def opened(self) -> None:
        """Requests may come."""
        channel = self._channel
        assert channel is not None
        self._waiting_since = self.core.clock.seconds()
        self.outbox.unregisterProducer()  # the channel sees to that itself
        channel.site = self.factory.site  # type: ignore[attr-defined]
        channel.factory = self.factory.site
        channel.requestFactory = self.factory.site.requestFactory
        channel.port = self
        channel.makeConnection(self.outbox)

    def turned_away(self, refused: Refused) -> None:
        """There is no room for it; that is said once it has asked for something."""
        self.refused = refused
        self._start()

    def peer_address(self) -> str | None:
        """Proxies are not counted by their address: whose connection it is they say with the request."""
        peer: str | None = super().peer_address()
        return None if self.factory.proxies.trusted(peer) else peer

    def address_told(self, headers: Headers) -> str | None:
        """Whose request it is, if it comes from a trusted proxy; C{None} if it does not."""
        peer: str | None = super().peer_address()
        return client_address(peer, headers, self.factory.proxies) if self.factory.proxies.trusted(peer) else None

    def refusal(self, headers: Headers) -> Refused | None:
        """Why a request is not answered: there is no room, or whoever a proxy passes it on for is banned."""
        told = self.address_told(headers)
        if self.refused is None and told is not None:
            try:
                self.core.moderation.check_address(told)
            except Refused as banned:
                self.core.complaints.note(banned.code)
                return banned
        return self.refused

    def request_begun(self) -> None:
        """The rest of it is to come in time."""
        self._waiting_since = self.core.clock.seconds()

    def request_refused(self) -> None:
        """A request made no sense."""
        self.core.complaints.note("http")

    def request_done(self) -> None:
        """A request is answered. Whoever has closed its direction will ask for nothing more."""
        self._waiting_since = self.core.clock.seconds()
        if self._input_over and self._open:
            self.outbox.close()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is gone."""
        channel, self._channel = self._channel, None
        if channel is not None and channel.transport is not None:
            channel.connectionLost(reason)
        super().connectionLost(reason)

    # As a WebSocket

    def upgrade(self, handshake: Handshake, talk: Talk, address: str | None) -> None:
        """
        Become a WebSocket.

        @param handshake: was accepted; the response is not sent yet.
        @param talk: what will be said.
        @param address: the client's, if a proxy has told.
        """
        assert self._channel is not None
        self._channel.upgraded = True
        self._channel = None
        self.outbox.unregisterProducer()
        self.outbox.registerProducer(self, True)
        self.framing = Messages(handshake, self._say_aside)
        self._talk = talk
        self._heard = self._alive = True
        self.outbox.write(handshake.response.serialize())
        refused = self.refused
        if refused is None and address is not None:
            self.address = address
            try:
                self._gate_key = self.core.gate.identify(address)
            except Refused as full:
                self.core.complaints.note(full.code)
                refused = full
        if refused is not None:
            self.end(refused)
            return
        try:
            talk.opened()
        except Exception:
            self._went_wrong("greeting a client")

    def deliver(self, payload: Message | Closing) -> Deferred[Any] | None:
        """A message, or the end of them."""
        assert self._talk is not None
        if type(payload) is Message:
            return self._talk.received(payload)
        assert isinstance(payload, Closing)
        return self.in_turn(self._closed_by_peer, payload)

    def _closed_by_peer(self, payload: Closing) -> None:
        if payload.reason:
            self.core.complaints.note("bad_frame")
        self._release()
        last = frame(CLOSE, b"") if payload.code is None else close_frame(payload.code, payload.reason)
        self._last_words(last, linger=bool(payload.reason))

    def clients(self) -> Iterable[Client]:
        """Those of the features in use."""
        return () if self._talk is None else self._talk.clients()

    @property
    def framing_name(self) -> str:
        """Which of the two it is just now."""
        return HTTP if self._talk is None else self.factory.framing

    def farewell(self, refused: Refused, ref: str | int | None) -> bytes:
        """The error, then the close frame. HTTP is just closed: whoever waits for an answer asks again."""
        if self._talk is None:
            return b""
        code = CLOSE_CODES.get(refused.code, POLICY_VIOLATION)
        return self._talk.farewell(refused, ref) + close_frame(code, refused.message)

    def _close_when_taken(self) -> None:
        if self._talk is not None:
            super()._close_when_taken()
        elif self._channel is None or not self._channel.answering:
            self.outbox.close()

    def _say_aside(self, control: bytes) -> None:
        """Send a ping or pongs, which are no sign of life of the feature: they do not count for idleness."""
        self.outbox.write(control)
        taken, waiting = self._taken
        self._taken = (taken + len(control), waiting)

    # Liveness

    def check(self, now: float) -> None:
        """Look after this connection, each phase by its own rules."""
        if not self._open:
            super().check(now)
        elif self._talk is None:
            self._check_requests(now)
        else:
            self._alive |= self._heard
            if self._messages == self._counted and not self.framing.unfinished:
                self._heard = False  # pongs alone keep nobody from being idle
            self._counted = self._messages
            super().check(now)
            self._check_pulse(now)

    def _check_requests(self, now: float) -> None:
        channel = self._channel
        assert channel is not None
        waited = 0.0 if channel.answering else now - self._waiting_since
        if channel.receiving and waited >= self.core.limits.handshake:
            channel.turn_down(408, "idle_timeout", "that took too long")
        elif not channel.receiving and self.outbox.clear and waited >= KEPT_ALIVE:
            self.outbox.close()
        else:
            super().check(now)

    def _check_pulse(self, now: float) -> None:
        if self._alive or self._busy or self._choked:  # what is not read cannot be heard
            self._alive = self._pinged = False
            self._alive_at = now
        elif not self._open:
            pass
        elif now - self._alive_at >= PING_AFTER + GONE_AFTER:
            self.core.complaints.note("no_pong")
            self.abort()
        elif now - self._alive_at >= PING_AFTER and not self._pinged:
            self._pinged = True
            self._say_aside(frame(PING, b""))


@implementer(IProtocolNegotiationFactory)
class WebFactory(ConnectionFactory):
    """
    Builds the connections of a web port.

    @param core: the daemon's.
    @param site: whose resources answer.
    @param proxies: who may say whose requests they pass on.
    """

    protocol: type[WebProtocol] = WebProtocol
    framing = "websocket"
    feature = "web"

    def __init__(self, core: Core, site: Site, proxies: Proxies) -> None:
        super().__init__(core)
        self.site = site
        self.proxies = proxies

    def acceptableProtocols(self) -> list[bytes]:
        """Over TLS (ALPN, RFC 7301)."""
        return [HTTP_1_1]
