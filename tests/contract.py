"""What protocol.md says under "Common to every feature", as a mixin: run for each feature on each wire."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import netplay
from netplay.errors import CODES
from netplay.help import describe
from netplay.messages import COMMON
from netplay.people import People
from netplay.store.records import AccountRecord
from netplay.wire.examples import example_of
from netplay.wire.grammar import Grammar
from tests.accounts.keeper import PASSWORD, Keeper, account
from tests.features import START, House, LineClient

BAD_JSON = {
    "no JSON at all": b"hello",
    "a lone surrogate": b'{"type":"ping","x":"\\ud800"}',
    "NaN": b'{"type":"ping","x":NaN}',
    "Infinity": b'{"type":"ping","x":-Infinity}',
    "a number that overflows a double": b'{"type":"ping","x":1e400}',
    "an integer that overflows a double": b'{"type":"ping","x":1' + b"0" * 400 + b"}",
    "nested deeper than 32": b'{"type":"ping","x":' + b"[" * 32 + b"]" * 32 + b"}",
    "half an object": b'{"type":"ping"',
}

json_text = st.text(st.characters(), max_size=20)  # lone surrogates too: JSON can say them
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(2**52, 2**70) | st.floats() | json_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(json_text, inner, max_size=3),
    max_leaves=6,
)


class Contract:
    """
    @cvar feature: which.
    @cvar guest: what its guests are called.
    @cvar wire: over what.
    """

    feature: str
    guest: str
    wire: type[LineClient] = LineClient

    def setUp(self) -> None:
        self.house = House(wire=self.wire)
        self.ann = self.house.connect(self.feature)

    def limited(self, **limits: Any) -> LineClient:
        """A client of a daemon with such limits."""
        self.house = House(wire=self.wire, **limits)
        client = self.house.connect(self.feature)
        self.house.wait(1.0)  # if turning to the feature took a message, there is another by now
        client.received()
        return client

    def assertRefused(self, client: LineClient, code: str, field: str | None = None) -> dict[str, Any]:
        """The client got one error, and the connection goes on."""
        [error] = client.received()
        self.assertEqual((error["type"], error["code"], error.get("field")), ("error", code, field))
        self.assertIn(error["code"], CODES)
        self.assertNotIn("fatal", error)
        self.assertEqual(client.ask("ping")["type"], "pong")
        return error

    # Messages

    def test_unknown_fields_are_ignored(self) -> None:
        self.assertEqual(self.ann.ask("ping", colour="red", deep={"a": [1]})["type"], "pong")

    def test_what_is_no_json_is_refused_with_an_example_and_the_connection_goes_on(self) -> None:
        for what, line in BAD_JSON.items():
            if self.feature == "game" and what == "half an object":
                continue  # there a value ends with its last bracket
            self.ann.write(line + b"\n")
            error = self.assertRefused(self.ann, "bad_json")
            example = error["message"].partition("for example ")[2]
            self.assertIn("type", json.loads(example), what)

    def test_thirty_two_levels_are_not_too_deep(self) -> None:
        self.ann.write(b'{"type":"ping","x":' + b"[" * 31 + b"]" * 31 + b"}\n")
        self.assertEqual(self.ann.received()[0]["type"], "pong")

    def test_what_is_no_object_is_refused(self) -> None:
        for line in (b"[1]", b"7", b'"ping"', b"null"):
            self.ann.write(line + b"\n")
            self.assertRefused(self.ann, "bad_message")

    def test_a_message_without_a_type(self) -> None:
        self.ann.write(b'{"text":"hi"}\n')
        self.assertRefused(self.ann, "bad_message", "$.type")

    def test_an_unknown_type(self) -> None:
        self.ann.send("dance")
        self.assertRefused(self.ann, "unknown_type", "$.type")

    def test_a_field_that_is_wrong_is_named_with_what_would_be_right(self) -> None:
        self.ann.send("options", max_reply="much")
        error = self.assertRefused(self.ann, "bad_message", "$.max_reply")
        self.assertIn('"type":"options"', error["message"])

    def test_an_integer_may_be_written_with_a_point(self) -> None:
        self.ann.write(b'{"type":"options","max_reply":2048.0,"ref":7.0}\n')
        self.assertEqual(self.ann.received(), [{"type": "ok", "ref": 7}])

    def test_integers_stay_under_two_to_the_fifty_third(self) -> None:
        self.assertEqual(self.ann.ask("options", max_reply=2**53 - 1), {"type": "ok"})
        self.ann.send("options", max_reply=2**53)
        self.assertRefused(self.ann, "bad_message", "$.max_reply")

    # Replies

    def test_the_named_reply_has_the_ref(self) -> None:
        for ref in ("a", "", "🚀" * 256, 0, -7, 2**53 - 1):
            self.ann.send("ping", ref=ref)
            [pong] = self.ann.received()
            self.assertEqual((pong["type"], pong["ref"]), ("pong", ref))

    def test_what_has_no_reply_of_its_own_is_answered_by_ok(self) -> None:
        self.ann.send("options", ref="r")
        self.assertEqual(self.ann.received(), [{"type": "ok", "ref": "r"}])

    def test_without_a_ref_nothing_is_said_about_what_went_well(self) -> None:
        self.ann.send("options")
        self.assertEqual(self.ann.received(), [])

    def test_errors_have_the_ref(self) -> None:
        self.ann.write(
            b'{"type":"dance","ref":1}\n{"type":"options","max_reply":[],"ref":2}\n'
            b'{"type":"resume","session":"x","ref":3}\n{"x":1,"ref":4}\n{"type":"ping","ref":5,"x":1e400}\n'
        )
        # What cannot be read has no ref that could be told.
        self.assertEqual([error.get("ref") for error in self.ann.heard("error")], [1, 2, 3, 4, None])

    def test_a_ref_is_a_string_or_an_integer(self) -> None:
        for ref in (True, 1.5, [], {}, 2**53, "x" * 257):
            self.ann.send("ping", ref=ref)
            self.assertNotIn("ref", self.assertRefused(self.ann, "bad_message", "$.ref"))

    def test_answers_come_in_the_order_of_the_requests(self) -> None:
        self.ann.write(
            b'{"type":"ping","ref":1}\n{"type":"dance","ref":2}\n{"type":"options","ref":3}\n{"type":"help","ref":4}\n'
        )
        self.assertEqual([message["ref"] for message in self.ann.received()], [1, 2, 3, 4])

    def test_who_half_closes_gets_the_answers_before_the_end(self) -> None:
        self.ann.write(b'{"type":"ping","ref":1}\n{"type":"options","ref":2}')  # no newline at the end
        self.ann.half_close()
        self.assertEqual([message["ref"] for message in self.ann.received()], [1, 2])
        self.assertTrue(self.ann.closed)

    # Errors

    def test_twenty_mistakes_in_a_row_end_the_connection(self) -> None:
        for _ in range(19):
            self.ann.send("dance")
        self.assertEqual([error.get("fatal") for error in self.ann.received()], [None] * 19)
        self.ann.send("dance", ref="last")
        [error] = self.ann.received()
        self.assertEqual((error["code"], error["fatal"], error["ref"]), ("unknown_type", True, "last"))
        self.assertTrue(self.ann.closed)

    def test_mistakes_with_a_good_message_between_do_not(self) -> None:
        for _ in range(3):
            for _ in range(19):
                self.ann.send("dance")
            self.ann.send("ping")
        self.assertEqual(len(self.ann.received()), 60)
        self.assertFalse(self.ann.closed)

    def test_a_message_that_is_too_large_ends_the_connection(self) -> None:
        ann = self.limited(max_message=1024)
        ann.write(b'{"type":"ping","x":"' + b"x" * 1024 + b'"}\n')
        [error] = ann.received()
        self.assertEqual((error["code"], error["fatal"]), ("too_large", True))
        self.assertTrue(ann.closed)

    def test_a_message_of_64_kib_is_taken(self) -> None:
        start, end = b'{"type":"ping","x":"', b'"}'
        self.ann.write(start + b"x" * (64 * 1024 - len(self.ann.label + start + end)) + end + b"\n")
        self.assertEqual([message["type"] for message in self.ann.received()], ["pong"])

    def test_too_many_messages_have_no_effect_and_are_told_so_with_when_to_go_on(self) -> None:
        ann = self.limited(rate=2.0, burst=2.0)
        for _ in range(4):
            ann.send("ping")
        *pongs, error = ann.received()
        self.assertEqual([pong["type"] for pong in pongs], ["pong", "pong"])
        self.assertEqual((error["code"], error["retry_after"]), ("rate_limited", 0.5))
        self.house.wait(error["retry_after"])
        ann.send("ping")
        self.assertEqual([message["type"] for message in ann.received()], ["pong"])

    def test_too_many_messages_are_no_mistake_and_are_told_once_a_second(self) -> None:
        ann = self.limited(rate=1.0, burst=1.0)
        for _ in range(3):
            for _ in range(30):
                ann.send("dance")
            self.assertEqual(len([error for error in ann.heard("error") if error["code"] == "rate_limited"]), 1)
            self.house.wait(1.0)
        self.assertFalse(ann.closed)

    def test_whoever_waits_for_an_answer_is_told_each_time(self) -> None:
        ann = self.limited(rate=1.0, burst=1.0)
        for ref in range(4):
            ann.send("ping", ref=ref)
        self.assertEqual([message["ref"] for message in ann.received()], [0, 1, 2, 3])

    # Who am I

    def test_the_first_message_says_who_one_is_and_what_the_limits_are(self) -> None:
        hello = self.ann.hello
        self.assertEqual(hello["you"], {"id": f"{self.guest}_1", "name": f"{self.guest}_1", "guest": True})
        self.assertIsInstance(hello["session"], str)
        self.assertEqual(hello["protocol"], 1)
        self.assertEqual(hello["server"], f"netplay/{netplay.__version__}")
        self.assertEqual(hello["limits"], {"max_message": 65536, "max_reply": 32768, "rate": 0.0, "idle": 0.0})

    def test_the_limits_are_those_that_hold(self) -> None:
        ann = self.limited(rate=7.0, idle=60.0, max_message=4096)
        self.assertEqual(ann.hello["limits"], {"max_message": 4096, "max_reply": 32768, "rate": 7.0, "idle": 60.0})

    def test_guests_get_the_next_number_and_never_one_that_was_given(self) -> None:
        bob = self.house.connect(self.feature)
        bob.drop()
        self.assertEqual([bob.id, self.house.connect(self.feature).id], [f"{self.guest}_2", f"{self.guest}_3"])

    # Also for all

    def test_ping(self) -> None:
        self.house.wait(2.5)
        self.ann.received()
        self.assertEqual(self.ann.ask("ping"), {"type": "pong", "at": START * 1000 + 2500})

    def test_help_has_every_type_with_its_fields_and_an_example(self) -> None:
        answer = self.ann.ask("help")
        grammar = self.ann.session.grammar
        self.assertIsInstance(answer["text"], str)
        self.assertEqual(answer["types"], {name: describe(kind) for name, kind in grammar.types.items()})

    def test_help_about_one_type(self) -> None:
        types = self.ann.ask("help", about="ping")["types"]
        self.assertEqual(types["ping"]["example"], {"type": "ping"})
        self.assertEqual(list(types), ["ping"])

    def test_help_about_something_else(self) -> None:
        self.ann.send("help", about="dancing")
        self.assertRefused(self.ann, "unknown_type", "$.about")

    def test_the_examples_of_help_are_good_messages(self) -> None:
        for name, described in self.ann.ask("help")["types"].items():
            if name != "resume":
                answer = self.ann.ask(**described["example"])
                self.assertNotIn(answer.get("code"), ("bad_json", "bad_message", "unknown_type", "internal"), name)

    def test_help_fits_in_a_reply(self) -> None:
        self.ann.ask("options", max_reply=1024)
        self.ann.largest = 0
        answer = self.ann.ask("help")
        self.assertLessEqual(self.ann.largest, 1024)
        self.assertEqual([*answer["types"], *answer["others"]], list(self.ann.session.grammar.types))

    # Resume

    def come_back(self, session: str, **fields: Any) -> tuple[LineClient, dict[str, Any]]:
        """A new connection that resumes; returns it and the answer."""
        client = self.house.connect(self.feature)
        return client, client.ask("resume", session=session, **fields)

    def test_who_resumes_is_who_it_was(self) -> None:
        self.ann.drop()
        _, resumed = self.come_back(self.ann.hello["session"])
        self.assertEqual(resumed["type"], "resumed")
        for same in ("you", "session", "protocol", "server", "limits"):
            self.assertEqual(resumed[same], self.ann.hello[same])

    def test_a_session_can_be_resumed_again_and_again(self) -> None:
        client = self.ann
        for _ in range(3):
            client.drop()
            client, resumed = self.come_back(self.ann.hello["session"])
            self.assertEqual(resumed["you"], self.ann.hello["you"])

    def test_a_connection_that_still_holds_the_session_is_ended(self) -> None:
        _, resumed = self.come_back(self.ann.hello["session"])
        self.assertEqual(resumed["you"], self.ann.hello["you"])
        [error] = self.ann.heard("error")
        self.assertEqual((error["code"], error["fatal"]), ("replaced", True))
        self.assertTrue(self.ann.closed)

    def test_an_unknown_session(self) -> None:
        bob, answer = self.come_back("never-seen")
        self.assertEqual((answer["code"], answer["field"]), ("bad_session", "$.session"))
        self.assertEqual(bob.ask("ping")["type"], "pong")

    def test_the_session_of_another_feature(self) -> None:
        other = self.house.connect("chat" if self.feature != "chat" else "game")
        _, answer = self.come_back(other.hello["session"])
        self.assertEqual(answer["code"], "bad_session")
        self.assertFalse(other.closed)
        other.drop()
        _, answer = self.come_back(other.hello["session"])
        self.assertEqual(answer["code"], "bad_session")

    def test_the_own_new_session(self) -> None:
        self.assertEqual(self.ann.ask("resume", session=self.ann.hello["session"])["code"], "bad_session")
        self.assertFalse(self.ann.closed)

    def test_a_session_is_kept_for_two_minutes(self) -> None:
        self.ann.drop()
        self.house.wait(119)
        _, resumed = self.come_back(self.ann.hello["session"])
        self.assertEqual(resumed["type"], "resumed")

    def test_and_not_for_longer(self) -> None:
        self.ann.drop()
        self.house.wait(121)
        _, answer = self.come_back(self.ann.hello["session"])
        self.assertEqual(answer["code"], "bad_session")

    def test_resume_comes_first(self) -> None:
        self.ann.drop()
        bob = self.house.connect(self.feature)
        bob.send("ping")
        bob.received()
        bob.send("resume", session=self.ann.hello["session"])
        self.assertRefused(bob, "not_allowed")

    def test_nothing_is_left_of_the_newcomer_that_resumed(self) -> None:
        self.ann.drop()
        newcomer, _ = self.come_back(self.ann.hello["session"])
        self.assertIsNone(getattr(self.house, self.feature).people.find(newcomer.id))

    def test_the_number_of_a_newcomer_that_resumed_is_not_given_again(self) -> None:
        self.ann.drop()
        self.come_back(self.ann.hello["session"])
        self.assertEqual(self.house.connect(self.feature).id, f"{self.guest}_3")

    # Accounts

    def with_accounts(self, *records: AccountRecord, **options: Any) -> LineClient:
        """A client of a daemon that has these accounts."""
        self.house = House(wire=self.wire, accounts={"checkers": [Keeper()], **options})
        for record in records:
            self.house.store.accounts.add(record)
        return self.house.connect(self.feature)

    def restart(self) -> None:
        """The daemon is killed, and another goes on with what it kept."""
        self.house = House(wire=self.wire, store=self.house.store, accounts={"checkers": [Keeper()]})

    def log_in(self, client: LineClient, name: str = "Ann") -> dict[str, Any]:
        """Say that one is an account; returns the answer."""
        return client.ask("login", user=name, password=PASSWORD)

    def people(self) -> People:
        """Those of the feature."""
        people: People = getattr(self.house, self.feature).people
        return people

    def test_who_logs_in_is_told_who_it_is_and_has_the_name(self) -> None:
        ann = self.with_accounts(account("Ann", "moderator:tech", "operator"))
        you = {"id": ann.id, "name": "Ann", "guest": False}
        self.assertEqual(
            self.log_in(ann, "ann"), {"type": "logged_in", "you": you, "roles": ["moderator:tech", "operator"]}
        )
        self.assertEqual([person.id for person in self.people().all("Ann")], [ann.id])

    def test_a_login_that_is_wrong_changes_nothing(self) -> None:
        ann = self.with_accounts(account("Ann"))
        ann.send("login", user="Ann", password="wrong")
        self.assertRefused(ann, "bad_login")
        self.assertEqual(self.people().all("Ann"), [])

    def test_a_login_takes_a_name_and_a_password_or_a_token(self) -> None:
        ann = self.with_accounts()
        for fields, field in (
            ({}, "$.user"),
            ({"user": "Ann"}, "$.password"),
            ({"password": "x"}, "$.user"),
            ({"user": "Ann", "password": "x", "token": "x"}, "$.token"),
        ):
            ann.send("login", **fields)
            self.assertRefused(ann, "bad_message", field)

    def test_who_guesses_has_to_wait(self) -> None:
        ann = self.with_accounts(account("Ann"))
        for _ in range(6):
            ann.ask("login", user="Ann", password="wrong")
        answer = self.log_in(ann)
        self.assertEqual((answer["code"], answer["retry_after"]), ("rate_limited", 1.0))
        self.house.wait(1.0)
        ann.received()
        self.assertEqual(self.log_in(ann)["type"], "logged_in")

    def test_whoever_is_logged_in_stays_that_on_its_connection(self) -> None:
        ann = self.with_accounts(account("Ann"), account("Bob"), registration=True)
        before = self.log_in(ann)
        self.assertEqual(self.log_in(ann, "Bob")["code"], "not_allowed")
        self.assertEqual(ann.ask("register", user="Carl", password=PASSWORD)["code"], "not_allowed")
        self.assertEqual(self.log_in(self.house.connect(self.feature), "Carl")["code"], "bad_login")  # nor is it made
        self.assertEqual(self.log_in(ann), before)

    def test_an_account_may_be_here_several_times(self) -> None:
        ann = self.with_accounts(account("Ann"))
        again = self.house.connect(self.feature)
        for client in (ann, again):
            self.assertEqual(self.log_in(client)["you"], {"id": client.id, "name": "Ann", "guest": False})
        self.assertEqual([person.id for person in self.people().all("Ann")], [ann.id, again.id])

    def test_a_guest_that_has_an_accounts_name_gives_it_back(self) -> None:
        guest = self.with_accounts()
        self.people().rename(self.people().all(guest.id)[0], "Ann")
        self.house.store.accounts.add(account("Ann"))
        ann = self.house.connect(self.feature)
        self.log_in(ann)
        self.assertEqual([person.id for person in self.people().all("Ann")], [ann.id])
        self.assertEqual(self.people().all(guest.id)[0].name, guest.id)

    def test_whoever_registers_is_logged_in(self) -> None:
        ann = self.with_accounts(registration=True)
        you = {"id": ann.id, "name": "Ann", "guest": False}
        self.assertEqual(
            ann.ask("register", user="Ann", password=PASSWORD), {"type": "logged_in", "you": you, "roles": []}
        )
        self.assertEqual(self.log_in(self.house.connect(self.feature))["type"], "logged_in")

    def test_nobody_registers_where_that_is_closed(self) -> None:
        ann = self.with_accounts()
        ann.send("register", user="Ann", password=PASSWORD)
        self.assertRefused(ann, "not_allowed")

    def test_another_password(self) -> None:
        ann = self.with_accounts(account("Ann"))
        self.assertEqual(ann.ask("set_password", password=PASSWORD, new="another one")["code"], "not_allowed")
        self.log_in(ann)
        self.assertEqual(ann.ask("set_password", password=PASSWORD, new="another one"), {"type": "ok"})
        self.assertEqual(self.log_in(self.house.connect(self.feature))["code"], "bad_login")

    def test_with_another_password_one_is_alone(self) -> None:
        ann = self.with_accounts(account("Ann"))
        there, away = self.house.connect(self.feature), self.house.connect(self.feature)
        guest = self.house.connect(self.feature)
        for client in (ann, there, away):
            self.log_in(client)
        away.drop()
        ann.ask("set_password", password=PASSWORD, new="another one")
        self.assertEqual(there.heard("error")[0]["code"], "kicked")
        self.assertTrue(there.closed)
        for client in (there, away):
            self.assertEqual(self.come_back(client.hello["session"])[1]["code"], "bad_session")
        self.assertFalse(ann.closed or guest.closed)

    def test_who_resumes_an_accounts_session_is_that_account_again(self) -> None:
        ann = self.with_accounts(account("Ann"))
        self.log_in(ann)
        ann.drop()
        again, resumed = self.come_back(ann.hello["session"])
        self.assertEqual(resumed["you"], {"id": ann.id, "name": "Ann", "guest": False})
        self.assertEqual(self.log_in(again)["type"], "logged_in")
        self.assertEqual([person.id for person in self.people().all("Ann")], [ann.id])

    def test_an_account_comes_back_at_any_time(self) -> None:
        ann = self.with_accounts(account("Ann"))
        self.log_in(ann)
        ann.drop()
        self.house.wait(3600)
        for _ in range(2):
            again, resumed = self.come_back(ann.hello["session"])
            self.assertEqual((resumed["type"], resumed["session"]), ("resumed", ann.hello["session"]))
            self.assertEqual((resumed["you"]["name"], resumed["you"]["guest"]), ("Ann", False))
            self.assertEqual(self.log_in(again)["type"], "logged_in")
            self.assertEqual([person.id for person in self.people().all("Ann")], [resumed["you"]["id"]])
            again.drop()
            self.house.wait(3600)

    def test_after_a_restart_too(self) -> None:
        ann = self.with_accounts(account("Ann"))
        self.log_in(ann)
        bob = self.house.connect(self.feature)
        self.restart()
        _, resumed = self.come_back(ann.hello["session"])
        self.assertEqual((resumed["you"]["name"], resumed["you"]["guest"]), ("Ann", False))
        self.assertEqual(self.come_back(bob.hello["session"])[1]["code"], "bad_session")

    def test_the_store_does_not_say_how_to_come_back(self) -> None:
        ann = self.with_accounts(account("Ann"))
        self.log_in(ann)
        [(key, record)] = self.house.store.sessions._by_key.items()
        self.assertEqual((record.account, record.feature), ("Ann", self.feature))
        self.assertNotIn(ann.hello["session"], (key, record.state.decode()))
        ann.drop()
        self.restart()
        self.assertEqual(self.come_back(key)[1]["code"], "bad_session")

    def test_in_another_feature_it_is_no_session_then_either(self) -> None:
        ann = self.with_accounts(account("Ann"))
        self.log_in(ann)
        self.restart()
        other = self.house.connect("chat" if self.feature != "chat" else "game")
        self.assertEqual(other.ask("resume", session=ann.hello["session"])["code"], "bad_session")

    def test_of_who_resumed_nothing_else_is_kept(self) -> None:
        ann = self.with_accounts(account("Ann"))
        self.log_in(ann)
        self.restart()
        self.come_back(ann.hello["session"])
        self.assertEqual(len(self.house.store.sessions._by_key), 1)

    def test_nobody_resumes_a_disabled_account_later(self) -> None:
        ann = self.with_accounts(account("Ann"))
        self.log_in(ann)
        self.restart()
        self.house.store.accounts.change("ann", disabled=True)
        guest, answer = self.come_back(ann.hello["session"])
        self.assertEqual((answer["code"], answer["field"]), ("bad_session", "$.session"))
        self.assertEqual(guest.protocol.account, None)

    def test_nobody_resumes_the_session_of_a_disabled_account(self) -> None:
        ann = self.with_accounts(account("Ann"))
        self.log_in(ann)
        ann.drop()
        self.house.store.accounts.change("ann", disabled=True)
        _, answer = self.come_back(ann.hello["session"])
        self.assertEqual((answer["code"], answer["field"]), ("bad_session", "$.session"))

    def test_a_disabled_account_is_ended(self) -> None:
        ann = self.with_accounts(account("Ann"))
        guest = self.house.connect(self.feature)
        self.log_in(ann)
        self.house.store.accounts.change("ann", disabled=True)
        self.house.wait(2.0)
        [error] = ann.heard("error")
        self.assertEqual((error["code"], error["fatal"]), ("kicked", True))
        self.assertTrue(ann.closed)
        self.assertFalse(guest.closed)

    # Without guests

    def test_where_there_are_no_guests_one_is_told_to_log_in(self) -> None:
        ann = self.with_accounts(account("Ann"), guests=False)
        self.assertEqual({"message", "type", "protocol", "server", "limits"}, set(ann.hello))
        self.assertEqual((ann.hello["type"], ann.hello["protocol"]), ("login_required", 1))
        self.assertEqual(ann.ask("ping")["type"], "pong")
        self.assertEqual(set(ann.ask("help")["types"]), {kind.__struct_config__.tag for kind in COMMON})
        self.house.wait(2.0)
        self.assertEqual(ann.received(), [])
        for kind in getattr(self.house, self.feature).requests:
            ann.send(kind.__struct_config__.tag)
            self.assertRefused(ann, "unknown_type", "$.type")
        self.assertEqual(self.people()._by_id, {})

    def test_and_is_greeted_by_the_feature_after_that(self) -> None:
        ann = self.with_accounts(account("Ann"), guests=False)
        ann.send("login", user="Ann", password=PASSWORD, ref=1)
        hello, *_, told = ann.received()
        self.assertEqual((told["type"], told["ref"]), ("logged_in", 1))
        self.assertEqual(hello["you"], {"id": f"{self.guest}_1", "name": "Ann", "guest": False})
        self.assertIsInstance(hello["session"], str)

    def test_or_when_it_resumes_its_session(self) -> None:
        ann = self.with_accounts(account("Ann"), guests=False)
        ann.send("login", user="Ann", password=PASSWORD)
        hello = ann.received()[0]
        ann.drop()
        _, resumed = self.come_back(hello["session"])
        self.assertEqual((resumed["type"], resumed["you"]), ("resumed", hello["you"]))

    def test_also_after_a_restart(self) -> None:
        ann = self.with_accounts(account("Ann"), guests=False)
        ann.send("login", user="Ann", password=PASSWORD)
        hello = ann.received()[0]
        self.house = House(wire=self.wire, store=self.house.store, accounts={"checkers": [Keeper()], "guests": False})
        _, resumed = self.come_back(hello["session"])
        self.assertEqual((resumed["type"], resumed["you"]["name"]), ("resumed", "Ann"))
        self.assertEqual(resumed["session"], hello["session"])
        self.assertFalse(resumed["you"]["guest"])

    def test_a_wrong_login_there_gets_nobody_in(self) -> None:
        ann = self.with_accounts(account("Ann"), guests=False)
        ann.send("login", user="Ann", password="wrong")
        self.assertRefused(ann, "bad_login")
        self.assertEqual(self.people()._by_id, {})

    def test_and_nothing_is_left_of_who_goes_from_there(self) -> None:
        self.with_accounts(guests=False).drop()
        self.assertEqual(self.house.core.sessions._live, {})
        self.assertEqual(self.house.core.sessions._kept, {})


class PortContract(Contract):
    """What holds on a feature's own port besides."""

    def test_every_message_ends_with_a_newline(self) -> None:
        self.ann.send("ping")
        self.assertTrue(self.ann.read().endswith(b"}\n"))

    def test_invalid_utf_8_is_no_json(self) -> None:
        self.ann.write(b'{"type":"ping","x":"\xff"}\n')
        self.assertRefused(self.ann, "bad_json")

    def test_lines_may_end_with_a_carriage_return_too(self) -> None:
        self.ann.write(b'{"type":"ping"}\r\n{"type":"ping"}\n')
        self.assertEqual(len(self.ann.heard("pong")), 2)

    # No HTTP here

    def test_http_is_answered_by_400_and_the_end(self) -> None:
        for method in ("GET /", "POST /x", "OPTIONS *"):
            visitor = self.house.connect(self.feature)
            visitor.write(f'{method} HTTP/1.1\r\nHost: localhost\r\n\r\n{{"type":"ping"}}\n'.encode())
            answer = visitor.read()
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
            self.assertNotIn(b"pong", answer)
            self.assertTrue(visitor.closed)


def answers_whatever_is_asked(test: Any, feature: str, grammar: Grammar) -> None:
    """
    Put anything JSON can say into every field of every request of a feature.

    Each gets one answer that is not C{internal}, all that the server says parses strictly, nobody is disconnected.
    """
    house = House()
    clients = [house.connect(feature)]

    @settings(deadline=None, max_examples=40 * len(grammar.types), suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def run(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(list(grammar.types)), "type")
        kind = grammar.types[name]
        message = example_of(kind) | {
            field: data.draw(anything, field) for field in kind.__struct_fields__ if data.draw(st.booleans())
        }
        if kind.__name__ == "Resume" or data.draw(st.integers(0, 30)) == 0:
            clients[0].drop()
            clients[0] = house.connect(feature)
        client = clients[0]
        client.write(json.dumps(message).encode() + b"\n")
        for answer in client.received():
            test.assertNotEqual(answer.get("code"), "internal", answer)
        test.assertEqual(client.ask("ping")["type"], "pong")
        test.assertFalse(client.closed)
        house.clock.advance(0.25)
        client.received()

    run()
    test.assertEqual(test.flushLoggedErrors(), [])
