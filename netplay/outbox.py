"""
Everything that one connection is sent passes its outbox: written eagerly, queued within a bound, merged by key.

C{transport.write} of a socket costs two C{epoll_ctl} calls and a second pass of the loop for every receiver. The
outbox first calls C{send} of the socket, which costs the system call alone, and queues only what the kernel does not
take. It can do so only while the transport's own buffer is empty; hence the rule that I{every} byte of a connection
goes through its outbox, which therefore stands in for the transport (ITransport, IConsumer, IPushProducer).
"""

from __future__ import annotations

import errno
import fcntl
import struct
import sys
import termios
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from operator import length_hint
from typing import Any

from twisted.internet import tcp
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IDelayedCall,
    IProducer,
    IPullProducer,
    IPushProducer,
    IReactorTime,
    ITransport,
)
from zope.interface import implementer

CHUNK = 64 * 1024
"""Bytes handed to the transport at once while a backlog drains."""

_FULL = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS)

_SIOCOUTQ = termios.TIOCOUTQ  # of a socket on Linux: bytes that the peer has not acknowledged yet


@implementer(ITransport, IConsumer, IPushProducer)
class Outbox:
    """
    What one connection is still to be sent.

    Bytes are kept in order and bounded. What is I{offered} under a key waits only in its newest version, and is
    rendered when the reader has caught up with everything else: prices and positions are merged this way.

    @param transport: the connection's transport, of which nothing else writes.
    @param clock: for the deadline of a close.
    @param limit: the most bytes that may wait.
    @param high: past this many waiting bytes the registered producer is paused, at half of them it is resumed.
    @param last_words: seconds that a peer has to take what is left once the connection is being closed.
    @param overflowed: called once when more than C{limit} waits; it is expected to L{cut}.

    @ivar backlog: bytes that wait.
    @ivar merged: offers that were replaced by newer ones before they were sent.
    """

    __slots__ = (
        "_clear",
        "_clock",
        "_closing",
        "_deadline",
        "_drain",
        "_eager",
        "_fanouts",
        "_handed",
        "_high",
        "_input_over",
        "_last_words",
        "_limit",
        "_linger",
        "_offers",
        "_open",
        "_overflowed",
        "_partial",
        "_paused",
        "_producer",
        "_queue",
        "_socket",
        "_streaming",
        "_taken",
        "_waiters",
        "backlog",
        "merged",
        "transport",
    )

    def __init__(
        self,
        transport: Any,
        clock: IReactorTime,
        limit: int,
        high: int,
        last_words: float,
        overflowed: Callable[[], None],
    ) -> None:
        self.transport = transport
        self._taken = 0
        self.backlog = 0
        self.merged = 0
        self._clock = clock
        self._limit = limit
        self._high = high
        self._last_words = last_words
        self._overflowed = overflowed
        self._open = True  # takes new data
        self._clear = True  # nothing waits: write straight through
        self._closing = False
        self._linger = False
        self._input_over = False
        self._queue: deque[bytes] | None = None  # made when first needed: an empty deque is 760 bytes
        self._partial = False  # the head of the queue is the rest of something already begun
        self._handed = 0  # bytes of the backlog that lie in the transport's buffer
        self._offers: dict[Hashable, Callable[[], bytes]] | None = None
        self._producer: Any = None
        self._streaming = False
        self._paused = False
        self._waiters: list[Deferred[None]] | None = None
        self._fanouts: list[Fanout] = []
        self._deadline: IDelayedCall | None = None
        # Wrappers such as TLS forward the attributes of a socket's transport: there it would send plaintext.
        self._eager = isinstance(transport, tcp.Connection) and not transport.TLS
        self._drain: _Drain | None = None
        if self._eager:
            self._socket: Any = transport.socket
        else:
            self._socket = self
            self._drain = _Drain(self)
            transport.registerProducer(self._drain, True)

    # Sending

    def write(self, data: bytes) -> None:
        """Send bytes, after all that waits. Once the outbox is closed they are dropped."""
        if self._clear:
            try:
                sent = self._socket.send(data)
            except OSError as error:
                self._not_sent(error, data)
                return
            self._taken += sent
            if sent != len(data):
                self._wait_for_the_rest(data, sent)
        elif self._open:
            self._enqueue(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send several pieces as one."""
        self.write(b"".join(data))

    def offer(self, key: Hashable, render: Callable[[], bytes]) -> bool:
        """
        Send what C{render} returns: now, if nothing waits, otherwise once the reader has caught up, unless a newer
        offer under the same key has taken its place by then.

        @return: whether it was sent at once.
        """
        if self._clear:
            self.write(render())
            return True
        if self._open:
            if self._offers is None:
                self._offers = {}
            elif key in self._offers:
                self.merged += 1
            self._offers[key] = render
        return False

    def forget(self, key: Hashable) -> None:
        """Take back what was offered under C{key} and is not sent yet."""
        if self._offers:
            self._offers.pop(key, None)

    @property
    def clear(self) -> bool:
        """Whether nothing waits, so that a write goes straight to the transport."""
        return self._clear

    @property
    def disconnecting(self) -> bool:
        """Whether it takes nothing more: Twisted's own protocols ask their transport."""
        return not self._open

    def drained(self) -> Deferred[None]:
        """Fires when nothing waits any more, or when the connection is gone."""
        waiter: Deferred[None] = Deferred()
        if self._clear or not (self._open or self._closing):
            waiter.callback(None)
        elif self._waiters is None:
            self._waiters = [waiter]
        else:
            self._waiters.append(waiter)
        return waiter

    @property
    def taken(self) -> int:
        """Bytes that the transport has taken so far."""
        return self._taken + sum(fanout.sent_to(self) for fanout in self._fanouts)

    def progress(self) -> tuple[int, int]:
        """
        Something that changes as the peer takes bytes.

        What the kernel has buffered counts as well where it tells: it may hold megabytes, and asks for more only
        when a third of them is gone, which a slow but living reader may need minutes for.
        """
        return self.taken, self._ask_kernel(_SIOCOUTQ)

    # Closing

    def close(self, *, linger: bool = False) -> None:
        """
        Take nothing more, send what waits (offers excepted), then close; abort when the peer has not taken it in
        time.

        @param linger: close our direction first and read on until the peer closes its own. A socket that is closed
            with input unread is reset, and the peer may lose our last words over it: where some waits, this is
            done in any case.
        """
        if self._closing and not linger:  # it was lingering, and is to hurry now
            self._linger = False
            if not self.backlog and not self._input_waits():
                self.transport.loseConnection()
        if not self._open:
            return
        self._open = False
        self._closing = True
        self._linger = linger
        self._offers = None
        self._deadline = self._clock.callLater(self._last_words, self.abortConnection)
        if self._clear:
            self._finish()
        self._block()

    def cut(self, farewell: bytes) -> None:
        """Drop what waits but the rest of what was begun, say farewell, and close."""
        if not self._open:
            return
        if self._queue:
            head = self._queue.popleft() if self._partial else b""
            self._queue.clear()
            self.backlog = self._handed
            if head:
                self._enqueue(head)
        self._overflowed = _nothing
        if farewell:
            self.write(farewell)
        self.close(linger=True)

    def input_over(self) -> None:
        """The peer has closed its direction: from now on closing needs no lingering."""
        self._input_over = True
        if self._closing and not self.backlog:
            self.transport.loseConnection()

    def lost(self) -> None:
        """The connection is gone: forget everything."""
        self._open = self._closing = False
        self._block()
        producer, self._producer = self._producer, None
        self._queue = self._offers = None
        self.backlog = self._handed = 0
        self._overflowed = _nothing
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._tell_waiters()
        if producer is not None:
            producer.stopProducing()

    def loseConnection(self) -> None:
        """ITransport: close when everything is sent."""
        self.close()

    def abortConnection(self) -> None:
        """Close at once, whatever waits."""
        self._open = False
        self._block()
        self.transport.abortConnection()

    def getPeer(self) -> IAddress:
        """ITransport."""
        peer: IAddress = self.transport.getPeer()
        return peer

    def getHost(self) -> IAddress:
        """ITransport."""
        host: IAddress = self.transport.getHost()
        return host

    # As a consumer: whoever writes a lot registers here and is told when to wait

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """IConsumer."""
        if self._producer is not None:
            raise RuntimeError(f"{producer!r} cannot register: {self._producer!r} is registered already")
        if not (self._open or self._closing):
            producer.stopProducing()
            return
        self._producer = producer
        self._streaming = streaming
        self._paused = False
        if not streaming:
            self._pull()

    def unregisterProducer(self) -> None:
        """IConsumer."""
        self._producer = None

    # As a producer: reading is the transport's affair

    def pauseProducing(self) -> None:
        """Stop reading from the peer."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read from the peer again."""
        if not self._input_over:  # a reader that is added again at the end of input would spin
            self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """IProducer."""
        self.loseConnection()

    # The queue

    def _enqueue(self, data: bytes) -> None:
        if self._queue is None:
            self._queue = deque()
        self._queue.append(data)
        self.backlog += len(data)
        if self.backlog > self._high and self._producer is not None and self._streaming and not self._paused:
            self._paused = True
            self._producer.pauseProducing()
        if self.backlog > self._limit:
            overflowed, self._overflowed = self._overflowed, _nothing
            overflowed()

    def _next_chunk(self) -> bytes:
        """Take about C{CHUNK} bytes from the queue, or what is on offer once that is empty."""
        pieces: list[bytes] = []
        size = 0
        queue = self._queue
        while queue and size < CHUNK:
            head = queue.popleft()
            self._partial = False
            if len(head) > CHUNK:
                queue.appendleft(head[CHUNK:])
                self._partial = True
                head = head[:CHUNK]
            pieces.append(head)
            size += len(head)
        if not queue:
            self._queue = None
            while self._offers and size < CHUNK:
                render = self._offers.pop(next(iter(self._offers)))
                pieces.append(render())
                size += len(pieces[-1])
                self.backlog += len(pieces[-1])
            if not self._offers:
                self._offers = None
        return b"".join(pieces)

    def _emptied(self) -> None:
        """Nothing waits any more."""
        closing = self._closing  # whoever closes when told so here finds nothing waiting and finishes at once
        if self._open:
            self._clear = True
        self._relieve()
        self._tell_waiters()
        if closing:
            self._finish()

    def _relieve(self) -> None:
        """Let the producer go on when there is room again."""
        if self._producer is None or self.backlog * 2 > self._high:
            return
        if not self._streaming:
            self._pull()
        elif self._paused:
            self._paused = False
            self._producer.resumeProducing()

    def _pull(self) -> None:
        """Ask a pull producer for more; in the next turn again if the peer takes it at once, later if it waits."""
        if self._producer is None or self._streaming:
            return
        taken = self._taken
        self._producer.resumeProducing()
        if self._clear and self._taken != taken:
            self._clock.callLater(0, self._pull)

    def _tell_waiters(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            waiter.callback(None)

    def _finish(self) -> None:
        """All is said: close."""
        if not self._eager:
            self._drain = None
            self.transport.unregisterProducer()
        if self._eager and not self._input_over and (self._linger or self._input_waits()):
            self.transport.resumeProducing()
            self.transport.loseWriteConnection()
        else:
            self.transport.loseConnection()

    def _input_waits(self) -> bool:
        """Whether there is input that was not read: closing would reset the connection then."""
        return self._ask_kernel(termios.FIONREAD) > 0

    def _ask_kernel(self, what: int) -> int:
        if self._eager and sys.platform == "linux":
            try:
                answer: int = struct.unpack("i", fcntl.ioctl(self.transport.fileno(), what, bytes(4)))[0]
                return answer
            except (OSError, ValueError):
                pass  # the socket is gone; the reactor is about to say so
        return 0

    def _block(self) -> None:
        """Nothing is written straight through any more."""
        self._clear = False
        for fanout in self._fanouts:
            fanout.close_lane()

    def _not_sent(self, error: OSError, data: bytes) -> None:
        """The kernel takes nothing just now; or the socket has failed, which is reported in a turn of its own."""
        if error.errno in _FULL:
            self._wait_for_the_rest(data, 0)
        else:
            self._open = False
            self._block()
            self.transport.abortConnection()

    def _wait_for_the_rest(self, data: bytes, sent: int) -> None:
        """The kernel took only so much."""
        self._block()
        self._partial = sent > 0
        self._enqueue(data[sent:])
        self._start_draining()

    # Draining a plain socket: a pull producer, registered only while something waits.
    # "None registered" therefore means that the transport's buffer is empty and that an eager write is in order.

    def _start_draining(self) -> None:
        if self._eager and (self._open or self._closing):
            self._drain = _Drain(self)
            self.transport.registerProducer(self._drain, False)

    def _refill(self) -> None:
        """The transport's buffer is empty: hand over the next chunk."""
        self._taken += self._handed
        self.backlog -= self._handed
        self._handed = 0
        chunk = self._next_chunk()
        if chunk:
            self._handed = len(chunk)
            self.transport.write(chunk)
            self._relieve()
        else:
            self._drain = None
            self.transport.unregisterProducer()
            self._emptied()

    # Everything else (TLS, wrappers): one push producer for good, writing through while it is not paused

    def send(self, data: bytes) -> int:
        """As that of a socket, where there is none."""
        self.transport.write(data)
        return len(data)

    def _transport_full(self) -> None:
        self._block()

    def _transport_ready(self) -> None:
        while self._drain is not None and not self._drain.paused and (chunk := self._next_chunk()):
            self.backlog -= len(chunk)
            self._taken += len(chunk)
            self.transport.write(chunk)
        if self._drain is not None and not self._drain.paused:
            self._emptied()
        else:
            self._relieve()


@implementer(IPushProducer, IPullProducer)
class _Drain:
    """What the real transport knows of an outbox: one object cannot be its producer and its reader's at once."""

    __slots__ = ("_outbox", "paused")

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.paused = False

    def pauseProducing(self) -> None:
        self.paused = True
        self._outbox._transport_full()

    def resumeProducing(self) -> None:
        if self._outbox._eager:
            self._outbox._refill()
        else:
            self.paused = False
            self._outbox._transport_ready()

    def stopProducing(self) -> None:
        pass  # connectionLost follows


class Fanout:
    """
    Outboxes that are sent the same: here is what a message costs for each of its receivers.

    While all of them are clear, nothing is touched but their sockets (the I{lane}): with hundreds of receivers,
    whatever else is looked at is no longer in the processor's cache. What each has been
    sent is therefore counted once for all.
    """

    __slots__ = ("_joined", "_lane", "_sent")

    def __init__(self) -> None:
        self._joined: dict[Outbox, int] = {}  # and how much had been sent then, that it was not sent
        self._sent = 0
        self._lane: tuple[list[Any], list[Outbox]] | None = None  # where to send to, and whose that is

    def __len__(self) -> int:
        return len(self._joined)

    def __iter__(self) -> Iterator[Outbox]:
        return iter(list(self._joined))  # a member whose queue overflows leaves in the middle of a round

    @property
    def open(self) -> bool:
        """Whether all are clear: then L{write} goes straight to the transports."""
        return self._lane is not None or self._open_lane()

    def add(self, outbox: Outbox) -> None:
        """From now on it is sent what the others are."""
        self._joined[outbox] = self._sent
        outbox._fanouts.append(self)
        self._lane = None

    def remove(self, outbox: Outbox) -> None:
        """It is sent no more."""
        outbox._taken += self.sent_to(outbox)
        outbox._fanouts.remove(self)
        del self._joined[outbox]
        self._lane = None

    def sent_to(self, outbox: Outbox) -> int:
        """Bytes that an outbox has been sent by the lane."""
        return self._sent - self._joined[outbox]

    def close_lane(self) -> None:
        """One of them is not clear."""
        self._lane = None

    def write(self, data: bytes) -> None:
        """L{Outbox.write} to all of them."""
        if not self.open:
            for outbox in self:
                outbox.write(data)
            return
        assert self._lane is not None
        sockets, outboxes = self._lane
        size = len(data)
        self._sent += size
        round = iter(sockets)
        for socket in round:
            try:
                sent = socket.send(data)
            except OSError as error:
                outbox = outboxes[-length_hint(round) - 1]
                self._joined[outbox] += size
                outbox._not_sent(error, data)
                continue
            if sent != size:
                outbox = outboxes[-length_hint(round) - 1]
                self._joined[outbox] += size - sent
                outbox._wait_for_the_rest(data, sent)

    def _open_lane(self) -> bool:
        """Whether all are clear."""
        outboxes = list(self._joined)
        if not all(outbox._clear for outbox in outboxes):
            return False
        self._lane = [outbox._socket for outbox in outboxes], outboxes
        return True


def _nothing() -> None:
    """What an outbox that has overflowed once calls."""
