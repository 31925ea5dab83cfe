"""What people may call themselves and be shown as: names and emoji, checked the same everywhere."""

from __future__ import annotations

import unicodedata

import regex

from netplay.errors import Refused

MAX_NAME = 32
MAX_EMOJI = 64

# Characters that turn the direction of what follows: with them a name can pose as another, or as part of a message.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = ("C", "Z")
_JOINERS = frozenset("\u200c\u200d")  # needed in some scripts, and inside emoji


def clean_name(name: str) -> str:
    """
    A name as it will be shown: composed (NFC) and trimmed.

    @raise Refused: C{bad_message}.
    """
    name = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise Refused("bad_message", f"a name has 1 to {MAX_NAME} characters", "$.name")
    if any(_unprintable(c) for c in name):
        raise Refused("bad_message", "a name has no control or direction-changing characters", "$.name")
    if all(unicodedata.category(c)[0] in _INVISIBLE for c in name):
        raise Refused("bad_message", "a name has something to see in it", "$.name")
    return name


def same_name(name: str) -> str:
    """Two names with the same result are the same to a reader: folded by case and compatibility (NFKC)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def clean_emoji(emoji: str) -> str:
    """
    One grapheme (UAX #29): an emoji with its modifiers, or any other single character.

    @raise Refused: C{bad_message}.
    """
    if (
        len(emoji.encode()) > MAX_EMOJI
        or regex.fullmatch(r"\X", emoji) is None
        or unicodedata.category(emoji[0])[0] in _INVISIBLE
        or any(_unprintable(c) for c in emoji)
    ):
        raise Refused("bad_message", f"one emoji, of at most {MAX_EMOJI} bytes, such as 🚀", "$.emoji")
    return emoji


def _unprintable(c: str) -> bool:
    return c in _BIDI or (unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} and c not in _JOINERS)
