"""Options that check their values, and refuse with what to type instead."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.plugin import getPlugins
from twisted.python.usage import Options, UsageError

import netplay.plugins


def number(name: str, default: float, doc: str, least: float, most: float, *, zero: str | None = None) -> list[Any]:
    """
    A row of C{optParameters}: a number between C{least} and C{most}, whole if C{least} is an C{int}.

    @param doc: what it is for, with its unit.
    @param zero: what 0 means, if that is allowed.
    """
    kind = type(least)
    what = "a whole number" if kind is int else "a number"
    between = f"{least:.12g} to {most:.12g}" + (f", 0 = {zero}" if zero else "")

    def coerce(value: str) -> float:
        try:
            given = kind(value)
        except ValueError:
            given = math.nan
        if least <= given <= most or (zero is not None and given == 0):
            return given
        raise UsageError(f"--{name} {value}: it takes {what} ({between}); type for example --{name} {default}")

    coerce.coerceDoc = f"({between})"  # type: ignore[attr-defined]
    return [name, None, default, doc, coerce]


def one_of(name: str, values: Sequence[str], doc: str) -> list[Any]:
    """A row of C{optParameters}: one of some words, the first unless told otherwise."""

    def coerce(value: str) -> str:
        if value in values:
            return value
        raise UsageError(f"--{name} {value}: it takes {' or '.join(values)}; type for example --{name} {values[-1]}")

    coerce.coerceDoc = f"({' or '.join(values)})"  # type: ignore[attr-defined]
    return [name, None, values[0], doc, coerce]


def flag(name: str, doc: str) -> list[Any]:
    """What a feature has among its C{parameters} for an option without a value: C{False} unless it is given."""
    return [name, None, False, doc]


def repeated(name: str, doc: str, coerce: Callable[[str], Any]) -> list[Any]:
    """What a feature has among its C{parameters} for an option that may be given several times: a list of values."""
    return [name, None, [], doc, coerce]


def absolute(value: str) -> Path:
    """The path, wherever the daemon's working directory will be."""
    return Path(value).absolute()


def existing(option: str, kind: str, there: Callable[[Path], bool], value: str) -> Path:
    """
    The L{absolute} path of what is there already.

    @raise UsageError: it is not.
    """
    path = absolute(value)
    if not there(path):
        raise UsageError(f"{option} {value}: there is no such {kind}; type for example {option} ./NAME")
    return path


def several(value: str) -> list[str]:
    """What is written with commas between."""
    return [part.strip() for part in value.split(",") if part.strip()]


def plugin_named(interface: Any, option: str, description: str) -> tuple[Any, str]:
    """
    The plugin that C{NAME:ARGUMENT} means, and the argument.

    @raise UsageError: there is none of that name.
    """
    name, _, argument = description.partition(":")
    known = {plugin.name: plugin for plugin in getPlugins(interface, netplay.plugins)}
    if name not in known:
        kinds = " or ".join(plugin.usage for _, plugin in sorted(known.items()))
        raise UsageError(f"{option} {description}: there is no {name!r}; type {option} {kinds}")
    return known[name], argument


class Subcommand(Options):
    """A command whose help shows how it is typed, not how all are."""

    synopsis = ""

    def getSynopsis(self) -> str:
        """As it stands in the class."""
        return self.synopsis


class WordsFirst(Subcommand):
    """A command where what it is about may come before its options, too."""

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Options first."""
        given = list(options or ())
        first = next((n for n, word in enumerate(given) if word.startswith("-")), len(given))
        super().parseOptions(given[first:] + given[:first])
