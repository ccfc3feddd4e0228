"""AdmissionWebhooks: the two webhook plugins of the main server, in step with its own configurations.

Made by `kubeapi/server.py`. The configurations are read from this server's caches, so that a write is seen by every
webhook whose configuration was acknowledged before; without any, a write pays for one look at an empty list.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from generic.admission.interface import AdmissionPlugin
from generic.admission.matching import NamespaceSource
from generic.admission.webhook import configurations
from generic.admission.webhook.calling import WebhookAsker
from generic.admission.webhook.configurations import WebhookList
from generic.admission.webhook.metrics import AdmissionMetrics
from generic.admission.webhook.mutating import MutatingAdmissionWebhook
from generic.admission.webhook.validating import ValidatingAdmissionWebhook
from generic.authorization.interface import Authorizer
from generic.client.rest import Client
from generic.client.webhook import WebhookCaller
from generic.meta.gvk import GroupResource
from generic.storage.cacher_state import Listener
from generic.storage.watch_stream import WatchEvent


class Subscribable(Protocol):
    """The part of a Cacher that is needed here."""

    async def start(self) -> None: ...

    def subscribe(self, listener: Listener) -> Callable[[], None]: ...


class AdmissionWebhooks:
    """`client` finds the Services that webhooks stand behind, `authorizer` answers expressions."""

    def __init__(
        self,
        caches: Mapping[GroupResource, Subscribable],
        namespaces: NamespaceSource,
        client: Client,
        authorizer: Authorizer,
    ) -> None:
        self.metrics = AdmissionMetrics()
        self._caller = WebhookCaller(client)
        asker = WebhookAsker(self._caller, namespaces, authorizer, self.metrics)
        mutating, validating = WebhookList(), WebhookList()
        self.plugins: Sequence[AdmissionPlugin] = (
            MutatingAdmissionWebhook(mutating, asker),
            ValidatingAdmissionWebhook(validating, asker),
        )
        self._followed = (
            (caches[configurations.MUTATING.group_resource], mutating),
            (caches[configurations.VALIDATING.group_resource], validating),
        )
        self._ends: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Load the configurations; from then on the plugins follow every change."""
        await asyncio.gather(*(cache.start() for cache, _ in self._followed))
        self._ends = [cache.subscribe(_listener(webhooks)) for cache, webhooks in self._followed]

    async def stop(self) -> None:
        """Follow no longer, close all connections."""
        ends, self._ends = self._ends, []
        for end in ends:
            end()
        await self._caller.aclose()


def _listener(webhooks: WebhookList) -> Listener:
    def hear(event: WatchEvent) -> None:
        if event.object is None:
            return
        if event.type == "DELETED":
            webhooks.remove(event.object.name)
        else:
            webhooks.put(event.object.decoded())

    return hear
