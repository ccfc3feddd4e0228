"""Backends: one request to the server behind an APIService, at whichever of its addresses answers.

Used by the proxy handler and by `fetching.py`. Resolves, picks the connections, tries the next address when one cannot
be connected to.
"""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aggregator.apiservices.registration import Registration
from aggregator.proxy.connections import Connections, ConnectionSet
from aggregator.proxy.failures import Unreachable
from aggregator.proxy.headers import Headers
from aggregator.proxy.switched import Switched
from aggregator.proxy.wire import Body, Head, Wire
from aggregator.resolving import Address, ServiceResolver

SWITCHING_PROTOCOLS = 101

_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))


@dataclass(frozen=True, slots=True)
class Call:
    """One request; `headers` without Host. A body that is iterated over is sent as it comes.

    `upgrade`: another protocol is asked for, whose bytes follow a 101.
    """

    method: str
    target: bytes
    headers: Headers
    body: Body = None
    upgrade: bool = False

    @property
    def repeatable(self) -> bool:
        """Nothing happens twice if it is sent twice. A GET that upgrades may run a command."""
        return self.method in _SAFE and not self.body and not self.upgrade


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
        assert registration.service is not None
        addresses = self._resolver.resolve(registration.service)
        async with (
            self._connections.using(registration) as connections,
            answer_of(connections, addresses, call) as answer,
        ):
            yield answer


@asynccontextmanager
async def answer_of(connections: ConnectionSet, addresses: Sequence[Address], call: Call) -> AsyncIterator[Answer]:
    """The response from one of the addresses, tried in order. Raises Unreachable, as reading the body does."""
    wire, head = await _at_one_of(connections, addresses, call)
    try:
        switched = wire.switched() if head.status == SWITCHING_PROTOCOLS else None
        yield Answer(head.status, head.headers, wire.body(), wire.address, head.reason, switched)
    finally:
        await connections.give_back(wire)


async def _at_one_of(connections: ConnectionSet, addresses: Sequence[Address], call: Call) -> tuple[Wire, Head]:
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


async def _at(connections: ConnectionSet, address: Address, call: Call) -> tuple[Wire, Head]:
    wire = connections.kept(address) or await connections.open(address)
    try:
        return wire, await _ask(connections, wire, call)
    except Unreachable:
        # The backend has closed a connection that had long been idle, at the moment it was used.
        if not wire.reused or wire.heard or not call.repeatable:
            raise
    wire = await connections.open(address)
    return wire, await _ask(connections, wire, call)


async def _ask(connections: ConnectionSet, wire: Wire, call: Call) -> Head:
    try:
        return await wire.ask(method=call.method, target=call.target, headers=call.headers, body=call.body)
    except BaseException:
        await connections.give_back(wire)
        raise
