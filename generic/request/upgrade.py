"""Upgrade: how a handler takes a client's connection over, to pass bytes of another protocol both ways.

Offered by `generic/serving` in the scope of requests that ask for it, under an ASGI extension of ours; read by proxies.
Go's `net/http` calls the same thing hijacking.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias, cast

from generic.types import Scope

EXTENSION = "trikube.upgrade"


class Duplex(Protocol):
    """Bytes both ways. TLS cannot be closed one way only, so the end of reading is the end of both."""

    async def read(self) -> bytes:
        """What has come; empty when the other side has closed."""

    async def write(self, data: bytes) -> None:
        """Send, waiting while the other side does not keep up. Raises an OSError once it has closed."""


Takeover: TypeAlias = Callable[[bytes, Sequence[tuple[bytes, bytes]]], Awaitable[Duplex]]
"""Called with the reason and the headers of the 101, before anything was sent in answer. Raises an OSError if the
client has left.

From then on there is no request to be answered any more. The connection closes, with all that was written sent, when
the app returns. A WebSocket over HTTP/2 is one stream of its connection, and its 101 is a 200 there (RFC 8441).
"""


def offered(scope: Scope) -> Takeover | None:
    """How to take the connection over; None if it cannot be: nobody asked for it, or there is none."""
    return cast("Takeover | None", (scope.get("extensions") or {}).get(EXTENSION))
