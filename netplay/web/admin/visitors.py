"""Who is connected, and who is not to be: operations on the whole daemon."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Annotated

from msgspec import Meta, Struct

from netplay.bans import Ban, network_named
from netplay.clients import Client
from netplay.connection import Connection
from netplay.core import Core
from netplay.errors import Refused
from netplay.messages import MAX_INTEGER
from netplay.operations import Operation
from netplay.web.port import HTTP

PAGE = 100
"""Connections or bans in one answer, at most."""

LONGEST_BAN = 366 * 24 * 3600
"""Seconds."""

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


class AddBan(Struct, forbid_unknown_fields=True, kw_only=True):
    """
    Keep an address or a network out for so many seconds; ends the connections that it has.

    An IPv6 address without a length stands for its /64. A ban of a network that has one replaces it. Unix sockets have
    no address and cannot be banned.
    """

    network: Annotated[str, Meta(min_length=1, max_length=64, examples=["192.0.2.0/24"])]
    seconds: Annotated[int, Meta(ge=1, le=LONGEST_BAN, examples=[3600])]
    reason: Annotated[str, Meta(max_length=100, examples=["spam"])] = ""


class BanLine(Struct):
    """A ban, until so many milliseconds since 1970."""

    ban: str
    network: str
    until: int
    reason: str


class BanAdded(Struct):
    """The ban, and how many connections it has ended."""

    ban: BanLine
    ended: int


class ListBans(Struct, forbid_unknown_fields=True, kw_only=True):
    """The bans that last, from behind the one `after`."""

    after: After = 0
    limit: Limit = PAGE


class BanList(Struct):
    """Bans; with `more`, ask again with the last one as `after`."""

    bans: list[BanLine]
    more: bool


class LiftBan(Struct, forbid_unknown_fields=True, kw_only=True):
    """End a ban before its time."""

    ban: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,15}\Z", examples=["1"])]


def operations(core: Core) -> Sequence[Operation]:
    """Those of one daemon."""

    def connections() -> list[Connection]:
        serving = [connection for connection in core.watch.connections if connection.serving]
        return sorted(serving, key=lambda connection: connection.number)

    def end(ended: Iterable[Connection], refused: Refused) -> None:
        for connection in ended:
            core.complaints.note(refused.code)
            # In a turn of its own: it may be the one that asks for this, and is to be answered.
            core.clock.callLater(0, connection.end, refused)

    def line(ban: Ban) -> BanLine:
        until = core.now() + round((ban.until - core.clock.seconds()) * 1000)
        return BanLine(ban.id, str(ban.network), until, ban.reason)

    def list_clients(request: ListClients) -> Clients:
        later = (connection for connection in connections() if connection.number > request.after)
        listed = (entries for connection in later if (entries := list(_lines(connection))))
        page = [entry for entries in islice(listed, request.limit) for entry in entries]
        return Clients(page, next(listed, None) is not None)

    def remove_client(request: RemoveClient) -> None:
        found = [c for c in connections() if any(entry.id == request.id for entry in _lines(c))]
        if not found:
            raise Refused("no_such_client", "nobody who is connected has that id", "$.id")
        end(found, Refused("kicked", request.reason))

    def add_ban(request: AddBan) -> BanAdded:
        network = network_named(request.network)
        ban = core.bans.add(network, request.seconds, request.reason, core.clock.seconds())
        found = [connection for connection in connections() if ban.holds(connection.address)]
        end(found, Refused("banned", request.reason or "your address may not connect for now"))
        return BanAdded(line(ban), len(found))

    def list_bans(request: ListBans) -> BanList:
        later = iter([ban for ban in core.bans.all(core.clock.seconds()) if int(ban.id) > request.after])
        page = [line(ban) for ban in islice(later, request.limit)]
        return BanList(page, next(later, None) is not None)

    def lift_ban(request: LiftBan) -> None:
        core.bans.lift(request.ban, core.clock.seconds())

    return (
        Operation("GET", "/clients", ListClients, Clients, list_clients),
        Operation("DELETE", "/clients/{id}", RemoveClient, None, remove_client, ("no_such_client",)),
        Operation("POST", "/bans", AddBan, BanAdded, add_ban, ("too_many",)),
        Operation("GET", "/bans", ListBans, BanList, list_bans),
        Operation("DELETE", "/bans/{ban}", LiftBan, None, lift_ban, ("no_such_ban",)),
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
