"""
Writes the message tables of protocol.md from the message types: python docs/tables.py

A test checks that they are as the types are. The text around them is written by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

import netplay.chat.messages as chat
import netplay.game.messages as game
import netplay.ticker.messages as ticker
from netplay import messages as common
from netplay.help import fields, summary
from netplay.wire.examples import example_of

PAGE = Path(__file__).with_name("protocol.md")
GREETING = frozenset(common.Greeting.__struct_fields__) - {"ref"}

Types = Iterable[type[msgspec.Struct]]


def requests(types: Types) -> str:
    """A table of what a client may send."""
    rows = ["| `<-` | fields | what it is for |", "|---|---|---|"]
    examples = []
    for kind in types:
        rows.append(f"| `{_tag(kind)}` | {_fields(kind)} | {summary(kind)} |")
        examples.append(json.dumps(example_of(kind), ensure_ascii=False))
    return "\n".join([*rows, "", "```json", *examples, "```"])


def events(types: Types) -> str:
    """A table of what a client gets."""
    rows = ["| `->` | fields | what it says |", "|---|---|---|"]
    for kind in types:
        greets = " In a first message also what every greeting has." if issubclass(kind, common.Greeting) else ""
        rows.append(f"| `{_tag(kind)}` | {_fields(kind)} | {summary(kind)}{greets} |")
    return "\n".join(rows)


def greeting() -> str:
    """A table of what the first message also has."""
    rows = ["| field | what it is |", "|---|---|"]
    rows += [f"| `{name.rstrip('?')}` | {what} |" for name, what in fields(common.Greeting).items() if name != "ref?"]
    return "\n".join(rows)


TABLES = {
    "common requests": lambda: requests(common.COMMON),
    "common events": lambda: events(common.COMMON_EVENTS),
    "greeting": greeting,
    "chat requests": lambda: requests(chat.REQUESTS),
    "chat events": lambda: events(chat.EVENTS),
    "game requests": lambda: requests(game.SANDBOX_REQUESTS),
    "game events": lambda: events(game.EVENTS),
    "ticker requests": lambda: requests(ticker.REQUESTS),
    "ticker events": lambda: events(ticker.EVENTS),
}

_SECTION = re.compile(r"(<!-- table: (?P<name>[a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """The page with its tables as the types are now."""
    return _SECTION.sub(lambda found: f"{found[1]}\n{TABLES[found['name']]()}\n\n{found[3]}", page)


def _tag(kind: type[msgspec.Struct]) -> str:
    return str(kind.__struct_config__.tag)


def _fields(kind: type[msgspec.Struct]) -> str:
    hidden = {"ref"} | (GREETING if issubclass(kind, common.Greeting) else frozenset())
    shown = [f"`{name}` {what}" for name, what in fields(kind, leave_out=frozenset(hidden)).items()]
    return "; ".join(shown).replace("|", "\\|") or "none"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text()))
