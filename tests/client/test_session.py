"""Tests of L{netplay.client.session}: what the server says goes in, what the program gets comes out."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netplay.client.errors import ClientError, Disconnected, ServerError, TooMuch
from netplay.client.session import MOST_ASKED, Session

Message = dict[str, Any]


def welcome(epoch: str = "e", seq: int = 0, session: str = "s", room: str = "general") -> Message:
    """A greeting of chat."""
    return {"type": "welcome", "room": room, "epoch": epoch, "seq": seq, "session": session, "you": {"id": "User_1"}}


def chat(seq: int, room: str = "general") -> Message:
    """Something that was said."""
    return {"type": "chat", "room": room, "seq": seq, "message": f"{room} {seq}"}


def page(seqs: list[int], epoch: str = "e", room: str = "general") -> Message:
    """A page of what was said."""
    return {"type": "history", "room": room, "epoch": epoch, "messages": [chat(seq, room) for seq in seqs], "more": 0}


def gap(room: str = "general") -> Message:
    """What says that something is missing."""
    return {"type": "gap", "room": room}


def told(epoch: str, seq: int, recovered: bool) -> Message:
    """How a room stands, in C{resumed}."""
    return {"epoch": epoch, "seq": seq, "recovered": recovered}


def resumed(ref: Any, **rooms: Message) -> Message:
    """The session is still there."""
    return {"type": "resumed", "rooms": rooms, "session": "s", "you": {"id": "User_1"}, "ref": ref}


def hear(session: Session, *messages: Message) -> list[Message]:
    """What of these is for the program."""
    return [one for message in messages for one in session.received(message)]


def sent(session: Session) -> list[Message]:
    """What is to be sent."""
    taken = list(session.outgoing)
    session.outgoing.clear()
    return taken


def arrived(*messages: Message) -> Session:
    """A session that was greeted, and has heard these."""
    session = Session()
    session.opened()
    hear(session, welcome(), *messages)
    sent(session)
    return session


def back(session: Session) -> Message:
    """It comes back on another connection; what it says first."""
    session.lost()
    session.opened()
    (first,) = sent(session)
    return first


class PutOutTests(SynchronousTestCase):
    """Rooms that one is in no more."""

    def test_it_does_not_come_back_to_a_room_that_it_was_put_out_of(self) -> None:
        for kind in ("removed", "room_deleted"):
            session = arrived()
            event = {"type": kind, "room": "general"}
            self.assertEqual(hear(session, event), [event])
            self.assertEqual(back(session)["since"], {})

    def test_nor_to_one_that_it_was_not_let_into_again(self) -> None:
        for code in ("banned", "not_allowed"):
            session = arrived()
            ref = session.send({"type": "join_room", "room": "general", "also": True})
            hear(session, {"type": "error", "code": code, "message": "no", "ref": ref})
            self.assertEqual(back(session)["since"], {})


class AskingTests(SynchronousTestCase):
    """Requests and their answers."""

    def ask(self, session: Session, **message: Any) -> tuple[Any, list[Any]]:
        """Ask; the ref, and where the answer will be."""
        answers: list[Any] = []
        return session.send(message, answers.append), answers

    def test_nothing_is_sent_before_the_greeting(self) -> None:
        session = Session()
        session.opened()
        self.assertRaises(Disconnected, session.send, {"type": "ping"})
        hear(session, welcome())
        session.send({"type": "ping"})
        self.assertEqual(sent(session), [{"type": "ping"}])
        self.assertEqual(session.you, {"id": "User_1"})

    def test_each_answer_goes_to_who_asked_and_not_to_the_reader(self) -> None:
        session = arrived()
        first, one = self.ask(session, type="ping")
        second, two = self.ask(session, type="who")
        self.assertNotEqual(first, second)
        self.assertEqual(hear(session, {"type": "who", "ref": second}, {"type": "pong", "ref": first}), [])
        self.assertEqual((one, two), ([{"type": "pong"}], [{"type": "who"}]))
        self.assertFalse(session.asking)

    def test_an_error_says_its_code_field_and_words(self) -> None:
        session = arrived()
        ref, answers = self.ask(session, type="chat", text="")
        error = {"type": "error", "code": "rate_limited", "message": "slowly", "field": "$.text", "retry_after": 2.5}
        hear(session, {**error, "ref": ref})
        (refused,) = answers
        self.assertIsInstance(refused, ServerError)
        said = (refused.code, refused.field, refused.message, refused.retry_after, refused.fatal, str(refused))
        self.assertEqual(said, ("rate_limited", "$.text", "slowly", 2.5, False, "rate_limited: slowly ($.text)"))

    def test_a_ref_of_ones_own_is_kept(self) -> None:
        session = arrived()
        ref, answers = self.ask(session, type="ping", ref=7)
        self.assertEqual(ref, 7)
        hear(session, {"type": "pong", "ref": 7})
        self.assertEqual(answers, [{"type": "pong", "ref": 7}])
        session.send({"type": "ping", "ref": "mine"})
        self.assertEqual(hear(session, {"type": "pong", "ref": "mine"}), [{"type": "pong", "ref": "mine"}])

    def test_a_ref_that_is_waited_for_is_taken(self) -> None:
        session = arrived()
        self.ask(session, type="ping", ref=7)
        self.assertRaises(ValueError, self.ask, session, type="ping", ref=7)
        hear(session, {"type": "pong", "ref": 7})
        self.ask(session, type="ping", ref=7)

    def test_a_request_that_changes_rooms_looks_the_same_with_and_without_ask(self) -> None:
        session = arrived()
        session.send({"type": "join_room", "room": "tech", "also": True})
        (join,) = sent(session)
        answer = {"type": "room_changed", "room": "tech", "epoch": "t", "seq": 3}
        self.assertEqual(hear(session, {**answer, "ref": join["ref"]}), [answer])
        session.send({"type": "leave_room", "room": "tech"})
        (leave,) = sent(session)
        self.assertEqual(hear(session, {"type": "ok", "ref": leave["ref"]}), [])
        self.assertEqual(list(session.rooms), ["general"])

    def test_all_are_told_when_the_connection_is_lost(self) -> None:
        session = arrived()
        _, answers = self.ask(session, type="ping")
        session.lost()
        self.assertIsInstance(answers.pop(), Disconnected)
        self.assertFalse(session.asking)
        session.opened()
        self.assertRaises(Disconnected, session.send, {"type": "ping"})

    def test_the_reason_of_the_end_is_what_they_are_told(self) -> None:
        session = arrived()
        _, answers = self.ask(session, type="ping")
        error = {"type": "error", "code": "kicked", "message": "go", "fatal": True}
        self.assertEqual(hear(session, error), [error])
        session.lost()
        self.assertEqual([answer.code for answer in answers], ["kicked"])

    def test_who_does_not_wait_any_more_is_not_told(self) -> None:
        session = arrived()
        ref, answers = self.ask(session, type="ping")
        session.forget(ref)
        self.assertFalse(session.asking)
        self.assertEqual(hear(session, {"type": "pong", "ref": ref}), [])
        self.assertEqual(answers, [])

    def test_no_more_than_so_many_wait(self) -> None:
        session = arrived()
        refs = [self.ask(session, type="ping")[0] for _ in range(MOST_ASKED)]
        self.assertRaises(TooMuch, self.ask, session, type="ping")
        session.send({"type": "chat", "text": "no answer is waited for"})
        hear(session, {"type": "pong", "ref": refs[0]})
        self.ask(session, type="ping")

    def test_all_can_be_given_up(self) -> None:
        session = arrived()
        ref, answers = self.ask(session, type="ping")
        session.give_up(TooMuch("unread"))
        self.assertIsInstance(answers.pop(), TooMuch)
        hear(session, {"type": "pong", "ref": ref})
        self.assertEqual(answers, [])


class ResumingTests(SynchronousTestCase):
    """Coming back to a session that is still there."""

    def test_it_says_first_what_it_has_heard(self) -> None:
        session = arrived(chat(1), chat(2))
        first = back(session)
        self.assertEqual(
            first, {**first, "type": "resume", "session": "s", "since": {"general": {"epoch": "e", "seq": 2}}}
        )
        self.assertFalse(session.ready)

    def test_what_was_missed_comes_as_if_live_and_once(self) -> None:
        session = arrived(chat(1), chat(2))
        ref = back(session)["ref"]
        void = welcome(seq=5, session="another")
        # Live to the newcomer that it was until it resumed.
        self.assertEqual(hear(session, void, chat(6), {"type": "presence"}), [])
        answer = resumed(ref, general=told("e", 6, True))
        self.assertEqual([m["type"] for m in hear(session, answer)], ["resumed"])
        heard = hear(session, page([3, 4]), page([5, 6]), chat(6), chat(7))
        self.assertEqual(heard, [chat(seq) for seq in (3, 4, 5, 6, 7)])
        self.assertTrue(session.ready)
        self.assertEqual(back(session)["since"], {"general": {"epoch": "e", "seq": 7}})

    def test_nothing_missed_is_no_page(self) -> None:
        session = arrived(chat(1))
        ref = back(session)["ref"]
        heard = hear(session, welcome(), resumed(ref, general=told("e", 1, True)), page([]))
        self.assertEqual([m["type"] for m in heard], ["resumed"])

    def test_what_is_gone_is_told_where_it_is_missing(self) -> None:
        session = arrived(chat(1))
        ref = back(session)["ref"]
        answer = resumed(ref, general=told("e", 300, False))
        heard = hear(session, answer, page([201, 300]), page([301]), chat(302))
        self.assertEqual(heard[1:], [gap(), page([201, 300]), chat(301), chat(302)])

    def test_numbers_of_another_epoch_that_happen_to_fit_do_not_hide_it(self) -> None:
        session = arrived(chat(1))
        ref = back(session)["ref"]
        heard = hear(session, resumed(ref, general=told("f", 3, False)), page([2, 3], "f"), chat(4))
        self.assertEqual(heard[1:], [gap(), page([2, 3], "f"), chat(4)])

    def test_a_newer_epoch_may_have_kept_all(self) -> None:
        session = arrived(chat(1))
        ref = back(session)["ref"]
        heard = hear(session, resumed(ref, general=told("f", 2, True)), page([2], epoch="f"), chat(3))
        self.assertEqual(heard[1:], [chat(2), chat(3)])
        self.assertEqual(back(session)["since"], {"general": {"epoch": "f", "seq": 3}})

    def test_rooms_are_those_that_the_server_says(self) -> None:
        session = arrived()
        session.send({"type": "join_room", "room": "tech"})  # the answer is lost
        ref = back(session)["ref"]
        heard = hear(session, resumed(ref, tech=told("t", 4, False)), chat(5, "tech"))
        self.assertEqual(heard[1:], [gap("tech"), chat(5, "tech")])
        self.assertEqual(list(session.rooms), ["tech"])

    def test_features_without_rooms(self) -> None:
        session = Session()
        session.opened()
        state = {"type": "state", "room": "lobby", "session": "s", "you": {"id": "Player_1"}}
        self.assertEqual(hear(session, state), [state])
        ref = back(session)["ref"]
        answer = {"type": "resumed", "rooms": {}, "room": "lobby", "session": "s", "you": {"id": "Player_1"}}
        full = {"type": "state", "room": "lobby"}
        self.assertEqual(hear(session, state, {**answer, "ref": ref}, full), [answer, full])

    @settings(deadline=None, max_examples=150)
    @given(st.data())
    def test_however_often_it_is_cut_off_everything_comes_once_and_in_order(self, data: st.DataObject) -> None:
        session = arrived()
        heard: list[Message] = []
        said = 0
        for _ in range(data.draw(st.integers(1, 6))):
            for _ in range(data.draw(st.integers(0, 4))):
                said += 1
                heard += hear(session, chat(said))
            first = back(session)
            since = first["since"]["general"]["seq"]
            said += data.draw(st.integers(0, 5))
            heard += hear(session, welcome(seq=said), resumed(first["ref"], general=told("e", said, True)))
            missed = list(range(since + 1, said + 1))
            while missed:
                if data.draw(st.booleans()) and data.draw(st.booleans()):  # cut off while catching up
                    first = back(session)
                    heard += hear(session, resumed(first["ref"], general=told("e", said, True)))
                    missed = list(range(first["since"]["general"]["seq"] + 1, said + 1))
                size = data.draw(st.integers(1, 3))
                heard += hear(session, page(missed[:size]))
                missed = missed[size:]
        self.assertEqual([m["seq"] for m in heard if m["type"] == "chat"], list(range(1, said + 1)))
        self.assertNotIn("gap", [m["type"] for m in heard])


class NewcomerTests(SynchronousTestCase):
    """Coming back when the session is over."""

    def joined(self) -> Session:
        """In C{general} and C{tech}."""
        session = arrived(chat(1))
        session.send({"type": "join_room", "room": "tech", "also": True})
        (join,) = sent(session)
        hear(session, {"type": "room_changed", "room": "tech", "epoch": "t", "seq": 7, "ref": join["ref"]})
        return session

    def refused(self, session: Session, seq: int = 9) -> list[Message]:
        """The server does not know the session; what it is asked then."""
        ref = back(session)["ref"]
        error = {"type": "error", "code": "bad_session", "message": "over", "ref": ref}
        self.assertEqual(hear(session, welcome("f", seq, "new"), error), [])
        return sent(session)

    def test_it_takes_its_rooms_again_with_what_it_has_heard(self) -> None:
        leave, general, tech = self.refused(self.joined())
        self.assertEqual((leave["type"], leave["room"]), ("leave_room", "general"))
        since = {"general": {"epoch": "e", "seq": 1}, "tech": {"epoch": "t", "seq": 7}}
        for join, room in ((general, "general"), (tech, "tech")):
            wanted = {"type": "join_room", "room": room, "also": True, "since": since[room], "ref": join["ref"]}
            self.assertEqual(join, wanted)

    def test_what_was_kept_comes_and_what_was_not_is_told(self) -> None:
        session = self.joined()
        leave, general, tech = self.refused(session)
        self.assertEqual(hear(session, chat(10)), [])  # to the newcomer
        greeting = hear(session, {"type": "ok", "ref": leave["ref"]})
        self.assertEqual([m["session"] for m in greeting], ["new"])
        kept = {"type": "room_changed", "room": "general", "epoch": "f", "seq": 2, "recovered": True}
        gone = {"type": "room_changed", "room": "tech", "epoch": "u", "seq": 90, "recovered": False}
        heard = hear(session, page([2], "f"), {**kept, "ref": general["ref"]})
        self.assertEqual(heard, [chat(2), kept])
        newest = page([80, 90], "u", "tech")
        heard = hear(session, newest, {**gone, "ref": tech["ref"]}, chat(91, "tech"), chat(3))
        self.assertEqual(heard, [gap("tech"), newest, gone, chat(91, "tech"), chat(3)])
        self.assertEqual(list(session.rooms), ["general", "tech"])

    def test_a_gap_is_told_where_nothing_was_kept_at_all(self) -> None:
        session = self.joined()
        leave, _, tech = self.refused(session)
        changed = {"type": "room_changed", "room": "tech", "epoch": "u", "seq": 0, "recovered": False}
        hear(session, {"type": "ok", "ref": leave["ref"]})
        heard = hear(session, page([], "u", "tech"), {**changed, "ref": tech["ref"]})
        self.assertEqual(heard, [gap("tech"), changed])

    def test_a_room_that_is_gone_is_told(self) -> None:
        session = self.joined()
        leave, _, tech = self.refused(session)
        error = {"type": "error", "code": "no_such_room", "message": "gone", "field": "$.room"}
        heard = hear(session, {"type": "ok", "ref": leave["ref"]}, {**error, "ref": tech["ref"]})
        self.assertEqual(heard[1:], [error])
        self.assertNotIn("tech", session.rooms)

    def test_cut_off_before_it_is_in_its_rooms_it_tries_again(self) -> None:
        session = self.joined()
        leave, *_ = self.refused(session)
        hear(session, {"type": "ok", "ref": leave["ref"]})
        session.lost()
        session.opened()
        self.assertEqual(sent(session), [])
        self.assertEqual(hear(session, welcome("f", 9, "newer")), [])
        self.assertEqual([m["type"] for m in sent(session)], ["leave_room", "join_room", "join_room"])


class RoomTests(SynchronousTestCase):
    """What a room's numbers say."""

    def test_what_joining_brings_is_history_and_not_news(self) -> None:
        session = arrived()
        answers: list[Message | ClientError] = []
        ref = session.send({"type": "join_room", "room": "tech"}, answers.append)
        before = page([1, 2], "t", "tech")
        self.assertEqual(hear(session, before), [before])
        hear(session, {"type": "room_changed", "room": "tech", "epoch": "t", "seq": 2, "ref": ref})
        self.assertEqual(hear(session, chat(2, "tech"), chat(3, "tech")), [chat(3, "tech")])
        self.assertEqual(list(session.rooms), ["tech"])

    def test_joining_the_room_that_one_is_in_brings_nothing_twice(self) -> None:
        session = arrived(chat(1), chat(2))
        ref = session.send({"type": "join_room", "room": "general"}, lambda _: None)
        changed = {"type": "room_changed", "room": "general", "epoch": "e", "seq": 3, "ref": ref}
        self.assertEqual(hear(session, page([1, 2, 3]), changed), [chat(3)])

    def test_history_that_was_asked_for_is_an_answer_and_moves_nothing(self) -> None:
        session = arrived(chat(5))
        session.send({"type": "history", "before": 4})
        (asked,) = sent(session)
        self.assertEqual(hear(session, {**page([1, 2, 3]), "ref": asked["ref"]}), [page([1, 2, 3])])
        self.assertEqual(back(session)["since"]["general"]["seq"], 5)

    def test_a_number_left_out_is_a_gap(self) -> None:
        self.assertEqual(hear(arrived(chat(1)), chat(3)), [gap(), chat(3)])

    def test_rooms_that_are_not_counted_are_passed_on(self) -> None:
        said = {"type": "chat", "room": "arena", "message": "hi"}
        self.assertEqual(hear(arrived(), said), [said])


class EndTests(SynchronousTestCase):
    """Whether to come back."""

    def test_it_depends_on_the_last_words(self) -> None:
        for code, comes_back in (
            ("shutting_down", True),
            ("slow_consumer", True),
            ("idle_timeout", True),
            ("server_full", True),
            ("replaced", False),
            ("kicked", False),
            ("banned", False),
            ("bad_login", False),
            ("too_large", False),
        ):
            session = arrived({"type": "error", "code": code, "message": "", "fatal": True})
            self.assertEqual(session.comes_back(None), comes_back, code)

    def test_without_words_it_depends_on_the_close_code(self) -> None:
        codes = {1000: False, 1001: True, 1006: True, 1008: False, 1009: False, 4001: True, 4002: True, 4003: True}
        for code, comes_back in {**codes, 4004: False}.items():
            self.assertEqual(arrived().comes_back(code), comes_back, code)
        self.assertTrue(arrived().comes_back(None))

    def test_the_last_words_of_another_connection_do_not_count(self) -> None:
        session = arrived({"type": "error", "code": "shutting_down", "message": "", "fatal": True})
        back(session)
        self.assertIs(session.last_words, None)


class BeatTests(SynchronousTestCase):
    """Whether the server is still there."""

    def test_silence_is_asked_about_once_and_then_it_is_over(self) -> None:
        session = arrived()
        self.assertTrue(session.beat())
        self.assertEqual(sent(session), [])
        self.assertTrue(session.beat())
        (ping,) = sent(session)
        self.assertEqual(hear(session, {"type": "pong", "ref": ping["ref"]}), [])
        self.assertTrue(session.beat())
        self.assertTrue(session.beat())
        self.assertFalse(session.beat())

    def test_the_answer_is_not_waited_for_by_anybody(self) -> None:
        session = arrived()
        session.beat()
        session.beat()
        self.assertFalse(session.asking)
