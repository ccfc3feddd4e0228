"""From the Service of a webhook to the addresses where it is served now.

Used by `webhook.py`. Follows Services and what is behind them from the first time a webhook names one: a server without
such webhooks follows nothing. There need be no kube-proxy here, so endpoints count, not cluster IPs. Mirrors
`apiserver/pkg/util/webhook/serviceresolver.go` and `apiserver/pkg/util/proxy/proxy.go`.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence

from generic.client.informer import Informer
from generic.client.rest import Client
from generic.client.webhook_failures import WebhookCallError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject

Address = tuple[str, int]
"""A host name or IP address, and a port."""

_SERVICES = GroupVersionResource("", "v1", "services")
_ENDPOINTS = GroupVersionResource("", "v1", "endpoints")
_SLICES = GroupVersionResource("discovery.k8s.io", "v1", "endpointslices")
_SERVICE_NAME = "kubernetes.io/service-name"


class ServiceAddresses:
    """`patience`: seconds a call waits for the first copy of the Services to be complete."""

    def __init__(self, client: Client, *, patience: float = 10.0) -> None:
        self._services = Informer(client, _SERVICES)
        self._endpoints = Informer(client, _ENDPOINTS)
        self._slices = Informer(client, _SLICES)
        self._patience = patience

    async def stop(self) -> None:
        """Idempotent."""
        await asyncio.gather(self._services.stop(), self._endpoints.stop(), self._slices.stop())

    async def resolve(self, namespace: str, name: str, port: int) -> Sequence[Address]:
        """Where the Service is served, at least one address, in the order to try them. Raises WebhookCallError."""
        await self._synced()
        service = self._services.get(name, namespace)
        if service is None:
            raise WebhookCallError(f'service "{name}" not found')
        spec = service.get("spec") or {}
        if spec.get("type") == "ExternalName":
            return [(spec.get("externalName") or "", port)]
        wanted = next((one for one in spec.get("ports") or () if one.get("port") == port), None)
        if wanted is None:
            raise WebhookCallError(f'no service port {port} found for service "{name}"')
        found = list(self._ready(namespace, name, wanted.get("name") or ""))
        if not found:
            raise WebhookCallError(f'no endpoints available for service "{name}"')
        random.shuffle(found)
        return found

    async def _synced(self) -> None:
        informers = (self._services, self._slices, self._endpoints)
        if all(informer.has_synced for informer in informers):
            return
        for informer in informers:
            informer.start()
        try:
            async with asyncio.timeout(self._patience):
                for informer in informers:
                    await informer.wait_synced()
        except TimeoutError:
            raise WebhookCallError("the services of the cluster are not known yet") from None

    def _ready(self, namespace: str, name: str, port_name: str) -> Iterator[Address]:
        slices = [
            one
            for one in self._slices.list(namespace)
            if (one["metadata"].get("labels") or {}).get(_SERVICE_NAME) == name
        ]
        for one in slices:
            ports = list(_ports(one, port_name))
            for endpoint in one.get("endpoints") or ():
                if (endpoint.get("conditions") or {}).get("ready") is not False:
                    yield from ((address, port) for address in endpoint.get("addresses") or () for port in ports)
        endpoints = None if slices else self._endpoints.get(name, namespace)
        for subset in (endpoints or {}).get("subsets") or ():
            ports = list(_ports(subset, port_name))
            yield from ((address["ip"], port) for address in subset.get("addresses") or () for port in ports)


def _ports(holder: JSONObject, name: str) -> Iterator[int]:
    return (port["port"] for port in holder.get("ports") or () if (port.get("name") or "") == name and port.get("port"))
