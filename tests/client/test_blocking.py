"""Tests of L{netplay.client.blocking}: how it gets there. What it does there is shown end to end."""

from __future__ import annotations

import socket
import threading

from twisted.trial.unittest import SynchronousTestCase

from netplay.client.addresses import address
from netplay.client.blocking import Dialer, connect
from tests.client.test_link import lines
from tests.client.test_session import welcome


class DialerTests(SynchronousTestCase):
    """Endpoint strings without Twisted."""

    def test_it_dials_tcp_and_unix_sockets(self) -> None:
        path = self.mktemp() + ":sock"
        for family, where, at in (
            (socket.AF_INET, "tcp:127.0.0.1:{}", ("127.0.0.1", 0)),
            (socket.AF_UNIX, "unix:" + path.replace(":", "\\:"), path),
        ):
            with socket.socket(family) as listening:
                listening.bind(at)
                listening.listen()
                port = listening.getsockname()[1] if family == socket.AF_INET else ""
                with Dialer(address(where.format(port), "chat")).dial() as dialed:
                    taken, _ = listening.accept()
                    with taken:
                        dialed.sendall(b"hello")
                        self.assertEqual(taken.recv(5), b"hello")

    def test_an_ipv6_url(self) -> None:
        with socket.socket(socket.AF_INET6) as listening:
            listening.bind(("::1", 0))
            listening.listen()
            where = f"ws://[::1]:{listening.getsockname()[1]}/"
            Dialer(address(where, "chat")).dial().close()

    def test_other_endpoints_need_twisted(self) -> None:
        for where in ("tcp:localhost", "tls:localhost:1:trustRoots=.", "haproxy:tcp:localhost:1", "nonsense"):
            with self.assertRaisesRegex(ValueError, "not tcp:host:port"):
                connect(where, "chat")


class EndTests(SynchronousTestCase):
    """How it ends."""

    def test_a_policy_that_fails_is_heard_of(self) -> None:
        before = threading.active_count()
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()

            def serve() -> None:
                connection, _ = listening.accept()
                with connection:
                    connection.sendall(lines(welcome()))

            serving = threading.Thread(target=serve)
            serving.start()
            where = f"tcp:127.0.0.1:{listening.getsockname()[1]}"
            client = connect(where, "chat", retry=lambda attempt: 1 // (attempt - 1))
            serving.join()
            client._thread.join()
            self.assertEqual(client.poll(), [welcome()])
            self.assertRaises(ZeroDivisionError, client.poll)
            client.close()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(threading.active_count(), before)

    def test_it_is_not_waited_for_for_ever_and_leaves_no_thread(self) -> None:
        before = threading.active_count()
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            # The kernel takes the connection; it ends when the socket that listens is gone.
            closing = threading.Timer(0.3, listening.close)
            closing.start()
            where = f"tcp:127.0.0.1:{listening.getsockname()[1]}"
            self.assertRaises((TimeoutError, OSError), connect, where, "chat", timeout=0.1)
            closing.join()
        self.assertEqual(threading.active_count(), before)
