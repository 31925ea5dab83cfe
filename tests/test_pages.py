"""Tests of L{netplay.pages}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.pages import ENVELOPE, fitting
from netplay.wire.codecs import JSON


class FittingTests(SynchronousTestCase):
    """As many items as fit in one reply."""

    def test_all_of_a_few(self) -> None:
        self.assertEqual(fitting(["a", "b"], 1024, JSON.encode), ["a", "b"])

    def test_none_of_none(self) -> None:
        self.assertEqual(fitting([], 1024, JSON.encode), [])
        self.assertEqual(fitting([], 1024, JSON.encode, newest=True), [])

    def test_the_first_of_many(self) -> None:
        items = list(range(100, 1000))
        page = fitting(items, 1024, JSON.encode)
        self.assertEqual(page, items[: len(page)])
        self.assertEqual(len(page), (1024 - ENVELOPE) // 4)

    def test_or_the_last(self) -> None:
        items = list(range(100, 1000))
        page = fitting(items, 1024, JSON.encode, newest=True)
        self.assertEqual(page, items[-len(page) :])
        self.assertEqual(len(page), (1024 - ENVELOPE) // 4)

    def test_one_that_is_too_large_comes_alone(self) -> None:
        """Or nobody would ever get past it."""
        self.assertEqual(fitting(["x" * 5000, "y"], 1024, JSON.encode), ["x" * 5000])

    @given(st.lists(st.text(max_size=300), max_size=60), st.integers(1024, 8192), st.booleans())
    def test_the_reply_keeps_to_its_size(self, items: list[str], size: int, newest: bool) -> None:
        page = fitting(items, size, JSON.encode, newest=newest)
        if len(page) > 1:
            self.assertLessEqual(len(JSON.encode({"type": "x", "items": page})), size)
        if len(page) < len(items):  # another one would have been too much
            more = items[-len(page) - 1 :] if newest else items[: len(page) + 1]
            self.assertGreater(len(JSON.encode(more)), size - ENVELOPE)
