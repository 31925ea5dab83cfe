"""Whatever clients do in whatever order: rooms stay in order, and each client knows what it may."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from netplay.client.mirror import Mirror
from netplay.game.changes import View
from netplay.game.sync import Stream
from netplay.wire.codecs import JSON
from tests.features import FramedClient, House, LineClient, PackedFramedClient, PackedWebSocketClient, WebSocketClient
from tests.game.rooms import Closed, Race, Run, Walk

WIRES = (LineClient, FramedClient, WebSocketClient, PackedFramedClient, PackedWebSocketClient)
GAMES = (Walk, Run, Race, Closed)
MOST = 6
"""Clients at once."""

who = st.integers(0, MOST - 1)
games = st.sampled_from(["run", "walk", "race", "closed"])
rooms = st.sampled_from(["den", "pit", "lobby", "race-1"])


class Rooms(RuleBasedStateMachine):
    """A daemon, and clients on all wires."""

    def __init__(self) -> None:
        super().__init__()
        self.house = House()
        self.house.game.games.update({game.name: game for game in GAMES})
        self.at_rest = len(self.house.clock.getDelayedCalls())
        self.mirrors: dict[LineClient, Mirror] = {}
        self.lost: list[str] = []  # sessions
        self.lagging: set[LineClient] = set()
        self.log: list[LogEvent] = []
        globalLogPublisher.addObserver(self.log.append)

    @property
    def failures(self) -> list[Any]:
        """What went wrong, as the log has it."""
        return [event["log_failure"] for event in self.log if "log_failure" in event]

    def client(self, n: int) -> LineClient:
        return list(self.mirrors)[n % len(self.mirrors)]

    def ask(self, n: int, type: str, **fields: Any) -> None:
        """Somebody sends something, which is granted or refused."""
        if self.mirrors and not self.client(n).closed:
            self.client(n).send(type, **{name: value for name, value in fields.items() if value is not None})

    def forget(self, client: LineClient) -> None:
        """Its connection is lost."""
        del self.mirrors[client]
        self.lagging.discard(client)
        self.lost.append(client.hello["session"])

    # Coming and going

    @initialize(game=games, wires=st.lists(st.sampled_from(WIRES), min_size=2, max_size=4))
    def begin(self, game: str, wires: list[type[LineClient]]) -> None:
        for n, wire in enumerate(wires):
            self.connect(wire, True)
            self.create(n, game=game, room="den")
            self.join(n, "den", False)
            self.sync(n, "delta", None)

    @precondition(lambda self: len(self.mirrors) < MOST)
    @rule(wire=st.sampled_from(WIRES), seen=st.booleans())
    def connect(self, wire: type[LineClient], seen: bool) -> None:
        client = wire(self.house, "game")
        self.mirrors[client] = Mirror()
        client.hello = client.received()[0]
        self.mirrors[client].apply(client.hello)
        if seen:
            self.house.wait(0.3)

    @precondition(lambda self: self.mirrors)
    @rule(n=who)
    def drop(self, n: int) -> None:
        client = self.client(n)
        self.forget(client)
        client.drop()

    @precondition(lambda self: self.lost and len(self.mirrors) < MOST)
    @rule(wire=st.sampled_from(WIRES), n=who)
    def resume(self, wire: type[LineClient], n: int) -> None:
        client = wire(self.house, "game")
        client.hello = client.received()[0]
        self.mirrors[client] = Mirror()
        self.mirrors[client].apply(client.hello)
        session = self.lost.pop(n % len(self.lost))
        answer = client.ask("resume", session=session)
        if answer["type"] == "resumed":
            client.hello = answer

    @precondition(lambda self: self.mirrors and len(self.mirrors) < MOST)
    @rule(n=who)
    def take_over(self, n: int) -> None:
        self.forget(self.client(n))
        self.resume(LineClient, len(self.lost) - 1)

    # Rooms

    @rule(n=who, game=games, team=st.sampled_from([None, "red", "blue"]), spectate=st.booleans())
    def quick(self, n: int, game: str, team: str | None, spectate: bool) -> None:
        self.ask(n, "join", game=game, team=team, spectate=spectate)

    @rule(n=who, game=games, room=rooms, private=st.booleans())
    def create(self, n: int, **how: Any) -> None:
        self.ask(n, "join", create=True, **how)

    @rule(n=who, room=rooms, spectate=st.booleans())
    def join(self, n: int, room: str, spectate: bool) -> None:
        self.ask(n, "join", room=room, spectate=spectate)

    @rule(n=who, other=who)
    def follow(self, n: int, other: int) -> None:
        if self.mirrors:
            self.ask(n, "join", code=self.client(other).session.live.code)

    @rule(n=who)
    def leave(self, n: int) -> None:
        self.ask(n, "leave")

    @rule(n=who, game=games)
    def queue(self, n: int, game: str) -> None:
        self.ask(n, "queue", game=game)

    @rule(n=who, what=st.sampled_from(["ready", "start", "rooms"]))
    def request(self, n: int, what: str) -> None:
        self.ask(n, what)

    @rule(n=who, team=st.sampled_from(["red", "blue"]))
    def team(self, n: int, team: str) -> None:
        self.ask(n, "team", team=team)

    @rule(n=who)
    def say(self, n: int) -> None:
        self.ask(n, "say", text="hello")

    # Playing

    @rule(n=who, dx=st.sampled_from([-1, 0.25, 3, 9]), seq=st.sampled_from([None, 1, 2]))
    def act(self, n: int, dx: float, seq: int | None) -> None:
        self.ask(n, "act", do="go", dx=dx, seq=seq)

    @rule(n=who, dx=st.integers(-3, 3))
    def move(self, n: int, dx: int) -> None:
        self.ask(n, "move", dx=dx)

    @rule(n=who, to=st.sampled_from([None, "Player_1"]))
    def tell(self, n: int, to: str | None) -> None:
        self.ask(n, "act", do="tell", to=to)

    @rule(n=who, mode=st.sampled_from(["delta", "full"]), max_rate=st.sampled_from([None, 3, 1000]))
    def sync(self, n: int, mode: str, max_rate: float | None) -> None:
        self.ask(n, "sync", mode=mode, max_rate=max_rate)

    @precondition(lambda self: self.mirrors)
    @rule(n=who)
    def lag(self, n: int) -> None:
        client = self.client(n)
        if client not in self.lagging:
            self.lagging.add(client)
            client.lag()

    @rule()
    def catch_up(self) -> None:
        for client in self.lagging:
            client.catch_up()
        self.lagging.clear()

    @rule(seconds=st.sampled_from([0, 0.05, 0.25, 1, 4, 31]))
    def wait(self, seconds: float) -> None:
        self.house.wait(seconds)

    # What must be so

    @invariant()
    def in_order(self) -> None:
        assert not self.failures, self.failures[0].getTraceback()
        for client in [client for client in self.mirrors if client.closed]:  # WebSockets that answer no ping
            self.forget(client)
        directory = self.house.game.directory
        rooms = {live.name: live for live in directory}
        seats = [player for live in rooms.values() for player in live.room.seats]
        assert len(seats) == len(set(seats)), "nobody has two seats"
        for client, mirror in self.mirrors.items():
            for message in client.received():
                if message["type"] in ("state", "delta"):
                    mirror.apply(message)
            session = client.session
            assert rooms[session.live.name] is session.live
            assert (session.person.id in session.live.room.seats) is not session.watching
        for live in rooms.values():
            assert live.permanent or live.room.seats, f"nobody plays in {live.name}"

    @rule()
    def everybody_knows_what_it_may(self) -> None:
        self.catch_up()
        self.house.wait(2)
        self.in_order()
        for client, mirror in self.mirrors.items():
            live = client.session.live
            room = live.room
            stream = Stream(room.name, room.game)
            stream.take(room.world, room.acks, 0)
            view = View() if client.session.watching else stream.view(room.seats[client.session.person.id])
            state = stream.state(view, JSON)
            assert mirror.room == live.name
            assert mirror.positions == state.positions
            assert mirror.scores == state.scores
            if not room.game.brief:
                assert mirror.entities == state.entities

    def teardown(self) -> None:
        try:
            self.everybody_knows_what_it_may()
            for client in self.mirrors:
                client.drop()
            self.house.wait(31)
            assert [live.name for live in self.house.game.directory] == ["lobby"]
            assert not len(self.house.game.waiting._games)
            waiting = self.house.clock.getDelayedCalls()
            assert len(waiting) <= self.at_rest, "\n".join(map(str, waiting))
            assert not self.failures
        finally:
            globalLogPublisher.removeObserver(self.log.append)


class AnyOrderTests(SynchronousTestCase):
    """Examples of what clients may do."""

    def test_rooms_stay_in_order_and_everybody_knows_what_it_may(self) -> None:
        run_state_machine_as_test(
            Rooms,
            settings=settings(
                max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
