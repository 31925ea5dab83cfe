"""One feature on one connection: decodes its requests, sends its answers, keeps its session."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from typing import Protocol as Shape

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from netplay.errors import MISTAKES, Refused
from netplay.messages import (
    ANSWERED,
    PROTOCOL,
    SERVER,
    Caps,
    Error,
    Event,
    Greeting,
    Identity,
    Ok,
    Options,
    Request,
    Resume,
)
from netplay.pages import fitting

if TYPE_CHECKING:
    from netplay.connection import Connection
    from netplay.interfaces import IMessageService, ISession
    from netplay.outbox import Outbox
    from netplay.wire.codecs import Wire

T = TypeVar("T")


class Heard(Shape):
    """What a client hears: a channel, or whatever else sends it something without being asked."""

    def leave(self, client: Client) -> None: ...
    def rewire(self, client: Client, before: Wire) -> None: ...


class Client:
    """
    @param connection: whose client it is.
    @param feature: the name of the feature.
    @param service: the feature at work.
    @param wire: how messages reach it.
    """

    __slots__ = (
        "_fresh",
        "_gone",
        "_token",
        "channels",
        "connection",
        "feature",
        "max_reply",
        "outbox",
        "session",
        "wire",
    )

    _log = Logger()

    def __init__(self, connection: Connection, feature: str, service: IMessageService, wire: Wire) -> None:
        self.connection = connection
        self.outbox: Outbox = connection.outbox
        self.feature = feature
        self.wire = wire
        self.channels: list[Heard] = []
        self.max_reply = connection.core.limits.max_reply
        self._fresh = True  # nothing was received yet: it may still resume
        self._gone = False
        self._token = connection.core.sessions.open(self)
        try:
            self.session: ISession = service.connected(self)
        except BaseException:
            for channel in list(self.channels):
                channel.leave(self)
            connection.core.sessions.close(self._token)
            raise

    # What the feature uses (IClient)

    @property
    def lagging(self) -> bool:
        """Whether something waits to be taken by the client."""
        return not self.outbox.clear

    def greet(self, message: Greeting, you: Identity, ref: str | int | None = None) -> None:
        """Send the first message, with who the client is, its session and its limits added."""
        limits = self.connection.core.limits
        message.you = you
        message.session = self._token
        message.protocol = PROTOCOL
        message.server = SERVER
        message.limits = Caps(limits.max_message, self.max_reply, limits.rate, limits.idle)
        self.send(message, ref)

    def send(self, message: Event, ref: str | int | None = None) -> None:
        """Send a message, as the answer to C{ref} if there is one."""
        if ref is not None:
            message.ref = ref
        self.outbox.write(self.wire.encode(message))

    def fit(self, items: Sequence[T], *, newest: bool = False) -> list[T]:
        """As many items, from the first or from the newest, as fit in one reply to this client."""
        return fitting(items, self.max_reply, self.wire.codec.encode, newest=newest)

    def offer(self, key: Hashable, make: Callable[[], Event]) -> bool:
        """Send a message now, or its newest version once the client has caught up."""
        return self.outbox.offer((self.feature, key), lambda: self.wire.encode(make()))

    def drained(self) -> Deferred[None]:
        """Fires when the client has taken all that it was sent, or is gone."""
        return self.outbox.drained()

    def forget(self, key: Hashable) -> None:
        """Take back an offer that was not sent yet."""
        self.outbox.forget((self.feature, key))

    def end(self, code: str, message: str) -> None:
        """Say an error and close the connection."""
        self.connection.end(Refused(code, message))

    # What the connection uses

    def rewire(self, wire: Wire) -> None:
        """From now on C{wire} reaches this client."""
        before, self.wire = self.wire, wire
        for channel in self.channels:
            channel.rewire(self, before)

    def received(self, payload: bytes) -> Deferred[Any] | None:
        """
        Handle one payload.

        @return: a Deferred that fires when the next may be handled, or C{None} when it may be at once.
        """
        connection = self.connection
        wait = connection.wait_for_token()
        if wait:
            self._rate_limited(payload, wait)
            return None
        ref: str | int | None = None
        try:
            message = self.wire.codec.decode(payload, self.session.grammar)
            ref = message.ref
            answer = self._handle(message)
            # None first: Deferred is an abstract base class, of which asking for instances is slow.
            if answer is None or not isinstance(answer, Deferred):
                self._answer(answer, ref)
                return None
        except Refused as refused:
            self._refuse(refused, refused.ref if ref is None else ref)
            return None
        except Exception:
            self._failed(Failure(), ref)
            return None
        answer.addCallback(self._answer, ref)
        answer.addErrback(self._failed, ref)
        return answer

    def lost(self, now: float) -> None:
        """The client is gone; later calls do nothing."""
        if self._gone:
            return
        self._gone = True
        sessions = self.connection.core.sessions
        for channel in list(self.channels):
            channel.leave(self)
        try:
            kept = self.session.lost()
        except Exception:
            self._log.failure("{feature}: while a client left", feature=self.feature)
            kept = None
        if kept is None:
            sessions.close(self._token)
        else:
            sessions.keep(self._token, self.feature, kept, self.session.expired, now)

    def _handle(self, message: Request) -> Event | Deferred[Event | None] | None:
        fresh, self._fresh = self._fresh, False
        if isinstance(message, Resume):
            if not fresh:
                raise Refused("not_allowed", "resume comes first on a new connection, before anything else")
            return self._resume(message)
        if isinstance(message, Options):
            self.max_reply = min(message.max_reply or self.max_reply, self.connection.core.limits.max_reply)
            return None
        return self.session.received(message)

    def _resume(self, message: Resume) -> Deferred[Event | None]:
        sessions = self.connection.core.sessions
        kept = sessions.resume(message.session, self.feature, self)
        sessions.close(self._token)
        self._token = message.session
        done = maybeDeferred(self.session.resumed, kept, message)
        return done.addCallback(lambda _: ANSWERED)

    def _answer(self, answer: Event | None, ref: str | int | None) -> None:
        self.connection.mistakes = 0
        if answer is None:
            if ref is not None:
                self.send(Ok(), ref)
        elif answer is not ANSWERED:
            self.send(answer, ref)

    def _failed(self, failure: Failure, ref: str | int | None) -> None:
        refused = failure.value
        if isinstance(refused, Refused):
            self._refuse(refused, ref)
        else:
            self._log.failure("{feature}: while handling a message", failure, feature=self.feature)
            self._refuse(Refused("internal", "that went wrong here, not with you; it is in the log"), ref)

    def _refuse(self, refused: Refused, ref: str | int | None) -> None:
        connection = self.connection
        connection.core.complaints.note(refused.code)
        if refused.code not in MISTAKES:
            connection.mistakes = 0
        elif not connection.bears_mistake(refused, ref):
            return
        self.send(error_of(refused, ref))

    def _rate_limited(self, payload: bytes, wait: float) -> None:
        connection = self.connection
        connection.core.complaints.note("rate_limited")
        ref = None
        if b"ref" in payload:  # whoever waits for an answer gets one
            ref = self.wire.codec.ref_in(payload)
        if connection.may_say_rate_limited() or ref is not None:
            limits = connection.core.limits
            text = f"more than {limits.rate:g} messages a second; this one had no effect"
            self.send(Error(code="rate_limited", message=text, retry_after=wait, ref=ref))


def error_of(refused: Refused, ref: str | int | None = None, *, fatal: bool = False) -> Error:
    """The message that says a refusal."""
    return Error(code=refused.code, message=refused.message, field=refused.field, ref=ref, fatal=fatal, **refused.more)
