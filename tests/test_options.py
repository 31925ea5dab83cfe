"""Tests of L{netplay.options}."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.python.usage import Options, UsageError
from twisted.trial.unittest import SynchronousTestCase

from netplay.interfaces import IPriceSourcePlugin
from netplay.options import existing, number, one_of, plugin_named
from netplay.store.interfaces import IStorePlugin


class NumberTests(SynchronousTestCase):
    """An option that takes a number."""

    def setUp(self) -> None:
        class Some(Options):
            optParameters = [
                number("seats", 4, "Players in a room", 1, 64),
                number("wait", 1.5, "Seconds to wait", 0.1, 60.0, zero="for ever"),
            ]

        self.options = Some()

    def parse(self, *arguments: str) -> Any:
        self.options.parseOptions(list(arguments))
        return self.options

    def refused(self, *arguments: str) -> str:
        return str(self.assertRaises(UsageError, self.options.parseOptions, list(arguments)))

    def test_defaults(self) -> None:
        self.assertEqual((self.parse()["seats"], self.parse()["wait"]), (4, 1.5))

    def test_numbers(self) -> None:
        options = self.parse("--seats", "64", "--wait=0.1")
        self.assertEqual((options["seats"], options["wait"]), (64, 0.1))
        self.assertIsInstance(options["seats"], int)

    def test_zero_where_it_means_something(self) -> None:
        self.assertEqual(self.parse("--wait", "0")["wait"], 0)
        self.refused("--seats", "0")

    def test_what_makes_no_sense_is_refused(self) -> None:
        for wrong in ("", "x", "65", "-1", "4.5", "1e2", "nan", "0x10", "9" * 5000):
            self.refused("--seats", wrong)
        for wrong in ("", "x", "61", "0.01", "-0.1", "nan", "inf", "-inf", "1e999"):
            self.refused("--wait", wrong)

    def test_the_refusal_says_what_to_type(self) -> None:
        self.assertEqual(
            self.refused("--seats", "many"),
            "--seats many: it takes a whole number (1 to 64); type for example --seats 4",
        )
        self.assertEqual(
            self.refused("--wait", "long"),
            "--wait long: it takes a number (0.1 to 60, 0 = for ever); type for example --wait 1.5",
        )

    def test_help_shows_bounds_and_default(self) -> None:
        text = " ".join(str(self.options).split())
        self.assertIn("Seconds to wait [default: 1.5]. (0.1 to 60, 0 = for ever)", text)


class PluginTests(SynchronousTestCase):
    """An option that names a plugin."""

    def test_with_and_without_an_argument(self) -> None:
        for description, argument in (("walk", ""), ("walk:", ""), ("walk:seed=7", "seed=7"), ("csv:/a:b", "/a:b")):
            plugin, given = plugin_named(IPriceSourcePlugin, "--prices", description)
            self.assertEqual((plugin.name, given), (description.partition(":")[0], argument))

    def test_one_that_there_is_not(self) -> None:
        error = self.assertRaises(UsageError, plugin_named, IStorePlugin, "--store", "cloud:9")
        self.assertEqual(str(error), "--store cloud:9: there is no 'cloud'; type --store memory: or sqlite:PATH")
        error = self.assertRaises(UsageError, plugin_named, IPriceSourcePlugin, "--prices", "")
        self.assertIn("type --prices csv:PATH or push: or walk[:seed=N][:symbols=N]", str(error))


class WordTests(SynchronousTestCase):
    """An option that takes one of some words."""

    def setUp(self) -> None:
        class Some(Options):
            optParameters = [one_of("guests", ("on", "off"), "Whether there are any")]

        self.options = Some()

    def test_the_first_is_the_default(self) -> None:
        self.options.parseOptions([])
        self.assertEqual(self.options["guests"], "on")

    def test_one_of_them(self) -> None:
        self.options.parseOptions(["--guests", "off"])
        self.assertEqual(self.options["guests"], "off")

    def test_another(self) -> None:
        error = self.assertRaises(UsageError, self.options.parseOptions, ["--guests", "few"])
        self.assertEqual(str(error), "--guests few: it takes on or off; type for example --guests off")


class ExistingTests(SynchronousTestCase):
    """What an option names has to be there."""

    def test_its_absolute_path(self) -> None:
        path = Path(self.mktemp())
        path.touch()
        self.assertEqual(existing("--load", "file", Path.is_file, str(path)), path.absolute())

    def test_it_is_not_there(self) -> None:
        error = self.assertRaises(UsageError, existing, "--load", "file", Path.is_file, "nowhere.py")
        self.assertIn("--load nowhere.py: there is no such file", str(error))
