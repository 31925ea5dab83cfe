"""Where prices come from: the tutorial's random walk, and real prices replayed from a CSV file."""

from __future__ import annotations

import csv
import io
import math
import os
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from twisted.plugin import IPlugin
from twisted.python.usage import UsageError
from zope.interface import implementer

from netplay.interfaces import IPriceSource, IPriceSourcePlugin

MAX_SYMBOLS = 10_000
MAX_FILE = 64 * 1024 * 1024  # bytes

_TUTORIAL: dict[str, tuple[float, str]] = {
    "AAPL": (150.0, "🍎"),
    "GOOGL": (2800.0, "🔍"),
    "TSLA": (800.0, "🚗"),
    "AMZN": (3400.0, "📦"),
    "MSFT": (300.0, "💻"),
}
_OTHER_EMOJI = "📈"
_EMOJI = {symbol: emoji for symbol, (_, emoji) in _TUTORIAL.items()} | {"GOOG": "🔍"}
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._^=-]{0,31}")

# What columns may be called, the best name first.
_DATE = ("date", "time", "timestamp")
_NAME = ("symbol", "ticker", "stock", "name")
_PRICE = ("price", "close", "value")

_DATE_FORMATS = (
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%b %d %Y",
    "%b %d, %Y",
    "%B %d %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%Y-%m",
    "%b %Y",
)

_WALK_HELP = "say walk, walk:seed=7 or walk:seed=7:symbols=500"
_CSV_HELP = "say csv:PATH, a file with the columns date, symbol and price, or date and one for each symbol"


@implementer(IPriceSource)
class RandomWalk:
    """
    The tutorial's prices: at each beat every second symbol, more or less, moves by up to 2 either way.

    @param seed: walks with the same seed and as many symbols are the same.
    @param symbols: how many, up to L{MAX_SYMBOLS}: the tutorial's five come first, then C{SYM0006} and so on.
    """

    def __init__(self, seed: int | None = None, symbols: int = len(_TUTORIAL)) -> None:
        self._random = random.Random(seed)
        self._prices = {symbol: price for symbol, (price, _) in list(_TUTORIAL.items())[:symbols]}
        for number in range(len(_TUTORIAL) + 1, symbols + 1):
            self._prices[f"SYM{number:04}"] = round(self._random.uniform(10, 1000), 2)
        self.symbols: Mapping[str, str] = with_emoji(self._prices)

    def first(self) -> Mapping[str, float]:
        """See L{IPriceSource}."""
        return dict(self._prices)

    def next(self) -> Mapping[str, float]:
        """See L{IPriceSource}."""
        moved = {}
        for symbol, price in self._prices.items():
            if self._random.random() > 0.5:
                now = max(1.0, price + self._random.uniform(-2, 2))
                if now != price:
                    moved[symbol] = now
        self._prices.update(moved)
        return moved


@implementer(IPriceSource)
class Replay:
    """
    The prices of a CSV file, one date a beat; after the last date comes the first again.

    L{first} has the first price that each symbol has in the file, so the first beat brings the second date.

    @param path: a file with columns for date, symbol and price, in any order and among others; or with one
        for the date and one for each symbol.
    @raise UsageError: the file is not there, or not like that.
    """

    def __init__(self, path: str) -> None:
        beats = _in_order(_beats(_rows(_text(path))))
        first: dict[str, float] = {}
        for prices in beats:
            for symbol, price in prices.items():
                first.setdefault(symbol, price)
        if not first:
            raise _wrong("there is no price in the file", _CSV_HELP)
        if len(first) > MAX_SYMBOLS:
            raise _wrong(f"the file has {len(first)} symbols", f"leave it at {MAX_SYMBOLS}")
        self.symbols: Mapping[str, str] = with_emoji(first)
        self._first = first
        self._beats = beats
        self._position = 0

    def first(self) -> Mapping[str, float]:
        """See L{IPriceSource}."""
        return dict(self._first)

    def next(self) -> Mapping[str, float]:
        """See L{IPriceSource}."""
        self._position = (self._position + 1) % len(self._beats)
        return dict(self._beats[self._position])


@implementer(IPlugin, IPriceSourcePlugin)
class WalkSource:
    """C{walk}, C{walk:seed=7:symbols=500}."""

    name = "walk"
    usage = "walk[:seed=N][:symbols=N]"

    def build(self, argument: str) -> RandomWalk:
        """See L{IPriceSourcePlugin}."""
        given: dict[str, int] = {}
        for part in argument.split(":") if argument else ():
            key, _, value = part.partition("=")
            if key not in ("seed", "symbols"):
                raise _wrong(f"walk knows no {part[:40]!r}", _WALK_HELP)
            if key in given:
                raise _wrong(f"walk has {key} twice", _WALK_HELP)
            try:
                given[key] = int(value)
            except ValueError:
                raise _wrong(f"{key} is an integer, not {value[:40]!r}", _WALK_HELP) from None
        symbols = given.get("symbols", len(_TUTORIAL))
        if not 1 <= symbols <= MAX_SYMBOLS:
            raise _wrong(f"walk has 1 to {MAX_SYMBOLS} symbols, not {symbols}", _WALK_HELP)
        return RandomWalk(given.get("seed"), symbols)


@implementer(IPlugin, IPriceSourcePlugin)
class CSVSource:
    """C{csv:stocks.csv}."""

    name = "csv"
    usage = "csv:PATH"

    def build(self, argument: str) -> Replay:
        """See L{IPriceSourcePlugin}."""
        if not argument:
            raise _wrong("csv needs a file", _CSV_HELP)
        return Replay(argument)


def with_emoji(symbols: Mapping[str, float]) -> dict[str, str]:
    """Each symbol with its emoji."""
    return {symbol: _EMOJI.get(symbol, _OTHER_EMOJI) for symbol in symbols}


def _wrong(what: str, instead: str) -> UsageError:
    return UsageError(f"--prices: {what}; {instead}")


def _text(path: str) -> str:
    try:
        with open(os.path.expanduser(path), "rb") as file:
            content = file.read(MAX_FILE + 1)  # the size that a pipe or a device states means nothing
        if len(content) > MAX_FILE:
            raise _wrong(f"{path} has more than {MAX_FILE >> 20} MiB", "take a part of it")
        return content.decode("utf-8-sig")  # spreadsheets begin with a byte order mark
    except OSError as e:
        raise _wrong(f"{path} cannot be read ({e.strerror})", _CSV_HELP) from e
    except UnicodeDecodeError as e:
        raise _wrong(f"{path} is not in UTF-8", "save it as CSV in UTF-8") from e
    except ValueError as e:  # a zero byte in the path
        raise _wrong(f"{path!r} is no path", _CSV_HELP) from e


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, trimmed, with the number of the line each ends on."""
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as e:
        raise _wrong(f"line {reader.line_num} is not CSV ({e})", _CSV_HELP) from e


def _beats(rows: Iterator[tuple[int, list[str]]]) -> dict[str, dict[str, float]]:
    """The prices of each date, in order of appearance."""
    _, header = next(rows, (0, []))
    if not header:
        raise _wrong("the file is empty", _CSV_HELP)
    names = [name.lower() for name in header]
    date, name, price = _find(names, _DATE), _find(names, _NAME), _find(names, _PRICE)
    if date is None:
        raise _wrong(f"the first line names no date column ({' or '.join(_DATE)})", _CSV_HELP)
    prices: Callable[[int, list[str]], Iterator[tuple[str, float]]]
    if name is not None and price is not None:
        prices = _long(header, name, price)
    elif name is not None:
        raise _wrong(f"the first line names no price column ({' or '.join(_PRICE)})", _CSV_HELP)
    elif price is not None:
        raise _wrong(f"the first line names no symbol column ({' or '.join(_NAME)})", _CSV_HELP)
    else:
        prices = _wide(header, date)
    beats: dict[str, dict[str, float]] = {}
    for line, row in rows:
        if any(row[len(header) :]):
            raise _wrong(f"line {line} has more cells than the first line", "quote what has a comma, write 1234.5")
        row += [""] * (len(header) - len(row))
        if not row[date]:
            raise _wrong(f"line {line}, column {header[date]}: no date", "fill it in or drop the line")
        beats.setdefault(row[date], {}).update(prices(line, row))
    if not beats:
        raise _wrong("the file has no rows after the first line", _CSV_HELP)
    return beats


def _find(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _long(header: list[str], name: int, price: int) -> Callable[[int, list[str]], Iterator[tuple[str, float]]]:
    """Reads rows of a date, a symbol and its price."""

    def prices(line: int, row: list[str]) -> Iterator[tuple[str, float]]:
        where = f"line {line}, column {header[name]}"
        if row[price]:
            yield _symbol(row[name], where), _number(row[price], f"line {line}, column {header[price]}")

    return prices


def _wide(header: list[str], date: int) -> Callable[[int, list[str]], Iterator[tuple[str, float]]]:
    """Reads rows of a date and the price of each symbol."""
    symbols: dict[str, int] = {}
    for column, title in enumerate(header):
        if column == date or not title:  # data frames are saved with an index that has no title
            continue
        if title in symbols:
            raise _wrong(f"the first line has {title[:40]} twice", "leave one of them")
        symbols[_symbol(title, "the first line")] = column
    if not symbols:
        raise _wrong("the first line names no price column", _CSV_HELP)

    def prices(line: int, row: list[str]) -> Iterator[tuple[str, float]]:
        for symbol, column in symbols.items():
            if row[column]:
                yield symbol, _number(row[column], f"line {line}, column {symbol}")

    return prices


def _symbol(text: str, where: str) -> str:
    if not _SYMBOL.fullmatch(text):
        raise _wrong(f"{where}: {text[:40]!r} is no symbol", "one has up to 32 of A-Z a-z 0-9 . _ ^ = -, such as BRK.B")
    return text


def _number(text: str, where: str) -> float:
    try:
        price = float(text)
    except ValueError:
        price = math.nan
    if not 0 < price < math.inf:
        raise _wrong(f"{where}: {text[:40]!r} is no price", "write it as 1234.5, or leave the cell empty")
    return price


def _in_order(beats: Mapping[str, dict[str, float]]) -> list[dict[str, float]]:
    """Sorted by date if all dates are written in one way that is known, else as they come."""
    for parse in _date_parsers():
        try:
            when = {date: parse(date) for date in beats}
        except ValueError:
            continue
        return [beats[date] for date in sorted(beats, key=when.__getitem__)]
    return list(beats.values())


def _date_parsers() -> Iterator[Callable[[str], Any]]:
    yield int  # 20000131, a year, seconds or milliseconds since 1970: all sort as numbers
    yield _iso
    for format in _DATE_FORMATS:
        yield partial(_strptime, format)


def _strptime(format: str, text: str) -> datetime:
    return datetime.strptime(text, format)


def _iso(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)  # else they cannot be compared
