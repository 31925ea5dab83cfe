"""
Which pages may talk to the web port: the checks of Host and Origin.

A web page from anywhere can make its visitor's browser open a WebSocket to any address (cross-site WebSocket
hijacking); the Origin header tells. And with a name of its own that turns out to be our address (DNS rebinding) it is
even of the "same origin"; the Host header tells. Programs that are no browsers send no Origin, and may come.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from twisted.python.usage import UsageError

ANY = "*"

_PLAIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,253}")

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Origins:
    """
    @param public_url: where browsers reach the daemon, such as C{https://play.example.com}; empty if just here.
    @param allowed: further origins whose pages may come, or L{ANY}.

    @raise twisted.python.usage.UsageError: one of them is no origin.
    """

    def __init__(self, public_url: str = "", allowed: Collection[str] = ()) -> None:
        self._any = ANY in allowed
        self._public = parse_origin("--public-url", public_url) if public_url else None
        self._allowed = {parse_origin("--allow-origin", origin) for origin in allowed if origin != ANY}
        if self._public is not None:
            self._allowed.add(self._public)

    def host_allowed(self, host: str | None) -> bool:
        """
        Whether a request with this Host header is for us: an address, C{localhost}, or the name of the public URL.

        Whoever rebinds a name needs a name; an address is what it says.
        """
        if host is None:
            return False
        name = _name(host)
        if name is None:
            return False
        if name == "localhost" or name.endswith(".localhost") or _is_address(name):
            return True
        return self._public is not None and name == _name(self._public[1])

    def origin_allowed(self, origin: str | None, host: str) -> bool:
        """
        Whether a page of this origin may open a WebSocket.

        @param host: the Host header, which is allowed.
        """
        if origin is None or self._any:
            return True
        try:
            parsed = parse_origin("", origin)
        except UsageError:
            return False  # "null" of a sandboxed page, and what is none
        # The scheme is not compared: behind a proxy that does TLS, the page is of https and we are not.
        return parsed in self._allowed or parsed[1] == _with_port(host, parsed[0])


def parse_origin(option: str, url: str) -> tuple[str, str]:
    """
    Scheme and host with its port.

    @param option: for the error.
    @raise UsageError: it is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise UsageError(f"{option} {url}: write an origin, such as {option} https://play.example.com")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return parts.scheme, f"{host}:{port}"


def pasteable(url: str) -> bool:
    """Whether a stranger's origin is one, and means nothing to a shell."""
    try:
        parse_origin("", url)
    except UsageError:
        return False
    return _PLAIN.fullmatch(url) is not None


def _name(host: str) -> str | None:
    """A Host header without its port, in lower case."""
    try:
        parts = urlsplit(f"//{host}")
        parts.port  # noqa: B018 - raises where it is none
    except ValueError:
        return None
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        return None
    return parts.hostname.removesuffix(".") if parts.hostname else None


def _with_port(host: str, scheme: str) -> str:
    """A Host header with the port that it means."""
    _, _, port = host.lower().rpartition(":")
    return host.lower() if port.isdigit() else f"{host.lower()}:{_PORTS[scheme]}"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
