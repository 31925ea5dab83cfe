"""What is said when something cannot be granted: the one exception that becomes an ``error`` message."""

from __future__ import annotations

from typing import Any

# fmt: off
CODES = frozenset({
    "bad_json", "bad_message", "unknown_type", "too_large", "rate_limited", "server_full", "idle_timeout",
    "slow_consumer", "shutting_down", "not_allowed", "bad_login", "bad_session", "bad_password", "name_taken",
    "no_such_room", "no_such_symbol", "no_such_game", "no_such_user", "room_full", "wrong_phase", "room_crashed",
    "too_many", "muted", "banned", "kicked", "replaced", "store_busy", "unavailable", "internal",
})
# fmt: on
"""Every ``code`` that a client may meet; part of the protocol."""

MISTAKES = frozenset({"bad_json", "bad_message", "unknown_type"})
"""Codes that say the message itself was wrong: too many in a row end a connection."""


class Refused(Exception):
    """
    A request that is not granted. Rules raise it, the client gets it as an ``error`` message.

    @param code: for clients one of L{CODES}.
    @param message: what was wrong and what would be right, for a person to read.
    @param field: the JSON path of the offending field, such as ``$.room``.
    @param ref: the C{ref} of the request, where only the decoder knows it.
    @param more: further fields of the error: ``retry_after`` (seconds), ``symbols``.
    """

    def __init__(
        self, code: str, message: str, field: str | None = None, *, ref: str | int | None = None, **more: Any
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.field = field
        self.ref = ref
        self.more = more
