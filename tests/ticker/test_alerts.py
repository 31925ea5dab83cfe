"""L{netplay.ticker.alerts}: when an alert fires, when it may again, and whose it is."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.ticker.alerts import HYSTERESIS, Alert, Alerts


def fired(alerts: Alerts, prices: Iterable[float], symbol: str = "AAPL") -> list[float]:
    """Those of the prices at which something fired."""
    return [price for price in prices if alerts.crossed(symbol, price)[0]]


class CrossingTests(SynchronousTestCase):
    """L{Alerts.crossed}, with thresholds of 100 and so a margin of 0.2."""

    def setUp(self) -> None:
        self.alerts = Alerts()

    def test_above(self) -> None:
        self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        self.assertEqual(fired(self.alerts, [99.99, 101.0]), [101.0])

    def test_below(self) -> None:
        self.alerts.set("ann", "AAPL", below=100.0, price_now=110.0)
        self.assertEqual(fired(self.alerts, [100.01, 99.0]), [99.0])

    def test_exactly_at_the_threshold_from_below(self) -> None:
        self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        self.assertEqual(fired(self.alerts, [100.0]), [100.0])

    def test_exactly_at_the_threshold_from_above(self) -> None:
        self.alerts.set("ann", "AAPL", below=100.0, price_now=110.0)
        self.assertEqual(fired(self.alerts, [100.0]), [100.0])

    def test_tells_whose_it_is(self) -> None:
        alert = self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        self.assertEqual(self.alerts.crossed("AAPL", 100.0), ([("ann", alert)], []))

    def test_other_symbols_do_not_matter(self) -> None:
        self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        self.assertEqual(fired(self.alerts, [200.0], "MSFT"), [])

    def test_beyond_when_set(self) -> None:
        """Nothing was crossed: the price was there before."""
        for side in ("above", "below"):
            alert = self.alerts.set("ann", "AAPL", price_now=100.0, **{side: 100.0})
            self.assertFalse(alert.armed)
        self.assertEqual(fired(self.alerts, [100.0]), [])

    def test_beyond_when_set_fires_after_the_price_was_on_the_other_side(self) -> None:
        self.alerts.set("ann", "AAPL", above=100.0, price_now=120.0)
        self.assertEqual(fired(self.alerts, [110.0, 90.0, 105.0]), [105.0])

    def test_below_beyond_when_set_fires_after_the_price_was_on_the_other_side(self) -> None:
        self.alerts.set("ann", "AAPL", below=100.0, price_now=80.0)
        self.assertEqual(fired(self.alerts, [90.0, 110.0, 95.0]), [95.0])

    def test_beyond_when_set_needs_the_margin_too(self) -> None:
        """Else noise would fire it although the price never really was on the other side."""
        self.alerts.set("ann", "AAPL", above=100.0, price_now=100.1)
        self.assertEqual(fired(self.alerts, [99.9, 100.1]), [])

    def test_fires_once_while_it_stays_beyond(self) -> None:
        self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        self.assertEqual(fired(self.alerts, [101.0, 102.0, 103.0]), [101.0])

    def test_repeats_after_going_back_by_the_margin(self) -> None:
        self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        self.assertEqual(fired(self.alerts, [101.0, 99.8, 102.0]), [101.0, 102.0])

    def test_does_not_repeat_before_the_margin(self) -> None:
        self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        self.assertEqual(fired(self.alerts, [101.0, 99.81, 102.0]), [101.0])

    def test_below_repeats_after_the_margin_only(self) -> None:
        self.alerts.set("ann", "AAPL", below=100.0, price_now=110.0)
        self.assertEqual(fired(self.alerts, [99.0, 100.19, 98.0, 100.21, 97.0]), [99.0, 97.0])

    def test_armed_says_whether_it_would_fire(self) -> None:
        alert = self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        self.assertTrue(alert.armed)
        self.alerts.crossed("AAPL", 101.0)
        self.assertFalse(alert.armed)
        self.alerts.crossed("AAPL", 99.0)
        self.assertTrue(alert.armed)

    def test_several_fire_in_the_order_in_which_they_were_set(self) -> None:
        self.alerts.set("ann", "AAPL", above=105.0, price_now=102.0)
        self.alerts.set("bob", "AAPL", above=103.0, price_now=102.0)
        self.alerts.set("cyd", "AAPL", above=107.0, price_now=102.0)
        self.alerts.set("dan", "AAPL", above=104.0, price_now=102.0)
        self.assertEqual([owner for owner, _ in self.alerts.crossed("AAPL", 106.0)[0]], ["ann", "bob", "dan"])

    def test_owners_that_cannot_be_compared(self) -> None:
        """An owner need only be hashable, also where two alerts are otherwise alike."""
        for owner in (object(), None, "ann"):
            self.alerts.set(owner, "AAPL", above=100.0, price_now=90.0)
        self.assertEqual(len(self.alerts.crossed("AAPL", 100.0)[0]), 3)

    @given(
        st.floats(0.0001, 1e9),
        st.sampled_from(["above", "below"]),
        st.lists(st.floats(-0.99, 0.99), max_size=50),
    )
    def test_noise_fires_once(self, threshold: float, side: str, noise: list[float]) -> None:
        """Whatever the price does within the margin around the threshold after it has crossed it."""
        alerts = Alerts()
        away, across = (0.5, 1.5) if side == "above" else (1.5, 0.5)
        alerts.set("ann", "AAPL", price_now=threshold * away, **{side: threshold})
        prices = [threshold * (1 + HYSTERESIS * part) for part in noise]
        self.assertEqual(len(fired(alerts, [threshold * across, *prices])), 1)

    @given(st.lists(st.integers(90, 110), max_size=40), st.integers(90, 110), st.booleans())
    def test_as_a_simple_machine(self, prices: list[int], start: int, above: bool) -> None:
        """The table gives what two states and two comparisons for one alert give."""
        alerts = Alerts()
        alerts.set("ann", "AAPL", price_now=start, **{"above" if above else "below": 100.0})
        sign = 1 if above else -1
        armed = sign * (start - 100) < 0
        expected = []
        for price in prices:
            beyond = sign * (price - 100) >= 0
            expected.append(armed and beyond)
            armed = (armed and not beyond) or (not armed and sign * (price - 100) <= -0.2)
        self.assertEqual([bool(alerts.crossed("AAPL", price)[0]) for price in prices], expected)


class OnceTests(SynchronousTestCase):
    """Alerts with C{once}."""

    def test_gone_after_firing(self) -> None:
        alerts = Alerts()
        alerts.set("ann", "AAPL", above=100.0, once=True, price_now=90.0)
        self.assertEqual(fired(alerts, [101.0, 90.0, 101.0]), [101.0])
        self.assertEqual(alerts.of("ann"), [])

    def test_waits_like_any_other(self) -> None:
        """Getting armed is not firing."""
        alerts = Alerts()
        alert = alerts.set("ann", "AAPL", above=100.0, once=True, price_now=110.0)
        self.assertEqual(fired(alerts, [90.0]), [])
        self.assertEqual(alerts.of("ann"), [alert])
        self.assertEqual(fired(alerts, [101.0]), [101.0])


class OwnerTests(SynchronousTestCase):
    """Setting, listing and taking back."""

    def setUp(self) -> None:
        self.alerts = Alerts(most_each=2)

    def test_says_what_was_set(self) -> None:
        alert = self.alerts.set("ann", "AAPL", below=100.0, once=True, price_now=110.0)
        self.assertEqual(
            (alert.id, alert.symbol, alert.threshold, alert.direction, alert.once, alert.armed),
            ("1", "AAPL", 100.0, "below", True, True),
        )

    def test_ids_count_up_and_are_not_used_again(self) -> None:
        self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        self.alerts.cancel("ann", "1")
        self.assertEqual(self.alerts.set("bob", "AAPL", above=100.0, price_now=90.0).id, "2")

    def test_lists_the_owners_own(self) -> None:
        first = self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        self.alerts.set("bob", "AAPL", above=100.0, price_now=90.0)
        second = self.alerts.set("ann", "MSFT", above=100.0, price_now=90.0)
        self.assertEqual(self.alerts.of("ann"), [first, second])

    def test_lists_nothing_for_a_stranger(self) -> None:
        self.assertEqual(self.alerts.of("zoe"), [])

    def test_too_many(self) -> None:
        for _ in range(2):
            self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        refused = self.assertRaises(Refused, self.alerts.set, "ann", "MSFT", above=1.0, price_now=2.0)
        self.assertEqual(refused.code, "too_many")

    def test_others_may_when_one_has_too_many(self) -> None:
        for _ in range(2):
            self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        self.assertEqual(self.alerts.set("bob", "AAPL", above=100.0, price_now=90.0).id, "3")

    def test_one_that_fired_for_good_makes_room(self) -> None:
        for _ in range(2):
            self.alerts.set("ann", "AAPL", above=100.0, once=True, price_now=90.0)
        self.alerts.crossed("AAPL", 100.0)
        self.assertEqual(self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0).id, "3")

    def test_above_or_below_is_needed(self) -> None:
        refused = self.assertRaises(Refused, self.alerts.set, "ann", "AAPL", price_now=90.0)
        self.assertEqual(refused.code, "bad_message")

    def test_above_and_below_are_two_alerts(self) -> None:
        refused = self.assertRaises(Refused, self.alerts.set, "ann", "AAPL", above=100.0, below=80.0, price_now=90.0)
        self.assertEqual(refused.code, "bad_message")

    def test_a_threshold_is_above_zero(self) -> None:
        for threshold in (0.0, -1.0, float("nan"), float("inf")):
            refused = self.assertRaises(Refused, self.alerts.set, "ann", "AAPL", below=threshold, price_now=90.0)
            self.assertEqual((refused.code, refused.field), ("bad_message", "$.below"))

    def test_cancelled_never_fires(self) -> None:
        self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        kept = self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        self.alerts.cancel("ann", "1")
        self.assertEqual(self.alerts.of("ann"), [kept])
        self.assertEqual(self.alerts.crossed("AAPL", 100.0), ([("ann", kept)], []))

    def test_cancel_what_is_not_there(self) -> None:
        refused = self.assertRaises(Refused, self.alerts.cancel, "ann", "7")
        self.assertEqual((refused.code, refused.field), ("bad_message", "$.alert"))

    def test_cancel_what_is_somebody_elses(self) -> None:
        alert = self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        self.assertRaises(Refused, self.alerts.cancel, "bob", alert.id)
        self.assertEqual(self.alerts.of("ann"), [alert])

    def test_forgotten_owner(self) -> None:
        self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0)
        self.alerts.set("ann", "AAPL", above=80.0, price_now=90.0)
        kept = self.alerts.set("bob", "AAPL", above=100.0, price_now=90.0)
        self.alerts.forget("ann")
        self.assertEqual(self.alerts.of("ann"), [])
        self.assertEqual(self.alerts.crossed("AAPL", 100.0), ([("bob", kept)], []))

    def test_forget_a_stranger(self) -> None:
        """Who never set an alert leaves like anyone."""
        self.alerts.forget("zoe")

    def test_there_is_an_end_to_those_of_all_together(self) -> None:
        alerts = Alerts(most=2)
        for owner in ("ann", "bob"):
            alerts.set(owner, "AAPL", above=100.0, once=True, price_now=90.0)
        refused = self.assertRaises(Refused, alerts.set, "cyd", "AAPL", above=100.0, price_now=90.0)
        self.assertEqual(refused.code, "too_many")
        alerts.forget("ann")
        alerts.set("cyd", "AAPL", above=100.0, price_now=90.0)
        alerts.crossed("AAPL", 100.0)
        alerts.set("dan", "AAPL", above=100.0, price_now=90.0)

    def test_handed_over(self) -> None:
        first, second, third = (
            self.alerts.set(who, "AAPL", above=100.0, price_now=90.0) for who in ("ann", "bob", "ann")
        )
        self.assertEqual(self.alerts.hand_over("ann", "bob"), [first])
        self.assertEqual((self.alerts.of("ann"), self.alerts.of("bob")), ([], [first, second]))
        self.assertEqual(self.alerts.crossed("AAPL", 100.0), ([("bob", first), ("bob", second)], []))
        self.assertNotIn(third, self.alerts.of("bob"))

    def test_set_before(self) -> None:
        alert = Alert("7", "AAPL", 100.0, "above", once=False, armed=False)
        self.alerts.add("ann", alert)
        self.assertEqual(self.alerts.crossed("AAPL", 90.0), ([], [("ann", alert)]))
        self.assertEqual(self.alerts.crossed("AAPL", 100.0), ([("ann", alert)], []))
        self.assertEqual(self.alerts.set("ann", "AAPL", above=100.0, price_now=90.0).id, "8")

    @given(
        st.lists(
            st.tuples(st.sampled_from(["above", "below"]), st.integers(1, 20), st.booleans())
            | st.integers(1, 20)
            | st.just("cancel")
        ),
        st.booleans(),
    )
    def test_nothing_is_left_when_all_are_gone(self, steps: list[object], one_by_one: bool) -> None:
        """
        Whatever was set, crossed and cancelled before, forgetting everyone, or cancelling all, leaves no
        trace: a daemon that runs for months does not grow.
        """
        alerts = Alerts()
        price = 10
        for step in steps:
            if isinstance(step, tuple):
                side, threshold, once = step
                alerts.set("ann", "AAPL", price_now=price, once=once, **{side: threshold})
            elif isinstance(step, int):
                price = step
                alerts.crossed("AAPL", price)
            elif own := alerts.of("ann"):
                alerts.cancel("ann", own[len(own) // 2].id)
        if one_by_one:
            for alert in alerts.of("ann"):
                alerts.cancel("ann", alert.id)
        else:
            alerts.forget("ann")
        self.assertEqual((alerts._by_owner, alerts._by_symbol, alerts._count), ({}, {}, 0))
