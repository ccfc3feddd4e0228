"""Backends: one request to the server behind an APIService, at whichever of its addresses answers.

Used by the proxy handler and by `fetching.py`. Resolves, picks the connections, tries the next address when one cannot
be connected to.
"""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from aggregator.apiservices.registration import Registration
from aggregator.proxy import failures
from aggregator.proxy.connections import Connections
from aggregator.proxy.failures import Unreachable
from aggregator.proxy.opening import Opening
from aggregator.resolving import Address, ServiceResolver

CONNECT_SECONDS = 5.0
_PATIENT = {"connect": CONNECT_SECONDS, "read": None, "write": None, "pool": None}
"""Whoever asks has a deadline of his own; a watch has none."""

_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))


@dataclass(frozen=True, slots=True)
class Call:
    """One request; `headers` without Host. A body that is iterated over is sent as it comes.

    `stream`: the answer goes on and on.
    """

    method: str
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes | AsyncIterable[bytes] | None = None
    stream: bool = False

    @property
    def repeatable(self) -> bool:
        """Nothing happens twice if it is sent twice."""
        return self.method in _SAFE and not self.body


@dataclass(frozen=True, slots=True)
class Answer:
    """A response whose body has yet to be read."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: AsyncIterable[bytes]
    address: Address


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
        async with self._connections.using(registration, stream=call.stream) as transport:
            response, address = await _at_one_of(transport, addresses, call, registration.service.server_name)
            body = _body(response, address)
            try:
                yield Answer(response.status_code, response.headers.raw, body, address)
            finally:
                await body.aclose()
                await response.aclose()


async def _at_one_of(
    transport: httpx.AsyncBaseTransport, addresses: Sequence[Address], call: Call, server_name: str
) -> tuple[httpx.Response, Address]:
    problem: Unreachable | None = None
    for address in addresses:
        for last in (False, True) if call.repeatable else (True,):
            try:
                return await _once(transport, address, call, server_name), address
            except httpx.HTTPError as error:
                problem = failures.of_httpx(error, address)
            if problem.dialing:
                break
            if last:
                # It may have been seen, so that another server must not see it as well.
                raise problem
    assert problem is not None
    raise problem


async def _once(transport: httpx.AsyncBaseTransport, address: Address, call: Call, server_name: str) -> httpx.Response:
    opening = Opening()
    request = httpx.Request(
        call.method,
        httpx.URL(scheme="https", host=address.host, port=address.port),
        headers=[(b"host", str(address).encode()), *call.headers],
        content=call.body,
        # The target as it is: httpx would put its own escapes in.
        extensions={"timeout": _PATIENT, "sni_hostname": server_name, "target": call.target, "trace": opening},
    )
    try:
        return await transport.handle_async_request(request)
    except BaseException:
        await opening.abandon()
        raise


async def _body(response: httpx.Response, address: Address) -> AsyncGenerator[bytes, None]:
    """The body as it comes off the wire, still encoded."""
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    try:
        async for chunk in stream:
            yield chunk
    except httpx.HTTPError as error:
        raise failures.of_httpx(error, address) from error
