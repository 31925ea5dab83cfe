"""Tests of L{netplay.accounts.throttle}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from netplay.accounts.throttle import FORGOTTEN_AFTER, FREE, FREE_FOR_ADDRESSES, LONGEST, MOST, Failures, Throttle
from netplay.errors import Refused


class FailuresTests(SynchronousTestCase):
    """Each failure beyond the free ones doubles the wait."""

    def setUp(self) -> None:
        self.failures = Failures(3)

    def fail(self, times: int, now: float = 0.0) -> float:  # type: ignore[override]
        for _ in range(times):
            self.failures.charge("ann", now)
        return self.failures.wait("ann", now)

    def test_the_first_are_free(self) -> None:
        self.assertEqual(self.fail(3), 0.0)

    def test_then_each_doubles_the_wait_up_to_the_longest(self) -> None:
        self.fail(3)
        self.assertEqual([self.fail(1) for _ in range(12)], [min(2.0**n, LONGEST) for n in range(12)])
        self.assertEqual(self.fail(5000), LONGEST)

    def test_the_wait_passes(self) -> None:
        self.fail(5)
        self.assertEqual(self.failures.wait("ann", 1.5), 0.5)
        self.assertEqual(self.failures.wait("ann", 3.0), 0.0)

    def test_others_do_not_wait(self) -> None:
        self.fail(10)
        self.assertEqual(self.failures.wait("bob", 0.0), 0.0)

    def test_what_was_no_failure_takes_the_wait_away_and_nothing_else(self) -> None:
        self.fail(5)
        self.failures.forgive("ann", 0.0)
        self.assertEqual(self.failures.wait("ann", 0.0), 0.0)
        self.assertEqual(self.fail(1), 2.0)

    def test_after_a_long_time_all_is_as_it_was(self) -> None:
        self.fail(20)
        self.assertEqual(self.fail(1, FORGOTTEN_AFTER), 0.0)

    def test_it_does_not_grow_without_end(self) -> None:
        for number in range(MOST + 5):
            self.failures.charge(str(number), 0.0)
        self.assertEqual(len(self.failures._tallies), MOST)
        for number in range(MOST + 5):
            self.failures.forgive(str(number), 0.0)
        self.assertEqual(len(self.failures._tallies), 0)


class ThrottleTests(SynchronousTestCase):
    """Who may try, where from."""

    def setUp(self) -> None:
        self.throttle = Throttle()
        self.addresses = (f"198.51.100.{n}" for n in range(256))

    def assertWaits(self, address: str | None, name: str | None, now: float = 0.0) -> None:
        refused = self.assertRaises(Refused, self.throttle.attempt, address, name, now)
        self.assertEqual(refused.code, "rate_limited")
        self.assertGreater(refused.more["retry_after"], 0)

    def from_everywhere(self, name: str, times: int) -> None:
        for _ in range(times):
            self.throttle.attempt(next(self.addresses), name, 0.0)

    def test_a_name_is_tried_a_few_times_wherever_from(self) -> None:
        self.from_everywhere("ann", FREE + 1)
        self.assertWaits(next(self.addresses), "ann")
        self.throttle.attempt(next(self.addresses), "bob", 0.0)

    def test_an_address_tries_a_few_names(self) -> None:
        for number in range(FREE_FOR_ADDRESSES + 1):
            self.throttle.attempt("192.0.2.7", f"name{number}", 0.0)
        self.assertWaits("192.0.2.7", "bob")
        self.assertWaits("192.0.2.7", None)
        self.throttle.attempt("192.0.2.8", "bob", 0.0)

    def test_ipv6_counts_by_64(self) -> None:
        for number in range(FREE_FOR_ADDRESSES + 1):
            self.throttle.attempt(f"2001:db8::{number:x}", None, 0.0)
        self.assertWaits("2001:db8::ffff", None)
        self.throttle.attempt("2001:db8:0:1::1", None, 0.0)

    def test_without_an_address_only_the_name_counts(self) -> None:
        for _ in range(FREE + 1):
            self.throttle.attempt(None, "ann", 0.0)
        self.assertWaits(None, "ann")
        self.throttle.attempt(None, "bob", 0.0)

    def test_tries_at_the_same_time_count_before_their_answers_are_known(self) -> None:
        self.from_everywhere("ann", FREE + 1)
        self.assertWaits("192.0.2.7", "ann")

    def test_success_takes_back_its_own_try_and_not_those_before_it(self) -> None:
        self.from_everywhere("ann", FREE)
        for _ in range(100):
            self.throttle.attempt("192.0.2.7", "ann", 0.0)
            self.throttle.take_back("192.0.2.7", "ann", 0.0)
        self.throttle.attempt("192.0.2.7", "ann", 0.0)
        self.assertWaits("192.0.2.7", "ann")

    def test_the_owner_gets_in_from_home_whatever_others_do(self) -> None:
        self.throttle.at_home("192.0.2.7", "ann")
        self.from_everywhere("ann", FREE + 1)
        for number in range(FREE_FOR_ADDRESSES + 1):
            self.throttle.attempt("192.0.2.7", f"name{number}", 0.0)
        self.throttle.attempt("192.0.2.7", "ann", 0.0)
        self.assertWaits("198.51.100.255", "ann")

    def test_at_home_one_may_not_try_for_ever_either(self) -> None:
        self.throttle.at_home("192.0.2.7", "ann")
        for _ in range(FREE + 1):
            self.throttle.attempt("192.0.2.7", "ann", 0.0)
        self.assertWaits("192.0.2.7", "ann")

    def test_homes_do_not_grow_without_end(self) -> None:
        for number in range(MOST + 5):
            self.throttle.at_home("192.0.2.7", str(number))
        self.assertEqual(len(self.throttle._homes), MOST)
