"""BufferedBackend: mode `batch`: events wait in a buffer and go on in batches; requests wait for nothing.

Made by `setup` around a back end. A buffer that is full loses what comes: a collector that is down must not take the
server's memory. Mirrors `apiserver/plugin/pkg/audit/buffered`.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from generic.audit.event import Event
from generic.audit.interface import Backend
from generic.audit.metrics import AuditMetrics

_PLUGIN = "buffered"


@dataclass(frozen=True, slots=True)
class Batching:
    """`qps`, `burst`: batches a second on average, and at once; `qps` 0 is no limit. `max_wait` in seconds.

    `beside`: a batch does not wait until the one before is written.
    """

    buffer_size: int
    max_size: int
    max_wait: float
    qps: float = 0.0
    burst: int = 1
    beside: bool = False


class BufferedBackend:
    """Runs between `start` and `stop`; what is in the buffer at the end is still written."""

    def __init__(self, backend: Backend, batching: Batching, metrics: AuditMetrics) -> None:
        self._backend = backend
        self._batching = batching
        self._metrics = metrics
        self._throttle = _Throttle(batching.qps, batching.burst)
        self._buffer: deque[Event] = deque()
        self._enough = asyncio.Event()
        """There is a whole batch, or nothing more will come."""
        self._stopped = False
        self._runner: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[bool]] = set()

    async def start(self) -> None:
        await self._backend.start()
        self._runner = asyncio.create_task(self._run(), name="audit-batches")

    async def process(self, events: Sequence[Event]) -> bool:
        room = 0 if self._stopped else self._batching.buffer_size - len(self._buffer)
        self._buffer.extend(events[:room])
        if len(self._buffer) >= self._batching.max_size:
            self._enough.set()
        if room < len(events):
            why = "audit backend shut down" if self._stopped else "audit buffer queue blocked"
            self._metrics.failed(_PLUGIN, why, events[room:])
        return True

    async def stop(self) -> None:
        self._stopped = True
        self._enough.set()
        if self._runner is not None:
            await self._runner
        await asyncio.gather(*self._sending)
        await self._backend.stop()

    async def _run(self) -> None:
        while not self._stopped or self._buffer:
            await self._wait()
            batch = [self._buffer.popleft() for _ in range(min(self._batching.max_size, len(self._buffer)))]
            if len(self._buffer) < self._batching.max_size and not self._stopped:
                self._enough.clear()
            if batch:
                await self._send(batch)

    async def _wait(self) -> None:
        # A batch of one is full as soon as there is one.
        patience = self._batching.max_wait if self._batching.max_size > 1 else None
        try:
            async with asyncio.timeout(patience):
                await self._enough.wait()
        except TimeoutError:
            pass

    async def _send(self, batch: Sequence[Event]) -> None:
        await self._throttle.accept()
        if not self._batching.beside:
            await self._backend.process(batch)
            return
        sending = asyncio.create_task(self._backend.process(batch), name="audit-batch")
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)


class _Throttle:
    """A bucket that holds `burst` tokens and gets `qps` a second."""

    def __init__(self, qps: float, burst: int) -> None:
        self._qps = qps
        self._burst = burst
        self._tokens = float(burst)
        self._filled_at = monotonic()

    async def accept(self) -> None:
        """Take a token, waiting for it if need be."""
        if not self._qps:
            return
        now = monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._qps) - 1
        self._filled_at = now
        if self._tokens < 0:
            await asyncio.sleep(-self._tokens / self._qps)
