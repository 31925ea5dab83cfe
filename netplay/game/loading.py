"""Games in files of their own: C{--load tag.py}."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from netplay.game.game import Game
from netplay.ticklimit import TickOverrun

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec


class LoadError(Exception):
    """A file is no game, for the reason given, which may be a traceback."""


def load(path: Path) -> list[type[Game]]:
    """
    Run one Python file and find the games in it.

    It becomes a module, as declarations of fields are looked up there. Its name has the path in it, so that it is never
    in the way of another; its folder is not searched for modules, since a game of several files is a package. Running
    a file again replaces its module, unless it fails: then what was there before stays.

    @param path: an absolute one.
    @raise LoadError: it cannot be read, fails with an exception, or has no game in it, or two of one name.
    """
    name = f"netplay.loaded.{path}"
    before = sys.modules.get(name)
    try:
        return _games(_run(name, path))
    except LoadError:
        if before is None:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = before
        raise


def together(installed: Iterable[type[Game]], loaded: Iterable[type[Game]]) -> dict[str, type[Game]]:
    """
    Games by name.

    @raise LoadError: one that was loaded is called like another.
    """
    games = {game.name: game for game in installed}
    for game in loaded:
        if game.name in games:
            raise LoadError(f"there is a game {game.name!r} already; give {game.__name__} another name")
        games[game.name] = game
    return games


def file_of(game: type[Game]) -> str | None:
    """The file that a game was loaded from, C{None} if it was installed."""
    if not game.__module__.startswith("netplay.loaded."):
        return None
    return game.__module__.removeprefix("netplay.loaded.")


def _run(name: str, path: Path) -> ModuleType:
    try:
        source = path.read_bytes()
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror}") from None
    spec: ModuleSpec | None = spec_from_file_location(name, path)
    if spec is None:
        raise LoadError(f"{path} is no Python file; its name should end in .py")
    module = sys.modules[name] = module_from_spec(spec)
    try:
        # Not by the loader: what it compiled before counts as new for a second.
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit, TickOverrun) as error:
        raise LoadError(f"{path} went wrong:\n{traceback_from(path, error)}") from None
    return module


def traceback_from(path: Path, error: BaseException) -> str:
    """The traceback of an exception, beginning where it came through a file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != str(path):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace)).rstrip()


def _games(module: ModuleType) -> list[type[Game]]:
    games: dict[str, type[Game]] = {}
    for found in list(vars(module).values()):
        if not (isinstance(found, type) and issubclass(found, Game) and found.__module__ == module.__name__):
            continue
        if found.name and games.setdefault(found.name, found) is not found:
            raise LoadError(f"{module.__file__} has two games {found.name!r}; give one of them another name")
    if not games:
        raise LoadError(f"{module.__file__} has no game in it: a subclass of netplay.game.Game that says its name")
    return list(games.values())
