"""Exporter: sends the spans that ended to a collector, some at a time, over gRPC.

Started and stopped with the server; `record` is what the Tracer calls. No request waits for it: while the collector
cannot be reached spans are kept, as many as the queue holds, and then dropped. Mirrors BatchSpanProcessor of
OpenTelemetry's SDK and its `otlptracegrpc`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping

import grpc.aio

from generic.tracing import otlp
from generic.tracing.tracer import Span, Value

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
MOST_QUEUED = 2048
MOST_SENT = 512
EVERY = 5.0
"""Seconds between batches that are not full."""
PATIENCE = 10.0
"""Seconds the collector may take for one."""

_LOG = logging.getLogger(__name__)


class Exporter:
    """`endpoint`: `host:port`, or another address that gRPC knows; the connection is not secured, as in Kubernetes."""

    def __init__(
        self, endpoint: str, resource: Mapping[str, Value], *, scope: str, version: str, every: float = EVERY
    ) -> None:
        self._endpoint = endpoint
        self._resource = dict(resource)
        self._scope, self._version = scope, version
        self._every = every
        self._queue: deque[Span] = deque()
        self._dropped = 0
        self._failing = False
        self._full = asyncio.Event()
        self._channel: grpc.aio.Channel | None = None
        self._task: asyncio.Task[None] | None = None

    def record(self, span: Span) -> None:
        """Take a span that ended."""
        if len(self._queue) >= MOST_QUEUED:
            self._dropped += 1
            return
        self._queue.append(span)
        if len(self._queue) >= MOST_SENT and not self._failing:
            self._full.set()

    async def start(self) -> None:
        """Once."""
        self._channel = grpc.aio.insecure_channel(self._endpoint)
        self._task = asyncio.create_task(self._run(), name="trace exporter")

    async def stop(self) -> None:
        """Send what is left, if the collector takes it. Idempotent."""
        task, self._task = self._task, None
        if task is None or self._channel is None:
            return
        task.cancel()
        await asyncio.wait({task})
        while self._queue and await self._send(self._channel):
            pass
        await self._channel.close()

    async def _run(self) -> None:
        assert self._channel is not None
        while True:
            try:
                async with asyncio.timeout(self._every):
                    await self._full.wait()
            except TimeoutError:
                pass
            self._full.clear()
            while self._queue and await self._send(self._channel):
                pass

    async def _send(self, channel: grpc.aio.Channel) -> bool:
        """One batch. False: it was not taken, and is still there."""
        batch = [self._queue[at] for at in range(min(len(self._queue), MOST_SENT))]
        body = otlp.request(batch, self._resource, scope=self._scope, version=self._version)
        export: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
        try:
            await export(body, timeout=PATIENCE)
        except grpc.aio.AioRpcError as error:
            if not self._failing:
                _LOG.warning("traces cannot be exported to %s: %s", self._endpoint, error.details())
            self._failing = True
            return False
        for _ in batch:
            self._queue.popleft()
        if self._dropped or self._failing:
            _LOG.warning("traces are exported to %s again; %d spans are lost", self._endpoint, self._dropped)
        self._dropped, self._failing = 0, False
        return True
