"""The C{netplay} command, for people who never heard of twistd."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from twisted.python.usage import Options, UsageError

import netplay


class RunOptions(Options):
    """C{netplay run}: whatever follows is for the daemon."""

    longdesc = "Takes the options of `twistd netplay`; `netplay run --help` lists them."

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Everything is handed on as it is."""
        self["arguments"] = list(options or ())


class NetplayOptions(Options):
    """The subcommands."""

    synopsis = "Usage: netplay run [options]"
    subCommands = [["run", None, RunOptions, "Start the daemon here, in the foreground; Ctrl-C ends it."]]

    def opt_version(self) -> None:
        """Print the version and exit."""
        sys.stdout.write(f"netplay {netplay.__version__}\n")
        sys.exit(0)

    def postOptions(self) -> None:
        """Without a subcommand there is nothing to do."""
        if self.subCommand is None:
            raise UsageError("type `netplay run` to start the daemon")


def run(arguments: list[str]) -> None:
    """As C{twistd -n --pidfile= netplay}, with the usage message of this command."""
    from netplay.tap import Options as DaemonOptions

    options = DaemonOptions()
    options.synopsis = "Usage: netplay run [options]"
    try:
        options.parseOptions(arguments)
    except UsageError as error:
        sys.exit(f"netplay: {error}\nnetplay run --help lists the options")
    from twisted.scripts.twistd import run as twistd

    sys.argv = ["netplay", "--nodaemon", "--pidfile=", "netplay", *arguments]
    twistd()


COMMANDS: dict[str, Callable[[list[str]], None]] = {"run": run}


def main() -> None:
    """The console script."""
    options = NetplayOptions()
    try:
        options.parseOptions(sys.argv[1:])
    except UsageError as error:
        sys.exit(f"netplay: {error}")
    COMMANDS[str(options.subCommand)](options.subOptions["arguments"])
