"""Lists that come in pages, so that a small client survives the reply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

ENVELOPE = 512
"""Bytes left for the message around the items."""


def fitting(items: Sequence[T], max_reply: int, encode: Callable[[Any], bytes], *, newest: bool = False) -> list[T]:
    """
    The first of C{items} (the last, with C{newest}) that fit in one reply together; at least one, if there is one.

    @param max_reply: bytes that the reply may have.
    @param encode: what the items will be encoded with.
    """
    left = max_reply - ENVELOPE
    if len(encode(items)) <= left:  # nearly always: one look at all of them instead of one at each
        return list(items)
    count = 0
    for item in reversed(items) if newest else items:
        left -= len(encode(item)) + 1
        if left < 0 and count:
            break
        count += 1
    return list(items[len(items) - count :] if newest else items[:count])
