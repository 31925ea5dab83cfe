"""An endpoint for those who run the daemon, apart from the web port: C{--admin}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.application.service import Service
from twisted.plugin import IPlugin
from zope.interface import implementer

from netplay.core import Core
from netplay.interfaces import IFeature, IFeatureService
from netplay.web.admin.site import AdminFactory, Root, admin_children


@implementer(IFeatureService)
class AdminService(Service):
    """The endpoint of one daemon. It serves until the very end, so that going down can be seen."""

    def __init__(self, options: Mapping[str, Any], core: Core) -> None:
        self.factory = AdminFactory(Root(admin_children(options, core)), core)

    def stopService(self) -> None:
        """No more answers."""
        super().stopService()
        self.factory.close()


@implementer(IPlugin, IFeature)
class AdminFeature:
    """The endpoint as the daemon finds it."""

    name = "admin"
    summary = "API, metrics and health on an endpoint of their own instead of the web port"
    port = None
    order = 70
    greeting = ""
    frame_type = None
    parameters: list[list[Any]] = [
        ["api-token", None, None, "Who shows this token may use the API; better in a file, where `ps` cannot see it"],
        ["api-token-file", None, None, "A file with that token; without a token there is no API"],
    ]

    def build(self, options: Mapping[str, Any], core: Core) -> AdminService:
        """
        With C{--api-token} or C{--api-token-file}.

        @raise twisted.python.usage.UsageError: the token is no good.
        """
        return AdminService(options, core)
