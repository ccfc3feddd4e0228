"""WebhookCallError: a webhook was not reached or did not answer properly, in the words Go has for it.

Raised by `webhook.py`. Stands on `go_network`; here is only what httpx wraps around it.
"""

import ssl

import httpx

from generic.client import go_network
from generic.client.resolving import Address


class WebhookCallError(Exception):
    """The call failed. `timed_out`: the webhook was given its time."""

    def __init__(self, message: str, *, timed_out: bool = False) -> None:
        super().__init__(message)
        self.timed_out = timed_out


def describe(error: httpx.HTTPError, address: Address) -> str:
    """What an exception of httpx means, for a call to this address."""
    if isinstance(error, httpx.ConnectError):
        return go_network.dialing(_root(error), address)
    if isinstance(error, httpx.ReadError | httpx.WriteError):
        return go_network.reading(_root(error), address)
    if isinstance(error, httpx.RemoteProtocolError):
        return "EOF" if "disconnected" in str(error) else go_network.malformed(str(error))
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
