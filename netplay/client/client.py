"""A client for programs on Twisted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred, succeed
from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.interfaces import IDelayedCall, IPushProducer, ISSLTransport, IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from zope.interface import implementer

from netplay.client.addresses import Address, CodecName, address
from netplay.client.credentials import Credentials, credentials
from netplay.client.errors import ClientError, Closed, Disconnected, TooMuch
from netplay.client.face import Face
from netplay.client.link import BEAT, CLOSE_WITHIN, MOST_UNSENT, Inbox, Link
from netplay.client.returning import full_jitter
from netplay.client.session import Answered
from netplay.client.wires import Message


def connect(
    reactor: Any,
    where: str,
    feature: str,
    *,
    codec: CodecName = "json",
    login: tuple[str, str] | None = None,
    token: str | Callable[[], str] | None = None,
    via: IStreamClientEndpoint | None = None,
    retry: Callable[[int], float] = full_jitter,
    keep_trying: bool = False,
) -> Deferred[Client]:
    """
    Become a client of one feature of a server, and stay it: lost connections are made anew.

    @param where: an endpoint string or a URL, see L{netplay.client.addresses.address}.
    @param codec: how messages are written, see there.
    @param login: name and password of an account; without it, and without a token, we are a guest.
    @param token: what says who we are instead, or a function that makes it anew each time it is needed.
    @param via: how to get there where C{where} does not say it: with certificates of one's own, through a proxy.
    @param retry: attempt (from 1) -> seconds to wait before it; C{ClientService}'s policies fit.
    @param keep_trying: whether to try again from the beginning, when the server is not there yet.
    @return: a Deferred that fires once the server has greeted us. Without C{keep_trying} it fails with whatever made
        the first attempt fail; a L{ServerError} or a L{ClientError} when the server did not let us in.
    @raise ValueError: there can be no such address; or there are a login and a token.
    """
    place = address(where, feature, codec)
    endpoint = clientFromString(reactor, place.endpoint) if via is None else via
    client = Client(reactor, endpoint, place, retry, credentials(login, token))
    return client.start(keep_trying)


class Client(Face):
    """
    One client of one feature, made by L{connect}.

    Messages are read with C{async for}, one by one with L{next}, or by L{dispatch}; by one reader at a time. While they
    are not read no more is taken from the connection, and the server lets chat wait and merges states and prices.
    """

    def __init__(
        self,
        reactor: Any,
        endpoint: IStreamClientEndpoint,
        place: Address,
        retry: Callable[[int], float],
        credentials: Credentials | None = None,
    ) -> None:
        super().__init__(place, retry, credentials)
        self._reactor = reactor
        self._endpoint = endpoint
        self._protocol: LinkProtocol | None = None
        self._life: Deferred[None] | None = None
        self._started: Deferred[Client] | None = None
        self._reader: Deferred[Message] | None = None

    # Saying something

    def send(self, type: str, **fields: Any) -> None:
        """
        Send a message that needs no answer. What comes of it, if anything does, comes as a message.

        @raise Disconnected: there is no connection just now; nothing is kept for later.
        @raise TooMuch: the server has not taken what was sent before.
        @raise TypeError: a field cannot be written.
        @raise ValueError: nor can this one, or the message is larger than the server takes.
        """
        self._connection().send({"type": type, **fields}, None)

    def ask(self, type: str, **fields: Any) -> Deferred[Message]:
        """
        Send a request.

        @return: a Deferred of its answer. It fails with L{ServerError} when the request is not granted, with
            L{Disconnected} when the connection is lost first (the request may have taken effect), and as L{send} does.
            Cancel it, or give it a timeout, if you do not want to wait.
        """
        ref: str | int | None = None
        answer: Deferred[Message] = Deferred(lambda _: self._session.forget(ref))

        def answered(what: Message | ClientError) -> None:
            if isinstance(what, ClientError):
                answer.errback(what)
            else:
                answer.callback(what)

        try:
            ref = self._connection().send({"type": type, **fields}, answered)
        except (ClientError, ValueError, TypeError, OverflowError):
            answer.errback()
        return answer

    # Reading

    def next(self) -> Deferred[Message]:
        """
        The next message.

        @return: a Deferred that fails with L{ServerError} when the server has sent us away for good, with
            L{Closed} after L{close}.
        @raise RuntimeError: somebody else waits for it.
        """
        if self._reader is not None:
            raise RuntimeError("somebody waits for the next message already; a client has one reader")
        reader: Deferred[Message] = Deferred(lambda _: setattr(self, "_reader", None))
        self._reader = reader
        self._serve_reader()
        return reader

    def __aiter__(self) -> Client:
        """All messages until L{close}."""
        return self

    async def __anext__(self) -> Message:
        """See L{next}."""
        try:
            return await self.next()
        except Closed:
            raise StopAsyncIteration from None

    def dispatch(self, handlers: Mapping[str, Callable[[Message], object]]) -> Deferred[None]:
        """
        Read all messages, and give each to the handler of its type; those without one are passed over.

        The next message waits for the Deferred or coroutine that a handler returns.

        @return: a Deferred that fires after L{close}, and fails with what a handler raised or with L{ServerError}.
        """

        async def reading() -> None:
            async for message in self:
                handler = handlers.get(message["type"])
                if handler is not None:
                    await maybeDeferred(handler, message)

        return Deferred.fromCoroutine(reading())

    # Coming and going

    def start(self, keep_trying: bool) -> Deferred[Client]:
        """What L{connect} does."""

        def cancelled(_: Deferred[Client]) -> None:
            self._started = None
            self.close()

        started: Deferred[Client] = Deferred(cancelled)
        self._started = started
        self._life = Deferred.fromCoroutine(self._live(keep_trying)).addErrback(self._failed)
        return started

    def close(self) -> Deferred[None]:
        """
        Leave, and come back no more.

        @return: a Deferred that fires when the connection is gone.
        """
        if self._life is None:
            return succeed(None)
        closed: Deferred[None] = Deferred()

        def gone(result: object) -> object:
            closed.callback(None)
            return result

        self._life.addBoth(gone)
        self._end(Closed("the client was closed"))
        if self._protocol is not None:
            self._protocol.close()
        else:
            self._life.cancel()
        return closed

    async def _live(self, keep_trying: bool) -> None:
        """All connections, one after the other."""
        while self._over is None:
            protocol = LinkProtocol(self._reactor, Link(self._session, self._place.wire()), self._inbox, self._read)
            reason: BaseException
            try:
                await connectProtocol(self._endpoint, protocol)
                self._protocol = protocol
                if self._over is not None:
                    protocol.close()
                reason = await protocol.over
                comes_back = protocol.comes_back
            except Exception as error:  # whatever an endpoint may raise
                reason, comes_back = error, True
            self._protocol = None
            if not comes_back or (self._started is not None and not keep_trying):
                self._end(reason)
            if self._over is not None:
                return
            with suppress(CancelledError):
                await deferLater(self._reactor, self._next_attempt(protocol.link.greeted, reason))

    def _failed(self, failure: Failure) -> None:
        """A retry policy, or we ourselves, went wrong: the program hears of it."""
        self._log.failure("{feature}: the client ended", failure, feature=self._place.feature)
        self._end(failure.value or Disconnected("the client ended"))

    def _end(self, reason: BaseException) -> None:
        """There is no more to come than what waits to be read."""
        if self._over is None:
            self._over = reason
            self._read()

    def _read(self) -> None:
        """Something has come, or something else has changed."""
        started = self._started
        if started is not None and (self._session.ready or self._over is not None):
            self._started = None
            if self._over is None:
                started.callback(self)
            else:
                started.errback(self._over)
        self._serve_reader()

    def _serve_reader(self) -> None:
        reader = self._reader
        if reader is None:
            return
        if self._inbox:
            self._reader = None
            message = self._inbox.take()
            if self._protocol is not None:
                self._protocol.look()
            reader.callback(message)
        elif self._over is not None:
            self._reader = None
            reader.errback(self._over)

    def _connection(self) -> LinkProtocol:
        if self._protocol is None:
            raise Disconnected("there is no connection just now")
        return self._protocol


@implementer(IPushProducer)
class LinkProtocol(Protocol):
    """
    One connection of a L{Client}.

    @param link: what is said on it.
    @param inbox: where what comes waits for the program.
    @param read: is called when something waits there, and when the server has greeted.
    @ivar over: a Deferred that fires with the reason when the connection is gone.
    @ivar comes_back: whether there is to be another one then.
    """

    def __init__(self, reactor: Any, link: Link, inbox: Inbox, read: Callable[[], None]) -> None:
        self.link = link
        self.over: Deferred[BaseException] = Deferred()
        self.comes_back = True
        self._reactor = reactor
        self._inbox = inbox
        self._read = read
        self._wrong: ClientError | None = None
        self._paused = False  # we do not read
        self._looking = False
        self._stalled = False  # the server does not
        self._unsent = 0
        self._timer: IDelayedCall | None = None
        self._closing = False

    # What the client does

    def send(self, message: Message, answered: Answered | None) -> str | int | None:
        """
        See L{Link.send}.

        @raise TooMuch: more than L{MOST_UNSENT} bytes wait.
        """
        if self._unsent > MOST_UNSENT:
            raise TooMuch("the server does not take what was sent before")
        ref = self.link.send(message, answered)
        self._write(self.link.outgoing())
        self.look()  # the answer may be behind what nobody reads
        return ref

    def close(self) -> None:
        """Say goodbye and go, at once if the server does not take it."""
        if self._closing or self.over.called:
            return
        self._closing = True
        self._write(self.link.closing())
        self._again(CLOSE_WITHIN, self._abort)
        transport = self._transport
        transport.unregisterProducer()
        transport.resumeProducing()  # whoever does not read does not hear that the peer has closed
        if ISSLTransport.providedBy(transport):
            transport.loseConnection()
        else:
            transport.loseWriteConnection()  # closed with input unread it would be reset, and our last words lost

    def look(self) -> None:
        """Take what has come, as far as there is room for it."""
        if self._looking or self._closing or self._wrong is not None:
            return
        self._looking = True
        before = len(self._inbox)
        try:
            self._inbox.fill(self.link)
        except ClientError as wrong:
            self._wrong = wrong
            self._abort()
        finally:
            self._looking = False
        self._write(self.link.outgoing())
        self._pause(not self._inbox.wants_more)
        if len(self._inbox) > before or self.link.greeted:
            self._read()

    # What the transport does

    def connectionMade(self) -> None:
        """Speak first, where that is the client's part."""
        self._transport.registerProducer(self, True)
        self._write(self.link.outgoing())
        self._again(BEAT, self._beat)

    def dataReceived(self, data: bytes) -> None:
        """Some bytes."""
        if not self._closing:
            self.link.feed(data)
            self.look()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """It is gone; who waits for an answer is told."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._closing = True
        self.comes_back = self.link.lost()
        said = self._wrong or self.link.session.last_words
        self.over.callback(said or Disconnected(reason.getErrorMessage()))

    def pauseProducing(self) -> None:
        """The server does not take more."""
        self._stalled = True

    def resumeProducing(self) -> None:
        """It does again, and has taken all."""
        self._stalled = False
        self._unsent = 0

    def stopProducing(self) -> None:
        """The connection is gone."""

    @property
    def _transport(self) -> Any:
        return self.transport

    def _write(self, data: bytes) -> None:
        if data:
            self._transport.write(data)
            if self._stalled:
                self._unsent += len(data)

    def _pause(self, paused: bool) -> None:
        if paused != self._paused and not self._closing:
            self._paused = paused
            if paused:
                self._transport.pauseProducing()
            else:
                self._transport.resumeProducing()

    def _beat(self) -> None:
        self._again(BEAT, self._beat)
        if self._paused:  # what has come was not looked at
            return
        if self.link.session.beat():
            self._write(self.link.outgoing())
        else:
            self._abort()

    def _again(self, seconds: float, what: Callable[[], None]) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = self._reactor.callLater(seconds, what)

    def _abort(self) -> None:
        self._transport.abortConnection()
