"""Stream: one request to a backend over HTTP/2, on a `Trunk` that it shares.

Made by `trunks.py`, used by `backends.py` in the way of a `Wire`. Mirrors clientStream of Go's `net/http` HTTP/2
transport.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable

from aggregator.proxy import call
from aggregator.proxy.call import Call, Head
from aggregator.proxy.failures import Unreachable
from aggregator.proxy.headers import Headers
from aggregator.proxy.switched import Switched
from aggregator.proxy.trunk import Trunk


class Stream:
    """For one request: `ask`, then the whole `body`, and `end`."""

    def __init__(self, trunk: Trunk) -> None:
        self.address = trunk.address
        self.reused = trunk.used
        self.heard = False
        """Something has come in answer to the request."""
        self._trunk = trunk
        self._number = 0
        self._head: Head | None = None
        self._informational: deque[tuple[int, Headers]] = deque()
        self._informed = 0
        self._chunks: list[bytes] = []
        self._held = 0
        """Flow control not given back yet."""
        self._trailers: Headers = []
        self._received = False
        self._sent = False
        self._failure: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._sending: asyncio.Task[None] | None = None
        self._wanted: asyncio.Event | None = None

    # A request and its response, as of a Wire

    async def ask(self, asked: Call) -> Head:
        """Send a request and return when its response begins. Raises Unreachable, and what reading its body raises."""
        self._send(asked)
        while True:
            while self._informational:
                status, headers = self._informational.popleft()
                if asked.inform is not None:
                    await asked.inform(status, headers)
            if self._head is not None:
                self._decline()
                return self._head
            await self._more()

    async def body(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes, still encoded. Raises Unreachable."""
        while True:
            if self._chunks:
                data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
                self._chunks.clear()
                yield data
                # Not before: what its reader has not taken, the backend must not replace.
                size, self._held = self._held, 0
                self._trunk.acknowledge(self._number, size)
            elif self._received:
                return
            else:
                await self._more()

    def trailers(self) -> Headers:
        """What came after the body, which has been read."""
        return self._trailers

    def switched(self) -> Switched:
        raise Unreachable("http2: unexpected 101 response", self.address)

    async def end(self) -> None:
        """The response has been read, or is not wanted any more."""
        if self._sending is not None:
            self._sending.cancel()
            try:
                await asyncio.wait((self._sending,))
            except asyncio.CancelledError:
                self._leave()
                raise
        self._leave()

    def _leave(self) -> None:
        if self._number:
            if self._held:
                self._trunk.acknowledge(self._number, self._held)
            self._trunk.leave(self._number, complete=self._received and self._sent)

    # What the trunk says

    def begun(self, headers: Headers) -> None:
        self.heard = True
        status, rest = _split(headers)
        if status:
            self._head = Head(status, b"", rest)
            self._wake()
        else:
            self.failed(Unreachable("malformed response from server: malformed non-numeric status", self.address))

    def informed(self, headers: Headers) -> None:
        self.heard = True
        status, rest = _split(headers)
        self._informed += 1
        if self._informed > call.MOST_INFORMATIONAL:
            self.failed(Unreachable("net/http: too many 1xx informational responses", self.address))
        elif status == call.CONTINUE:
            if self._wanted is not None:
                self._wanted.set()
        elif status > call.SWITCHING_PROTOCOLS:  # nothing is switched in HTTP/2
            self._informational.append((status, rest))
            self._wake()

    def pushed(self, data: bytes, size: int) -> None:
        self._chunks.append(data)
        self._held += size
        self._wake()

    def trailed(self, headers: Headers) -> None:
        self._trailers = [one for one in headers if not one[0].startswith(b":")]

    def ended(self) -> None:
        self._received = True
        self._wake()

    def reset(self, error: Unreachable) -> None:
        self.heard = True
        self.failed(error)

    def failed(self, error: Unreachable) -> None:
        if self._failure is None and not self._received:
            self._failure = error
            self._wake()

    # Within

    async def _more(self) -> None:
        """Wait for anything. Raises what ended it."""
        if self._failure is not None:
            raise self._failure
        self._waiting = asyncio.get_running_loop().create_future()
        await self._waiting

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _send(self, asked: Call) -> None:
        body = asked.body
        headers = [
            (b":method", asked.method.encode()),
            (b":scheme", b"https"),
            (b":authority", str(self.address).encode()),
            (b":path", asked.target),
            # Keys of a user's extra may have any case.
            *((name.lower(), value) for name, value in asked.headers),
        ]
        known = call.length(asked)
        if known is not None:
            headers.append((b"content-length", known))
        self._sent = not body
        self._number = self._trunk.begin(self, headers, end=not body)
        if body:
            self._wanted = asyncio.Event() if asked.expects_continue else None
            # Beside the response, which may come before the end of the body, or instead of it.
            self._sending = asyncio.get_running_loop().create_task(self._send_body(asked, body))

    async def _send_body(self, asked: Call, body: bytes | AsyncIterable[bytes]) -> None:
        try:
            if isinstance(body, bytes):
                await self._trunk.send(self._number, body)
            else:
                await call.wanted(self._wanted)
                async for chunk in body:
                    await self._trunk.send(self._number, chunk)
            self._trunk.finish(self._number, asked.trailers())
            self._sent = True
        except OSError:
            # Whether it had answered before it stopped reading, the other half finds out.
            pass
        except Exception as error:
            self._failure = error
            self._wake()

    def _decline(self) -> None:
        """It is answered without the body that the backend was to want first, which is not even begun then."""
        if self._wanted is not None and not self._wanted.is_set() and self._sending is not None:
            self._sending.cancel()


def _split(headers: Headers) -> tuple[int, Headers]:
    """Status, 0 if there is none, and the rest."""
    status, rest = 0, []
    for name, value in headers:
        if name == b":status":
            status = int(value) if len(value) == 3 and value.isdigit() else 0
        else:
            rest.append((name, value))
    return status, rest
