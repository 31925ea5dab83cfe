"""What is done with a store from the shell, beside the daemon or without it."""

from __future__ import annotations

import sys
from typing import Any

from twisted.python.usage import Options, UsageError

from netplay.options import WordsFirst, absolute, plugin_named
from netplay.store.interfaces import IStorePlugin


class StoreOptions(WordsFirst):
    """Those of a command that opens a store."""

    optParameters: list[list[Any]] = [["store", None, "sqlite:netplay.sqlite", "The daemon's store"]]

    def postOptions(self) -> None:
        """Find out what the store is."""
        self["store-plugin"] = plugin_named(IStorePlugin, "--store", self["store"])


class BackupOptions(StoreOptions):
    """C{netplay backup}."""

    synopsis = "Usage: netplay backup FILE [--store STORE]"
    longdesc = "Copies the store into a new file. The daemon may go on meanwhile."

    def parseArgs(self, file: str = "") -> None:
        """Where it goes."""
        if not file:
            raise UsageError("backup: into which file? type for example `netplay backup monday.sqlite`")
        self["file"] = absolute(file)


def backup(given: Options) -> None:
    """The command; exits with 1 if there is no backup."""
    plugin, argument = given["store-plugin"]
    try:
        plugin.back_up(argument, given["file"])
    except UsageError as error:
        sys.exit(f"netplay: {error}")
    sys.stdout.write(f"all that {given['store']} keeps is in {given['file']}\n")
