"""Tests of L{netplay.moderation.sanctions}."""

from __future__ import annotations

import ipaddress

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

import netplay.moderation.sanctions as module
from netplay.errors import Refused
from netplay.moderation.sanctions import Sanctions, Who, by_account, by_name, by_network, holds, network_named
from netplay.store.records import SanctionRecord


class NetworkTests(SynchronousTestCase):
    """Who is kept out by where they are, and for how long."""

    def setUp(self) -> None:
        self.sanctions = Sanctions()

    def ban(self, network: str, ms: int = 60, now: int = 0) -> int:
        target = by_network(network_named(network))
        return self.sanctions.impose("ban", target, None, now + ms, "", "ann", now).id

    def banned(self, host: str, now: int = 0) -> bool:
        return self.sanctions.find("ban", Who(address=host), None, now) is not None

    def test_an_address(self) -> None:
        self.ban("192.0.2.7")
        self.assertEqual(
            [self.banned(host) for host in ("192.0.2.7", "192.0.2.8", "2001:db8::1")], [True, False, False]
        )

    def test_a_network(self) -> None:
        self.ban("192.0.2.77/24")
        self.assertEqual([self.banned(host) for host in ("192.0.2.255", "192.0.3.0")], [True, False])

    def test_an_ipv6_address_stands_for_its_64(self) -> None:
        self.ban("2001:db8::1")
        self.assertEqual([self.banned(host) for host in ("2001:db8::2%eth0", "2001:db8:0:1::1")], [True, False])

    def test_one_ipv6_address_alone(self) -> None:
        self.ban("2001:db8::1/128")
        self.assertEqual([self.banned(host) for host in ("2001:db8::1", "2001:db8::2")], [True, False])

    def test_an_ipv4_address_in_ipv6_is_that_ipv4_address(self) -> None:
        self.ban("::ffff:192.0.2.7")
        self.assertEqual([self.banned(host) for host in ("192.0.2.7", "::ffff:192.0.2.7")], [True, True])

    def test_several_lengths(self) -> None:
        for network in ("10.0.0.0/8", "192.0.2.0/24", "198.51.100.1", "2001:db8::/32"):
            self.ban(network)
        hosts = ("10.9.8.7", "192.0.2.1", "198.51.100.1", "2001:db8:1::1", "198.51.100.2", "11.0.0.1")
        self.assertEqual([self.banned(host) for host in hosts], [True] * 4 + [False] * 2)

    def test_it_ends_by_itself(self) -> None:
        self.ban("192.0.2.7", ms=60, now=100)
        self.assertTrue(self.banned("192.0.2.7", 159))
        self.assertFalse(self.banned("192.0.2.7", 160))
        self.assertEqual(self.sanctions.all("ban", 160), [])

    def test_or_never(self) -> None:
        self.sanctions.impose("ban", "network:192.0.2.7/32", None, None, "", "ann", 0)
        self.assertTrue(self.banned("192.0.2.7", 2**50))

    def test_a_network_that_has_one_gets_another(self) -> None:
        first = self.ban("192.0.2.7", ms=60)
        self.assertEqual(self.ban("192.0.2.7", ms=10), first)
        self.assertFalse(self.banned("192.0.2.7", 20))

    def test_lifted(self) -> None:
        self.ban("192.0.2.7")
        self.ban("192.0.2.8")
        self.assertIsNotNone(self.sanctions.lift("ban", "network:192.0.2.7/32", None))
        self.assertEqual([self.banned(host) for host in ("192.0.2.7", "192.0.2.8")], [False, True])
        self.assertIsNone(self.sanctions.lift("ban", "network:192.0.2.7/32", None))

    def test_so_many_and_no_more(self) -> None:
        self.patch(module, "MOST_SANCTIONS", 2)
        self.ban("192.0.2.1")
        self.ban("192.0.2.2")
        self.assertEqual(self.assertRaises(Refused, self.ban, "192.0.2.3").code, "too_many")
        self.ban("192.0.2.2")

    def test_nothing_is_kept_of_those_that_ended(self) -> None:
        first, second = self.ban("192.0.2.0/24"), self.ban("2001:db8::/32", ms=90)
        self.assertEqual([record.id for record in self.sanctions.take_ended(60)], [first])
        self.assertEqual([record.id for record in self.sanctions.take_ended(90)], [second])
        self.assertEqual((self.sanctions._by_key, self.sanctions._lengths), ({}, {}))

    def test_peers_without_an_address_are_never_meant(self) -> None:
        self.ban("0.0.0.0/0")
        self.assertIsNone(self.sanctions.find("ban", Who(), None, 0))
        target = "network:0.0.0.0/0"
        self.assertEqual((holds(target, "192.0.2.1"), holds(target, "2001:db8::1")), (True, False))

    def test_what_is_no_network(self) -> None:
        for wrong in ("", "example.com", "192.0.2", "192.0.2.0/33", "192.0.2.1/", "::/129", ":", "1"):
            refused = self.assertRaises(Refused, network_named, wrong)
            self.assertEqual((refused.code, refused.field), ("bad_message", "$.network"))


Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Shape = tuple[int, int, int]
"""A network: its version, its first bits as a number, and how many these are."""


@st.composite
def networks(draw: st.DrawFn) -> tuple[str, Shape]:
    """A network as somebody writes it, and what it is."""
    address: Address = draw(st.ip_addresses())
    assume(getattr(address, "ipv4_mapped", None) is None)
    version, bits = address.version, address.max_prefixlen
    written = draw(st.sampled_from(("alone", "long", "mapped")))
    if written == "alone":  # stands for one subscriber
        length = 32 if version == 4 else 64
        text = str(address)
    else:
        length = draw(st.integers(0, bits))
        mapped = written == "mapped" and version == 4
        text = f"::ffff:{address}/{96 + length}" if mapped else f"{address}/{length}"
    return text, (version, int(address) >> (bits - length), length)


@st.composite
def peers(draw: st.DrawFn, shape: Shape) -> tuple[str, Address]:
    """Somebody in a network: the address as a system may write it, and what it is."""
    version, first, length = shape
    rest = (32 if version == 4 else 128) - length
    number = first << rest | draw(st.integers(0, 2**rest - 1))
    if version == 4:
        old = ipaddress.IPv4Address(number)
        return draw(st.sampled_from((str(old), f"::ffff:{old}"))), old
    new = ipaddress.IPv6Address(number)
    assume(new.ipv4_mapped is None)
    return draw(st.sampled_from((str(new), new.exploded, f"{new}%eth0"))), new


def has(shape: Shape, address: Address) -> bool:
    """Whether a network has an address, by its bits."""
    version, first, length = shape
    return address.version == version and int(address) >> (address.max_prefixlen - length) == first


class AnyNetworkTests(SynchronousTestCase):
    """Whatever networks are banned, and whoever comes."""

    @settings(max_examples=100, deadline=None)
    @given(st.lists(networks(), min_size=1, max_size=4), st.data())
    def test_who_is_in_one_is_kept_out_and_nobody_else(
        self, written: list[tuple[str, Shape]], data: st.DataObject
    ) -> None:
        sanctions = Sanctions()
        banned = {by_network(network_named(text)): shape for text, shape in written}
        for target in banned:
            sanctions.impose("ban", target, None, None, "", "ann", 0)
        shapes = list(banned.values())
        while banned:
            version, first, length = data.draw(st.sampled_from(shapes))
            beside = first ^ 1 if length else first
            for shape in ((version, first, length), (version, beside, length), (4, 0, 0), (6, 0, 0)):
                host, address = data.draw(peers(shape))
                meant = any(has(shape, address) for shape in banned.values())
                self.assertEqual(sanctions.find("ban", Who(address=host), None, 0) is not None, meant, host)
                self.assertEqual(any(holds(target, host) for target in banned), meant, host)
            lifted = data.draw(st.sampled_from(list(banned)))
            sanctions.lift("ban", lifted, None)
            del banned[lifted]
        self.assertIsNone(sanctions.find("ban", Who(address=host), None, 0))


class SanctionsTests(SynchronousTestCase):
    """Mutes and bans of people, in rooms and everywhere."""

    def setUp(self) -> None:
        self.sanctions = Sanctions()

    def impose(self, target: str, room: str | None = None, kind: module.Kind = "mute") -> SanctionRecord:
        return self.sanctions.impose(kind, target, room, None, "", "ann", 0)

    def muted(self, who: Who, room: str | None = "tech") -> bool:
        return self.sanctions.find("mute", who, room, 0) is not None

    def test_a_name_is_meant_however_it_is_written(self) -> None:
        self.impose(by_name("Bob"))
        self.assertTrue(self.muted(Who("BOB")))
        self.assertTrue(self.muted(Who("\uff22ob")))
        self.assertFalse(self.muted(Who("Bobby")))

    def test_an_account_is_meant_whatever_it_is_called(self) -> None:
        self.impose(by_account("bob"))
        self.assertTrue(self.muted(Who("Robert", "bob")))
        self.assertFalse(self.muted(Who("bob")))

    def test_one_in_a_room_holds_there(self) -> None:
        self.impose(by_name("bob"), "tech")
        self.assertEqual([self.muted(Who("bob"), room) for room in ("tech", "art", None)], [True, False, False])

    def test_one_everywhere_holds_in_every_room(self) -> None:
        self.impose(by_name("bob"))
        self.assertEqual([self.muted(Who("bob"), room) for room in ("tech", None)], [True, True])

    def test_those_in_a_room_leave_no_less_for_the_others(self) -> None:
        self.patch(module, "MOST_IN_ROOM", 1)
        self.patch(module, "MOST_SANCTIONS", 1)
        self.impose(by_name("bob"), "tech")
        error = self.assertRaises(Refused, self.impose, by_name("cy"), "tech")
        self.assertEqual(error.code, "too_many")
        self.impose(by_name("cy"), "art")
        self.impose(by_name("cy"))
        self.sanctions.lift("mute", by_name("bob"), "tech")
        self.impose(by_name("cy"), "tech")

    def test_who_is_muted_is_not_banned(self) -> None:
        self.impose(by_name("bob"))
        self.assertIsNone(self.sanctions.find("ban", Who("bob"), "tech", 0))

    def test_what_was_decided_before_holds_and_new_ones_have_new_ids(self) -> None:
        record = self.impose(by_name("bob"), "tech")
        again = Sanctions()
        again.know(record)
        self.assertIsNotNone(again.find("mute", Who("bob"), "tech", 0))
        self.assertEqual(again.impose("ban", by_name("cy"), None, None, "", "ann", 0).id, record.id + 1)

    def test_lists(self) -> None:
        everywhere, there = self.impose(by_name("bob")), self.impose(by_name("bob"), "tech")
        self.impose(by_name("bob"), "art")
        self.impose(by_name("bob"), kind="ban")
        self.assertEqual(self.sanctions.all("mute", 0), [everywhere])
        self.assertEqual(self.sanctions.all("mute", 0, "tech", everywhere=False), [there])
