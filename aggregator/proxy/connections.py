"""Connections: one set of connections for each APIService, replaced whole when who is trusted or who we are changes.

Used by `backends.py`. What runs on replaced connections runs to its end on them, then they are closed. Mirrors the
transport cache of `client-go/transport` as `kube-aggregator/pkg/apiserver/handler_proxy.go` uses it.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aggregator.apiservices.registration import Registration
from aggregator.proxy.credentials import ProxyCredentials
from aggregator.proxy.wire import Wire
from aggregator.resolving import Address

_KEEP_CONNECTIONS = 32
_KEEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Trust:
    """All that a set of connections depends on."""

    server_name: str
    ca_bundle: str
    insecure: bool
    generation: int


class ConnectionSet:
    """Connections made with one trust, and how many requests use them. `server_name`: whom certificates must be for."""

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        context.set_alpn_protocols(["http/1.1"])
        self.users = 0
        self.retired = False
        self._context = context
        self._server_name = server_name
        self._used: set[Wire] = set()
        self._idle: dict[Wire, float] = {}
        """Since when, the longest first."""
        self._sweeping: asyncio.TimerHandle | None = None

    def kept(self, address: Address) -> Wire | None:
        """An open connection that nobody uses, the one used last: others may then expire."""
        for wire in reversed(self._idle):
            if wire.address == address:
                del self._idle[wire]
                if wire.reusable:
                    self._used.add(wire)
                    return wire
                wire.abort()
                return self.kept(address)
        return None

    async def open(self, address: Address) -> Wire:
        """A new connection. Raises Unreachable."""
        wire = await Wire.open(address, context=self._context, server_name=self._server_name)
        self._used.add(wire)
        return wire

    async def give_back(self, wire: Wire) -> None:
        """The answer has been read, or nobody wants the rest of it."""
        self._used.discard(wire)
        await wire.end()
        if not wire.reusable:
            return
        if self.retired or len(self._idle) >= _KEEP_CONNECTIONS:
            wire.abort()
            return
        loop = asyncio.get_running_loop()
        self._idle[wire] = loop.time()
        if self._sweeping is None:
            self._sweeping = loop.call_later(_KEEP_SECONDS, self._sweep)

    def close(self) -> None:
        """Close everything, whatever still runs."""
        self.retired = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        for wire in (*self._idle, *self._used):
            wire.abort()
        self._idle.clear()

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweeping = None
        for wire, since in list(self._idle.items()):
            if wire.reusable and since + _KEEP_SECONDS > loop.time():
                self._sweeping = self._sweeping or loop.call_at(since + _KEEP_SECONDS, self._sweep)
            else:
                del self._idle[wire]
                wire.abort()


class Connections:
    """Sets of connections by the name of their APIService."""

    def __init__(self, credentials: ProxyCredentials) -> None:
        self._credentials = credentials
        self._sets: dict[str, tuple[_Trust, ConnectionSet]] = {}

    @asynccontextmanager
    async def using(self, registration: Registration) -> AsyncIterator[ConnectionSet]:
        """The connections of a remote APIService as it is now, kept open within the block. Raises BadTrust."""
        current = self._current(registration)
        current.users += 1
        try:
            yield current
        finally:
            current.users -= 1
            _close_if_done(current)

    def _current(self, registration: Registration) -> ConnectionSet:
        assert registration.service is not None
        trust = _Trust(
            registration.service.server_name,
            registration.ca_bundle,
            registration.insecure,
            self._credentials.generation,
        )
        held = self._sets.get(registration.name)
        if held is not None and held[0] == trust:
            return held[1]
        context = self._credentials.context(ca_bundle=trust.ca_bundle, insecure=trust.insecure)
        made = ConnectionSet(context, trust.server_name)
        self._sets[registration.name] = trust, made
        if held is not None:
            _retire(held[1])
        return made

    def forget(self, name: str) -> None:
        """The APIService is gone, or local now."""
        held = self._sets.pop(name, None)
        if held is not None:
            _retire(held[1])

    @property
    def users(self) -> int:
        """How many requests are on their way, replaced connections aside."""
        return sum(one.users for _, one in self._sets.values())

    async def aclose(self) -> None:
        """Close everything, whatever still runs."""
        for _, held in self._sets.values():
            held.close()
        self._sets.clear()


def _retire(held: ConnectionSet) -> None:
    held.retired = True
    _close_if_done(held)


def _close_if_done(held: ConnectionSet) -> None:
    if held.retired and not held.users:
        held.close()
