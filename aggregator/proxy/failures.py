"""Unreachable: a server did not answer, and why, in the words Go has for it.

Raised by `wire.py`, where what sockets, OpenSSL and h11 raise is caught; turned into a 503 by the handler and into a
condition by the availability check.
"""

import h11

from generic.client import go_network
from generic.client.resolving import Address


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
    return Unreachable(go_network.dialing(error, address), address, dialing=True)


def of_asking(error: Exception, address: Address) -> Unreachable:
    """What an exception means that came instead of a response, or in the middle of it."""
    if isinstance(error, h11.RemoteProtocolError):
        text = str(error)
        return Unreachable("unexpected EOF" if "peer closed" in text else go_network.malformed(text), address)
    return Unreachable(go_network.reading(error, address), address)
