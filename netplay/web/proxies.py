"""
Whose request it is when it comes through proxies: what their headers say, as far as they can be trusted.

Anyone can send these headers. Each proxy adds at the right the address that it was connected from, so they are read
from the right, and only as long as those who wrote are trusted: the first address that is not, is the client's.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from twisted.python.usage import UsageError
from twisted.web.http_headers import Headers

from netplay.limits import address_of
from netplay.options import several

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UNIX = "unix"

MOST_PROXIES = 16
"""Between a client and us; what stands further left in a header is not looked at."""


@dataclass(frozen=True)
class Proxies:
    """
    Who may say whose requests they pass on.

    @ivar networks: where they connect from.
    @ivar unix: whether they may connect by unix socket.
    """

    networks: tuple[Network, ...] = ()
    unix: bool = False

    def trusted(self, host: str | None) -> bool:
        """
        Whether this is one of them.

        @param host: an address, C{None} for a unix socket.
        """
        if host is None:
            return self.unix
        address = address_of(host)
        return any(address.version == network.version and address in network for network in self.networks)


def parse_proxies(option: str, text: str) -> Proxies:
    """
    @param option: for the error.
    @param text: addresses, networks (C{10.0.0.0/8}) and C{unix}, with commas between.
    @raise UsageError: says what to type instead.
    """
    networks: list[Network] = []
    unix = False
    for part in several(text):
        if part == UNIX:
            unix = True
            continue
        try:
            networks.append(ipaddress.ip_network(part))
        except ValueError as error:
            raise UsageError(
                f"{option} {text}: {error}; write addresses or networks with commas between, and {UNIX} for unix "
                f"sockets, such as {option} 127.0.0.1,10.0.0.0/8,{UNIX}"
            ) from None
    return Proxies(tuple(networks), unix)


def client_address(peer: str | None, headers: Headers, proxies: Proxies) -> str | None:
    """
    Whose request it is: the last address in the headers that is not a trusted proxy's. If all are, the one furthest
    away; if one makes no sense, the proxy that wrote it.

    C{X-Forwarded-For} counts if there is one, otherwise C{Forwarded} (RFC 7239): most proxies write the former, and
    pass on the latter as the client sent it.

    @param peer: who is connected, C{None} for a unix socket.
    @return: an address; C{None} for a unix socket whose proxy says nothing that makes sense.
    """
    if headers.hasHeader(b"x-forwarded-for"):
        hops: Iterator[str] = _from_the_right(headers, b"x-forwarded-for")
    else:
        hops = _forwarded(headers)
    for further in hops:
        if not proxies.trusted(peer):
            break
        try:
            peer = _address(further)
        except ValueError:
            break
    return peer


def _forwarded(headers: Headers) -> Iterator[str]:
    """
    Its elements are parted at every comma, even within quotes: no address has one, and a quote that a client leaves
    open must not swallow what the proxy adds.
    """
    for element in _from_the_right(headers, b"forwarded"):
        pairs = {}
        for pair in element.split(";"):
            name, _, value = pair.partition("=")
            pairs[name.strip().lower()] = value.strip().removeprefix('"').removesuffix('"')
        yield pairs.get("for", "")


def _from_the_right(headers: Headers, name: bytes) -> Iterator[str]:
    """The elements of a list, the last first."""
    lines = headers.getRawHeaders(name)
    if lines is not None:
        whole = b",".join(lines[-MOST_PROXIES:]).decode("latin-1")
        for element in reversed(whole.rsplit(",", MOST_PROXIES)[-MOST_PROXIES:]):
            yield element.strip()


def _address(text: str) -> str:
    """
    An address without its port: C{192.0.2.7:4711}, C{[2001:db8::7]:4711}.

    @raise ValueError: it is none; C{unknown} or a made-up name (RFC 7239 section 6) are none either.
    """
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    return str(address_of(text))
