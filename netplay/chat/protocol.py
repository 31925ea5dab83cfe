"""Chat on a port of its own: newline-delimited JSON."""

from __future__ import annotations

from netplay.connection import MessageFactory, MessageProtocol


class ChatProtocol(MessageProtocol):
    """One chat client on TCP, TLS or a unix socket: a line in is a request, a line out a message."""


class ChatFactory(MessageFactory):
    """Builds L{ChatProtocol}s."""

    protocol = ChatProtocol
