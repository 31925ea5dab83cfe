"""Tests of L{netplay.game.entities}."""

from __future__ import annotations

from math import inf, nan
from typing import Annotated, Any, Literal

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta
from twisted.trial.unittest import SynchronousTestCase

from netplay.game.entities import Entity, Hidden, Kind, Owner, Team, clamp, distance, kind_name, snake


class PowerUp(Entity):
    """Something of everything."""

    x: float = 0
    label: str = ""
    wish: Team[str] = ""
    fuel: Owner[float] = 1
    seed: Hidden[list[int]] = []
    path: tuple[int, ...] = ()
    size: Annotated[float, Meta(description="in metres")] = 0
    hue: Literal["red", "blue"] | None = None


class Named(Entity):
    """One that clients call otherwise."""

    kind = "thing"


class KindTests(SynchronousTestCase):
    """What clients are to know of a class."""

    def test_what_it_is_called(self) -> None:
        self.assertEqual([kind_name(PowerUp), kind_name(Named)], ["power_up", "thing"])
        self.assertEqual(
            [snake(name) for name in ("Steer", "PowerUp", "UpAndDown")], ["steer", "power_up", "up_and_down"]
        )

    def test_fields_that_somebody_sees_in_the_order_of_their_declaration(self) -> None:
        kind = Kind(PowerUp, 2)
        self.assertEqual(kind.fields, ("x", "label", "wish", "fuel", "path", "size", "hue"))
        self.assertEqual((kind.public, kind.team, kind.own), (0b1110011, 0b100, 0b1000))
        self.assertTrue(kind.has_secrets)
        self.assertFalse(Kind(Named, 2).has_secrets)

    def test_floats_are_rounded_to_whole_numbers(self) -> None:
        kind = Kind(PowerUp, 2)
        self.assertEqual(kind.scales, (100, 1, 1, 100, 1, 100, 1))
        values = kind.values(PowerUp(x=1.236, label="a", fuel=-0.004, size=2))
        self.assertEqual(values, (124, "a", "", 0, (), 200, None))
        self.assertEqual(kind.shown(values, 0b101001), {"x": 1.24, "fuel": 0, "size": 2})

    def test_without_digits_they_are_whole(self) -> None:
        kind = Kind(PowerUp, 0)
        self.assertEqual(kind.shown(kind.values(PowerUp(x=1.6)), 1), {"x": 2})

    def test_all_digits(self) -> None:
        kind = Kind(PowerUp, None)
        self.assertEqual(kind.shown(kind.values(PowerUp(x=1.23456789)), 1), {"x": 1.23456789})

    @given(st.floats(-1e9, 1e9), st.integers(0, 6))
    def test_what_is_shown_is_as_near_as_the_digits_allow(self, x: float, digits: int) -> None:
        kind = Kind(PowerUp, digits)
        shown = kind.shown(kind.values(PowerUp(x=x)), 1)["x"]
        self.assertLessEqual(abs(shown - x), 0.5001 / 10**digits + 1e-6)

    def test_what_is_no_number_is_named(self) -> None:
        wrong: Any
        for wrong in (nan, inf, 1e308, None, "far"):
            with self.subTest(wrong=wrong):
                thing = PowerUp(id="7", fuel=wrong)
                error = self.assertRaises(ValueError, Kind(PowerUp, 2).values, thing)
                self.assertIn("power_up '7'", str(error))
                self.assertIn(f"fuel is {wrong!r}", str(error))

    def test_declarations_that_cannot_be_shown(self) -> None:
        class Listing(Entity):
            cards: list[int] = []

        class Nested(Entity):
            cards: tuple[dict[str, int], ...] = ()

        class Kinded(Entity):
            kind: str = "x"  # type: ignore[misc]

        class Fixed(Entity):
            fixed: bool = True  # type: ignore[misc]

        class Owned(Entity):
            owner: str = "x"

        class HalfSecret(Entity):
            card: Owner[int] | None = None

        class InsideOut(Entity):
            cards: tuple[Team[int], ...] = ()

        for cls, field in (
            (Listing, "cards"),
            (Nested, "cards"),
            (Kinded, "kind"),
            (Fixed, "fixed"),
            (Owned, "owner"),
            (HalfSecret, "card"),
            (InsideOut, "cards"),
        ):
            with self.subTest(cls=cls):
                error = self.assertRaises(TypeError, Kind, cls, 2)
                self.assertIn(f"{cls.__name__}.{field}: ", str(error))


class FixedTests(SynchronousTestCase):
    """What never changes."""

    def test_it_holds_what_it_held_when_it_was_made(self) -> None:
        class Star(Entity):
            fixed = True

            x: int

        star = Star(x=1)
        error = self.assertRaises(AttributeError, setattr, star, "x", 2)
        self.assertIn("Star is fixed: x is set when it is made", str(error))
        self.assertEqual(star.x, 1)
        self.assertTrue(Kind(Star, 2).fixed)
        self.assertFalse(Kind(PowerUp, 2).fixed)


class PlaceTests(SynchronousTestCase):
    """Where things are."""

    def test_distance(self) -> None:
        class Spot(Entity):
            x: float = 0
            y: float = 0

        self.assertEqual(distance(Spot(x=1, y=1), Spot(x=4, y=5)), 5)

    def test_clamp(self) -> None:
        given_and_got: list[tuple[Any, Any]] = [(3, 1), (-3, -1), (0.5, 0.5), (1, 1), (float("inf"), 1)]
        for value, got in given_and_got:
            self.assertEqual(clamp(value, 1), got)
