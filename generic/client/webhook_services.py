"""Where the Service of a webhook is served now.

Used by `webhook.py`. Follows Services and what is behind them from the first time a webhook names one: a server without
such webhooks follows nothing. Mirrors `apiserver/pkg/util/webhook/serviceresolver.go`.
"""

import asyncio
from collections.abc import Sequence

from generic.client import resolving
from generic.client.informer import Informer
from generic.client.resolving import Address, EndpointResolver, ResolveError, ServiceReference
from generic.client.rest import Client


class ServiceAddresses:
    """`patience`: seconds a call waits for the first copy of the Services to be complete."""

    def __init__(self, client: Client, *, patience: float = 10.0) -> None:
        kinds = (resolving.SERVICES, resolving.ENDPOINT_SLICES, resolving.ENDPOINTS)
        self._informers = [Informer(client, kind) for kind in kinds]
        self._resolver = EndpointResolver(*self._informers)
        self._patience = patience

    async def stop(self) -> None:
        """Idempotent."""
        await asyncio.gather(*(informer.stop() for informer in self._informers))

    async def resolve(self, service: ServiceReference) -> Sequence[Address]:
        """Where it is served, at least one address, in the order to try them. Raises ResolveError."""
        if not all(informer.has_synced for informer in self._informers):
            await self._sync()
        return self._resolver.resolve(service)

    async def _sync(self) -> None:
        for informer in self._informers:
            informer.start()
        try:
            async with asyncio.timeout(self._patience):
                for informer in self._informers:
                    await informer.wait_synced()
        except TimeoutError:
            raise ResolveError("the services of the cluster are not known yet") from None
