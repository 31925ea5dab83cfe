"""Accounts in a real daemon, with real passwords in a real store, over every wire."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred

from netplay.client import ServerError
from netplay.client.blocking import connect as blocking_connect
from tests.e2e.clients import MessageClient
from tests.e2e.daemon import Daemon, Daemons, deferToThread
from tests.e2e.relay import Relay
from tests.e2e.ways import CLIENTS, WAYS, Way, every_way, get, patiently, started_again

PASSWORD = "a long sentence that is in no log"
ANN = ("Ann", PASSWORD)

tcp_and_websocket = pytest.mark.parametrize("way", [WAYS["lines"], WAYS["ws-json"]], ids=["lines", "ws-json"])


@pytest_twisted.async_yield_fixture(autouse=True)
async def _clients_leave() -> Any:
    yield
    while CLIENTS:
        await CLIENTS.pop().close()


async def registered(daemon: Daemon, way: Way, name: str = "Ann") -> Any:
    """A client of chat that has made an account."""
    client = await way.client(way.port(daemon, "chat"), "chat")
    await patiently(client.ask("register", user=name, password=PASSWORD))
    return client


async def refused(request: Awaitable[Any]) -> ServerError:
    """The error that answers it."""
    with pytest.raises(ServerError) as raised:
        await request
    return raised.value


@every_way
@ensureDeferred
async def test_whoever_registers_is_that_in_all_features_and_after_a_restart(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start("--registration", "open")
    ann = await registered(daemon, way)
    assert ann.you == {"id": "User_1", "name": "Ann", "guest": False}
    for feature in ("game", "ticker"):
        client = await way.client(way.port(daemon, feature), feature, login=ANN)
        assert (client.you["name"], client.you["guest"]) == ("Ann", False)
    daemon.kill()
    await daemon.ended()
    again = await started_again(daemons, daemon)
    client = await way.client(way.port(again, "chat"), "chat", login=ANN)
    assert (client.you["name"], client.you["guest"]) == ("Ann", False)
    for log in (daemon, again):
        assert PASSWORD not in log.output


@tcp_and_websocket
@ensureDeferred
async def test_names_of_accounts_and_look_alikes_are_not_to_be_had(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start("--registration", "open")
    await registered(daemon, way)
    guest = await way.client(way.port(daemon, "chat"), "chat")
    player = await way.client(way.port(daemon, "game"), "game")
    for name in ("Ann", "ANN", "Аnn", "ΑΝΝ", "Ａｎｎ"):
        assert (await refused(guest.ask("set_name", name=name))).code == "name_taken"
        assert (await refused(player.ask("join", game="arena", name=name))).code == "name_taken"
        assert (await refused(guest.ask("register", user=name, password=PASSWORD))).code == "name_taken"
    assert (await patiently(guest.ask("set_name", name="Anna")))["type"] == "ok"


@tcp_and_websocket
@ensureDeferred
async def test_who_guesses_has_to_wait_and_the_owner_has_not(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start("--registration", "open")
    await registered(daemon, way)
    thief: MessageClient = await daemon.connect(MessageClient(), "chat", source="127.0.0.2")
    guesses = [await thief.ask(type="login", user="Ann", password=f"guess {n}") for n in range(7)]
    assert [answer["code"] for answer in guesses] == ["bad_login"] * 6 + ["rate_limited"]
    assert 0 < guesses[-1]["retry_after"] <= 1
    # Neither does the right password help, nor another connection, nor another address.
    other: MessageClient = await daemon.connect(MessageClient(), "chat", source="127.0.0.3")
    for client in (thief, other):
        assert (await client.ask(type="login", user="Ann", password=PASSWORD))["code"] == "rate_limited"
    owner = await way.client(way.port(daemon, "chat"), "chat", login=ANN)
    assert owner.you["name"] == "Ann"
    assert not daemon.lines("guess")


@tcp_and_websocket
@ensureDeferred
async def test_where_there_are_no_guests(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start("--guests", "off", "--registration", "open")
    stranger: MessageClient = await daemon.client("chat")
    assert (await stranger.get())["type"] == "login_required"
    assert (await stranger.ask(type="chat", text="hi"))["code"] == "unknown_type"
    assert (await stranger.ask(type="register", user="Ann", password=PASSWORD))["you"]["name"] == "Ann"
    port = way.port(daemon, "chat")
    assert (await refused(way.client(port, "chat"))).code == "not_allowed"
    assert (await refused(way.client(port, "chat", login=("Ann", "wrong")))).code == "bad_login"
    ann = await way.client(port, "chat", login=ANN)
    await patiently(ann.ask("chat", text="among us"))
    assert (await stranger.get("chat"))["user"] == "Ann"


@tcp_and_websocket
@ensureDeferred
async def test_what_the_shell_changes_holds_for_those_who_are_here(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start("--registration", "open")
    ann = await registered(daemon, way)
    assert (await daemons.run("netplay", "user", "role", "Ann", "operator"))[0] == 0
    again = await way.client(way.port(daemon, "ticker"), "ticker", login=ANN)
    assert (await patiently(again.ask("login", user="Ann", password=PASSWORD)))["roles"] == ["operator"]
    assert (await daemons.run("netplay", "user", "disable", "Ann"))[0] == 0
    for client in (ann, again):
        assert (await get(client, "error", fatal=True))["code"] == "kicked"
    assert (await refused(way.client(way.port(daemon, "chat"), "chat", login=ANN))).code == "banned"


@ensureDeferred
async def test_who_is_somebody_elsewhere(daemons: Daemons) -> None:
    daemon = await daemons.start("--auth", "memory:ann:secret")
    ann = await WAYS["lines"].client(daemon.addresses["ticker"][0].port, "ticker", login=("ann", "secret"))
    assert ann.you["guest"] is False
    assert (await refused(ann.ask("login", token="x"))).code == "not_allowed"


@ensureDeferred
async def test_a_program_without_a_reactor_logs_in_too(daemons: Daemons) -> None:
    daemon = await daemons.start("--auth", "memory:ann:secret")
    where = f"tcp:127.0.0.1:{daemon.addresses['chat'][0].port}"

    def program() -> tuple[dict[str, Any], str]:
        with blocking_connect(where, "chat", login=("ann", "secret")) as client:
            you = client.you
        try:
            blocking_connect(where, "chat", login=("ann", "wrong"))
        except ServerError as error:
            return you, error.code
        raise AssertionError("a wrong password was taken")

    assert await patiently(deferToThread(program)) == ({"id": "User_1", "name": "ann", "guest": False}, "bad_login")


@tcp_and_websocket
@ensureDeferred
async def test_who_is_cut_off_is_the_same_account_again(daemons: Daemons, way: Way) -> None:
    daemon = await daemons.start("--registration", "open")
    await registered(daemon, way)
    relay = Relay(way.port(daemon, "chat"))
    ann = await way.client(await relay.open(), "chat", login=ANN)
    relay.cut()
    resumed = await get(ann, "resumed")
    assert (resumed["you"]["name"], resumed["you"]["guest"]) == ("Ann", False)
    assert (await patiently(ann.ask("set_password", password=PASSWORD, new="another sentence")))["type"] == "ok"
    await relay.close()
