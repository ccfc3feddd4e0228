"""RemoteWebhooks: the two webhook plugins of an aggregated server, in step with the main server's configurations.

Made by whoever composes an aggregated server (`trikube.aa`), as `apiserver/pkg/server/options/admission.go` makes them
for every server by default.
"""

import asyncio

from generic.admission.interface import AdmissionPlugin
from generic.admission.matching import NamespaceSource
from generic.admission.webhook import configurations
from generic.admission.webhook.calling import WebhookAsker
from generic.admission.webhook.configurations import WebhookList
from generic.admission.webhook.metrics import AdmissionMetrics
from generic.admission.webhook.mutating import MutatingAdmissionWebhook
from generic.admission.webhook.validating import ValidatingAdmissionWebhook
from generic.authorization.interface import Authorizer
from generic.client.informer import Informer
from generic.client.rest import Client
from generic.client.webhook import WebhookCaller


class RemoteWebhooks:
    """`client` reaches the main server. `patience`: seconds a write waits for the configurations to be known."""

    def __init__(
        self, client: Client, namespaces: NamespaceSource, authorizer: Authorizer, *, patience: float = 10.0
    ) -> None:
        self.metrics = AdmissionMetrics()
        self._patience = patience
        # By their names, as others do: what a server needs no right to is one thing less to go wrong.
        self._caller = WebhookCaller(None)
        self._mutating = Informer(client, configurations.MUTATING)
        self._validating = Informer(client, configurations.VALIDATING)
        asker = WebhookAsker(self._caller, namespaces, authorizer, self.metrics)
        self.plugins: tuple[AdmissionPlugin, ...] = (
            MutatingAdmissionWebhook(self._list(self._mutating), asker),
            ValidatingAdmissionWebhook(self._list(self._validating), asker),
        )

    def start(self) -> None:
        """Idempotent."""
        self._mutating.start()
        self._validating.start()

    async def stop(self) -> None:
        """Idempotent."""
        await asyncio.gather(self._mutating.stop(), self._validating.stop())
        await self._caller.aclose()

    @property
    def has_synced(self) -> bool:
        """Whether the configurations are known; for `/readyz`."""
        return self._mutating.has_synced and self._validating.has_synced

    def _list(self, informer: Informer) -> WebhookList:
        async def wait() -> bool:
            if not informer.has_synced:
                try:
                    async with asyncio.timeout(self._patience):
                        await informer.wait_synced()
                except TimeoutError:
                    return False
            return True

        webhooks = WebhookList(wait)
        informer.add_handler(webhooks.follow)
        return webhooks
