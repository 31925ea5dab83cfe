"""Who is connected: operations on the whole daemon."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated

from msgspec import Meta, Struct

from netplay.clients import Client
from netplay.connection import Connection
from netplay.core import Core
from netplay.errors import Refused
from netplay.messages import MAX_INTEGER
from netplay.moderation.operations import API
from netplay.operations import Operation
from netplay.web.port import HTTP

PAGE = 100
"""Connections in one answer, at most."""

After = Annotated[int, Meta(ge=0, lt=MAX_INTEGER, examples=[41])]
Limit = Annotated[int, Meta(ge=1, le=PAGE, examples=[20])]
Reason = Annotated[str, Meta(min_length=1, max_length=100, examples=["spam"])]


class ListClients(Struct, forbid_unknown_fields=True, kw_only=True):
    """
    Who is connected, from behind the connection `after`, in the order of their coming.

    A connection with several features in use is as many clients; `limit` counts connections.
    """

    after: After = 0
    limit: Limit = PAGE


class ClientLine(Struct):
    """
    A client; `backlog` is how many bytes wait to be sent to it.

    Who uses no feature that tells its clients apart has an `id` made of the port and the number of the connection.
    """

    id: str
    feature: str
    framing: str
    connection: int
    backlog: int
    name: str | None = None
    codec: str | None = None
    address: str | None = None


class Clients(Struct):
    """Clients; with `more`, ask again with the last connection as `after`."""

    clients: list[ClientLine]
    more: bool


class RemoveClient(Struct, forbid_unknown_fields=True, kw_only=True):
    """End a client's connection, with all that is on it. It is told the reason, and that it was `kicked`."""

    id: Annotated[str, Meta(min_length=1, max_length=64, examples=["User_7"])]
    reason: Reason = "removed by an operator"


def operations(core: Core) -> Sequence[Operation]:
    """Those of one daemon."""

    def list_clients(request: ListClients) -> Clients:
        later = (connection for connection in core.moderation.here() if connection.number > request.after)
        listed = (entries for connection in later if (entries := list(_lines(connection))))
        page = [entry for entries in islice(listed, request.limit) for entry in entries]
        return Clients(page, next(listed, None) is not None)

    def remove_client(request: RemoveClient) -> None:
        found = [c for c in core.moderation.here() if any(entry.id == request.id for entry in _lines(c))]
        if not found:
            raise Refused("no_such_client", "nobody who is connected has that id", "$.id")
        core.moderation.kick(found, request.id, request.reason, API)

    return (
        Operation("GET", "/clients", ListClients, Clients, list_clients),
        Operation("DELETE", "/clients/{id}", RemoveClient, None, remove_client, ("no_such_client",)),
    )


def _lines(connection: Connection) -> Iterator[ClientLine]:
    clients = list(connection.clients())
    for client in clients:
        yield _line(connection, client)
    if not clients and connection.framing_name != HTTP:  # who asks for pages is no client
        yield _line(connection, None)


def _line(connection: Connection, client: Client | None) -> ClientLine:
    feature = connection.factory.feature if client is None else client.feature
    you = None if client is None else client.session.identity()
    return ClientLine(
        id=f"{feature}_{connection.number}" if you is None else you.id,
        feature=feature,
        framing=connection.framing_name,
        connection=connection.number,
        backlog=connection.outbox.backlog,
        name=None if you is None else you.name,
        codec=None if client is None else client.wire.codec.name,
        address=connection.address,
    )
