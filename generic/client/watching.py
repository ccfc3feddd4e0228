"""Watch: the events of one watch request, read as they come.

Made by `rest.Client.watch`; read by the informer and by whoever follows one object. Mirrors
`client-go/rest/watch` and `apimachinery/pkg/watch/streamwatcher.go`.
"""

import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import httpx
import orjson

from generic.client import failures
from generic.meta import errors
from generic.types import JSONObject

Event = tuple[str, JSONObject]
"""ADDED, MODIFIED, DELETED or BOOKMARK, and the object."""

_LOG = logging.getLogger(__name__)


class Watch:
    """`async with client.watch(...) as events: async for kind, obj in events: ...`

    The request is made on entering, or at the first event. Ends when the server ends the watch; then, on
    any error, and on leaving the block it is closed. Without the block, whoever stops early must `aclose`.
    One task reads. Iterating raises StatusError for a refusal or an ERROR event, TransportError when the
    connection is lost.
    """

    def __init__(self, connect: Callable[[], Awaitable[httpx.Response]], path: str) -> None:
        self._connect = connect
        self._path = path
        self._response: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._events: deque[Any] = deque()
        self._partial: list[bytes] = []
        self._closed = False

    async def open(self) -> None:
        """Make the request; returns when the server has accepted it. Raises StatusError, TransportError."""
        if self._response is None:
            self._response = await self._connect()
            stream = self._response.stream
            assert isinstance(stream, httpx.AsyncByteStream)
            # Below `aiter_bytes`: nothing is compressed, we did not ask for it.
            self._chunks = aiter(stream)

    async def aclose(self) -> None:
        """Leave the watch; the server is told. Raises nothing: why the watch ends matters more than how."""
        self._closed = True
        self._events.clear()
        response, chunks, self._response, self._chunks = self._response, self._chunks, None, None
        try:
            try:
                if isinstance(chunks, AsyncGenerator):
                    await chunks.aclose()
            finally:
                if response is not None:
                    await response.aclose()
        except Exception:
            # Passed on, it would replace a cancellation on its way out, and the reader would live on.
            _LOG.debug("GET %s: cannot close the watch", self._path, exc_info=True)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        try:
            while not self._events:
                if not await self._read():
                    raise StopAsyncIteration
            return self._take()
        except BaseException:
            await self.aclose()
            raise

    def _take(self) -> Event:
        try:
            event = orjson.loads(self._events.popleft())
            kind, obj = event["type"], event["object"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise failures.TransportError(f"GET {self._path}: not a watch event: {error}") from error
        if kind == "ERROR":
            raise _error(obj)
        return kind, obj

    async def _read(self) -> bool:
        """Take the next chunk apart into lines; False at the end of the watch."""
        if self._closed:
            return False
        if self._chunks is None:
            await self.open()
        assert self._chunks is not None
        with failures.translated("GET", self._path):
            chunk = await anext(self._chunks, None)
        if chunk is None:
            if self._partial:
                raise failures.TransportError(f"GET {self._path}: the watch ended in the middle of an event")
            return False
        *lines, rest = chunk.split(b"\n")
        if lines and self._partial:
            lines[0] = b"".join((*self._partial, lines[0]))
            self._partial.clear()
        if rest:
            self._partial.append(rest)
        self._events.extend(line for line in lines if line)
        return True


def _error(obj: JSONObject) -> errors.StatusError:
    if obj.get("kind") == "Status":
        return failures.of_status(obj)
    return errors.internal_error(f"unexpected object in an ERROR event: {obj.get('kind')}")
