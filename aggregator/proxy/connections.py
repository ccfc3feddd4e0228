"""Connections: one set of connections for each APIService, replaced whole when who is trusted or who we are changes.

Used by `backends.py`. What runs on replaced connections runs to its end on them, then they are closed. Mirrors the
transport cache of `client-go/transport` as `kube-aggregator/pkg/apiserver/handler_proxy.go` uses it.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from aggregator.apiservices.registration import Registration
from aggregator.proxy.call import Call
from aggregator.proxy.credentials import ProxyCredentials
from aggregator.proxy.dialing import Dialed, NoCommonProtocol
from aggregator.proxy.stream import Stream
from aggregator.proxy.trunks import HTTP2, Trunks
from aggregator.proxy.wire import Wire
from generic.client.resolving import Address

_KEEP_CONNECTIONS = 32
_KEEP_SECONDS = 60.0
_HTTP1 = "http/1.1"
_MOST_KNOWN = 1024
"""Addresses of which it is remembered what they speak."""

Line: TypeAlias = Wire | Stream
"""What one request is sent on."""


@dataclass(frozen=True, slots=True)
class _Trust:
    """All that a set of connections depends on."""

    server_name: str
    ca_bundle: str
    insecure: bool
    generation: int


class ConnectionSet:
    """Connections made with one trust, and how many requests use them. `server_name`: whom certificates must be for.

    Short requests go over HTTP/1.1: 100 to 150 us of ours each, while h2 takes 130 to 200. Watches, whose events cost
    about the same, share one HTTP/2 connection if the backend can, and so does everything if it can do nothing else.
    `make_context` raises BadTrust.
    """

    def __init__(self, make_context: Callable[[], ssl.SSLContext], server_name: str) -> None:
        """Raises BadTrust."""
        context = make_context()
        context.set_alpn_protocols([_HTTP1])
        self.users = 0
        self.retired = False
        self._context = context
        self._server_name = server_name
        self._used: set[Wire] = set()
        self._idle: dict[Wire, float] = {}
        """Since when, the longest first."""
        self._trunks = Trunks(make_context, server_name, self._found_http1)
        self._speaks: dict[Address, str] = {}
        """The only protocol of an address, where that is known."""
        self._sweeping: asyncio.TimerHandle | None = None

    async def line(self, address: Address, asked: Call, *, fresh: bool = False) -> Line:
        """What to send a request on; `fresh`: nothing that has been idle. Raises Unreachable, BadTrust."""
        if not asked.upgrade and self._speaks.get(address, HTTP2 if asked.lasting else _HTTP1) == HTTP2:
            stream = await self._trunks.stream(address)
            if stream is not None:
                return stream
        try:
            return (None if fresh else self._kept(address)) or await self._open(address)
        except NoCommonProtocol:
            if asked.upgrade:
                raise
        self._learn(address, HTTP2)
        return await self._trunks.stream(address) or await self._open(address)

    def _kept(self, address: Address) -> Wire | None:
        """An open connection that nobody uses, the one used last: others may then expire."""
        for wire in reversed(self._idle):
            if wire.address == address:
                del self._idle[wire]
                if wire.reusable:
                    self._used.add(wire)
                    return wire
                wire.abort()
                return self._kept(address)
        return None

    async def _open(self, address: Address) -> Wire:
        wire = await Wire.open(address, context=self._context, server_name=self._server_name)
        self._used.add(wire)
        return wire

    def _found_http1(self, address: Address, dialed: Dialed) -> None:
        self._learn(address, _HTTP1)
        self._keep(Wire(dialed, address))

    def _learn(self, address: Address, protocol: str) -> None:
        if len(self._speaks) >= _MOST_KNOWN:
            self._speaks.clear()
        self._speaks[address] = protocol

    def may_speak_http2(self, line: Line) -> bool:
        """Try that next where HTTP/1.1 has failed that was never agreed on.

        A Go server that speaks HTTP/2 alone lets clients of HTTP/1.1 shake hands, and then closes.
        """
        if isinstance(line, Stream) or line.agreed or line.address in self._speaks:
            return False
        self._learn(line.address, HTTP2)
        return True

    async def give_back(self, line: Line) -> None:
        """The answer has been read, or nobody wants the rest of it."""
        if isinstance(line, Stream):
            await line.end()
            self._sweep_later()
            return
        self._used.discard(line)
        await line.end()
        if line.reusable:
            self._keep(line)

    def _keep(self, wire: Wire) -> None:
        if self.retired or len(self._idle) >= _KEEP_CONNECTIONS:
            wire.abort()
            return
        self._idle[wire] = asyncio.get_running_loop().time()
        self._sweep_later()

    def close(self) -> None:
        """Close everything, whatever still runs."""
        self.retired = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        for wire in (*self._idle, *self._used):
            wire.abort()
        self._idle.clear()
        self._trunks.close()

    def _sweep_later(self) -> None:
        if self._sweeping is None and not self.retired:
            self._sweeping = asyncio.get_running_loop().call_later(_KEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweeping = None
        before = loop.time() - _KEEP_SECONDS
        first = self._trunks.sweep(before)
        for wire, since in list(self._idle.items()):
            if wire.reusable and since > before:
                first = since if first is None else min(first, since)
            else:
                del self._idle[wire]
                wire.abort()
        if first is not None:
            self._sweeping = loop.call_at(first + _KEEP_SECONDS, self._sweep)


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
        make_context = partial(self._credentials.context, ca_bundle=trust.ca_bundle, insecure=trust.insecure)
        made = ConnectionSet(make_context, trust.server_name)
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
