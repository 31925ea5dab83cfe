"""Who a client says it is, each time it has to."""

from __future__ import annotations

from collections.abc import Callable

from netplay.client.wires import Message

Credentials = Callable[[], Message]
"""Makes the C{login}."""


def credentials(login: tuple[str, str] | None, token: str | Callable[[], str] | None) -> Credentials | None:
    """
    What there is to say.

    @param login: name and password.
    @param token: or a token instead, or what makes a new one: those of others end after a while.
    @return: C{None} for a guest.
    @raise ValueError: both are given.
    """
    if token is None and login is None:
        return None
    if token is None and login is not None:
        user, password = login
        return lambda: {"type": "login", "user": user, "password": password}
    if login is not None:
        raise ValueError("log in with a name and a password, or with a token")
    return lambda: {"type": "login", "token": token() if callable(token) else token}
