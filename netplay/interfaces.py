"""
The seams: what a feature, a game or a price source provides, and what it is given.

Those of stores are in L{netplay.store.interfaces}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.application.service import IService
from zope.interface import Attribute, Interface

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgspec import Struct
    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IProtocolFactory

    from netplay.accounts.account import Account
    from netplay.clients import Client
    from netplay.core import Core
    from netplay.messages import Event, Identity, Request, Resume
    from netplay.operations import Operation


class IFeature(Interface):
    """One of the things that the daemon does, found as a plugin in C{netplay.plugins}."""

    name: str = Attribute("One lower-case word: the name of its option, of its path and of its messages' feature.")
    summary: str = Attribute("One line for C{--help}.")
    port: int | None = Attribute(
        "The TCP port that it listens on unless told otherwise; C{None} when it listens only if told to."
    )
    order: int = Attribute("Where it stands in lists; built-in features have 10 to 50.")
    greeting: str = Attribute(
        "What to type into C{nc} to try it; a URL with C{{host}} and C{{port}} to open in a browser; or the empty "
        "string."
    )
    frame_type: int | None = Attribute(
        "The type of its frames on the shared binary wire in MessagePack, plus 16 in JSON; C{None} when it has no "
        "messages and so stays off shared wires. Taken: 0 to 18 and 32 to 34."
    )
    parameters: list[list[Any]] = Attribute(
        "Its options, as C{optParameters} of L{twisted.python.usage.Options}, or made by L{netplay.options}."
    )

    def build(options: Mapping[str, Any], core: Core) -> IFeatureService:
        """
        Make it for one daemon.

        @param options: those of all features; C{served} has the names of all features in use, each with the endpoints
            of its own port.
        @raise twisted.python.usage.UsageError: an option of its own makes no sense.
        """


class IFeatureService(IService):
    """A feature at work."""

    factory: IProtocolFactory = Attribute("Builds the protocols of its own port.")


class IMessageService(IFeatureService):
    """A feature at work that speaks messages: it can be used on every wire."""

    def connected(client: Client) -> ISession:
        """Someone uses this feature, on whatever wire. Greets the client with its first message."""


class IOperated(Interface):
    """A feature of which backends may ask something, which the web port's API then offers and describes."""

    operations: Sequence[Operation] = Attribute("What they may ask.")


class IDescribed(Interface):
    """A feature whose messages are described to programs, in the web port's C{asyncapi.json}."""

    requests: Sequence[type[Struct]] = Attribute("What clients may send, without what every feature takes.")
    events: Sequence[type[Event]] = Attribute("What they get, without what every feature sends.")


class ISession(Interface):
    """One client of one feature: knows messages, not wires."""

    grammar: Any = Attribute("The L{netplay.wire.grammar.Grammar} of what the client may send just now.")

    def identity() -> Identity | None:
        """Who the client is in this feature, if it tells clients apart."""

    def received(message: Request) -> Event | Deferred[Event | None] | None:
        """
        Handle a request. What is returned answers it; C{None} is answered by C{ok} where an answer is asked for.
        The next request is read when a returned Deferred has fired.

        @raise netplay.errors.Refused: said to the client as an C{error}.
        """

    def logged_in(account: Account) -> None:
        """The client, which is here already, is an account's from now on: take its name, as C{identity} will say."""

    def keep() -> bytes | None:
        """
        What L{restored} needs to bring an account back at any time, after a restart too, or C{None}. Asked for when
        L{Client.keep<netplay.clients.Client.keep>} is called, which says that it has changed, and before L{lost}.
        """

    def restored(state: bytes, request: Resume) -> Deferred[None] | None:
        """
        The client, which is an account's, comes back to what L{keep} returned long ago, or to another run of the
        daemon. Sends what L{resumed} does.
        """

    def finishing() -> None:
        """The client sends no more and goes when it has read all: send what would come too late otherwise."""

    def lost() -> object | None:
        """The client is gone. Returns what L{resumed} needs to bring it back, or C{None}."""

    def resumed(kept: Any, request: Resume) -> Deferred[None] | None:
        """
        The client was here before: C{kept} is what L{lost} returned then. Sends C{resumed}, what was missed since
        the positions in the request, and lets the client hear what is live.
        """

    def expired(kept: Any) -> None:
        """Nobody came back for what L{lost} returned: free the name and whatever else is held."""


class IPriceSourcePlugin(Interface):
    """Makes price sources, found as a plugin: C{--prices NAME:ARGUMENT}."""

    name: str = Attribute("What stands before the colon.")
    usage: str = Attribute("What to type, such as C{csv:PATH}.")

    def build(argument: str) -> IPriceSource:
        """
        Make a source from what stands after the colon.

        @raise twisted.python.usage.UsageError: that makes no sense; says what would.
        """


class IPriceSource(Interface):
    """Where prices come from. A plain object without a clock: it is asked once a beat."""

    symbols: Mapping[str, str] = Attribute("Every symbol with its emoji. There may come to be more.")

    def first() -> Mapping[str, float]:
        """The prices before the first beat."""

    def next() -> Mapping[str, float]:
        """The prices that this beat brings; symbols that are missing keep theirs."""


class IPushedPrices(IPriceSource):
    """A source whose prices are set from outside."""

    def push(prices: Mapping[str, float]) -> list[str]:
        """
        The next beat brings these.

        @return: which of the symbols are new.
        @raise netplay.errors.Refused: C{too_many} symbols.
        """


class IGame(Interface):
    """
    A game, found as a plugin: a subclass of L{netplay.game.Game}, which provides this when it says its C{name}.
    """

    name: str = Attribute("One lower-case word.")
    api: int = Attribute("The version of L{netplay.game} for which it is written.")
    description: str = Attribute("One line.")
    players: tuple[int, int] = Attribute("How few and how many play in a room.")
