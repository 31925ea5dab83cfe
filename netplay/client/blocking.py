"""
A client for programs with a loop of their own, such as games: call L{Client.poll} once a frame.

One thread does all input and output of a client, with plain sockets; no reactor runs, and none is needed. What waits
for L{Client.poll} is bounded: when the program does not ask for it, no more is read from the connection, and the
server lets chat wait and merges states and prices.
"""

from __future__ import annotations

import re
import selectors
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Event, RLock, Thread
from time import monotonic
from typing import Any

from netplay.client.addresses import Address, CodecName, address
from netplay.client.credentials import Credentials, credentials
from netplay.client.errors import ClientError, Closed, Disconnected, TooMuch
from netplay.client.face import Face
from netplay.client.link import BEAT, CLOSE_WITHIN, MOST_UNSENT, Link
from netplay.client.returning import full_jitter
from netplay.client.wires import Message

CONNECT_WITHIN = 10.0
"""Seconds that connecting may take, the TLS handshake included."""

PATIENCE = 10.0
"""Seconds to wait for an answer unless the program says otherwise."""

PIECE = 65536
"""Bytes read at once."""


def connect(
    where: str,
    feature: str,
    *,
    codec: CodecName = "json",
    login: tuple[str, str] | None = None,
    token: str | Callable[[], str] | None = None,
    trust: ssl.SSLContext | None = None,
    retry: Callable[[int], float] = full_jitter,
    timeout: float = PATIENCE,
) -> Client:
    """
    Become a client of one feature of a server, and stay it: lost connections are made anew.

    @param where: an endpoint string (C{tcp:host:port}, C{tls:host:port}, C{unix:path}) or a URL, see
        L{netplay.client.addresses.address}.
    @param codec: how messages are written, see there.
    @param login: name and password of an account; without it, and without a token, we are a guest.
    @param token: what says who we are instead, or a function that makes it anew each time it is needed; in a thread of
        the client.
    @param trust: which servers to believe on TLS; those the system believes unless given.
    @param retry: attempt (from 1) -> seconds to wait before it.
    @param timeout: seconds to wait for the server's greeting.
    @return: a client that the server has greeted.
    @raise OSError: there is no such server; C{TimeoutError} when it does not greet.
    @raise ClientError: it did not let us in.
    @raise ValueError: there can be no such address; or there are a login and a token.
    """
    client = Client(Dialer(address(where, feature, codec), trust), retry, credentials(login, token))
    client.start(timeout)
    return client


class Dialer:
    """
    Opens plain sockets to an address.

    @raise ValueError: the endpoint is of a kind that needs Twisted.
    """

    def __init__(self, place: Address, trust: ssl.SSLContext | None = None) -> None:
        self.place = place
        kind, *words = (re.sub(r"\\(.)", r"\1", word) for word in re.split(r"(?<!\\):", place.endpoint))
        if (kind, len(words)) not in (("tcp", 2), ("tls", 2), ("unix", 1)):
            raise ValueError(f"not tcp:host:port, tls:host:port, unix:path, ws:// or wss://: {place.endpoint}")
        self._words = words
        self._trust = (trust or ssl.create_default_context()) if kind == "tls" else None

    def dial(self) -> socket.socket:
        """
        A new connection, with the TLS handshake done.

        @raise OSError: there is none.
        """
        if len(self._words) == 1:
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.settimeout(CONNECT_WITHIN)
                sock.connect(self._words[0])
            except BaseException:
                sock.close()
                raise
            return sock
        host, port = self._words
        sock = socket.create_connection((host, int(port)), CONNECT_WITHIN)
        if self._trust is None:
            return sock
        try:
            return self._trust.wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise


class Client(Face):
    """
    One client of one feature, made by L{connect}; a context manager that closes it. Its methods may be called from any
    thread.
    """

    def __init__(self, dialer: Dialer, retry: Callable[[int], float], credentials: Credentials | None = None) -> None:
        super().__init__(dialer.place, retry, credentials)
        self._dialer = dialer
        # Guards session, inbox, link and what is unsent. Held for moments only, never while something is waited for.
        self._lock = RLock()
        self._link: Link | None = None
        self._unsent = bytearray()
        self._started = Event()
        self._closing = Event()
        self._awake, self._waker = socket.socketpair()
        self._awake.setblocking(False)
        self._waker.setblocking(False)
        self._thread = Thread(target=self._run, name=f"netplay {dialer.place.feature}", daemon=True)

    # What the program calls

    def poll(self) -> list[Message]:
        """
        What has come since the last time, which may be nothing. Never blocks.

        @raise ServerError: nothing more comes: the server has sent us away for good.
        @raise Closed: nothing more comes: the client was closed.
        """
        with self._lock:
            if not self._inbox and self._over is not None:
                raise self._over
            messages = [self._inbox.take() for _ in range(len(self._inbox))]
        if messages:
            self._wake()  # there is room for more
        return messages

    def send(self, type: str, **fields: Any) -> None:
        """
        Send a message that needs no answer. What comes of it, if anything does, comes as a message. Never blocks.

        @raise Disconnected: there is no connection just now; nothing is kept for later.
        @raise TooMuch: the server has not taken what was sent before.
        @raise TypeError: a field cannot be written.
        @raise ValueError: nor can this one, or the message is larger than the server takes.
        """
        self._send({"type": type, **fields}, None)

    def ask(self, type: str, timeout: float = PATIENCE, **fields: Any) -> Message:
        """
        Send a request and wait for its answer.

        @param timeout: seconds to wait.
        @raise ServerError: it was not granted.
        @raise TimeoutError: no answer came in time; the request may have taken effect.
        @raise Disconnected: there is no connection, or it was lost first; then, too, it may have.
        """
        answer: Future[Message] = Future()

        def answered(what: Message | ClientError) -> None:
            if isinstance(what, ClientError):
                answer.set_exception(what)
            else:
                answer.set_result(what)

        ref = self._send({"type": type, **fields}, answered)
        try:
            return answer.result(timeout)
        finally:
            with self._lock:
                self._session.forget(ref)

    def close(self) -> None:
        """Leave, and come back no more. Waits until what was sent is on its way, for some seconds at most."""
        self._closing.set()
        self._wake()
        if self._thread.ident is not None:
            self._thread.join(CLOSE_WITHIN + CONNECT_WITHIN)

    def __enter__(self) -> Client:
        """As it is."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closed."""
        self.close()

    def start(self, timeout: float) -> None:
        """What L{connect} does."""
        self._thread.start()
        if not self._started.wait(timeout):
            self.close()
            raise TimeoutError(f"the server did not greet within {timeout:g} seconds")
        if self._over is not None and not self.you:  # who was greeted and then sent away hears of it from poll
            self.close()
            raise self._over

    def _send(self, message: Message, answered: Callable[[Message | ClientError], None] | None) -> str | int | None:
        with self._lock:
            if self._link is None:
                raise Disconnected("there is no connection just now")
            if len(self._unsent) > MOST_UNSENT:
                raise TooMuch("the server does not take what was sent before")
            ref = self._link.send(message, answered)
            self._unsent += self._link.outgoing()
        self._wake()
        return ref

    def _wake(self) -> None:
        with suppress(OSError):  # full: it will wake anyway; closed: it has ended
            self._waker.send(b"!")

    # What the thread does

    def _run(self) -> None:
        try:
            self._live()
            self._end(Closed("the client was closed"))
        except Exception as error:  # a retry policy, or we ourselves, went wrong: the program hears of it
            self._log.failure("{feature}: the client ended", feature=self._place.feature)
            self._end(error)
        finally:
            self._awake.close()
            self._waker.close()

    def _live(self) -> None:
        """All connections, one after the other."""
        while not self._closing.is_set():
            link = Link(self._session, self._place.wire())
            comes_back = True
            reason: BaseException
            try:
                with self._dialer.dial() as sock:
                    reason = self._converse(link, sock)
                with self._lock:
                    comes_back = link.lost()
                    reason = self._session.last_words or reason
            except OSError as error:
                reason = error
            if self._closing.is_set():
                return
            if not comes_back or not self._started.is_set():
                self._end(reason)
                return
            self._closing.wait(self._next_attempt(link.greeted, reason))

    def _end(self, reason: BaseException) -> None:
        with self._lock:
            if self._over is None:
                self._over = reason
        self._started.set()

    def _converse(self, link: Link, sock: socket.socket) -> BaseException:
        """
        One connection, from its first byte to its last.

        @return: why it ended.
        """
        sock.setblocking(False)
        with self._lock:
            self._link = link
            self._unsent.clear()
        beat = monotonic() + BEAT
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._awake, selectors.EVENT_READ)
                while not self._closing.is_set():
                    reading = self._look(link)
                    self._flush(sock)
                    if monotonic() >= beat:
                        beat = monotonic() + BEAT
                        self._beat(reading)
                    # What TLS has decrypted is not to be seen from outside.
                    decrypted = reading and isinstance(sock, ssl.SSLSocket) and sock.pending()
                    self._wait(selector, sock, reading, 0.0 if decrypted else beat - monotonic())
                    if reading:
                        link.feed(self._received(sock))
            self._say_goodbye(link, sock)
        except (OSError, ClientError) as error:
            return error
        finally:
            with self._lock:
                self._link = None
        return Closed("the client was closed")

    def _look(self, link: Link) -> bool:
        """Take what has come, as far as there is room; whether there is room for more."""
        with self._lock:
            self._inbox.fill(link)
            self._unsent += link.outgoing()
            if link.greeted:
                self._started.set()
            return self._inbox.wants_more

    def _beat(self, reading: bool) -> None:
        with self._lock:
            if reading and not self._session.beat():
                raise Disconnected("the server does not answer any more")

    def _wait(self, selector: selectors.BaseSelector, sock: socket.socket, reading: bool, timeout: float) -> None:
        """Until something is to be done."""
        events = (selectors.EVENT_READ if reading else 0) | (selectors.EVENT_WRITE if self._unsent else 0)
        if events:
            selector.register(sock, events)
        selector.select(max(timeout, 0.0))
        if events:
            selector.unregister(sock)
        with suppress(BlockingIOError):
            self._awake.recv(PIECE)

    def _flush(self, sock: socket.socket) -> None:
        with self._lock, suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while self._unsent:
                del self._unsent[: sock.send(self._unsent)]

    def _received(self, sock: socket.socket) -> bytes:
        try:
            data = sock.recv(PIECE)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        if not data:
            raise Disconnected("the server ended the connection")
        return data

    def _say_goodbye(self, link: Link, sock: socket.socket) -> None:
        """What was sent reaches the server, if it takes it; what still comes is of no interest."""
        with self._lock:
            self._unsent += link.closing()
        sock.settimeout(CLOSE_WITHIN)
        sock.sendall(self._unsent)
        sock.shutdown(socket.SHUT_WR)
        until = monotonic() + CLOSE_WITHIN
        while monotonic() < until and sock.recv(PIECE):
            pass
