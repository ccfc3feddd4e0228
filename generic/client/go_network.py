"""Why there is no connection or no answer, in the words Go has for it.

Used where sockets and OpenSSL fail us: by the aggregator's proxy and by webhooks. Administrators search for these
texts. Mirrors the errors of Go's `net`, `crypto/tls` and `crypto/x509` as client-go passes them on.
"""

import ast
import os
import re
import socket
import ssl

from generic.client.resolving import Address
from generic.meta import go_text

_UNKNOWN_AUTHORITY = frozenset((2, 18, 19, 20, 21, 24))
"""OpenSSL's verify results for a chain that ends nowhere we trust."""
_VALIDITY = frozenset((9, 10))
_OTHER_NAME = frozenset((62, 64))

_BROKEN = "net/http: HTTP/1.x transport connection broken"
_ILLEGAL = re.compile(r"illegal (?P<what>status|header) line: bytearray\((?P<line>b.*)\)")
_H11 = {
    "Receive buffer too long": "server response headers are too long",
    "Received server _SWITCH_UPGRADE event without a pending proposal": "backend tried to switch protocol unasked",
    "conflicting Content-Length headers": "http: message cannot contain multiple Content-Length headers",
}
"""What h11 says of things that are no single line."""


def dialing(error: BaseException, address: Address) -> str:
    """What an exception means that came instead of a connection."""
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


def reading(error: BaseException, address: Address) -> str:
    """What an exception means that came over a connection, instead of an answer or in the middle of it."""
    if isinstance(error, ssl.SSLError):
        # In TLS 1.3 a server says only after the handshake that it does not like our certificate.
        return f"remote error: tls: {_reason(error)}"
    return f"read tcp {address}: connection reset by peer"


def malformed(said: str) -> str:
    """The answer was not HTTP; `said` is what h11 has to say."""
    found = _ILLEGAL.fullmatch(said)
    if found is None:
        return f"{_BROKEN}: {_H11.get(said, said)}"
    line = ast.literal_eval(found["line"]).decode("latin-1")
    protocol, _, status = line.partition(" ")
    if found["what"] == "header":
        why = f"malformed MIME header line: {go_text.quote(line)}"
    elif protocol.startswith("HTTP/") and status:
        why = f"malformed HTTP status code {go_text.quote(status.partition(' ')[0])}"
    else:
        why = f"malformed HTTP response {go_text.quote(line)}"
    return f"{_BROKEN}: {why}"


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
