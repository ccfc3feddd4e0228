"""Switched: a connection to a backend after its 101, and the relay of bytes between it and a client.

Made by `wire.py`, used by the handler. Mirrors tryUpgrade of `apimachinery/pkg/util/proxy/upgradeaware.go`.
"""

import asyncio

from generic.request.context import Termination
from generic.request.upgrade import Duplex

_MOST_READ = 64 << 10


class Switched:
    """The `Duplex` of a backend. Its connection belongs to the `Wire` it was, which closes it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, already: bytes) -> None:
        """`already` came in the same breath as the 101."""
        self._reader = reader
        self._writer = writer
        self._already = already

    async def read(self) -> bytes:
        """What has come; empty when the backend has closed, or was cut off."""
        data, self._already = self._already, b""
        try:
            return data or await self._reader.read(_MOST_READ)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        """Send, waiting while the backend does not read. Raises an OSError."""
        if self._writer.is_closing():
            raise ConnectionResetError("the backend has closed the connection")
        self._writer.write(data)
        await self._writer.drain()


async def relay(client: Duplex, backend: Duplex, termination: Termination | None) -> None:
    """Copy both ways until either side ends, whose last words have been passed on by then, or this server does."""
    loop = asyncio.get_running_loop()
    terminated: asyncio.Future[None] = loop.create_future()
    forget = _nothing
    if termination is not None:
        forget = termination.on_set(lambda: None if terminated.done() else terminated.set_result(None))
    copying = [loop.create_task(one) for one in (_copy(client, backend), _copy(backend, client))]
    try:
        await asyncio.wait([*copying, terminated], return_when=asyncio.FIRST_COMPLETED)
    finally:
        forget()
        for task in copying:
            task.cancel()
        await asyncio.gather(*copying, return_exceptions=True)


async def _copy(source: Duplex, sink: Duplex) -> None:
    try:
        while data := await source.read():
            await sink.write(data)
    except OSError:
        # The sink has closed.
        pass


def _nothing() -> None:
    """Nobody is called back."""
