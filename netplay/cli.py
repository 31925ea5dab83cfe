"""The C{netplay} command, for people who never heard of twistd."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from twisted.python.usage import Options, UsageError

import netplay
from netplay.accounts.commands import UserOptions, user
from netplay.options import Subcommand, WordsFirst, existing
from netplay.store.commands import BackupOptions, backup


class RunOptions(Options):
    """C{netplay run}: whatever follows is for the daemon."""

    longdesc = "Takes the options of `twistd netplay`; `netplay run --help` lists them."

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Everything is handed on as it is."""
        self["arguments"] = list(options or ())


class NewOptions(Subcommand):
    """C{netplay new}."""

    synopsis = "Usage: netplay new NAME"
    longdesc = "Writes NAME.py, a small game that works, and test_NAME.py into the current folder."

    def parseArgs(self, name: str = "") -> None:
        """What the game is called."""
        from netplay.game.feature import installed
        from netplay.game.template import files

        if name in installed():
            raise UsageError(f"new {name}: there is a game of that name already; take another word, such as treasure")
        try:
            self["files"] = files(name)
        except ValueError as error:
            raise UsageError(f"new {name}: {error}") from None
        self["name"] = name


class ReplayOptions(WordsFirst):
    """C{netplay replay}."""

    synopsis = "Usage: netplay replay FILE [--load GAME.py]"
    longdesc = "Plays a recording (`netplay run --record DIR`) again, and says where it is different, if it is."

    def __init__(self) -> None:
        super().__init__()
        self["load"] = []

    def opt_load(self, path: str) -> None:
        """A Python file with the game, which may have changed since. May be given several times."""
        self["load"].append(existing("--load", "file", Path.is_file, path))

    def parseArgs(self, file: str) -> None:  # type: ignore[override]
        """The recording."""
        self["file"] = existing("replay", "file", Path.is_file, file)


class NetplayOptions(Options):
    """The subcommands."""

    synopsis = "Usage: netplay COMMAND [options]"
    subCommands = [
        ["run", None, RunOptions, "Start the daemon here, in the foreground; Ctrl-C ends it."],
        ["new", None, NewOptions, "Write a small game that works, and its test."],
        ["replay", None, ReplayOptions, "Play a recording of a room again, and compare."],
        ["user", None, UserOptions, "Make accounts, and say what they may do; `netplay user --help` lists how."],
        ["backup", None, BackupOptions, "Copy what the daemon keeps into a file, while it runs."],
    ]

    def opt_version(self) -> None:
        """Print the version and exit."""
        sys.stdout.write(f"netplay {netplay.__version__}\n")
        sys.exit(0)

    def postOptions(self) -> None:
        """Without a subcommand there is nothing to do."""
        if self.subCommand is None:
            raise UsageError("type `netplay run` to start the daemon")


def run(given: Options) -> None:
    """As C{twistd -n --pidfile= netplay}, with the usage message of this command."""
    from netplay.tap import Options as DaemonOptions

    arguments = given["arguments"]
    options = DaemonOptions()
    options.synopsis = "Usage: netplay run [options]"
    try:
        options.parseOptions(arguments)
    except UsageError as error:
        sys.exit(f"netplay: {error}\nnetplay run --help lists the options")
    from twisted.scripts.twistd import run as twistd

    sys.argv = ["netplay", "--nodaemon", "--pidfile=", "netplay", *arguments]
    twistd()


def new(given: Options) -> None:
    """Write a game; what is there already stays as it is."""
    from netplay.game.template import what_next

    there = [name for name in given["files"] if Path(name).exists()]
    if there:
        sys.exit(f"netplay: there is a {there[0]} already; take another name, or move it away")
    try:
        for name, text in given["files"].items():
            with open(name, "x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        sys.exit(f"netplay: {name} cannot be written: {error.strerror}")
    sys.stdout.write(what_next(given["name"]))


def replay(given: Options) -> None:
    """Exits with 1 if something is different."""
    from netplay.game import recording
    from netplay.game.feature import installed
    from netplay.game.loading import LoadError, load, together

    try:
        header = recording.header_of(given["file"])
        loaded = [game for path in given["load"] for game in load(path)]
        names = {game.name for game in loaded}
        games = together((game for name, game in installed().items() if name not in names), loaded)
        if header["game"] not in games:
            file = Path(header["file"] or "GAME.py").name
            sys.exit(f"netplay: it is a recording of {header['game']}; say where that is with --load {file}")
        went = recording.replay(given["file"], games[header["game"]])
    except (LoadError, recording.NoRecording) as error:
        sys.exit(f"netplay: {error}")
    for line in went.told():
        sys.stdout.write(f"{line}\n")
    sys.exit(0 if went.same else 1)


COMMANDS: dict[str, Callable[[Options], None]] = {
    "run": run,
    "new": new,
    "replay": replay,
    "user": user,
    "backup": backup,
}


def main() -> None:
    """The console script."""
    options = NetplayOptions()
    try:
        options.parseOptions(sys.argv[1:])
    except UsageError as error:
        sys.exit(f"netplay: {error}")
    COMMANDS[str(options.subCommand)](options.subOptions)
