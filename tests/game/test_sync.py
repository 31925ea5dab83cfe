"""Tests of L{netplay.game.sync}: what clients are told of a world, seen by what they make of it."""

from __future__ import annotations

from typing import Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from twisted.trial.unittest import SynchronousTestCase

from netplay.client import Mirror
from netplay.game import Entity, Game, Hidden, Near, Owner, Player, Team, distance
from netplay.game.games.sandbox import Sandbox
from netplay.game.messages import Move
from netplay.game.messages import Score as Points
from netplay.game.room import Room
from netplay.game.sync import Changes, Stream, View
from netplay.wire.codecs import JSON, MSGPACK, Codec

SIGHT = 4


class Thing(Entity):
    """Something somewhere, with a secret of each sort."""

    x: float = 0
    y: float = 0
    name: str = ""
    score: int = 0
    plan: Team[int] = 0
    hand: Owner[tuple[int, ...]] = ()
    seed: Hidden[int] = 0


class Sign(Entity):
    """Something that is nowhere."""

    text: str | None = None
    secret: Owner[float] = 0


class Rock(Entity):
    """Something without secrets."""

    x: float = 0
    y: float = 0


class Tree(Entity):
    """Something that comes and goes, but does not change."""

    fixed = True

    x: float = 0
    y: float = 0
    rings: Owner[int] = 1


class World(Game):
    """Everyone sees everything but secrets."""

    name, api, players = "world", 1, (1, 4)
    teams = ("red", "blue")
    starts, countdown = "at once", 0


class Wide(World):
    """And only what is near."""

    name = "wide"
    interest: ClassVar[Any] = Near(SIGHT)


class Plain(Game):
    """There are no secrets."""

    name, api, players = "plain", 1, (1, 4)
    starts, countdown = "at once", 0


class Viewer:
    """
    A client.

    @ivar view: what it saw when it was told something last, C{None} if it is to be told everything.
    """

    def __init__(self, player: Player | None, codec: Codec) -> None:
        self.player = player
        self.codec = codec
        self.view: View | None = None
        self.mirror = Mirror()

    def sees(self, stream: Stream) -> View:
        """What it sees now."""
        return View() if self.player is None else stream.view(self.player)

    def told(self, stream: Stream, changes: Changes) -> None:
        """It is told what it does not know."""
        before, self.view = self.view, self.sees(stream)
        message: Any
        if before is None or changes.refresh:
            message = stream.state(self.view, self.codec)
        else:
            message = stream.delta(before, self.view, self.codec)
        if message is not None:
            plain = self.codec.plain(self.codec.encode(message))
            if self.codec is JSON:
                assert self.mirror.entities.keys() >= set(plain.get("gone", ())), "what was not known is gone"
            self.mirror.apply(plain)

    def should_know(self, stream: Stream) -> Mirror:
        """What it would know had it been told everything just now."""
        mirror = Mirror()
        mirror.apply(self.codec.plain(self.codec.encode(stream.state(self.sees(stream), self.codec))))
        return mirror


class House:
    """A room with players, those who watch, in both codecs; and no time."""

    def __init__(self, game: type[Game], names: tuple[str, ...] = ("ann", "bob", "cy", "dee")) -> None:
        self.room = Room("room", game, seed=1)
        self.stream = Stream("room", game)
        self.players = [self.room.join(name, name) for name in names]
        self.viewers = [Viewer(player, codec) for player in (*self.players, None) for codec in (JSON, MSGPACK)]

    @property
    def world(self) -> Game:
        """Where things are."""
        return self.room.world

    def take(self) -> Changes:
        """What changed."""
        return self.stream.take(self.room.world, self.room.acks, 0)

    def tell(self, lagging: tuple[int, ...] = ()) -> Changes:
        """All are told, but those who lag."""
        changes = self.take()
        for n, viewer in enumerate(self.viewers):
            if n in lagging:
                viewer.view = None
            else:
                viewer.told(self.stream, changes)
        return changes

    def of(self, player: Player | None, codec: Codec = JSON) -> Mirror:
        """What one knows."""
        [viewer] = [one for one in self.viewers if one.player is player and one.codec is codec]
        return viewer.mirror


class Machine(RuleBasedStateMachine):
    """Whatever happens in the world, and whoever is told of it when."""

    numbers = st.integers(0, 9)
    who = st.integers(0, 3)
    whose = st.none() | who
    places = st.sampled_from([-8.0, -4.001, -0.004, 0.0, 3.996, 4.0, 7.999]) | st.integers(-120, 120).map(
        lambda tenths: tenths / 10
    )
    kinds = st.sampled_from([Thing, Thing, Rock, Sign, Tree])

    @initialize(
        game=st.sampled_from([World, Wide]), things=st.lists(st.tuples(kinds, whose, places, places), max_size=4)
    )
    def begin(self, game: type[Game], things: list[tuple[Any, ...]]) -> None:
        self.house = House(game)
        self.world = self.house.world
        self.lagging: list[int] = []
        self.untold = self.seq = 0
        for who in range(4):
            self.add(Thing, who, who, 0)
        for thing in things:
            self.add(*thing)

    def player(self, number: int | None) -> Player | None:
        return None if number is None else self.house.players[number]

    def some(self, number: int) -> Any:
        """One of the entities, if there are any."""
        entities = list(self.world.entities.values())
        return entities[number % len(entities)] if entities else None

    def some_that_changes(self, number: int) -> Any:
        """The same, but for what does not."""
        entity = self.some(number)
        return None if entity is None or entity.fixed else entity

    @rule(kind=kinds, owner=whose, x=places, y=places)
    def add(self, kind: Any, owner: int | None, x: float, y: float) -> None:
        player = self.player(owner)
        entity = self.world.add(kind() if kind is Sign else kind(x=x, y=y), player)
        if player is not None and entity.id == player.id:
            player.entity = entity

    @rule(number=numbers)
    def remove(self, number: int) -> None:
        if (entity := self.some(number)) is not None:
            self.world.remove(entity)
            for player in self.house.players:
                if player.entity is entity:
                    player.entity = None

    @rule(number=numbers, x=places, y=places)
    def replace(self, number: int, x: float, y: float) -> None:
        """Something else is called the same."""
        if (entity := self.some(number)) is not None:
            self.world.remove(entity)
            other = self.world.add(Thing(x=x, y=y), entity.owner, entity.id)
            for player in self.house.players:
                if player.entity is entity:
                    player.entity = other

    @rule(number=numbers, x=places, y=places)
    def move(self, number: int, x: float, y: float) -> None:
        if hasattr(entity := self.some_that_changes(number), "x"):
            entity.x, entity.y = x, y

    @rule(number=numbers, by=st.sampled_from([-0.01, -0.004, -0.001, 0.001, 0.004, 0.01]))
    def creep(self, number: int, by: float) -> None:
        if hasattr(entity := self.some_that_changes(number), "x"):
            entity.x += by

    @rule(number=numbers, value=st.integers(-5, 5))
    def change(self, number: int, value: int) -> None:
        match self.some(number):
            case Thing() as thing:
                thing.name, thing.score, thing.seed = f"é{value}", value, value
            case Sign() as sign:
                sign.text = None if value < 0 else str(value)

    @rule(number=numbers, value=st.integers(-5, 5))
    def change_secrets(self, number: int, value: int) -> None:
        match self.some(number):
            case Thing() as thing:
                thing.plan, thing.hand = value, (value, 1)
            case Sign() as sign:
                sign.secret = value / 3

    @rule(number=numbers, owner=whose)
    def change_owner(self, number: int, owner: int | None) -> None:
        if (entity := self.some_that_changes(number)) is not None:
            entity.owner = self.player(owner)

    @rule(who=who, team=st.sampled_from(["red", "blue"]))
    def change_team(self, who: int, team: str) -> None:
        self.house.players[who].team = team

    @rule(who=who)
    def acknowledge(self, who: int) -> None:
        self.seq += 1
        self.house.room.acks[self.house.players[who].id] = self.seq

    @rule(lagging=st.lists(st.integers(0, 9), max_size=3))
    def lag(self, lagging: list[int]) -> None:
        self.lagging = lagging

    @rule(steps=st.integers(2, 5))
    def let_changes_gather(self, steps: int) -> None:
        self.untold = steps

    @invariant()
    def tell(self) -> None:
        self.untold -= 1
        if self.untold < 0:
            self.house.tell(tuple(self.lagging))
            for n, viewer in enumerate(self.house.viewers):
                if n not in self.lagging:
                    self.check(viewer)

    @rule(who=st.integers(0, 9))
    def is_told_everything(self, who: int) -> None:
        """As who has caught up is, of what the others were told."""
        if self.house.viewers[who].view is not None and self.untold < 0:
            self.house.viewers[who].view = None
            self.house.viewers[who].told(self.house.stream, Changes())

    def check(self, viewer: Viewer) -> None:
        """It knows what it should, which is what it may."""
        mirror, should = viewer.mirror, viewer.should_know(self.house.stream)
        assert mirror.entities == should.entities
        assert (mirror.positions, mirror.scores) == (should.positions, should.scores)
        assert mirror.entities.keys() <= self.world.entities.keys()
        for entity in self.world.entities.values():
            far = self.far(viewer.player, entity)
            if far < SIGHT - 1e-6:
                assert entity.id in mirror.entities
            if entity.id in mirror.entities:
                assert far <= 3 * SIGHT
                assert mirror.entities[entity.id] == expected(entity, viewer.player)
        acks = self.house.room.acks
        if self.house.room.game is World:
            assert mirror.acks == acks
        elif viewer.player is not None and viewer.player.entity is not None:
            assert mirror.acks.get(viewer.player.id) == acks.get(viewer.player.id)

    def far(self, player: Player | None, entity: Any) -> float:
        """How far something is from a player; 0 if it is to be seen all the same."""
        if self.house.room.game is World or player is None or not hasattr(entity, "x"):
            return 0
        return distance(player.entity, entity) if hasattr(player.entity, "x") else float("inf")


def expected(entity: Any, player: Player | None) -> dict[str, Any]:
    """What a player is to know of something it sees; said in a different way than the code under test does."""
    owner = entity.owner
    fields = {Thing: ["x", "y", "name", "score"], Sign: ["text"], Rock: ["x", "y"], Tree: ["x", "y"]}[type(entity)]
    if player is not None and owner is player:
        fields = fields + {Thing: ["plan", "hand"], Sign: ["secret"], Rock: [], Tree: ["rings"]}[type(entity)]
    elif player is not None and owner is not None and owner.team == player.team and type(entity) is Thing:
        fields = [*fields, "plan"]
    known: dict[str, Any] = {"kind": type(entity).__name__.lower()}
    if owner is None or owner.id != entity.id:
        known["owner"] = None if owner is None else owner.id
    for field in fields:
        value = getattr(entity, field)
        known[field] = round(value * 100) / 100 if field in ("x", "y", "secret") else value
    if "hand" in known:
        known["hand"] = list(known["hand"])
    return known


class WhateverHappensTests(SynchronousTestCase):
    """Any changes, views and lags leave each client with what it may see of the world, and nothing else."""

    def test_each_knows_what_it_may(self) -> None:
        run_state_machine_as_test(Machine, settings=settings(max_examples=60, stateful_step_count=30, deadline=None))


class DeltaTests(SynchronousTestCase):
    """What is said, and to whom."""

    def setUp(self) -> None:
        self.house = House(Plain, ("ann", "bob"))
        self.world = self.house.world
        self.ann, self.bob = self.house.players
        for player in self.house.players:
            player.entity = self.world.add(Rock(), player)
        self.house.tell()

    def delta(self, codec: Codec) -> Any:
        """As Bob is told."""
        stream = self.house.stream
        view = stream.view(self.bob)
        message = stream.delta(view, view, codec)
        return None if message is None else codec.plain(codec.encode(message))

    def test_what_changed_and_nothing_else(self) -> None:
        self.ann.entity.x = 1.234
        self.house.room.acks["ann"] = 5
        self.house.take()
        head = {"type": "delta", "room": "room", "tick": 0, "at": 0}
        self.assertEqual(self.delta(JSON), {**head, "set": {"ann": {"x": 1.23}}, "ack": {"ann": 5}})
        self.assertEqual(self.delta(MSGPACK), {**head, "rows": [[0, 1, 123]], "ack": {0: 5}})

    def test_what_is_new_and_what_is_gone(self) -> None:
        self.world.remove(self.ann.entity)
        self.world.add(Rock(x=2), self.bob)
        self.house.take()
        told = self.delta(JSON)
        self.assertEqual(told["set"], {"1": {"kind": "rock", "owner": "bob", "x": 2.0, "y": 0.0}})
        self.assertEqual(told["gone"], ["ann"])
        told = self.delta(MSGPACK)
        self.assertEqual((told["new"], told["rows"]), ({0: ["1", "rock", "bob"]}, [[0, 3, 200, 0]]))
        self.assertEqual(told["gone"], [0])

    def test_if_nothing_changed_nothing_is_told(self) -> None:
        self.assertFalse(self.house.take())
        self.assertIsNone(self.delta(JSON))

    def test_what_is_too_small_to_be_seen_is_not_told(self) -> None:
        self.ann.entity.x = 0.004
        self.assertFalse(self.house.take())
        self.ann.entity.x = 0.006
        self.assertTrue(self.house.take())

    def test_more_rows_than_a_short_array_has(self) -> None:
        for _ in range(20):
            self.world.add(Rock())
        self.house.tell()
        for codec in (JSON, MSGPACK):
            self.assertEqual(len(self.house.of(self.bob, codec).entities), 22)

    def test_it_is_put_together_once_for_all_who_see_the_same(self) -> None:
        stream = self.house.stream
        self.ann.entity.x = 1
        self.house.take()
        views = [stream.view(player) for player in self.house.players]
        self.assertEqual(len({stream.group(view, view) for view in views}), 1)
        self.assertEqual(len({stream.company(view) for view in views}), 1)
        self.assertTrue(stream.uniform)

    def test_a_kind_that_nobody_knows_yet_is_told_with_everything(self) -> None:
        self.world.add(Sign())
        self.assertTrue(self.house.tell().refresh)
        self.assertEqual(self.house.of(None, MSGPACK).entities["1"], {"kind": "sign", "owner": None, "text": None})
        self.world.add(Sign())
        self.assertFalse(self.house.tell().refresh)

    def test_two_kinds_are_not_called_the_same(self) -> None:
        class Pebble(Entity):
            kind = "rock"
            weight: int = 0

        class Boulder(Rock):
            kind = "rock"

        self.world.add(Boulder())  # whose fields are the same
        self.house.take()
        self.world.add(Pebble())
        error = self.assertRaises(TypeError, self.house.take)
        self.assertIn("Rock as 'rock'; set kind in Pebble", str(error))

    def test_who_is_not_to_be_seen_yet(self) -> None:
        cy = self.house.room.join("cy", "Cy")
        cy.entity = self.world.add(Rock(), cy)
        self.assertFalse(self.house.stream.take(self.world, {}, 0, unseen="cy"))
        self.house.tell()
        self.assertIn("cy", self.house.of(self.bob).entities)


class SecretTests(SynchronousTestCase):
    """Ann and Cy are red, Bob and Dee are blue; each has a thing."""

    def setUp(self) -> None:
        self.house = House(World)
        self.world = self.house.world
        self.ann, self.bob, self.cy, self.dee = self.house.players
        for player in self.house.players:
            player.entity = self.world.add(Thing(plan=1, hand=(1,)), player)
        self.house.tell()

    def groups(self) -> list[list[str]]:
        """Who is told the same by the last take."""
        stream = self.house.stream
        groups: dict[Any, list[str]] = {}
        for player in self.house.players:
            view = stream.view(player)
            groups.setdefault(stream.group(view, view), []).append(player.id)
        return list(groups.values())

    def test_each_change_is_put_together_once_for_those_who_see_it_alike(self) -> None:
        for field, value, groups in (
            ("score", 2, [["ann", "bob", "cy", "dee"]]),
            ("plan", 2, [["ann"], ["bob", "dee"], ["cy"]]),
            ("hand", (2,), [["ann"], ["bob", "cy", "dee"]]),
            ("seed", 2, [["ann", "bob", "cy", "dee"]]),
        ):
            with self.subTest(field=field):
                setattr(self.ann.entity, field, value)
                self.house.tell()
                self.assertEqual(self.groups(), groups)

    def test_who_changes_the_team_sees_other_secrets(self) -> None:
        self.assertNotIn("plan", self.house.of(self.ann).entities["bob"])
        self.ann.team = "blue"
        self.assertTrue(self.house.tell().refresh)
        self.assertEqual(self.house.of(self.ann).entities["bob"]["plan"], 1)
        self.assertNotIn("plan", self.house.of(self.ann).entities["cy"])

    def test_what_is_given_to_another_takes_its_secrets_along(self) -> None:
        self.ann.entity.owner = self.bob
        self.assertTrue(self.house.tell().refresh)
        self.assertNotIn("hand", self.house.of(self.ann).entities["ann"])
        self.assertEqual(self.house.of(self.bob).entities["ann"]["hand"], [1])

    def test_who_watches_sees_no_secrets(self) -> None:
        self.ann.entity.hand = (2,)
        self.house.tell()
        for entity in self.house.of(None).entities.values():
            self.assertEqual(entity.keys(), {"kind", "x", "y", "name", "score"})


class SightTests(SynchronousTestCase):
    """Ann and Bob see what is within 4, on a grid of that width."""

    def setUp(self) -> None:
        self.house = House(Wide, ("ann", "bob"))
        self.world = self.house.world
        self.ann, self.bob = self.house.players
        for player in self.house.players:
            player.entity = self.world.add(Rock(x=1, y=1), player)
        self.house.tell()

    def seen(self, player: Player | None) -> set[str]:
        """What somebody sees now, in either codec."""
        self.house.tell()
        packed = self.house.of(player, MSGPACK).entities
        self.assertEqual(self.house.of(player).entities, packed)
        return set(packed)

    def test_what_leaves_sight_is_gone_and_comes_again_as_it_is(self) -> None:
        self.bob.entity.x = 9
        self.assertEqual((self.seen(self.ann), self.seen(self.bob)), ({"ann"}, {"bob"}))
        self.bob.entity.y = 3
        self.bob.entity.x = 7
        self.assertEqual(self.seen(self.ann), {"ann", "bob"})
        self.assertEqual(self.house.of(self.ann).positions["bob"], {"x": 7, "y": 3})

    def test_what_goes_elsewhere_in_sight_is_not_gone(self) -> None:
        self.bob.entity.x = 5
        self.house.take()
        view = self.house.stream.view(self.ann)
        delta: Any = self.house.stream.delta(view, view, JSON)
        self.assertIsNone(delta.gone)

    def test_who_goes_away_sees_others(self) -> None:
        self.world.add(Rock(x=100, y=100))
        self.assertEqual(self.seen(self.bob), {"ann", "bob"})
        self.bob.entity.x = self.bob.entity.y = 100
        self.assertEqual(self.seen(self.bob), {"bob", "1"})

    def test_who_crosses_a_line_by_less_than_is_told_is_elsewhere_all_the_same(self) -> None:
        self.bob.entity.x = 3.999
        self.house.tell()
        self.world.add(Rock(x=8.5, y=1))
        self.assertNotIn("1", self.seen(self.bob))
        self.bob.entity.x = 4.001
        self.assertIn("1", self.seen(self.bob))

    def test_who_watches_sees_everything_and_who_is_nowhere_what_is_nowhere(self) -> None:
        self.world.add(Rock(x=100, y=100))
        self.world.add(Sign(text="exit"))
        self.world.remove(self.bob.entity)
        self.bob.entity = None
        self.assertEqual(self.seen(None), {"ann", "1", "2"})
        self.assertEqual(self.seen(self.bob), {"2"})
        self.assertEqual(self.seen(self.ann), {"ann", "2"})

    def test_who_is_somewhere_again_is_told_which_of_its_inputs_have_taken_effect(self) -> None:
        self.world.remove(self.bob.entity)
        self.bob.entity = None
        self.house.room.acks["bob"] = 7
        self.house.tell()
        self.bob.entity = self.world.add(Rock(), self.bob)
        self.house.tell()
        self.assertEqual(self.house.of(self.bob).acks, {"bob": 7})

    def test_who_has_nothing_in_the_world_is_told_that_too(self) -> None:
        self.world.remove(self.bob.entity)
        self.bob.entity = None
        self.house.room.acks["bob"] = 7
        self.house.tell()
        self.assertEqual(self.house.of(self.bob).acks, {"bob": 7})

    def test_those_who_are_in_the_same_cell_are_told_the_same(self) -> None:
        stream = self.house.stream
        self.bob.entity.x = 3
        self.house.tell()
        views = [stream.view(player) for player in self.house.players]
        self.assertEqual(stream.group(views[0], views[0]), stream.group(views[1], views[1]))
        self.bob.entity.x = 5
        self.house.tell()
        self.assertNotEqual(stream.view(self.ann), stream.view(self.bob))


class BriefTests(SynchronousTestCase):
    """Where positions and scores say it all."""

    def test_whatever_is_done_each_knows_positions_and_scores(self) -> None:
        house = House(Sandbox, ("ann", "bob"))
        house.tell()
        house.room.act("ann", Move(dx=1, dy=0.5))
        house.room.act("bob", Points(points=3))
        house.room.join("cy", "Cy")
        house.tell()
        house.room.leave("ann")
        house.room.act("cy", Move(dx=-1))
        house.tell()
        for codec in (JSON, MSGPACK):
            mirror = house.of(None, codec)
            self.assertEqual(mirror.positions, {"bob": {"x": 0, "y": 0}, "cy": {"x": -1, "y": 0}})
            self.assertEqual(mirror.scores, {"bob": 3, "cy": 0})
        self.assertNotIn("entities", JSON.plain(JSON.encode(house.stream.state(View(), JSON))))
