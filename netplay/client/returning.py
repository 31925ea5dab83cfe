"""When to come back."""

from __future__ import annotations

import random

FIRST = 0.5
"""Seconds within which the first attempt to come back is made."""

MOST = 30.0
"""Seconds within which every later one is."""


def full_jitter(attempt: int) -> float:
    """
    Seconds to wait before an attempt, as a retry policy of L{twisted.application.internet.ClientService}.

    Any time up to a limit that doubles each time: clients that were lost together do not come back together, and those
    of a server that stays away do not knock often. (Brooker, "Exponential Backoff And Jitter", 2015.)

    @param attempt: counted from 1 since the server last let us in.
    """
    return random.uniform(0.0, min(MOST, FIRST * 2.0 ** min(attempt - 1, 16)))
