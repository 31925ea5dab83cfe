"""Tests of L{netplay.game.audience}: how clients of every wire are told what they see."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from netplay.client.mirror import Mirror
from netplay.game.sync import Stream
from tests.features import (
    FramedClient,
    LineClient,
    PackedFramedClient,
    PackedSharedWebSocketClient,
    PackedWebSocketClient,
    WebSocketClient,
)
from tests.game.rooms import RoomsTestCase

WIRES = (
    LineClient,
    FramedClient,
    WebSocketClient,
    PackedFramedClient,
    PackedWebSocketClient,
    PackedSharedWebSocketClient,
)


class AudienceTestCase(RoomsTestCase):
    """Ann and Bob are in a room with twenty ticks and ten states a second."""

    def setUp(self) -> None:
        super().setUp()
        self.join(self.ann, game="run")
        self.join(self.bob, game="run")
        self.ann.received()

    def go(self, client: LineClient, **more: Any) -> None:
        """One step further, and time for it to be told."""
        client.send("act", do="go", dx=0.25, **more)
        self.house.wait(0.1)

    def told(self, client: LineClient) -> list[dict[str, Any]]:
        """The states and deltas that came."""
        return [message for message in client.received() if message["type"] in ("state", "delta")]


class SyncTests(AudienceTestCase):
    """C{sync}."""

    def test_everything_at_once_then_what_changed(self) -> None:
        answer = self.ann.ask("sync", mode="delta")
        self.assertEqual(answer, {"type": "ok"})
        self.assertEqual([m["type"] for m in self.told(self.ann)], ["state"])
        self.go(self.bob)
        [delta] = self.told(self.ann)
        self.assertEqual(
            {key: value for key, value in delta.items() if key not in ("tick", "at")},
            {"type": "delta", "room": "run-1", "set": {self.bob.id: {"x": 0.25}}},
        )

    def test_who_does_not_ask_is_told_everything(self) -> None:
        self.ann.send("sync", mode="delta")
        self.go(self.bob)
        self.assertEqual({m["type"] for m in self.told(self.bob)}, {"state"})

    def test_back_to_everything(self) -> None:
        self.ann.send("sync", mode="delta")
        self.ann.send("sync", mode="full")
        self.go(self.bob)
        self.assertEqual({m["type"] for m in self.told(self.ann)}, {"state"})

    def test_when_nothing_changes_nothing_is_told(self) -> None:
        self.ann.send("sync", mode="delta")
        self.told(self.ann)
        self.house.wait(5)
        self.assertEqual(self.told(self.ann), [])

    def test_who_comes_is_new_and_who_goes_is_gone(self) -> None:
        self.ann.send("sync", mode="delta")
        self.told(self.ann)
        cat = self.house.connect("game")
        self.join(cat, room="run-1")
        [delta] = self.told(self.ann)
        self.assertEqual(delta["set"], {cat.id: {"kind": "walker", "x": 0, "score": 0}})
        cat.ask("leave")
        self.house.wait(0.1)
        self.assertEqual([m.get("gone") for m in self.told(self.ann)], [[cat.id]])

    def test_inputs_are_acknowledged(self) -> None:
        self.ann.send("sync", mode="delta")
        self.told(self.ann)
        self.go(self.ann, seq=4)
        [delta] = self.told(self.ann)
        self.assertEqual(delta["ack"], {self.ann.id: 4})
        self.go(self.bob)
        [delta] = self.told(self.ann)
        self.assertNotIn("ack", delta)
        self.assertEqual(self.told(self.bob)[-1]["ack"], {self.ann.id: 4})

    def test_fewer_a_second(self) -> None:
        self.ann.send("sync", mode="delta", max_rate=2)
        self.told(self.ann)
        for _ in range(50):
            self.go(self.bob)
        self.assertTrue(5 <= len(self.told(self.ann)) <= 10)
        self.assertGreater(len(self.told(self.bob)), 30)

    def test_the_newest_comes_even_if_one_asked_for_few(self) -> None:
        for game in ("run", "walk"):
            self.join(self.ann, game=game, create=True, room=f"my-{game}")
            self.join(self.bob, room=f"my-{game}")
            self.ann.send("sync", mode="delta", max_rate=0.5)
            self.go(self.bob)
            self.house.wait(4)
            self.assertEqual(self.told(self.ann)[-1]["set"], {self.bob.id: {"x": 0.25}})

    def test_the_rates_are_few_however_many_are_asked_for(self) -> None:
        clients = [self.ann, self.bob, *(self.house.connect("game") for _ in range(38))]
        for client in clients[2:]:
            self.join(client, room="run-1", spectate=True)
        for n, client in enumerate(clients):
            client.send("sync", mode="delta", max_rate=0.1 + n / 4)
        with patch.object(Stream, "take", autospec=True, side_effect=Stream.take) as take:
            self.house.wait(12.8)
        sends = 12.8 * 10
        self.assertLess(take.call_count, 2 * sends + 10)

    def test_for_a_rate_that_nobody_asks_for_any_more_nothing_is_done(self) -> None:
        for max_rate in (1, 2, 5):
            self.ann.send("sync", mode="delta", max_rate=max_rate)
        self.ann.send("sync", mode="delta")
        with patch.object(Stream, "take", autospec=True, side_effect=Stream.take) as take:
            self.house.wait(3.2)
        self.assertLessEqual(take.call_count, 33)

    def test_in_another_room_it_is_asked_for_anew(self) -> None:
        self.ann.send("sync", mode="delta")
        self.join(self.ann, game="run", create=True)
        self.go(self.ann)
        self.assertEqual({m["type"] for m in self.told(self.ann)}, {"state"})

    def test_what_cannot_be_asked_for(self) -> None:
        for message, field in (
            ({}, "$.mode"),
            ({"mode": "half"}, "$.mode"),
            ({"mode": "delta", "max_rate": 0}, "$.max_rate"),
            ({"mode": "delta", "max_rate": -1}, "$.max_rate"),
        ):
            self.assertEqual(self.refused(self.ann.ask("sync", **message)), ("bad_message", field))

    def test_also_in_the_lobby(self) -> None:
        cat, dog = self.house.connect("game"), self.house.connect("game")
        cat.send("sync", mode="delta")
        self.house.wait(0.5)
        cat.received()
        dog.send("move", dx=2)
        self.house.wait(0.1)
        self.assertEqual(self.told(cat)[-1]["set"][dog.id]["x"], 2)


class WireTests(AudienceTestCase):
    """What clients make of it is the same on every wire."""

    def test_each_knows_what_it_may(self) -> None:
        clients = [kind(self.house, "game") for kind in WIRES]
        for client in clients:
            client.hello = client.received()[0]
        watcher = PackedFramedClient(self.house, "game")
        self.house.wait(1)
        for client in clients[:2]:
            client.ask("join", room="run-1")
        for client in (*clients[2:], watcher):
            client.ask("join", room="run-1", spectate=True)
        mirrors = {client: Mirror() for client in (*clients, watcher)}
        for client in mirrors:
            client.ask("sync", mode="delta")
            mirrors[client].apply(self.told(client)[-1])
        deltas = 0
        for n in range(12):
            self.go((self.ann, self.bob, *clients[:2])[n % 4], seq=n)
            if n == 8:
                self.bob.ask("leave")
            self.house.wait(0.1)
            for client, mirror in mirrors.items():
                for message in self.told(client):
                    mirror.apply(message)
                    deltas += message["type"] == "delta"
        self.assertGreater(deltas, 50)
        room = self.house.game.directory.named("run-1").room
        for client, mirror in mirrors.items():
            expected: dict[str, dict[str, Any]] = {
                id: {"kind": "walker", "x": walker.x, "score": 0} for id, walker in room.world.entities.items()
            }
            if client in clients[:2]:
                expected[client.id]["card"] = room.world.entities[client.id].card
            self.assertEqual(mirror.entities, expected)
            self.assertEqual({id: mirror.acks[id] for id in room.acks}, room.acks)


class LagTests(AudienceTestCase):
    """Who does not read."""

    def setUp(self) -> None:
        super().setUp()
        for client in (self.ann, self.bob):
            client.send("sync", mode="delta")
        self.told(self.ann)
        self.told(self.bob)

    def test_skips_what_changed_and_is_told_everything_when_it_is_back(self) -> None:
        self.bob.lag()
        for _ in range(8):
            self.go(self.ann)
        self.assertEqual(self.told(self.bob), [])
        self.bob.catch_up()
        [state] = self.told(self.bob)
        self.assertEqual((state["type"], state["entities"][self.ann.id]["x"]), ("state", 2))
        self.go(self.ann)
        [delta] = self.told(self.bob)
        self.assertEqual((delta["type"], delta["set"]), ("delta", {self.ann.id: {"x": 2.25}}))

    def test_the_others_do_not_notice(self) -> None:
        self.bob.lag()
        for _ in range(8):
            self.go(self.ann)
        self.assertEqual([m["type"] for m in self.told(self.ann)], ["delta"] * 8)

    def test_what_waits_for_it_does_not_grow(self) -> None:
        self.bob.lag()
        self.go(self.ann)
        waits = self.bob.protocol.outbox.backlog
        for _ in range(30):
            self.go(self.ann)
        self.assertEqual(self.bob.protocol.outbox.backlog, waits)

    def test_it_has_left_when_it_is_back(self) -> None:
        self.bob.lag()
        self.go(self.ann)
        self.bob.send("leave")
        self.bob.catch_up()
        self.house.wait(0.1)
        self.assertEqual({m["room"] for m in self.told(self.bob)}, {"lobby"})
