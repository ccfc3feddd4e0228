"""Periodic: one thing done at the start, whenever asked, and every so often.

Used by the controllers beside this file that keep a few fixed objects as they have to be.
"""

import asyncio
from collections.abc import Awaitable, Callable

from generic.client.controller import Controller


class Periodic:
    """Never two runs at once; one that raises is logged and tried again, with back-off."""

    def __init__(self, name: str, action: Callable[[], Awaitable[None]], *, every: float) -> None:
        self._name = name
        self._action = action
        self._every = every
        self._queue: Controller[str] = Controller(name, self._run)
        self._timer: asyncio.TimerHandle | None = None

    def nudge(self) -> None:
        """Do it soon."""
        self._queue.enqueue(self._name)

    def start(self) -> None:
        self._queue.start()
        self._tick()

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._queue.stop()

    def _tick(self) -> None:
        self.nudge()
        self._timer = asyncio.get_running_loop().call_later(self._every, self._tick)

    async def _run(self, _: str) -> None:
        await self._action()
