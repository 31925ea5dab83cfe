"""What can be wrong with a store before it is used."""

from __future__ import annotations

from twisted.python.usage import UsageError


class CannotOpen(UsageError):
    """The store cannot be used; the text says why, and what would help. Nothing of it was changed."""
