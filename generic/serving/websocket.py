"""WebSocket on either protocol: hypercorn's own stream, with our queue, our tasks and the `tls` extension.

Made by `http1` for an upgrade and by `http2` for an extended CONNECT (RFC 8441).

A raw upgrade (SPDY for `exec` and `port-forward` of old clients) would be a third kind of stream in
`http1`: h11 switches protocols by itself when an `InformationalResponse(101)` is sent, after which bytes
pass both ways unparsed. It needs an ASGI extension of ours in the scope of requests with `Upgrade`, an
`http.upgrade.accept` message that sends the 101, and then body messages both ways through `MessageInbox`
and `Link.write`; `_advance` already takes `H11WSConnection`, hypercorn's stand-in that does not parse.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from hypercorn.asyncio.task_group import TaskGroup
from hypercorn.config import Config
from hypercorn.protocol import events
from hypercorn.protocol.ws_stream import WSStream
from hypercorn.typing import AppWrapper, ASGIReceiveEvent, ASGISendEvent, Scope
from hypercorn.typing import WorkerContext as Context

from generic.serving.inbox import MessageInbox
from generic.serving.link import Link, log


class AppTasks(TaskGroup):
    """Where hypercorn's stream starts its app."""

    def __init__(self, link: Link, inbox: MessageInbox) -> None:
        # Not the base class's: its group ends the connection when one task fails.
        self.link = link
        self.inbox = inbox
        self.app_task: asyncio.Task[None] | None = None

    async def spawn_app(
        self,
        app: AppWrapper,
        config: Config,
        scope: Scope,
        send: Callable[[ASGISendEvent | None], Awaitable[None]],
    ) -> Callable[[ASGIReceiveEvent], Awaitable[None]]:
        own: dict[str, Any] = {**scope}
        own["extensions"] = {**own["extensions"], "tls": self.link.tls}
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

    def __init__(
        self,
        link: Link,
        config: Config,
        context: Context,
        send: Callable[[events.Event], Awaitable[None]],
        stream_id: int,
    ) -> None:
        self.inbox = MessageInbox()
        self.link = link
        self._tasks = AppTasks(link, self.inbox)
        super().__init__(
            unused_app, config, context, self._tasks, True, link.client, link.server, send, stream_id
        )  # fmt: skip

    async def lost(self) -> None:
        """The client left: tell the app, and end it if it does not listen."""
        await self.handle(events.StreamClosed(stream_id=self.stream_id))
        self.inbox.disconnect()
        task = self._tasks.app_task
        if task is not None and not task.done():
            timer = self.link.loop.call_later(self.link.options.abandoned_timeout, task.cancel)
            task.add_done_callback(lambda _: timer.cancel())


async def unused_app(scope: Any, receive: Any, send: Any, sync_spawn: Any, call_soon: Any) -> None:
    """Stands where hypercorn wants the app; ours is started by `AppTasks` and `RequestStream`."""
    raise AssertionError("hypercorn started an app")
