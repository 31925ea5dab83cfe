"""Tests of L{netplay.connection}: order, mistakes, limits, liveness, the end."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet import ssl
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netplay.connection import MOST_TURNED_AWAY
from netplay.errors import Refused
from tests.support import (
    Link,
    LogRecorder,
    Parrot,
    Peer,
    Said,
    TLSPeer,
    advance,
    connect,
    connect_wrapped,
    make_certificate,
    make_core,
    make_folder,
    turn,
    until,
)

PING = {"type": "ping"}


class ConnectionCase(SynchronousTestCase):
    """Connections of a feature that repeats, on links whose peers do what they are told."""

    limits: dict[str, Any] = {}

    def setUp(self) -> None:
        self.begin(**self.limits)

    def begin(self, **limits: Any) -> None:
        self.core = make_core(**limits)
        self.clock: Any = self.core.clock
        self.parrot = Parrot(self.core)
        self.core.watch.startService()

    def connect(self, **how: Any) -> Link:
        """A client that has heard its greeting."""
        link = connect(self.parrot.factory, self.clock, **how)
        if how.get("room") is None:
            link.heard()
        return link

    def advance(self, seconds: float) -> None:
        advance(self.clock, seconds)

    def assert_ended(self, link: Link, code: str) -> dict[str, Any]:
        """The peer was told why and our direction is closed; when it closes its own, all is over."""
        link.turns()
        *_, error = link.heard()
        self.assertEqual((error["type"], error["code"], error["fatal"]), ("error", code, True))
        if not link.lost:
            self.assertTrue(link.socket.shut)
            link.half_closes()
        self.assertTrue(link.lost)
        self.assertNotIn(link.protocol, self.core.watch.connections)
        told: dict[str, Any] = error
        return told

    def assert_open(self, link: Link) -> None:
        """It is not ended, nor about to be."""
        self.assertTrue(link.protocol._open)
        self.assertFalse(link.lost)

    def assert_alive(self, link: Link) -> None:
        link.says({"type": "say", "text": "alive"})
        self.assertEqual(link.heard()[-1]["text"], "alive")


class OrderTests(ConnectionCase):
    """Requests take effect, and are answered, in their order."""

    def test_an_answer_that_takes_time_holds_back_the_next(self) -> None:
        link = self.connect()
        link.says({"type": "hold", "ref": 1}, {"type": "say", "text": "b", "ref": 2}, {"type": "ping", "ref": 3})
        self.assertEqual(link.heard(), [])
        self.parrot.sessions[0].held[0].callback(Said(text="a"))
        self.assertEqual([message["ref"] for message in link.heard()], [1, 2, 3])

    def test_the_next_is_not_even_decoded(self) -> None:
        """The grammar may be another by then."""
        link = self.connect()
        link.sends(b'{"type": "hold"}\nno json\n')
        self.assertEqual(link.heard(), [])
        self.parrot.sessions[0].held[0].callback(None)
        self.assertEqual(link.heard()[0]["code"], "bad_json")

    def test_meanwhile_nothing_is_read(self) -> None:
        link = self.connect()
        link.says({"type": "hold"})
        self.assertFalse(link.reading)
        link.says({"type": "hold"})
        self.parrot.sessions[0].held[0].callback(None)
        self.assertTrue(link.reading)
        link.turns()
        self.assertFalse(link.reading)  # the second one
        self.parrot.sessions[0].held[1].callback(None)
        self.assertTrue(link.reading)

    def test_several_that_take_time(self) -> None:
        link = self.connect()
        link.says({"type": "hold", "ref": 1}, {"type": "hold", "ref": 2}, {"type": "hold", "ref": 3})
        held = self.parrot.sessions[0].held
        for n in range(3):
            self.assertEqual(len(held), n + 1)
            held[n].callback(None)
        self.assertEqual([message["ref"] for message in link.heard()], [1, 2, 3])

    def test_one_that_fails_does_not_hold_up_the_next(self) -> None:
        link = self.connect()
        link.says({"type": "hold", "ref": 1}, {"type": "ping", "ref": 2})
        self.parrot.sessions[0].held[0].errback(Failure(RuntimeError("boom")))
        self.assertEqual([message["type"] for message in link.heard()], ["error", "pong"])
        self.assertTrue(link.reading)
        self.flushLoggedErrors(RuntimeError)

    def test_others_do_not_wait(self) -> None:
        link, other = self.connect(), self.connect()
        link.says({"type": "hold"})
        self.assert_alive(other)

    def test_messages_that_come_glued_and_split(self) -> None:
        link = self.connect()
        data = b'{"type":"ping","ref":1}\r\n\n{"type":"ping","ref":2}\n{"type":"ping","ref":3}\n'
        for n in range(len(data)):
            link.sends(data[n : n + 1])
        link.sends(data)
        self.assertEqual([message["ref"] for message in link.heard()], [1, 2, 3] * 2)


class BackPressureTests(ConnectionCase):
    """Who does not read is not read from."""

    limits = {"send_queue": 1024 * 1024, "read_backlog": 65536}

    def test_past_64_KiB_of_answers_nothing_is_read(self) -> None:
        link = self.connect()
        link.stops_reading()
        for _ in range(100):
            link.says({"type": "flood", "size": 10_000})
        self.assertFalse(link.reading)
        self.assertFalse(link.protocol.outbox.backlog > 65536 + 10_100)
        self.assertTrue(link.socket.inbox)
        link.reads()
        self.assertEqual([len(message["text"]) for message in link.heard()], [10_000] * 100)
        self.assertTrue(link.reading)

    def test_what_came_glued_waits_unhandled(self) -> None:
        link = self.connect()
        link.stops_reading()
        link.says(*[{"type": "flood", "size": 30_000, "ref": n} for n in range(20)])
        self.assertLess(link.protocol.outbox.backlog, 100_000)
        link.reads()
        self.assertEqual([message["ref"] for message in link.heard()], list(range(20)))

    def test_an_answer_that_takes_time_does_not_make_it_read_again(self) -> None:
        link = self.connect()
        link.stops_reading()
        link.says({"type": "hold"})
        link.protocol.client.send(Said(text="x" * 100_000))
        self.parrot.sessions[0].held[0].callback(None)
        self.assertFalse(link.reading)
        link.reads()
        self.assertTrue(link.reading)


class MistakeTests(ConnectionCase):
    """Twenty in a row end a connection."""

    def test_nineteen_are_answered(self) -> None:
        link = self.connect()
        link.sends(b"x\n" * 19)
        self.assertEqual([message["code"] for message in link.heard()], ["bad_json"] * 19)
        self.assert_alive(link)

    def test_the_twentieth_is_fatal(self) -> None:
        link = self.connect()
        link.sends(b"x\n" * 19)
        link.says({"type": "sing", "ref": 20}, PING)
        self.assertEqual(self.assert_ended(link, "unknown_type")["ref"], 20)

    def test_after_it_nothing_is_handled(self) -> None:
        link = self.connect()
        link.sends(b"x\n" * 20 + msgspec.json.encode(PING) + b"\n")
        self.assertEqual({message["type"] for message in link.heard()}, {"error"})

    def test_a_good_one_resets_the_count(self) -> None:
        link = self.connect()
        for _ in range(5):
            link.sends(b"x\n" * 19)
            link.says(PING)
        self.assertEqual(len(link.heard()), 100)
        self.assert_alive(link)

    def test_one_that_is_refused_for_another_reason_resets_it_too(self) -> None:
        """It was understood."""
        link = self.connect()
        for _ in range(5):
            link.sends(b"x\n" * 19)
            link.says({"type": "forbidden"})
        self.assert_alive(link)

    def test_what_is_refused_for_another_reason_is_no_mistake(self) -> None:
        link = self.connect()
        link.says(*[{"type": "forbidden"}] * 50)
        self.assertEqual(len(link.heard()), 50)
        self.assert_alive(link)


class RateTests(ConnectionCase):
    """So many messages a second."""

    limits = {"rate": 2.0, "burst": 4.0}

    def test_what_is_too_much_has_no_effect(self) -> None:
        link = self.connect()
        link.says(*[{"type": "say", "text": str(n)} for n in range(10)])
        self.assertEqual([m["text"] for m in link.heard() if m["type"] == "said"], ["0", "1", "2", "3"])

    def test_it_is_said_once_a_second_without_a_ref(self) -> None:
        link = self.connect()
        link.says(*[{"type": "say", "text": "x"}] * 10)
        errors = [message for message in link.heard() if message["type"] == "error"]
        self.assertEqual([error["code"] for error in errors], ["rate_limited"])
        self.assertEqual(errors[0]["retry_after"], 0.5)
        self.assertNotIn("fatal", errors[0])
        self.clock.advance(0.9)
        link.says(*[{"type": "say", "text": "x"}] * 10)
        self.assertEqual([m["type"] for m in link.heard()], ["said"])
        self.clock.advance(0.1)
        link.says(*[{"type": "say", "text": "x"}] * 10)
        self.assertEqual([m["type"] for m in link.heard()], ["said", "error"])

    def test_whoever_waits_for_an_answer_gets_one(self) -> None:
        link = self.connect()
        link.says(*[{"type": "say", "text": "x", "ref": n} for n in range(20)])
        heard = link.heard()
        self.assertEqual([message["ref"] for message in heard], list(range(20)))
        self.assertEqual({message.get("code") for message in heard[4:]}, {"rate_limited"})

    def test_it_is_no_mistake(self) -> None:
        link = self.connect()
        link.sends(b"x\n" * 100)
        self.assertEqual(link.protocol.mistakes, 4)
        self.advance(10)
        self.assert_alive(link)

    def test_after_a_while_there_is_room_again(self) -> None:
        link = self.connect()
        link.says(*[PING] * 10)
        link.heard()
        self.clock.advance(0.5)
        self.assert_alive(link)

    def test_each_connection_has_its_own(self) -> None:
        link, other = self.connect(), self.connect()
        link.says(*[PING] * 10)
        self.assert_alive(other)

    def test_0_is_no_limit(self) -> None:
        self.begin(rate=0.0)
        link = self.connect()
        link.says(*[PING] * 10_000)
        self.assertEqual({message["type"] for message in link.heard()}, {"pong"})


class SizeTests(ConnectionCase):
    """A message that is too large ends the connection: what follows makes no sense."""

    limits = {"max_message": 1000}

    def test_the_largest(self) -> None:
        link = self.connect()
        message = msgspec.json.encode({"type": "say", "text": ""})
        link.sends(b'{"type":"say","text":"%b"}\n' % (b"x" * (1000 - len(message))))
        self.assertEqual(link.heard()[0]["type"], "said")

    def test_one_byte_more(self) -> None:
        link = self.connect()
        link.sends(b"x" * 1001)
        self.assertIn("1000", self.assert_ended(link, "too_large")["message"])

    def test_what_came_before_is_answered(self) -> None:
        link = self.connect()
        link.sends(msgspec.json.encode(PING) + b"\n" + b"x" * 2000)
        self.assertEqual([message["type"] for message in link.heard()], ["pong", "error"])


class LivenessTests(ConnectionCase):
    """Who is idle, who does not finish, who does not read."""

    limits = {"idle": 600.0}

    def test_an_unfinished_message_may_take_30_s(self) -> None:
        link = self.connect()
        link.sends(b'{"type":')
        self.advance(30)
        link.sends(b' "ping"}\n')
        self.assertEqual([message["type"] for message in link.heard()], ["pong"])
        self.advance(100)
        self.assert_alive(link)

    def test_and_no_longer(self) -> None:
        link = self.connect()
        link.sends(b'{"type":')
        for _ in range(32):
            link.sends(b" ")  # byte after byte makes it no better
            self.advance(1)
        self.assert_ended(link, "idle_timeout")

    def test_one_unfinished_message_after_another_is_fine(self) -> None:
        link = self.connect()
        link.sends(b'{"type":')
        for _ in range(10):
            self.advance(20)
            link.sends(b' "ping"}\n{"type":')
        self.assertEqual(len(link.heard()), 10)

    def test_what_we_hold_back_ourselves_is_not_unfinished(self) -> None:
        link = self.connect()
        link.sends(b'{"type": "hold"}\n{"type": "say"')
        self.advance(100)
        self.assert_open(link)
        self.parrot.sessions[0].held[0].callback(None)
        link.sends(b', "text": "x"}\n')
        self.assertEqual(link.heard()[-1]["text"], "x")

    def test_who_is_silent_and_hears_nothing_is_idle(self) -> None:
        link = self.connect()
        self.advance(599)
        self.assert_open(link)
        self.advance(2)
        self.assertIn("600", self.assert_ended(link, "idle_timeout")["message"])

    def test_who_says_something_is_not(self) -> None:
        link = self.connect()
        for _ in range(5):
            self.advance(500)
            link.says({"type": "options"})  # nothing is answered
        self.assert_open(link)
        self.advance(602)
        self.assert_ended(link, "idle_timeout")

    def test_a_silent_reader_of_a_live_feed_is_not(self) -> None:
        link = self.connect()
        for _ in range(5):
            self.advance(500)
            self.parrot.channel.publish(Said(text="news"))
        self.advance(500)
        self.assert_open(link)
        self.assertEqual(len(link.heard()), 5)

    def test_0_is_never(self) -> None:
        self.begin(idle=0.0)
        link = self.connect()
        advance(self.clock, 100_000, step=100.0)
        self.assert_alive(link)

    def test_who_reads_nothing_for_2_minutes_is_a_slow_consumer(self) -> None:
        link = self.connect()
        link.stops_reading()
        link.says(PING)
        self.advance(119)
        self.assert_open(link)
        self.advance(3)
        link.reads()
        error = link.heard()[-1]
        self.assertEqual((error["code"], error["fatal"]), ("slow_consumer", True))
        self.assertEqual(len(self.parrot.gone), 1)

    def test_while_it_goes_on_being_sent_things_as_well(self) -> None:
        link = self.connect()
        link.stops_reading()
        for _ in range(121):
            self.parrot.channel.publish(Said(text="news"))
            self.advance(1)
        self.advance(1)
        self.assertEqual(len(self.parrot.gone), 1)
        self.advance(5)
        link.turn()
        self.assertTrue(link.lost)

    def test_who_reads_slowly_stays(self) -> None:
        link = self.connect()
        link.stops_reading()
        link.says({"type": "flood", "size": 500_000})
        for _ in range(6):
            self.advance(100)
            link.reads(70_000)
        self.assert_open(link)
        link.reads()
        self.assertEqual(len(link.heard()[0]["text"]), 500_000)

    def test_who_reads_nothing_of_what_is_offered_is_a_slow_consumer_too(self) -> None:
        """Behind TLS a transport may be full with nothing in our own queue."""
        protocol, transport = connect_wrapped(self.parrot.factory)
        transport.full()
        self.parrot.sessions[0].client.offer("price", lambda: Said(text="1"))
        self.advance(119)
        self.assertEqual(self.parrot.gone, [])
        self.advance(3)
        self.assertEqual(len(self.parrot.gone), 1)
        self.advance(5)
        self.assertTrue(transport.disconnected)
        protocol.connectionLost(Failure(Exception()))

    def test_a_queue_that_overflows_is_a_slow_consumer(self) -> None:
        link = self.connect()
        link.stops_reading()
        self.parrot.sessions[0].client.send(Said(text="x" * 2_000_000))
        self.assertEqual(self.parrot.gone, [])  # not inside whoever sends
        link.turn()
        self.assertEqual(len(self.parrot.gone), 1)
        link.reads()
        self.assertEqual([message["code"] for message in link.heard()], ["slow_consumer"])

    def test_trouble_with_one_connection_is_not_the_others(self) -> None:
        bad, good = self.connect(), self.connect()
        bad.protocol.check = lambda now: 1 / 0
        self.advance(2)
        bad.turn()
        self.assertTrue(bad.lost)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.advance(602)
        self.assert_ended(good, "idle_timeout")


class GateTests(ConnectionCase):
    """The daemon's places."""

    limits = {"max_connections": 3, "max_per_address": 2}

    def test_when_all_are_taken_that_is_said(self) -> None:
        links = [self.connect(peer=f"192.0.2.{n}") for n in range(3)]
        late = connect(self.parrot.factory, self.clock, peer="192.0.2.9")
        self.assertIn("3", self.assert_ended(late, "server_full")["message"])
        self.assertEqual(len(self.parrot.sessions), 3)
        for link in links:
            self.assert_alive(link)

    def test_when_one_leaves_there_is_room_again(self) -> None:
        links = [self.connect(peer=f"192.0.2.{n}") for n in range(3)]
        links[1].goes()
        self.assert_alive(self.connect(peer="192.0.2.9"))

    def test_who_is_turned_away_takes_no_place(self) -> None:
        links = [self.connect(peer=f"192.0.2.{n}") for n in range(3)]
        for _ in range(5):
            connect(self.parrot.factory, self.clock, peer="192.0.2.9").goes()
        self.assertEqual(self.core.gate.inside, 3)
        links[0].goes()
        self.assertEqual(self.core.gate.inside, 2)

    def test_one_address_may_have_so_many(self) -> None:
        first, _ = self.connect(), self.connect()
        self.assert_ended(connect(self.parrot.factory, self.clock), "server_full")
        self.assert_alive(self.connect(peer="192.0.2.9"))
        first.goes()
        self.assert_alive(self.connect())

    def test_what_it_says_is_ignored(self) -> None:
        for n in range(3):
            self.connect(peer=f"192.0.2.{n}")
        late = connect(self.parrot.factory, self.clock, peer="192.0.2.9")
        late.says(PING)
        self.assertEqual([message["code"] for message in late.heard()], ["server_full"])

    def test_who_does_not_go_is_cut_off(self) -> None:
        for n in range(3):
            self.connect(peer=f"192.0.2.{n}")
        late = connect(self.parrot.factory, self.clock, peer="192.0.2.9")
        self.advance(5)
        late.turn()
        self.assertTrue(late.lost)

    def test_a_crowd_is_closed_without_a_word(self) -> None:
        for n in range(3):
            self.connect(peer=f"192.0.2.{n}")
        crowd = [connect(self.parrot.factory, self.clock, peer="192.0.2.9") for _ in range(MOST_TURNED_AWAY + 10)]
        self.assertEqual([bool(link.taken) for link in crowd], [True] * MOST_TURNED_AWAY + [False] * 10)
        self.assertEqual([link.lost for link in crowd], [False] * MOST_TURNED_AWAY + [True] * 10)


class HalfCloseTests(ConnectionCase):
    """A peer that closes its direction gets all its answers, then we close too."""

    def test_everything_is_answered(self) -> None:
        link = self.connect()
        link.socket.inbox += b'{"type":"ping","ref":1}\n{"type":"ping","ref":2}\n'
        link.half_closes()
        self.assertEqual([message["ref"] for message in link.heard()], [1, 2])
        self.assertTrue(link.lost)

    def test_the_last_line_needs_no_newline(self) -> None:
        link = self.connect()
        link.socket.inbox += b'{"type":"ping","ref":1}'
        link.half_closes()
        self.assertEqual([message["ref"] for message in link.heard()], [1])
        self.assertTrue(link.lost)

    def test_the_last_line_may_be_wrong(self) -> None:
        link = self.connect()
        link.socket.inbox += b'{"type":"pi'
        link.half_closes()
        self.assertEqual([message["code"] for message in link.heard()], ["bad_json"])
        self.assertTrue(link.lost)

    def test_an_answer_that_takes_time(self) -> None:
        link = self.connect()
        link.says({"type": "hold", "ref": 1}, {"type": "hold", "ref": 2})
        link.half_closes()
        for n in range(2):
            self.assertFalse(link.lost)
            self.parrot.sessions[0].held[n].callback(None)
            link.turns()
        self.assertEqual([message["ref"] for message in link.heard()], [1, 2])
        self.assertTrue(link.lost)

    def test_the_last_line_may_take_time(self) -> None:
        link = self.connect()
        link.socket.inbox += b'{"type":"hold","ref":1}'
        link.half_closes()
        self.assertFalse(link.lost)
        self.parrot.sessions[0].held[0].callback(None)
        link.turns()
        self.assertEqual([message["ref"] for message in link.heard()], [1])
        self.assertTrue(link.lost)

    def test_what_it_caused_on_a_channel_comes_too(self) -> None:
        link = self.connect()
        link.socket.inbox += b'{"type":"tell","text":"all"}'
        link.half_closes()
        self.assertEqual([message["text"] for message in link.heard()], ["all"])
        self.assertTrue(link.lost)

    def test_a_slow_reader_gets_it_all_however_long_it_takes(self) -> None:
        link = self.connect()
        link.stops_reading()
        link.socket.inbox += msgspec.json.encode({"type": "flood", "size": 60_000}) + b"\n"
        link.socket.inbox += msgspec.json.encode({"type": "flood", "size": 60_000}) + b"\n"
        link.socket.inbox += msgspec.json.encode({"type": "flood", "size": 60_000})
        link.half_closes()
        while not link.lost:
            self.advance(20)
            link.reads(20_000)
            self.assertFalse(self.clock.seconds() > 1000)
        self.assertEqual([len(message["text"]) for message in link.heard()], [60_000] * 3)

    def test_who_sends_nothing_at_all_is_closed(self) -> None:
        link = self.connect()
        link.half_closes()
        self.assertTrue(link.lost)
        self.assertEqual(len(self.parrot.gone), 1)


class HTTPTests(ConnectionCase):
    """A web page cannot be made to talk to a JSON port."""

    def test_a_request_line_is_answered_with_400(self) -> None:
        for method in ("GET", "POST", "PUT", "OPTIONS", "HEAD", "DELETE", "PATCH", "TRACE", "CONNECT"):
            link = connect(self.parrot.factory, self.clock)
            before = len(link.taken)
            link.sends(f"{method} / HTTP/1.1\r\n".encode())
            answer = link.taken[before:]
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 Bad Request\r\n"), answer)
            self.assertTrue(link.socket.shut)

    def test_a_body_with_messages_has_no_effect(self) -> None:
        watcher = self.connect()
        link = self.connect()
        body = b'{"type": "tell", "text": "forged"}\n'
        link.sends(b"POST /x HTTP/1.1\r\nHost: localhost:8888\r\n\r\n" + body)
        link.sends(body)
        self.assertEqual(watcher.heard(), [])
        self.assertEqual(self.core.complaints.total, {"http": 1})

    def test_what_only_begins_like_it_is_a_mistake_like_others(self) -> None:
        link = self.connect()
        link.sends(b"GETTING nowhere\nget / HTTP/1.1\n")
        self.assertEqual([message["code"] for message in link.heard()], ["bad_json"] * 2)


class EndTests(ConnectionCase):
    """Whatever ends a connection is said first."""

    def test_what_comes_after_it_is_dropped(self) -> None:
        link = self.connect()
        link.protocol.end(Refused("kicked", "out"))
        link.says(PING)
        self.assert_ended(link, "kicked")

    def test_the_peer_has_5_s_to_take_it(self) -> None:
        link = self.connect()
        link.stops_reading()
        link.protocol.end(Refused("kicked", "out"))
        self.advance(4)
        self.assertFalse(link.lost)
        self.advance(1)
        link.turn()
        self.assertTrue(link.lost)

    def test_its_clients_are_gone_at_once(self) -> None:
        link = self.connect()
        link.protocol.end(Refused("kicked", "out"))
        self.assertEqual((len(self.parrot.gone), len(self.parrot.channel)), (1, 0))

    def test_its_place_is_free_when_it_is_really_gone(self) -> None:
        link = self.connect()
        link.protocol.end(Refused("kicked", "out"))
        self.assertEqual(self.core.gate.inside, 1)
        link.half_closes()
        self.assertEqual(self.core.gate.inside, 0)

    def test_ending_twice_is_said_once(self) -> None:
        link = self.connect()
        link.protocol.end(Refused("kicked", "out"))
        link.protocol.end(Refused("banned", "out"))
        self.assert_ended(link, "kicked")

    def test_who_lingers_is_hurried_when_the_daemon_goes_down(self) -> None:
        link = self.connect()
        link.protocol.end(Refused("kicked", "out"))
        link.turns()
        self.assertFalse(link.lost)
        self.core.watch.drain("shutting_down", "bye")
        link.turns()
        self.assertTrue(link.lost)

    def test_when_it_is_lost_nothing_is_left(self) -> None:
        self.parrot.keeps = False
        link = self.connect()
        link.stops_reading()
        link.says({"type": "hold"}, PING)
        link.goes()
        self.assertEqual(self.core.gate.inside, 0)
        self.assertEqual(self.core.watch.connections, set())
        self.assertEqual(self.core.sessions._live, {})
        self.assertEqual(len(self.parrot.channel), 0)
        self.core.watch.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_reset_is_not_worth_a_word_in_the_log(self) -> None:
        log = LogRecorder(self)
        link = self.connect()
        link.socket.error = ConnectionResetError(104, "reset")
        link.says(PING)
        self.assertTrue(link.lost)
        self.assertEqual(log.texts(), [])


class SocketTests(TestCase):
    """On real sockets."""

    timeout = 30

    async def listen(self, how: Any, **limits: Any) -> tuple[Any, Any]:
        """A port and its address; what is connected is gone at the end of the test."""
        self.core = make_core(**limits)
        self.parrot = Parrot(self.core)
        port = how(self.parrot.factory)

        async def end() -> None:
            await port.stopListening()
            for connection in list(self.core.watch.connections):
                connection.abort()
            await until(lambda: not self.core.watch.connections)

        self.addCleanup(end)
        return port, ("127.0.0.1", port.getHost().port)

    def connect(self, kind: type[Peer], address: Any) -> Any:
        peer = kind(address)
        self.addCleanup(peer.close)
        return peer

    async def test_printf_into_nc(self) -> None:
        """What C{printf '...' | nc -N} does: send, half-close, read to the end."""
        from twisted.internet import reactor

        _, address = await self.listen(lambda factory: reactor.listenTCP(0, factory, interface="127.0.0.1"))
        peer = self.connect(Peer, address)
        peer.socket.sendall(b'{"type":"say","text":"a"}\n{"type":"tell","text":"b"}\n{"type":"ping"}')
        peer.socket.shutdown(1)
        while not peer.over:  # the connection closes in a turn of the core's clock
            await turn()
            self.core.clock.advance(0)
            peer.read()
        answers = [msgspec.json.decode(line)["type"] for line in peer.got.splitlines()]
        self.assertEqual(sorted(answers), ["hello", "pong", "said", "said"])

    async def listen_tls(self, **limits: Any) -> Any:
        from twisted.internet import reactor

        pem = make_certificate(make_folder(self)).read_bytes()
        context = ssl.PrivateCertificate.loadPEM(pem).options()
        _, address = await self.listen(
            lambda factory: reactor.listenSSL(0, factory, context, interface="127.0.0.1"), **limits
        )
        return address

    def heard(self, peer: Peer) -> list[Any]:
        return [msgspec.json.decode(line) for line in peer.got.splitlines()]

    async def test_TLS_is_as_good(self) -> None:
        peer = self.connect(TLSPeer, await self.listen_tls())
        await peer.shake_hands()
        peer.send(b'{"type":"say","text":"hi","ref":1}\n')
        await peer.read_until(lambda: peer.got.count(b"\n") == 2)
        self.assertEqual([message["type"] for message in self.heard(peer)], ["hello", "said"])

    async def test_before_the_handshake_there_is_no_session(self) -> None:
        peer = self.connect(TLSPeer, await self.listen_tls())
        await until(lambda: self.core.watch.connections)
        self.assertEqual(self.parrot.sessions, [])
        await peer.shake_hands()
        await until(lambda: self.parrot.sessions)

    async def test_who_never_shakes_hands_is_cut_off_after_10_s(self) -> None:
        self.connect(Peer, await self.listen_tls())
        await until(lambda: self.core.watch.connections)
        self.core.watch.startService()
        clock: Any = self.core.clock
        advance(clock, 10)
        for _ in range(3):
            await turn()
        self.assertEqual(len(self.core.watch.connections), 1)
        advance(clock, 1)
        await until(lambda: not self.core.watch.connections)

    async def test_who_is_turned_away_is_told_through_TLS(self) -> None:
        address = await self.listen_tls(max_connections=1)
        first = self.connect(TLSPeer, address)
        await first.shake_hands()
        late = self.connect(TLSPeer, address)
        await late.shake_hands()
        await late.read_all()
        self.assertEqual([message["code"] for message in self.heard(late)], ["server_full"])
        self.assertNotIn(b"server_full", bytes(late.raw))

    async def test_the_end_is_told_through_TLS(self) -> None:
        peer = self.connect(TLSPeer, await self.listen_tls())
        await peer.shake_hands()
        await until(lambda: self.parrot.sessions)
        self.parrot.sessions[0].client.end("kicked", "out")
        await peer.read_all()
        self.assertEqual([message.get("code") for message in self.heard(peer)], [None, "kicked"])

    async def test_going_down_with_a_handshake_unfinished(self) -> None:
        self.connect(Peer, await self.listen_tls())
        await until(lambda: self.core.watch.connections)
        await self.core.watch.drain("shutting_down", "bye")
