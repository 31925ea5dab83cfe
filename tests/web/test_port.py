"""Tests of L{netplay.web.port}: how a connection of the web port lives and ends."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from tests.features import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    House,
    Peer,
    masked,
    unframed,
    upgrade_request,
)
from tests.support import Link, advance, make_core
from tests.web.test_site import answered

GET = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"


class PortTestCase(SynchronousTestCase):
    """A web port."""

    def setUp(self) -> None:
        self.house = House()

    def visit(self) -> Peer:
        """Someone who speaks HTTP."""
        return Peer(self.house, self.house.web.factory)

    def upgraded(self, path: str = "/ws/echo") -> Peer:
        """Someone on a WebSocket."""
        peer = self.visit()
        peer.write(upgrade_request(path))
        self.assertTrue(peer.read().startswith(b"HTTP/1.1 101 "))
        return peer

    def closed_with(self, peer: Peer) -> tuple[int, str, dict[str, Any] | None]:
        """Code and reason of the close frame that ended a connection, and the last message before it."""
        *before, (opcode, payload) = unframed(peer.read())
        self.assertEqual(opcode, CLOSE)
        self.assertTrue(peer.closed)
        messages = [json.loads(text) for opcode, text in before if opcode == TEXT]
        return int.from_bytes(payload[:2]), payload[2:].decode(), messages[-1] if messages else None


class UpgradeTests(PortTestCase):
    """From HTTP to WebSocket on one connection."""

    def test_after_other_requests_on_a_connection_kept_alive(self) -> None:
        peer = self.visit()
        peer.write(GET)
        self.assertEqual(answered(peer.read())[0], 404)
        peer.write(upgrade_request("/ws/echo"))
        self.assertEqual(answered(peer.read())[0], 101)
        peer.write(masked(TEXT, b"hello"))
        self.assertEqual(unframed(peer.read()), [(TEXT, b"hello")])

    def test_frames_glued_to_the_request_are_not_lost(self) -> None:
        peer = self.visit()
        peer.write(GET + upgrade_request("/ws/echo") + masked(TEXT, b"one") + masked(BINARY, b"two")[:5])
        _, _, rest = peer.read().partition(b"HTTP/1.1 101 ")
        self.assertEqual(unframed(rest.partition(b"\r\n\r\n")[2]), [(TEXT, b"one")])
        peer.write(masked(BINARY, b"two")[5:])
        self.assertEqual(unframed(peer.read()), [(BINARY, b"two")])

    def test_byte_by_byte(self) -> None:
        peer = self.visit()
        for byte in upgrade_request("/ws/echo") + masked(TEXT, b"hello"):
            peer.write(bytes((byte,)))
        self.assertEqual(unframed(answered(peer.read())[2]), [(TEXT, b"hello")])

    def test_it_is_no_http_any_more(self) -> None:
        peer = self.upgraded()
        peer.write(GET)
        self.assertEqual(self.closed_with(peer)[0], 1002)

    def test_an_exception_in_the_greeting_is_the_clients_alone(self) -> None:
        self.house.chat.connected = lambda client: 1 / 0  # type: ignore[method-assign,assignment]
        peer = self.visit()
        peer.write(upgrade_request("/ws/chat"))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        _, _, rest = answered(peer.read())
        self.assertIn(b'"code":"internal"', unframed(rest)[0][1])
        self.assertEqual(unframed(rest)[1][1][:2], (1011).to_bytes(2))


class RoomTests(PortTestCase):
    """When there is none."""

    def setUp(self) -> None:
        self.house = House(max_connections=1)
        self.inside = self.visit()
        self.inside.write(GET)

    def test_requests_are_told_to_come_later(self) -> None:
        peer = self.visit()
        peer.write(GET)
        status, headers, body = answered(peer.read())
        self.assertEqual((status, headers["retry-after"]), (503, "5"))
        self.assertIn(b"come back later", body)

    def test_a_websocket_is_opened_to_tell_the_page(self) -> None:
        peer = self.visit()
        peer.write(upgrade_request("/ws/chat"))
        _, _, rest = answered(peer.read())
        (_, error), (_, close) = unframed(rest)
        self.assertEqual((json.loads(error)["code"], int.from_bytes(close[:2])), ("server_full", 4003))
        self.assertTrue(peer.closed)

    def test_there_is_room_again_when_one_leaves(self) -> None:
        self.inside.drop()
        self.assertTrue(self.upgraded())

    def test_who_was_turned_away_makes_no_room_by_leaving(self) -> None:
        self.visit().drop()
        self.assertEqual(self.house.core.gate.inside, 1)


class EndTests(PortTestCase):
    """Close codes."""

    def end(self, code: str) -> tuple[int, str, dict[str, Any] | None]:
        peer = self.upgraded("/ws/chat")
        peer.protocol.end(Refused(code, "that is why"))
        return self.closed_with(peer)

    def test_each_reason_has_its_code(self) -> None:
        for code, number in (
            ("shutting_down", 1001),
            ("too_large", 1009),
            ("internal", 1011),
            ("slow_consumer", 4001),
            ("idle_timeout", 4002),
            ("server_full", 4003),
            ("kicked", 4004),
            ("replaced", 1008),
        ):
            status, reason, message = self.end(code)
            self.assertEqual((status, reason), (number, "that is why"))
            assert message is not None
            self.assertEqual((message["code"], message["fatal"]), (code, True))

    def test_echo_says_it_in_the_close_frame_alone(self) -> None:
        peer = self.upgraded()
        self.house.core.watch.drain("shutting_down", "good-bye")
        self.assertEqual(self.closed_with(peer), (1001, "good-bye", None))

    def test_http_is_just_closed(self) -> None:
        peer = self.visit()
        self.house.core.watch.drain("shutting_down", "good-bye")
        self.assertEqual(peer.read(), b"")
        self.assertTrue(peer.closed)

    def test_the_peer_closes(self) -> None:
        for code in (1000, 1001, 3000, 4999):
            peer = self.upgraded()
            peer.write(masked(CLOSE, code.to_bytes(2) + b"bye"))
            self.assertEqual(self.closed_with(peer)[0], code)

    def test_what_was_sent_before_the_close_is_answered(self) -> None:
        peer = self.upgraded()
        peer.write(masked(TEXT, b"last words") + masked(CLOSE, b""))
        self.assertEqual(unframed(peer.read()), [(TEXT, b"last words"), (CLOSE, b"")])

    def test_what_comes_after_it_is_not(self) -> None:
        peer = self.upgraded()
        peer.write(masked(CLOSE, b"") + masked(TEXT, b"too late"))
        self.assertEqual(unframed(peer.read()), [(CLOSE, b"")])

    def test_a_mistake_of_the_wire_is_counted(self) -> None:
        peer = self.upgraded()
        peer.write(b"\xff\xff")
        self.assertEqual(self.closed_with(peer)[0], 1002)
        self.assertEqual(self.house.core.complaints.total, {"bad_frame": 1})

    def test_a_message_that_is_too_large(self) -> None:
        peer = self.upgraded("/ws/chat")
        peer.write(b"\x81\xff" + (2**32).to_bytes(8) + b"mask")
        status, _, message = self.closed_with(peer)
        assert message is not None
        self.assertEqual((status, message["code"]), (1009, "too_large"))

    def test_whoever_is_gone_is_gone_everywhere(self) -> None:
        peer = self.upgraded("/ws/chat")
        self.assertIsNotNone(self.house.chat.people.find("User_1"))
        peer.drop()
        self.house.wait(121)
        self.assertIsNone(self.house.chat.people.find("User_1"))
        self.assertEqual(self.house.core.gate.inside, 0)
        self.assertEqual(self.house.core.watch.connections, set())


class TimeTests(PortTestCase):
    """What has to happen in time."""

    def test_the_first_request_has_ten_seconds(self) -> None:
        peer = self.visit()
        for _ in range(9):
            peer.write(b"G")
            self.house.wait(1)
        self.assertFalse(peer.closed)
        self.house.wait(2)
        self.assertEqual(answered(peer.read())[0], 408)
        self.assertTrue(peer.closed)

    def test_so_has_every_other(self) -> None:
        peer = self.visit()
        peer.write(GET)
        self.house.wait(30)
        peer.write(GET[:-1])
        self.house.wait(9)
        self.assertFalse(peer.closed)
        self.house.wait(3)
        self.assertTrue(peer.closed)

    def test_a_connection_is_kept_alive_for_a_minute(self) -> None:
        peer = self.visit()
        peer.write(GET)
        self.house.wait(59)
        self.assertFalse(peer.closed)
        self.house.wait(3)
        self.assertTrue(peer.closed)

    def test_who_asks_again_and_again_is_kept(self) -> None:
        peer = self.visit()
        for _ in range(30):
            peer.write(GET)
            self.house.wait(4.5)  # not in step with the looks
            self.assertFalse(peer.closed)
        self.assertEqual(peer.read().count(b" 404 "), 30)

    def test_half_a_request_behind_a_whole_one_is_begun_too(self) -> None:
        peer = self.visit()
        peer.write(GET + GET[:-2])
        self.house.wait(9)
        self.assertFalse(peer.closed)
        self.house.wait(3)
        self.assertIn(b" 408 ", peer.read())
        self.assertTrue(peer.closed)

    def test_nonsense_behind_a_whole_one_is_counted_too(self) -> None:
        peer = self.visit()
        peer.write(GET + b"nonsense\r\n")
        self.assertTrue(peer.closed)
        self.assertEqual(self.house.core.complaints.total, {"http": 1})

    def test_silence_is_asked_and_an_answer_is_enough(self) -> None:
        peer = self.upgraded()
        for _ in range(5):
            self.house.wait(26)
            self.assertEqual(unframed(peer.read()), [(PING, b"")])
            peer.write(masked(PONG, b""))
        self.assertFalse(peer.closed)

    def test_no_answer_is_the_end(self) -> None:
        peer = self.upgraded()
        self.house.wait(44)
        self.assertFalse(peer.closed)
        self.house.wait(3)
        self.assertTrue(peer.closed)
        self.assertEqual(self.house.core.complaints.total, {"no_pong": 1})

    def test_who_talks_is_not_asked(self) -> None:
        peer = self.upgraded()
        for _ in range(10):
            self.house.wait(20)
            peer.write(masked(PONG, b""))
        self.assertEqual(peer.read(), b"")

    def test_who_is_not_read_from_is_not_asked(self) -> None:
        peer = self.upgraded()
        peer.lag()
        for _ in range(3):
            peer.write(masked(TEXT, b"x" * 60_000))
        self.assertTrue(peer.paused)
        self.house.wait(60)
        self.assertFalse(peer.closed)

    def test_pings_and_pongs_keep_nobody_from_being_idle(self) -> None:
        self.house = House(idle=60.0)
        peer = self.upgraded()
        for _ in range(3):
            self.house.wait(21)
            if not peer.closed:
                peer.write(masked(PONG, b"") + masked(PING, b""))
        self.assertEqual(self.closed_with(peer)[:2], (4002, "nothing came and nothing was sent for 60 s"))

    def test_who_hears_something_is_not_idle(self) -> None:
        self.house = House(idle=60.0)
        peer = self.upgraded("/ws/chat")
        other = self.house.connect("chat")
        for _ in range(10):
            other.send("chat", text="hello")
            self.house.wait(20)
            peer.write(masked(PONG, b""))
        self.assertFalse(peer.closed)

    def test_a_message_has_thirty_seconds(self) -> None:
        peer = self.upgraded()
        peer.write(masked(TEXT, b"begun", first=0))
        for _ in range(3):
            self.house.wait(9)
            peer.write(masked(PONG, b""))
        self.assertFalse(peer.closed)
        self.house.wait(5)
        self.assertEqual(self.closed_with(peer)[0], 4002)


class SlowTests(SynchronousTestCase):
    """Who does not read, on a link that takes as much as the test says."""

    def setUp(self) -> None:
        self.clock = MemoryReactorClock()
        self.house = House()
        self.core = make_core(self.clock, send_queue=200_000)
        self.core.watch.startService()
        self.addCleanup(self.core.watch.stopService)
        self.house.web.factory.core = self.core
        self.link = Link(self.house.web.factory.buildProtocol(None), self.clock)
        self.link.sends(upgrade_request("/ws/echo"))

    def test_echoes_that_are_not_read_stop_the_reading(self) -> None:
        self.link.stops_reading()
        for _ in range(100):
            self.link.sends(masked(TEXT, b"x" * 10_000))
        self.assertFalse(self.link.reading)
        self.assertLess(self.link.protocol.outbox.backlog, 200_000)
        self.link.reads()
        self.assertTrue(self.link.reading)
        self.assertEqual(self.link.taken.count(b"\x81\x7e" + (10_000).to_bytes(2)), 100)

    def test_so_do_pongs(self) -> None:
        self.link.stops_reading()
        for _ in range(100):
            self.link.sends(masked(PING, b"x" * 125) * 40)
        self.assertFalse(self.link.reading)
        self.assertLess(self.link.protocol.outbox.backlog, 200_000)

    def test_who_takes_nothing_for_two_minutes_is_gone(self) -> None:
        self.link.stops_reading()
        self.link.sends(masked(TEXT, b"x" * 60_000) * 2)
        advance(self.clock, 130)
        self.assertTrue(self.link.lost)
