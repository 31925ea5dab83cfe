"""
One connected client as a Twisted protocol: bytes in, payloads out in their order; outbox, limits, liveness.

Each wire is a subclass that brings its framing and says what a payload means.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from math import ceil
from typing import Any, ParamSpec
from typing import Protocol as Shape

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IHandshakeListener,
    IPushProducer,
    ISSLTransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from netplay.accounts.account import Account
from netplay.clients import Client, error_of
from netplay.core import Core
from netplay.errors import Refused
from netplay.interfaces import IMessageService
from netplay.limits import TokenBucket
from netplay.outbox import Outbox
from netplay.totals import Traffic
from netplay.wire.codecs import LINES, Wire
from netplay.wire.lines import Lines
from netplay.wire.proxyheader import ProxyHeader

P = ParamSpec("P")
Answering = Deferred[Any] | None
"""What holds back the next request until it fires."""

MOST_UNANSWERED = 100
"""Requests of one connection that have taken effect and are still to be answered."""

MOST_TURNED_AWAY = 100
"""Connections beyond the limits that are told so at the same time; any further are just closed."""


class IFraming(Shape):
    """Finds payloads in bytes."""

    def feed(self, data: bytes) -> None: ...
    def next(self) -> Any: ...
    def finish(self) -> Any: ...
    @property
    def unfinished(self) -> bool: ...


@implementer(IHalfCloseableProtocol, IHandshakeListener, IPushProducer)
class Connection(Protocol):
    """
    Requests take effect in order: the next payload is looked at when the last one is done. Meanwhile, and while
    more waits to be sent than the peer should have left unread, nothing is read.

    @ivar number: which one it is of the daemon's; the watch gives it.
    @ivar peer: the address of the other end, or whose connection it is by a C{PROXY} header; C{None} for unix sockets
        and the like.
    @ivar address: whose connection it counts as: the peer's, or what a proxy has told in its own way.
    @ivar account: who is logged in on it, for all its features; C{None} for a guest.
    @ivar mistakes: messages in a row that made no sense.
    @ivar unanswered: requests that have taken effect, and are still to be answered.
    """

    # What is looked at for every message lies side by side.
    __slots__ = (
        "_bucket",
        "_busy",
        "_choked",
        "_header",
        "_heard",
        "_input_over",
        "_messages",
        "_open",
        "_received",
        "core",
        "framing",
        "mistakes",
        "outbox",
        "unanswered",
    )

    log = Logger()

    factory: Any  # the ConnectionFactory that built it
    number = 0
    peer: str | None = None
    address: str | None = None
    account: Account | None = None

    outbox: Outbox
    _gate_key: str | None = None
    _inside = False  # counted by the gate
    _ending = False  # the last words are said
    _taken = (0, 0)  # how far sending had come at the last check
    _unfinished: tuple[int, float] | None = None  # messages when the unfinished one was first seen, and when
    _said_limited = -1e9

    def __init__(self, core: Core) -> None:
        self.core = core
        self.framing: IFraming = self.make_framing(core.limits.max_message)
        self._header: ProxyHeader | None = None  # that is still to come
        self._open = False  # input means something
        self._busy = False  # a request is not done yet
        self._choked = False  # too much waits to be sent
        self._heard = False  # something came since the last check
        self._input_over = False  # the peer will send no more
        self._messages = 0
        self._received = 0  # bytes
        self._bucket: TokenBucket | None = None
        self.unanswered = 0
        self.mistakes = 0
        self._quiet_since = self._taken_at = core.clock.seconds()
        self._waiting_for_answers: list[Deferred[Any]] = []

    # What a wire brings

    def make_framing(self, max_message: int) -> IFraming:
        """How payloads are found."""
        raise NotImplementedError

    def opened(self) -> None:
        """The connection is ready: greet."""

    def deliver(self, payload: Any) -> Deferred[Any] | None:
        """Handle a payload; a Deferred holds back the next one until it fires."""
        raise NotImplementedError

    def farewell(self, refused: Refused, ref: str | int | None) -> bytes:
        """How the end of the connection is said on this wire."""
        return LINES.encode(error_of(refused, ref, fatal=True))

    def clients(self) -> Iterable[Client]:
        """The features in use on this connection."""
        return ()

    def peer_address(self) -> str | None:
        """Whose connections this one counts among, C{None} for unix sockets and the like."""
        return self.peer

    def turned_away(self, refused: Refused) -> None:
        """There is no room for it: say so."""
        self._last_words(self.farewell(refused, None))

    # Coming and going

    def expect_header(self) -> None:
        """It comes through a proxy, which says first of all whose it is."""
        self._header = ProxyHeader()

    def connectionMade(self) -> None:
        """Count it, wait for a proxy's header or the handshake of TLS if there is one, and open."""
        core = self.core
        limits = core.limits
        self.outbox = Outbox(
            self.transport,
            core.clock,
            limits.send_queue,
            limits.read_backlog,
            limits.last_words,
            self._overflowed,
        )
        core.inbox.take(self.transport)
        core.watch.add(self)
        if self._header is None:
            transport: Any = self.transport
            self.peer = getattr(transport.getPeer(), "host", None)
            self.address = self.peer_address()
        try:
            self._gate_key = core.gate.enter(self.address)
        except Refused as refused:
            core.complaints.note(refused.code)
            if len(core.watch.connections) - core.gate.inside > MOST_TURNED_AWAY:
                self.abort()
            else:
                self.turned_away(refused)
            return
        self._inside = True
        if self._header is None and not ISSLTransport.providedBy(self.transport):
            self._start()

    def _header_received(self, data: bytes) -> bytes:
        """Some of a proxy's header; what came behind it."""
        assert self._header is not None
        try:
            if not self._header.feed(data):
                return b""
        except ValueError:
            self.core.complaints.note("proxy_header")
            self.abort()
            return b""
        header, self._header = self._header, None
        self.peer = header.source
        if self._inside:
            self._let_in()
        return header.rest

    def _let_in(self) -> None:
        """Count it among those of its address, and open."""
        self.address = self.peer_address()
        try:
            if self.address is not None:
                self._gate_key = self.core.gate.identify(self.address)
        except Refused as refused:
            self.core.complaints.note(refused.code)
            self.turned_away(refused)
        else:
            self._start()

    def handshakeCompleted(self) -> None:
        """TLS stands: from here on it is as on any other transport."""
        if self._inside:
            self._start()

    def _start(self) -> None:
        self._open = True
        self.outbox.registerProducer(self, True)
        try:
            self.opened()
        except Exception:
            self._went_wrong("greeting a client")

    def _went_wrong(self, what: str) -> None:
        self.log.failure("while {what}", what=what)
        self.end(Refused("internal", "that went wrong here, not with you; it is in the log"))

    def end(self, refused: Refused, *, linger: bool = True, ref: str | int | None = None) -> None:
        """Say why, and close once that is taken. Its clients are gone from here on."""
        if self._open:
            self._release()
            self._last_words(self.farewell(refused, ref), linger)
        elif self._ending:
            self._release()
            self.outbox.close(linger=linger)
        else:
            self.abort()  # it never came as far as a first word

    def abort(self) -> None:
        """Close at once."""
        self._open = False
        self._ending = True
        self.outbox.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Everything that this connection held is let go."""
        self._open = False
        self.outbox.lost()
        self._release()
        if self._inside:
            self._inside = False
            self.core.gate.leave(self._gate_key)
        if self.account is not None:
            self.core.accounts.leave(self, self.account)
        self.core.watch.remove(self)
        self.core.totals.gone(self.factory.feature, self.traffic())

    def may_wait(self, patient: bool) -> None:
        """Whether what the peer says may wait a moment until it is read, together with what others do."""
        inbox = self.core.patient_inbox if patient else self.core.inbox
        inbox.take(self.transport)

    def _release(self) -> None:
        now = self.core.clock.seconds()
        for client in self.clients():
            client.lost(now)

    def _last_words(self, words: bytes, linger: bool = True) -> None:
        self._open = False
        self._ending = True
        self.outbox.unregisterProducer()
        self.outbox.write(words)
        self.outbox.close(linger=linger)

    def _overflowed(self) -> None:
        self.core.totals.overflowed += 1
        self._cut_off()

    def _cut_off(self) -> None:
        self.core.complaints.note("slow_consumer")
        self._open = False
        self._ending = True
        self.outbox.unregisterProducer()
        refused = Refused("slow_consumer", "you did not read what was sent to you; come back and resume")
        self.outbox.cut(self.farewell(refused, None))
        # In a turn of its own: a channel may be in the middle of sending to its members just now.
        self.core.clock.callLater(0, self._release)

    def logged_in(self, account: Account, asked: Client) -> None:
        """
        It is an account's from now on: all its clients are, and those to come.

        @param asked: which of them is told as an answer; the others are told too.
        @raise Refused: C{not_allowed}, when it is another account's.
        """
        self.check_account(account)
        if self.account is None and self._open:  # it may have gone while a password was checked
            self.account = self.core.accounts.enter(self, account)
            for client in self.clients():
                client.logged_in(self.account)
                if client is not asked:
                    client.send(client.who(self.account))
                    client.keep()

    def check_account(self, account: Account) -> None:
        """
        Whether it may be that account's.

        @raise Refused: C{not_allowed}, when it is another account's; C{banned}.
        """
        self.core.moderation.check_account(account)
        if self.account is not None and self.account.skeleton != account.skeleton:
            raise Refused("not_allowed", f"you are logged in as {self.account.name}; be another in a new connection")

    # Input

    def dataReceived(self, data: bytes) -> None:
        """Find payloads and handle them; what comes after the end is dropped."""
        if self._header is not None:
            data = self._header_received(data)
        if self._open:
            self._heard = True
            self._received += len(data)
            self.framing.feed(data)
            if not (self._busy or self._choked):
                self._pump()

    def readConnectionLost(self) -> None:
        """The peer sends no more: it gets its answers, then we close too."""
        self._input_over = True
        self.outbox.input_over()
        if self._header is not None:
            self.abort()
        elif self._open and not (self._busy or self._choked):
            self._pump()

    def writeConnectionLost(self) -> None:
        """We have closed our direction ourselves."""

    def _pump(self) -> None:
        framing = self.framing
        try:
            while self._open and not (self._busy or self._choked):
                payload = framing.next()
                if payload is None:
                    if self._input_over:
                        self._last_payload(framing.finish())
                    return
                self._messages += 1
                self._handle(payload)
        except Refused as too_large:
            self.core.complaints.note(too_large.code)
            self.end(too_large)
        except Exception:
            self._went_wrong("reading a message")

    def _handle(self, payload: Any) -> None:
        try:
            done = self.deliver(payload)
        except Exception:
            self._went_wrong("handling a message")
            return
        if done is not None:
            self._busy = True
            done.addBoth(self._done)
            if self._busy and self._open:
                self.outbox.pauseProducing()
                done.addCallback(self._go_on)

    def _done(self, _: object) -> None:
        self._busy = False

    # Answers that come later than the effect

    def answers_later(self, answer: Deferred[Any]) -> Deferred[Any] | None:
        """
        A request has taken effect, and is answered when this fires. What follows may take effect meanwhile, if it goes
        by L{in_turn} for what it answers itself.

        @return: a Deferred that holds back the next request, when there are too many of these.
        """
        self.unanswered += 1
        answer.addBoth(self._answered)
        return None if self.unanswered < MOST_UNANSWERED else self._all_answered()

    def _answered(self, _: object) -> None:
        self.unanswered -= 1
        if not self.unanswered:
            waiting, self._waiting_for_answers = self._waiting_for_answers, []
            for waiter in waiting:
                waiter.callback(None)

    def _all_answered(self) -> Deferred[Any]:
        waiter: Deferred[Any] = Deferred()
        self._waiting_for_answers.append(waiter)
        return waiter

    def in_turn(
        self, call: Callable[P, Deferred[Any] | None], *args: P.args, **kwargs: P.kwargs
    ) -> Deferred[Any] | None:
        """
        Do something that answers, when all requests before are answered: at once, as a rule.

        @return: what holds back the next request.
        """
        if not self.unanswered:
            return call(*args, **kwargs)
        return self._all_answered().addCallback(lambda _: call(*args, **kwargs) if self._open else None)

    def _go_on(self, _: object = None) -> None:
        if self._open and not (self._busy or self._choked):
            self._pump()
            if self._open and not (self._busy or self._choked):
                self.outbox.resumeProducing()

    def _last_payload(self, payload: Any) -> None:
        if payload is not None:
            self._handle(payload)
            if self._busy:
                return
        # In a turn of its own, after the one in which channels send what was published. Closing has a deadline,
        # taking the answers has not: they are all delivered first, to whoever goes on reading.
        self.core.clock.callLater(0, self._close_when_taken)

    def _close_when_taken(self) -> None:
        if self.unanswered:
            self._all_answered().addCallback(lambda _: self._close_when_taken())
            return
        if self._open:
            for client in self.clients():
                client.session.finishing()
        self.outbox.drained().addCallback(lambda _: self.outbox.close())

    # As a producer: the outbox says when too much waits to be sent

    def pauseProducing(self) -> None:
        """Too much waits to be sent: read no more for now."""
        self._choked = True
        self.core.totals.paused += 1
        self.outbox.pauseProducing()

    def resumeProducing(self) -> None:
        """There is room again."""
        self._choked = False
        self._go_on()

    def stopProducing(self) -> None:
        """IProducer."""

    # Limits and liveness

    def wait_for_token(self) -> float:
        """Take a token for a message: 0 if there was one, otherwise the seconds until there will be, rounded up."""
        limits = self.core.limits
        if not limits.rate:
            return 0.0
        now = self.core.clock.seconds()
        if self._bucket is None:
            self._bucket = TokenBucket(limits.rate, limits.burst, now)
        return ceil(self._bucket.take(now) * 1000) / 1000

    def bears_mistake(self, refused: Refused, ref: str | int | None = None) -> bool:
        """Count a message that made no sense. One too many in a row ends the connection, which says so."""
        self.mistakes += 1
        if self.mistakes < self.core.limits.mistakes:
            return True
        self.end(refused, ref=ref)
        return False

    def may_say_rate_limited(self) -> bool:
        """At most once a second."""
        now = self.core.clock.seconds()
        if now - self._said_limited < 1:
            return False
        self._said_limited = now
        return True

    @property
    def framing_name(self) -> str:
        """How payloads are told apart on it, for those who look after the daemon."""
        name: str = self.factory.framing
        return name

    @property
    def serving(self) -> bool:
        """Whether it was let in and is not about to end."""
        return self._inside and self._open

    def traffic(self) -> Traffic:
        """What went over it so far."""
        return Traffic(self._received, self.outbox.taken, self._messages, self.outbox.merged)

    def check(self, now: float) -> None:
        """Look after this connection; called about once a second."""
        limits = self.core.limits
        if not self._open:
            if not self._ending and now - self._quiet_since > limits.handshake:
                self.abort()
            return
        waiting = not self.outbox.clear
        taken = self.outbox.progress() if waiting else (self.outbox.taken, 0)
        if taken != self._taken or not waiting:
            if taken != self._taken:
                self._quiet_since = now
            self._taken = taken
            self._taken_at = now
        if self._heard:
            self._heard = False
            self._quiet_since = now
        if now - self._taken_at >= limits.stalled:
            self.core.totals.stalled += 1
            self._cut_off()
        elif limits.idle and now - self._quiet_since >= limits.idle:
            self._give_up("idle_timeout", f"nothing came and nothing was sent for {limits.idle:g} s")
        elif not self.framing.unfinished or self._busy or self._choked:
            self._unfinished = None
        elif self._unfinished is None or self._unfinished[0] != self._messages:
            self._unfinished = (self._messages, now)
        elif now - self._unfinished[1] >= limits.unfinished:
            self._give_up("idle_timeout", f"a message was begun and not finished within {limits.unfinished:g} s")

    def _give_up(self, code: str, message: str) -> None:
        self.core.complaints.note(code)
        self.end(Refused(code, message))


class ConnectionFactory(Factory):
    """
    Builds the connections of one port.

    @cvar framing: how payloads are told apart there, in a word.
    @ivar feature: whose port it is.
    """

    noisy = False
    protocol: type[Connection]
    framing: str
    feature: str

    def __init__(self, core: Core) -> None:
        self.core = core

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        """One for each peer."""
        connection = self.protocol(self.core)
        connection.factory = self
        return connection


_HTTP = re.compile(rb"(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH) \S")

_NO_HTTP = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    b"This port speaks JSON, not HTTP.\n"
)


class MessageProtocol(Connection):
    """The port of one feature that speaks JSON: a single client from beginning to end."""

    factory: MessageFactory
    client: Client | None = None

    def make_framing(self, max_message: int) -> IFraming:
        """Lines of JSON."""
        return Lines(max_message)

    def opened(self) -> None:
        """Greet by the feature."""
        self.client = Client(self, self.factory.feature, self.factory.service, self.factory.wire)

    def deliver(self, payload: bytes) -> Deferred[Any] | None:
        """All that comes is for the one feature, but for browsers that were made to come here."""
        if _HTTP.match(payload):
            self.core.complaints.note("http")
            self._release()
            self._last_words(_NO_HTTP)
            return None
        assert self.client is not None
        return self.client.received(payload)

    def clients(self) -> Iterable[Client]:
        """The one."""
        return () if self.client is None else (self.client,)


class MessageFactory(ConnectionFactory):
    """
    The port of one feature.

    @param core: the daemon's.
    @param feature: the feature's name.
    @param service: the feature at work.
    """

    protocol: type[MessageProtocol] = MessageProtocol
    framing = "lines"
    wire: Wire = LINES

    def __init__(self, core: Core, feature: str, service: IMessageService) -> None:
        super().__init__(core)
        self.feature = feature
        self.service = service
