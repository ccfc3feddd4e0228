"""Connections: one set of connections for each APIService, replaced whole when who is trusted or who we are changes.

Used by `backends.py`. What runs on replaced connections runs to its end on them, then they are closed. Mirrors the
transport cache of `client-go/transport` as `kube-aggregator/pkg/apiserver/handler_proxy.go` uses it.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from aggregator.apiservices.registration import Registration
from aggregator.proxy.credentials import ProxyCredentials

_KEEP_CONNECTIONS = 32
_KEEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Trust:
    """All that a set of connections depends on."""

    server_name: str
    ca_bundle: str
    insecure: bool
    generation: int


class _Set:
    """Connections made with one trust, and how many requests use them."""

    def __init__(self, trust: _Trust, context: ssl.SSLContext) -> None:
        self.trust = trust
        self.users = 0
        self.retired = False
        self.calls = _transport(context, keep=_KEEP_CONNECTIONS)
        # Apart, because httpcore looks at every connection for every request: watches would slow down the calls.
        self.streams = _transport(context, keep=0)

    async def aclose(self) -> None:
        await asyncio.gather(self.calls.aclose(), self.streams.aclose())


def _transport(context: ssl.SSLContext, *, keep: int) -> httpx.AsyncHTTPTransport:
    # HTTP/1.1: httpcore cannot reset an HTTP/2 stream, so a watch would outlive its client.
    return httpx.AsyncHTTPTransport(
        verify=context,
        trust_env=False,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=keep, keepalive_expiry=_KEEP_SECONDS),
        socket_options=_keepalive(),
    )


class Connections:
    """Sets of connections by the name of their APIService."""

    def __init__(self, credentials: ProxyCredentials) -> None:
        self._credentials = credentials
        self._sets: dict[str, _Set] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def using(self, registration: Registration, *, stream: bool) -> AsyncIterator[httpx.AsyncBaseTransport]:
        """The connections of a remote APIService as it is now, kept open within the block. Raises BadTrust.

        `stream`: for a watch, or whatever else goes on and on.
        """
        current = self._current(registration)
        current.users += 1
        try:
            yield current.streams if stream else current.calls
        finally:
            current.users -= 1
            self._close_if_done(current)

    def _current(self, registration: Registration) -> _Set:
        assert registration.service is not None
        trust = _Trust(
            registration.service.server_name,
            registration.ca_bundle,
            registration.insecure,
            self._credentials.generation,
        )
        held = self._sets.get(registration.name)
        if held is not None and held.trust == trust:
            return held
        context = self._credentials.context(ca_bundle=trust.ca_bundle, insecure=trust.insecure)
        made = _Set(trust, context)
        self._sets[registration.name] = made
        if held is not None:
            self._retire(held)
        return made

    def forget(self, name: str) -> None:
        """The APIService is gone, or local now."""
        held = self._sets.pop(name, None)
        if held is not None:
            self._retire(held)

    @property
    def users(self) -> int:
        """How many requests are on their way, replaced connections aside."""
        return sum(one.users for one in self._sets.values())

    async def aclose(self) -> None:
        """Close everything, whatever still runs."""
        sets, self._sets = list(self._sets.values()), {}
        await asyncio.gather(*(one.aclose() for one in sets), *self._closing)

    def _retire(self, held: _Set) -> None:
        held.retired = True
        self._close_if_done(held)

    def _close_if_done(self, held: _Set) -> None:
        if held.retired and not held.users:
            task = asyncio.get_running_loop().create_task(held.aclose())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


def _keepalive() -> list[tuple[int, int, int]]:
    """A watch says nothing for minutes: the kernel finds out that its server is gone."""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        # Not every platform has them under these names.
        number = getattr(socket, name, None)
        if number is not None:
            options.append((socket.IPPROTO_TCP, number, value))
    return options
