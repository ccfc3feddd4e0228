"""A client that costs little: HTTP/1.1 over TLS, requests as ready-made bytes. Used by `figures.py`.

A full HTTP library takes longer for a request than the server for its answer, so it would measure itself.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Protocol, Self

import orjson

from generic.types import JSONObject


class Reachable(Protocol):
    """A server, and how to shake hands with it."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def ssl(self) -> ssl.SSLContext: ...


class Connection:
    """One connection, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, server: Reachable) -> Self:
        context: ssl.SSLContext = server.ssl
        reader, writer = await asyncio.open_connection(server.host, server.port, ssl=context, limit=1 << 22)
        return cls(reader, writer)

    async def call(self, request: bytes) -> tuple[int, bytes]:
        """Status and body."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        lowered = head.lower()
        at = lowered.find(b"content-length: ")
        if at < 0:
            return status, await self._chunked()
        length = int(lowered[at + 16 : lowered.index(b"\r", at)])
        return status, await self._reader.readexactly(length) if length else b""

    async def begin(self, request: bytes) -> None:
        """Send, and read the head of a response that goes on."""
        self._writer.write(request)
        await self._reader.readuntil(b"\r\n\r\n")

    async def read(self) -> bytes:
        """Whatever comes next of such a response, chunk headers and all."""
        return await self._reader.read(1 << 18)

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            pass

    async def _chunked(self) -> bytes:
        parts = []
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            parts.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readexactly(2)
        return b"".join(parts)


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: bench\r\naccept: application/json\r\n\r\n".encode()


def send(method: str, path: str, obj: JSONObject, content_type: str = "application/json") -> bytes:
    body = orjson.dumps(obj)
    head = f"{method} {path} HTTP/1.1\r\nhost: bench\r\n"
    head += f"content-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def rate(server: Reachable, requests: Callable[[int], Sequence[bytes]], *, clients: int) -> float:
    """Requests per second of so many clients, each sending what `requests(its number)` gives. All must succeed."""
    connections = [await Connection.open(server) for _ in range(clients)]
    work = [requests(number) for number in range(clients)]

    async def one(connection: Connection, mine: Sequence[bytes]) -> None:
        for request in mine:
            status, body = await connection.call(request)
            if status >= 300:
                raise SystemExit(f"status {status}: {body[:300]!r}")

    started = perf_counter()
    await asyncio.gather(*(one(c, mine) for c, mine in zip(connections, work, strict=True)))
    seconds = perf_counter() - started
    await asyncio.gather(*(connection.close() for connection in connections))
    return sum(map(len, work)) / seconds
