"""Whether the daemon lives, and whether it is to be sent clients."""

from __future__ import annotations

from typing import Any

from netplay.core import Core, Phase
from netplay.errors import Refused
from netplay.web.problems import Page

PLAIN = "text/plain; charset=utf-8"


def healthz() -> Page:
    """C{/healthz}: that there is an answer is the answer."""
    return Page(lambda request: (b"alive\n", PLAIN))


def readyz(core: Core) -> Page:
    """C{/readyz}: 503 before it runs and once it is going down."""

    def show(request: Any) -> tuple[bytes, str]:
        if core.phase is not Phase.RUNNING:
            raise Refused("shutting_down", f"the daemon is {core.phase.name.lower()}")
        return b"ready\n", PLAIN

    return Page(show)
