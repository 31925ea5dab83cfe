"""
Which characters look like which: Unicode's U{UTS #39<https://www.unicode.org/reports/tr39/>}, as the package
C{confusable-homoglyphs} brings it.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


@cache
def shapes() -> dict[int, str]:
    """For C{str.translate}: each character that looks like another, with what stands for all that look so."""
    data = json.loads((files("confusable_homoglyphs") / "confusables.json").read_bytes())
    alike = {text: [other["c"] for other in others] for text, others in data.items()}
    return {ord(text): shape for text in alike if len(text) == 1 and (shape := _shape(text, alike)) != text}


def _shape(text: str, alike: dict[str, list[str]]) -> str:
    """The file lists for one that stands for others all of them, and for each of the others that one alone."""
    if len(alike[text]) > 1:
        return text
    other = alike[text][0]
    if len(alike.get(other, ())) > 1:
        return other
    return max(text, other, key=lambda text: (len(text), text))  # a pair


@cache
def folded_shapes() -> dict[int, str]:
    """
    The same for text without capitals. What looks like a Latin letter as a capital alone, as the Cyrillic в does, is
    that letter; and as I looks like l, i does too.
    """
    table = shapes()
    folded = {code: shape.casefold() for code, shape in table.items() if chr(code).casefold() == chr(code)}
    for code, shape in table.items():
        small = chr(code).lower()
        if shape.isascii() and len(small) == 1 and not (small.isascii() or folded.get(ord(small), "").isascii()):
            folded[ord(small)] = shape.casefold()
    return {code: shape.replace("i", "l") for code, shape in folded.items()} | {ord("i"): "l"}
