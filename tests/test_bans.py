"""Tests of L{netplay.bans}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

import netplay.bans
from netplay.bans import Bans, network_named
from netplay.errors import Refused


class BansTests(SynchronousTestCase):
    """Who is kept out, and for how long."""

    def setUp(self) -> None:
        self.bans = Bans()

    def ban(self, network: str, seconds: float = 60, now: float = 0) -> str:
        return self.bans.add(network_named(network), seconds, "", now).id

    def banned(self, host: str, now: float = 0) -> bool:
        try:
            self.bans.check(host, now)
        except Refused as refused:
            self.assertEqual(refused.code, "banned")
            return True
        return False

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
        self.ban("192.0.2.7", seconds=60, now=100)
        self.assertTrue(self.banned("192.0.2.7", 159.9))
        self.assertFalse(self.banned("192.0.2.7", 160))
        self.assertEqual(self.bans.all(160), [])

    def test_the_one_who_is_banned_is_told_why_and_for_how_long(self) -> None:
        self.bans.add(network_named("192.0.2.7"), 60, "spam", 100)
        refused = self.assertRaises(Refused, self.bans.check, "192.0.2.7", 110)
        self.assertIn("spam", refused.message)
        self.assertEqual(refused.more, {"retry_after": 50})

    def test_a_network_that_has_one_gets_another(self) -> None:
        first = self.ban("192.0.2.7", seconds=60)
        self.assertEqual(self.ban("192.0.2.7", seconds=10), first)
        self.assertFalse(self.banned("192.0.2.7", 20))

    def test_lifted(self) -> None:
        first, second = self.ban("192.0.2.7"), self.ban("192.0.2.8")
        self.bans.lift(first, 0)
        self.assertEqual([self.banned(host) for host in ("192.0.2.7", "192.0.2.8")], [False, True])
        self.assertRaises(Refused, self.bans.lift, first, 0)
        self.assertRaises(Refused, self.bans.lift, second, 60)

    def test_so_many_and_no_more(self) -> None:
        self.patch(netplay.bans, "MOST_BANS", 2)
        self.ban("192.0.2.1")
        self.ban("192.0.2.2")
        self.assertEqual(self.assertRaises(Refused, self.ban, "192.0.2.3").code, "too_many")
        self.ban("192.0.2.2")
        self.ban("192.0.2.3", now=60)

    def test_nothing_is_kept_of_those_that_ended(self) -> None:
        self.ban("192.0.2.0/24")
        self.ban("2001:db8::/32")
        self.bans.all(60)
        self.assertEqual((self.bans._bans, self.bans._lengths), ({}, {}))

    def test_peers_without_an_address_are_never_meant(self) -> None:
        ban = self.bans.add(network_named("0.0.0.0/0"), 60, "", 0)
        self.assertFalse(ban.holds(None))
        self.assertEqual((ban.holds("192.0.2.1"), ban.holds("2001:db8::1")), (True, False))

    def test_what_is_no_network(self) -> None:
        for wrong in ("", "example.com", "192.0.2", "192.0.2.0/33", "192.0.2.1/", "::/129", ":", "1"):
            refused = self.assertRaises(Refused, network_named, wrong)
            self.assertEqual((refused.code, refused.field), ("bad_message", "$.network"))
