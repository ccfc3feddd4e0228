"""What sockets and OpenSSL say, in the words administrators search for."""

import errno
import socket
import ssl

import pytest

from generic.client import go_network
from generic.client.resolving import Address

HERE = Address("127.0.0.1", 8443)


def unverified(code: int, message: str = "") -> ssl.SSLCertVerificationError:
    made = ssl.SSLCertVerificationError(1, "certificate verify failed")
    made.verify_code, made.verify_message = code, message
    return made


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "dial tcp 127.0.0.1:8443: i/o timeout"),
        (
            ConnectionRefusedError(errno.ECONNREFUSED, "refused"),
            "dial tcp 127.0.0.1:8443: connect: connection refused",
        ),
        (OSError(errno.EHOSTUNREACH, "no route"), "dial tcp 127.0.0.1:8443: connect: no route to host"),
        (
            OSError("Multiple exceptions: [Errno 111] Connect call failed"),
            "dial tcp 127.0.0.1:8443: connect: connection refused",
        ),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "dial tcp: lookup 127.0.0.1: no such host"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "read tcp 127.0.0.1:8443: connection reset by peer"),
        (
            unverified(19),
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        ),
        (
            unverified(10),
            "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
        ),
        (
            unverified(62, "Hostname mismatch, certificate is not valid for 'a.default.svc'."),
            "tls: failed to verify certificate: x509: certificate is not valid for 'a.default.svc'",
        ),
    ],
)
def test_why_there_is_no_connection(error: Exception, said: str) -> None:
    assert go_network.dialing(error, HERE) == said


def test_why_a_connection_broke() -> None:
    refused = ssl.SSLError(1, "alert")
    refused.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    assert go_network.reading(refused, HERE) == "remote error: tls: certificate required"
    assert go_network.reading(BrokenPipeError(), HERE) == "read tcp 127.0.0.1:8443: connection reset by peer"
