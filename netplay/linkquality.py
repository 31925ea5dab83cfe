"""How good a connection is, without asking the client: what the kernel knows of it."""

from __future__ import annotations

import socket
import struct
import sys
from typing import Any

_RTT = struct.Struct("=68xI")
"""The field C{tcpi_rtt} of C{struct tcp_info} (C{linux/tcp.h}), in microseconds; fields before it never move."""


def round_trip(transport: Any) -> float | None:
    """
    The smoothed round-trip time of a connection, as TCP has measured it from what was sent and acknowledged.

    It is that to the nearest peer: behind a proxy, to the proxy.

    @param transport: one of Twisted's. TLS and other wrappers hand on the C{socket} of what they wrap.
    @return: seconds; C{None} where there is no TCP to ask, or none any more, or the system is not Linux.
    """
    peer = getattr(transport, "socket", None)
    if peer is None or sys.platform != "linux":
        return None
    try:
        (microseconds,) = _RTT.unpack(peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RTT.size))
    except OSError:
        return None
    return microseconds / 1e6 if microseconds else None
