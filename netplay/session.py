"""What the sessions of all features do alike: pick the handler of a request, answer C{ping} and C{help}."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from netplay.errors import Refused
from netplay.help import describe
from netplay.messages import Event, Help, HelpText, Identity, Ping, Pong, Request, Resume
from netplay.moderation.sanctions import Who
from netplay.text import same_name
from netplay.wire.grammar import Grammar

if TYPE_CHECKING:
    from netplay.accounts.account import Account
    from netplay.clients import Client
    from netplay.core import Core
    from netplay.people import Person

SETTLE_AFTER = 0.2
"""Seconds in which a new connection may still say that it is someone who was here before."""


class Session:
    """
    Handlers are found by the type of the request in C{handlers}; they take (self, request) and return what
    L{netplay.interfaces.ISession.received} may.
    """

    __slots__ = ("client", "core")

    grammar: ClassVar[Grammar]
    handlers: ClassVar[dict[type[Request], Callable[[Any, Any], Any]]]

    def __init__(self, client: Client, core: Core) -> None:
        self.client = client
        self.core = core

    def received(self, message: Request) -> Any:
        """Handle a request."""
        return self.handlers[type(message)](self, message)

    def identity(self) -> Identity | None:
        """Nobody in particular."""
        return None

    def logged_in(self, account: Account) -> None:
        """It is nobody in particular, and stays that."""

    @property
    def known_as(self) -> Who:
        """Whom it serves, by all that a mute or a ban may be meant for: an account is not meant by where it is."""
        you, account = self.identity(), self.client.account
        name = None if you is None else you.name
        return Who(name, None, self.client.connection.address) if account is None else Who(name, account.name)

    async def may_be_called(self, name: str, person: Person) -> None:
        """
        Wait until it is known whether a name is anybody's.

        @raise Refused: C{name_taken}, C{banned}; C{unavailable} when the client has gone, so that nothing follows.
        """
        if same_name(name) != same_name(person.name):
            self.core.moderation.check_name(name)
            await self.core.accounts.check_name(name, self.client.account)
            if self.client.gone:
                raise Refused("unavailable", "you have gone")

    def keep(self) -> bytes | None:
        """There is nothing to come back to after a while."""

    def restored(self, state: bytes, request: Resume) -> Any:
        """Nothing was kept, so this is not called."""
        raise NotImplementedError("who keeps something restores it")

    def finishing(self) -> None:
        """Nothing waits for a timer here."""

    def ping(self, message: Ping) -> Event:
        """Answer with the time."""
        return Pong(at=self.core.now())

    def help(self, message: Help) -> Event:
        """Explain what can be sent."""
        types = {**self.grammar.acts, **self.grammar.types}
        if message.about is not None:
            if message.about not in types:
                raise Refused("unknown_type", f"no such type here; there are {', '.join(types)}", "$.about")
            types = {message.about: types[message.about]}
        described = self.client.fit([(name, describe(kind)) for name, kind in types.items()])
        return HelpText(
            text="Send one object at a time. With a `ref` you get an answer that carries it.",
            types=dict(described),
            others=list(types)[len(described) :] or None,
        )


COMMON_HANDLERS: dict[type[Request], Callable[[Any, Any], Any]] = {Ping: Session.ping, Help: Session.help}
