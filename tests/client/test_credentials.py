"""Tests of L{netplay.client.credentials}, and of what L{netplay.client.session} does with them."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netplay.client.credentials import credentials
from netplay.client.errors import ServerError, TooMuch
from netplay.client.session import MOST_MEANWHILE, Session
from tests.client.test_session import back, chat, hear, page, sent, welcome

ANN = {"id": "User_1", "name": "Ann", "guest": False}
REQUIRED = {"type": "login_required", "message": "no guests", "protocol": 1, "server": "netplay", "limits": {}}


def logged_in(ref: Any) -> dict[str, Any]:
    """The login was right."""
    return {"type": "logged_in", "you": ANN, "roles": [], "ref": ref}


def refused(ref: Any, code: str = "bad_login") -> dict[str, Any]:
    """It was not."""
    return {"type": "error", "code": code, "message": "no", "ref": ref}


class CredentialsTests(SynchronousTestCase):
    """What is said."""

    def test_a_guest_says_nothing(self) -> None:
        self.assertIsNone(credentials(None, None))

    def test_a_name_and_a_password(self) -> None:
        say = credentials(("Ann", "secret"), None)
        assert say is not None
        self.assertEqual(say(), {"type": "login", "user": "Ann", "password": "secret"})

    def test_a_token(self) -> None:
        say = credentials(None, "t1")
        assert say is not None
        self.assertEqual(say(), {"type": "login", "token": "t1"})

    def test_a_token_that_is_made_anew_each_time(self) -> None:
        tokens = iter(("t1", "t2"))
        say = credentials(None, lambda: next(tokens))
        assert say is not None
        self.assertEqual([say()["token"], say()["token"]], ["t1", "t2"])

    def test_not_both(self) -> None:
        self.assertRaises(ValueError, credentials, ("Ann", "secret"), "t1")


class LoginTests(SynchronousTestCase):
    """A session that is somebody's."""

    def setUp(self) -> None:
        self.session = Session(credentials(("Ann", "secret"), None))
        self.session.opened()

    def greeted(self, *messages: dict[str, Any]) -> Any:
        """The server has greeted, and has said these; returns the ref of the login."""
        self.assertEqual(hear(self.session, *(messages or (welcome(),))), [])
        (login,) = sent(self.session)
        ref = login.pop("ref")
        self.assertEqual(login, {"type": "login", "user": "Ann", "password": "secret"})
        self.assertFalse(self.session.ready)
        return ref

    def test_it_logs_in_before_the_program_can_say_anything(self) -> None:
        ref = self.greeted()
        (greeting,) = hear(self.session, logged_in(ref))
        self.assertEqual((greeting["type"], greeting["you"]), ("welcome", ANN))
        self.assertEqual(self.session.you, ANN)
        self.assertTrue(self.session.ready)

    def test_what_comes_meanwhile_comes_after_the_greeting(self) -> None:
        ref = self.greeted(welcome(), {"type": "presence"}, chat(1))
        messages = hear(self.session, chat(2), logged_in(ref), chat(3))
        self.assertEqual([message["type"] for message in messages], ["welcome", "presence", "chat", "chat", "chat"])

    def test_and_is_no_more_than_fits(self) -> None:
        self.greeted()
        hear(self.session, *[{"type": "presence"}] * MOST_MEANWHILE)
        self.assertRaises(TooMuch, hear, self.session, {"type": "presence"})

    def test_a_login_that_is_refused_ends_it(self) -> None:
        ref = self.greeted()
        error = self.assertRaises(ServerError, hear, self.session, refused(ref))
        self.assertEqual(error.code, "bad_login")
        self.session.lost()
        self.assertFalse(self.session.comes_back(None))
        self.assertIsNone(self.session.you)

    def test_one_that_has_to_wait_is_tried_again(self) -> None:
        for code in ("rate_limited", "store_busy"):
            self.assertRaises(ServerError, hear, self.session, refused(self.greeted(), code))
            self.session.lost()
            self.assertTrue(self.session.comes_back(None))
            self.session.opened()

    def test_who_comes_back_to_its_session_need_not_log_in(self) -> None:
        hear(self.session, logged_in(self.greeted()))
        resume = back(self.session)
        self.assertEqual(resume["type"], "resume")
        resumed = {"type": "resumed", "rooms": {}, "session": "s", "you": ANN, "ref": resume["ref"]}
        hear(self.session, welcome(session="new"), resumed)
        self.assertEqual(sent(self.session), [])
        self.assertEqual((self.session.ready, self.session.you), (True, ANN))

    def test_when_that_is_over_it_logs_in_again_and_then_asks_for_what_was_missed(self) -> None:
        hear(self.session, logged_in(self.greeted()), chat(1))
        resume = back(self.session)
        ref = self.greeted(welcome(seq=3, session="new"), refused(resume["ref"], "bad_session"))
        self.assertEqual(hear(self.session, chat(4), logged_in(ref)), [])  # the chat comes again
        leave, join = sent(self.session)
        self.assertEqual((leave["type"], join["since"]), ("leave_room", {"epoch": "e", "seq": 1}))
        messages = hear(self.session, {"type": "ok", "ref": leave["ref"]}, page([2, 3, 4]))
        self.assertEqual([message.get("seq") for message in messages[1:]], [2, 3, 4])

    def test_where_there_are_no_guests_it_is_greeted_after_that(self) -> None:
        ref = self.greeted(REQUIRED)
        (greeting,) = hear(self.session, {**welcome(), "you": ANN}, logged_in(ref))
        self.assertEqual((greeting["type"], greeting["session"]), ("welcome", "s"))

    def test_a_session_that_is_over_where_there_are_no_guests(self) -> None:
        hear(self.session, logged_in(self.greeted()))
        resume = back(self.session)
        ref = self.greeted(REQUIRED, refused(resume["ref"], "bad_session"))
        hear(self.session, {**welcome(session="new"), "you": ANN}, logged_in(ref))
        self.assertEqual(self.session.you, ANN)

    def test_a_guest_where_there_are_none_is_told_so(self) -> None:
        session = Session()
        session.opened()
        error = self.assertRaises(ServerError, hear, session, REQUIRED)
        self.assertEqual((error.code, error.message), ("not_allowed", "no guests"))
        self.assertFalse(session.comes_back(None))
