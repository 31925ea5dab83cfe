"""Tests of L{netplay.client.link}."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netplay.client.errors import Disconnected, TooMuch, WireError
from netplay.client.link import MOST_UNREAD, UNREAD, Inbox, Link
from netplay.client.session import Session
from netplay.client.wires import LineWire, WebSocketWire
from netplay.wire.codecs import JSON, LINES
from tests.client.test_session import chat, resumed, told, welcome
from tests.client.test_wires import Peer

LIMITS = {"max_message": 64}


def lines(*messages: dict[str, Any]) -> bytes:
    """As the server sends them."""
    return b"".join(map(LINES.encode, messages))


def greeted(session: Session | None = None) -> Link:
    """A link on which the server has greeted."""
    link = Link(session or Session(), LineWire())
    link.feed(lines({**welcome(), "limits": LIMITS}))
    link.next()
    return link


class LinkTests(SynchronousTestCase):
    """A wire and a session."""

    def test_messages_are_taken_one_by_one(self) -> None:
        link = greeted()
        link.feed(lines(chat(1), chat(1), chat(2))[:-1])
        self.assertEqual([link.next(), link.next()], [chat(1), None])
        link.feed(b"\n")
        self.assertEqual([link.next(), link.next()], [chat(2), None])

    def test_on_a_new_connection_the_session_speaks_first(self) -> None:
        session = Session()
        greeted(session).lost()
        self.assertIn(b'"type":"resume"', Link(session, LineWire()).outgoing())

    def test_on_a_websocket_it_speaks_once_that_is_open(self) -> None:
        session = Session()
        greeted(session).lost()
        wire = WebSocketWire("ws://localhost/ws/chat", JSON)
        link = Link(session, wire)
        request = link.outgoing()
        self.assertTrue(request.startswith(b"GET /ws/chat HTTP/1.1\r\n"))
        peer = Peer(request)
        # The answer to the handshake and the void greeting come in one piece.
        peer.protocol.send_text(JSON.encode(welcome(seq=3, session="another")))
        link.feed(peer.said())
        self.assertIs(link.next(), None)
        (resume,) = peer.heard(link.outgoing())
        ref = JSON.plain(resume.data)["ref"]
        self.assertFalse(link.greeted)
        peer.protocol.send_text(JSON.encode(resumed(ref, general=told("e", 0, True))))
        link.feed(peer.said())
        self.assertEqual((link.next() or {})["type"], "resumed")
        self.assertTrue(link.greeted)

    def test_what_cannot_be_sent_is_refused_and_forgotten(self) -> None:
        session = Session()
        link = greeted(session)
        self.assertRaises(TypeError, link.send, {"type": "chat", "text": object()}, lambda _: None)
        with self.assertRaisesRegex(ValueError, "at most 64 bytes; this one has"):
            link.send({"type": "chat", "text": "x" * 64}, lambda _: None)
        self.assertFalse(session.asking)
        self.assertEqual(link.outgoing(), b"")
        link.send({"type": "ping"})
        self.assertEqual(link.outgoing(), b'{"type":"ping"}\n')
        self.assertEqual(link.outgoing(), b"")

    def test_messages_that_are_not_what_they_should_be_end_it(self) -> None:
        for message in (
            {"type": "chat", "room": "general"},
            {"type": "history", "room": "general", "messages": 7},
        ):
            link = greeted()
            link.feed(lines(message))
            with self.assertRaisesRegex(WireError, message["type"]):
                link.next()

    def test_when_it_is_lost_the_session_decides(self) -> None:
        link = greeted()
        self.assertTrue(link.lost())
        link = greeted()
        link.feed(lines({"type": "error", "code": "kicked", "message": "go", "fatal": True}))
        link.next()
        self.assertFalse(link.lost())


class InboxTests(SynchronousTestCase):
    """What waits for the program."""

    def flooded(self) -> tuple[Link, Inbox]:
        """More has come than may wait."""
        session = Session()
        link = greeted(session)
        link.feed(lines(*map(chat, range(1, 3 * MOST_UNREAD))))
        return link, Inbox(session)

    def test_it_takes_so_many_and_more_when_some_were_read(self) -> None:
        link, inbox = self.flooded()
        inbox.fill(link)
        self.assertEqual((len(inbox), inbox.wants_more), (UNREAD, False))
        self.assertEqual(inbox.take(), chat(1))
        self.assertTrue(inbox.wants_more)
        inbox.fill(link)
        self.assertEqual(len(inbox), UNREAD)

    def test_it_takes_more_while_an_answer_is_waited_for_but_not_for_ever(self) -> None:
        link, inbox = self.flooded()
        answers: list[Any] = []
        link.send({"type": "ping"}, answers.append)
        inbox.fill(link)
        self.assertEqual((len(inbox), inbox.wants_more), (MOST_UNREAD, False))
        self.assertIsInstance(answers.pop(), TooMuch)

    def test_a_connection_that_is_not_greeted_yet_is_read(self) -> None:
        link, inbox = self.flooded()
        inbox.fill(link)
        link.lost()
        self.assertTrue(inbox.wants_more)
        self.assertRaises(Disconnected, link.send, {"type": "ping"})
