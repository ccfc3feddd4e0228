"""Connection: a request that a method takes over, to stream an answer or to talk over a WebSocket.

Made by `ConnectStorage` for methods under `@aa.connect`. Mirrors `apiserver-runtime`'s Connecter and, for channels,
`apimachinery/pkg/util/remotecommand` (v4 and v5.channel.k8s.io).
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from generic.admission.interface import AdmissionChain, Attributes
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.registry.options import GetOptions
from generic.registry.store import Store
from generic.request.context import RequestContext
from generic.types import JSONObject, Message, Receive, Scope, Send
from trikube.aa import calling
from trikube.aa.hooks import ResourceHooks
from trikube.aa.subresources import in_version

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
"""Channels of exec and attach. On ERROR goes, once and last, a Status; CLOSE names a channel that is at its end."""

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io")


class Connection(HTTPConnection):
    """A client's connection. Its query is `query_params`; it ends when the method returns."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope)
        self._pass = (scope, receive, send)
        self._socket: WebSocket | None = None
        self.started = False
        """Whether the answer has begun."""

    @property
    def is_websocket(self) -> bool:
        return bool(self.scope["type"] == "websocket")

    # A streamed answer.

    async def write(self, data: bytes | str, *, media_type: str = "text/plain; charset=utf-8") -> None:
        """Send a piece of the answer now; `media_type` counts in the first."""
        if not self.started:
            self.started = True
            headers = [(b"content-type", media_type.encode())]
            await self._pass[2]({"type": "http.response.start", "status": 200, "headers": headers})
        body = data.encode() if isinstance(data, str) else data
        await self._pass[2]({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self) -> None:
        """The answer is complete. Called by the machinery."""
        if self.is_websocket:
            socket = self._socket or WebSocket(*self._pass)
            if WebSocketState.DISCONNECTED not in (socket.client_state, socket.application_state):
                await socket.close()
            return
        if not self.started:
            await self.write(b"")
        await self._pass[2]({"type": "http.response.body", "body": b"", "more_body": False})

    # Any other way.

    def request(self) -> Request:
        """To read a body."""
        scope, receive, send = self._pass
        return Request(scope, receive, send)

    def websocket(self) -> WebSocket:
        """Raises ValueError, if it is none."""
        if not self.is_websocket:
            raise ValueError("this connection is no WebSocket")
        if self._socket is None:
            self._socket = WebSocket(*self._pass)
        return self._socket

    async def channels(self) -> "Channels":
        """Accept a WebSocket as kubectl exec speaks on it. Raises StatusError, 400, if it is none."""
        offered: Sequence[str] = self.scope.get("subprotocols", ())
        chosen = next((protocol for protocol in PROTOCOLS if protocol in offered), None)
        if not self.is_websocket or (chosen is None and offered):
            raise errors.bad_request(f"unable to upgrade: a WebSocket with one of {', '.join(PROTOCOLS)} is needed")
        socket = self.websocket()
        await socket.accept(chosen)
        return Channels(socket)


class Channels:
    """Several streams on one WebSocket: the first byte of a message is its channel."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket

    async def send(self, channel: int, data: bytes | str) -> None:
        """Raises starlette's WebSocketDisconnect if the client left."""
        body = data.encode() if isinstance(data, str) else data
        await self.socket.send_bytes(bytes((channel,)) + body)

    async def receive(self) -> tuple[int, bytes] | None:
        """The next message; None when the client left, or has no more to say on standard input."""
        while True:
            message = await self.socket.receive()
            if message["type"] != "websocket.receive":
                return None
            body = message.get("bytes") or (message.get("text") or "").encode()
            if body[:2] == bytes((CLOSE, STDIN)):
                return None
            if body:
                return body[0], body[1:]

    async def exit(self, code: int = 0) -> None:
        """Say how it ended, as a process does, and close."""
        status: JSONObject = {"metadata": {}, "status": "Success"}
        if code:
            causes = [{"reason": "ExitCode", "message": str(code)}]
            why = f"command terminated with non-zero exit code: exit status {code}"
            status = {"metadata": {}, "status": "Failure", "message": why, "reason": "NonZeroExitCode"}
            status["details"] = {"causes": causes}
        await self.send(ERROR, orjson.dumps(status))
        await self.socket.close()


class ConnectStorage:
    """The Connecter of one subresource: by method, the author's async methods."""

    def __init__(
        self,
        name: str,
        methods: Mapping[str, Callable[..., Any]],
        *,
        hooks: ResourceHooks,
        parents: Store,
        admission: AdmissionChain,
    ) -> None:
        self._name = name
        self._methods = dict(methods)
        self._hooks = hooks
        self._parents = parents
        self._admission = admission

    @property
    def connect_methods(self) -> frozenset[str]:
        return frozenset(self._methods)

    async def connect(
        self, request: RequestContext, namespace: str, name: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """See `generic.registry.rest.Connecter`."""
        stored = await self._parents.get(request, namespace, name, GetOptions())
        parent = self._hooks.parse(await in_version(self._parents, stored))
        definition = self._hooks.cls.definition
        if parent is None:
            raise errors.internal_error(f'the stored object "{name}" does not fit {definition.gvk.kind}')
        attributes = Attributes(
            "CONNECT", request, definition.gvr, definition.gvk, namespace, name, subresource=self._name
        )
        await self._admission.admit(attributes)
        await self._admission.validate(attributes)
        method = self._methods[scope["method"]]

        async def serve(receive: Receive) -> None:
            connection = Connection(scope, receive, send)
            what = f"{definition.gvk.kind}/{self._name}"
            try:
                answer = await method(parent, self._hooks.context(request), connection)
                if isinstance(answer, Response):
                    await answer(scope, receive, send)
                else:
                    await connection.end()
            except (StatusError, OSError, WebSocketDisconnect) as error:
                # A client may leave at any time: that is nobody's failure.
                if isinstance(error, StatusError):
                    raise
            except Exception as error:
                raise calling.failed(what, error) from error

        await _until_left(request, serve, receive, watched=scope["type"] == "http" and scope["method"] == "GET")


async def _until_left(
    request: RequestContext, serve: Callable[[Receive], Any], receive: Receive, *, watched: bool
) -> None:
    """Cancel `serve` when the server stops and, where nothing but a disconnect can come, when the client leaves."""
    serving = asyncio.ensure_future(serve(_Nothing() if watched else receive))
    forget = request.termination.on_set(serving.cancel) if request.termination is not None else lambda: None
    leaving = asyncio.ensure_future(_left(receive)) if watched else None
    try:
        await asyncio.wait({serving, *({leaving} if leaving else ())}, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            serving.cancel()
        try:
            await serving
        except asyncio.CancelledError:
            # Ours, if the client or the server left; else somebody cancels this very task.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
    finally:
        forget()
        for each in (serving, leaving):
            if each is not None:
                each.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class _Nothing:
    """What a method reads while somebody else waits for the client to leave: an empty body, and then no more."""

    def __init__(self) -> None:
        self._told = False

    async def __call__(self) -> Message:
        if self._told:
            await asyncio.Event().wait()
        self._told = True
        return {"type": "http.request", "body": b"", "more_body": False}
