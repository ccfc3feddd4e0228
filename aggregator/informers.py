"""The objects this tier follows, each through one informer shared by all who need it.

Made and started by `server.py`; read by the resolver and the controllers. Mirrors the informer factories of
`kube-aggregator/pkg/apiserver/apiserver.go`.
"""

import asyncio

from aggregator.apiservices import resource
from generic.client import resolving
from generic.client.informer import Informer
from generic.client.rest import Client
from generic.health import HealthCheck
from generic.meta.gvk import GroupVersionResource

CRDS = GroupVersionResource("apiextensions.k8s.io", "v1", "customresourcedefinitions")


class NotSynced(Exception):
    """Some copy is not complete yet."""


class Informers:
    """What is followed. `custom_resource_definitions` is None where no server of the chain has them."""

    def __init__(self, client: Client, *, custom_resources: bool) -> None:
        self.apiservices = Informer(client, resource.GVR)
        self.services = Informer(client, resolving.SERVICES)
        self.endpoint_slices = Informer(client, resolving.ENDPOINT_SLICES)
        self.endpoints = Informer(client, resolving.ENDPOINTS)
        self.custom_resource_definitions = Informer(client, CRDS) if custom_resources else None

    def _all(self) -> list[Informer]:
        crds = [] if self.custom_resource_definitions is None else [self.custom_resource_definitions]
        return [self.apiservices, self.services, self.endpoint_slices, self.endpoints, *crds]

    def start(self) -> None:
        for informer in self._all():
            informer.start()

    async def stop(self) -> None:
        await asyncio.gather(*(informer.stop() for informer in self._all()))

    def check(self) -> HealthCheck:
        """Fails until each has seen what there was at the start."""

        async def synced() -> None:
            if not all(informer.has_synced for informer in self._all()):
                raise NotSynced("not all informers have synced")

        return HealthCheck("informer-sync", synced)

    async def wait_synced_backends(self) -> None:
        """Return when it is known which Services there are and what is behind them."""
        for informer in (self.services, self.endpoint_slices, self.endpoints):
            await informer.wait_synced()

    async def wait_synced_definitions(self) -> None:
        """Return when every CustomResourceDefinition there is has been told of, where there can be any."""
        if self.custom_resource_definitions is not None:
            await self.custom_resource_definitions.wait_synced()
