"""LoopbackTransport: calls of a server to itself, in process, through the whole handler chain.

Made by whoever composes a process (`trikube.controlplane`, `trikube.aa`) before there is a server to
call, and bound to it afterwards; used by `rest.Client`. httpx's own ASGITransport collects the whole
response first, so that a watch through it never begins; this one hands over what the app sends as it
sends it. Mirrors the loopback client of `apiserver/pkg/server/options/serving_with_loopback.go`.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator

import httpx

from generic.types import ASGIApp, Message, Scope

WHOLE = "trikube.whole"
"""Request extension: the caller reads the whole body anyway, so the app may run in the caller's own task."""

HIGH_WATER = 1 << 18
"""Bytes the app may be ahead of a reader before its `send` waits."""

GRACE = 1.0
"""Seconds an app has to notice that its client left, before it is cancelled."""

_LOG = logging.getLogger(__name__)


class LoopbackTransport(httpx.AsyncBaseTransport):
    """Presents `token` as the bearer token; whoever authenticates for `app` makes it LOOPBACK_USER.

    What the app raises is raised here as it is: behind a handler chain that is a defect, not a refusal.
    """

    def __init__(self, app: ASGIApp | None = None, *, token: str = "") -> None:
        self.token = token or secrets.token_urlsafe(32)
        """Good for this process only; compare it in constant time."""
        self._credentials = (b"authorization", f"Bearer {self.token}".encode())
        self._app = app

    def bind(self, app: ASGIApp) -> None:
        """Call this app from now on; until then every call fails as if nobody listened."""
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        app = self._app
        if app is None:
            raise httpx.ConnectError("the server behind the loopback client is not there yet", request=request)
        body = await request.aread()
        exchange = _Exchange(request.method, body)
        scope = self._scope(request)
        if request.extensions.get(WHOLE):
            await exchange.run_here(app, scope)
        else:
            await exchange.run_beside(app, scope)
        return httpx.Response(exchange.status, headers=exchange.headers, stream=exchange)

    def _scope(self, request: httpx.Request) -> Scope:
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        if not any(name == b"authorization" for name, _ in headers):
            headers.append(self._credentials)
        url = request.url
        raw_path, _, query = url.raw_path.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "https",
            "path": url.path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 0),
            "server": ("localhost", 443),
            "extensions": {},
        }


class _Exchange(httpx.AsyncByteStream):
    """One request and its response: ASGI on the app's side, httpx's byte stream on the caller's."""

    def __init__(self, method: str, body: bytes) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._head_only = method == "HEAD"
        self._body: bytes | None = body
        self._chunks: list[bytes] = []
        self._ahead = 0
        self._unbounded = False
        self._complete = False
        self._left = False
        self._task: asyncio.Task[None] | None = None
        self._told = False
        self._gone: asyncio.Future[None] | None = None
        self._readable: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None

    # How the app runs.

    async def run_here(self, app: ASGIApp, scope: Scope) -> None:
        """In the caller's task: no switch, no task, and the caller's cancellation is the app's."""
        self._unbounded = True
        try:
            await app(scope, self._receive, self._send)
        finally:
            self._leave()
        if not self._complete:
            raise httpx.RemoteProtocolError("the server ended without a complete response")

    async def run_beside(self, app: ASGIApp, scope: Scope) -> None:
        """In a task of its own, until the response has begun."""
        self._task = asyncio.ensure_future(app(scope, self._receive, self._send))
        self._task.add_done_callback(self._ended)
        try:
            while not self.status and not self._task.done():
                await self._wait_readable()
        except BaseException:
            await self.aclose()
            raise
        if not self.status:
            self._raise_failure()
            raise httpx.RemoteProtocolError("the server ended without a response")

    # The app's side.

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        if not self._left:
            if self._gone is None:
                self._gone = asyncio.get_running_loop().create_future()
            # Shielded: a receive() given up by the app must not spoil the next one.
            await asyncio.shield(self._gone)
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self._left:
            return
        if message["type"] == "http.response.start":
            if self.status:
                raise RuntimeError("the response has already started")
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            if not self.status or self._complete:
                raise RuntimeError("a response body outside a response")
            self._complete = not message.get("more_body", False)
            chunk = message.get("body", b"")
            if chunk and not self._head_only:
                self._chunks.append(chunk)
                self._ahead += len(chunk)
            if self._complete:
                self._leave()
        self._wake_reader()
        while self._ahead > HIGH_WATER and not self._unbounded and not self._left:
            self._writable = asyncio.get_running_loop().create_future()
            await self._writable

    def _ended(self, _: asyncio.Task[None]) -> None:
        self._wake_reader()
        if self._left:
            self._log_failure()

    # The caller's side.

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            if self._chunks:
                chunks, self._chunks, self._ahead = self._chunks, [], 0
                if self._writable is not None and not self._writable.done():
                    self._writable.set_result(None)
                yield chunks[0] if len(chunks) == 1 else b"".join(chunks)
            elif self._complete:
                return
            elif self._task is None or self._task.done():
                self._raise_failure()
                raise httpx.RemoteProtocolError("the server ended in the middle of its response")
            else:
                await self._wait_readable()

    async def aclose(self) -> None:
        """Tell the app that its client left, and see it end."""
        self._leave()
        self._log_failure()
        task = self._task
        if task is None or task.done():
            return
        try:
            await asyncio.wait({task}, timeout=GRACE)
        finally:
            if not task.done():
                task.cancel()
        if not task.done():
            await asyncio.wait({task})

    def _raise_failure(self) -> None:
        if (failure := self._failure()) is not None:
            raise failure

    def _log_failure(self) -> None:
        if (failure := self._failure()) is not None:
            _LOG.error("a server failed after its loopback client had left", exc_info=failure)

    def _failure(self) -> BaseException | None:
        """What the app raised, for the first who asks."""
        task = self._task
        if task is None or not task.done() or task.cancelled() or self._told:
            return None
        self._told = True
        return task.exception()

    def _leave(self) -> None:
        """No more to be said on either side: `receive` answers http.disconnect from here on."""
        self._left = True
        for waiting in (self._gone, self._writable):
            if waiting is not None and not waiting.done():
                waiting.set_result(None)

    async def _wait_readable(self) -> None:
        self._readable = asyncio.get_running_loop().create_future()
        try:
            await self._readable
        finally:
            self._readable = None

    def _wake_reader(self) -> None:
        if self._readable is not None and not self._readable.done():
            self._readable.set_result(None)
