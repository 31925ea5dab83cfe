"""TLS whose certificate is renewed while the daemon runs: new connections see the new one, open ones go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from OpenSSL.crypto import FILETYPE_ASN1, dump_certificate
from OpenSSL.SSL import Connection
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime
from twisted.internet.ssl import CertificateOptions
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer


@implementer(IOpenSSLServerConnectionCreator)
class RenewingCertificate:
    """
    Looks at the files again when someone connects, at most every C{every} seconds: they are small, and reading them
    takes less time than one handshake. What cannot be used (a key that belongs to another certificate: half of them
    written) is left for the next look.

    @param load: reads the files.
    @param name: what the log calls the endpoint.
    @param every: seconds.

    @raise Exception: what C{load} raises, or OpenSSL, if the files cannot be used to begin with.
    """

    _log = Logger()

    def __init__(
        self, load: Callable[[], CertificateOptions], name: str, clock: IReactorTime, every: float = 1.0
    ) -> None:
        self._load = load
        self._name = name
        self._clock = clock
        self._every = every
        self._looked = clock.seconds()
        self._complaint: str | None = None
        self._options, self._shown = self._read()

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> Connection:
        """One for each client, by the options that Twisted made of the endpoint's description."""
        now = self._clock.seconds()
        if now - self._looked >= self._every:
            self._looked = now
            self._look()
        return self._options.serverConnectionForTLS(protocol)

    def _look(self) -> None:
        try:
            options, shown = self._read()
        except Exception as error:
            complaint = f"{type(error).__name__}: {error}"
            if complaint != self._complaint:  # the same is said once
                self._complaint = complaint
                self._log.warn(
                    "{name}: the certificate's files cannot be used ({complaint}); the one in use stays",
                    name=self._name,
                    complaint=complaint,
                )
            return
        self._complaint = None
        if shown != self._shown:
            self._options, self._shown = options, shown
            self._log.info("{name}: took up a new certificate", name=self._name)

    def _read(self) -> tuple[CertificateOptions, list[bytes]]:
        """The options, and the certificates that clients are shown."""
        options = self._load()
        options.getContext()  # raises if the key belongs to another certificate
        chain: list[Any] = [options.certificate, *options.extraCertChain]
        return options, [dump_certificate(FILETYPE_ASN1, certificate) for certificate in chain]
