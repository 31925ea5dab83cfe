"""What a backend may ask of a feature: declared once, reached and described by the web port."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Operation:
    """
    One thing that a backend may ask for.

    Where a field of the request stands follows from the path: those that it names are in it; of the others, C{GET} and
    C{DELETE} have them in the query, C{POST} and C{PUT} in a body of JSON.

    @ivar method: of HTTP.
    @ivar path: below that of the API, with fields in braces: C{/chat/rooms/{room}/messages}.
    @ivar request: what is asked, a type of its own; forbids unknown fields. Its docstring says what the operation is
        for, the first paragraph in short.
    @ivar response: what comes back, C{None} for nothing.
    @ivar handler: from the request to the response or a Deferred of it. It may raise L{netplay.errors.Refused}.
    @ivar refusals: the codes with which it may refuse, besides C{bad_message}.
    """

    method: str
    path: str
    request: type[Struct]
    response: type[Struct] | None
    handler: Callable[[Any], Any]
    refusals: tuple[str, ...] = ()

    @property
    def has_body(self) -> bool:
        """Whether the fields that the path does not name come in a body."""
        return self.method in ("POST", "PUT")

    @property
    def in_path(self) -> frozenset[str]:
        """The fields that the path names."""
        return frozenset(_FIELD.findall(self.path))

    @property
    def name(self) -> str:
        """In one word, as generated clients call it."""
        name = self.request.__name__
        return name[0].lower() + name[1:]
