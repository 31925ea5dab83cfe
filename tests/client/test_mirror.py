"""Tests of L{netplay.client.mirror}, on messages written by hand; C{tests.game.test_sync} has the server's."""

from __future__ import annotations

from contextlib import suppress as ignoring
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.client import Mirror
from netplay.client.mirror import MOST_ENTITIES

Message = dict[str, Any]


def state(**more: Any) -> Message:
    """Ann, her dog, and a star."""
    return {
        "type": "state",
        "room": "den",
        "game": "tag",
        "tick": 7,
        "at": 1000,
        "positions": {"ann": {"x": 1.5, "y": 2}},
        "scores": {"ann": 3},
        "entities": {
            "ann": {"kind": "runner", "x": 1.5, "y": 2, "score": 3},
            "1": {"kind": "dog", "owner": "ann", "x": 0, "y": 0},
            "2": {"kind": "star", "owner": None, "x": 9, "y": 9},
        },
        "ack": {"ann": 4},
        **more,
    }


def packed() -> Message:
    """The same in MessagePack."""
    return state(
        schema={"runner": ["x", "y", "score"], "dog": ["x", "y"], "star": ["x", "y"]},
        scales={"runner": [100, 100, 1], "dog": [1, 1], "star": [1, 1]},
        numbers={"ann": 0, "1": 1, "2": 2},
    )


def delta(**more: Any) -> Message:
    """What changed."""
    return {"type": "delta", "room": "den", "tick": 8, "at": 1050, **more}


def mirror(*messages: Message) -> Mirror:
    """Of somebody who was told these."""
    made = Mirror()
    for message in messages:
        made.apply(message)
    return made


class StateTests(SynchronousTestCase):
    """Everything at once."""

    def test_everything_is_there(self) -> None:
        seen = mirror(state())
        self.assertEqual((seen.room, seen.game, seen.tick), ("den", "tag", 7))
        self.assertEqual(seen.entities, state()["entities"])
        self.assertEqual(seen.acks, {"ann": 4})

    def test_positions_and_scores_are_those_of_players(self) -> None:
        seen = mirror(state())
        self.assertEqual(seen.positions, {"ann": {"x": 1.5, "y": 2}})
        self.assertEqual(seen.scores, {"ann": 3})

    def test_what_was_before_is_forgotten(self) -> None:
        seen = mirror(state(), state(entities={}, ack=None, room="lobby"))
        self.assertEqual((seen.room, seen.entities, seen.positions, seen.acks), ("lobby", {}, {}, {}))

    def test_the_message_stays_as_it_was(self) -> None:
        message = state()
        mirror(message, delta(set={"ann": {"x": 5}}, ack={"ann": 5}))
        self.assertEqual(message, state())


class DeltaTests(SynchronousTestCase):
    """What changed, in JSON."""

    def test_a_field(self) -> None:
        seen = mirror(state(), delta(set={"ann": {"x": 5, "score": 4}}))
        self.assertEqual(seen.tick, 8)
        self.assertEqual(seen.entities["ann"], {"kind": "runner", "x": 5, "y": 2, "score": 4})
        self.assertEqual((seen.positions, seen.scores), ({"ann": {"x": 5, "y": 2}}, {"ann": 4}))

    def test_what_is_new_is_as_it_is_said_though_something_was_called_that(self) -> None:
        seen = mirror(state(), delta(set={"1": {"kind": "star", "owner": None, "x": 1}}))
        self.assertEqual(seen.entities["1"], {"kind": "star", "owner": None, "x": 1})

    def test_what_is_gone_and_there_again_is_there(self) -> None:
        seen = mirror(state(), delta(gone=["2"], set={"2": {"kind": "dog", "x": 1, "y": 1}}))
        self.assertEqual(seen.entities["2"], {"kind": "dog", "x": 1, "y": 1})

    def test_what_is_gone_need_not_have_been_known(self) -> None:
        seen = mirror(state(), delta(gone=["ann", "nobody"]))
        self.assertEqual(set(seen.entities), {"1", "2"})
        self.assertEqual((seen.positions, seen.scores), ({}, {}))

    def test_inputs_that_have_taken_effect(self) -> None:
        self.assertEqual(mirror(state(), delta(ack={"bob": 1})).acks, {"ann": 4, "bob": 1})


class PackedTests(SynchronousTestCase):
    """What changed, in MessagePack: by number and position."""

    def test_fields_are_named_and_whole_numbers_divided(self) -> None:
        seen = mirror(packed(), delta(rows=[[0, 0b101, 512, 4], [1, 0b10, 8]]))
        self.assertEqual(seen.entities["ann"], {"kind": "runner", "x": 5.12, "y": 2, "score": 4})
        self.assertEqual(seen.entities["1"], {"kind": "dog", "owner": "ann", "x": 0, "y": 8})

    def test_what_is_new_is_named_first(self) -> None:
        new = {3: ["bob", "runner"], 4: ["9", "dog", "bob"], 5: ["8", "star", None]}
        rows = [[3, 0b111, 100, 250, 0], [4, 0b11, 1, 2], [5, 0b11, 3, 4]]
        seen = mirror(packed(), delta(new=new, rows=rows, ack={3: 1}))
        self.assertEqual(seen.entities["bob"], {"kind": "runner", "x": 1, "y": 2.5, "score": 0})
        self.assertEqual(seen.entities["9"], {"kind": "dog", "owner": "bob", "x": 1, "y": 2})
        self.assertEqual(seen.entities["8"], {"kind": "star", "owner": None, "x": 3, "y": 4})
        self.assertEqual(set(seen.positions), {"ann", "bob"})
        self.assertEqual(seen.acks, {"ann": 4, "bob": 1})

    def test_a_number_that_is_free_is_given_to_another(self) -> None:
        seen = mirror(packed(), delta(gone=[2], new={2: ["7", "dog", None]}, rows=[[2, 0b11, 1, 1]]))
        self.assertEqual(set(seen.entities), {"ann", "1", "7"})
        seen.apply(delta(gone=[2, 40]))
        self.assertEqual(set(seen.entities), {"ann", "1"})

    def test_who_has_nothing_in_the_world_is_acknowledged_by_id(self) -> None:
        self.assertEqual(mirror(packed(), delta(ack={"bob": 1, 0: 5})).acks, {"ann": 5, "bob": 1})


class BriefTests(SynchronousTestCase):
    """Positions and scores alone, as in the lobby."""

    def setUp(self) -> None:
        self.state = state(positions={"ann": {"x": 0, "y": 0}, "bob": {"x": 1, "y": 1}}, scores={"ann": 3, "bob": 0})
        del self.state["entities"]

    def test_they_are_what_is_known_of_players(self) -> None:
        seen = mirror(self.state)
        self.assertEqual((seen.positions, seen.scores), (self.state["positions"], self.state["scores"]))
        self.assertEqual(seen.entities["ann"], {"x": 0, "y": 0, "score": 3})

    def test_who_changed_came_and_went(self) -> None:
        cy = {"kind": "avatar", "x": 2, "y": 2, "score": 0}
        seen = mirror(self.state, delta(gone=["bob"], set={"ann": {"x": 5}, "cy": cy}))
        self.assertEqual(seen.positions, {"ann": {"x": 5, "y": 0}, "cy": {"x": 2, "y": 2}})
        self.assertEqual(seen.scores, {"ann": 3, "cy": 0})

    def test_by_position(self) -> None:
        self.state.update(
            schema={"avatar": ["x", "y", "score"]}, scales={"avatar": [1, 1, 1]}, numbers={"ann": 0, "bob": 1}
        )
        seen = mirror(self.state, delta(rows=[[1, 0b101, 8, 9]]))
        self.assertEqual((seen.positions["bob"], seen.scores["bob"]), ({"x": 8, "y": 1}, 9))


class OddTests(SynchronousTestCase):
    """What no server says."""

    def test_each_is_a_value_error(self) -> None:
        for odd in (
            {},
            {"type": "pong", "at": 1},
            {"type": "state"},
            state(positions=3, entities=None),
            state(entities={"ann": 3}),
            state(schema={"dog": ["x"]}, scales={}),
            delta(room="elsewhere"),
            delta(set={"nobody": {"x": 1}}),
            delta(set={"ann": 5}),
            delta(set=[1]),
            delta(new={9: ["x"]}),
            delta(new=[9]),
            delta(rows=[[7, 1, 1]]),
            delta(rows=[[0]]),
            delta(rows=[[0, 0b11, 1]]),
            delta(rows=[[0, 0b1, "x"]]),
            delta(ack={77: 1}),
            delta(gone=7),
            delta(gone=[[]]),
        ):
            with self.subTest(odd=odd):
                self.assertRaises(ValueError, mirror(packed()).apply, odd)

    def test_a_delta_needs_a_state(self) -> None:
        self.assertRaises(ValueError, mirror().apply, delta(set={}))

    def test_there_is_an_end_to_what_it_keeps(self) -> None:
        many = {str(n): {"kind": "star", "owner": None} for n in range(MOST_ENTITIES + 1)}
        self.assertRaises(ValueError, mirror().apply, state(entities=many))

    json = st.recursive(
        st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["ann", "1", "runner", "x"]),
        lambda deeper: (
            st.lists(deeper, max_size=3)
            | st.dictionaries(st.sampled_from(["ann", "1", "kind", 0, 1]), deeper, max_size=3)
        ),
        max_leaves=6,
    )

    @given(
        st.sampled_from(["state", "delta"]),
        st.dictionaries(st.sampled_from([*packed(), "set", "new", "rows", "gone"]), json),
    )
    @settings(max_examples=200, deadline=None)
    def test_whatever_comes_it_is_taken_or_a_value_error(self, kind: str, odd: Message) -> None:
        seen = mirror(packed())
        base = packed() if kind == "state" else delta()
        with ignoring(ValueError):
            seen.apply({**base, **odd, "type": kind})
