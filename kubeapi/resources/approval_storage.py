"""Approval: the `approval` subresource of CertificateSigningRequests, where alone conditions are decided.

Made by `subresources.py`. Mirrors ApprovalREST of `pkg/registry/certificates/certificates/storage/storage.go`.
"""

from generic.admission.interface import NO_ADMISSION, AdmissionChain
from generic.registry.options import GetOptions, WriteOptions
from generic.registry.rest import Transform, Written
from generic.registry.store import Store
from generic.request.context import RequestContext
from generic.storage.objects import StoredObject
from kubeapi.resources.strategies.certificates import CERTIFICATE_APPROVAL


class Approval:
    """Get, update and patch."""

    def __init__(self, parent: Store, *, admission: AdmissionChain = NO_ADMISSION) -> None:
        self._store = Store(
            parent.resource,
            parent.backing,
            admission=admission,
            strategy=CERTIFICATE_APPROVAL,
            subresource="approval",
        )

    async def get(self, request: RequestContext, namespace: str, name: str, options: GetOptions) -> StoredObject:
        return await self._store.get(request, namespace, name, options)

    async def update(
        self, request: RequestContext, namespace: str, name: str, transform: Transform, options: WriteOptions
    ) -> Written:
        return await self._store.update(request, namespace, name, transform, options)
