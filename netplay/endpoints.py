"""What a description of an endpoint means here: what it means to Twisted, and a little more."""

from __future__ import annotations

import re
from typing import Any

from OpenSSL.crypto import Error as CertificateError
from twisted.internet.endpoints import SSL4ServerEndpoint, serverFromString
from twisted.internet.error import VerifyError
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.internet.ssl import CertificateOptions
from twisted.python.usage import UsageError

from netplay.proxied import ProxiedEndpoint
from netplay.renewing import RenewingCertificate

_PROXIED = "haproxy:"

_NO_NUMBER = re.compile(r"invalid literal for int\(\) with base \d+: (.*)")


def endpoint_from(reactor: Any, description: str) -> IStreamServerEndpoint:
    """
    The endpoint of a description in Twisted's syntax. Behind C{haproxy:} connections begin when the proxy has said
    whose they are; C{ssl:} takes up certificates that are renewed.

    @raise UsageError: says what to write instead.
    @raise Exception: Twisted's own, of many kinds.
    """
    if description.startswith(_PROXIED):
        inner = description.removeprefix(_PROXIED)
        if inner.startswith(("ssl:", "tls:", _PROXIED)):
            raise UsageError("a proxy says whose connection it is before TLS begins; let it do TLS: haproxy:tcp:...")
        return ProxiedEndpoint(endpoint_from(reactor, inner))
    try:
        endpoint: IStreamServerEndpoint = serverFromString(reactor, description)
    except LookupError:
        if not description.startswith("systemd:"):
            raise
        raise UsageError(
            "systemd has handed over no such socket; give it FileDescriptorName= and write name="
        ) from None
    if isinstance(endpoint, SSL4ServerEndpoint):
        endpoint._sslContextFactory = RenewingCertificate(
            lambda: _certificate(reactor, description), description.partition(":privateKey=")[0], reactor
        )
    return endpoint


def objection(error: Exception) -> str:
    """
    What is wrong with a description, for people who do not write Python.

    @param error: from L{endpoint_from}.
    """
    no_number = _NO_NUMBER.fullmatch(str(error))
    if no_number is not None:
        return f"{no_number[1]} is no number"
    if isinstance(error, OSError):
        return f"{error.filename} cannot be read ({error.strerror})"
    if isinstance(error, CertificateError):
        return "there is no key, or no certificate, in a file that is to have one"
    if isinstance(error, (ValueError, VerifyError)):
        return str(error)
    return "something is missing, or there is something that such an endpoint does not have"


def _certificate(reactor: Any, description: str) -> CertificateOptions:
    """What Twisted reads from the files that the description names."""
    options: CertificateOptions = serverFromString(reactor, description)._sslContextFactory
    return options
