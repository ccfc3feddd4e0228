"""WebhookCallError: a webhook was not reached or did not answer properly, in the words Go has for it.

Raised by `webhook.py`; administrators search for these texts. Mirrors the errors of Go's `net`, `crypto/x509` and
`net/http` as client-go passes them on.
"""

import errno
import os
import socket
import ssl

import httpx


class WebhookCallError(Exception):
    """The call failed. `timed_out`: the webhook was given its time."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


_NO_AUTHORITY = "certificate signed by unknown authority"
_X509 = {
    9: "certificate has expired or is not yet valid",
    10: "certificate has expired or is not yet valid",
    **dict.fromkeys((2, 18, 19, 20, 21, 24), _NO_AUTHORITY),
}


def describe(error: httpx.HTTPError, *, address: str, server_name: str) -> str:
    """What an exception of httpx means, for a call to `address` that was meant for `server_name`."""
    cause = _root(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = _X509.get(cause.verify_code)
        if why is None:
            why = f"certificate is not valid for {server_name}: {cause.verify_message.lower()}"
        return f"tls: failed to verify certificate: x509: {why}"
    if isinstance(cause, ssl.SSLError):
        return f"tls: {(cause.reason or str(cause)).lower().replace('_', ' ')}"
    if isinstance(cause, socket.gaierror):
        return f"dial tcp: lookup {address.rpartition(':')[0]}: no such host"
    if isinstance(error, httpx.ConnectError):
        number = cause.errno if isinstance(cause, OSError) and cause.errno else errno.ECONNREFUSED
        return f"dial tcp {address}: connect: {os.strerror(number).lower()}"
    if isinstance(error, httpx.ReadError | httpx.WriteError):
        return f"read tcp {address}: connection reset by peer"
    if isinstance(error, httpx.RemoteProtocolError):
        return "EOF" if "disconnected" in str(error) else f"malformed HTTP response: {error}"
    return str(error) or type(error).__name__


def _root(error: BaseException) -> BaseException:
    """What the socket or OpenSSL said, at the end of the chain of causes."""
    found = error
    for _ in range(16):
        following = found.__cause__ or found.__context__
        if following is None:
            break
        found = following.exceptions[0] if isinstance(following, BaseExceptionGroup) else following
        if isinstance(found, ssl.SSLError) or (isinstance(found, OSError) and found.errno):
            break
    return found
