"""
Writes the tables of the pages: those of protocol.md from the message types, those of writing-a-game.md from the
docstrings of what a game is written with: python docs/tables.py

A test checks that they are as the code is. The text around them is written by hand.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable
from pathlib import Path
from types import FunctionType
from typing import Any

import msgspec

import netplay.chat.messages as chat
import netplay.chat.moderating_messages as moderating
import netplay.game.messages as game
import netplay.ticker.messages as ticker
from netplay import messages as common
from netplay.game import Game, Player, Turns
from netplay.game.games.arena.game import Arena
from netplay.game.games.cards import Eights
from netplay.game.games.lockstep import Lockstep
from netplay.game.games.sandbox import Sandbox
from netplay.game.testing import PlayedRoom, PlayerView, play
from netplay.help import fields, summary
from netplay.wire.examples import example_of

DOCS = Path(__file__).parent
PAGE = DOCS / "protocol.md"
GAME_PAGE = DOCS / "writing-a-game.md"
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


HOOKS = ("setup", "joined", "start", "tick", "left", "away", "back")
FOR_ROOMS = ("act",)


def declarations() -> str:
    """A table of what a game says of itself."""
    rows = ["| in the class | unless set | what it says |", "|---|---|---|"]
    for name, what in re.findall(r"@cvar (\w+): (.*?)(?=\n@|\Z)", inspect.getdoc(Game) or "", re.DOTALL):
        value = getattr(Game, name)
        default = "" if name in ("name", "api") else f"`{value.__name__ if isinstance(value, type) else repr(value)}`"
        rows.append(f"| `{name}` | {default} | {_prose(what)} |")
    return "\n".join(rows)


def variables(kind: type) -> str:
    """A table of what the instances of a class have."""
    rows = ["| | what it is |", "|---|---|"]
    for name, what in re.findall(r"@ivar (\w+): (.*?)(?=\n@|\Z)", inspect.getdoc(kind) or "", re.DOTALL):
        rows.append(f"| `{name}` | {_prose(what)} |")
    return "\n".join(rows)


def methods(*things: Any) -> str:
    """A table of functions and properties."""
    rows = ["| | what it does |", "|---|---|"]
    rows += [f"| `{_call(thing)}` | {_prose(inspect.getdoc(thing) or '')} |" for thing in things]
    return "\n".join(rows)


def public(kind: type, without: Iterable[str] = ()) -> list[Any]:
    """The methods and properties of a class, as they stand there."""
    return [
        thing
        for name, thing in vars(kind).items()
        if not name.startswith("_") and name not in without and isinstance(thing, property | FunctionType)
    ]


def _call(thing: Any) -> str:
    """How it is written in a game."""
    if isinstance(thing, property):
        return str(thing.fget.__name__)
    parameters = [
        p.replace(annotation=p.empty) for p in inspect.signature(thing).parameters.values() if p.name != "self"
    ]
    return f"{thing.__name__}{inspect.Signature(parameters)}"


def _prose(text: str) -> str:
    """Epytext as Markdown, on one line."""
    text = " ".join(text.split())
    for epytext, markdown in (
        (r"@param (\w+):", r"`\1`:"),
        (r"@raise (\w+):", r"Raises `\1`:"),
        (r"@return:", r"Returns"),
        (r"C\{(\{.*?\})\}", r"`\1`"),
        (r"[CL]\{([^{}]*)\}", r"`\1`"),
        (r"\|", r"\\|"),
    ):
        text = re.sub(epytext, markdown, text)
    return text


TABLES = {
    "common requests": lambda: requests(common.COMMON),
    "common events": lambda: events(common.COMMON_EVENTS),
    "greeting": greeting,
    "chat requests": lambda: requests(chat.REQUESTS),
    "chat events": lambda: events(chat.EVENTS),
    "moderating requests": lambda: requests(moderating.REQUESTS),
    "moderating events": lambda: events(moderating.EVENTS),
    "room requests": lambda: requests(game.ROOM_REQUESTS),
    "sandbox requests": lambda: requests(Sandbox.messages),
    "arena requests": lambda: requests(Arena.messages),
    "eights requests": lambda: requests(Eights.messages),
    "lockstep requests": lambda: requests(Lockstep.messages),
    "game events": lambda: events(game.EVENTS),
    "ticker requests": lambda: requests(ticker.REQUESTS),
    "ticker events": lambda: events(ticker.EVENTS),
}

GAME_TABLES = {
    "declarations": declarations,
    "hooks": lambda: methods(*(getattr(Game, name) for name in HOOKS)),
    "offers": lambda: methods(*public(Game, (*HOOKS, *FOR_ROOMS))),
    "player": lambda: variables(Player),
    "turns": lambda: methods(*public(Turns)),
    "testing": lambda: methods(play, *public(PlayedRoom), *public(PlayerView)),
}

_SECTION = re.compile(r"(<!-- table: (?P<name>[a-z ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """The page with its tables as the types are now."""
    return _SECTION.sub(lambda found: f"{found[1]}\n{(TABLES | GAME_TABLES)[found['name']]()}\n\n{found[3]}", page)


def _tag(kind: type[msgspec.Struct]) -> str:
    config = kind.__struct_config__
    return str(config.tag) if config.tag_field == "type" else f"act: {config.tag}"


def _fields(kind: type[msgspec.Struct]) -> str:
    hidden = {"ref", "type"} | (GREETING if issubclass(kind, common.Greeting) else frozenset())
    shown = [f"`{name}` {what}" for name, what in fields(kind, leave_out=frozenset(hidden)).items()]
    return "; ".join(shown).replace("|", "\\|") or "none"


if __name__ == "__main__":
    for page in (PAGE, GAME_PAGE):
        page.write_text(filled(page.read_text()))
