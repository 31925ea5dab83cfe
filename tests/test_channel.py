"""Tests of L{netplay.channel}."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from netplay.clients import Client
from netplay.wire.codecs import JSON, LINES, MSGPACK, Codec, Wire
from tests.support import Link, Parrot, Said, connect, make_core


class CountingWire(Wire):
    """A wire that counts how often something is encoded for it."""

    __slots__ = ("encoded",)

    def __init__(self, codec: Codec = JSON) -> None:
        super().__init__(codec, lambda payload: payload + b"\n")
        self.encoded = 0

    def encode(self, message: object) -> bytes:
        self.encoded += 1
        return super().encode(message)


class ChannelCase(SynchronousTestCase):
    """Members are the clients of a feature, on links whose peers read when told to."""

    limits: dict[str, Any] = {}

    def setUp(self) -> None:
        self.core = make_core(**self.limits)
        self.clock: Any = self.core.clock
        self.parrot = Parrot(self.core)
        self.channel = self.parrot.channel

    def member(self, room: int | None = None, wire: Wire = LINES) -> Link:
        """Someone new in the channel, who has heard the greeting."""
        self.parrot.factory.wire = wire
        link = connect(self.parrot.factory, self.clock)
        link.socket.taken.clear()
        link.socket.sends.clear()
        link.socket.room = room
        return link

    def client(self, link: Link) -> Client:
        client: Client = link.protocol.client
        return client

    def publish(self, *texts: str, key: Hashable = None) -> None:
        for text in texts:
            self.channel.publish(Said(text=text), key)

    def turn(self) -> None:
        self.clock.advance(0)

    def texts(self, link: Link) -> list[str]:
        return [message["text"] for message in link.heard()]


class PublishTests(ChannelCase):
    """Encoded once, sent once."""

    def test_all_members_hear_it_in_order(self) -> None:
        links = [self.member() for _ in range(3)]
        self.publish("a", "b")
        self.publish("c")
        self.turn()
        for link in links:
            self.assertEqual(self.texts(link), ["a", "b", "c"])

    def test_it_is_encoded_once_for_each_wire(self) -> None:
        one, other = CountingWire(), CountingWire(MSGPACK)
        for wire in (one, other):
            for _ in range(5):
                self.member(wire=wire)
        one.encoded = other.encoded = 0
        self.publish("a", "b")
        self.turn()
        self.assertEqual((one.encoded, other.encoded), (2, 2))

    def test_each_wire_has_its_own_encoding(self) -> None:
        text, packed = self.member(), self.member(wire=CountingWire(MSGPACK))
        self.publish("a")
        self.turn()
        self.assertEqual(msgspec.json.decode(text.taken)["text"], "a")
        self.assertEqual(msgspec.msgpack.decode(packed.taken[:-1])["text"], "a")

    def test_a_member_is_written_to_once_a_turn(self) -> None:
        links = [self.member() for _ in range(3)]
        self.publish(*"abcdef")
        self.assertEqual(links[0].socket.sends, [])
        self.turn()
        for link in links:
            self.assertEqual(len(link.socket.sends), 1)
        self.publish("g")
        self.turn()
        self.assertEqual(len(links[0].socket.sends), 2)

    def test_without_members_nothing_is_encoded_or_kept(self) -> None:
        self.publish("a")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        late = self.member()
        self.turn()
        self.assertEqual(self.texts(late), [])

    def test_it_counts(self) -> None:
        for _ in range(3):
            self.member()
        self.publish("a", "b")
        self.turn()
        self.assertEqual((self.channel.totals.published, self.channel.totals.delivered), (2, 6))


class MembershipTests(ChannelCase):
    """Who hears what."""

    def test_a_newcomer_does_not_hear_what_was_published_before(self) -> None:
        early = self.member()
        self.publish("a")
        late = self.member()
        self.publish("b")
        self.turn()
        self.assertEqual(self.texts(early), ["a", "b"])
        self.assertEqual(self.texts(late), ["b"])

    def test_joining_sends_first_what_was_published(self) -> None:
        """Whatever the newcomer causes comes after it for all."""
        early, late = self.member(), self.member()
        self.channel.leave(self.client(late))
        self.publish("a")
        self.channel.join(self.client(late))
        self.assertEqual(self.texts(early), ["a"])
        self.turn()
        self.assertEqual(self.texts(late), [])

    def test_who_leaves_gets_what_was_published_up_to_then(self) -> None:
        link = self.member()
        self.publish("a")
        self.channel.leave(self.client(link))
        self.publish("b")
        self.turn()
        self.assertEqual(self.texts(link), ["a"])
        self.assertEqual(self.client(link).channels, [])

    def test_flush_sends_now(self) -> None:
        link = self.member()
        self.publish("a")
        self.channel.flush()
        self.assertEqual(self.texts(link), ["a"])
        self.turn()
        self.assertEqual(self.texts(link), [])

    def test_what_follows_a_flush_goes_at_the_end_of_the_turn(self) -> None:
        link = self.member()
        self.publish("a")
        self.channel.flush()
        self.publish("b")
        self.turn()
        self.assertEqual(self.texts(link), ["a", "b"])

    def test_its_length_is_the_number_of_members(self) -> None:
        links = [self.member(), self.member(wire=CountingWire())]
        self.assertEqual(len(self.channel), 2)
        links[0].goes()
        self.assertEqual(len(self.channel), 1)

    def test_who_is_gone_leaves(self) -> None:
        link = self.member()
        stays = self.member()
        self.publish("a")
        link.goes()
        self.turn()
        self.assertEqual(len(self.channel), 1)
        self.assertEqual(self.texts(stays), ["a"])

    def test_rewired_it_hears_everything_once_and_in_order(self) -> None:
        link, other = self.member(), self.member()
        self.publish("a")
        self.client(link).rewire(CountingWire(MSGPACK))
        self.assertEqual(self.texts(link), ["a"])
        self.publish("b")
        self.turn()
        rest = link.taken[link.taken.index(b"\n") + 1 : -1]
        self.assertEqual(msgspec.msgpack.decode(rest), {"type": "said", "text": "b"})
        self.assertEqual(self.texts(other), ["a", "b"])
        self.assertEqual(len(self.channel), 2)


class MergeTests(ChannelCase):
    """Messages with a key: those who lag get the newest only."""

    def rounds(self) -> None:
        for n in range(4):
            self.publish(f"state {n}", key="state")
            self.turn()

    def test_who_keeps_up_gets_every_one(self) -> None:
        link = self.member()
        self.rounds()
        self.assertEqual(self.texts(link), ["state 0", "state 1", "state 2", "state 3"])

    def test_who_lags_gets_the_newest(self) -> None:
        quick, slow = self.member(), self.member(room=0)
        self.publish("before")
        self.rounds()
        self.publish("after")
        self.turn()
        slow.reads()
        self.assertEqual(self.texts(quick), ["before", "state 0", "state 1", "state 2", "state 3", "after"])
        self.assertEqual(self.texts(slow), ["before", "state 0", "after", "state 3"])  # the first met no backlog

    def test_keys_are_merged_each_for_itself(self) -> None:
        slow = self.member(room=0)
        self.publish("before")
        self.turn()
        for n in range(3):
            for key in ("a", "b"):
                self.publish(f"{key}{n}", key=key)
            self.turn()
        slow.reads()
        self.assertEqual(self.texts(slow), ["before", "a2", "b2"])

    def test_what_has_no_key_is_never_merged(self) -> None:
        slow = self.member(room=0)
        for n in range(3):
            self.publish(f"said {n}")
            self.publish(f"state {n}", key="state")
            self.turn()
        slow.reads()
        self.assertEqual(self.texts(slow)[:4], ["said 0", "state 0", "said 1", "said 2"])


class OverflowTests(ChannelCase):
    """A member that lags too far."""

    limits = {"send_queue": 2000}

    def test_it_leaves_and_the_others_notice_nothing(self) -> None:
        first, slow, last = self.member(), self.member(room=0), self.member()
        self.publish("a" * 1500)
        self.turn()
        self.publish("b" * 1500)
        self.turn()
        self.turn()
        self.assertEqual(len(self.channel), 2)
        self.publish("c")
        self.turn()
        for link in (first, last):
            self.assertEqual([text[0] for text in self.texts(link)], ["a", "b", "c"])
        slow.reads()
        told = slow.heard()
        self.assertEqual(told[0]["text"], "a" * 1500)
        self.assertEqual([message.get("code") for message in told[1:]], ["slow_consumer"])

    def test_several_at_once(self) -> None:
        slow = [self.member(room=0) for _ in range(5)]
        quick = self.member()
        self.publish("a" * 3000)
        self.turn()
        self.turn()
        self.assertEqual(len(self.channel), 1)
        self.assertEqual(len(self.parrot.gone), 5)
        self.assertEqual(len(self.texts(quick)), 1)
        for link in slow:
            link.reads()
            self.assertEqual([message["code"] for message in link.heard()], ["slow_consumer"])
