"""
People who have logged in elsewhere: tokens signed by another server (U{RFC 7519
<https://www.rfc-editor.org/rfc/rfc7519>}, checked after U{RFC 8725 <https://www.rfc-editor.org/rfc/rfc8725>}).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWKSet, PyJWTError
from jwt.exceptions import InvalidKeyError, InvalidTokenError, MissingRequiredClaimError
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred, fail, succeed
from twisted.logger import Logger
from zope.interface import implementer

from netplay.accounts.account import is_role
from netplay.accounts.interfaces import IBoundChecker, IToken, Vouched
from netplay.complaints import Complaints
from netplay.core import Core
from netplay.options import absolute

MAX_TOKEN = 8192
"""Characters. Those of the common servers have one or two thousand."""

MAX_FILE = 1024 * 1024
"""Bytes of a file with keys."""

LEEWAY = 30
"""Seconds that the clock of whoever signs may differ from ours."""

SHORTEST_SECRET = 32
"""Bytes; U{RFC 7518 <https://www.rfc-editor.org/rfc/rfc7518#section-3.2>}."""

SHORTEST_RSA = 2048
"""Bits; U{RFC 7518 <https://www.rfc-editor.org/rfc/rfc7518#section-3.3>}."""

Choose = Callable[[str | None], Any]
"""From the id of a key, if a token has one, to the key; C{None} if there is none."""


class KeysUnusable(Exception):
    """A file has no keys that could be used; the text says why."""


def secret(content: bytes) -> Choose:
    """
    The one secret that the file has.

    @raise KeysUnusable: it is too short.
    """
    key = content.strip()
    if len(key) < SHORTEST_SECRET:
        raise KeysUnusable(f"a secret has {SHORTEST_SECRET} bytes or more; `openssl rand -hex 32` makes one")
    return lambda _: key


def jwks(content: bytes) -> Choose:
    """
    The RSA keys of a JSON Web Key Set that sign. What else is there is left alone.

    @raise KeysUnusable: there are none.
    """
    try:
        rsa = [key for key in json.loads(content)["keys"] if key["kty"] == "RSA" and key.get("use", "sig") == "sig"]
        keys = [(key.key_id, key.key) for key in PyJWKSet(rsa).keys]
    except (PyJWTError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise KeysUnusable('it has no JSON Web Key Set with RSA keys, such as {"keys": [...]}') from None
    for _, key in keys:
        if not isinstance(key, RSAPublicKey):
            raise KeysUnusable("there is a private key in it; whoever checks needs the public ones only")
        if key.key_size < SHORTEST_RSA:
            raise KeysUnusable(f"an RSA key has {SHORTEST_RSA} bits or more")
    return partial(_choose, keys)


def _choose(keys: list[tuple[str | None, RSAPublicKey]], kid: str | None) -> RSAPublicKey | None:
    if kid is None:
        return keys[0][1] if len(keys) == 1 else None
    return next((key for id, key in keys if id == kid), None)


class Keys:
    """
    What tokens are signed with, from a file. It is looked at whenever somebody comes with a token, and read again when
    it has changed, so that keys can be changed while the daemon runs. While it cannot be used (somebody is writing
    it), those that were there before stay.

    @raise KeysUnusable: they cannot be used to begin with.
    """

    _log = Logger()

    def __init__(self, path: str, load: Callable[[bytes], Choose]) -> None:
        self._path = absolute(path)
        self._load = load
        self._complaint: str | None = None
        self._stamp: tuple[int, ...] | None = None
        self._read()

    def find(self, kid: str | None) -> Any:
        """The key of that id, C{None} if there is none."""
        try:
            if self._read():
                self._log.info("jwt: took up what is in {path} now", path=str(self._path))
        except KeysUnusable as error:
            if str(error) != self._complaint:  # the same is said once
                self._complaint = str(error)
                self._log.warn("jwt: {path}: {why}; what was there before stays", path=str(self._path), why=str(error))
        return self._choose(kid)

    def _read(self) -> bool:
        """Whether there was something new."""
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp == self._stamp:
                return False
            if status.st_size > MAX_FILE:
                raise KeysUnusable(f"it has more than {MAX_FILE} bytes")
            content = self._path.read_bytes()
        except OSError as error:
            raise KeysUnusable(f"it cannot be read ({error.strerror})") from None
        self._choose = self._load(content)
        self._stamp, self._complaint = stamp, None
        return True


@implementer(IBoundChecker)
class JWTChecker:
    """
    @param algorithm: the only one. What a token says of itself chooses nothing but the key.
    @param issuer: who must have signed, if not C{None}.
    @param audience: for whom it must be. C{None}: it must be for nobody in particular.
    @param name: the claim with the name of the account.
    @param roles: the claim with its roles, if there is one.
    """

    credentialInterfaces = (IToken,)

    def __init__(
        self,
        keys: Keys,
        algorithm: str,
        *,
        issuer: str | None = None,
        audience: str | None = None,
        name: str = "sub",
        roles: str | None = None,
    ) -> None:
        self._keys = keys
        self._algorithm = algorithm
        self._issuer = issuer
        self._audience = audience
        self._name = name
        self._roles = roles

    def bind(self, core: Core) -> None:
        """Its log says why tokens are refused, not which."""
        self._refused = Complaints(core.clock, what="jwt: tokens refused")

    def requestAvatarId(self, credentials: IToken) -> Deferred[Any]:
        """
        Whom the token is about, and its roles.

        @raise UnauthorizedLogin: it cannot be trusted.
        """
        try:
            return succeed(self._vouched(self._claims(credentials.token)))
        except (PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:  # not all PyJWTs wrap them
            self._refused.note(type(error).__name__)
            return fail(UnauthorizedLogin())

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN:
            raise InvalidTokenError
        key = self._keys.find(jwt.get_unverified_header(token).get("kid"))
        if key is None:
            raise InvalidKeyError
        return jwt.decode(
            token,
            key,
            [self._algorithm],
            options={"require": ["exp"]},
            issuer=self._issuer,
            audience=self._audience,
            leeway=LEEWAY,
        )

    def _vouched(self, claims: dict[str, Any]) -> Vouched:
        name = _claim(claims, self._name)
        if not isinstance(name, str) or not name:
            raise MissingRequiredClaimError(self._name)
        roles = [] if self._roles is None else _claim(claims, self._roles)
        return Vouched(name, _known(roles))


def _claim(claims: dict[str, Any], name: str) -> Any:
    """A claim by its name, or by its way there with dots between. C{None} if there is none."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for step in name.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _known(roles: Any) -> Collection[str]:
    """Those that mean something here."""
    return [role for role in roles if isinstance(role, str) and is_role(role)] if isinstance(roles, list) else []
