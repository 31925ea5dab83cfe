"""For those in the same network: the address that they reach us by, to read and to scan."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterable

import segno

_SOMEWHERE = ("192.0.2.1", 9)
"""An address that nobody has (RFC 5737), beyond the router."""


def lan_address(towards: tuple[str, int] = _SOMEWHERE) -> str | None:
    """
    This machine's IPv4 address in its network: what a packet to the outside would bear as its source. None is sent,
    connecting a datagram socket only looks up the route.

    @return: C{None} where there is no network.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(towards)
            address: str = probe.getsockname()[0]
        except OSError:
            return None
    return None if address.startswith("127.") or address == "0.0.0.0" else address


def lan_hints(address: str | None, ports: Iterable[tuple[str, str, int]]) -> Iterable[str]:
    """
    What to tell someone who opened the daemon to the network.

    @param address: L{lan_address}.
    @param ports: of the features that listen on all interfaces: name, URL scheme (C{http} is a page to open) or empty,
        and port.
    """
    if address is None:
        yield "this machine has no address in a network: only programs on it reach the ports"
        return
    for name, scheme, port in ports:
        if scheme == "http":
            url = f"http://{address}:{port}/"
            yield f"on this network: {url}"
            yield from qr_lines(url)
        else:
            yield f"on this network: {name} on {address} port {port}"
    yield "everyone on this network can come in, and nothing is encrypted: use --lan only where you trust it"


def qr_lines(text: str) -> list[str]:
    """A QR code (ISO/IEC 18004) for a terminal, two rows of it in each line; light on dark."""
    out = io.StringIO()
    segno.make_qr(text, error="l").terminal(out, compact=True, border=2)
    return out.getvalue().splitlines()
