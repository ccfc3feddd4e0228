"""One HTTP request and its response: the ASGI side of both protocols.

Made by `http1` and `http2` for each request, runs the app as one task. Takes the place of hypercorn's
`HTTPStream`, whose events cost an object and a task switch each.
"""

import asyncio
from collections.abc import Iterable
from enum import Enum
from typing import Any, Protocol
from urllib.parse import unquote

from generic.serving import headers as header_rules
from generic.serving.errors import ClientDisconnected
from generic.serving.inbox import BodyInbox
from generic.serving.link import Link, log
from generic.types import Message, Scope

TRAILERS = "http.response.trailers"
"""ASGI's extension; a client gets them over HTTP/2, or if it says that it takes them, or is told that they come."""
INFORMATIONAL = "trikube.informational"
"""An extension of ours: this message, before the response starts, is a 1xx with its `status` and `headers`."""

_ASGI = {"version": "3.0", "spec_version": "2.4"}
_OFFERED: dict[str, Any] = {}
_PROCESSING, _LAST_INFORMATIONAL = 102, 199
"""100 is sent when an app reads, 101 by taking the connection over."""


class Wire(Protocol):
    """What a stream needs of its protocol."""

    def send_start(self, stream: "RequestStream", status: int, headers: header_rules.Headers) -> None:
        """Send the response's head."""

    async def send_body(self, stream: "RequestStream", data: bytes, *, end: bool) -> None:
        """Send a part of the body, waiting while the client cannot take it. Raises ClientDisconnected."""

    def send_informational(self, stream: "RequestStream", status: int, headers: header_rules.Headers) -> None:
        """Send a 1xx response."""

    async def send_trailers(self, stream: "RequestStream", headers: header_rules.Headers) -> None:
        """End the body, with these after it. Raises ClientDisconnected."""

    def reading(self, stream: "RequestStream") -> None:
        """The app wants the body: a client that waits for `100 Continue` may send it."""

    def finished(self, stream: "RequestStream") -> None:
        """The response is complete."""

    def aborted(self, stream: "RequestStream") -> None:
        """The response will never be complete: let the client notice."""


class _State(Enum):
    HEAD = 1
    BODY = 2
    TRAILERS = 3
    DONE = 4
    HANDED_OVER = 5


class RequestStream:
    """A request being answered."""

    __slots__ = (
        "_abandon",
        "_bodyless",
        "_state",
        "_task",
        "_trailers",
        "_trails",
        "gone",
        "inbox",
        "link",
        "scope",
        "stream_id",
        "wire",
    )

    def __init__(self, wire: Wire, link: Link, stream_id: int, scope: Scope) -> None:
        self.wire = wire
        self.link = link
        self.stream_id = stream_id
        self.scope = scope
        self.inbox = BodyInbox(lambda: wire.reading(self))
        self.gone = False
        """The client left, or the connection."""
        self._state = _State.HEAD
        self._bodyless = scope["method"] == "HEAD"
        self._trailers: header_rules.Headers | None = None
        """Those the app has sent; None if it sends none."""
        self._trails = False
        """The client gets them."""
        self._abandon: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        return False

    @property
    def begun(self) -> bool:
        """The final response has been started."""
        return self._state is not _State.HEAD

    def start(self) -> None:
        """Run the app on it."""
        self._task = self.link.spawn(self._run())

    def disconnect(self) -> None:
        """The client left: tell the app, and end it if it does not listen."""
        if self.gone:
            return
        self.gone = True
        self.inbox.disconnect()
        if self._task is not None and not self._task.done():
            self._abandon = self.link.loop.call_later(self.link.options.abandoned_timeout, self._give_up)

    def hand_over(self) -> None:
        """The app answers for itself, over the bare connection. Raises ClientDisconnected."""
        if self.gone:
            raise ClientDisconnected("the client left")
        if self._state is not _State.HEAD:
            raise RuntimeError(f"too late to take the connection over: state {self._state.name}")
        self._state = _State.HANDED_OVER

    async def send(self, message: Message) -> None:
        """ASGI's `send`. Raises ClientDisconnected once the client left."""
        if self.gone:
            raise ClientDisconnected("the client left")
        kind = message["type"]
        if kind == "http.response.body" and self._state is _State.BODY:
            data = b"" if self._bodyless else message.get("body", b"")
            end = not message.get("more_body", False)
            if end and self._trailers is not None:
                self._state, end = _State.TRAILERS, False
            if data or end:
                await self.wire.send_body(self, data, end=end)
            if end:
                self._finish()
        elif kind == "http.response.start" and self._state is _State.HEAD:
            status = message["status"]
            headers = message.get("headers", ())
            if message.get("trailers", False):
                headers = list(headers)
                self._trailers = []
            self._start(status, headers)
            self._trails = self._trailers is not None and self._takes_trailers(headers)
        elif kind == TRAILERS and self._state is _State.TRAILERS and self._trailers is not None:
            self._trailers += message.get("headers", ())
            if not message.get("more_trailers", False):
                await self.wire.send_trailers(self, header_rules.trailers(self._trailers) if self._trails else [])
                self._finish()
        elif kind == INFORMATIONAL and self._state is _State.HEAD:
            await self._inform(message["status"], message.get("headers", ()))
        else:
            raise RuntimeError(f"{kind} is not expected in state {self._state.name}")

    async def _inform(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        if not _PROCESSING <= status <= _LAST_INFORMATIONAL:
            raise ValueError(f"{status} is no informational response to be sent by an app")
        if self.scope["http_version"] != "1.0":
            # What frames a message has no place in a 1xx either.
            self.wire.send_informational(self, status, header_rules.trailers(headers))
            if self.link.congested:
                await self.link.room()

    def _takes_trailers(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        if self._bodyless or self.scope["http_version"] == "2":
            return not self._bodyless
        names = {name.lower() for name, _ in headers}
        told = b"trailer" in names or header_rules.take_trailers(self.scope["headers"])
        return told and b"content-length" not in names and self.scope["http_version"] == "1.1"

    def _finish(self) -> None:
        self._state = _State.DONE
        self.inbox.disconnect()
        self.wire.finished(self)

    def _start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        if status in {204, 304}:
            self._bodyless = True
        self.wire.send_start(self, status, header_rules.outbound(headers))
        self._state = _State.BODY

    async def _run(self) -> None:
        try:
            await self.link.app(self.scope, self.inbox.receive, self.send)
            if self._state not in {_State.DONE, _State.HANDED_OVER} and not self.gone:
                log.error("%s %s was not answered completely", self.scope["method"], self.scope["path"])
        except ClientDisconnected:
            pass
        except asyncio.CancelledError:
            self._end_unfinished()
            raise
        except ConnectionAbortedError as error:
            # The app's word for a response whose rest is not to be had: it is no failure of ours.
            if not self.gone:
                log.warning("%s %s was cut off: %s", self.scope["method"], self.scope["path"], error)
        except Exception:
            if not self.gone:
                log.exception("%s %s failed", self.scope["method"], self.scope["path"])
        finally:
            if self._abandon is not None:
                self._abandon.cancel()
        if self._state is _State.HEAD and not self.gone:
            await self._fail()
        self._end_unfinished()

    async def _fail(self) -> None:
        body = b"Internal Server Error"
        length = str(len(body)).encode()
        try:
            self._start(500, [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", length)])
            await self.send({"type": "http.response.body", "body": body})
        except ClientDisconnected:
            pass

    def _end_unfinished(self) -> None:
        if self._state is not _State.DONE:
            self._state = _State.DONE
            if not self.gone:
                self.gone = True
                self.inbox.disconnect()
                self.wire.aborted(self)

    def _give_up(self) -> None:
        if self._task is not None and not self._task.done():
            log.warning("%s %s went on after its client left: cancelled", self.scope["method"], self.scope["path"])
            self._task.cancel()


def http_scope(
    link: Link, *, method: str, target: bytes, headers: Iterable[tuple[bytes, bytes]], http_version: str
) -> Scope:
    """The ASGI scope of a request. Raises ValueError on a target that is no path."""
    raw_path, _, query = target.partition(b"?")
    if not raw_path.startswith(b"/") and raw_path != b"*":
        # The absolute form, which a server must accept (RFC 9112, 3.2.2).
        scheme, separator, rest = raw_path.partition(b"://")
        if not separator or scheme.lower() not in {b"http", b"https"}:
            raise ValueError("malformed request target")
        raw_path = b"/" + rest.partition(b"/")[2]
    path = raw_path.decode("ascii")
    extensions: dict[str, Any] = {"tls": link.tls, TRAILERS: _OFFERED, INFORMATIONAL: _OFFERED}
    return {
        "type": "http",
        "asgi": _ASGI,
        "http_version": http_version,
        "method": method,
        "scheme": "https",
        "path": unquote(path) if "%" in path else path,
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": headers,
        "client": link.client,
        "server": link.server,
        "extensions": extensions,
    }
