"""NamespaceFinalize: the `finalize` subresource of namespaces, where alone spec.finalizers may change.

Made by `subresources.py`; called by the namespace controller when a namespace is empty. Mirrors FinalizeREST of
`pkg/registry/core/namespace/storage/storage.go`.
"""

from generic.admission.interface import NO_ADMISSION, AdmissionChain
from generic.registry.options import WriteOptions
from generic.registry.rest import Transform, Written
from generic.registry.store import Store
from generic.request.context import RequestContext
from kubeapi.resources.strategies.core import NAMESPACE_FINALIZE


class NamespaceFinalize:
    """Update alone. Taking the last finalizer off a namespace being deleted removes it."""

    def __init__(self, parent: Store, *, admission: AdmissionChain = NO_ADMISSION) -> None:
        self._store = Store(
            parent.resource,
            parent.backing,
            admission=admission,
            strategy=NAMESPACE_FINALIZE,
            subresource="finalize",
        )

    async def update(
        self, request: RequestContext, namespace: str, name: str, transform: Transform, options: WriteOptions
    ) -> Written:
        return await self._store.update(request, namespace, name, transform, options)
