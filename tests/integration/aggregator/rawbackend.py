"""A server behind an APIService that is made of bytes, so that it can say anything; and a client of the same kind."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tests.integration.aggregator.harness import FLUNDERS, GROUP, PATH, Plane, issue_to

_DISCOVERY = orjson.dumps({"kind": "APIResourceList", "groupVersion": f"{GROUP}/v1", "resources": [FLUNDERS]})


@dataclass
class Asked:
    """One request, and the way to answer it."""

    line: str
    headers: dict[str, str]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, data: bytes) -> None:
        if self.writer.transport.is_closing():
            raise ConnectionResetError
        self.writer.write(data)
        await self.writer.drain()
        # Draining waits only while too much is unsent: others want to be heard as well.
        await asyncio.sleep(0)

    async def body(self) -> bytes:
        """Of the length it says it has."""
        return await self.reader.readexactly(int(self.headers.get("content-length", "0")))


Answerer = Callable[[Asked], Awaitable[None]]


@dataclass
class RawBackend:
    """Answers discovery as it should and everything else with `answerer`, then closes."""

    answerer: Answerer
    http2: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] | None = None
    """What to do with connections over HTTP/2; None: there are none."""
    port: int = 0
    seen: list[Asked] = field(default_factory=list)
    open: int = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            if self.http2 is not None and writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2":
                await self.http2(reader, writer)
            else:
                await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = (line.partition(": ") for line in lines[1:] if line)
            asked = Asked(lines[0], {name.lower(): value for name, _, value in pairs}, reader, writer)
            path = asked.line.split(" ")[1]
            if path == PATH:
                await asked.say(answer(_DISCOVERY))
            elif path == "/apis" or path.startswith("/openapi"):
                await asked.say(answer(b"{}", status=b"404 Not Found"))
            else:
                self.seen.append(asked)
                await self.answerer(asked)
                writer.close()
                await writer.wait_closed()
                return


def answer(body: bytes, *, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body)


@contextlib.asynccontextmanager
async def raw_aggregated(
    plane: Plane, folder: Path, answerer: Answerer, *, dies: bool = False, http2: Any = None
) -> AsyncIterator[RawBackend]:
    """It, registered as `v1.wardle.example.com` and available; `dies`: its APIService outlives it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*issue_to(folder, plane.pki.cluster, ("api.default.svc",)))
    context.load_verify_locations(plane.pki.front_proxy_ca_cert)
    context.verify_mode = ssl.CERT_REQUIRED
    if http2 is not None:
        context.set_alpn_protocols(["h2", "http/1.1"])
    made = RawBackend(answerer, http2)
    server = await asyncio.start_server(made, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        await plane.register(("127.0.0.1", made.port))
        await plane.available()
        yield made
        if not dies:
            await plane.unregister()
            await plane.until(lambda: made.open == 0)
        await plane.until(lambda: plane.aggregator.connections.users == 0)


class RawClient:
    """Says to the aggregator exactly what it is told, as the administrator."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def ask(self, path: str, *headers: str, method: str = "GET", body: bytes = b"") -> None:
        self.writer.write("\r\n".join((f"{method} {path} HTTP/1.1", "host: me", *headers, "", "")).encode() + body)

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def response(self) -> tuple[int, bytes]:
        """Status and body, of a response that says its length or ends with the connection."""
        head = (await self.head()).lower()
        _, separator, rest = head.partition(b"content-length:")
        body = await (self.reader.readexactly(int(rest.split(b"\r\n")[0])) if separator else self.reader.read())
        return int(head.split()[1]), body


@contextlib.asynccontextmanager
async def raw_client(plane: Plane) -> AsyncIterator[RawClient]:
    context = ssl.create_default_context(cafile=plane.pki.ca_cert)
    context.load_cert_chain(plane.pki.admin_cert, plane.pki.admin_key)
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", plane.listener.port, ssl=context, server_hostname="localhost"
    )
    try:
        yield RawClient(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
