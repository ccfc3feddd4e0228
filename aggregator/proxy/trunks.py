"""Trunks: the HTTP/2 connections to each address of a backend, opened when there is none with room.

Used by `connections.py`, for one set of connections each. Mirrors clientConnPool of Go's `net/http` HTTP/2 transport.
"""

import asyncio
import ssl
from collections.abc import Callable
from functools import partial

from aggregator.proxy import dialing
from aggregator.proxy.dialing import Dialed, dial
from aggregator.proxy.failures import Unreachable
from aggregator.proxy.stream import Stream
from aggregator.proxy.trunk import Trunk
from generic.client.resolving import Address

HTTP2 = "h2"


class Trunks:
    """`on_other` gets a connection whose backend chose HTTP/1.1."""

    def __init__(
        self, make_context: Callable[[], ssl.SSLContext], server_name: str, on_other: Callable[[Address, Dialed], None]
    ) -> None:
        self._make_context = make_context
        self._server_name = server_name
        self._on_other = on_other
        self._context: ssl.SSLContext | None = None
        self._open: dict[Address, list[Trunk]] = {}
        self._dialing: dict[Address, asyncio.Task[bool]] = {}

    async def stream(self, address: Address) -> Stream | None:
        """A request to be made; None if the backend chose HTTP/1.1. Raises Unreachable, BadTrust."""
        while True:
            for trunk in self._open.get(address, ()):
                if trunk.takes_more:
                    return Stream(trunk)
            # It has room for somebody, so that this comes to an end.
            if not await self._another(address):
                return None

    async def _another(self, address: Address) -> bool:
        """One more connection, for all who want one at this moment; False if it is none of ours."""
        dialed = self._dialing.get(address)
        if dialed is None:
            dialed = self._dialing[address] = asyncio.get_running_loop().create_task(self._dial(address))
            dialed.add_done_callback(partial(self._dialed, address))
        try:
            # It goes on for the others when one of them leaves.
            return await asyncio.shield(dialed)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if dialed.cancelled() and task is not None and not task.cancelling():
                raise Unreachable(f"dial tcp {address}: operation was canceled", address, dialing=True) from None
            raise

    async def _dial(self, address: Address) -> bool:
        if self._context is None:
            self._context = self._make_context()
            self._context.set_alpn_protocols([HTTP2, "http/1.1"])
        made = await dial(address, context=self._context, server_name=self._server_name)
        if made.protocol != HTTP2:
            self._on_other(address, made)
            return False
        trunk = Trunk(made, address)
        self._open.setdefault(address, []).append(trunk)
        try:
            async with asyncio.timeout(dialing.CONNECT_SECONDS):
                await trunk.start()
            if not trunk.takes_more:
                raise Unreachable("http2: client conn not usable", address, dialing=True)
        except TimeoutError:
            trunk.abort()
            raise Unreachable(f"dial tcp {address}: i/o timeout", address, dialing=True) from None
        except BaseException:
            trunk.abort()
            raise
        return True

    def _dialed(self, address: Address, task: asyncio.Task[bool]) -> None:
        del self._dialing[address]
        if not task.cancelled():
            task.exception()  # those who wanted it may all have left

    def sweep(self, before: float) -> float | None:
        """Close what has been idle since `before`; the time from which on the next one is, if any."""
        first = None
        for address, trunks in list(self._open.items()):
            for trunk in trunks:
                if trunk.idle and trunk.idle_since <= before:
                    trunk.close()
                elif trunk.idle and (first is None or trunk.idle_since < first):
                    first = trunk.idle_since
            kept = [trunk for trunk in trunks if not trunk.closed]
            if kept:
                self._open[address] = kept
            else:
                del self._open[address]
        return first

    def close(self) -> None:
        """Close everything, whatever still runs."""
        for task in self._dialing.values():
            task.cancel()
        for trunks in self._open.values():
            for trunk in trunks:
                trunk.abort()
        self._open.clear()
