"""Tests of L{netplay.web.admin.tokens}."""

from __future__ import annotations

from typing import Any

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from netplay.web.admin.tokens import Token, token_of
from tests.support import make_folder

GOOD = "0123456789abcdef"


class TokenTests(SynchronousTestCase):
    """A secret that is only ever compared."""

    def test_what_it_allows(self) -> None:
        token = Token(GOOD)
        for right in (f"Bearer {GOOD}", f"bearer  {GOOD} "):
            self.assertTrue(token.allows(right), right)
        for wrong in ("", "Bearer", f"Bearer {GOOD}0", f"Token {GOOD}", f"Bearer {GOOD} {GOOD}", "Bearer é"):
            self.assertFalse(token.allows(wrong), wrong)
        self.assertFalse(token.allows(None))


class OptionTests(SynchronousTestCase):
    """C{--api-token} and C{--api-token-file}."""

    def token(self, given: str | None = None, path: Any = None) -> Token | None:
        return token_of({"api-token": given, "api-token-file": None if path is None else str(path)})

    def refused(self, given: str | None = None, path: Any = None) -> str:
        return str(self.assertRaises(UsageError, self.token, given, path))

    def assert_good(self, token: Token | None) -> None:
        assert token is not None
        self.assertTrue(token.allows(f"Bearer {GOOD}"))

    def test_none(self) -> None:
        self.assertIsNone(self.token())

    def test_given(self) -> None:
        self.assert_good(self.token(GOOD))

    def test_in_a_file(self) -> None:
        path = make_folder(self) / "token"
        path.write_text(f"{GOOD}\n")
        self.assert_good(self.token(path=path))

    def test_both(self) -> None:
        self.assertIn("give one of them", self.refused(GOOD, "/some/file"))

    def test_one_that_could_be_guessed_or_cannot_be_sent(self) -> None:
        for wrong in ("", "short", GOOD[:-1], f"{GOOD} {GOOD}", f"{GOOD}é", GOOD * 100):
            text = self.refused(wrong)
            self.assertIn("16 or more of the characters", text)
            self.assertIn("token_urlsafe", text)

    def test_what_was_given_is_not_repeated(self) -> None:
        self.assertNotIn("hunter2", self.refused("hunter2"))

    def test_a_file_that_cannot_be_read(self) -> None:
        folder = make_folder(self)
        for wrong in (folder / "missing", folder, "\0"):
            self.assertIn("it cannot be read", self.refused(path=wrong))

    def test_a_file_without_a_token(self) -> None:
        path = make_folder(self) / "token"
        for wrong in (b"", b"\n", b"\xff" * 40):
            path.write_bytes(wrong)
            self.assertIn("--api-token-file: a token has", self.refused(path=path))
