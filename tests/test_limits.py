"""Tests of L{netplay.limits}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.limits import Gate, Limits, TokenBucket, network_of


class TokenBucketTests(SynchronousTestCase):
    """A rate with a burst."""

    def test_a_burst_goes_through_at_once_and_no_more(self) -> None:
        bucket = TokenBucket(rate=2, burst=3, now=100)
        self.assertEqual([bucket.take(100) == 0 for _ in range(5)], [True, True, True, False, False])

    def test_who_has_to_wait_is_told_for_how_long(self) -> None:
        bucket = TokenBucket(rate=2, burst=1, now=100)
        bucket.take(100)
        self.assertEqual(bucket.take(100), 0.5)
        self.assertEqual(bucket.take(100.25), 0.25)

    def test_after_that_time_there_is_a_token_and_not_before(self) -> None:
        bucket = TokenBucket(rate=4, burst=1, now=100)
        bucket.take(100)
        self.assertGreater(bucket.take(100.125), 0)
        self.assertEqual(bucket.take(100.25), 0)

    def test_being_refused_costs_nothing(self) -> None:
        bucket = TokenBucket(rate=1, burst=1, now=100)
        bucket.take(100)
        for _ in range(10):
            self.assertEqual(bucket.take(100), 1)
        self.assertEqual(bucket.take(101), 0)

    def test_no_more_than_the_burst_is_kept(self) -> None:
        bucket = TokenBucket(rate=2, burst=3, now=100)
        self.assertEqual([bucket.take(10_000) == 0 for _ in range(4)], [True, True, True, False])

    def test_a_clock_that_goes_backwards_takes_nothing_away(self) -> None:
        bucket = TokenBucket(rate=1, burst=2, now=100)
        self.assertEqual(bucket.take(100), 0)
        self.assertEqual(bucket.take(50), 0)
        self.assertEqual(bucket.take(50), 1)

    def test_after_a_clock_went_backwards_tokens_flow_in_from_there(self) -> None:
        bucket = TokenBucket(rate=1, burst=1, now=100)
        bucket.take(100)
        bucket.take(50)
        self.assertEqual(bucket.take(51), 0)

    def test_a_burst_under_one_lets_one_through(self) -> None:
        bucket = TokenBucket(rate=0.5, burst=0.1, now=100)
        self.assertEqual(bucket.take(100), 0)
        self.assertEqual(bucket.take(100), 2)
        self.assertEqual(bucket.take(102), 0)

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.integers(-64, 64), max_size=60))
    def test_whatever_the_clock_does_tokens_stay_between_none_and_the_burst(self, steps: list[int]) -> None:
        bucket = TokenBucket(rate=4, burst=5, now=1000)
        now, forward, taken = 1000.0, 0.0, 0
        for step in steps:
            now += step / 16
            forward += max(step, 0) / 16
            wait = bucket.take(now)
            taken += wait == 0
            self.assertTrue(0 <= wait <= 1 / 4)
            self.assertTrue(0 <= bucket._tokens <= 5)
        self.assertLessEqual(taken, 5 + forward * 4)


class GateTests(SynchronousTestCase):
    """Who may come in."""

    def test_the_whole_is_capped(self) -> None:
        gate = Gate(Limits(max_connections=2, max_per_address=9))
        gate.enter("192.0.2.1")
        gate.enter("192.0.2.2")
        self.assertEqual(self.assertRaises(Refused, gate.enter, "192.0.2.3").code, "server_full")
        self.assertEqual(gate.inside, 2)

    def test_each_address_is_capped(self) -> None:
        gate = Gate(Limits(max_per_address=1))
        gate.enter("192.0.2.1")
        self.assertEqual(self.assertRaises(Refused, gate.enter, "192.0.2.1").code, "server_full")
        gate.enter("192.0.2.2")
        self.assertEqual(gate.inside, 2)

    def test_who_was_refused_does_not_count(self) -> None:
        gate = Gate(Limits(max_connections=2, max_per_address=1))
        gate.enter("192.0.2.1")
        for _ in range(3):
            self.assertRaises(Refused, gate.enter, "192.0.2.1")
        gate.enter("192.0.2.2")

    def test_there_is_room_again_when_someone_leaves(self) -> None:
        gate = Gate(Limits(max_connections=2, max_per_address=1))
        key = gate.enter("192.0.2.1")
        gate.enter("192.0.2.2")
        self.assertRaises(Refused, gate.enter, "192.0.2.1")
        gate.leave(key)
        gate.enter("192.0.2.1")

    def test_peers_without_an_address_count_towards_the_whole_only(self) -> None:
        gate = Gate(Limits(max_connections=3, max_per_address=1))
        for _ in range(3):
            self.assertIsNone(gate.enter(None))
        self.assertRaises(Refused, gate.enter, None)
        gate.leave(None)
        gate.enter(None)

    def test_neighbours_in_one_ipv6_network_share_a_cap(self) -> None:
        gate = Gate(Limits(max_per_address=1))
        gate.enter("2001:db8:0:1::1")
        self.assertRaises(Refused, gate.enter, "2001:db8:0:1:ffff:ffff:ffff:ffff")
        gate.enter("2001:db8:0:2::1")

    def test_nothing_is_kept_of_those_who_left(self) -> None:
        gate = Gate(Limits())
        hosts = ["192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::2", "fe80::1%eth0", "::ffff:192.0.2.1", None]
        for key in [gate.enter(host) for host in hosts]:
            gate.leave(key)
        self.assertEqual((gate.inside, gate._by_address), (0, {}))

    def test_who_may_not_come_in_at_all_is_asked_first(self) -> None:
        def admit(host: str) -> None:
            if host == "192.0.2.1":
                raise Refused("banned", "no")

        gate = Gate(Limits(), admit)
        self.assertEqual(self.assertRaises(Refused, gate.enter, "192.0.2.1").code, "banned")
        gate.enter("192.0.2.2")
        gate.enter(None)
        self.assertEqual((gate.inside, gate._by_address), (2, {"192.0.2.2": 1}))

    def test_refusals_are_counted_by_reason(self) -> None:
        gate = Gate(Limits(max_connections=2, max_per_address=1))
        gate.enter("192.0.2.1")
        self.assertRaises(Refused, gate.enter, "192.0.2.1")
        gate.enter("192.0.2.2")
        for _ in range(2):
            self.assertRaises(Refused, gate.enter, "192.0.2.3")
        self.assertEqual(gate.refused, {"address_full": 1, "all_places_taken": 2})


class NetworkTests(SynchronousTestCase):
    """L{network_of}."""

    def test_an_ipv4_address_stands_for_itself(self) -> None:
        self.assertEqual(network_of("192.0.2.1"), "192.0.2.1")

    def test_an_ipv6_address_stands_for_its_64(self) -> None:
        self.assertEqual(network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64")

    def test_an_ipv4_address_in_ipv6_is_that_ipv4_address(self) -> None:
        self.assertEqual(network_of("::ffff:192.0.2.1"), network_of("192.0.2.1"))
        self.assertEqual(network_of("::ffff:c000:201"), network_of("192.0.2.1"))

    def test_the_interface_of_a_link_local_address_does_not_count(self) -> None:
        self.assertEqual(network_of("fe80::1%eth0"), "fe80::/64")
