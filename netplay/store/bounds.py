"""How much is kept of what nobody takes away: the same in every store, as far as it remembers."""

from __future__ import annotations

MOST_SESSIONS = 20
"""Sessions of one account; those that were used last stay."""

MOST_MISSED = 100
"""Alerts that have fired while an account was away; the newest stay."""

MOST_NOTES = 100_000
"""Entries of the audit log; the newest stay."""

MOST_REPORTS = 10_000
"""Messages that were reported; the newest stay."""

CANDLES: dict[int, int | None] = {1: 2 * 3600, 60: 14 * 24 * 3600, 3600: None}
"""How long candles burn, in seconds, and for how many seconds they are kept; C{None}: for ever."""

DAY = 24 * 3600 * 1000
"""Milliseconds."""

SCORE_DAYS = 31
"""Days of which the best are known."""
