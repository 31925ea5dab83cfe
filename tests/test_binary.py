"""Tests of L{netplay.binary}: frames, echo, and chat, game and ticker on one connection."""

from __future__ import annotations

import json
import struct
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netplay.accounts.accounts import Accounts
from netplay.binary import BinaryFeature
from netplay.interfaces import IFeature, IFeatureService
from tests.accounts.keeper import PASSWORD, Keeper, account
from tests.features import (
    CHAT,
    CHAT_JSON,
    GAME,
    GAME_JSON,
    TICKER,
    TICKER_JSON,
    BinaryClient,
    House,
)

FEATURES = [("chat", CHAT, CHAT_JSON), ("game", GAME, GAME_JSON), ("ticker", TICKER, TICKER_JSON)]
NAMED = {0, CHAT, GAME, TICKER, CHAT_JSON, GAME_JSON, TICKER_JSON}


class BinaryTestCase(SynchronousTestCase):
    """Ann is on the binary port."""

    def setUp(self) -> None:
        self.house = House()
        self.ann = self.house.connect_binary()

    def error(self, client: BinaryClient | None = None) -> tuple[int, dict[str, Any]]:
        """The one frame that came, an error."""
        [(kind, payload)] = (client or self.ann).frames()
        decode = json.loads if payload.startswith(b"{") else msgspec.msgpack.decode
        message = decode(payload)
        self.assertEqual(message["type"], "error")
        return kind, message

    def greet(self, kind: int, client: BinaryClient | None = None) -> dict[str, Any]:
        """Send the empty frame of a feature; returns the first message."""
        client = client or self.ann
        client.frame(kind)
        [(came, message)] = client.received()
        self.assertEqual(came, kind)
        return message

    def ask(self, kind: int, type: str, **fields: Any) -> dict[str, Any]:
        """The answer to a request."""
        self.ann.send(kind, type, **fields, ref="ask")
        [message] = [message for came, message in self.ann.received() if message.get("ref") == "ask"]
        return message


class EchoTests(BinaryTestCase):
    """Types that belong to no feature."""

    def test_interfaces(self) -> None:
        verifyObject(IFeature, BinaryFeature())
        verifyObject(IFeatureService, self.house.binary)
        self.assertEqual(BinaryFeature.port, 6000)

    def test_nothing_comes_before_the_first_frame(self) -> None:
        self.house.wait(10)
        self.assertEqual(self.ann.read(), b"")

    def test_each_type_has_its_emoji(self) -> None:
        for kind, emoji in ((1, "🚀"), (2, "💪"), (3, "✨"), (4, "❓"), (15, "❓"), (19, "❓"), (65535, "❓")):
            self.ann.frame(kind, b"hello")
            self.assertEqual(self.ann.frames(), [(kind, f"{emoji} Echo: hello".encode())])

    def test_to_the_byte(self) -> None:
        self.ann.write(b"\x00\x00\x00\x05\x00\x01hello")
        payload = b"\xf0\x9f\x9a\x80 Echo: hello"
        self.assertEqual(self.ann.read(), b"\x00\x00\x00\x10\x00\x01" + payload)
        self.assertEqual(len(payload), 16)

    def test_an_empty_payload(self) -> None:
        self.ann.frame(1)
        self.assertEqual(self.ann.frames(), [(1, "🚀 Echo: ".encode())])

    def test_answers_come_in_order(self) -> None:
        for number in range(10):
            self.ann.frame(1 + number % 3, str(number).encode())
        self.assertEqual([kind for kind, _ in self.ann.frames()], [1 + n % 3 for n in range(10)])

    def test_frames_may_be_split_anywhere(self) -> None:
        for byte in struct.pack("!IH", 3, 2) + "é!".encode():
            self.ann.write(bytes([byte]))
        self.assertEqual(self.ann.frames(), [(2, "💪 Echo: é!".encode())])

    @settings(deadline=None, max_examples=100)
    @given(st.integers(0, 65535).filter(lambda kind: kind not in NAMED), st.text())
    def test_any_text_under_any_type_comes_back(self, kind: int, text: str) -> None:
        ann = House().connect_binary()
        ann.frame(kind, text.encode())
        [(came, payload)] = ann.frames()
        self.assertEqual(came, kind)
        self.assertEqual(payload.decode().partition(" Echo: ")[2], text)

    def test_what_is_not_utf_8_is_an_error_frame_and_the_connection_goes_on(self) -> None:
        self.ann.frame(1, b"\xff\xfe")
        kind, error = self.error()
        self.assertEqual((kind, error["code"]), (0, "bad_message"))
        self.assertNotIn("fatal", error)
        self.ann.frame(1, b"well")
        self.assertEqual(len(self.ann.frames()), 1)

    def test_frames_of_type_0_are_the_servers(self) -> None:
        self.ann.frame(0, b"hello")
        kind, error = self.error()
        self.assertEqual((kind, error["code"]), (0, "bad_message"))

    def test_twenty_mistakes_in_a_row_end_the_connection(self) -> None:
        for _ in range(10):
            self.ann.frame(1, b"\xff")
            self.ann.frame(0)
        frames = self.ann.frames()
        self.assertEqual([json.loads(payload).get("fatal") for _, payload in frames], [None] * 19 + [True])
        self.assertTrue(self.ann.closed)

    def test_with_a_good_one_between_they_do_not(self) -> None:
        for _ in range(3):
            for _ in range(19):
                self.ann.frame(1, b"\xff")
            self.ann.frame(1, b"fine")
        self.assertEqual(len(self.ann.frames()), 60)
        self.assertFalse(self.ann.closed)

    def test_who_half_closes_gets_the_answers_before_the_end(self) -> None:
        self.ann.frame(1, b"bye")
        self.ann.half_close()
        self.assertEqual(len(self.ann.frames()), 1)
        self.assertTrue(self.ann.closed)


class LimitTests(BinaryTestCase):
    """Caps on one connection."""

    def limited(self, **limits: Any) -> BinaryClient:
        self.house = House(**limits)
        return self.house.connect_binary()

    def test_a_length_over_the_cap_is_an_error_and_the_end(self) -> None:
        ann = self.limited(max_message=1024)
        ann.write(struct.pack("!IH", 1025, 1))  # nothing more needs to come
        kind, error = self.error(ann)
        self.assertEqual((kind, error["code"], error["fatal"]), (0, "too_large", True))
        self.assertTrue(ann.closed)

    def test_the_largest_that_is_taken(self) -> None:
        ann = self.limited(max_message=1024)
        ann.frame(1, b"x" * 1024)
        self.assertEqual(len(ann.frames()), 1)

    def test_too_many_echoes(self) -> None:
        ann = self.limited(rate=1.0, burst=2.0)
        for _ in range(10):
            ann.frame(1, b"hi")
        frames = ann.frames()
        self.assertEqual([kind for kind, _ in frames], [1, 1, 0])
        error = json.loads(frames[-1][1])
        self.assertEqual((error["code"], error["retry_after"]), ("rate_limited", 1.0))

    def test_every_kind_of_frame_counts(self) -> None:
        for kind in (0, 1, CHAT, CHAT_JSON):
            ann = self.limited(rate=1.0, burst=5.0)
            ann.frame(CHAT)
            for _ in range(50):
                ann.frame(kind)
            ann.frames()
            ann.frame(1, b"hi")
            self.assertEqual(ann.frames(), [], kind)

    def test_all_features_share_the_rate(self) -> None:
        ann = self.limited(rate=1.0, burst=3.0)
        for kind in (CHAT, GAME, TICKER, CHAT):
            ann.send(kind, "ping", ref=kind)
        answers = [message for _, message in ann.received() if message.get("ref")]
        self.assertEqual([message["type"] for message in answers], ["pong", "pong", "pong", "error"])


class GreetingTests(BinaryTestCase):
    """The first frame of each feature."""

    def test_an_empty_frame_greets_in_its_encoding(self) -> None:
        for feature, *kinds in FEATURES:
            for kind in kinds:
                hello = self.greet(kind, self.house.connect_binary())
                self.assertEqual(hello["type"], "state" if feature == "game" else "welcome")
                self.assertIn("session", hello)

    def test_a_message_greets_too(self) -> None:
        self.ann.send(CHAT, "ping")
        self.assertEqual([message["type"] for _, message in self.ann.received()], ["welcome", "pong"])

    def test_it_comes_once(self) -> None:
        self.greet(CHAT)
        self.ann.frame(CHAT)
        self.ann.frame(CHAT_JSON)
        self.assertEqual(self.ann.received(), [])

    def test_nothing_comes_of_features_that_are_not_used(self) -> None:
        self.greet(CHAT)
        self.house.connect("game").send("move", dx=1)
        self.house.prices.coming = {"AAPL": 151.0}
        self.house.wait(1)
        self.assertEqual({kind for kind, _ in self.ann.received()}, {CHAT})

    def test_who_one_is_differs_by_feature(self) -> None:
        ids = [self.greet(kind)["you"]["id"] for _, kind, _ in FEATURES]
        self.assertEqual(ids, ["User_1", "Player_1", "Trader_1"])

    def test_echo_and_features_are_used_side_by_side(self) -> None:
        self.greet(CHAT)
        self.ann.frame(1, b"hi")
        self.ann.send(GAME_JSON, "ping")
        self.assertEqual([kind for kind, _ in self.ann.frames()], [1, GAME_JSON, GAME_JSON])


class SharedRoomsTests(BinaryTestCase):
    """The same rooms as everyone's."""

    def test_chat(self) -> None:
        bob = self.house.connect("chat")
        self.greet(CHAT)
        for kind in (CHAT, CHAT_JSON):
            self.ann.send(kind, "chat", text="from frames")
            bob.send("chat", text="from lines")
            heard = bob.heard("chat")
            self.assertEqual([said["message"] for said in heard], ["from frames", "from lines"])
            self.assertEqual(self.ann.heard("chat"), [(kind, said) for said in heard])

    def test_game(self) -> None:
        bob = self.house.connect("game")
        self.greet(GAME)
        self.house.wait(1)
        bob.received()
        self.ann.send(GAME, "move", dx=7.0, dy=0.5)
        [state] = bob.received()
        self.assertEqual(state["positions"]["Player_2"], {"x": 7, "y": 0.5})
        self.assertEqual(self.ann.received(), [(GAME, state)])

    def test_ticker(self) -> None:
        bob = self.house.connect("ticker")
        bob.ask("subscribe", symbols=["AAPL"])
        self.ann.send(TICKER, "subscribe", symbols=["AAPL"])
        self.assertEqual([message["type"] for _, message in self.ann.received()], ["welcome", "snapshot"])
        self.house.prices.coming = {"AAPL": 151.0}
        self.house.wait(1)
        self.assertEqual(self.ann.received(), [(TICKER, message) for message in bob.received()])

    def test_resume_across_wires(self) -> None:
        """Who left one port comes back on another."""
        bob = self.house.connect("chat")
        bob.drop()
        self.ann.send(CHAT, "resume", session=bob.hello["session"])
        [_, (kind, resumed)] = self.ann.received()
        self.assertEqual((kind, resumed["type"], resumed["you"]["id"]), (CHAT, "resumed", "User_1"))

    def test_each_feature_is_resumed_for_itself(self) -> None:
        sessions = {kind: self.greet(kind)["session"] for _, kind, _ in FEATURES}
        self.ann.drop()
        again = self.house.connect_binary()
        for kind, session in sessions.items():
            again.send(kind, "resume", session=session)
        self.assertEqual([kind for kind, _ in again.heard("resumed")], [CHAT, GAME, TICKER])

    def test_a_login_holds_for_all_features_of_the_connection(self) -> None:
        self.house.core.accounts = Accounts(self.house.core, [Keeper()])
        self.house.store.accounts.add(account("Ann", "operator"))
        self.greet(CHAT)
        self.greet(GAME)
        self.ann.send(CHAT, "login", user="Ann", password=PASSWORD, ref=1)
        told = self.ann.heard("logged_in")
        self.assertEqual([(kind, message.get("ref")) for kind, message in told], [(GAME, None), (CHAT, 1)])
        self.assertEqual({(message["you"]["name"], *message["roles"]) for _, message in told}, {("Ann", "operator")})
        self.assertEqual(self.greet(TICKER)["you"], {"id": "Trader_1", "name": "Ann", "guest": False})

    def test_a_guests_session_becomes_the_accounts_that_is_logged_in_elsewhere_on_the_connection(self) -> None:
        self.house.core.accounts = Accounts(self.house.core, [Keeper()])
        self.house.store.accounts.add(account("Ann"))
        guest = self.house.connect("game")
        guest.drop()
        self.ann.send(CHAT, "login", user="Ann", password=PASSWORD)
        self.ann.send(GAME, "resume", session=guest.hello["session"])
        [_, (kind, told)] = self.ann.heard("logged_in")
        self.assertEqual((kind, told["you"]), (GAME, {"id": guest.id, "name": "Ann", "guest": False}))

    def test_when_the_connection_ends_all_features_are_left(self) -> None:
        for _, kind, _ in FEATURES:
            self.greet(kind)
        self.house.wait(1)
        self.ann.drop()
        self.assertEqual(self.house.chat.rooms.get("general").line().members, 0)
        self.assertEqual(self.house.game.directory.named("lobby").room.seats, {})


class EncodingTests(BinaryTestCase):
    """What comes back is in the encoding of that feature's last frame."""

    def test_answers(self) -> None:
        for kind in (CHAT, CHAT_JSON, CHAT_JSON, CHAT):
            self.ann.send(kind, "ping")
            self.assertEqual([came for came, _ in self.ann.heard("pong")], [kind])

    def test_broadcasts(self) -> None:
        bob = self.house.connect("chat")
        self.greet(CHAT)
        for kind in (CHAT, CHAT_JSON, CHAT):
            self.ann.send(kind, "ping")
            bob.send("chat", text="hi")
            self.assertEqual([came for came, _ in self.ann.heard("chat")], [kind])

    def test_an_empty_frame_counts(self) -> None:
        bob = self.house.connect("chat")
        self.greet(CHAT)
        self.ann.frame(CHAT_JSON)
        bob.send("chat", text="hi")
        self.assertEqual([came for came, _ in self.ann.received()], [CHAT_JSON])

    def test_of_each_feature_for_itself(self) -> None:
        self.greet(CHAT_JSON)
        self.greet(GAME)
        self.house.connect("chat").send("chat", text="hi")
        self.house.connect("game").send("move", dx=1)
        self.house.wait(1)
        self.assertEqual({came for came, _ in self.ann.received()}, {CHAT_JSON, GAME})

    def test_states_and_prices_change_over_too(self) -> None:
        for kinds, request in (((GAME, GAME_JSON), "score"), ((TICKER, TICKER_JSON), "subscribe")):
            for kind in kinds:
                self.ann.send(kind, request, **({"points": 1} if request == "score" else {"symbols": ["*"]}))
                self.house.prices.coming = {"AAPL": 150.0 + kind}
                self.house.wait(1)
                came = [came for came, message in self.ann.received() if message["type"] in ("state", "price_update")]
                self.assertEqual({kind for kind in came if kind in kinds}, {kind})

    def test_what_was_published_before_the_change_is_not_lost(self) -> None:
        bob = self.house.connect("chat")
        self.greet(CHAT)
        bob.send("chat", text="one")
        self.ann.frame(CHAT_JSON)
        bob.send("chat", text="two")
        self.assertEqual(
            [(kind, said["message"]) for kind, said in self.ann.heard("chat")], [(CHAT, "one"), (CHAT_JSON, "two")]
        )

    def test_both_encodings_say_the_same(self) -> None:
        bob = self.house.connect_binary()
        self.greet(CHAT, bob)
        self.greet(CHAT_JSON)
        self.ann.send(CHAT_JSON, "chat", text="é🚀\n")
        self.assertEqual([m for _, m in self.ann.heard("chat")], [m for _, m in bob.heard("chat")])


class ErrorTests(BinaryTestCase):
    """Where errors go, and how they are written."""

    def wrong(self) -> str:
        """In which encoding an error that belongs to no feature comes."""
        self.ann.frame(1, b"\xff")
        [(kind, payload)] = self.ann.frames()
        self.assertEqual(kind, 0)
        return "JSON" if payload.startswith(b"{") else msgspec.msgpack.decode(payload)["type"]

    def test_errors_of_a_feature_come_in_its_frames(self) -> None:
        for _, *kinds in FEATURES:
            for kind in kinds:
                ann = self.house.connect_binary()
                ann.send(kind, "dance", ref=1)
                [_, (came, error)] = ann.received()
                self.assertEqual((came, error["code"], error["ref"]), (kind, "unknown_type", 1))

    def test_a_feature_that_was_left_out_says_so(self) -> None:
        del self.house.core.features["game"]
        self.ann.frame(GAME)
        self.assertEqual(self.error()[1]["code"], "unavailable")

    def test_before_anything_was_written_others_are_json(self) -> None:
        self.assertEqual(self.wrong(), "JSON")

    def test_then_they_are_as_the_client_last_wrote(self) -> None:
        for kind, encoding in ((CHAT, "error"), (GAME_JSON, "JSON"), (TICKER, "error")):
            self.ann.frame(kind)
            self.ann.read()
            self.ann.frame(2, b"echoes do not matter")
            self.ann.read()
            self.assertEqual(self.wrong(), encoding)

    def test_the_end_of_the_connection_is_told_in_a_frame_of_type_0(self) -> None:
        hello = self.greet(CHAT)
        self.house.connect("chat").send("resume", session=hello["session"])
        [(kind, payload)] = [frame for frame in self.ann.frames() if frame[0] == 0]
        error = msgspec.msgpack.decode(payload)
        self.assertEqual((kind, error["code"], error["fatal"]), (0, "replaced", True))
        self.assertTrue(self.ann.closed)

    def test_what_messagepack_can_say_and_json_cannot_is_refused(self) -> None:
        self.greet(GAME)
        for value in (float("nan"), float("inf"), b"bytes", 10**19, {1: 2}, msgspec.msgpack.Ext(5, b"x")):
            for field in ("dx", "unknown"):
                if (field, value) == ("unknown", 10**19):
                    continue  # a number that doubles can hold
                self.ann.send(GAME, "move", **{field: value})
                [(_, error)] = self.ann.received()
                self.assertIn(error["code"], ("bad_json", "bad_message"), (field, value))
        self.assertFalse(self.ann.closed)

    def test_half_a_message_is_refused(self) -> None:
        self.greet(CHAT)
        for payload in (b"\xc1", b"\x81", msgspec.msgpack.encode({"type": "ping"}) + b"\xc0", b"\x81\xa4type\xa1\xff"):
            self.ann.frame(CHAT, payload)
            [(_, error)] = self.ann.received()
            self.assertEqual(error["code"], "bad_json")

    @settings(deadline=None, max_examples=200)
    @given(st.sampled_from(sorted(NAMED - {0})), st.binary(max_size=40))
    def test_any_bytes_in_any_feature_are_answered(self, kind: int, payload: bytes) -> None:
        ann = House().connect_binary()
        ann.frame(kind)
        ann.read()
        ann.frame(kind, payload)
        for _, message in ann.received():
            self.assertNotEqual(message.get("code"), "internal")
        ann.send(kind, "ping")
        self.assertEqual([came for came, _ in ann.heard("pong")], [kind])
