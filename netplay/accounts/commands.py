"""C{netplay user}: the accounts of a store, from the shell, beside the daemon or without it."""

from __future__ import annotations

import sys
from collections.abc import Awaitable
from getpass import getpass
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.usage import Options, UsageError

from netplay.accounts.account import is_role
from netplay.accounts.accounts import SHORTEST_PASSWORD
from netplay.accounts.passwords import Passwords
from netplay.accounts.users import Users
from netplay.core import Core
from netplay.errors import Refused
from netplay.limits import Limits
from netplay.options import Subcommand
from netplay.store.commands import StoreOptions

LONGEST_PASSWORD = 1024
"""Characters; what clients may say."""


class UserCommand(StoreOptions):
    """One about accounts."""

    def do(self, users: Users) -> Awaitable[str]:
        """What it is for; the result is printed."""
        raise NotImplementedError


class ListOptions(UserCommand):
    """C{netplay user list}."""

    synopsis = "Usage: netplay user list [--store STORE]"

    def do(self, users: Users) -> Awaitable[str]:
        """All of them."""
        return users.list()


class OneOptions(UserCommand):
    """A command about one account."""

    def parseArgs(self, name: str = "") -> None:
        """Whose it is."""
        if not name:
            raise UsageError(f"whose? type it as in: {self.synopsis.removeprefix('Usage: ')}")
        self["name"] = name


class ShowOptions(OneOptions):
    """C{netplay user show}."""

    synopsis = "Usage: netplay user show NAME [--store STORE]"

    def do(self, users: Users) -> Awaitable[str]:
        """This one."""
        return users.show(self["name"])


class DisableOptions(OneOptions):
    """C{netplay user disable}."""

    synopsis = "Usage: netplay user disable NAME [--store STORE]"
    longdesc = "The account cannot be used any more, and whoever is logged in as it is sent away; its name stays taken."

    def do(self, users: Users) -> Awaitable[str]:
        """This one."""
        return users.disable(self["name"])


class EnableOptions(OneOptions):
    """C{netplay user enable}."""

    synopsis = "Usage: netplay user enable NAME [--store STORE]"

    def do(self, users: Users) -> Awaitable[str]:
        """This one."""
        return users.enable(self["name"])


class PasswordOptions(OneOptions):
    """C{netplay user password}."""

    synopsis = "Usage: netplay user password NAME [--password-file FILE] [--store STORE]"
    longdesc = "Asks for the new password, unless a file has it. Sessions of before cannot be resumed."
    optParameters = [["password-file", None, None, "A file with the password in its first line; - is standard input"]]

    def postOptions(self) -> None:
        """Ask, before anything is opened."""
        super().postOptions()
        self["password"] = password_from(self["password-file"])

    def do(self, users: Users) -> Awaitable[str]:
        """With what was asked for."""
        return users.password(self["name"], self["password"])


class AddOptions(OneOptions):
    """C{netplay user add}."""

    synopsis = "Usage: netplay user add NAME [--role ROLE]... [--password-file FILE | --no-password] [--store STORE]"
    longdesc = "Asks for the password, unless a file has it."
    optParameters = PasswordOptions.optParameters
    optFlags = [["no-password", None, "For somebody who logs in elsewhere (--auth), to reserve the name or give roles"]]

    def __init__(self) -> None:
        super().__init__()
        self["roles"] = []

    def opt_role(self, role: str) -> None:
        """operator, moderator, or moderator:ROOM. May be given several times."""
        self["roles"].append(_role(role))

    def postOptions(self) -> None:
        """Ask, before anything is opened."""
        super().postOptions()
        if self["no-password"] and self["password-file"] is not None:
            raise UsageError("--no-password and --password-file: one or the other")
        self["password"] = None if self["no-password"] else password_from(self["password-file"])

    def do(self, users: Users) -> Awaitable[str]:
        """With what was asked for."""
        return users.add(self["name"], self["password"], self["roles"])


class RoleOptions(OneOptions):
    """C{netplay user role}."""

    synopsis = "Usage: netplay user role NAME ROLE... [--store STORE]"
    longdesc = "Gives an account these roles and no others: operator, moderator, moderator:ROOM; or none."

    def parseArgs(self, name: str = "", *roles: str) -> None:
        """Whose they are, and all of them."""
        super().parseArgs(name)
        if not roles:
            raise UsageError(f"which? type `netplay user role {name} operator`, or none to take all away")
        self["roles"] = [] if roles == ("none",) else [_role(role) for role in roles]

    def do(self, users: Users) -> Awaitable[str]:
        """These and no others."""
        return users.role(self["name"], self["roles"])


class UserOptions(Subcommand):
    """C{netplay user}."""

    synopsis = "Usage: netplay user COMMAND [options]"
    subCommands = [
        ["add", None, AddOptions, "Make an account."],
        ["list", None, ListOptions, "All accounts, a line each."],
        ["show", None, ShowOptions, "What is known of one."],
        ["password", None, PasswordOptions, "Give one another password."],
        ["role", None, RoleOptions, "Say what one may do."],
        ["disable", None, DisableOptions, "Let one be used no more."],
        ["enable", None, EnableOptions, "Let it be used again."],
    ]

    def postOptions(self) -> None:
        """Without a subcommand there is nothing to do."""
        if self.subCommand is None:
            raise UsageError("user: type `netplay user add NAME` to make an account, `netplay user list` to see them")


def _role(role: str) -> str:
    if not is_role(role):
        raise UsageError(f"{role}: there is no such role; type operator, moderator, or moderator:ROOM")
    return role


def password_from(path: str | None) -> str:
    """
    The first line of a file, of standard input if that is C{-}, or what is typed twice where nobody sees it. It is no
    argument of a command: those can be read by all who are on the machine, and the shell writes them down.

    @raise UsageError: there is none, or it is too short or too long.
    """
    try:
        if path is not None:
            password = (sys.stdin.readline() if path == "-" else _first_line(path)).rstrip("\r\n")
        elif not sys.stdin.isatty():
            raise UsageError("there is no terminal to ask for the password; type --password-file FILE, or - for FILE")
        else:
            password = getpass("Password: ")
            if getpass("The same again: ") != password:
                raise UsageError("these were two different passwords; nothing is changed")
    except (EOFError, KeyboardInterrupt):
        raise UsageError("no password; nothing is changed") from None
    except OSError as error:
        raise UsageError(f"--password-file {path}: it cannot be read ({error.strerror})") from None
    except UnicodeError:
        raise UsageError("the password is not UTF-8") from None
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UsageError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return password


def _first_line(path: str) -> str:
    with Path(path).open(encoding="utf-8") as file:
        return file.readline()


def user(given: Options) -> None:
    """The command: do it, say so, and exit; with 1 if it could not be done."""
    from twisted.internet.task import react

    react(lambda reactor: Deferred.fromCoroutine(_do(reactor, given.subOptions)))


async def _do(reactor: Any, options: UserCommand) -> None:
    core = Core(reactor, Limits())
    plugin, argument = options["store-plugin"]
    try:
        core.store = plugin.beside(argument, core)
        core.store.startService()
        try:
            said = await options.do(Users(core, Passwords(reactor)))
        finally:
            await core.store.stopService()
    except UsageError as error:
        raise SystemExit(f"netplay: {error}") from None
    except Refused as error:
        raise SystemExit(f"netplay: {error.message}") from None
    sys.stdout.write(f"{said}\n")
