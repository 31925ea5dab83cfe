"""Tests of L{netplay.moderation.words}."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netplay.moderation import words as module
from netplay.moderation.interfaces import IWordFilter, IWordFilterPlugin
from netplay.moderation.words import WordFilter, WordFilterPlugin


class WordFilterTests(SynchronousTestCase):
    """Words that are not said."""

    def clean(self, text: str, *words: str) -> str:
        return WordFilter(words).clean(text)

    def test_asterisks_stand_in_their_place(self) -> None:
        self.assertEqual(self.clean("oh darn, DARN! Darn?", "darn"), "oh ****, ****! ****?")

    def test_whole_words_only(self) -> None:
        self.assertEqual(self.clean("darning classes", "darn", "ass"), "darning classes")

    def test_all_that_begin_so(self) -> None:
        self.assertEqual(self.clean("darning is darn fun", "darn*"), "******* is **** fun")

    @given(st.text(max_size=50), st.lists(st.text("abcß", min_size=1, max_size=3), max_size=5))
    def test_the_length_stays(self, text: str, words: list[str]) -> None:
        self.assertEqual(len(self.clean(text, *words, *(f"{word}*" for word in words))), len(text))


class PluginTests(SynchronousTestCase):
    """C{--word-filter words:PATH}"""

    def build(self, text: str) -> IWordFilter:
        path = Path(self.mktemp())
        path.write_text(text, "utf-8")
        made: IWordFilter = WordFilterPlugin().build(str(path))
        return made

    def refused(self, text: str) -> str:
        return str(self.assertRaises(UsageError, self.build, text))

    def test_a_file_with_a_word_a_line(self) -> None:
        made = self.build("# rude\n\ndarn\n  heck  \n")
        verifyObject(IWordFilter, made)
        self.assertEqual(made.clean("darn heck rude"), "**** **** rude")  # type: ignore[misc]

    def test_it_is_a_plugin(self) -> None:
        verifyObject(IWordFilterPlugin, WordFilterPlugin())

    def test_what_is_no_such_file(self) -> None:
        self.assertIn("it cannot be read", str(self.assertRaises(UsageError, WordFilterPlugin().build, "/none")))
        self.assertIn("there is no word in it", self.refused("# nothing\n"))
        for wrong in ("*", "two words", "a.b", "a**"):
            self.assertIn(repr(wrong), self.refused(f"fine\n{wrong}\n"))
        self.patch(module, "MOST_WORDS", 2)
        self.assertIn("more than 2 words", self.refused("a\nb\nc\n"))
