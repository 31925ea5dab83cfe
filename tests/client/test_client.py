"""Tests of L{netplay.client.client}: what depends on time, and on a connection that does what the test says."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost, ConnectionRefusedError
from twisted.internet.interfaces import IAddress, IProtocolFactory, IPushProducer, IStreamClientEndpoint
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from netplay.client import Client, Closed, Disconnected, ServerError, TooMuch, WireError, connect
from netplay.client.client import LinkProtocol
from netplay.client.link import BEAT, CLOSE_WITHIN, MOST_UNSENT, UNREAD, Inbox, Link
from netplay.client.session import Session
from netplay.client.wires import LineWire
from netplay.wire.codecs import JSON
from tests.client.test_link import lines
from tests.client.test_session import chat, welcome


class Connection(StringTransport):
    """One connection: what was written is kept, and the test is the server."""

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self.protocol = protocol
        self.half_closed = False

    def says(self, *messages: dict[str, Any]) -> None:
        """The server sends messages."""
        self.protocol.dataReceived(lines(*messages))

    def heard(self) -> list[dict[str, Any]]:
        """What the server got since it was last asked."""
        data = self.value()
        self.clear()
        return [JSON.plain(line) for line in data.splitlines()]

    def goes(self, reason: Exception | None = None) -> None:
        """The connection is gone."""
        self.protocol.connectionLost(Failure(reason or ConnectionDone()))

    def loseWriteConnection(self) -> None:
        """The client has no more to say."""
        self.half_closed = True

    def abortConnection(self) -> None:
        """It goes at once."""
        self.goes(ConnectionLost())


@implementer(IStreamClientEndpoint)
class Line:
    """
    Where connections come from.

    @ivar connections: all there were.
    @ivar attempts: those that wait for the test to L{answer} them.
    """

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.attempts: list[tuple[IProtocolFactory, Deferred[Any]]] = []

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """An attempt."""
        attempt: Deferred[Any] = Deferred(lambda _: self.attempts.clear())
        self.attempts.append((factory, attempt))
        return attempt

    def answer(self) -> Connection:
        """It succeeds."""
        factory, attempt = self.attempts.pop()
        address: IAddress = IPv4Address("TCP", "192.0.2.1", 8888)
        protocol: Any = factory.buildProtocol(address)
        connection = Connection(protocol)
        self.connections.append(connection)
        protocol.makeConnection(connection)
        attempt.callback(protocol)
        return connection

    def refuse(self) -> None:
        """It fails."""
        _, attempt = self.attempts.pop()
        attempt.errback(ConnectionRefusedError())


class ClientTestCase(SynchronousTestCase):
    """A client whose clock and line are the test's."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.line = Line()
        self.waits: list[int] = []

    def retry(self, attempt: int) -> float:
        """Ten seconds for each attempt."""
        self.waits.append(attempt)
        return 10.0 * attempt

    def connect(self, **options: Any) -> Deferred[Client]:
        """Begin."""
        return connect(self.clock, "tcp:example.org:8888", "chat", via=self.line, retry=self.retry, **options)

    def connected(self) -> tuple[Client, Connection]:
        """A client that was greeted."""
        coming = self.connect()
        connection = self.line.answer()
        self.assertNoResult(coming)
        connection.says(welcome())
        client = self.successResultOf(coming)
        self.assertEqual(self.successResultOf(client.next())["type"], "welcome")
        return client, connection


class ComingBackTests(ClientTestCase):
    """When there is a new connection."""

    def test_it_is_there_when_the_server_has_greeted(self) -> None:
        client, _ = self.connected()
        self.assertTrue(client.connected)
        self.assertEqual(client.you, {"id": "User_1"})

    def test_attempts_become_rarer_until_the_server_greets(self) -> None:
        _, connection = self.connected()
        connection.goes()
        for attempt in (1, 2, 3):
            self.clock.advance(10 * attempt - 1)
            self.assertEqual(self.line.attempts, [])
            self.clock.advance(1)
            self.line.refuse()
        self.clock.advance(40)
        self.line.answer().goes()  # it lets us in and says nothing
        self.clock.advance(50)
        connection = self.line.answer()
        (resume,) = connection.heard()
        self.assertEqual(resume["type"], "resume")
        connection.says(welcome(), {"type": "error", "code": "bad_session", "message": "", "ref": resume["ref"]})
        leave = connection.heard()[0]
        connection.says({"type": "ok", "ref": leave["ref"]})
        connection.goes()
        self.assertEqual(self.waits, [1, 2, 3, 4, 5, 1])

    def test_the_first_attempt_must_succeed_unless_it_may_fail(self) -> None:
        refused = self.connect()
        self.line.refuse()
        self.failureResultOf(refused, ConnectionRefusedError)
        patient = self.connect(keep_trying=True)
        self.line.refuse()
        self.clock.advance(10)
        self.line.answer().goes()
        self.clock.advance(20)
        self.line.answer().says(welcome())
        self.successResultOf(patient)

    def test_whoever_waits_no_more_for_the_first_attempt_leaves_nothing(self) -> None:
        coming = self.connect()
        coming.cancel()
        self.failureResultOf(coming, CancelledError)
        self.assertEqual((self.line.attempts, self.clock.getDelayedCalls()), ([], []))
        coming = self.connect(keep_trying=True)
        self.line.refuse()
        coming.addTimeout(5, self.clock)
        self.clock.advance(5)
        self.failureResultOf(coming)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_what_is_no_netplay_is_told(self) -> None:
        coming = self.connect()
        self.line.answer().protocol.dataReceived(b"220 mail.example.org ESMTP\r\n")
        self.failureResultOf(coming, WireError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_sent_away_for_good_it_stays_away(self) -> None:
        client, connection = self.connected()
        answer = client.ask("ping")
        error = {"type": "error", "code": "banned", "message": "go", "fatal": True}
        connection.says(error)
        connection.goes()
        self.assertEqual(self.failureResultOf(answer, ServerError).value.code, "banned")
        self.assertEqual(self.successResultOf(client.next()), error)
        self.failureResultOf(client.next(), ServerError)
        self.failureResultOf(client.ask("ping"), Disconnected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_policy_that_fails_is_heard_of(self) -> None:
        self.retry = lambda attempt: 1 // (attempt - 1)  # type: ignore[method-assign, assignment, return-value]
        client, connection = self.connected()
        reading = client.next()
        connection.goes()
        self.failureResultOf(reading, ZeroDivisionError)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.successResultOf(client.close())

    def test_a_server_that_is_silent_is_asked_and_then_given_up(self) -> None:
        _, connection = self.connected()
        self.clock.advance(BEAT)
        self.clock.advance(BEAT)
        (ping,) = connection.heard()
        connection.says({"type": "pong", "ref": ping["ref"]})
        for _ in range(3):
            self.assertEqual(self.waits, [])
            self.clock.advance(BEAT)
        self.assertEqual(self.waits, [1])

    def test_so_is_one_that_never_greets(self) -> None:
        coming = self.connect()
        self.line.answer()
        for _ in range(3):
            self.assertNoResult(coming)
            self.clock.advance(BEAT)
        self.failureResultOf(coming, Disconnected)


class ClosingTests(ClientTestCase):
    """The program has enough."""

    def test_what_was_sent_goes_before_the_end(self) -> None:
        client, connection = self.connected()
        client.send("chat", text="bye")
        closed = client.close()
        self.assertEqual(connection.heard(), [{"type": "chat", "text": "bye"}])
        self.assertTrue(connection.half_closed)
        self.assertNoResult(closed)
        connection.says(chat(1))
        connection.goes()
        self.successResultOf(closed)
        self.successResultOf(client.close())
        self.failureResultOf(client.next(), Closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_server_that_does_not_let_go_is_left(self) -> None:
        client, _ = self.connected()
        closed = client.close()
        self.clock.advance(CLOSE_WITHIN)
        self.successResultOf(closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_between_two_connections_there_is_nothing_to_wait_for(self) -> None:
        client, connection = self.connected()
        connection.goes()
        self.successResultOf(client.close())
        self.assertEqual(self.clock.getDelayedCalls(), [])
        client, connection = self.connected()
        connection.goes()
        self.clock.advance(10)
        self.successResultOf(client.close())
        self.assertEqual(self.line.attempts, [])

    def test_the_reader_hears_of_it(self) -> None:
        client, connection = self.connected()
        reading = client.dispatch({})
        client.close()
        self.successResultOf(reading)
        connection.goes()


class AskingTests(ClientTestCase):
    """Requests."""

    def test_it_can_be_awaited(self) -> None:
        client, connection = self.connected()

        async def program() -> dict[str, Any]:
            return await client.ask("who", room="tech")

        answer = Deferred.fromCoroutine(program())
        (request,) = connection.heard()
        self.assertEqual(request, {"type": "who", "room": "tech", "ref": request["ref"]})
        connection.says({"type": "who", "members": [], "ref": request["ref"]})
        self.assertEqual(self.successResultOf(answer), {"type": "who", "members": []})

    def test_who_cancels_is_not_told_later(self) -> None:
        client, connection = self.connected()
        answer = client.ask("ping")
        (request,) = connection.heard()
        answer.cancel()
        self.failureResultOf(answer, CancelledError)
        connection.says({"type": "pong", "ref": request["ref"]}, chat(1))
        self.assertEqual(self.successResultOf(client.next()), chat(1))

    def test_what_cannot_be_sent_fails(self) -> None:
        client, _ = self.connected()
        self.failureResultOf(client.ask("chat", text=object()), TypeError)
        self.assertRaises(TypeError, client.send, "chat", text=object())

    def test_a_server_that_takes_nothing_is_not_written_to_for_ever(self) -> None:
        client, connection = self.connected()
        producer: Any = connection.producer
        verifyObject(IPushProducer, producer)
        producer.pauseProducing()
        text = "x" * 1000
        for _ in range(MOST_UNSENT // len(lines({"type": "chat", "text": text})) + 1):
            client.send("chat", text=text)
        self.assertRaises(TooMuch, client.send, "chat", text=text)
        self.failureResultOf(client.ask("ping"), TooMuch)
        producer.resumeProducing()
        client.send("chat", text=text)


class ReadingTests(ClientTestCase):
    """One reader, which may take its time."""

    def test_what_is_not_read_pauses_the_connection(self) -> None:
        client, connection = self.connected()
        connection.says(*map(chat, range(1, 2 * UNREAD + 1)))
        self.assertEqual((client.unread, connection.producerState), (UNREAD, "paused"))
        for seq in range(1, UNREAD + 1):
            self.assertEqual(self.successResultOf(client.next()), chat(seq))
        self.assertEqual(client.unread, UNREAD)
        self.assertEqual(self.successResultOf(client.next()), chat(UNREAD + 1))
        self.assertEqual(connection.producerState, "producing")

    def test_it_is_read_again_while_somebody_asks(self) -> None:
        client, connection = self.connected()
        connection.says(*map(chat, range(1, 2 * UNREAD + 1)))
        answer = client.ask("ping")
        self.assertEqual((client.unread, connection.producerState), (2 * UNREAD, "producing"))
        connection.says({"type": "pong", "ref": connection.heard()[-1]["ref"]})
        self.successResultOf(answer)
        self.assertEqual(connection.producerState, "paused")

    def test_the_server_is_not_given_up_while_nobody_reads(self) -> None:
        _, connection = self.connected()
        connection.says(*map(chat, range(1, 2 * UNREAD + 1)))
        for _ in range(5):
            self.clock.advance(BEAT)
        self.assertEqual(self.waits, [])

    def test_there_is_one_reader(self) -> None:
        client, connection = self.connected()
        waiting = client.next()
        self.assertRaises(RuntimeError, client.next)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        waiting = client.next()
        connection.says(chat(1))
        self.assertEqual(self.successResultOf(waiting), chat(1))

    def test_what_a_handler_raises_ends_the_reading(self) -> None:
        client, connection = self.connected()

        def fails(message: dict[str, Any]) -> None:
            raise ZeroDivisionError

        reading = client.dispatch({"chat": fails})
        connection.says({"type": "presence"}, chat(1))
        self.failureResultOf(reading, ZeroDivisionError)

    def test_what_came_before_the_end_is_read_first(self) -> None:
        client, connection = self.connected()
        connection.says(chat(1), chat(2))
        client.close()
        connection.goes()

        async def program() -> list[dict[str, Any]]:
            return [message async for message in client]

        self.assertEqual(self.successResultOf(Deferred.fromCoroutine(program())), [chat(1), chat(2)])


class ProtocolTests(SynchronousTestCase):
    """The protocol below."""

    def test_it_is_a_producer(self) -> None:
        session = Session()
        protocol = LinkProtocol(Clock(), Link(session, LineWire()), Inbox(session), lambda: None)
        verifyObject(IPushProducer, protocol)
