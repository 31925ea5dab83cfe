"""Tests of L{netplay.renewing}."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from OpenSSL.crypto import FILETYPE_PEM, X509, dump_certificate
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import VerifyError
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netplay.renewing import RenewingCertificate
from tests.certificates import self_signed_pem
from tests.support import LogRecorder, make_folder


class RenewingTests(SynchronousTestCase):
    """Files that change while the daemon runs."""

    def setUp(self) -> None:
        self.folder = make_folder(self)
        self.clock = Clock()
        self.log = LogRecorder(self)
        self.first = self.issue()
        self.reads = 0
        self.renewing = RenewingCertificate(self.load, "ssl:8888", self.clock)
        self.factory = TLSMemoryBIOFactory(self.renewing, False, Factory.forProtocol(Protocol), self.clock)

    def load(self) -> Any:
        self.reads += 1
        description = f"ssl:8888:privateKey={self.folder}/key.pem:certKey={self.folder}/cert.pem"
        return serverFromString(MemoryReactorClock(), description)._sslContextFactory

    def issue(self, *, key: bool = True, certificate: bool = True) -> bytes:
        """Write a new key and certificate, or only one of them."""
        key_pem, certificate_pem = self_signed_pem()
        if key:
            (self.folder / "key.pem").write_bytes(key_pem)
        if certificate:
            (self.folder / "cert.pem").write_bytes(certificate_pem)
        return certificate_pem

    def connect(self) -> Any:
        """A new connection, seen from the inside."""
        protocol = self.factory.buildProtocol(None)
        protocol.makeConnection(StringTransport())
        return protocol.getHandle()

    def shown(self, connection: Any) -> bytes:
        """The certificate that its client is shown."""
        certificate = connection.get_certificate()
        assert isinstance(certificate, X509)
        return dump_certificate(FILETYPE_PEM, certificate)

    def test_it_makes_connections(self) -> None:
        verifyObject(IOpenSSLServerConnectionCreator, self.renewing)
        self.assertEqual(self.shown(self.connect()), self.first)

    def test_a_new_connection_sees_the_new_one_and_those_that_are_open_go_on(self) -> None:
        before = self.connect()
        second = self.issue()
        self.clock.advance(1)
        self.assertEqual(self.shown(self.connect()), second)
        self.assertEqual(self.shown(before), self.first)
        self.assertEqual(self.log.texts(), ["ssl:8888: took up a new certificate"])

    def test_the_files_are_read_once_a_second_at_most_and_only_for_someone(self) -> None:
        for _ in range(5):
            self.connect()
        self.assertEqual(self.reads, 1)
        self.clock.advance(100)
        self.assertEqual(self.reads, 1)
        for _ in range(5):
            self.connect()
        self.assertEqual(self.reads, 2)

    def test_the_same_certificate_keeps_its_sessions(self) -> None:
        context = self.connect().get_context()
        self.clock.advance(1)
        self.assertIs(self.connect().get_context(), context)

    def test_half_of_a_renewal_is_waited_out_and_said_once(self) -> None:
        for half in ({"key": False}, {"certificate": False}):
            second = self.issue(**half)
            for _ in range(3):
                self.clock.advance(1)
                self.assertEqual(self.shown(self.connect()), self.first)
            self.assertEqual(len(self.log.texts()), 1)
            self.assertIn("ssl:8888: the certificate's files cannot be used (", self.log.texts()[0])
            self.assertIn("the one in use stays", self.log.texts()[0])
            self.first = second = self.issue()
            self.clock.advance(1)
            self.assertEqual(self.shown(self.connect()), second)
            self.log.events.clear()

    def test_files_that_are_empty_or_gone(self) -> None:
        certificate: Path = self.folder / "cert.pem"
        certificate.write_bytes(b"")
        self.clock.advance(1)
        self.assertEqual(self.shown(self.connect()), self.first)
        certificate.unlink()
        self.clock.advance(1)
        self.assertEqual(self.shown(self.connect()), self.first)
        self.assertEqual(len(self.log.texts()), 2)  # they are two complaints

    def test_to_begin_with_they_must_be_good(self) -> None:
        self.issue(key=False)
        error = self.assertRaises(VerifyError, RenewingCertificate, self.load, "ssl:8888", self.clock)
        self.assertIn("do not match", str(error))
