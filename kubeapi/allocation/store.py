"""ServiceStore: the REST storage of Services, which have to be given addresses and node ports.

Made by `kubeapi/resources/build.py` in place of a plain Store, as `build.py` beside this file tells it. Claims are
made behind mutating admission, as the hooks of Kubernetes' store are, and given back when the write fails, or when
what held them is gone. Mirrors `pkg/registry/core/service/storage/storage.go`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from generic.admission.interface import NO_ADMISSION, AdmissionChain, Attributes
from generic.meta import errors
from generic.registry import create, update
from generic.registry.options import DeleteOptions, WriteOptions
from generic.registry.resource import Resource
from generic.registry.rest import Deleted, Transform, Written
from generic.registry.store import Store
from generic.registry.write_path import Backing, WritePath
from generic.request.context import RequestContext
from generic.storage.objects import StoredObject
from generic.types import JSONObject
from kubeapi.allocation.services import ServiceAllocator
from kubeapi.allocation.transaction import Transaction


class ServiceStore(Store):
    """A Store whose writes claim and release."""

    def __init__(
        self,
        resource: Resource,
        backing: Backing,
        *,
        allocator: ServiceAllocator,
        admission: AdmissionChain = NO_ADMISSION,
        garbage_collection: bool = False,
    ) -> None:
        super().__init__(resource, backing, admission=admission, garbage_collection=garbage_collection)
        self._allocator = allocator

    async def create(
        self, request: RequestContext, namespace: str, obj: JSONObject, options: WriteOptions
    ) -> StoredObject:
        async with self._claiming(dry_run=options.dry_run) as path:
            return await create.create(path, request, namespace, obj, options)

    async def update(
        self, request: RequestContext, namespace: str, name: str, transform: Transform, options: WriteOptions
    ) -> Written:
        async with self._claiming(dry_run=options.dry_run) as path:
            written = await update.update(path, request, namespace, name, transform, options)
        obj = written.object.decoded()
        if obj["metadata"].get("deletionTimestamp") and not obj["metadata"].get("finalizers") and not options.dry_run:
            # Its last finalizer went with this write, and so did it.
            await self._release(obj)
        return written

    async def delete(self, request: RequestContext, namespace: str, name: str, options: DeleteOptions) -> Deleted:
        gone = await super().delete(request, namespace, name, options)
        if gone.immediate and not options.dry_run:
            await self._release(gone.object.decoded())
        return gone

    async def _release(self, obj: JSONObject) -> None:
        await self._allocator.release(obj, self._allocator.transaction(dry_run=False))

    @asynccontextmanager
    async def _claiming(self, *, dry_run: bool) -> AsyncIterator[WritePath]:
        """The write path with claims: kept if the block ends well, given back if nothing was stored."""
        claims = self._allocator.transaction(dry_run=dry_run)
        try:
            yield replace(self._path, admission=_Claiming(self._path.admission, self._allocator, claims))
        except errors.StatusError as error:
            # Of a failure of the engine nobody knows whether the object is stored: that is for the repair to see.
            if error.code < 500:
                await claims.revert()
            raise
        await claims.commit()


class _Claiming(AdmissionChain):
    """The admission chain with the claims made where it ends to change the object."""

    def __init__(self, chain: AdmissionChain, allocator: ServiceAllocator, claims: Transaction) -> None:
        super().__init__()
        self._chain = chain
        self._allocator = allocator
        self._claims = claims

    async def admit(self, attributes: Attributes) -> bool:
        # An update that lost a race comes here again, with another object.
        await self._claims.revert()
        await self._chain.admit(attributes)
        if attributes.object is None:
            return True
        try:
            await self._allocator.fill(attributes.object, attributes.old_object, self._claims)
        except errors.StatusError:
            await self._claims.revert()
            raise
        return True

    async def validate(self, attributes: Attributes) -> None:
        try:
            await self._chain.validate(attributes)
        except errors.StatusError:
            await self._claims.revert()
            raise
