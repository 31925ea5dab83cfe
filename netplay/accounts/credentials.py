"""What clients bring to say who they are."""

from __future__ import annotations

from twisted.cred.credentials import UsernamePassword
from zope.interface import implementer

from netplay.accounts.interfaces import IToken
from netplay.errors import Refused
from netplay.messages import Login
from netplay.text import clean_name


@implementer(IToken)
class Token:
    """Something signed by another server. Not a dataclass: what it holds is to be printed nowhere."""

    def __init__(self, token: str) -> None:
        self.token = token


def credentials_of(message: Login) -> UsernamePassword | Token:
    """
    What a client says. Name and password are UTF-8, as checkers of L{twisted.cred} take them.

    @raise Refused: C{bad_message}.
    """
    user, password, token = message.user, message.password, message.token
    if token is not None and user is None and password is None:
        return Token(token)
    if token is not None:
        raise Refused("bad_message", "a `token` says it all; leave out `user` and `password`", "$.token")
    if user is None or password is None:
        missing = "$.user" if user is None else "$.password"
        raise Refused("bad_message", "log in with `user` and `password`, or with a `token`", missing)
    return UsernamePassword(clean_name(user, "$.user").encode(), password.encode())
