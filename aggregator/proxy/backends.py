"""Backends: one request to the server behind an APIService, at whichever of its addresses answers.

Used by the proxy handler and by `fetching.py`. Resolves, picks the connections, tries the next address when one cannot
be connected to.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aggregator.apiservices.registration import Registration
from aggregator.proxy.call import SWITCHING_PROTOCOLS, Call, Head, no_trailers
from aggregator.proxy.connections import Connections, ConnectionSet, Line
from aggregator.proxy.failures import Unreachable
from aggregator.proxy.headers import Headers
from aggregator.proxy.switched import Switched
from aggregator.proxy.trunk import Unprocessed
from aggregator.resolving import ServiceResolver
from generic.client.resolving import Address

_ATTEMPTS = 4
"""On one address, while it says each time that it has not looked at the request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response whose body has yet to be read; header names in the case they came in."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: AsyncIterable[bytes]
    address: Address
    reason: bytes = b""
    switched: Switched | None = None
    """The connection, where the status is 101."""
    trailers: Callable[[], Headers] = no_trailers
    """What came after the body, once that has been read."""


class Backends:
    """Sends requests, any number at the same time."""

    def __init__(self, connections: Connections, resolver: ServiceResolver) -> None:
        self._connections = connections
        self._resolver = resolver

    @asynccontextmanager
    async def answer(self, registration: Registration, call: Call) -> AsyncIterator[Answer]:
        """The response; leaving the block before its end closes the connection.

        Raises ResolveError, BadTrust, Unreachable; reading the body raises Unreachable.
        """
        addresses = self.addresses(registration)
        async with (
            self._connections.using(registration) as connections,
            answer_of(connections, addresses, call) as answer,
        ):
            yield answer

    def addresses(self, registration: Registration) -> Sequence[Address]:
        """Where a remote APIService is served now, in the order to try. Raises ResolveError."""
        assert registration.service is not None
        return self._resolver.resolve(registration.service)


@asynccontextmanager
async def answer_of(connections: ConnectionSet, addresses: Sequence[Address], call: Call) -> AsyncIterator[Answer]:
    """The response from one of the addresses, tried in order. Raises Unreachable, as reading the body does."""
    line, head = await _at_one_of(connections, addresses, call)
    try:
        switched = line.switched() if head.status == SWITCHING_PROTOCOLS else None
        yield Answer(head.status, head.headers, line.body(), line.address, head.reason, switched, line.trailers)
    finally:
        await connections.give_back(line)


async def _at_one_of(connections: ConnectionSet, addresses: Sequence[Address], call: Call) -> tuple[Line, Head]:
    problem: Unreachable | None = None
    for address in addresses:
        try:
            return await _at(connections, address, call)
        except Unreachable as error:
            problem = error
            if not error.dialing:
                # It may have been seen, so that another server must not see it as well.
                raise
    assert problem is not None
    raise problem


async def _at(connections: ConnectionSet, address: Address, call: Call) -> tuple[Line, Head]:
    fresh = False
    for attempt in range(_ATTEMPTS):
        line = await connections.line(address, call, fresh=fresh)
        try:
            return line, await _ask(connections, line, call)
        except Unprocessed:
            if not call.whole or attempt == _ATTEMPTS - 1:
                raise
        except Unreachable:
            # The backend has closed a connection that had long been idle, at the moment it was used.
            closed = line.reused and not fresh
            if line.heard or not call.repeatable or not (closed or connections.may_speak_http2(line)):
                raise
        fresh = True
    raise AssertionError("the last attempt returns or raises")


async def _ask(connections: ConnectionSet, line: Line, call: Call) -> Head:
    try:
        return await line.ask(call)
    except BaseException:
        await connections.give_back(line)
        raise
