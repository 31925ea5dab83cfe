"""The ways to a daemon that both Python clients know, and what their tests do there."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from twisted.internet.defer import Deferred

from netplay.client import Client, connect
from netplay.client.addresses import CodecName
from tests.e2e.clients import PATIENCE, MessageClient
from tests.e2e.daemon import Daemon, Daemons, reactor

FIXED = "tcp:{port}:interface=127.0.0.1"


class Way(NamedTuple):
    """How to get to a feature."""

    door: str | None
    where: str
    codec: CodecName

    def port(self, daemon: Daemon, feature: str) -> int:
        """Where the daemon has it."""
        return daemon.addresses[self.door or feature][0].port

    async def client(self, port: int, feature: str, **options: Any) -> Client:
        """A client there that comes back soon."""
        where = self.where.format(port=port)
        client = await patiently(
            connect(reactor, where, feature, codec=self.codec, retry=lambda attempt: 0.02 * attempt, **options)
        )
        CLIENTS.append(client)
        return client


WAYS = {
    "lines": Way(None, "tcp:127.0.0.1:{port}", "json"),
    "frames": Way("binary", "tcp:127.0.0.1:{port}", "msgpack"),
    "ws-json": Way("web", "ws://127.0.0.1:{port}/", "json"),
    "ws-msgpack": Way("web", "ws://127.0.0.1:{port}/", "msgpack"),
}
CLIENTS: list[Client] = []
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


def patiently(deferred: Deferred[Any]) -> Deferred[Any]:
    """Not for ever."""
    return deferred.addTimeout(PATIENCE, reactor)


async def get(client: Client, type: str, **fields: Any) -> dict[str, Any]:
    """The next message with this type and these fields; those before it are passed over."""
    while True:
        message: dict[str, Any] = await patiently(client.next())
        if {**message, "type": type, **fields} == message:
            return message


async def started_again(daemons: Daemons, daemon: Daemon, *more: str) -> Daemon:
    """Another daemon on the same ports, with more options."""
    options = [
        word
        for feature, (address, *_) in daemon.addresses.items()
        for word in (f"--{feature}", FIXED.format(port=address.port))
    ]
    return await daemons.start(*options, *more)


async def said(daemon: Daemon, first: int, last: int, room: str = "general") -> None:
    """Somebody else says numbers."""
    ben: MessageClient = await daemon.client("chat")
    if room != "general":
        await ben.ask(type="join_room", room=room)
    for n in range(first, last):
        ben.send(type="chat", room=room, text=str(n))
    await ben.settled()
    ben.close()
