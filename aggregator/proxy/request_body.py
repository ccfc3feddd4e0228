"""RequestBody: what a client sends, handed on as it comes.

Made by the handler for each request. A body that has arrived whole is sent whole, so that it can be sent again;
anything else goes through chunk by chunk, at the pace of the backend.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable

from aggregator.proxy import headers
from aggregator.proxy.headers import Headers
from generic.types import Receive


class ClientLeft(Exception):
    """The client went away in the middle of its body."""


class RequestBody:
    """`on_end` is called once the client has sent everything: from then on it can only leave."""

    TRAILERS = "trikube.trailers"
    """Where `generic/serving` puts the trailers in the last message of a body."""

    def __init__(self, receive: Receive, on_end: Callable[[], None]) -> None:
        self._receive = receive
        self._on_end = on_end
        self._first = b""
        self._trailers: Headers = []
        self.begun = False

    async def read(self) -> bytes | AsyncIterable[bytes] | None:
        """The body if it is there, else how to read it; None if there is none. Raises ClientLeft."""
        self._first, more = await self._next()
        if more or self._trailers:
            return self._rest(more=more)
        return self._first or None

    def when_wanted(self) -> AsyncIterable[bytes]:
        """The body, of which nothing is read before it is iterated over: its client may wait to be asked for it."""
        return self._rest(more=True)

    def trailers(self) -> Headers:
        """What followed the body, all of which was read."""
        return self._trailers

    async def _rest(self, *, more: bool) -> AsyncIterator[bytes]:
        chunk = self._first
        while more:
            if chunk:
                yield chunk
            chunk, more = await self._next()
        if chunk:
            yield chunk

    async def _next(self) -> tuple[bytes, bool]:
        self.begun = True
        message = await self._receive()
        if message["type"] != "http.request":
            raise ClientLeft
        more = message.get("more_body", False)
        if not more:
            self._trailers = headers.trailing(message.get(self.TRAILERS) or [])
            self._on_end()
        return message.get("body", b""), more
