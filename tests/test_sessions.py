"""Tests of L{netplay.sessions}."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netplay import sessions as sessions_module
from netplay.errors import Refused
from netplay.sessions import KEPT_FOR, Sessions


class SessionsTests(SynchronousTestCase):
    """Who may come back."""

    def setUp(self) -> None:
        self.sessions = Sessions()
        self.expired: list[Any] = []

    def keep(self, state: Any, now: float) -> str:
        token = self.sessions.open(None)  # type: ignore[arg-type]
        self.sessions.keep(token, "parrot", state, self.expired.append, now)
        return token

    def resume(self, token: str) -> Any:
        return self.sessions.resume(token, "parrot", None)  # type: ignore[arg-type]

    def test_what_was_kept_is_handed_over_once(self) -> None:
        token = self.keep("state", 0)
        self.assertEqual(self.resume(token), "state")
        self.assertRaises(Refused, self.resume, token)

    def test_they_expire_each_at_its_time(self) -> None:
        for n in range(3):
            self.keep(n, n * 10)
        self.sessions.expire(KEPT_FOR - 0.1)
        self.assertEqual(self.expired, [])
        self.sessions.expire(KEPT_FOR)
        self.assertEqual(self.expired, [0])
        self.sessions.expire(KEPT_FOR + 1000)
        self.assertEqual(self.expired, [0, 1, 2])

    def test_who_came_back_does_not_expire(self) -> None:
        token = self.keep("state", 0)
        self.resume(token)
        self.sessions.expire(KEPT_FOR + 1)
        self.assertEqual(self.expired, [])

    def test_only_so_many_are_kept_and_the_oldest_goes(self) -> None:
        self.patch(sessions_module, "MOST_KEPT", 3)
        tokens = [self.keep(n, n) for n in range(5)]
        self.assertEqual(self.expired, [0, 1])
        for n, token in enumerate(tokens):
            if n < 2:
                self.assertRaises(Refused, self.resume, token)
            else:
                self.assertEqual(self.resume(token), n)

    def test_one_that_fails_to_expire_does_not_keep_the_others(self) -> None:
        def expired(state: Any) -> None:
            self.expired.append(state)
            raise RuntimeError("boom")

        for n in range(3):
            token = self.sessions.open(None)  # type: ignore[arg-type]
            self.sessions.keep(token, "parrot", n, expired, 0)
        self.sessions.expire(KEPT_FOR)
        self.assertEqual(self.expired, [0, 1, 2])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 3)
