"""Wire: one connection to a backend, on which one request at a time is asked over HTTP/1.1.

Made and kept by `connections.py`, used by `backends.py`. On h11 and asyncio's streams: a request through httpx costs
six times as much, it reads any number of 1xx responses, and its HTTP/2 cannot reset a stream, so a watch would outlive
its client. Mirrors persistConn of Go's `net/http/transport.go`.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass

import h11

from aggregator.proxy import failures
from aggregator.proxy.failures import Unreachable
from aggregator.proxy.headers import Headers
from aggregator.proxy.switched import Switched
from aggregator.resolving import Address

CONNECT_SECONDS = 5.0
_CLOSE_SECONDS = 5.0
_MOST_HEAD = 256 << 10
_MOST_INFORMATIONAL = 5
_READ = 64 << 10
_HAVE_BODIES = frozenset(("POST", "PUT", "PATCH"))

Body = bytes | AsyncIterable[bytes] | None


@dataclass(frozen=True, slots=True)
class Head:
    """How a response begins; header names in the case they came in."""

    status: int
    reason: bytes
    headers: Headers


class Wire:
    """A connection. After `ask` and the whole `body`, while it is `reusable`, it may be asked again."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: Address) -> None:
        self.address = address
        self.reused = False
        self.heard = False
        """Something has come in answer to the request."""
        self._reader = reader
        self._writer = writer
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD)
        self._sending: asyncio.Task[None] | None = None
        self._sending_failed: Exception | None = None

    @classmethod
    async def open(cls, address: Address, *, context: ssl.SSLContext, server_name: str) -> "Wire":
        """Raises Unreachable."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(
                    address.host,
                    address.port,
                    ssl=context,
                    server_hostname=server_name,
                    ssl_shutdown_timeout=_CLOSE_SECONDS,
                    limit=_READ,
                )
        except (OSError, ValueError) as error:
            raise failures.of_dialing(error, address) from error
        _keep_alive(writer.get_extra_info("socket"))
        return cls(reader, writer, address)

    # A request and its response

    async def ask(self, *, method: str, target: bytes, headers: Headers, body: Body) -> Head:
        """Send a request and return when its response begins. Raises Unreachable, and what reading `body` raises."""
        self.heard = False
        self._send(method, target, [(b"host", str(self.address).encode()), *headers], body)
        for _ in range(_MOST_INFORMATIONAL + 1):
            event = await self._event()
            if isinstance(event, h11.Response) or (isinstance(event, h11.InformationalResponse) and _switches(event)):
                return Head(event.status_code, event.reason, event.headers.raw_items())
        raise Unreachable("net/http: too many 1xx informational responses", self.address)

    async def body(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes off the wire, still encoded. Raises Unreachable."""
        while isinstance(event := await self._event(), h11.Data):
            yield bytes(event.data)

    def switched(self) -> Switched:
        """What the connection has become after a 101. It stays ours to close."""
        return Switched(self._reader, self._writer, self._h11.trailing_data[0])

    # Afterwards

    @property
    def reusable(self) -> bool:
        """It is between two requests, and the backend has neither closed it nor said anything."""
        state, quiet = self._h11, not self._h11.trailing_data[0] and not self._reader.at_eof()
        return quiet and not self._writer.is_closing() and state.our_state is h11.IDLE is state.their_state

    async def end(self) -> None:
        """The response has been read, or is not wanted any more: be `reusable`, or closed."""
        if self._sending is not None:
            self._sending.cancel()
            try:
                await asyncio.wait((self._sending,))
            except asyncio.CancelledError:
                self.abort()
                raise
            self._sending = None
        if self._h11.our_state is h11.DONE is self._h11.their_state:
            self._h11.start_next_cycle()
            self.reused = True
        elif self._h11.their_state is h11.SWITCHED_PROTOCOL:
            # What was written last is still to be sent.
            self._writer.close()
        if not self.reusable and not self._writer.is_closing():
            self.abort()

    def abort(self) -> None:
        """Close at once."""
        self._writer.transport.abort()

    # The two halves

    def _send(self, method: str, target: bytes, headers: Headers, body: Body) -> None:
        if isinstance(body, bytes):
            headers.append((b"content-length", b"%d" % len(body)))
        elif body is None and method in _HAVE_BODIES:
            headers.append((b"content-length", b"0"))
        elif body is not None and not any(name == b"content-length" for name, _ in headers):
            headers.append((b"transfer-encoding", b"chunked"))
        try:
            request = h11.Request(method=method, target=target, headers=headers)
        except h11.LocalProtocolError as error:
            raise Unreachable(f"net/http: invalid request: {error}", self.address) from error
        if body is None or isinstance(body, bytes):
            self._say(request, *([h11.Data(data=body)] if body else ()), h11.EndOfMessage())
            return
        self._say(request)
        # Beside the response, which may come before the end of the body, or instead of it.
        self._sending = asyncio.get_running_loop().create_task(self._send_body(body))

    async def _send_body(self, body: AsyncIterable[bytes]) -> None:
        try:
            async for chunk in body:
                self._say(h11.Data(data=chunk))
                await self._writer.drain()
            self._say(h11.EndOfMessage())
        except OSError:
            # Whether it had answered before it stopped reading, the other half finds out.
            pass
        except Exception as error:
            self._sending_failed = error
            self.abort()

    def _say(self, *events: h11.Event) -> None:
        data = b"".join(self._h11.send(event) or b"" for event in events)
        if data:
            self._writer.write(data)

    async def _event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            while (event := self._h11.next_event()) is h11.NEED_DATA:
                data = await self._reader.read(_READ)
                if self._sending_failed is not None:
                    raise self._sending_failed
                if not data and not self.heard:
                    raise Unreachable("EOF", self.address)
                self.heard = True
                self._h11.receive_data(data)
        except (OSError, h11.RemoteProtocolError) as error:
            raise (self._sending_failed or failures.of_asking(error, self.address)) from error
        return event


def _switches(event: h11.InformationalResponse) -> bool:
    return event.status_code == 101


def _keep_alive(made: socket.socket) -> None:
    """A watch says nothing for minutes: the kernel finds out that its server is gone."""
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        # Not every platform has them under these names.
        number = getattr(socket, name, None)
        if number is not None:
            made.setsockopt(socket.IPPROTO_TCP, number, value)
