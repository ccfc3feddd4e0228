"""Connection: a request that a method takes over, to stream an answer or to talk over a WebSocket.

Made by `ConnectStorage` for methods under `@aa.connect`. Mirrors `apiserver-runtime`'s Connecter.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from generic.admission.interface import AdmissionChain, Attributes
from generic.endpoints.options import query_of
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.registry.options import GetOptions
from generic.registry.store import Store
from generic.request.context import RequestContext
from generic.types import Message, Receive, Scope, Send
from trikube.aa import calling, channels
from trikube.aa.channels import Channels, Ports
from trikube.aa.hooks import ResourceHooks
from trikube.aa.subresources import in_version

_PORT = re.compile(r"[0-9]{1,5}").fullmatch
_INTERNAL_ERROR = 1011
"""Of the codes a WebSocket is closed with."""


class Connection(HTTPConnection):
    """A client's connection. Its query is `query_params`; it ends when the method returns."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope)
        self._pass = (scope, receive, send)
        self._socket: WebSocket | None = None
        self._channels: Channels | None = None
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

    async def fail(self, error: StatusError) -> bool:
        """Tell the client as far as that can still be done; False if the answer has not begun. Called as `end` is."""
        socket = self._socket
        if socket is None or socket.application_state is not WebSocketState.CONNECTED:
            # What has begun is broken off: nothing else says that the rest is missing.
            return self.started
        if self._channels is not None:
            await self._channels.fail(error)
        else:
            await socket.close(_INTERNAL_ERROR)
        return True

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

    async def channels(self) -> Channels:
        """Accept a WebSocket as kubectl exec and attach speak on it. Raises StatusError, 400, if it is none."""
        self._channels = Channels(await self._accepted(channels.EXEC))
        return self._channels

    async def ports(self) -> Ports:
        """The same for forwarded ports, those of `?ports=`. Raises StatusError, 400, on what is none."""
        wanted = [part for each in self.query_params.getlist("ports") for part in each.split(",")]
        numbers = [int(part) if _PORT(part) else 0 for part in wanted]
        if not numbers or not all(0 < number < 65536 for number in numbers):
            raise errors.bad_request("ports must be numbers from 1 to 65535, such as ?ports=80")
        made = Ports(await self._accepted(channels.PORT_FORWARD), numbers)
        await made.open()
        return made

    async def _accepted(self, protocols: Sequence[str]) -> WebSocket:
        offered: Sequence[str] = self.scope.get("subprotocols", ())
        chosen = next((protocol for protocol in protocols if protocol in offered), None)
        if not self.is_websocket or (chosen is None and offered):
            # SPDY too: a protocol of its own, which clients since Kubernetes 1.31 speak no longer unless they have to.
            raise errors.bad_request(f"unable to upgrade: a WebSocket with one of {', '.join(protocols)} is needed")
        socket = self.websocket()
        await socket.accept(chosen)
        return socket


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
        if "dryRun" in query_of(scope):
            raise errors.bad_request("dryRun is not supported")
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

        left: list[OSError] = []

        async def tell(message: Message) -> None:
            try:
                await send(message)
            except OSError as error:
                left.append(error)
                raise

        async def serve(receive: Receive) -> None:
            connection = Connection(scope, receive, tell)
            what = f"{definition.gvk.kind}/{self._name}"
            try:
                answer = await method(parent, self._hooks.context(request), connection)
                if isinstance(answer, Response):
                    await answer(scope, receive, tell)
                else:
                    await connection.end()
            except Exception as error:
                if error in left or isinstance(error, WebSocketDisconnect):
                    # A client may leave at any time: that is nobody's failure.
                    return
                told = error if isinstance(error, StatusError) else calling.failed(what, error)
                with contextlib.suppress(OSError, WebSocketDisconnect):
                    if not await connection.fail(told):
                        raise told from None

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
