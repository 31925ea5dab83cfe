"""What there is to come back to after a restart, with a real daemon and a real store."""

from __future__ import annotations

from signal import SIGTERM
from typing import Any

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred

from netplay.client import Client, ServerError
from tests.e2e.clients import MessageClient
from tests.e2e.daemon import Daemon, Daemons
from tests.e2e.ways import CLIENTS, WAYS, Way, get, patiently, started_again

ANN = ("Ann", "a long sentence that is in no log")

tcp_and_websocket = pytest.mark.parametrize("way", [WAYS["lines"], WAYS["ws-json"]], ids=["tcp", "websocket"])


@pytest_twisted.async_yield_fixture(autouse=True)
async def _clients_leave() -> Any:
    yield
    while CLIENTS:
        await CLIENTS.pop().close()


async def restarted(daemons: Daemons, daemon: Daemon) -> Daemon:
    """The daemon ends as an operator ends it, and begins again."""
    daemon.signal(SIGTERM)
    await daemon.ended()
    return await started_again(daemons, daemon)


async def session_of(client: Client) -> str:
    """What it comes back with, from its first message."""
    return str((await patiently(client.next()))["session"])


async def come_back(daemon: Daemon, way: Way, feature: str, session: str, **fields: Any) -> tuple[Any, dict[str, Any]]:
    """A new connection that resumes; returns it and the answer."""
    client = await way.client(way.port(daemon, feature), feature)
    return client, await patiently(client.ask("resume", session=session, **fields))


@tcp_and_websocket
@ensureDeferred
async def test_rooms_and_an_account_in_them_come_back_after_a_restart(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start("--registration", "open")
    ann = await way.client(way.port(daemon, "chat"), "chat")
    session = await session_of(ann)
    await patiently(ann.ask("register", user=ANN[0], password=ANN[1]))
    await patiently(ann.ask("create_room", room="garden", topic="what grows"))
    await patiently(ann.ask("join_room", room="garden"))
    await patiently(ann.ask("join_room", room="tech", also=True))
    await patiently(ann.ask("set_topic", room="garden", topic="roses"))
    seen = await patiently(ann.ask("chat", room="garden", text="red ones"))
    await ann.close()
    ben: MessageClient = await daemon.client("chat")
    await ben.ask(type="join_room", room="garden")
    missed = await ben.ask(type="chat", text="white ones")
    guest = (await ben.ask(type="who", room="garden"))["members"][0]["name"]
    epoch = seen["id"].partition("-")[0]

    again = await restarted(daemons, daemon)
    since = {"garden": {"epoch": epoch, "seq": seen["seq"]}}
    client, resumed = await come_back(again, way, "chat", session, since=since)
    assert (resumed["you"]["name"], resumed["you"]["guest"]) == ("Ann", False)
    assert resumed["rooms"]["garden"] == {"epoch": epoch, "seq": missed["seq"], "recovered": True}
    assert list(resumed["rooms"]) == ["garden", "tech"]
    page = await get(client, "history", room="garden")
    assert [(message["seq"], message["user"]) for message in page["messages"]] == [(missed["seq"], guest)]
    [garden] = [line for line in (await patiently(client.ask("rooms")))["rooms"] if line["room"] == "garden"]
    assert garden == {"room": "garden", "topic": "roses", "members": 1, "owner": "Ann"}
    found = await patiently(client.ask("search", text="ones"))
    assert [message["message"] for message in found["messages"]] == ["white ones", "red ones"]
    assert (await patiently(client.ask("chat", room="garden", text="new")))["seq"] == missed["seq"] + 1
    assert session not in daemon.output + again.output


@tcp_and_websocket
@ensureDeferred
async def test_so_do_subscriptions_and_a_name_in_games_but_no_guest(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start("--registration", "open")
    ann = await way.client(way.port(daemon, "ticker"), "ticker")
    await patiently(ann.ask("register", user=ANN[0], password=ANN[1]))
    await patiently(ann.ask("subscribe", symbols=["AAPL", "TSLA"]))
    player = await way.client(way.port(daemon, "game"), "game", login=ANN)
    guest = await way.client(way.port(daemon, "chat"), "chat")
    sessions = [await session_of(client) for client in (ann, player, guest)]
    for client in (ann, player, guest):
        await client.close()

    again = await restarted(daemons, daemon)
    watcher, resumed = await come_back(again, way, "ticker", sessions[0])
    assert resumed["you"]["name"] == "Ann"
    assert set((await get(watcher, "snapshot"))["prices"]) == {"AAPL", "TSLA"}
    _, resumed = await come_back(again, way, "game", sessions[1])
    assert (resumed["you"]["name"], resumed["room"]) == ("Ann", "lobby")
    with pytest.raises(ServerError) as raised:
        await come_back(again, way, "chat", sessions[2])
    assert raised.value.code == "bad_session"
