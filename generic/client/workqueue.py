"""WorkQueue: keys waiting to be worked on, each at most once, never twice at the same time.

Used by `controller.Controller`; alone by whoever needs another kind of worker. Calls nothing of ours.
Mirrors `client-go/util/workqueue`: queue, delaying queue and the per-item exponential limiter, in one.
"""

import asyncio
from bisect import bisect_left
from collections import deque
from collections.abc import Hashable
from time import monotonic
from typing import Any, Generic, TypeVar
from weakref import WeakSet

K = TypeVar("K", bound=Hashable)

_MOST_DOUBLINGS = 64
"""Beyond any sensible `max_delay`, and far from what a float cannot hold."""


NAMED: "WeakSet[WorkQueue[Any]]" = WeakSet()
"""The queues of the process, for as long as somebody holds them."""


class ShutDown(Exception):
    """The queue was shut down and nothing is left in it."""


class Times:
    """How many durations lay below each bound, in seconds, and what they add up to."""

    BOUNDS = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10)

    def __init__(self) -> None:
        self.counts = [0] * (len(self.BOUNDS) + 1)
        self.sum = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(self.BOUNDS, seconds)] += 1
        self.sum += seconds


class Counts:
    """What happened to the keys of a queue: for `queue_metrics.py`."""

    def __init__(self) -> None:
        self.adds = 0
        self.retries = 0
        self.waits = Times()
        self.works = Times()


class WorkQueue(Generic[K]):
    """`key = await queue.get()`, work on it, then always `queue.done(key)`.

    A key added while it waits is still worked on once; added while somebody works on it, it waits until that
    one is done and comes again. For one event loop; nothing here is safe from another thread.
    """

    def __init__(self, name: str = "", *, base_delay: float = 0.005, max_delay: float = 1000.0) -> None:
        """Seconds of a key's first rate-limited wait, and the longest one. With a `name` it is in `NAMED`."""
        self.name = name
        self.counts = Counts()
        if name:
            NAMED.add(self)
        self._base_delay = base_delay
        self._max_delay = max_delay
        self._queue: deque[K] = deque()
        self._dirty: set[K] = set()
        self._processing: set[K] = set()
        self._since: dict[K, float] = {}
        """When a key that waits was put in, or one that is worked on was taken out."""
        self._failures: dict[K, int] = {}
        self._timers: dict[K, asyncio.TimerHandle] = {}
        self._ready = asyncio.Event()
        self._shut = False

    def __len__(self) -> int:
        """How many keys wait for somebody to get them."""
        return len(self._queue)

    def add(self, key: K) -> None:
        """Have the key worked on, once more if somebody is at it right now."""
        if self._shut or key in self._dirty:
            return
        self.counts.adds += 1
        self._dirty.add(key)
        if key not in self._processing:
            self._put(key)

    def add_after(self, key: K, seconds: float) -> None:
        """Add it then. Of several such wishes for one key the earliest counts."""
        if self._shut:
            return
        if seconds <= 0:
            self.add(key)
            return
        loop = asyncio.get_running_loop()
        waiting = self._timers.get(key)
        if waiting is not None:
            if waiting.when() <= loop.time() + seconds:
                return
            waiting.cancel()
        self._timers[key] = loop.call_later(seconds, self._due, key)

    def add_rate_limited(self, key: K) -> None:
        """Add it after a wait that doubles each time, until the key is forgotten."""
        self.counts.retries += 1
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.add_after(key, min(self._base_delay * 2 ** min(failures, _MOST_DOUBLINGS), self._max_delay))

    def forget(self, key: K) -> None:
        """The key is well: its next rate-limited wait is the shortest again. Takes nothing out of the queue."""
        self._failures.pop(key, None)

    async def get(self) -> K:
        """The key that waited longest, as soon as there is one. Raises ShutDown."""
        while not self._queue:
            if self._shut:
                raise ShutDown
            self._ready.clear()
            await self._ready.wait()
        key = self._queue.popleft()
        self._processing.add(key)
        self._dirty.discard(key)
        now = monotonic()
        self.counts.waits.add(now - self._since.get(key, now))
        self._since[key] = now
        return key

    def done(self, key: K) -> None:
        """The work is over, well or badly."""
        self._processing.discard(key)
        now = monotonic()
        self.counts.works.add(now - self._since.pop(key, now))
        if key in self._dirty:
            self._put(key)

    def shut_down(self) -> None:
        """Take nothing more. What waits for its time is dropped, what is in the queue can still be got."""
        self._shut = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._ready.set()

    def _due(self, key: K) -> None:
        del self._timers[key]
        self.add(key)

    def _put(self, key: K) -> None:
        self._queue.append(key)
        self._since[key] = monotonic()
        self._ready.set()
