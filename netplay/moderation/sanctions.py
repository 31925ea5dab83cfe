"""
Who may not come in or speak, for a time or for good. A plain object; time is passed in, in milliseconds since 1970.

An address is looked up once for each length of prefix among the networks, however many there are.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from netplay.errors import Refused
from netplay.limits import address_of, network_of
from netplay.store.records import SanctionRecord
from netplay.text import same_name

MOST_SANCTIONS = 10_000
"""Those that hold everywhere."""

MOST_IN_ROOM = 500
"""Those of one room: whoever owns it decides them, and is to leave the others theirs."""

Kind = Literal["mute", "ban"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_Key = tuple[Kind, str, str | None]


@dataclass(frozen=True, slots=True)
class Who:
    """
    Somebody, by all that a sanction may be meant for.

    @ivar name: what it is called, C{None} for who has no name.
    @ivar account: the name of its account, C{None} for a guest.
    @ivar address: where it is, as text, C{None} for unix sockets and the like.
    """

    name: str | None = None
    account: str | None = None
    address: str | None = None


def by_name(name: str) -> str:
    """The target that is whoever is called that, and looks it."""
    return f"name:{same_name(name)}"


def by_account(name: str) -> str:
    """The target that is an account, in capitals or not."""
    return f"account:{same_name(name)}"


def by_network(network: Network) -> str:
    """The target that is everybody there."""
    return f"network:{network}"


def network_named(text: str) -> Network:
    """
    The network that somebody means: C{192.0.2.0/24}, C{192.0.2.7}. An IPv6 address without a length stands for
    its /64; IPv4 in IPv6 (C{::ffff:192.0.2.0/120}) is that IPv4 network, as it is with peers.

    @raise Refused: C{bad_message}.
    """
    try:
        network = ipaddress.ip_network(text if "/" in text else network_of(text), strict=False)
    except ValueError:
        raise Refused(
            "bad_message", "an address or a network, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/64", "$.network"
        ) from None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    return network if mapped is None else ipaddress.IPv4Network((mapped, network.prefixlen - 96))


class Sanctions:
    """
    All of them: one for each kind, target and room. They end by themselves: whoever looks finds only those that last.
    """

    def __init__(self) -> None:
        self._last_id = 0
        self._by_key: dict[_Key, SanctionRecord] = {}
        self._by_room: Counter[str | None] = Counter()  # how many there are, C{None} for everywhere
        self._lengths: Counter[tuple[int, int]] = Counter()  # how many networks have this version and length of prefix

    def __len__(self) -> int:
        return len(self._by_key)

    def know(self, record: SanctionRecord) -> None:
        """One that there is, from before."""
        self._last_id = max(self._last_id, record.id)
        self._put(record)

    def impose(
        self, kind: Kind, target: str, room: str | None, until: int | None, reason: str, by: str, now: int
    ) -> SanctionRecord:
        """
        Mute or ban somebody; what it already has of that kind and there is replaced.

        @param until: C{None} for good.
        @raise Refused: C{too_many}.
        """
        before = self.get(kind, target, room)
        if before is None:
            most = MOST_SANCTIONS if room is None else MOST_IN_ROOM
            if self._by_room[room] >= most:
                raise Refused("too_many", f"there are {most} mutes and bans there, the most there may be; lift some")
            self._last_id += 1
        id = self._last_id if before is None else before.id
        record = SanctionRecord(id, kind, target, room, until, reason, by, now)
        self._put(record)
        return record

    def get(self, kind: Kind, target: str, room: str | None) -> SanctionRecord | None:
        """The one of that kind that somebody has there, though it may have ended; C{None} if there is none."""
        return self._by_key.get((kind, target, room))

    def lift(self, kind: Kind, target: str, room: str | None) -> SanctionRecord | None:
        """End one before its time; C{None} if there is none."""
        record = self.get(kind, target, room)
        if record is not None:
            self._forget(record)
        return record

    def all(self, kind: Kind, now: int, room: str | None = None, *, everywhere: bool = True) -> list[SanctionRecord]:
        """
        Those of a kind that last, in the order in which they were first made.

        @param room: only those that hold there, or with C{everywhere} those that hold everywhere.
        """
        wanted = None if everywhere else room
        found = [r for (k, _, where), r in self._by_key.items() if k == kind and where == wanted and not _ended(r, now)]
        return sorted(found, key=lambda record: record.id)

    def take_ended(self, now: int) -> list[SanctionRecord]:
        """Forget those that have ended; which they were."""
        ended = [record for record in self._by_key.values() if _ended(record, now)]
        return self._forgotten(ended)

    def take_room(self, room: str) -> list[SanctionRecord]:
        """Forget those that hold in a room; which they were."""
        return self._forgotten([record for record in self._by_key.values() if record.room == room])

    def _forgotten(self, records: list[SanctionRecord]) -> list[SanctionRecord]:
        for record in records:
            self._forget(record)
        return records

    def find(self, kind: Kind, who: Who, room: str | None, now: int) -> SanctionRecord | None:
        """What of a kind holds for somebody in a room, or with C{None} everywhere."""
        if not self._by_key:
            return None
        for target in self._targets(who):
            for where in (None,) if room is None else (None, room):
                record = self._by_key.get((kind, target, where))
                if record is not None and not _ended(record, now):
                    return record
        return None

    def _targets(self, who: Who) -> Iterator[str]:
        if who.name is not None:
            yield by_name(who.name)
        if who.account is not None:
            yield by_account(who.account)
        if who.address is not None and self._lengths:
            address = address_of(who.address)
            for version, length in self._lengths:
                if version == address.version:
                    yield f"network:{ipaddress.ip_network(f'{address}/{length}', strict=False)}"

    def _put(self, record: SanctionRecord) -> None:
        key = record.kind, record.target, record.room
        if key not in self._by_key:
            self._by_room[record.room] += 1
            if (network := _network(record.target)) is not None:
                self._lengths[network.version, network.prefixlen] += 1
        self._by_key[key] = record

    def _forget(self, record: SanctionRecord) -> None:
        del self._by_key[record.kind, record.target, record.room]
        self._by_room[record.room] -= 1
        if not self._by_room[record.room]:
            del self._by_room[record.room]
        network = _network(record.target)
        if network is not None:
            shape = network.version, network.prefixlen
            self._lengths[shape] -= 1
            if not self._lengths[shape]:
                del self._lengths[shape]


def holds(target: str, host: str) -> bool:
    """Whether a target is a network that has the peer with this address."""
    network = _network(target)
    if network is None:
        return False
    address = address_of(host)
    return address.version == network.version and address in network


def _network(target: str) -> Network | None:
    kind, _, text = target.partition(":")
    return ipaddress.ip_network(text) if kind == "network" else None


def _ended(record: SanctionRecord, now: int) -> bool:
    return record.until is not None and record.until <= now
