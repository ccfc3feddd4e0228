"""Unreachable: a server did not answer, and why, in the words Go has for it.

Raised by `wire.py`, where what sockets, OpenSSL and h11 raise is caught; turned into a 503 by the handler and into a
condition by the availability check. Administrators search for these texts.
"""

import os
import socket
import ssl

import h11

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


def of_dialing(error: Exception, address: Address) -> Unreachable:
    """What an exception means that came instead of a connection."""
    return Unreachable(_dialing(error, address), address, dialing=True)


def of_asking(error: Exception, address: Address) -> Unreachable:
    """What an exception means that came instead of a response, or in the middle of it."""
    if isinstance(error, h11.RemoteProtocolError):
        text = str(error)
        return Unreachable("unexpected EOF" if "peer closed" in text else f"malformed HTTP response: {text}", address)
    if isinstance(error, ssl.SSLError):
        # In TLS 1.3 a server says only after the handshake that it does not like our certificate.
        return Unreachable(f"remote error: tls: {_reason(error)}", address)
    return Unreachable(f"read tcp {address}: connection reset by peer", address)


def _dialing(error: Exception, address: Address) -> str:
    if isinstance(error, TimeoutError):
        return f"dial tcp {address}: i/o timeout"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {_x509(error)}"
    if isinstance(error, ssl.SSLError):
        return f"tls: {_reason(error)}"
    if isinstance(error, socket.gaierror | UnicodeError):
        return f"dial tcp: lookup {address.host}: no such host"
    if isinstance(error, ConnectionResetError):
        return f"read tcp {address}: connection reset by peer"
    if isinstance(error, OSError) and error.errno:
        return f"dial tcp {address}: connect: {os.strerror(error.errno).lower()}"
    # What was found at several addresses of a name has no single number.
    refused = "connect" in str(error).lower()
    return f"dial tcp {address}: connect: connection refused" if refused else f"dial tcp {address}: {error}"


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).lower().replace("_", " ").removeprefix("tlsv13 alert ")


def _x509(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _UNKNOWN_AUTHORITY:
        return "certificate signed by unknown authority"
    if error.verify_code in _VALIDITY:
        return "certificate has expired or is not yet valid"
    if error.verify_code in _OTHER_NAME:
        return error.verify_message.rstrip(".").replace("Hostname mismatch, ", "").replace("IP address mismatch, ", "")
    return error.verify_message
