"""Tests of L{netplay.listen}."""

from __future__ import annotations

import errno
import shlex
import socket
import tempfile
from typing import Any

from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netplay.listen import Door, Doors, PortsInUse, free_endpoint
from tests.support import LogRecorder, make_certificate, make_folder, until


class Greeter(Protocol):
    """Says a word and goes."""

    def connectionMade(self) -> None:
        self.transport.write(b"hello")
        self.transport.loseConnection()


class DoorCase(TestCase):
    """Real endpoints on the loopback interface."""

    timeout = 30

    def setUp(self) -> None:
        self.clock = Clock()
        self.folder = make_folder(self)

    def door(self, description: str, option: str = "--chat") -> Door:
        from twisted.internet import reactor

        endpoint = serverFromString(reactor, description)
        factory = Factory.forProtocol(Greeter)
        factory.noisy = False
        door = Door(option, description, endpoint, factory, self.clock)
        self.addCleanup(self._close, door)
        return door

    def _close(self, door: Door) -> Any:
        return door.stopService() if door.running else None

    def occupied(self) -> int:
        """A port that somebody else listens on."""
        other = socket.socket()
        other.bind(("127.0.0.1", 0))
        other.listen()
        self.addCleanup(other.close)
        port: int = other.getsockname()[1]
        return port

    def port_of(self, door: Door) -> Any:
        return door._service._waitingForPort.result

    async def greeting(self, address: Any) -> bytes:
        peer = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.addCleanup(peer.close)
        peer.connect(address)
        peer.setblocking(False)
        got = bytearray()

        def over() -> bool:
            try:
                data = peer.recv(100)
            except BlockingIOError:
                return False
            got.extend(data)
            return not data

        await until(over)
        return bytes(got)


class DoorTests(DoorCase):
    """One listening endpoint."""

    async def test_it_listens_from_the_privileged_start_on(self) -> None:
        door = self.door("tcp:0:interface=127.0.0.1")
        door.privilegedStartService()
        port = self.port_of(door)
        door.startService()
        self.assertIs(self.port_of(door), port)
        self.assertEqual(await self.greeting(("127.0.0.1", port.getHost().port)), b"hello")

    async def test_or_from_the_start(self) -> None:
        door = self.door("tcp:0:interface=127.0.0.1")
        door.startService()
        self.assertEqual(await self.greeting(("127.0.0.1", self.port_of(door).getHost().port)), b"hello")

    async def test_stopped_it_listens_no_more(self) -> None:
        door = self.door("tcp:0:interface=127.0.0.1")
        door.startService()
        address = "127.0.0.1", self.port_of(door).getHost().port
        await door.stopService()
        with socket.socket() as peer:
            self.assertRaises(ConnectionRefusedError, peer.connect, address)

    def test_its_address_as_a_person_writes_it(self) -> None:
        path = f"{self.folder}/chat"
        tcp, unix = self.door("tcp:0:interface=127.0.0.1"), self.door(f"unix:{path}")
        self.assertEqual(tcp.address, "tcp:0:interface=127.0.0.1")  # before it is open
        for door in (tcp, unix):
            door.startService()
        self.assertEqual(tcp.address, f"127.0.0.1 port {self.port_of(tcp).getHost().port}")
        self.assertEqual(unix.address, f"unix socket {path}")

    def test_its_address_in_ipv6(self) -> None:
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError:
            self.skipTest("there is no IPv6 here")
        door = self.door(r"tcp6:0:interface=\:\:1")
        door.startService()
        self.assertEqual(door.address, f"[::1] port {self.port_of(door).getHost().port}")

    async def test_a_unix_socket(self) -> None:
        path = f"{self.folder}/chat"
        door = self.door(f"unix:{path}")
        door.startService()
        self.assertEqual(await self.greeting(path), b"hello")

    def test_TLS(self) -> None:
        pem = make_certificate(self.folder)
        door = self.door(f"ssl:0:interface=127.0.0.1:privateKey={pem}:certKey={pem}")
        door.startService()
        self.assertTrue(door.address.startswith("127.0.0.1 port "))

    def test_dead_peers_are_found_by_keepalive(self) -> None:
        door = self.door("tcp:0:interface=127.0.0.1")
        door.startService()
        listening = self.port_of(door).socket
        self.assertTrue(listening.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, name):
                self.assertEqual(listening.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)), value)
        self.assertFalse(listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))


class DoorsTests(DoorCase):
    """All of them or none."""

    def test_all_open(self) -> None:
        doors = Doors([self.door("tcp:0:interface=127.0.0.1"), self.door(f"unix:{self.folder}/a")])
        doors.startService()
        self.assertTrue(all(self.port_of(door).connected for door in doors))

    def test_when_one_cannot_none_is(self) -> None:
        good = [f"unix:{self.folder}/chat", free_endpoint("tcp:1:interface=127.0.0.1")]
        taken = f"tcp:{self.occupied()}:interface=127.0.0.1"
        doors = Doors(self.door(description) for description in (*good, taken))
        self.assertRaises(PortsInUse, doors.privilegedStartService)
        # At once: the reactor may never run.
        self.assertEqual(list(self.folder.iterdir()), [])
        Doors(self.door(description) for description in good).startService()

    def test_all_that_are_in_use_are_told_in_one_line(self) -> None:
        first, second = self.occupied(), self.occupied()
        doors = Doors(
            [
                self.door(f"tcp:{first}:interface=127.0.0.1", "--chat"),
                self.door(f"tcp:{second}:interface=127.0.0.1", "--game"),
            ]
        )
        error = self.assertRaises(PortsInUse, doors.startService)
        self.assertIsInstance(error, CannotListenError)
        why, options = str(error).split("; use instead: ")
        self.assertEqual(
            why,
            f"cannot listen on --chat tcp:{first}:interface=127.0.0.1 (address already in use), "
            f"--game tcp:{second}:interface=127.0.0.1 (address already in use)",
        )
        self.assertNotIn("\n", str(error))
        words = options.split(" ")
        self.assertEqual((words[0], words[2]), ("--chat", "--game"))
        for description in (words[1], words[3]):  # they can be pasted
            self.door(description).startService()

    def test_where_the_address_is_wrong_another_address_is_offered(self) -> None:
        doors = Doors([self.door("tcp:0:interface=192.0.2.1")])
        error = self.assertRaises(PortsInUse, doors.privilegedStartService)
        self.assertIn("use instead: --chat tcp:0:interface=127.0.0.1", str(error))

    def test_a_port_that_there_cannot_be_is_said_in_the_line_too(self) -> None:
        doors = Doors([self.door("tcp:99999:interface=127.0.0.1")])
        error = self.assertRaises(PortsInUse, doors.privilegedStartService)
        self.assertIn("port must be 0-65535", str(error))

    def test_what_is_no_port_in_use_says_why(self) -> None:
        doors = Doors([self.door(f"unix:{self.folder}/no/such/folder")])
        error = self.assertRaises(PortsInUse, doors.startService)
        self.assertIn(f"--chat unix:{self.folder}/no/such/folder (no such file or directory); use", str(error))
        self.assertIn(f"--chat unix:{tempfile.gettempdir()}/folder", str(error))

    def test_what_a_shell_would_change_is_quoted(self) -> None:
        door = self.door(r"tcp6:8888:interface=\:\:ffff\:192.0.2.1")  # an address that nobody has
        error = self.assertRaises(PortsInUse, Doors([door]).startService)
        option, description = shlex.split(str(error).split("; use instead: ")[1])
        self.assertEqual(option, "--chat")
        self.assertTrue(description.endswith(r":interface=\:\:1"), description)

    def test_a_unix_socket_that_is_in_use(self) -> None:
        path = f"{self.folder}/chat"
        self.door(f"unix:{path}").startService()
        error = self.assertRaises(PortsInUse, Doors([self.door(f"unix:{path}")]).startService)
        self.assertIn(f"use instead: --chat unix:{path}.2", str(error))


class FreeEndpointTests(SynchronousTestCase):
    """The same endpoint somewhere else."""

    def assert_moved(self, before: str, after: str) -> None:
        """C{after} has N where the new port is."""
        head, tail = after.split("N")
        moved = free_endpoint(before)
        self.assertTrue(moved.startswith(head) and moved.endswith(tail), moved)
        port = int(moved[len(head) : len(moved) - len(tail)])
        self.assertNotEqual(port, 8888)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))

    def test_tcp(self) -> None:
        self.assert_moved("tcp:8888", "tcp:N")
        self.assert_moved("tcp:8888:interface=127.0.0.1", "tcp:N:interface=127.0.0.1")

    def test_with_the_port_by_name(self) -> None:
        self.assert_moved("tcp:port=8888:interface=0.0.0.0", "tcp:port=N:interface=0.0.0.0")
        self.assert_moved("tcp:interface=127.0.0.1:port=8888", "tcp:interface=127.0.0.1:port=N")

    def test_ssl(self) -> None:
        self.assert_moved("ssl:8888:privateKey=a.pem:certKey=b.pem", "ssl:N:privateKey=a.pem:certKey=b.pem")

    def test_tcp6(self) -> None:
        self.assert_moved(r"tcp6:8888:interface=\:\:1", r"tcp6:N:interface=\:\:1")
        self.assert_moved(r"tcp6:interface=\:\:1:port=8888", r"tcp6:interface=\:\:1:port=N")

    def test_behind_haproxy(self) -> None:
        self.assert_moved("haproxy:tcp:8888:interface=127.0.0.1", "haproxy:tcp:N:interface=127.0.0.1")
        self.assertEqual(free_endpoint("haproxy:unix:/tmp/chat"), "haproxy:unix:/tmp/chat.2")

    def test_unix(self) -> None:
        self.assertEqual(free_endpoint("unix:/tmp/chat"), "unix:/tmp/chat.2")
        self.assertEqual(free_endpoint("unix:chat"), "unix:chat.2")
        self.assertEqual(free_endpoint("unix:/tmp/chat:mode=660"), "unix:/tmp/chat.2:mode=660")
        self.assertEqual(free_endpoint("unix:address=/tmp/chat"), "unix:address=/tmp/chat.2")

    def test_a_unix_socket_whose_folder_will_not_do(self) -> None:
        self.assertEqual(free_endpoint("unix:/no/such/chat:mode=660"), f"unix:{tempfile.gettempdir()}/chat:mode=660")

    def test_what_has_no_port_stays(self) -> None:
        self.assertEqual(free_endpoint("systemd:domain=INET:index=0"), "systemd:domain=INET:index=0")


class OutOfDescriptorsTests(DoorCase):
    """A real port whose C{accept} fails."""

    async def test_it_rests_and_takes_up_again(self) -> None:
        from twisted.internet import reactor

        log = LogRecorder(self)
        door = self.door("tcp:0:interface=127.0.0.1")
        door.startService()
        port = self.port_of(door)
        real = port.socket
        refused: list[int] = []

        class Exhausted:
            def accept(self) -> Any:
                refused.append(1)
                raise OSError(errno.ENFILE, "too many open files")

            def __getattr__(self, name: str) -> Any:
                return getattr(real, name)

        port.socket = Exhausted()
        with socket.socket() as peer:
            peer.connect(("127.0.0.1", port.getHost().port))
            await until(lambda: refused)
            self.assertNotIn(port, reactor.getReaders())  # it does not spin
            port.socket = real
            self.clock.advance(1)
            self.assertIn(port, reactor.getReaders())
            peer.setblocking(False)
            got = []

            def greeted() -> bool:
                try:
                    got.append(peer.recv(100))
                except BlockingIOError:
                    return False
                return True

            await until(greeted)
            self.assertEqual(got, [b"hello"])
        self.assertEqual(len(refused), 1)
        self.assertEqual(len([text for text in log.texts() if "file descriptors" in text]), 1)
