"""Tests of L{netplay.inbox}."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import ssl
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol, IReactorFDSet, IReadDescriptor
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from netplay.inbox import SMALL, Inbox
from tests.support import LogRecorder, Peer, TLSPeer, make_certificate, make_folder, until


@implementer(IHalfCloseableProtocol)
class Listener(Protocol):
    """Is read by an inbox."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox
        self.heard = b""
        self.over = False
        self.lost_by: type[BaseException] | None = None
        self.then: Callable[[], object] = lambda: None

    def connectionMade(self) -> None:
        self.inbox.take(self.transport)

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        self.then()

    def readConnectionLost(self) -> None:
        self.over = True

    def writeConnectionLost(self) -> None:
        pass

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost_by = reason.type


class InboxCase(TestCase):
    timeout = 30

    def setUp(self) -> None:
        from twisted.internet import reactor

        self.reactor: Any = reactor
        self.inbox = Inbox()
        self.listeners: list[Listener] = []
        case = self

        class Listeners(Factory):
            noisy = False

            def buildProtocol(self, addr: Any) -> Listener:
                case.listeners.append(Listener(case.inbox))
                return case.listeners[-1]

        self.factory = Listeners()

    def listen(self, listen: Callable[..., Any] | None = None, *arguments: Any) -> tuple[str, int]:
        port = (listen or self.reactor.listenTCP)(0, self.factory, *arguments, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        return "127.0.0.1", port.getHost().port

    async def accept(self, address: tuple[str, int], kind: type[Peer] = Peer) -> tuple[Listener, Any]:
        """A new connection, from both its sides."""
        before = len(self.listeners)
        peer = kind(address)
        self.addCleanup(self._end, peer)
        await until(lambda: len(self.listeners) > before)
        return self.listeners[before], peer

    async def _end(self, peer: Peer) -> None:
        peer.close()
        for listener in self.listeners:
            if listener.lost_by is None:
                listener.transport.abortConnection()  # type: ignore[union-attr]
        await until(lambda: all(listener.lost_by is not None for listener in self.listeners))


class ReadingTests(InboxCase):
    """Over real sockets."""

    async def test_bytes_come_without_the_reactor_watching_the_socket(self) -> None:
        listener, peer = await self.accept(self.listen())
        self.assertNotIn(listener.transport, self.reactor.getReaders())
        peer.socket.sendall(b"hello")
        await until(lambda: listener.heard == b"hello")

    async def test_everyone_is_read_in_one_turn(self) -> None:
        address = self.listen()
        both = [await self.accept(address) for _ in range(2)]
        for _, peer in both:
            peer.socket.sendall(b"hello")
        self.inbox.doRead()
        self.assertEqual([listener.heard for listener, _ in both], [b"hello", b"hello"])

    async def test_who_is_paused_is_not_read_until_it_goes_on(self) -> None:
        address = self.listen()
        (paused, peer), (other, other_peer) = [await self.accept(address) for _ in range(2)]
        transport: Any = paused.transport
        transport.pauseProducing()
        peer.socket.sendall(b"hello")
        other_peer.socket.sendall(b"hello")
        await until(lambda: other.heard)
        self.assertEqual(paused.heard, b"")
        transport.resumeProducing()
        transport.resumeProducing()  # once is enough
        await until(lambda: paused.heard == b"hello")

    async def test_who_is_stopped_by_one_before_loses_nothing(self) -> None:
        address = self.listen()
        both = [await self.accept(address) for _ in range(2)]
        for listener, peer in both:
            for other, _ in both:
                if other is not listener:
                    transport: Any = other.transport
                    listener.then = transport.pauseProducing
            peer.socket.sendall(b"hello")
        self.inbox.doRead()
        self.assertEqual([listener.heard for listener, _ in both], [b"hello", b"hello"])
        self.assertEqual(self.inbox.fileno(), -1)  # and both are stopped

    async def test_who_sends_much_is_read_in_larger_pieces(self) -> None:
        listener, peer = await self.accept(self.listen())
        pieces: list[int] = []
        listener.then = lambda: pieces.append(len(listener.heard) - sum(pieces))
        peer.socket.sendall(bytes(SMALL))
        await until(lambda: pieces)
        peer.socket.sendall(bytes(2 * SMALL))
        await until(lambda: len(listener.heard) == 3 * SMALL)
        self.assertEqual(pieces, [SMALL, 2 * SMALL])

    async def test_an_exception_ends_one_connection_and_is_logged(self) -> None:
        log = LogRecorder(self)
        address = self.listen()
        (faulty, peer), (other, other_peer) = [await self.accept(address) for _ in range(2)]
        faulty.then = lambda: 1 // 0
        peer.socket.sendall(b"hello")
        other_peer.socket.sendall(b"hello")
        await until(lambda: faulty.lost_by is not None and other.heard)
        self.assertIs(faulty.lost_by, ConnectionAborted)
        self.assertIsNone(other.lost_by)
        self.assertEqual(log.texts(), ["while reading from a client"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class PatienceTests(InboxCase):
    """What is done where what comes may wait."""

    PATIENCE = 3600.0  # what waits is looked at when a test says so

    def setUp(self) -> None:
        super().setUp()
        self.prompt, self.inbox = self.inbox, Inbox(self.PATIENCE)

    def looks(self) -> list[Any]:
        """When it will look again."""
        calls = self.reactor.getDelayedCalls()
        return [call for call in calls if call.getTime() > self.reactor.seconds() + self.PATIENCE / 2]

    async def test_it_reads_at_once_and_then_together_what_came_meanwhile(self) -> None:
        address = self.listen()
        (ann, ann_peer), (bob, bob_peer), (other, other_peer) = [await self.accept(address) for _ in range(3)]
        self.prompt.take(other.transport)
        ann_peer.socket.sendall(b"1")
        await until(lambda: ann.heard == b"1")
        for peer in (ann_peer, bob_peer, other_peer):
            peer.socket.sendall(b"2")
        await until(lambda: other.heard == b"2")
        self.assertEqual((ann.heard, bob.heard), (b"1", b""))
        [look] = self.looks()
        look.reset(0)
        await until(lambda: ann.heard == b"12")
        self.assertEqual(bob.heard, b"2")

    async def test_when_nothing_came_meanwhile_the_next_is_read_at_once(self) -> None:
        listener, peer = await self.accept(self.listen())
        for word in (b"1", b"2"):
            peer.socket.sendall(word)
            await until(lambda word=word: listener.heard.endswith(word))
            self.assertNotIn(self.inbox, self.reactor.getReaders())  # the reactor does not spin
            [look] = self.looks()
            look.reset(0)
            await until(lambda: self.inbox in self.reactor.getReaders())
            self.assertEqual(self.looks(), [])

    async def test_it_waits_for_nobody_who_has_gone(self) -> None:
        listener, peer = await self.accept(self.listen())
        peer.socket.sendall(b"1")
        await until(lambda: self.looks())
        listener.transport.abortConnection()  # type: ignore[union-attr]
        await until(lambda: listener.lost_by)
        self.assertEqual(self.looks(), [])

    async def test_from_one_inbox_to_the_other(self) -> None:
        listener, peer = await self.accept(self.listen())
        for inbox, other in ((self.prompt, self.inbox), (self.inbox, self.prompt)):
            inbox.take(listener.transport)
            inbox.take(listener.transport)  # it stays
            self.assertEqual(other.fileno(), -1)
            before = listener.heard
            peer.socket.sendall(b"hello")
            await until(lambda before=before: listener.heard == before + b"hello")

    async def test_who_is_paused_stays_so(self) -> None:
        listener, peer = await self.accept(self.listen())
        transport: Any = listener.transport
        transport.pauseProducing()
        self.prompt.take(transport)
        self.assertEqual(self.prompt.fileno(), -1)
        transport.resumeProducing()
        peer.socket.sendall(b"hello")
        await until(lambda: listener.heard == b"hello")

    async def test_who_has_gone_is_left_alone(self) -> None:
        listener, _peer = await self.accept(self.listen())
        listener.transport.abortConnection()  # type: ignore[union-attr]
        await until(lambda: listener.lost_by)
        self.prompt.take(listener.transport)
        self.assertEqual(self.prompt.fileno(), -1)


class EndTests(InboxCase):
    """What the reactor goes on with."""

    async def test_a_peer_that_closes_its_direction(self) -> None:
        listener, peer = await self.accept(self.listen())
        peer.socket.sendall(b"good-bye")
        peer.socket.shutdown(1)
        await until(lambda: listener.over)
        self.assertEqual((listener.heard, listener.lost_by), (b"good-bye", None))
        self.assertNotIn(listener.transport, self.reactor.getReaders())

    async def test_a_peer_that_resets(self) -> None:
        listener, peer = await self.accept(self.listen())
        peer.reset()
        await until(lambda: listener.lost_by)
        self.assertIs(listener.lost_by, ConnectionLost)

    async def test_a_connection_that_we_close(self) -> None:
        listener, peer = await self.accept(self.listen())
        transport: Any = listener.transport
        transport.loseConnection()
        await until(lambda: listener.lost_by)
        self.assertIs(listener.lost_by, ConnectionDone)
        self.assertEqual(await peer.read_all(), b"")

    async def test_nothing_is_left_when_the_last_has_gone(self) -> None:
        address = self.listen()
        for _ in range(2):  # it is taken up again
            listener, peer = await self.accept(address)
            self.assertIn(self.inbox, self.reactor.getReaders())
            peer.close()
            await until(lambda listener=listener: listener.over)
            self.assertEqual(self.inbox.fileno(), -1)
            self.assertNotIn(self.inbox, self.reactor.getReaders())

    async def test_at_the_end_of_the_reactor_all_are_lost(self) -> None:
        address = self.listen()
        both = [await self.accept(address) for _ in range(2)]
        self.inbox.connectionLost(Failure(ConnectionLost()))
        self.assertEqual([listener.lost_by for listener, _ in both], [ConnectionLost, ConnectionLost])
        self.assertEqual(self.inbox.fileno(), -1)


class WhoIsTakenTests(InboxCase):
    """Some stay with the reactor."""

    async def test_TLS_stays_with_the_reactor(self) -> None:
        pem = make_certificate(make_folder(self)).read_bytes()
        context = ssl.PrivateCertificate.loadPEM(pem).options()
        listener, peer = await self.accept(self.listen(self.reactor.listenSSL, context), TLSPeer)
        await peer.shake_hands()
        peer.send(b"hello")
        await until(lambda: listener.heard == b"hello")
        self.assertEqual(self.inbox.fileno(), -1)

    async def test_a_unix_socket_is_read_like_any_other(self) -> None:
        path = str(make_folder(self) / "socket")
        self.addCleanup(self.reactor.listenUNIX(path, self.factory).stopListening)
        listener, peer = await self.accept(path)  # type: ignore[arg-type]
        self.assertNotIn(listener.transport, self.reactor.getReaders())
        peer.socket.sendall(b"hello")
        await until(lambda: listener.heard == b"hello")

    def test_what_is_no_socket_is_left_alone(self) -> None:
        self.inbox.take(StringTransport())
        self.assertEqual(self.inbox.fileno(), -1)

    async def test_it_is_what_transports_and_the_reactor_take_it_for(self) -> None:
        await self.accept(self.listen())
        verifyObject(IReadDescriptor, self.inbox)
        verifyObject(IReactorFDSet, self.inbox)
