"""How often somebody may try a password. A plain object; time is passed in, in seconds."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from netplay.errors import Refused
from netplay.limits import network_of

FREE = 5
"""Failures in a row that cost no time, for one name."""

FREE_FOR_ADDRESSES = 20
"""The same for one address, behind which there may be a whole school."""

LONGEST = 900.0
"""Seconds to wait before the next try, at most."""

FORGOTTEN_AFTER = 3600.0
"""Seconds without a failure after which all is as it was."""

MOST = 10_000
"""Names, addresses, and both together that are remembered; the longest unheard of goes first."""


@dataclass(slots=True)
class _Tally:
    failures: int
    last: float
    until: float


class Failures:
    """
    Who has failed how often: each failure beyond the free ones doubles the wait for the next try, from a second on.

    @param free: how many those are.
    """

    def __init__(self, free: int) -> None:
        self._free = free
        self._tallies: OrderedDict[str, _Tally] = OrderedDict()  # the longest unheard of first

    def wait(self, key: str, now: float) -> float:
        """Seconds until that one may try again."""
        tally = self._tallies.get(key)
        return 0.0 if tally is None else max(0.0, tally.until - now)

    def charge(self, key: str, now: float) -> None:
        """It tries, which counts as a failure until it is forgiven: many may try at the same time."""
        tally = self._tallies.pop(key, None)
        if tally is None or now - tally.last >= FORGOTTEN_AFTER:
            tally = _Tally(0, now, now)
        tally.failures += 1
        tally.last = now
        beyond = tally.failures - self._free
        if beyond > 0:
            tally.until = now + min(2.0 ** min(beyond - 1, 30), LONGEST)
        self._tallies[key] = tally
        if len(self._tallies) > MOST:
            self._tallies.popitem(last=False)

    def forgive(self, key: str, now: float) -> None:
        """That was no failure. Those before it are not forgotten: they may have been somebody else's."""
        tally = self._tallies.get(key)
        if tally is not None:
            tally.failures -= 1
            tally.until = now
            if not tally.failures:
                del self._tallies[key]


class Throttle:
    """
    Failures count for the address (of IPv6: the /64) and for the name. Where an account has logged in before, only its
    own failures from there count: nobody locks out an owner who is at home.
    """

    def __init__(self) -> None:
        self._names = Failures(FREE)
        self._addresses = Failures(FREE_FOR_ADDRESSES)
        self._pairs = Failures(FREE)
        self._homes: OrderedDict[str, None] = OrderedDict()

    def attempt(self, address: str | None, name: str | None, now: float) -> None:
        """
        Somebody tries to be a name.

        @param address: C{None} where there is none, as on unix sockets.
        @param name: its skeleton, C{None} where only a token says whose it is.
        @raise Refused: C{rate_limited}, with C{retry_after} in seconds.
        """
        counted = self._counted(address, name)
        wait = max((failures.wait(key, now) for failures, key in counted), default=0.0)
        if wait:
            raise Refused("rate_limited", "too many failed logins; wait, then try again", retry_after=round(wait, 3))
        for failures, key in counted:
            failures.charge(key, now)

    def take_back(self, address: str | None, name: str | None, now: float) -> None:
        """The last attempt was no failure. Those before it count all the same."""
        for failures, key in self._counted(address, name):
            failures.forgive(key, now)

    def at_home(self, address: str | None, name: str) -> None:
        """The account with that skeleton is where it may be from now on."""
        if address is not None:
            home = _pair(address, name)
            self._homes[home] = None
            self._homes.move_to_end(home)
            if len(self._homes) > MOST:
                self._homes.popitem(last=False)

    def _counted(self, address: str | None, name: str | None) -> list[tuple[Failures, str]]:
        if address is not None and name is not None and (home := _pair(address, name)) in self._homes:
            return [(self._pairs, home)]
        counted = []
        if address is not None:
            counted.append((self._addresses, network_of(address)))
        if name is not None:
            counted.append((self._names, name))
        return counted


def _pair(address: str, name: str) -> str:
    return f"{network_of(address)} {name}"
