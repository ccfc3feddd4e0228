"""What a client has sent for one request and its app has not read yet.

Filled by the protocols, emptied by the app through ASGI's `receive`. It never blocks the connection: it
counts bytes, and a protocol that sees too many asks to be told when they are read. So an app that does
not read its body stops that body, not the other streams (hypercorn's queues do either one or the other).
"""

import asyncio
from collections import deque
from collections.abc import Callable

from generic.serving.headers import Headers
from generic.types import Message

READ_AHEAD = 256 << 10
"""Bytes of one body held before its client must wait: Kubernetes' 99th percentile of request bodies."""

TRAILERS = "trikube.trailers"
"""Where the last message of a body has the trailers, if there are any: ASGI knows none of requests."""

_DISCONNECT = "http.disconnect"


class Inbox:
    """The unread messages of one stream, and who waits for them."""

    __slots__ = ("_room", "_waiters", "gone", "held", "size")

    def __init__(self) -> None:
        self.size = 0
        """Unread bytes."""
        self.held = 0
        """Bytes of HTTP/2 flow control not given back yet; the protocol's own."""
        self.gone = False
        """The client left, or the response is complete."""
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._room: Callable[[], None] | None = None

    def when_read(self, callback: Callable[[], None]) -> None:
        """Call once, when the unread bytes have been taken or nobody will take them any more."""
        self._room = callback

    async def room(self) -> None:
        """Return when the unread bytes have been taken or nobody will take them any more."""
        read = asyncio.get_running_loop().create_future()
        self.when_read(lambda: None if read.done() else read.set_result(None))
        await read

    def disconnect(self) -> None:
        """No more will come, and nobody waits for what is here."""
        self.gone = True
        self._wake()
        self._made_room()

    async def _wait(self) -> None:
        # A future for each waiter: an app may cancel one reader while another goes on.
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def _wake(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)

    def _made_room(self) -> None:
        if self._room is not None:
            callback, self._room = self._room, None
            callback()


class BodyInbox(Inbox):
    """A request body: `receive` takes all there is as one message, then says that the client left."""

    __slots__ = ("_chunks", "_delivered", "_on_first_read", "ended", "trailers")

    def __init__(self, on_first_read: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.ended = False
        """The client has sent its whole body."""
        self.trailers: Headers = []
        self._chunks: list[bytes] = []
        self._delivered = False
        self._on_first_read = on_first_read

    def push(self, data: bytes) -> None:
        if not self.gone:
            self._chunks.append(data)
            self.size += len(data)
            self._wake()

    def end(self) -> None:
        self.ended = True
        self._wake()

    async def receive(self) -> Message:
        """ASGI's `receive`."""
        if self._on_first_read is not None:
            callback, self._on_first_read = self._on_first_read, None
            callback()
        while True:
            if self._delivered and not self.gone:
                await self._wait()
            elif self.gone:
                self._chunks.clear()
                return {"type": _DISCONNECT}
            elif self._chunks or self.ended:
                body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
                self._chunks.clear()
                self.size = 0
                self._delivered = self.ended
                self._made_room()
                if self.ended and self.trailers:
                    return {"type": "http.request", "body": body, "more_body": False, TRAILERS: self.trailers}
                return {"type": "http.request", "body": body, "more_body": not self.ended}
            else:
                await self._wait()


class MessageInbox(Inbox):
    """A WebSocket's messages, in order."""

    __slots__ = ("_messages",)

    def __init__(self) -> None:
        super().__init__()
        self._messages: deque[Message] = deque()

    async def put(self, message: Message) -> None:
        """Take a message; never waits, async because hypercorn awaits it."""
        self._messages.append(message)
        self.size += _size(message)
        self._wake()

    async def receive(self) -> Message:
        """ASGI's `receive`."""
        while not self._messages:
            await self._wait()
        message = self._messages.popleft()
        self.size -= _size(message)
        if not self._messages:
            self._made_room()
        return message


def _size(message: Message) -> int:
    return len(message.get("bytes") or message.get("text") or b"")
