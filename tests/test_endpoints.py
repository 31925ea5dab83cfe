"""Tests of L{netplay.endpoints}."""

from __future__ import annotations

from typing import Any

from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import VerifyError
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from netplay.endpoints import endpoint_from
from netplay.proxied import ProxiedEndpoint
from netplay.renewing import RenewingCertificate
from tests.certificates import self_signed_pem
from tests.support import make_certificate, make_folder


class EndpointTests(SynchronousTestCase):
    """What a description means."""

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()

    def endpoint(self, description: str) -> Any:
        return endpoint_from(self.reactor, description)

    def test_what_it_means_to_twisted(self) -> None:
        self.assertIsInstance(self.endpoint("tcp:8888"), TCP4ServerEndpoint)
        self.assertRaises(ValueError, self.endpoint, "carrier-pigeon:1")

    def test_behind_a_proxy(self) -> None:
        for description in ("haproxy:tcp:8888", "haproxy:unix:/tmp/chat", r"haproxy:tcp6:8888:interface=\:\:1"):
            self.assertIsInstance(self.endpoint(description), ProxiedEndpoint, description)
        self.successResultOf(self.endpoint("haproxy:tcp:8888:interface=10.0.0.1").listen(Factory.forProtocol(Protocol)))
        self.assertEqual((self.reactor.tcpServers[0][0], self.reactor.tcpServers[0][3]), (8888, "10.0.0.1"))

    def test_a_proxy_does_TLS_itself(self) -> None:
        for inner in ("ssl:8888:privateKey=server.pem", "tls:/etc/certificates:8888", "haproxy:tcp:8888"):
            error = self.assertRaises(UsageError, self.endpoint, f"haproxy:{inner}")
            self.assertIn("haproxy:tcp:", str(error))

    def test_TLS_is_renewed(self) -> None:
        pem = make_certificate(make_folder(self))
        self.assertIsInstance(self.endpoint(f"ssl:8888:privateKey={pem}")._sslContextFactory, RenewingCertificate)

    def test_a_key_of_another_certificate_is_found_out_at_once(self) -> None:
        folder = make_folder(self)
        (folder / "key.pem").write_bytes(self_signed_pem()[0])
        (folder / "cert.pem").write_bytes(self_signed_pem()[1])
        error = self.assertRaises(
            VerifyError, self.endpoint, f"ssl:8888:privateKey={folder}/key.pem:certKey={folder}/cert.pem"
        )
        self.assertIn("do not match", str(error))

    def test_what_twisted_does_with_the_other_files_is_kept(self) -> None:
        folder = make_folder(self)
        pem = make_certificate(folder)
        (folder / "chain.pem").write_bytes(self_signed_pem()[1] + self_signed_pem()[1])
        renewing = self.endpoint(f"ssl:8888:privateKey={pem}:extraCertChain={folder}/chain.pem")._sslContextFactory
        self.assertEqual(len(renewing._options.extraCertChain), 2)
