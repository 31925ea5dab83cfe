"""What people may call themselves and be shown as: names and emoji, checked the same everywhere."""

from __future__ import annotations

import unicodedata

import regex

from netplay.confusables import folded_shapes, shapes
from netplay.errors import Refused

MAX_NAME = 32
MAX_EMOJI = 64

# Characters that turn the direction of what follows: with them a name can pose as another, or as part of a
# message.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# What leaves no mark of its own: spaces, controls, fillers, joiners, selectors, the empty braille pattern.
_UNSEEN = regex.compile(r"[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]+")
_IGNORED = regex.compile(r"\p{Default_Ignorable_Code_Point}+")


def clean_name(name: str, field: str = "$.name") -> str:
    """
    A name as it will be shown: composed (NFC) and trimmed.

    @param field: the JSON path of where it was given.
    @raise Refused: C{bad_message}.
    """
    name = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise Refused("bad_message", f"a name has 1 to {MAX_NAME} characters", field)
    if any(_unprintable(c) for c in name):
        raise Refused("bad_message", "a name has no control or direction-changing characters", field)
    if _UNSEEN.fullmatch(name):
        raise Refused("bad_message", "a name has something to see in it", field)
    return name


def same_name(name: str) -> str:
    """
    Two names with the same result are the same to a reader: folded by case and compatibility, without what is
    not seen (NFKC_Casefold, UAX #31).
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return unicodedata.normalize("NFKC", _IGNORED.sub("", folded))


def skeleton(name: str) -> str:
    """
    What all names that look like this one have in common (after UTS #39); those that are the same always look the
    same. It is not to be shown.
    """
    return same_name(unicodedata.normalize("NFD", same_name(name)).translate(folded_shapes()))


def readings(name: str) -> set[str]:
    """
    The skeletons of all names for which a reader may take this one: as it is, and as its capitals look, such as
    those of ΑΝΝ, which are Greek.
    """
    return {skeleton(name), skeleton(unicodedata.normalize("NFD", name).translate(shapes()))}


def clean_emoji(emoji: str) -> str:
    """
    One grapheme (UAX #29): an emoji with its modifiers, or any other single character.

    @raise Refused: C{bad_message}.
    """
    if (
        any(_unprintable(c) for c in emoji)
        or len(emoji.encode()) > MAX_EMOJI
        or regex.fullmatch(r"\X", emoji) is None
        or _UNSEEN.fullmatch(emoji)
    ):
        raise Refused("bad_message", f"one emoji, of at most {MAX_EMOJI} bytes, such as 🚀", "$.emoji")
    return emoji


def _unprintable(c: str) -> bool:
    return c in _BIDI or unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}
