"""A list of words that are not said: C{--word-filter words:PATH}."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from twisted.plugin import IPlugin
from twisted.python.usage import UsageError
from zope.interface import implementer

from netplay.moderation.interfaces import IWordFilter, IWordFilterPlugin

MOST_WORDS = 10_000

_WORD = re.compile(r"\w+")


@implementer(IWordFilter)
class WordFilter:
    """
    Puts asterisks in the place of words, whole ones, in capitals or not.

    @param words: which; a C{*} at the end of one stands for all that begin so.
    """

    def __init__(self, words: Iterable[str]) -> None:
        folded = {word.casefold() for word in words}
        self._whole = {word for word in folded if not word.endswith("*")}
        self._starts = {word[:-1] for word in folded if word.endswith("*")}
        self._lengths = sorted({len(start) for start in self._starts})

    def clean(self, text: str) -> str:
        """What is said instead."""
        return _WORD.sub(self._instead, text)

    def _instead(self, match: re.Match[str]) -> str:
        word = match[0].casefold()
        unsaid = word in self._whole or any(word[:length] in self._starts for length in self._lengths)
        return "*" * len(match[0]) if unsaid else match[0]


@implementer(IPlugin, IWordFilterPlugin)
class WordFilterPlugin:
    """C{words:PATH}"""

    name = "words"
    usage = "words:PATH"

    def build(self, argument: str) -> IWordFilter:
        """A file with a word a line; lines that begin with C{#} say something else."""
        try:
            lines = Path(argument).read_text("utf-8").splitlines()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
            raise UsageError(
                f"--word-filter words:{argument}: it cannot be read ({reason}); give a file with a word a line"
            ) from None
        words = [word for line in lines if (word := line.strip()) and not word.startswith("#")]
        for word in words:
            if not _WORD.fullmatch(word.removesuffix("*")):
                raise UsageError(f"--word-filter words:{argument}: {word!r} is no word of letters and digits; mend it")
        if not words:
            raise UsageError(f"--word-filter words:{argument}: there is no word in it; write one a line")
        if len(words) > MOST_WORDS:
            raise UsageError(f"--word-filter words:{argument}: it has more than {MOST_WORDS} words; leave some out")
        return WordFilter(words)
