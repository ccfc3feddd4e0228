"""WebhookBackend: posts events as EventLists to a server that a kubeconfig names.

Made by `setup`. Whatever goes wrong is tried again, later and later: there is hardly an error after which a collector
could not be back soon. Mirrors `apiserver/plugin/pkg/audit/webhook` and `apiserver/pkg/util/webhook`.
"""

import asyncio
import random
from collections.abc import Sequence

from generic.audit.event import Event
from generic.audit.metrics import AuditMetrics
from generic.client.rest import Client
from generic.meta.errors import StatusError

TIMEOUT = 30.0
"""Seconds for one attempt."""
ATTEMPTS = 5

_PLUGIN = "webhook"
_GROWTH, _JITTER = 1.5, 0.2
_HEAD = b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":['


class WebhookBackend:
    """`initial_backoff`: seconds between the first two attempts. Closes the client when it stops.

    Once `stopping` is set, each batch has the attempt it is in or one more: nobody waits minutes for a server to end.
    """

    def __init__(
        self, client: Client, metrics: AuditMetrics, *, initial_backoff: float, stopping: asyncio.Event
    ) -> None:
        self._client = client
        self._initial_backoff = initial_backoff
        self._metrics = metrics
        self._stopping = stopping

    async def start(self) -> None:
        """Nothing is sent yet."""

    async def process(self, events: Sequence[Event]) -> bool:
        body = b"%b%b]}" % (_HEAD, b",".join([event.encoded for event in events]))
        delay = self._initial_backoff
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with asyncio.timeout(TIMEOUT):
                    await self._client.request("POST", "", query={"timeout": f"{TIMEOUT:g}s"}, body=body)
                return True
            except TimeoutError:
                failure = "context deadline exceeded"
            except StatusError as error:
                failure = error.message
            if attempt == ATTEMPTS or self._stopping.is_set():
                break
            await self._pause(delay * (1 + random.random() * _JITTER))
            delay *= _GROWTH
        self._metrics.failed(_PLUGIN, failure, events)
        return False

    async def stop(self) -> None:
        await self._client.aclose()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass
