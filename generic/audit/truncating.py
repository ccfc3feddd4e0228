"""TruncatingBackend: keeps events and batches below a size.

Made by `setup` around a back end. An event that is too large loses its objects; one that still is, is dropped. Mirrors
`apiserver/plugin/pkg/audit/truncate`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from generic.audit.event import Event
from generic.audit.interface import Backend
from generic.audit.metrics import AuditMetrics

_PLUGIN = "truncate"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes."""

    event: int
    batch: int


class TruncatingBackend:
    def __init__(self, backend: Backend, limits: Limits, metrics: AuditMetrics) -> None:
        self._backend = backend
        self._limits = limits
        self._metrics = metrics

    async def start(self) -> None:
        await self._backend.start()

    async def process(self, events: Sequence[Event]) -> bool:
        success = True
        batch: list[Event] = []
        lost: list[Event] = []
        size = 0
        for event in events:
            if len(event.line) > self._limits.event and event.fields["level"] in ("Request", "RequestResponse"):
                event = event.without_objects()
            length = len(event.line)
            if length > self._limits.event:
                lost.append(event)
                continue
            if batch and size + length > self._limits.batch:
                success = await self._backend.process(batch) and success
                batch, size = [], 0
            batch.append(event)
            size += length
        if batch:
            success = await self._backend.process(batch) and success
        if lost:
            self._metrics.failed(_PLUGIN, "event is too large even after truncating", lost)
        return success

    async def stop(self) -> None:
        await self._backend.stop()
