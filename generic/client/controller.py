"""Controller: a queue of keys and the workers that reconcile them.

Made by every controller of the three servers, whose informer handlers enqueue keys. Stands on `workqueue`.
Mirrors the processNextWorkItem loop of `sample-controller/controller.go`, which every Kubernetes controller has.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic

from generic.client import workqueue
from generic.client.workqueue import K, WorkQueue
from generic.meta import errors

_LOG = logging.getLogger(__name__)


class Controller(Generic[K]):
    """Awaits `reconcile(key)` for each key enqueued, never for one key twice at the same time.

    A reconcile that raises is logged and comes again, later each time; one that returns is forgotten. It reads
    the state of the world anew: why it was called is not said.
    """

    def __init__(
        self,
        name: str,
        reconcile: Callable[[K], Awaitable[None]],
        *,
        workers: int = 1,
        base_delay: float = 0.005,
        max_delay: float = 1000.0,
    ) -> None:
        """`workers` keys at the same time; the delays, in seconds, are those before a failed key comes again."""
        self.name = name
        self._reconcile = reconcile
        self._workers = workers
        self._queue: WorkQueue[K] = WorkQueue(name, base_delay=base_delay, max_delay=max_delay)
        self._tasks: list[asyncio.Task[None]] = []
        self._started = False

    def enqueue(self, key: K) -> None:
        """Reconcile the key soon. May be called before the start; after the end it does nothing."""
        self._queue.add(key)

    def enqueue_after(self, key: K, seconds: float) -> None:
        """Reconcile the key then."""
        self._queue.add_after(key, seconds)

    def start(self) -> None:
        """Start the workers, once: a controller that was stopped stays so."""
        if self._started:
            return
        self._started = True
        self._tasks = [
            asyncio.get_running_loop().create_task(self._work(), name=f"{self.name} worker {number}")
            for number in range(self._workers)
        ]

    async def stop(self) -> None:
        """Cancel the workers, in the middle of a reconcile if need be, and see them end."""
        self._started = True
        self._queue.shut_down()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _work(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        # Asked each time: a reconcile may turn our cancellation into an error of its own.
        while not task.cancelling():
            try:
                key = await self._queue.get()
            except workqueue.ShutDown:
                return
            try:
                await self._process(key, task)
            finally:
                self._queue.done(key)

    async def _process(self, key: K, task: asyncio.Task[None]) -> None:
        try:
            await self._reconcile(key)
        except asyncio.CancelledError:
            if task.cancelling():
                raise
            _LOG.exception("%s: %s: gave up on what was cancelled", self.name, key)
        except errors.StatusError as error:
            _LOG.warning("%s: %s: %s", self.name, key, error)
        except Exception:
            _LOG.exception("%s: %s: failed", self.name, key)
        else:
            self._queue.forget(key)
            return
        self._queue.add_rate_limited(key)
