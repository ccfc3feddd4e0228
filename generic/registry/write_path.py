"""WritePath: what create, update and delete of one Resource share.

Held by a Store; the verbs in `create.py`, `update.py` and `delete.py` are functions on it.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from generic.admission.interface import AdmissionChain, Attributes, Operation
from generic.meta import errors
from generic.meta.fields import FieldError
from generic.meta.gvk import GroupVersion, GroupVersionKind, GroupVersionResource
from generic.patching.apply import tracking
from generic.patching.apply.managers import Author
from generic.patching.apply.shapes import Shape
from generic.registry.options import WriteOptions
from generic.registry.resource import Resource
from generic.registry.strategy import Strategy
from generic.request.context import RequestContext
from generic.storage import failures
from generic.storage.cacher import Cacher
from generic.storage.interface import KeyValue, Storage, StorageError
from generic.storage.objects import Codec, StoredObject
from generic.types import JSONObject

_STATUS = tracking.Owned(only=frozenset({"status"}))
_STATUS_AND_METADATA = tracking.Owned(only=frozenset({"status", "metadata"}))
_ALL_BUT_STATUS = tracking.Owned(never=frozenset({"status"}))


@dataclass(frozen=True, slots=True)
class Backing:
    """Where the objects of a resource live, shared by all its served versions and subresources."""

    storage: Storage
    cacher: Cacher
    codec: Codec
    served: dict[GroupVersionResource, GroupVersionKind] = field(default_factory=dict)
    """The versions it is served in, where there can be several, in the order they were made."""


@dataclass(frozen=True, slots=True)
class WritePath:
    """`garbage_collection`: a collector runs, so propagation policies may leave finalizers for it to take off."""

    resource: Resource
    backing: Backing
    admission: AdmissionChain
    strategy: Strategy
    subresource: str
    garbage_collection: bool

    def attributes(
        self,
        request: RequestContext,
        operation: Operation,
        *,
        namespace: str,
        name: str,
        options: JSONObject,
        dry_run: bool,
        obj: JSONObject | None = None,
        old: JSONObject | None = None,
    ) -> Attributes:
        """The write as admission plugins see it."""
        return Attributes(
            operation=operation,
            request=request,
            resource=self.resource.gvr,
            kind=self.resource.gvk,
            namespace=namespace,
            name=name,
            subresource=self.subresource,
            object=obj,
            old_object=old,
            options=options,
            dry_run=dry_run,
            versions=self,
        )

    # For admission, see `Versions`.

    @property
    def shape(self) -> Shape:
        return self.resource.shape

    def equivalents(
        self, resource: GroupVersionResource, kind: GroupVersionKind
    ) -> Sequence[tuple[GroupVersionResource, GroupVersionKind]]:
        others = [(other, as_kind) for other, as_kind in self.backing.served.items() if other != resource]
        # What is no version of the kind itself (a Scale) is the same whichever version it is asked of.
        return others if kind == self.resource.gvk else [(other, kind) for other, _ in others]

    async def convert(self, obj: JSONObject, to: GroupVersion) -> JSONObject:
        if self.resource.converter is None:
            return obj
        return (await self.resource.converter.convert([copy.deepcopy(obj)], to))[0]

    def settle(self, obj: JSONObject) -> None:
        schema = self.resource.schema
        mismatch = schema.decode_errors({"metadata": obj["metadata"]} if self.resource.lenient_types else obj)
        if mismatch:
            raise ValueError(mismatch)
        schema.prune(obj)
        schema.default(obj)
        self.strategy.default(obj)

    def author(self, options: WriteOptions) -> Author:
        """Whose the changes of a write are."""
        return Author(options.field_manager, str(self.resource.group_version), self.subresource)

    @property
    def owned(self) -> tracking.Owned:
        """The part of objects a write through this path may change, and so own."""
        if self.subresource == "status":
            return _STATUS if self.strategy.status_keeps is None else _STATUS_AND_METADATA
        apart = self.strategy.has_status and self.subresource in ("", "scale")
        if self.strategy.never_owned:
            return tracking.Owned(never=self.strategy.never_owned | ({"status"} if apart else frozenset()))
        return _ALL_BUT_STATUS if apart else tracking.ALL

    def settle_managed_fields(self, request: RequestContext, obj: JSONObject, before: list[JSONObject] | None) -> None:
        """After admission: take back what a plugin made of managedFields if nobody can read it any more, and say so."""
        spoiled = tracking.settle_admission(obj, before)
        if spoiled:
            request.warn(
                ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated "
                f"mutating admission controller; please fix your requests: {spoiled}"
            )

    def refuse_invalid(self, name: str, failures: Sequence[FieldError]) -> None:
        """Raise the 422 that lists all failures, if there are any."""
        if failures:
            raise errors.invalid(self.resource.group_kind, name, failures)

    async def in_served_version(self, stored: StoredObject) -> JSONObject:
        """The object decoded, in the version this path serves."""
        obj = stored.decoded()
        if self.resource.converter is None or obj["apiVersion"] == str(self.resource.group_version):
            return obj
        return (await self.resource.converter.convert([obj], self.resource.group_version))[0]

    async def to_bytes(self, obj: JSONObject) -> bytes:
        """An accepted object as it is stored: in the storage version."""
        target = self.resource.storage_version
        if target is not None and self.resource.converter is not None and target != self.resource.group_version:
            obj = (await self.resource.converter.convert([obj], target))[0]
        return self.backing.codec.encode(obj)

    def stored(self, namespace: str, name: str, item: KeyValue) -> StoredObject:
        """The StoredObject of a write just made: the Cacher's own where it has seen it already."""
        held = self.backing.cacher.peek(namespace, name)
        return held if held is not None and held.revision == item.mod_revision else self.backing.codec.decode(item)

    async def stored_dry(self, namespace: str, name: str, obj: JSONObject, revision: int) -> StoredObject:
        """What a dry run would have stored."""
        key = self.backing.cacher.key(namespace, name)
        return self.backing.codec.decode(KeyValue(key, await self.to_bytes(obj), revision, revision))

    @contextmanager
    def storing(self, verb: str) -> Iterator[None]:
        """Around one call of the engine: its failures become StatusErrors; CompareFailed passes through."""
        try:
            yield
        except StorageError as error:
            raise failures.status_of(error, resource=self.resource.group_resource, verb=verb) from error
