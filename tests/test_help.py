"""Tests of L{netplay.help}."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, inspect
from twisted.trial.unittest import SynchronousTestCase

from netplay.chat.messages import REQUESTS
from netplay.game.messages import Message
from netplay.help import describe, fields, summary, words
from netplay.messages import COMMON, Position, Request
from netplay.wire.codecs import JSON
from netplay.wire.grammar import Grammar


class Dance(Request, tag="dance"):
    """
    Dance with
    someone.

    This is for programmers.
    """

    to: Annotated[str, Meta(min_length=1, max_length=9, examples=["Ann"])]
    steps: Annotated[int, Meta(ge=1, le=5)] = 1
    since: Position | None = None


class Leap(Message):
    """Jump far."""


class Point(Struct):
    x: float
    y: float = 0


class DescribeTests(SynchronousTestCase):
    """A message type as a person is told of it."""

    def test_the_summary_is_the_first_paragraph_on_one_line(self) -> None:
        self.assertEqual(summary(Dance), "Dance with someone.")

    def test_a_type_that_says_nothing_is_not_what_its_base_is(self) -> None:
        class Jump(Dance, tag="jump"):
            pass

        self.assertEqual(summary(Jump), "")

    def test_fields_that_may_be_missing_have_a_question_mark(self) -> None:
        self.assertEqual(list(fields(Dance)), ["to", "steps?", "since?", "ref?"])

    def test_what_a_game_takes_has_its_type_in_the_example_only(self) -> None:
        described = describe(Leap)
        self.assertEqual((described["what"], described["example"]), ("Jump far.", {"type": "act", "do": "leap"}))
        self.assertEqual(list(described["fields"]), ["ref?", "seq?"])

    def test_fields_can_be_left_out(self) -> None:
        self.assertNotIn("ref?", fields(Dance, leave_out=frozenset({"ref"})))

    def test_a_type_comes_with_an_example(self) -> None:
        self.assertEqual(
            describe(Dance),
            {
                "what": "Dance with someone.",
                "fields": {
                    "ref?": "string, at most 256 characters or integer",
                    "to": "string, 1 to 9 characters",
                    "steps?": "integer, 1 to 5",
                    "since?": "{epoch: string, at most 64 characters, seq: integer, at least 0}",
                },
                "example": {"type": "dance", "to": "Ann"},
            },
        )

    def test_every_request_says_what_it_is_for_and_has_an_example_that_is_right(self) -> None:
        grammar = Grammar((*REQUESTS, *COMMON))
        for kind in grammar.types.values():
            told = describe(kind)
            self.assertTrue(told["what"], kind)
            self.assertIsInstance(JSON.decode(msgspec.json.encode(told["example"]), grammar), kind)
            self.assertNotIn("anything", told["fields"].values())

    def test_what_is_told_can_be_sent(self) -> None:
        for kind in (*REQUESTS, *COMMON):
            self.assertEqual(msgspec.json.decode(JSON.encode(describe(kind))), describe(kind))


class WordsTests(SynchronousTestCase):
    """A type in words."""

    def assertWords(self, kind: Any, expected: str) -> None:
        self.assertEqual(words(inspect.type_info(kind)), expected)

    def test_plain_types(self) -> None:
        self.assertWords(str, "string")
        self.assertWords(int, "integer")
        self.assertWords(float, "number")
        self.assertWords(bool, "true or false")
        self.assertWords(Any, "anything")

    def test_bounds(self) -> None:
        self.assertWords(Annotated[str, Meta(max_length=5)], "string, at most 5 characters")
        self.assertWords(Annotated[int, Meta(ge=2)], "integer, at least 2")
        self.assertWords(Annotated[int, Meta(ge=2, le=3)], "integer, 2 to 3")

    def test_a_pattern(self) -> None:
        self.assertWords(Annotated[str, Meta(pattern="^[a-z]+$")], "string like [a-z]+")

    def test_a_pattern_that_ends_strictly(self) -> None:
        self.assertWords(Annotated[str, Meta(pattern=r"^[a-z]+\Z")], "string like [a-z]+")

    def test_what_may_be_missing_is_told_by_its_type_alone(self) -> None:
        self.assertWords(str | None, "string")

    def test_a_choice_of_types(self) -> None:
        self.assertWords(int | str, "integer or string")

    def test_a_choice_of_values(self) -> None:
        self.assertWords(Literal["full", "delta"], "'delta' or 'full'")

    def test_lists_and_objects(self) -> None:
        self.assertWords(list[str], "list of string")
        self.assertWords(dict[str, int], "object of integer by string")
        self.assertWords(Point, "{x: number, y?: number}")
