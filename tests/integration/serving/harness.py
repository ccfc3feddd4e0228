"""Servers to test and clients that can misbehave."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.settings
import httpx

from generic.serving.connection import Connection
from generic.serving.options import SecureServingOptions
from generic.serving.server import SecureServer
from generic.types import ASGIApp, Receive, Scope, Send
from trikube.pki import layout


@contextlib.asynccontextmanager
async def serving(pki: layout.Layout, app: ASGIApp, **options: Any) -> AsyncIterator[SecureServer]:
    """A server on a free port; aborted at the end."""
    settings: dict[str, Any] = {
        "bind_address": "127.0.0.1",
        "port": 0,
        "cert_file": pki.serving_cert,
        "key_file": pki.serving_key,
        "client_ca_files": (pki.ca_cert, pki.front_proxy_ca_cert),
    }
    server = SecureServer(app, SecureServingOptions(**{**settings, **options}))
    await server.start()
    try:
        yield server
    finally:
        await server.close()


def trust(pki: layout.Layout, *, alpn: Sequence[str] = (), cert: str = "admin") -> ssl.SSLContext:
    """A client's context; `cert` names the client certificate's file, empty for none."""
    context = ssl.create_default_context(cafile=pki.ca_cert)
    if cert:
        context.load_cert_chain(pki.directory / f"{cert}.crt", pki.directory / f"{cert}.key")
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


@contextlib.asynccontextmanager
async def client(
    server: SecureServer, pki: layout.Layout, *, http2: bool, cert: str = "admin"
) -> AsyncIterator[httpx.AsyncClient]:
    context = trust(pki, cert=cert)
    async with httpx.AsyncClient(
        base_url=server.url, verify=context, http1=not http2, http2=http2, timeout=20, trust_env=False
    ) as made:
        yield made


async def reply(send: Send, body: bytes = b"ok", status: int = 200, headers: Any = ()) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await reply(send)


async def read_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError("the client left")
        parts.append(message["body"])
        if not message["more_body"]:
            return b"".join(parts)


async def until(condition: Callable[[], bool]) -> None:
    """Return when it holds; the test's own time-out ends it otherwise."""
    while not condition():  # noqa: ASYNC110, conditions of the code under test, which has no events for tests
        await asyncio.sleep(0.005)


async def only_connection(server: SecureServer) -> Connection:
    """The server's side of the one client there is."""
    await until(lambda: len(server._connections) == 1)
    (connection,) = server._connections
    return connection


class Raw:
    """An HTTP/1.1 client that says exactly what it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def response(self) -> tuple[int, bytes]:
        """Status and body, of a response that says its length."""
        head = (await self.head()).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        return int(head.split()[1]), await self.reader.readexactly(length)

    async def end(self) -> bytes:
        """Everything up to the server's closing."""
        try:
            return await self.reader.read()
        except OSError:
            return b""


@contextlib.asynccontextmanager
async def raw(server: SecureServer, pki: layout.Layout, **how: Any) -> AsyncIterator[Raw]:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", server.port, ssl=trust(pki, **{"alpn": ["http/1.1"], **how}), server_hostname="localhost"
    )
    try:
        yield Raw(reader, writer)
    finally:
        await _close(writer)


class H2:
    """An HTTP/2 client that opens streams, reads and resets when it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.connection = h2.connection.H2Connection(
            h2.config.H2Configuration(
                client_side=True,
                header_encoding=None,
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.bodies: dict[int, bytearray] = {}
        self.statuses: dict[int, list[int]] = {}
        self.trailers: dict[int, dict[bytes, bytes]] = {}
        self.ended: set[int] = set()
        self.resets: dict[int, int] = {}
        self.goaway: int | None = None
        self.closed = False
        self.acknowledge = True
        self.settled = 0

    def flush(self) -> None:
        self.writer.write(self.connection.data_to_send())

    def request(self, *, method: bytes = b"GET", path: bytes = b"/", end: bool = True, headers: Any = ()) -> int:
        stream_id = self.connection.get_next_available_stream_id()
        pseudo = [(b":method", method), (b":scheme", b"https"), (b":authority", b"localhost"), (b":path", path)]
        if not path:  # a plain CONNECT has neither
            pseudo = [(b":method", method), (b":authority", b"localhost")]
        self.connection.send_headers(stream_id, [*pseudo, *headers], end_stream=end)
        self.bodies[stream_id] = bytearray()
        self.statuses[stream_id] = []
        self.flush()
        return stream_id

    def data(self, stream_id: int, data: bytes, *, end: bool = False) -> None:
        self.connection.send_data(stream_id, data, end_stream=end)
        self.flush()

    def room(self, stream_id: int) -> int:
        return self.connection.local_flow_control_window(stream_id)

    def reset(self, stream_id: int) -> None:
        self.connection.reset_stream(stream_id, 8)
        self.flush()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Read until it holds, or the server closed."""
        while not condition() and not self.closed:
            await self.step()

    async def step(self) -> None:
        try:
            data = await self.reader.read(1 << 16)
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return
        for event in self.connection.receive_data(data):
            self._take(event)
        self.flush()

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived() | h2.events.InformationalResponseReceived():
                status = dict(event.headers or [])[b":status"]
                self.statuses[event.stream_id or 0].append(int(status))
            case h2.events.DataReceived():
                self.bodies[event.stream_id or 0] += event.data or b""
                if self.acknowledge:
                    self.connection.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
            case h2.events.TrailersReceived():
                self.trailers[event.stream_id or 0] = dict(event.headers or [])
            case h2.events.SettingsAcknowledged():
                self.settled += 1
            case h2.events.StreamEnded():
                self.ended.add(event.stream_id or 0)
            case h2.events.StreamReset():
                self.resets[event.stream_id or 0] = int(event.error_code or 0)
            case h2.events.ConnectionTerminated():
                self.goaway = int(event.error_code or 0)

    async def answer(self, stream_id: int) -> tuple[int, bytes]:
        await self.until(lambda: stream_id in self.ended or stream_id in self.resets)
        return self.statuses[stream_id][-1], bytes(self.bodies[stream_id])


@contextlib.asynccontextmanager
async def h2_client(
    server: SecureServer, pki: layout.Layout, *, window: int | None = None, cert: str = "admin"
) -> AsyncIterator[H2]:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", server.port, ssl=trust(pki, alpn=["h2"], cert=cert), server_hostname="localhost"
    )
    made = H2(reader, writer)
    made.connection.initiate_connection()
    if window is not None:
        made.connection.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
    made.flush()
    try:
        # Both sides' settings, before anything depends on them.
        seen = made.connection.remote_settings
        wanted = 1 if window is None else 2
        await made.until(lambda: seen.initial_window_size > 65535 and made.settled == wanted)
        yield made
    finally:
        await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


Handler = Callable[[Scope, Receive, Send], Awaitable[None]]
