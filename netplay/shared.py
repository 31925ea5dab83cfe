"""Several features on one connection: what its binary port and the shared WebSocket have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from netplay.clients import Client, error_of
from netplay.errors import Refused
from netplay.wire.codecs import Wire

if TYPE_CHECKING:
    from netplay.connection import Connection


class SharedFeatures:
    """
    One client for each feature in use, made when the peer first turns to it.

    @param connection: whose they are.
    @ivar error_wire: the wire of errors that belong to no feature.
    """

    __slots__ = ("_clients", "_connection", "error_wire")

    def __init__(self, connection: Connection, error_wire: Wire) -> None:
        self._connection = connection
        self._clients: dict[str, Client] = {}
        self.error_wire = error_wire

    def received(self, name: str, wire: Wire, payload: bytes) -> Deferred[Any] | None:
        """
        A payload for a feature. An empty one asks for nothing but the greeting.

        @param wire: how the feature is to be heard from now on.
        @return: as L{Client.received}.
        """
        connection = self._connection
        core = connection.core
        if connection.unanswered and (not payload or name not in self._clients):
            return connection.in_turn(self.received, name, wire, payload)
        if name not in core.features:
            if self.admitted():
                self.say(Refused("unavailable", f"there is no {name} on this server"), wire.codec.ref_in(payload))
            return None
        if not payload and not self.admitted():
            return None
        client = self.client(name, wire)
        return client.received(payload) if payload else None

    def client(self, name: str, wire: Wire) -> Client:
        """The client of a feature that there is, greeted if it is new, and heard over C{wire} from now on."""
        client = self._clients.get(name)
        if client is None:
            connection = self._connection
            client = self._clients[name] = Client(connection, name, connection.core.features[name], wire)
        elif client.wire is not wire:
            client.rewire(wire)
        return client

    def clients(self) -> Iterable[Client]:
        """Those of the features used so far."""
        return list(self._clients.values())

    def admitted(self) -> bool:
        """Whether something that no feature handles is within the rate."""
        wait = self._connection.wait_for_token()
        if wait and self._connection.may_say_rate_limited():
            self.say(Refused("rate_limited", "too many messages a second", retry_after=wait))
        return not wait

    def mistake(self, refused: Refused, ref: str | int | None = None) -> None:
        """Something made no sense."""
        if self._connection.bears_mistake(refused, ref):
            self.say(refused, ref)

    def say(self, refused: Refused, ref: str | int | None = None) -> None:
        """An error that belongs to no feature."""
        connection = self._connection
        connection.core.complaints.note(refused.code)
        connection.in_turn(connection.outbox.write, self.error_wire.encode(error_of(refused, ref)))
