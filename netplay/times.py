"""Times as clients are told them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(wall: float) -> str:
    """ISO 8601 with milliseconds and C{+00:00}, from seconds since 1970."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")
