"""One connection, from its first byte to its last: a wire below, a session above, and no socket."""

from __future__ import annotations

from collections import deque

from netplay.client.errors import TooMuch, WireError
from netplay.client.session import Answered, Session
from netplay.client.wires import IWire, Message

UNREAD = 100
"""Messages that wait for the program, after which no more is read from the connection."""

MOST_UNREAD = 1000
"""The same while an answer is waited for, which may be behind them, or the greeting of a new connection."""

MOST_UNSENT = 2**20
"""Bytes that may wait because the server does not take them."""

BEAT = 30.0
"""Seconds after which a server that says nothing is asked for a sign of life; after as many again it is given up."""

CLOSE_WITHIN = 5.0
"""Seconds in which the server has to take our last words."""


class Inbox:
    """
    Messages that the program has not read yet, of any connection.

    @param session: whose they are.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._messages: deque[Message] = deque()

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def wants_more(self) -> bool:
        """Whether more is to be read from the connection."""
        eager = self._session.asking or not self._session.ready
        return len(self._messages) < (MOST_UNREAD if eager else UNREAD)

    def take(self) -> Message:
        """The oldest one."""
        return self._messages.popleft()

    def fill(self, link: Link) -> None:
        """
        Move to it what has come, as far as there is room.

        @raise WireError: it made no sense.
        @raise ServerError: the server does not know who we say we are.
        """
        while self.wants_more and (message := link.next()) is not None:
            self._messages.append(message)
        if len(self._messages) >= MOST_UNREAD:
            self._session.give_up(TooMuch(f"{MOST_UNREAD} messages that nobody reads came before the answer"))


class Link:
    """
    @param session: what outlives the connection.
    @param wire: how its messages travel.
    @ivar greeted: whether the server has let us in, on this connection.
    """

    def __init__(self, session: Session, wire: IWire) -> None:
        self.session = session
        self.greeted = False
        self._wire = wire
        self._opened = False
        self._messages: deque[Message] = deque()
        self._bytes = bytearray(wire.opening())

    def feed(self, data: bytes) -> None:
        """Take what came from the socket."""
        self._wire.feed(data)

    def next(self) -> Message | None:
        """
        The next message for the program, or C{None} until more comes.

        @raise WireError: it made no sense; there is nothing to do but to end the connection.
        @raise ServerError: nor is there when a login was refused.
        """
        self._open()
        while not self._messages:
            message = self._wire.next()
            if message is None:
                return None
            try:
                self._messages.extend(self.session.received(message))
            except (LookupError, TypeError, AttributeError) as error:
                raise WireError(f"a {message['type']!r} that is not what it should be: {error!r}") from error
            self.greeted = self.greeted or self.session.ready
        return self._messages.popleft()

    def send(self, message: Message, answered: Answered | None = None) -> str | int | None:
        """
        Say something; see L{Session.send}.

        @raise TypeError: a field cannot be written.
        @raise ValueError: nor can this one, or the message is larger than the server takes.
        """
        self._write()
        ref = self.session.send(message, answered)
        try:
            data = self._wire.encode(self.session.outgoing.pop())
            most = self.session.limits.get("max_message")
            if most is not None and len(data) > most:
                raise ValueError(f"a message may have at most {most} bytes; this one has {len(data)} on the wire")
        except (TypeError, ValueError, OverflowError):
            self.session.unsay(ref)
            raise
        self._bytes += data
        return ref

    def outgoing(self) -> bytes:
        """What to send by now."""
        self._write()
        taken, self._bytes = bytes(self._bytes), bytearray()
        return taken

    def closing(self) -> bytes:
        """What to send last of all, when the program closes."""
        return self.outgoing() + self._wire.closing()

    def lost(self) -> bool:
        """
        The connection is gone.

        @return: whether to come back.
        """
        self.session.lost()
        return self.session.comes_back(self._wire.close_code)

    def _open(self) -> None:
        if self._wire.open and not self._opened:
            self._opened = True
            self.session.opened()

    def _write(self) -> None:
        self._open()
        if self._wire.open:
            for message in self.session.outgoing:
                self._bytes += self._wire.encode(message)
            self.session.outgoing.clear()
        self._bytes += self._wire.answers()
