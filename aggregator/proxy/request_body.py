"""RequestBody: what a client sends, handed on as it comes.

Made by the handler for each request. A body that has arrived whole is sent whole, so that it can be sent again;
anything else goes through chunk by chunk, at the pace of the backend.
"""

from collections.abc import AsyncIterable, AsyncIterator, Callable

from generic.types import Receive


class ClientLeft(Exception):
    """The client went away in the middle of its body."""


class RequestBody:
    """`on_end` is called once the client has sent everything: from then on it can only leave."""

    def __init__(self, receive: Receive, on_end: Callable[[], None]) -> None:
        self._receive = receive
        self._on_end = on_end
        self._first = b""

    async def read(self) -> bytes | AsyncIterable[bytes] | None:
        """The body if it is there, else how to read it; None if there is none. Raises ClientLeft."""
        self._first, more = await self._next()
        if more:
            return self._rest()
        return self._first or None

    async def _rest(self) -> AsyncIterator[bytes]:
        chunk, more = self._first, True
        while more:
            if chunk:
                yield chunk
            chunk, more = await self._next()
        if chunk:
            yield chunk

    async def _next(self) -> tuple[bytes, bool]:
        message = await self._receive()
        if message["type"] != "http.request":
            raise ClientLeft
        more = message.get("more_body", False)
        if not more:
            self._on_end()
        return message.get("body", b""), more
