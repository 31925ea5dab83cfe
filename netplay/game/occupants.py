"""Who is in a room, as the room sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Protocol as Shape

if TYPE_CHECKING:
    from netplay.clients import Client


class Occupant(Shape):
    """Somebody who plays or watches, and is connected."""

    client: Client

    def room_ended(self, code: str, message: str) -> None:
        """The room is no more."""
