"""Rooms over real connections: games that do not return, players who are cut off, and the end of the daemon."""

from __future__ import annotations

from typing import Any

import pytest_twisted
from pytest_twisted import ensureDeferred

from tests.e2e.daemon import Daemons, Ended, only
from tests.e2e.ways import CLIENTS, WAYS, get

STUCK = '''
from netplay.game import Entity, Game, Message


class Spin(Message):
    """Never return."""


class Stuck(Game):
    """Goes round and round."""

    name, api = "stuck", 1
    starts, countdown = "at once", 0
    messages = [Spin]
    spinning = False

    def on_spin(self, player, message):
        self.spinning = True

    def tick(self, dt):
        while self.spinning:
            try:
                while True:
                    pass
            except Exception:
                pass
'''


@pytest_twisted.async_yield_fixture(autouse=True)
async def _clients_leave() -> Any:
    yield
    while CLIENTS:
        await CLIENTS.pop().close()


@ensureDeferred
async def test_a_game_that_never_returns_ends_its_room_alone(daemons: Daemons) -> None:
    (daemons.directory / "stuck.py").write_text(STUCK)
    daemon = await daemons.start(*only("game", "chat"), "--load", "stuck.py", "--tick-limit", "0.2")
    ann, bob, cat = [await daemon.client("game") for _ in range(3)]
    for player, game in ((ann, "stuck"), (bob, "stuck"), (cat, "arena")):
        player.send(type="join", game=game)
        await player.get("seated")
    talker = await daemon.client("chat")
    ann.send(type="act", do="spin")
    for player in (ann, bob):
        assert (await player.get("error"))["code"] == "room_crashed"
        assert (await player.get("state"))["room"] == "lobby"
        assert await player.ask(type="move", dx=1) == {"type": "ok", "ref": 1}
    assert (await talker.ask(type="chat", text="still there?"))["type"] == "ok"
    tick = (await cat.get("state", room="arena-1"))["tick"]
    while (await cat.get("state", room="arena-1"))["tick"] < tick + 5:
        pass
    await daemon.line(r"the game stuck failed in room stuck-1 at tick \d+: the room is closed")
    await daemon.line("did not return within 0.2 s")
    assert len(daemon.lines("Traceback")) == 1, daemon.output


@ensureDeferred
async def test_who_is_cut_off_takes_the_seat_again(daemons: Daemons) -> None:
    daemon = await daemons.start(*only("game"))
    ann, bob = await daemon.client("game"), await daemon.client("game")
    hello = await bob.get("state")
    for player in (ann, bob):
        player.send(type="join", game="arena")
    seated = await bob.get("seated")
    me, room = seated["player"], seated["room"]
    bob.abort()
    while not (await ann.get("roster", room=room))["players"].get(me, {}).get("away"):
        pass
    again = await daemon.client("game")
    resumed = await again.ask(type="resume", session=hello["session"])
    assert (resumed["you"]["id"], resumed["room"]) == (me, room)
    state = await again.get("state")
    assert (state["room"], state["entities"][me]["team"]) == (room, seated["team"])
    while (await ann.get("roster", room=room))["players"][me]["away"]:
        pass


@ensureDeferred
async def test_lines_frames_and_websockets_are_in_one_room(daemons: Daemons) -> None:
    daemon = await daemons.start(*only("game", "binary", "web"))
    clients = [await way.client(way.port(daemon, "game"), "game") for way in WAYS.values()]
    for client in clients:
        client.send("join", game="arena")
        assert (await get(client, "seated"))["room"] == "arena-1"
    for client in clients:
        while (await get(client, "roster", room="arena-1"))["count"] < len(clients):
            pass
    clients[0].send("say", text="hello")
    for client in clients:
        assert (await get(client, "chat"))["message"] == "hello"


@ensureDeferred
async def test_the_daemon_ends_while_rooms_are_played_in(daemons: Daemons) -> None:
    daemon = await daemons.start(*only("game"), "--arena-bots", "4")
    players = [await daemon.client("game") for _ in range(4)]
    for n, player in enumerate(players):
        player.send(type="join", game="arena", create=n % 2 == 0)
        room = (await player.get("seated"))["room"]
        await player.get("state", room=room)
    daemon.signal(15)
    for player in players:
        assert "shutting_down" in [message.get("code") for message in await player.end()]
    assert await daemon.ended() == Ended(None, 15)
    assert not daemon.lines("Traceback"), daemon.output
