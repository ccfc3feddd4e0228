"""Departure: stop working on a request as soon as its client leaves, or the server ends its watches.

Used by the handler around the time it waits for a backend. Nobody else may read `receive` meanwhile.
"""

import asyncio
from types import TracebackType
from typing import Self

from generic.request.context import Termination
from generic.types import Receive


class Departure:
    """`async with Departure(receive) as departure:` ends early, without an exception, when the client left.

    `termination`, where given, ends it the same way.
    """

    def __init__(self, receive: Receive, termination: Termination | None = None) -> None:
        self._receive = receive
        self._termination = termination
        self._watcher: asyncio.Task[None] | None = None
        self._main: asyncio.Task[object] | None = None
        self._cancelling = 0
        """How many cancellations the task had seen before, as `asyncio.timeout` counts them."""
        self._forget = _nothing
        self.client_left = False
        self.terminated = False
        self._over = False

    def watch(self) -> None:
        """From now on notice the client leaving: its whole body has been read."""
        self._watcher = asyncio.create_task(self._wait())

    def over(self) -> None:
        """The response is about to be complete: what `receive` says from now on means nothing."""
        self._over = True

    async def __aenter__(self) -> Self:
        self._main = asyncio.current_task()
        self._cancelling = self._main.cancelling() if self._main is not None else 0
        if self._termination is not None:
            self._forget = self._termination.on_set(self._terminate)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._over = True
        self._forget()
        if self._watcher is not None:
            self._watcher.cancel()
        if not (self.client_left or self.terminated):
            return False
        assert self._main is not None
        # Somebody else's cancellation, of the same moment, goes on.
        return self._main.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError)

    async def _wait(self) -> None:
        while (await self._receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
            pass
        if not self._over:
            self._over = self.client_left = True
            self._cancel()

    def _terminate(self) -> None:
        if not self._over:
            self._over = self.terminated = True
            self._cancel()

    def _cancel(self) -> None:
        assert self._main is not None
        self._main.cancel()


def _nothing() -> None:
    """Nobody is called back."""
