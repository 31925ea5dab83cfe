"""The web port as a feature of the daemon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.application.service import Service
from twisted.plugin import IPlugin
from twisted.web.resource import IResource
from zope.interface import implementer

from netplay.core import Core
from netplay.interfaces import IFeature, IFeatureService
from netplay.options import several
from netplay.web.admin.site import admin_children
from netplay.web.http import make_site
from netplay.web.origins import Origins
from netplay.web.pages import console_children
from netplay.web.port import WebFactory
from netplay.web.proxies import parse_proxies
from netplay.web.site import Root, Sockets


@implementer(IFeatureService)
class WebService(Service):
    """
    The web port of one daemon.

    @raise twisted.python.usage.UsageError: an option makes no sense.
    """

    def __init__(self, options: Mapping[str, Any], core: Core) -> None:
        origins = Origins(options["public-url"], several(options["allow-origin"]))
        served = options["served"]
        pages: dict[bytes, IResource] = {b"ws": Sockets(core, origins, "echo" in served), **console_children()}
        # Unless these have an endpoint of their own:
        others = admin_children(options, core) if served.get("admin") == [] else {}
        root = Root(core, origins, pages, others)
        proxies = parse_proxies("--trust-proxy", options["trust-proxy"])
        self.factory = WebFactory(core, make_site(root, core), proxies)


@implementer(IPlugin, IFeature)
class WebFeature:
    """The web port as the daemon finds it."""

    name = "web"
    summary = "web console, API, and all features on WebSocket"
    port = 8080
    order = 60
    greeting = "http://{host}:{port}/"
    frame_type = None
    parameters: list[list[Any]] = [
        ["public-url", None, "", "Where browsers reach the web port, such as https://play.example.com"],
        ["trust-proxy", None, "", "Proxies whose X-Forwarded-For or Forwarded counts: addresses, networks, unix"],
        ["allow-origin", None, "", "Origins whose pages may open WebSockets here, with commas between; * for all"],
    ]

    def build(self, options: Mapping[str, Any], core: Core) -> WebService:
        """
        The web port.

        @raise twisted.python.usage.UsageError: an option makes no sense.
        """
        return WebService(options, core)
