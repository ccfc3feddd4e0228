"""Call and Head: a request to a backend and how its response begins, whichever version of HTTP carries them.

Made by `exchange.py` and `fetching.py`, sent by `wire.py` (HTTP/1.1) and `stream.py` (HTTP/2).
"""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from aggregator.proxy.headers import Headers

CONTINUE, SWITCHING_PROTOCOLS = 100, 101
MOST_INFORMATIONAL = 64
"""1xx responses before the final one. Go passes on any number; a backend of ours that says nothing else is cut off."""
CONTINUE_SECONDS = 1.0
"""How long a body waits for its `100 Continue`; Go's default transport waits as long."""

Body: TypeAlias = bytes | AsyncIterable[bytes] | None
Inform: TypeAlias = Callable[[int, Headers], Awaitable[None]]

_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
_HAVE_BODIES = frozenset(("POST", "PUT", "PATCH"))


def no_trailers() -> Headers:
    """Nothing comes after the body."""
    return []


@dataclass(frozen=True, slots=True)
class Call:
    """One request; `headers` without Host. A body that is iterated over is sent as it comes.

    `upgrade`: another protocol is asked for, whose bytes follow a 101. `lasting`: the answer goes on, as a watch's.
    `expects_continue`: the body is not begun before the backend wants it. `inform` is told of 1xx responses but for 100
    and 101. `trailers`: what follows a body that was iterated over.
    """

    method: str
    target: bytes
    headers: Headers
    body: Body = None
    upgrade: bool = False
    lasting: bool = False
    expects_continue: bool = False
    inform: Inform | None = None
    trailers: Callable[[], Headers] = no_trailers

    @property
    def repeatable(self) -> bool:
        """Nothing happens twice if it is sent twice. A GET that upgrades may run a command."""
        return self.method in _SAFE and not self.body and not self.upgrade

    @property
    def whole(self) -> bool:
        """Its body is here, so that it can be sent again."""
        return self.body is None or isinstance(self.body, bytes)


@dataclass(frozen=True, slots=True)
class Head:
    """How a response begins; header names in the case they came in."""

    status: int
    reason: bytes
    headers: Headers


def length(call: Call) -> bytes | None:
    """The Content-Length to be added; None where there is no body, or its length is not known or said already."""
    if isinstance(call.body, bytes):
        return b"%d" % len(call.body)
    return b"0" if call.body is None and call.method in _HAVE_BODIES else None


async def wanted(event: asyncio.Event | None) -> None:
    """Wait for the backend to want the body, but not for ever: it may not know how to say so (RFC 9110, 10.1.1)."""
    if event is None:
        return
    try:
        async with asyncio.timeout(CONTINUE_SECONDS):
            await event.wait()
    except TimeoutError:
        event.set()
