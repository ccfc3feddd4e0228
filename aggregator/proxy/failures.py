"""Unreachable: a server did not answer, and why, in the words Go has for it.

Raised by `backends.py`, where httpx's exceptions are caught; turned into a 503 by the handler and into a condition by
the availability check. Administrators search for these texts.
"""

import errno
import os
import socket
import ssl

import httpx

from aggregator.resolving import Address

_UNKNOWN_AUTHORITY = frozenset((2, 18, 19, 20, 21, 24))
"""OpenSSL's verify results for a chain that ends nowhere we trust."""
_VALIDITY = frozenset((9, 10))
_OTHER_NAME = frozenset((62, 64))


class Unreachable(Exception):
    """`dialing`: no connection came about, so the server at `address` has seen nothing of the request."""

    def __init__(self, message: str, address: Address, *, dialing: bool = False) -> None:
        super().__init__(message)
        self.address = address
        self.dialing = dialing


class BadTrust(Exception):
    """The certificates to connect with cannot be used; the message says why."""


def of_httpx(error: httpx.HTTPError, address: Address) -> Unreachable:
    """What an exception of httpx means."""
    if isinstance(error, httpx.ConnectTimeout):
        return Unreachable(f"dial tcp {address}: i/o timeout", address, dialing=True)
    if isinstance(error, httpx.ConnectError):
        return Unreachable(_dialing(error, address), address, dialing=True)
    if isinstance(error, httpx.ReadError | httpx.WriteError):
        return Unreachable(f"read tcp {address}: connection reset by peer", address)
    if isinstance(error, httpx.RemoteProtocolError) and "disconnected" in str(error):
        return Unreachable("EOF", address)
    if isinstance(error, httpx.RemoteProtocolError):
        return Unreachable(f"malformed HTTP response: {error}", address)
    if isinstance(error, httpx.LocalProtocolError):
        return Unreachable(f"net/http: invalid request: {error}", address)
    return Unreachable(str(error) or type(error).__name__, address)


def _dialing(error: httpx.ConnectError, address: Address) -> str:
    cause = _root(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {_x509(cause)}"
    if isinstance(cause, ssl.SSLError):
        return f"tls: {(cause.reason or str(cause)).lower().replace('_', ' ')}"
    if isinstance(cause, socket.gaierror):
        return f"dial tcp: lookup {address.host}: no such host"
    if isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED:
        return f"dial tcp {address}: connect: connection refused"
    if isinstance(cause, OSError) and cause.errno:
        return f"dial tcp {address}: connect: {os.strerror(cause.errno).lower()}"
    # What happy eyeballs found at several addresses has no single number.
    refused = "connect" in str(error).lower()
    return f"dial tcp {address}: connect: connection refused" if refused else f"dial tcp {address}: {error}"


def _root(error: BaseException) -> BaseException:
    """The exception at the end of the chain of causes: what the socket or OpenSSL said."""
    found: BaseException = error
    for _ in range(16):
        following = found.__cause__ or found.__context__
        if following is None:
            break
        found = following
        if isinstance(found, BaseExceptionGroup):
            found = found.exceptions[0]
        if isinstance(found, ssl.SSLError) or (isinstance(found, OSError) and found.errno):
            break
    return found


def _x509(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _UNKNOWN_AUTHORITY:
        return "certificate signed by unknown authority"
    if error.verify_code in _VALIDITY:
        return "certificate has expired or is not yet valid"
    if error.verify_code in _OTHER_NAME:
        return error.verify_message.rstrip(".").replace("Hostname mismatch, ", "").replace("IP address mismatch, ", "")
    return error.verify_message
