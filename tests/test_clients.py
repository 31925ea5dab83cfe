"""Tests of L{netplay.clients}: answers, refusals, resuming. What belongs to the connection is in test_connection."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

import netplay
from netplay.errors import Refused
from netplay.sessions import KEPT_FOR
from tests.support import Link, Parrot, Said, advance, connect, make_core


class ClientCase(SynchronousTestCase):
    """Clients of a feature that repeats."""

    limits: dict[str, Any] = {}

    def setUp(self) -> None:
        self.core = make_core(**self.limits)
        self.clock: Any = self.core.clock
        self.parrot = Parrot(self.core)

    def connect(self) -> tuple[Link, dict[str, Any]]:
        """A client and its greeting."""
        link = connect(self.parrot.factory, self.clock)
        (greeting,) = link.heard()
        return link, greeting


class GreetingTests(ClientCase):
    """The first message says who one is, and what one may."""

    limits = {"rate": 50.0, "idle": 600.0}

    def test_its_fields(self) -> None:
        _, greeting = self.connect()
        session = greeting.pop("session")
        self.assertEqual(
            greeting,
            {
                "type": "hello",
                "you": {"id": "Polly_0", "name": "Polly_0", "guest": True},
                "protocol": 1,
                "server": f"netplay/{netplay.__version__}",
                "limits": {"max_message": 65536, "max_reply": 32768, "rate": 50.0, "idle": 600.0},
            },
        )
        self.assertGreaterEqual(len(session), 16)  # nobody can guess it

    def test_every_session_is_another(self) -> None:
        self.assertEqual(len({self.connect()[1]["session"] for _ in range(10)}), 10)


class AnswerTests(ClientCase):
    """Exactly one message with the ref."""

    def ask(self, *messages: dict[str, Any]) -> list[Any]:
        link, _ = self.connect()
        link.says(*messages)
        return link.heard()

    def test_what_a_handler_returns(self) -> None:
        self.assertEqual(self.ask({"type": "say", "text": "hi", "ref": 7}), [{"type": "said", "text": "hi", "ref": 7}])

    def test_a_ref_may_be_a_string(self) -> None:
        self.assertEqual(self.ask({"type": "say", "text": "hi", "ref": "x"})[0]["ref"], "x")

    def test_nothing_to_say_is_ok(self) -> None:
        self.assertEqual(self.ask({"type": "options", "ref": 1}), [{"type": "ok", "ref": 1}])

    def test_without_a_ref_ok_is_not_said(self) -> None:
        self.assertEqual(self.ask({"type": "options"}), [])

    def test_a_refusal_has_the_ref_and_the_field(self) -> None:
        (error,) = self.ask({"type": "forbidden", "ref": 3})
        self.assertEqual(
            error,
            {
                "type": "error",
                "code": "not_allowed",
                "message": "that is forbidden",
                "field": "$.type",
                "ref": 3,
            },
        )

    def test_what_cannot_be_decoded_has_the_ref_too(self) -> None:
        wrong, unknown, no_json = self.ask({"type": "say", "ref": 4}, {"type": "sing", "ref": 5}, "x")
        self.assertEqual((wrong["code"], wrong["field"], wrong["ref"]), ("bad_message", "$.text", 4))
        self.assertEqual((unknown["code"], unknown["ref"]), ("unknown_type", 5))
        self.assertEqual(no_json["code"], "bad_message")

    def test_a_line_that_is_no_json_is_answered_with_an_example(self) -> None:
        link, _ = self.connect()
        link.sends(b"hello?\n")
        (error,) = link.heard()
        self.assertEqual(error["code"], "bad_json")
        self.assertIn('{"type":"say","text":"..."}', error["message"])

    def test_pong_and_help(self) -> None:
        pong, text = self.ask({"type": "ping", "ref": 1}, {"type": "help", "about": "say", "ref": 2})
        self.assertEqual((pong["type"], pong["ref"], pong["at"]), ("pong", 1, self.core.now()))
        self.assertEqual((list(text["types"]), text["ref"]), (["say"], 2))

    def test_options_ask_for_smaller_replies(self) -> None:
        link, _ = self.connect()
        client = link.protocol.client
        link.says({"type": "options", "max_reply": 2048})
        self.assertEqual(client.max_reply, 2048)
        link.says({"type": "options"})
        self.assertEqual(client.max_reply, 2048)
        link.says({"type": "options", "max_reply": 10_000_000})
        self.assertEqual(client.max_reply, 32768)  # never larger ones than the daemon's

    def test_a_page_is_as_long_as_the_client_asked_for(self) -> None:
        link, _ = self.connect()
        items = ["x" * 100] * 1000
        before = len(link.protocol.client.fit(items))
        link.says({"type": "options", "max_reply": 2048})
        after = len(link.protocol.client.fit(items))
        self.assertLess(before * 103, 32768)
        self.assertLess(after * 103, 2048)
        self.assertGreater(before, after)


class FailureTests(ClientCase):
    """A mistake of ours is said, logged, and nobody else's affair."""

    def setUp(self) -> None:
        super().setUp()
        self.link, _ = self.connect()
        self.other, _ = self.connect()

    def assert_internal(self, ref: int) -> None:
        (error,) = self.link.heard()
        self.assertEqual((error["code"], error["ref"]), ("internal", ref))
        self.assertNotIn("boom", error["message"])
        (failure,) = self.flushLoggedErrors(RuntimeError)
        self.assertIn("boom", failure.getTraceback())
        for link in (self.link, self.other):
            link.says({"type": "say", "text": "still here"})
            self.assertEqual(link.heard()[-1]["text"], "still here")
        self.assertFalse(self.link.lost)

    def test_in_a_handler(self) -> None:
        self.link.says({"type": "boom", "ref": 1})
        self.assert_internal(1)

    def test_later(self) -> None:
        self.link.says({"type": "hold", "ref": 1})
        self.parrot.sessions[0].held[0].errback(Failure(RuntimeError("boom")))
        self.link.turns()
        self.assert_internal(1)

    def test_a_refusal_that_comes_later(self) -> None:
        self.link.says({"type": "hold", "ref": 1})
        self.parrot.sessions[0].held[0].errback(Failure(Refused("not_allowed", "no", "$.type")))
        (error,) = self.link.heard()
        self.assertEqual((error["code"], error["field"], error["ref"]), ("not_allowed", "$.type", 1))

    def test_when_a_client_leaves(self) -> None:
        def lost() -> None:
            raise RuntimeError("boom")

        self.parrot.sessions[0].lost = lost  # type: ignore[method-assign, assignment]
        self.link.goes()
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(len(self.parrot.channel), 1)
        self.assertNotIn(self.link.protocol, self.core.watch.connections)

    def test_when_a_client_is_greeted(self) -> None:
        def connected(client: Any) -> Any:
            raise RuntimeError("boom")

        self.parrot.connected = connected  # type: ignore[method-assign]
        link = connect(self.parrot.factory, self.clock)
        (error,) = link.heard()
        self.assertEqual((error["code"], error["fatal"]), ("internal", True))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(len(self.core.sessions._live), 2)
        link.half_closes()
        self.assertTrue(link.lost)


class LostTests(ClientCase):
    """A client that is gone."""

    def test_the_session_hears_of_it_once(self) -> None:
        link, _ = self.connect()
        link.protocol.end(Refused("kicked", "out"))
        link.turns()
        link.goes()
        self.assertEqual(len(self.parrot.gone), 1)

    def test_an_answer_that_comes_too_late_is_dropped(self) -> None:
        link, _ = self.connect()
        link.says({"type": "hold", "ref": 1})
        link.goes()
        self.parrot.sessions[0].held[0].callback(Said(text="late"))
        self.assertEqual(link.heard(), [])

    def test_a_failure_that_comes_too_late_is_logged(self) -> None:
        link, _ = self.connect()
        link.says({"type": "hold", "ref": 1})
        link.goes()
        self.parrot.sessions[0].held[0].errback(Failure(RuntimeError("boom")))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class OfferTests(ClientCase):
    """Messages that wait in their newest version."""

    def test_sent_at_once_or_merged(self) -> None:
        link, _ = self.connect()
        client = link.protocol.client
        self.assertTrue(client.offer("price", lambda: Said(text="1")))
        self.assertFalse(client.lagging)
        link.stops_reading()
        client.send(Said(text="2"))
        self.assertTrue(client.lagging)
        for n in range(3, 6):
            self.assertFalse(client.offer("price", lambda n=n: Said(text=str(n))))
        client.offer("other", lambda: Said(text="other"))
        client.forget("other")
        link.reads()
        self.assertEqual([message["text"] for message in link.heard()], ["1", "2", "5"])


class ResumeTests(ClientCase):
    """Coming back."""

    def resume(self, session: str, **more: Any) -> tuple[Link, list[Any]]:
        link, _ = self.connect()
        link.says({"type": "resume", "session": session, "ref": "r", **more})
        return link, link.heard()

    def test_who_was_gone_is_who_it_was(self) -> None:
        link, greeting = self.connect()
        link.goes()
        _, (resumed,) = self.resume(greeting["session"])
        self.assertEqual(resumed["type"], "resumed")
        self.assertEqual(resumed["ref"], "r")
        self.assertEqual(resumed["you"]["id"], "Polly_0")
        self.assertEqual(resumed["session"], greeting["session"])

    def test_it_can_be_done_again_and_again(self) -> None:
        link, greeting = self.connect()
        for _ in range(3):
            link.goes()
            link, (resumed,) = self.resume(greeting["session"])
            self.assertEqual(resumed["type"], "resumed")

    def test_whoever_still_holds_the_session_is_replaced(self) -> None:
        first, greeting = self.connect()
        _, (resumed,) = self.resume(greeting["session"])
        self.assertEqual(resumed["you"]["id"], "Polly_0")
        first.turns()
        (error,) = first.heard()
        self.assertEqual((error["code"], error["fatal"]), ("replaced", True))
        first.half_closes()
        self.assertTrue(first.lost)

    def test_only_as_the_first_message(self) -> None:
        gone, greeting = self.connect()
        gone.goes()
        link, _ = self.connect()
        link.says({"type": "ping"}, {"type": "resume", "session": greeting["session"], "ref": 1})
        _, error = link.heard()
        self.assertEqual((error["code"], error["ref"]), ("not_allowed", 1))

    def test_a_session_that_never_was(self) -> None:
        link, (error,) = self.resume("never")
        self.assertEqual((error["code"], error["field"], error["ref"]), ("bad_session", "$.session", "r"))
        link.says({"type": "say", "text": "going on"})
        self.assertEqual(link.heard()[0]["text"], "going on")

    def test_ones_own_session(self) -> None:
        link, greeting = self.connect()
        link.says({"type": "resume", "session": greeting["session"]})
        self.assertEqual(link.heard()[0]["code"], "bad_session")
        self.assertFalse(link.lost)

    def test_the_session_of_another_feature(self) -> None:
        """It is neither handed over nor is its holder sent away."""
        other = Parrot(self.core)
        other.factory.feature = "other"
        holder = connect(other.factory, self.clock)
        (greeting,) = holder.heard()
        _, (error,) = self.resume(greeting["session"])
        self.assertEqual(error["code"], "bad_session")
        self.assertEqual(holder.heard(), [])
        holder.goes()
        _, (error,) = self.resume(greeting["session"])
        self.assertEqual(error["code"], "bad_session")

    def test_a_feature_that_keeps_nothing(self) -> None:
        self.parrot.keeps = False
        link, greeting = self.connect()
        link.goes()
        _, (error,) = self.resume(greeting["session"])
        self.assertEqual(error["code"], "bad_session")

    def test_the_session_that_one_began_with_is_over_then(self) -> None:
        gone, greeting = self.connect()
        gone.goes()
        link, fresh = self.connect()
        link.says({"type": "resume", "session": greeting["session"]})
        link.goes()
        _, (error,) = self.resume(fresh["session"])
        self.assertEqual(error["code"], "bad_session")

    def test_after_two_minutes_it_is_too_late(self) -> None:
        self.core.watch.startService()
        link, greeting = self.connect()
        link.goes()
        advance(self.clock, 119)
        self.assertEqual(self.parrot.expired, [])
        advance(self.clock, 1)
        self.assertEqual(self.parrot.expired, ["Polly_0"])
        _, (error,) = self.resume(greeting["session"])
        self.assertEqual(error["code"], "bad_session")

    def test_before_that_it_is_not(self) -> None:
        self.core.watch.startService()
        link, greeting = self.connect()
        link.goes()
        advance(self.clock, KEPT_FOR - 1)
        _, (resumed,) = self.resume(greeting["session"])
        self.assertEqual(resumed["type"], "resumed")
        advance(self.clock, KEPT_FOR)
        self.assertEqual(self.parrot.expired, [])

    def test_when_resuming_fails(self) -> None:
        gone, greeting = self.connect()
        gone.goes()
        link, _ = self.connect()

        def resumed(kept: Any, request: Any) -> None:
            raise RuntimeError("boom")

        self.parrot.sessions[-1].resumed = resumed  # type: ignore[method-assign]
        link.says({"type": "resume", "session": greeting["session"], "ref": 1})
        (error,) = link.heard()
        self.assertEqual((error["code"], error["ref"]), ("internal", 1))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        link.goes()
        self.assertEqual(self.core.sessions._live, {})


class WireTests(ClientCase):
    """What a client is sent is one line each."""

    def test_a_line_is_a_message(self) -> None:
        link, _ = self.connect()
        link.says({"type": "say", "text": "two\nlines"})
        _, line, rest = link.taken.split(b"\n")
        self.assertEqual((msgspec.json.decode(line)["text"], rest), ("two\nlines", b""))
