"""An auditor whose events a test can look at."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson

from generic.audit import policy_file
from generic.audit.auditor import Auditor
from generic.audit.event import Event
from generic.audit.metrics import AuditMetrics
from generic.metrics import Metrics
from generic.types import JSONObject

METADATA = "rules: [{level: Metadata}]"


class Collector:
    """A back end that keeps what it gets. `healthy`: what it answers."""

    def __init__(self, *, healthy: bool = True) -> None:
        self.healthy = healthy
        self.batches: list[list[JSONObject]] = []
        self.stopped = False
        self._more = asyncio.Event()

    @property
    def events(self) -> list[JSONObject]:
        return [event for batch in self.batches for event in batch]

    @property
    def stages(self) -> list[str]:
        return [event["stage"] for event in self.events]

    async def start(self) -> None:
        """Nothing to do."""

    async def process(self, events: Sequence[Event]) -> bool:
        self.batches.append([orjson.loads(event.line) for event in events])
        self._more.set()
        return self.healthy

    async def until(self, batches: int) -> None:
        """Wait for so many batches."""
        while len(self.batches) < batches:
            self._more.clear()
            await self._more.wait()

    async def stop(self) -> None:
        self.stopped = True


def metrics() -> AuditMetrics:
    return AuditMetrics(Metrics(process=False))


def auditor(collector: Any, rules: str = METADATA, *, counted: AuditMetrics | None = None) -> Auditor:
    policy = policy_file.parse(f"apiVersion: audit.k8s.io/v1\nkind: Policy\n{rules}".encode())
    return Auditor(policy, collector, counted or metrics(), stopping=asyncio.Event())
