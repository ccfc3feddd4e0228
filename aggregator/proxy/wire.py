"""Wire: one connection to a backend, on which one request at a time is asked over HTTP/1.1.

Made and kept by `connections.py`, used by `backends.py`. On h11 and asyncio's streams: a request through httpx costs
six times as much, it reads any number of 1xx responses, and its HTTP/2 cannot reset a stream, so a watch would outlive
its client. Mirrors persistConn of Go's `net/http/transport.go`.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterable

import h11

from aggregator.proxy import call, failures
from aggregator.proxy.call import Call, Head
from aggregator.proxy.dialing import READ, Dialed, dial
from aggregator.proxy.failures import Unreachable
from aggregator.proxy.headers import Headers
from aggregator.proxy.switched import Switched
from generic.client.resolving import Address

_MOST_HEAD = 256 << 10


class Wire:
    """A connection. After `ask` and the whole `body`, while it is `reusable`, it may be asked again."""

    def __init__(self, dialed: Dialed, address: Address) -> None:
        self.address = address
        self.agreed = dialed.protocol is not None
        """The backend has said that it speaks HTTP/1.1."""
        self.reused = False
        self.heard = False
        """Something has come in answer to the request."""
        self._reader, self._writer = dialed.reader, dialed.writer
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD)
        self._sending: asyncio.Task[None] | None = None
        self._sending_failed: Exception | None = None
        self._wanted: asyncio.Event | None = None
        """Set when the backend wants the body; None while nobody waits for that."""
        self._trailers: Headers = []

    @classmethod
    async def open(cls, address: Address, *, context: ssl.SSLContext, server_name: str) -> "Wire":
        """Raises Unreachable."""
        return cls(await dial(address, context=context, server_name=server_name), address)

    # A request and its response

    async def ask(self, asked: Call) -> Head:
        """Send a request and return when its response begins. Raises Unreachable, and what reading its body raises."""
        self.heard = False
        self._send(asked)
        for _ in range(call.MOST_INFORMATIONAL + 1):
            event = await self._event()
            if isinstance(event, h11.Response) or (isinstance(event, h11.InformationalResponse) and _switches(event)):
                self._decline()
                return Head(event.status_code, event.reason, event.headers.raw_items())
            if isinstance(event, h11.InformationalResponse):
                if event.status_code == call.CONTINUE:
                    if self._wanted is not None:
                        self._wanted.set()
                elif asked.inform is not None:
                    await asked.inform(event.status_code, event.headers.raw_items())
        raise Unreachable("net/http: too many 1xx informational responses", self.address)

    async def body(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes off the wire, still encoded. Raises Unreachable."""
        while isinstance(event := await self._event(), h11.Data):
            yield bytes(event.data)
        if isinstance(event, h11.EndOfMessage) and event.headers:
            self._trailers = event.headers.raw_items()

    def trailers(self) -> Headers:
        """What came after the body, which has been read."""
        return self._trailers

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
        self._wanted = None
        self._trailers = []
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

    def _send(self, asked: Call) -> None:
        body = asked.body
        headers = [(b"host", str(self.address).encode()), *asked.headers]
        known = call.length(asked)
        chunked = False
        if known is not None:
            headers.append((b"content-length", known))
        elif body is not None and not any(name == b"content-length" for name, _ in headers):
            chunked = True
            headers.append((b"transfer-encoding", b"chunked"))
        try:
            request = h11.Request(method=asked.method, target=asked.target, headers=headers)
        except h11.LocalProtocolError as error:
            raise Unreachable(f"net/http: invalid request: {error}", self.address) from error
        if body is None or isinstance(body, bytes):
            self._say(request, *([h11.Data(data=body)] if body else ()), h11.EndOfMessage())
            return
        self._say(request)
        if asked.expects_continue:
            self._wanted = asyncio.Event()
        # Beside the response, which may come before the end of the body, or instead of it.
        self._sending = asyncio.get_running_loop().create_task(self._send_body(asked, body, chunked=chunked))

    async def _send_body(self, asked: Call, body: AsyncIterable[bytes], *, chunked: bool) -> None:
        try:
            await call.wanted(self._wanted)
            async for chunk in body:
                self._say(h11.Data(data=chunk))
                await self._writer.drain()
            # Where a length was announced there is no place for trailers.
            self._say(h11.EndOfMessage(headers=asked.trailers() if chunked else []))
        except OSError:
            # Whether it had answered before it stopped reading, the other half finds out.
            pass
        except Exception as error:
            self._sending_failed = error
            self.abort()

    def _decline(self) -> None:
        """It is answered without the body that the backend was to want first, which is not even begun then."""
        if self._wanted is not None and not self._wanted.is_set() and self._sending is not None:
            self._sending.cancel()

    def _say(self, *events: h11.Event) -> None:
        data = b"".join(self._h11.send(event) or b"" for event in events)
        if data:
            self._writer.write(data)

    async def _event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            while (event := self._h11.next_event()) is h11.NEED_DATA:
                data = await self._reader.read(READ)
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
