"""PodPart: the `ephemeralcontainers` and `resize` subresources of pods.

Made by `subresources.py`; what `kubectl debug` and `kubectl patch --subresource resize` call. Mirrors
EphemeralContainersREST and ResizeREST of `pkg/registry/core/pod/storage/storage.go`.
"""

from generic.admission.interface import NO_ADMISSION, AdmissionChain
from generic.registry.options import GetOptions, WriteOptions
from generic.registry.rest import Transform, Written
from generic.registry.store import Store
from generic.registry.strategy import Strategy
from generic.request.context import RequestContext
from generic.storage.objects import StoredObject


class PodPart:
    """Get, update and patch of what `strategy` lets change."""

    def __init__(
        self, parent: Store, *, subresource: str, strategy: Strategy, admission: AdmissionChain = NO_ADMISSION
    ) -> None:
        self._store = Store(
            parent.resource, parent.backing, admission=admission, strategy=strategy, subresource=subresource
        )

    async def get(self, request: RequestContext, namespace: str, name: str, options: GetOptions) -> StoredObject:
        return await self._store.get(request, namespace, name, options)

    async def update(
        self, request: RequestContext, namespace: str, name: str, transform: Transform, options: WriteOptions
    ) -> Written:
        return await self._store.update(request, namespace, name, transform, options)
