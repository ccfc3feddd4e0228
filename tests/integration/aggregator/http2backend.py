"""A server that speaks HTTP/2, step by step as a test tells it, and says any bytes between its frames."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from hyperframe.frame import Frame

from generic.client.resolving import Address


class Peer:
    """The server's side of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.connection = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding=None, validate_outbound_headers=False)
        )
        self.heads: dict[int, dict[bytes, bytes]] = {}
        self.bodies: dict[int, bytes] = {}
        self.trailers: dict[int, dict[bytes, bytes]] = {}
        self.ended: set[int] = set()
        self.resets: dict[int, int] = {}
        self.acknowledge = True
        self.closed = False

    async def start(self, settings: dict[Any, int] | None = None) -> None:
        if settings:
            self.connection.local_settings = h2.settings.Settings(client=False, initial_values=settings)
        self.connection.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.writer.write(self.connection.data_to_send())

    def say(self, *frames: Frame) -> None:
        self.flush()
        self.writer.write(b"".join(frame.serialize() for frame in frames))

    def head(self, number: int, *headers: tuple[bytes, bytes], status: bytes = b"200", end: bool = False) -> None:
        self.connection.send_headers(number, [(b":status", status), *headers], end_stream=end)
        self.flush()

    def body(self, number: int, data: bytes, *, end: bool = False) -> None:
        self.connection.send_data(number, data, end_stream=end)
        self.flush()

    def trail(self, number: int, *headers: tuple[bytes, bytes]) -> None:
        self.connection.send_headers(number, headers, end_stream=True)
        self.flush()

    def ok(self, number: int, data: bytes = b"ok") -> None:
        self.head(number)
        self.body(number, data, end=True)

    async def until(self, condition: Callable[[], object]) -> None:
        """Read until it holds. Raises ConnectionError once the client has closed."""
        while not condition():
            data = b""
            if not self.closed:
                data = await self.reader.read(1 << 16)
            if not data:
                self.closed = True
                raise ConnectionResetError
            for event in self.connection.receive_data(data):
                self._take(event)
            self.flush()

    async def request(self, number: int) -> dict[bytes, bytes]:
        """The head of a request."""
        await self.until(lambda: number in self.heads)
        return self.heads[number]

    async def end(self) -> None:
        """Read until the client closes."""
        try:
            await self.until(lambda: False)
        except (OSError, h2.exceptions.ProtocolError):
            pass

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived(stream_id=number, headers=headers):
                self.heads[number or 0] = dict(headers or [])
                self.bodies[number or 0] = b""
            case h2.events.DataReceived(stream_id=number, data=data, flow_controlled_length=size):
                self.bodies[number or 0] += data or b""
                if self.acknowledge:
                    self.connection.acknowledge_received_data(size or 0, number or 0)
            case h2.events.TrailersReceived(stream_id=number, headers=headers):
                self.trailers[number or 0] = dict(headers or [])
            case h2.events.StreamEnded(stream_id=number):
                self.ended.add(number or 0)
            case h2.events.StreamReset(stream_id=number, error_code=code):
                self.resets[number or 0] = int(code or 0)


def speaking(
    script: Callable[[Peer], Awaitable[None]], settings: dict[Any, int] | None = None
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    """What to do with each connection."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer)
        await peer.start(settings)
        await script(peer)
        await writer.drain()

    return handle


@asynccontextmanager
async def refusing_http1(address: Address) -> AsyncIterator[Address]:
    """In front of a server: who does not offer HTTP/2 gets the TLS alert for that, which Python's ssl never sends."""
    relaying: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relaying.add(asyncio.current_task())  # type: ignore[arg-type]
        hello = await reader.read(1 << 14)
        if b"\x02h2" in hello:
            behind, before = await asyncio.open_connection(address.host, address.port)
            before.write(hello)
            await asyncio.gather(_pump(reader, before), _pump(behind, writer))
        else:
            writer.write(bytes.fromhex("15 0303 0002 02 78"))
            writer.close()

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    async with server:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1])
        await asyncio.wait(relaying)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
    writer.close()
