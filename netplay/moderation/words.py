"""A list of words that are not said: C{--word-filter words:PATH}."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import regex
from twisted.plugin import IPlugin
from twisted.python.usage import UsageError
from zope.interface import implementer

from netplay.moderation.interfaces import IWordFilter, IWordFilterPlugin

MOST_WORDS = 10_000


@implementer(IWordFilter)
class WordFilter:
    """
    Puts asterisks in the place of words, whole ones, in capitals or not.

    @param words: which; a C{*} at the end of one stands for all that begin so.
    """

    def __init__(self, words: Iterable[str]) -> None:
        starts: set[str] = set()
        whole: set[str] = set()
        for word in words:
            (starts if word.endswith("*") else whole).add(word.rstrip("*"))
        alternatives = [pattern for pattern, some in ((r"\L<starts>\w*", starts), (r"\L<whole>", whole)) if some]
        self._found = regex.compile(
            rf"\b(?:{'|'.join(alternatives)})\b", regex.IGNORECASE, starts=sorted(starts), whole=sorted(whole)
        )

    def clean(self, text: str) -> str:
        """What is said instead."""
        cleaned: str = self._found.sub(lambda match: "*" * len(match[0]), text)
        return cleaned


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
        if not any(word.rstrip("*") for word in words):
            raise UsageError(f"--word-filter words:{argument}: there is no word in it; write one a line")
        if len(words) > MOST_WORDS:
            raise UsageError(f"--word-filter words:{argument}: it has more than {MOST_WORDS} words; leave some out")
        return WordFilter(word for word in words if word.rstrip("*"))
