"""C{--auth}: who may say who somebody is, in the words of L{twisted.cred.strcred}."""

from __future__ import annotations

import os
import re
from typing import Any

from twisted.cred.checkers import ICredentialsChecker, InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.strcred import (
    AuthOptionMixin,
    ICheckerFactory,
    InvalidAuthArgumentString,
    InvalidAuthType,
    UnsupportedInterfaces,
    makeChecker,
)
from twisted.plugin import IPlugin
from twisted.python.usage import Options, UsageError
from zope.interface import implementer

from netplay.accounts.interfaces import IToken


@implementer(IPlugin, ICheckerFactory)
class StoreCheckerFactory:
    """C{--auth store}"""

    authType = "store"
    authHelp = (
        "Accounts with passwords in the store of a netplay daemon. They are made with `netplay user add NAME`, or by "
        "people themselves with --registration open. It is what netplay uses where there is no --auth."
    )
    argStringFormat = "Takes no argument."
    credentialInterfaces = (IUsernamePassword,)

    def generateChecker(self, argstring: str) -> ICredentialsChecker:
        """
        There is nothing to set.

        @raise InvalidAuthArgumentString: says what to type.
        """
        from netplay.accounts.checkers import StoreChecker

        if argstring:
            raise InvalidAuthArgumentString("it takes no argument; type --auth store")
        return StoreChecker()


@implementer(IPlugin, ICheckerFactory)
class JWTCheckerFactory:
    """C{--auth jwt:...}"""

    authType = "jwt"
    authHelp = """
JSON Web Tokens: people log in elsewhere, and bring what they were given there.

secret-file=PATH  tokens are signed with HS256; the file has the secret, of 32
                  bytes or more, as text in one line
jwks=PATH         tokens are signed with RS256; the file has the public keys, as
                  a JSON Web Key Set
Either is read again when it has changed, and somebody logs in.

iss=TEXT          tokens must be from this issuer
aud=TEXT          tokens must be for this audience; without, those that are for
                  some are refused
name=CLAIM        what the account is called; sub if not given
roles=CLAIM       a list of roles: operator, moderator, moderator:ROOM. Others
                  are ignored, and without this all are

A claim within others is written with dots: realm_access.roles. A colon in a
value is written \\: as in Twisted's endpoints. Every token needs an exp; an nbf
holds if there is one.
"""
    argStringFormat = "secret-file=PATH or jwks=PATH, then [:iss=TEXT][:aud=TEXT][:name=CLAIM][:roles=CLAIM]"
    credentialInterfaces = (IToken,)

    def generateChecker(self, argstring: str) -> ICredentialsChecker:
        """
        From what stands after the colon.

        @raise InvalidAuthArgumentString: says what to type.
        """
        from netplay.accounts.jwt import JWTChecker, Keys, KeysUnusable, jwks, secret

        given = _fields(argstring, ("secret-file", "jwks", "iss", "aud", "name", "roles"))
        if ("secret-file" in given) == ("jwks" in given):
            raise InvalidAuthArgumentString("it takes either secret-file=PATH or jwks=PATH; type jwt:secret-file=PATH")
        algorithm, option, load = ("RS256", "jwks", jwks) if "jwks" in given else ("HS256", "secret-file", secret)
        try:
            keys = Keys(given[option], load)
        except KeysUnusable as error:
            raise InvalidAuthArgumentString(f"{option}={given[option]}: {error}") from None
        return JWTChecker(
            keys,
            algorithm,
            issuer=given.get("iss"),
            audience=given.get("aud"),
            name=given.get("name", "sub"),
            roles=given.get("roles"),
        )


def _fields(argument: str, known: tuple[str, ...]) -> dict[str, str]:
    """C{NAME=VALUE:NAME=VALUE}, with C{\\:} for a colon in a value."""
    fields: dict[str, str] = {}
    for part in re.split(r"(?<!\\):", argument):
        name, _, value = part.partition("=")
        if name not in known or not value:
            raise InvalidAuthArgumentString(f"{part!r} is none of {', '.join(f'{name}=' for name in known)}")
        if name in fields:
            raise InvalidAuthArgumentString(f"{name}= is there twice")
        fields[name] = value.replace("\\:", ":")
    return fields


def _in_bytes(checker: Any) -> Any:
    """C{memory:} has names and passwords as text, though it is asked in bytes, as all others are."""
    if isinstance(checker, InMemoryUsernamePasswordDatabaseDontUse):
        checker.users = {os.fsencode(name): os.fsencode(password) for name, password in checker.users.items()}
    return checker


class AuthOptions(Options, AuthOptionMixin):
    """Options that have C{--auth}."""

    supportedInterfaces = (IUsernamePassword, IToken)

    def opt_auth(self, description: str) -> None:
        """Who says who somebody is; --help-auth lists them. May be given several times. [default: store]"""
        kind = description.partition(":")[0]  # what follows may be a password
        try:
            self.addChecker(_in_bytes(makeChecker(description)))
        except InvalidAuthType:
            known = ", ".join(sorted({factory.authType for factory in self._checkerFactoriesForOptHelpAuth()}))
            raise UsageError(f"--auth {kind}: there is no such kind; there are {known}") from None
        except UnsupportedInterfaces:
            raise UsageError(f"--auth {kind}: it checks neither passwords nor tokens; take another") from None
        except Exception as error:
            raise UsageError(f"--auth {kind}: {error}; --help-auth-type {kind} says more") from None

    def checkers(self) -> list[Any]:
        """Those that were given, or the store's."""
        return self.get("credCheckers") or [makeChecker("store")]
