"""The console and the JavaScript client, served from memory as they were when the daemon started."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from twisted.web.http import CACHED
from twisted.web.resource import IResource, Resource

from netplay.web.problems import Nothing, ReadOnly

CONTENT_TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".html": b"text/html; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}
"""By the end of the name. Other files are not served."""

INDEX = "index.html"

POLICY = b"; ".join(
    (
        b"default-src 'self'",  # WebSockets to where the page came from included (CSP 3, section 6.7.2.8)
        b"base-uri 'none'",
        b"form-action 'none'",
        b"frame-ancestors 'none'",
        b"object-src 'none'",
        b"require-trusted-types-for 'script'",
    )
)
"""What a page may do: show and run what this server serves, nothing that stands in the page itself."""


class StaticPage(ReadOnly):
    """
    One file. A browser that has it asks each time whether it has changed, and is told no in one line.

    @param body: its content.
    @param content_type: of HTTP.
    @ivar tag: the entity tag (RFC 9110, section 8.8.3).
    """

    def __init__(self, body: bytes, content_type: bytes) -> None:
        super().__init__()
        self._body = body
        self._content_type = content_type
        self.tag = b'"%b"' % hashlib.sha256(body).hexdigest()[:32].encode()

    def shown(self, request: Any) -> bytes:
        """The file, or that it is still the same."""
        request.setHeader(b"cache-control", b"no-cache")
        request.setHeader(b"content-security-policy", POLICY)
        # Other sites may import netplay.js, and modules are fetched with CORS. All here is public.
        request.setHeader(b"access-control-allow-origin", b"*")
        request.setHeader(b"cross-origin-resource-policy", b"cross-origin")
        request.setHeader(b"referrer-policy", b"no-referrer")
        if request.setETag(self.tag) is CACHED:
            return b""
        request.setHeader(b"content-type", self._content_type)
        return self._body


class Folder(Nothing):
    """
    The files that are in a folder now, by their names; and nothing else, whatever is asked for.

    @param folder: on disk or in a zip file.
    """

    isLeaf = False

    def __init__(self, folder: Traversable) -> None:
        super().__init__()
        for name, resource in folder_children(folder).items():
            self.putChild(name, resource)

    def getChild(self, path: bytes, request: Any) -> Resource:
        """All else is not there."""
        return Nothing()


def folder_children(folder: Traversable) -> dict[bytes, IResource]:
    """
    What is in a folder, by name; C{index.html} is what the folder itself shows.

    @param folder: on disk or in a zip file.
    """
    children: dict[bytes, IResource] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            children[entry.name.encode()] = Folder(entry)
            continue
        content_type = CONTENT_TYPES.get("." + entry.name.rpartition(".")[2])
        if content_type is not None:
            name = "" if entry.name == INDEX else entry.name
            children[name.encode()] = StaticPage(entry.read_bytes(), content_type)
    return children


def console_children() -> dict[bytes, IResource]:
    """The console (C{/} and C{/console/}) and C{/netplay.js}, by the first segment of their path."""
    return folder_children(files("netplay.web") / "static")
