"""Addresses that may not come in for a time. A plain object; time is passed in."""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass

from netplay.errors import Refused
from netplay.limits import address_of, network_of

MOST_BANS = 10_000

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Ban:
    """
    One network that is kept out.

    @ivar id: unlike that of any other ban.
    @ivar until: when it ends, in seconds of the clock that all calls are given.
    """

    id: str
    network: Network
    until: float
    reason: str

    def holds(self, host: str | None) -> bool:
        """Whether it means the peer with this address; peers without one (unix sockets) are never meant."""
        if host is None:
            return False
        address = address_of(host)
        return address.version == self.network.version and address in self.network


class Bans:
    """
    All bans, one for each network. They end by themselves: whoever looks finds only those that last.

    An address is looked up once for each length of prefix among the bans, however many there are.
    """

    def __init__(self) -> None:
        self._count = 0
        self._bans: dict[Network, Ban] = {}
        self._lengths: Counter[tuple[int, int]] = Counter()  # how many bans have this version and length of prefix

    def add(self, network: Network, seconds: float, reason: str, now: float) -> Ban:
        """
        Keep a network out; a ban that it already has is replaced.

        @raise Refused: C{too_many}.
        """
        self._forget_ended(now)
        before = self._bans.get(network)
        if before is None and len(self._bans) >= MOST_BANS:
            raise Refused("too_many", f"there are {MOST_BANS} bans, the most there may be; lift some first")
        if before is None:
            self._count += 1
            self._lengths[network.version, network.prefixlen] += 1
        ban = Ban(str(self._count) if before is None else before.id, network, now + seconds, reason)
        self._bans[network] = ban
        return ban

    def lift(self, id: str, now: float) -> None:
        """
        End a ban before its time.

        @raise Refused: C{no_such_ban}.
        """
        for ban in self.all(now):
            if ban.id == id:
                self._forget(ban)
                return
        raise Refused("no_such_ban", "there is no such ban, or it has ended", "$.ban")

    def all(self, now: float) -> list[Ban]:
        """Those that last, in the order in which they were first made."""
        self._forget_ended(now)
        return list(self._bans.values())

    def check(self, host: str, now: float) -> None:
        """
        Whether a peer may come in.

        @param host: its address as text.
        @raise Refused: C{banned}, with C{retry_after} in seconds.
        """
        if not self._bans:
            return
        address = address_of(host)
        for version, length in self._lengths:
            if version != address.version:
                continue
            ban = self._bans.get(ipaddress.ip_network(f"{address}/{length}", strict=False))
            if ban is not None and ban.until > now:
                raise Refused(
                    "banned",
                    "your address may not connect for now" + (f": {ban.reason}" if ban.reason else ""),
                    retry_after=round(ban.until - now, 3),
                )

    def _forget_ended(self, now: float) -> None:
        for ban in [ban for ban in self._bans.values() if ban.until <= now]:
            self._forget(ban)

    def _forget(self, ban: Ban) -> None:
        network = ban.network
        del self._bans[network]
        kind = network.version, network.prefixlen
        self._lengths[kind] -= 1
        if not self._lengths[kind]:
            del self._lengths[kind]


def network_named(text: str) -> Network:
    """
    The network that somebody means: C{192.0.2.0/24}, C{192.0.2.7}. An IPv6 address without a length stands for
    its /64.

    @raise Refused: C{bad_message}.
    """
    try:
        return ipaddress.ip_network(text if "/" in text else network_of(text), strict=False)
    except ValueError:
        raise Refused(
            "bad_message", "an address or a network, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/64", "$.network"
        ) from None
