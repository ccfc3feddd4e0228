"""WebSocket on either protocol: hypercorn's own stream, with our queue, our tasks and the `tls` extension.

Made by `http1` for an upgrade and by `http2` for an extended CONNECT (RFC 8441).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.config import Config
from hypercorn.protocol import events
from hypercorn.protocol.ws_stream import ASGIWebsocketState, WSStream
from hypercorn.typing import AppWrapper, ASGIReceiveEvent, ASGISendEvent, Scope
from hypercorn.typing import WorkerContext as Context

from generic.serving.errors import ClientDisconnected
from generic.serving.headers import Headers, for_http2, outbound
from generic.serving.inbox import Inbox, MessageInbox
from generic.serving.link import Link, log
from generic.serving.raw import EXTENSION, RawConnection

_ACCEPT = b"sec-websocket-accept"
_NONE: Mapping[str, Any] = MappingProxyType({})


class AppTasks(TaskGroup):
    """Where hypercorn's stream starts its app."""

    def __init__(self, link: Link, inbox: MessageInbox, extensions: Mapping[str, Any] = _NONE) -> None:
        # Not the base class's: its group ends the connection when one task fails.
        self.link = link
        self.inbox = inbox
        self.extensions = extensions
        self.app_task: asyncio.Task[None] | None = None

    async def spawn_app(
        self,
        app: AppWrapper,
        config: Config,
        scope: Scope,
        send: Callable[[ASGISendEvent | None], Awaitable[None]],
    ) -> Callable[[ASGIReceiveEvent], Awaitable[None]]:
        own: dict[str, Any] = {**scope}
        own["extensions"] = {**own["extensions"], **self.extensions, "tls": self.link.tls}
        self.app_task = self.link.spawn(self._run(own, send))
        return self.inbox.put  # type: ignore[return-value]

    def spawn(self, func: Callable[..., Any], *args: Any) -> None:
        self.link.spawn(func(*args))

    async def _run(self, scope: dict[str, Any], send: Callable[[Any], Awaitable[None]]) -> None:
        try:
            await self.link.app(scope, self.inbox.receive, send)
        except OSError:
            pass  # the client left
        except Exception:
            log.exception("WebSocket %s failed", scope["path"])
        await send(None)


class WebSocketStream(WSStream):
    """A WebSocket connection."""

    inbox: Inbox

    def __init__(
        self,
        link: Link,
        config: Config,
        context: Context,
        send: Callable[[events.Event], Awaitable[None]],
        stream_id: int,
        *,
        take_over: Any = None,
    ) -> None:
        """`take_over`: how an app gets the whole connection instead; None: only this stream of it."""
        messages = MessageInbox()
        self.inbox = messages
        self.link = link
        self._messages = messages
        self._raw: RawConnection | None = None
        self._tasks = AppTasks(link, messages, {EXTENSION: take_over or self._take_over})
        super().__init__(
            unused_app, config, context, self._tasks, True, link.client, link.server, send, stream_id
        )  # fmt: skip

    def hand_over(self) -> None:
        """The app answers the handshake itself and speaks over the bare connection. Raises ClientDisconnected."""
        task = self._tasks.app_task
        if self.closed or task is None:
            raise ClientDisconnected("the client left")
        if self.state is not ASGIWebsocketState.HANDSHAKE:
            raise RuntimeError(f"too late to take the connection over: state {self.state.name}")
        self.closed = True
        task.add_done_callback(lambda _: self.link.close())

    async def _take_over(self, reason: bytes, headers: Headers) -> RawConnection:
        """The same of one HTTP/2 stream, where the answer is 200."""
        if self.closed:
            raise ClientDisconnected("the client left")
        if self.state is not ASGIWebsocketState.HANDSHAKE:
            raise RuntimeError(f"too late to take the stream over: state {self.state.name}")
        self._raw = RawConnection(self._send_raw)
        self.inbox = self._raw
        kept, _ = for_http2(outbound(header for header in headers if header[0].lower() != _ACCEPT))
        await self.send(events.Response(stream_id=self.stream_id, status_code=200, headers=kept))
        return self._raw

    async def _send_raw(self, data: bytes) -> None:
        await self.send(events.Data(stream_id=self.stream_id, data=data))

    async def handle(self, event: events.Event) -> None:
        if self._raw is not None and isinstance(event, events.Data):
            self._raw.push(event.data)
        else:
            await super().handle(event)

    async def app_send(self, message: ASGISendEvent | None) -> None:
        if self._raw is None:
            await super().app_send(message)
        elif message is None and not self.closed:
            self.closed = True
            await self.send(events.EndData(stream_id=self.stream_id))
            await self.send(events.StreamClosed(stream_id=self.stream_id))

    def ended(self) -> None:
        """The client has sent all it will."""
        if self._raw is not None:
            self._raw.disconnect()

    async def lost(self) -> None:
        """The client left: tell the app, and end it if it does not listen."""
        await self.handle(events.StreamClosed(stream_id=self.stream_id))
        self._messages.disconnect()
        self.ended()
        task = self._tasks.app_task
        if task is not None and not task.done():
            timer = self.link.loop.call_later(self.link.options.abandoned_timeout, task.cancel)
            task.add_done_callback(lambda _: timer.cancel())


async def unused_app(scope: Any, receive: Any, send: Any, sync_spawn: Any, call_soon: Any) -> None:
    """Stands where hypercorn wants the app; ours is started by `AppTasks` and `RequestStream`."""
    raise AssertionError("hypercorn started an app")
