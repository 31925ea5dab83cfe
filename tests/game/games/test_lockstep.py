"""Tests of L{netplay.game.games.lockstep}."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.errors import Refused
from netplay.game.games.lockstep import AHEAD, CHECKING, KEPT, PAGE, Check, Done, Frame, Lockstep, Missed
from netplay.game.testing import PlayedRoom, play

FIRST = Lockstep.delay
"""The first frame that is passed on."""


class LockstepTestCase(SynchronousTestCase):
    """Ann, Bob and Cy play; the first frame is the fourth."""

    def setUp(self) -> None:
        self.room: PlayedRoom = play(Lockstep, ["ann", "bob", "cy"], seed=1)

    def send(self, name: str, n: int, value: Any = "") -> None:
        self.room.act(name, Frame(n=n, input=value))

    def told(self, name: str, event: str) -> list[dict[str, Any]]:
        return [said for said in self.room.events(name) if said.get("event") == event]

    def frames(self, name: str = "cy") -> list[tuple[int, dict[str, Any]]]:
        """What was passed on to somebody."""
        return [(said["n"], said["inputs"]) for said in self.told(name, "frame")]

    def assert_refused(self, name: str, message: Any, text: str, field: str = "$.n") -> None:
        refused = self.assertRaises(Refused, self.room.act, name, message)
        self.assertEqual((refused.code, refused.field), ("not_allowed", field))
        self.assertIn(text, refused.message)


class TermsTests(LockstepTestCase):
    """What all begin with."""

    def test_everyone_has_the_same_seed_and_order(self) -> None:
        terms = self.room.view("ann").entities["terms"]
        self.assertEqual(terms, self.room.view("cy").entities["terms"])
        self.assertEqual(terms["order"], ["ann", "bob", "cy"])
        self.assertIsInstance(terms["seed"], int)

    def test_each_room_has_its_own_seed(self) -> None:
        other = play(Lockstep, ["ann", "bob"], seed=2)
        self.assertNotEqual(other.world.terms.seed, self.room.world.terms.seed)

    def test_the_delay_and_the_deadline_are_told(self) -> None:
        class Slow(Lockstep):
            """With more time."""

            name, delay, deadline = "slow", 9, 1.5

        terms = play(Slow, ["ann", "bob"]).view("ann").entities["terms"]
        self.assertEqual((terms["rate"], terms["delay"], terms["deadline"]), (20, 9, 1.5))


class FrameTests(LockstepTestCase):
    """Inputs of all, to all."""

    def test_a_frame_is_passed_on_when_everybodys_input_is_there(self) -> None:
        self.send("ann", FIRST, "a")
        self.send("bob", FIRST, [1, -2])
        self.assertEqual(self.frames(), [])
        self.send("cy", FIRST, None)
        self.assertEqual(self.frames(), [(FIRST, {"ann": "a", "bob": [1, -2], "cy": None})])
        self.assertEqual(self.frames("ann"), self.frames())

    def test_inputs_may_come_before_their_frame(self) -> None:
        for name in ("ann", "bob", "cy"):
            self.send(name, FIRST + 1, name)
        self.assertEqual(self.frames(), [])
        for name in ("ann", "bob", "cy"):
            self.send(name, FIRST, name)
        self.assertEqual([n for n, _ in self.frames()], [FIRST, FIRST + 1])

    def test_but_not_too_long_before(self) -> None:
        self.send("ann", FIRST + AHEAD - 1)
        self.assert_refused("ann", Frame(n=FIRST + AHEAD, input=""), f"the next frame is {FIRST}")

    def test_an_input_cannot_be_taken_back(self) -> None:
        self.send("ann", FIRST, "a")
        self.assert_refused("ann", Frame(n=FIRST, input="b"), "you have sent")

    def test_what_is_too_large_never_reaches_the_game(self) -> None:
        for value in ("x" * 257, [0] * 33, [2**31], {"a": 1}, 1.5):
            message = {"type": "act", "do": "frame", "n": FIRST, "input": value}
            refused = self.assertRaises(Refused, self.room.send, "ann", message)
            self.assertEqual(refused.code, "bad_message")
            self.assertTrue((refused.field or "").startswith("$.input"), refused.field)


class LateTests(LockstepTestCase):
    """One slow player does not stop the others."""

    def test_after_the_deadline_a_frame_is_passed_on_without_it(self) -> None:
        self.send("ann", FIRST, "a")
        self.send("bob", FIRST, "b")
        self.room.advance(Lockstep.deadline - 0.01)
        self.assertEqual(self.frames(), [])
        self.room.advance(0.01)
        self.assertEqual(self.frames(), [(FIRST, {"ann": "a", "bob": "b", "cy": None})])

    def test_who_is_late_is_told_the_next_frame(self) -> None:
        self.test_after_the_deadline_a_frame_is_passed_on_without_it()
        self.assert_refused("cy", Frame(n=FIRST, input="c"), f"the next frame is {FIRST + 1}")

    def test_it_is_not_waited_for_again(self) -> None:
        self.test_after_the_deadline_a_frame_is_passed_on_without_it()
        self.send("ann", FIRST + 1)
        self.send("bob", FIRST + 1)
        self.assertEqual(self.frames()[-1], (FIRST + 1, {"ann": "", "bob": "", "cy": None}))

    def test_until_it_sends_something_in_time(self) -> None:
        self.test_after_the_deadline_a_frame_is_passed_on_without_it()
        self.send("cy", FIRST + 2, "c")
        for n in (FIRST + 1, FIRST + 2, FIRST + 3):
            self.send("ann", n)
            self.send("bob", n)
        self.assertEqual([inputs["cy"] for _, inputs in self.frames()], [None, None, "c"])
        self.send("cy", FIRST + 3, "d")
        self.assertEqual(self.frames()[-1][1]["cy"], "d")

    def test_each_frame_has_its_own_deadline(self) -> None:
        self.send("ann", FIRST)
        self.room.advance(Lockstep.deadline - 0.05)
        self.send("bob", FIRST)
        self.send("cy", FIRST)
        self.send("ann", FIRST + 1)
        self.room.advance(Lockstep.deadline - 0.05)
        self.assertEqual([n for n, _ in self.frames()], [FIRST])

    def test_while_nobody_does_anything_nothing_is_passed_on(self) -> None:
        self.room.advance(10)
        self.assertEqual(self.frames(), [])

    def test_who_is_away_is_not_waited_for(self) -> None:
        self.send("ann", FIRST)
        self.send("bob", FIRST)
        self.room.drop("cy")
        self.assertEqual(self.frames("ann"), [(FIRST, {"ann": "", "bob": "", "cy": None})])

    def test_nor_who_has_left(self) -> None:
        self.send("ann", FIRST)
        self.send("bob", FIRST)
        self.room.leave("cy")
        self.assertEqual(self.frames("ann"), [(FIRST, {"ann": "", "bob": ""})])


class MissedTests(LockstepTestCase):
    """Somebody who was away computes what happened meanwhile."""

    def setUp(self) -> None:
        super().setUp()
        self.room.drop("cy")
        for n in range(FIRST, FIRST + 20):
            self.send("ann", n, f"a{n}")
            self.send("bob", n)
        self.room.back("cy")

    def test_frames_are_told_again_in_pages(self) -> None:
        self.room.act("cy", Missed(n=FIRST))
        self.room.act("cy", Missed(n=FIRST + PAGE))
        first, second = self.told("cy", "frames")
        self.assertEqual((first["n"], len(first["frames"]), first["next"]), (FIRST, PAGE, FIRST + 20))
        self.assertEqual((second["n"], len(second["frames"])), (FIRST + PAGE, 20 - PAGE))
        self.assertEqual(second["frames"][0], {"ann": f"a{FIRST + PAGE}", "bob": "", "cy": None})

    def test_to_nobody_else(self) -> None:
        self.room.act("cy", Missed(n=FIRST))
        self.assertEqual(self.told("ann", "frames"), [])

    def test_frames_that_there_are_not(self) -> None:
        for n in (FIRST - 1, FIRST + 21):
            self.assert_refused("cy", Missed(n=n), f"from {FIRST} to {FIRST + 19}")

    def test_the_oldest_are_forgotten(self) -> None:
        for n in range(FIRST + 20, FIRST + KEPT + 1):
            self.send("ann", n)
            self.send("bob", n)
        self.assertEqual(len(self.room.world.frames), KEPT)
        self.assert_refused("cy", Missed(n=FIRST), f"from {FIRST + 1} to")


class CheckTests(LockstepTestCase):
    """Whether all have computed the same."""

    def setUp(self) -> None:
        super().setUp()
        for name in ("ann", "bob", "cy"):
            self.send(name, FIRST)

    def check(self, **hashes: str) -> list[Any]:
        """What is said of these hashes: of whom."""
        for name, hash in hashes.items():
            self.room.act(name, Check(n=FIRST, hash=hash))
        self.room.advance(CHECKING)
        return [said["players"] for said in self.told("ann", "desync")]

    def test_nothing_is_said_if_they_have(self) -> None:
        self.assertEqual(self.check(ann="1", bob="1", cy="1"), [])

    def test_all_are_told_who_has_not(self) -> None:
        self.assertEqual(self.check(ann="1", bob="2", cy="1"), [["bob"]])

    def test_of_two_nobody_knows_which(self) -> None:
        self.assertEqual(self.check(ann="1", bob="2"), [["ann", "bob"]])

    def test_it_is_said_once(self) -> None:
        self.check(ann="1", bob="2", cy="1")
        self.assertEqual(self.check(ann="3", bob="4", cy="3"), [["bob"]])

    def test_a_frame_that_has_not_been_is_refused(self) -> None:
        self.assert_refused("ann", Check(n=FIRST + 1, hash="1"), f"the newest frame is {FIRST}")

    def test_no_hash_stays(self) -> None:
        self.check(ann="1")
        self.assertEqual(self.room.world.hashes, {})


class EndTests(LockstepTestCase):
    """The players say when it is over."""

    def test_when_all_say_so(self) -> None:
        self.room.act("ann", Done(result="ann wins"))
        self.room.act("bob", Done(result="ann wins"))
        self.assertTrue(self.room.world.playing)
        self.room.act("cy", Done(result="cy wins"))
        results = {"ann": "ann wins", "bob": "ann wins", "cy": "cy wins"}
        self.assertEqual(self.room.events("bob")[-1]["over"], {"results": results})

    def test_who_leaves_is_not_asked(self) -> None:
        self.room.act("ann", Done(result="draw"))
        self.room.act("bob", Done(result="draw"))
        self.room.leave("cy")
        self.assertEqual(self.room.events("bob")[-1]["over"], {"results": {"ann": "draw", "bob": "draw"}})

    def test_after_that_no_frame_is_passed_on(self) -> None:
        for name in ("ann", "bob"):
            self.send(name, FIRST)
        for name in ("ann", "bob", "cy"):
            self.room.act(name, Done(result="draw"))
        self.room.drop("cy")
        self.assertEqual(self.frames("ann"), [])


class PropertyTests(SynchronousTestCase):
    """Whoever sends what, and whenever."""

    @settings(deadline=None, max_examples=50)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["ann", "bob"]), st.sampled_from(["send", "drop", "back", "wait"]), st.integers(0, 6)
            ),
            max_size=40,
        )
    )
    def test_all_get_each_frame_once_in_order_and_with_the_same_inputs(self, calls: list[tuple[str, str, int]]) -> None:
        room = play(Lockstep, ["ann", "bob", "cy"])
        for name, call, n in calls:
            if call == "wait":
                room.advance(n / 20)
            elif call == "send" and not room.room.seats[name].away:
                try:
                    room.act(name, Frame(n=room.world.coming + n - 1, input=str(n)))
                except Refused:
                    continue
            elif call == "drop" and not room.room.seats[name].away:
                room.drop(name)
            elif call == "back" and room.room.seats[name].away:
                room.back(name)
        frames = [said for said in room.events("cy") if said.get("event") == "frame"]
        self.assertEqual([said["n"] for said in frames], list(range(FIRST, room.world.coming)))
        self.assertEqual([said["inputs"] for said in frames], list(room.world.frames.values()))
