"""The token that a backend shows (RFC 6750)."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.python.usage import UsageError

LEAST = 16
"""Characters of a token: with fewer it could be guessed."""

_TOKEN = re.compile(rf"[A-Za-z0-9._~+/-]{{{LEAST},512}}=*")

_HOW = "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(24))'"


class Token:
    """
    A secret that is only ever compared.

    @param secret: characters as RFC 6750 has them.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def allows(self, authorization: str | None) -> bool:
        """Whether a header C{Authorization} carries it; takes equally long however much of it is right."""
        scheme, _, shown = (authorization or "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), self._secret)


def token_of(options: Mapping[str, Any]) -> Token | None:
    """
    That of C{--api-token} or C{--api-token-file}, if one of them is given.

    @raise UsageError: it is no good, or both are given; says what to do instead, and nothing of the token.
    """
    given, path = options["api-token"], options["api-token-file"]
    if given is not None and path is not None:
        raise UsageError("--api-token and --api-token-file: give one of them; the file keeps it out of `ps`")
    if path is not None:
        return Token(_checked("--api-token-file", _read(path)))
    return None if given is None else Token(_checked("--api-token", given))


def _read(path: str) -> str:
    try:
        with Path(path).expanduser().open(encoding="ascii", errors="replace") as file:
            return file.read(1024).strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "that is no path"
        raise UsageError(f"--api-token-file {path}: it cannot be read ({reason}); {_HOW} > {path}") from None


def _checked(option: str, secret: str) -> str:
    if not _TOKEN.fullmatch(secret):
        raise UsageError(f"{option}: a token has {LEAST} or more of the characters A-Z a-z 0-9 . _ ~ + / -; {_HOW}")
    return secret
