"""What one client may cost: figures, the token bucket for rates, the gate for connections. Knows no clock."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from netplay.errors import Refused


@dataclass(frozen=True)
class Limits:
    """The caps of one daemon. Sizes are in bytes, times in seconds; 0 means "no limit" where said so."""

    max_connections: int = 1000
    max_per_address: int = 100
    rate: float = 50.0  # messages a second, 0 = no limit
    burst: float = 100.0
    max_message: int = 64 * 1024
    max_reply: int = 32 * 1024
    send_queue: int = 1024 * 1024
    read_backlog: int = 64 * 1024  # past this much unsent, a client is not read from
    idle: float = 600.0  # 0 = never
    unfinished: float = 30.0
    stalled: float = 120.0
    last_words: float = 5.0  # to take what is still to be said; then the connection is aborted
    handshake: float = 10.0
    mistakes: int = 20
    keep_messages: int = 0  # of a room, 0 = all
    keep_days: float = 0.0  # 0 = for ever


class TokenBucket:
    """
    A rate with a burst: C{rate} tokens a second flow in, at most C{burst} are kept, each message takes one.

    Time is handed in, so that it is as good in a test as on a socket. A clock that goes backwards refills
    nothing. A burst under 1 counts as 1: with less nothing would ever get through.
    See U{https://en.wikipedia.org/wiki/Token_bucket}.
    """

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = self._tokens = max(burst, 1.0)
        self._at = now

    def take(self, now: float) -> float:
        """Take one token: 0 when there was one, otherwise the seconds until there will be."""
        tokens = self._tokens
        if now > self._at:
            tokens += (now - self._at) * self._rate
        if tokens > self._burst:
            tokens = self._burst
        self._at = now
        if tokens >= 1:
            self._tokens = tokens - 1
            return 0.0
        self._tokens = tokens
        return (1 - tokens) / self._rate


class Gate:
    """
    Who may come in: counts all connections of the daemon and those of each address.

    IPv6 addresses count by /64, the smallest block that one subscriber is given (RFC 6177).
    Peers without an address (unix sockets) count only towards the whole.

    @param admit: raises L{Refused} for an address that may not come in at all.
    @ivar refused: how often a connection was not let in, by reason.
    """

    def __init__(self, limits: Limits, admit: Callable[[str], None] = lambda host: None) -> None:
        self._limits = limits
        self._admit = admit
        self.inside = 0
        self.refused: Counter[str] = Counter()
        self._by_address: dict[str, int] = {}

    def enter(self, host: str | None) -> str | None:
        """
        Let one connection in.

        @param host: the peer's address as text, C{None} for a peer that has none.
        @return: what to hand to L{leave} when it goes.
        @raise Refused: C{server_full}, C{banned}.
        """
        if self.inside >= self._limits.max_connections:
            self.refused["all_places_taken"] += 1
            raise Refused("server_full", f"all {self._limits.max_connections} places are taken; come back later")
        key = None if host is None else self.identify(host)
        self.inside += 1
        return key

    def identify(self, host: str) -> str:
        """
        Count a connection among those of its address: on entering, or once a proxy has said whose it is.

        @param host: the peer's address as text.
        @return: what to hand to L{leave} when it goes.
        @raise Refused: C{server_full}, C{banned}.
        """
        try:
            self._admit(host)
        except Refused as refused:
            self.refused[refused.code] += 1
            raise
        key = network_of(host)
        here = self._by_address.get(key, 0)
        if here >= self._limits.max_per_address:
            self.refused["address_full"] += 1
            raise Refused(
                "server_full",
                f"your address has {here} connections, the most that one may have; close one first",
            )
        self._by_address[key] = here + 1
        return key

    def leave(self, key: str | None) -> None:
        """Make room again."""
        self.inside -= 1
        if key is not None:
            left = self._by_address[key] - 1
            if left:
                self._by_address[key] = left
            else:
                del self._by_address[key]


def network_of(host: str) -> str:
    """The part of an address that stands for one subscriber: an IPv4 address, or the /64 of an IPv6 one."""
    if ":" not in host:
        return host
    address = address_of(host)
    if address.version == 4:
        return str(address)
    return str(ipaddress.IPv6Network((address, 64), strict=False))


def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """
    A peer's address without its zone; an IPv4 address in IPv6 is that IPv4 address.

    @raise ValueError: it is none.
    """
    address = ipaddress.ip_address(host.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
