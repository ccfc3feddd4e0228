"""Store: REST storage for any Resource, over a Cacher and a Storage engine.

Called by endpoints for every verb. Reads come from the Cacher as bytes; writes go through `create.py`,
`update.py` and `delete.py`, one storage transaction each. One Store per served version; the versions
of a resource share one `Backing`. Mirrors `apiserver/pkg/registry/generic/registry/store.go`.
"""

from generic.admission.interface import NO_ADMISSION, AdmissionChain
from generic.meta import errors
from generic.registry import create, delete, selection, update
from generic.registry.options import DeleteOptions, GetOptions, ListOptions, WriteOptions
from generic.registry.resource import Resource
from generic.registry.rest import Deleted, Transform, Written
from generic.registry.strategy import StatusStrategy, Strategy
from generic.registry.write_path import Backing, WritePath
from generic.request.context import RequestContext
from generic.storage.cacher import ListResult
from generic.storage.objects import StoredObject
from generic.storage.watch_stream import WatchStream
from generic.types import JSONObject


class ObjectStore:
    """REST storage of one Resource whose collections are not deleted at once, as namespaces are not.

    Every method raises StatusError.
    """

    def __init__(
        self,
        resource: Resource,
        backing: Backing,
        *,
        admission: AdmissionChain = NO_ADMISSION,
        strategy: Strategy | None = None,
        subresource: str = "",
        garbage_collection: bool = False,
    ) -> None:
        self.resource = resource
        self.backing = backing
        if resource.converter is not None:
            backing.served[resource.gvr] = resource.gvk
        self._path = WritePath(
            resource=resource,
            backing=backing,
            admission=admission,
            strategy=strategy or resource.strategy,
            subresource=subresource,
            garbage_collection=garbage_collection,
        )

    @property
    def strategy(self) -> Strategy:
        return self._path.strategy

    @property
    def garbage_collection(self) -> bool:
        """Whether a deletion may ask for finalizers that a garbage collector takes off."""
        return self._path.garbage_collection

    # Reading.

    async def get(self, request: RequestContext, namespace: str, name: str, options: GetOptions) -> StoredObject:
        found = await self.backing.cacher.get(namespace, name, resource_version=options.resource_version)
        if found is None:
            raise errors.not_found(self.resource.group_resource, name)
        return found

    async def list(self, request: RequestContext, namespace: str, options: ListOptions) -> ListResult:
        return await self.backing.cacher.list(
            selection.predicate(self.resource, request, namespace, options),
            resource_version=options.resource_version,
            match=options.resource_version_match,
            limit=options.limit,
            continue_token=options.continue_token,
        )

    async def watch(self, request: RequestContext, namespace: str, options: ListOptions) -> WatchStream:
        return await self.backing.cacher.watch(
            selection.predicate(self.resource, request, namespace, options),
            resource_version=options.resource_version,
            send_initial_events=options.send_initial_events,
            bookmarks=options.allow_watch_bookmarks,
        )

    # Writing.

    async def create(
        self, request: RequestContext, namespace: str, obj: JSONObject, options: WriteOptions
    ) -> StoredObject:
        return await create.create(self._path, request, namespace, obj, options)

    async def update(
        self, request: RequestContext, namespace: str, name: str, transform: Transform, options: WriteOptions
    ) -> Written:
        return await update.update(self._path, request, namespace, name, transform, options)

    async def delete(self, request: RequestContext, namespace: str, name: str, options: DeleteOptions) -> Deleted:
        return await delete.delete(self._path, request, namespace, name, options)


class Store(ObjectStore):
    """REST storage of one Resource, with every verb."""

    def object_by_object(self) -> ObjectStore:
        """The same without deletecollection."""
        path = self._path
        return ObjectStore(
            path.resource,
            path.backing,
            admission=path.admission,
            strategy=path.strategy,
            garbage_collection=path.garbage_collection,
        )

    async def delete_collection(
        self, request: RequestContext, namespace: str, options: DeleteOptions, selected: ListOptions
    ) -> ListResult:
        # By this storage's own delete: what a kind does beside it, it does for each object once.
        return await delete.delete_collection(
            self._path,
            request,
            namespace,
            selected,
            delete_one=lambda where, name: self.delete(request, where, name, options),
        )


class StatusStore:
    """REST storage of a `/status` subresource: get, update and patch of its parent's objects."""

    def __init__(self, parent: Store, *, admission: AdmissionChain = NO_ADMISSION) -> None:
        self._store = Store(
            parent.resource,
            parent.backing,
            admission=admission,
            strategy=StatusStrategy(parent.strategy),
            subresource="status",
        )

    async def get(self, request: RequestContext, namespace: str, name: str, options: GetOptions) -> StoredObject:
        return await self._store.get(request, namespace, name, options)

    async def update(
        self, request: RequestContext, namespace: str, name: str, transform: Transform, options: WriteOptions
    ) -> Written:
        return await self._store.update(request, namespace, name, transform, options)
