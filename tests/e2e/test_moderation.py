"""Keeping order on a real daemon, on TCP and WebSocket: what is decided holds, ends, and outlives a restart."""

from __future__ import annotations

import signal
from typing import Any

import pytest
import pytest_twisted
from pytest_twisted import ensureDeferred
from twisted.internet.task import deferLater

from tests.e2e import test_api as api
from tests.e2e.clients import MessageClient
from tests.e2e.daemon import Daemon, Daemons, reactor
from tests.e2e.test_accounts import ANN, PASSWORD, refused, registered
from tests.e2e.ways import CLIENTS, WAYS, Way, get, patiently, started_again

tcp_and_websocket = pytest.mark.parametrize("way", [WAYS["lines"], WAYS["ws-json"]], ids=["lines", "ws-json"])

BOB = ("Bob", PASSWORD)


@pytest_twisted.async_yield_fixture(autouse=True)
async def _clients_leave() -> Any:
    yield
    while CLIENTS:
        await CLIENTS.pop().close()


async def operator_and_bob(daemons: Daemons, way: Way) -> tuple[Daemon, Any, Any]:
    """A daemon, on which Ann is an operator, and Bob is not."""
    daemon = await daemons.start("--registration", "open")
    ann = await registered(daemon, way)
    bob = await registered(daemon, way, "Bob")
    status, output = await daemons.run("netplay", "user", "role", "Ann", "operator")
    assert status == 0, output
    await ann.close()  # roles that were given from the shell hold at once for who comes
    return daemon, await way.client(way.port(daemon, "chat"), "chat", login=ANN), bob


@tcp_and_websocket
@ensureDeferred
async def test_a_mute_ends_by_itself_and_another_outlives_a_restart(daemons: Daemons, way: Way) -> None:
    daemon, ann, bob = await operator_and_bob(daemons, way)
    await patiently(ann.ask("mute", user="Bob", seconds=1, reason="spam"))
    error = await refused(bob.ask("chat", text="hello"))
    assert error.code == "muted"
    await deferLater(reactor, 1.1)  # what ends by itself is waited for
    await patiently(bob.ask("chat", text="hello again"))
    assert (await refused(bob.ask("mute", user="Ann"))).code == "not_allowed"

    await patiently(ann.ask("mute", user="Bob", room="tech"))
    await patiently(ann.ask("slow_mode", room="tech", seconds=5))
    daemon.signal(signal.SIGTERM)
    await daemon.ended()
    again = await started_again(daemons, daemon)
    bob = await way.client(way.port(again, "chat"), "chat", login=BOB)
    await patiently(bob.ask("join_room", room="tech"))
    assert (await refused(bob.ask("chat", text="hello"))).code == "muted"
    rooms = (await patiently(bob.ask("rooms")))["rooms"]
    assert [room["slow"] for room in rooms if room["room"] == "tech"] == [5]
    ann = await way.client(way.port(again, "chat"), "chat", login=ANN)
    entries = (await patiently(ann.ask("audit")))["entries"]
    assert [entry["action"] for entry in entries] == ["room", "mute", "mute", "user_role"]


@tcp_and_websocket
@ensureDeferred
async def test_bans_from_a_room_from_the_server_and_of_a_network(daemons: Daemons, way: Way) -> None:
    daemon, ann, bob = await operator_and_bob(daemons, way)
    await patiently(bob.ask("join_room", room="tech", also=True))
    await patiently(ann.ask("ban", user="Bob", room="tech"))
    assert (await get(bob, "removed"))["code"] == "banned"
    assert (await refused(bob.ask("join_room", room="tech"))).code == "banned"

    await patiently(ann.ask("ban", user="Bob", seconds=1))
    assert (await get(bob, "error"))["code"] == "banned"
    port = way.port(daemon, "chat")
    assert (await refused(way.client(port, "chat", login=BOB))).code == "banned"
    await deferLater(reactor, 1.1)  # what ends by itself is waited for
    assert (await way.client(port, "chat", login=BOB)).you["name"] == "Bob"

    stranger: MessageClient = await daemon.connect(MessageClient(), "chat", source="127.0.0.2")
    await stranger.get("welcome")
    await patiently(ann.ask("ban", network="127.0.0.2/32"))
    assert (await stranger.get("error"))["code"] == "banned"
    await stranger.rest()
    again: MessageClient = await daemon.connect(MessageClient(), "chat", source="127.0.0.2")
    assert (await again.get("error"))["code"] == "banned"


@tcp_and_websocket
@ensureDeferred
async def test_bans_and_a_locked_room_outlive_a_crash(daemons: Daemons, way: Way) -> None:
    daemon, ann, bob = await operator_and_bob(daemons, way)
    await patiently(ann.ask("lock_room", room="tech", locked=True))
    await patiently(ann.ask("ban", user="Bob", room="gaming"))
    daemon.kill()
    await daemon.ended()
    again = await started_again(daemons, daemon)
    port = way.port(again, "chat")
    bob = await way.client(port, "chat", login=BOB)
    assert (await refused(bob.ask("join_room", room="tech"))).code == "not_allowed"
    assert (await refused(bob.ask("join_room", room="gaming"))).code == "banned"
    ann = await way.client(port, "chat", login=ANN)
    await patiently(ann.ask("ban", user="Bob"))
    assert (await get(bob, "error", fatal=True))["code"] == "banned"
    again.kill()
    await again.ended()
    again = await started_again(daemons, again)
    assert (await refused(way.client(way.port(again, "chat"), "chat", login=BOB))).code == "banned"


@tcp_and_websocket
@ensureDeferred
async def test_a_moderator_does_nothing_to_an_operator_nor_beyond_the_room(daemons: Daemons, way: Way) -> None:
    daemon, ann, bob = await operator_and_bob(daemons, way)
    status, output = await daemons.run("netplay", "user", "role", "Bob", "moderator:tech")
    assert status == 0, output
    await bob.close()
    bob = await way.client(way.port(daemon, "chat"), "chat", login=BOB)
    await patiently(ann.ask("join_room", room="tech", also=True))
    for request in ("mute", "kick", "ban"):
        assert (await refused(bob.ask(request, user="Ann", room="tech"))).code == "not_allowed"
        assert (await refused(bob.ask(request, user="nobody", room="general"))).code == "not_allowed"
    assert (await refused(bob.ask("audit"))).code == "not_allowed"
    await patiently(bob.ask("mute", user="nobody", room="tech"))
    await patiently(ann.ask("mute", user="Bob", room="tech"))
    [first, second, _, _] = (await patiently(ann.ask("audit")))["entries"]
    assert [(entry["by"], entry["target"]) for entry in (first, second)] == [
        ("Ann", "account:bob"),
        ("Bob", "name:nobody"),
    ]


@ensureDeferred
async def test_what_a_backend_decides_is_in_the_audit_log_as_its_own(daemons: Daemons) -> None:
    daemon = await api.start(daemons)
    bob: MessageClient = await daemon.client("chat")
    await bob.ask(type="set_name", name="Bob")
    status, muted = await api.ask(daemon, "POST", "/api/mutes", {"name": "Bob", "reason": "spam"})
    assert status == 200
    error = await bob.ask(type="chat", text="hello")
    assert (error["code"], error["message"].endswith("spam")) == ("muted", True)
    assert (await api.ask(daemon, "DELETE", f"/api/mutes/{muted['mute']}"))[0] == 204
    assert (await bob.ask(type="chat", text="hello"))["type"] == "ok"
    _, log = await api.ask(daemon, "GET", "/api/audit")
    assert [(entry["by"], entry["action"]) for entry in log["entries"]] == [("api", "unmute"), ("api", "mute")]
