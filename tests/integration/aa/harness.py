"""Servers made with trikube.aa, run as their processes run them but in the test's own, and clients of them over TLS."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, RejectConnection, Request

from generic.client import kubeconfig
from generic.client.rest import Client
from trikube import aa


@dataclass(frozen=True)
class Running:
    """A server that listens; `client` is its administrator, in standalone debug mode, else the main server's."""

    listening: aa.Listening
    client: Client
    stop: asyncio.Event
    ended: "asyncio.Task[None]"

    @property
    def kubeconfig(self) -> Path:
        return Path(self.listening.kubeconfig)


@contextlib.asynccontextmanager
async def running(server: aa.APIServer, folder: Path, **changes: Any) -> AsyncIterator[Running]:
    """Standalone unless told otherwise. Stopped, and its failure told, at the end."""
    settings: dict[str, Any] = {"bind_address": "127.0.0.1", "secure_port": 0, "standalone": True, **changes}
    options = aa.Options(data_dir=folder, **settings)
    stop = asyncio.Event()
    listening: asyncio.Future[aa.Listening] = asyncio.get_running_loop().create_future()
    ended = asyncio.ensure_future(server.run(stop, options, on_listening=listening.set_result))
    ended.add_done_callback(lambda _: listening.cancel())
    try:
        await asyncio.wait({listening})
        if ended.done():
            await ended
        found = listening.result()
        async with contextlib.AsyncExitStack() as stack:
            client = Client.connect(kubeconfig.load(_kubeconfig(found, options)))
            stack.push_async_callback(client.aclose)
            yield Running(found, client, stop, ended)
    finally:
        stop.set()
        await ended


def _kubeconfig(found: aa.Listening, options: aa.Options) -> Path:
    chosen = found.kubeconfig or options.kubeconfig
    assert chosen is not None
    return Path(chosen)


class Talk:
    """The client's end of a WebSocket that speaks in channels."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self.protocol: str | None = None
        self.status = 0

    async def open(self, url: str, protocols: list[str]) -> None:
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}"
        self._writer.write(self._protocol.send(Request(host=parts.netloc, target=target, subprotocols=protocols)))
        event = await self.event()
        if isinstance(event, AcceptConnection):
            self.protocol, self.status = event.subprotocol, 101
        elif isinstance(event, RejectConnection):
            self.status = event.status_code

    async def event(self) -> Any:
        while True:
            for event in self._protocol.events():
                return event
            data = await self._reader.read(65536)
            self._protocol.receive_data(data or None)

    def say(self, channel: int, data: bytes) -> None:
        self._writer.write(self._protocol.send(BytesMessage(data=bytes((channel,)) + data)))

    async def hear(self) -> tuple[int, bytes] | None:
        """The next message; None when the server closed."""
        event = await self.event()
        if isinstance(event, CloseConnection):
            return None
        assert isinstance(event, BytesMessage), event
        return event.data[0], bytes(event.data[1:])


@contextlib.asynccontextmanager
async def talking(config: Path, path: str, protocols: tuple[str, ...] = ("v5.channel.k8s.io",)) -> AsyncIterator[Talk]:
    """A WebSocket to a path of the server a kubeconfig names."""
    async with _connected(config) as (reader, writer):
        talk = Talk(reader, writer)
        await talk.open(f"{kubeconfig.load(config).server}{path}", list(protocols))
        yield talk


@contextlib.asynccontextmanager
async def raw(config: Path, line: str) -> AsyncIterator[asyncio.StreamReader]:
    """What comes back for a request line, as it comes; the client leaves at the end."""
    async with _connected(config) as (reader, writer):
        writer.write(f"{line}\r\nhost: localhost\r\n\r\n".encode())
        yield reader


@contextlib.asynccontextmanager
async def _connected(config: Path) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    found = kubeconfig.load(config)
    context = found.ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    where = urlsplit(found.server)
    reader, writer = await asyncio.open_connection(where.hostname, where.port, ssl=context)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def until(condition: Callable[[], bool]) -> None:
    """Return once it holds."""
    async with asyncio.timeout(20):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)
