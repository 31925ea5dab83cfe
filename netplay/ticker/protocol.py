"""The ticker on a port of its own: newline-delimited JSON."""

from __future__ import annotations

from netplay.connection import MessageFactory, MessageProtocol


class TickerProtocol(MessageProtocol):
    """One ticker client on TCP, TLS or a unix socket."""


class TickerFactory(MessageFactory):
    """Builds L{TickerProtocol}s."""

    protocol = TickerProtocol
