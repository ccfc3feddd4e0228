"""The delete path: preconditions, finalizers, graceful deletion, and whole collections.

Called by `Store.delete` and `Store.delete_collection`. Mirrors `registry/generic/registry/store.go`
Delete, `rest.BeforeDelete` and `deletionFinalizersForGarbageCollection`.
"""

import asyncio
from datetime import timedelta

from generic.meta import errors
from generic.meta import time as meta_time
from generic.registry import selection
from generic.registry.options import DeleteOptions, ListOptions
from generic.registry.rest import Deleted
from generic.registry.write_path import WritePath
from generic.request.context import RequestContext
from generic.storage.cacher import ListResult
from generic.storage.interface import CompareFailed
from generic.storage.objects import StoredObject
from generic.types import JSONObject

ORPHAN_FINALIZER = "orphan"
FOREGROUND_FINALIZER = "foregroundDeletion"
_COLLECTION_WORKERS = 32


async def delete(
    path: WritePath, request: RequestContext, namespace: str, name: str, options: DeleteOptions
) -> Deleted:
    """Delete the named object, or mark it and leave it to its finalizers. Raises StatusError."""
    existing = await path.backing.cacher.get(namespace, name)
    while existing is not None:
        try:
            return await _attempt(path, request, existing, options)
        except CompareFailed as lost:
            existing = path.backing.codec.decode(lost.current) if lost.current is not None else None
    raise errors.not_found(path.resource.group_resource, name)


async def delete_collection(
    path: WritePath, request: RequestContext, namespace: str, options: DeleteOptions, selected: ListOptions
) -> ListResult:
    """Delete every selected object, some at a time; not atomic. Returns what was selected."""
    found = await path.backing.cacher.list(
        selection.predicate(path.resource, request, namespace, selected),
        resource_version=selected.resource_version,
        match=selected.resource_version_match,
        limit=selected.limit,
        continue_token=selected.continue_token,
    )
    for start in range(0, len(found.items), _COLLECTION_WORKERS):
        chunk = found.items[start : start + _COLLECTION_WORKERS]
        await asyncio.gather(*(_delete_if_there(path, request, item, options) for item in chunk))
    return found


async def _delete_if_there(
    path: WritePath, request: RequestContext, item: StoredObject, options: DeleteOptions
) -> None:
    try:
        await delete(path, request, item.namespace, item.name, options)
    except errors.StatusError as error:
        if error.code != 404:
            raise


async def _attempt(path: WritePath, request: RequestContext, existing: StoredObject, options: DeleteOptions) -> Deleted:
    old = await path.in_served_version(existing)
    _check_preconditions(path, existing, old, options)
    attributes = path.attributes(
        request,
        "DELETE",
        namespace=existing.namespace,
        name=existing.name,
        old=old,
        options=options.raw,
        dry_run=options.dry_run,
    )
    await path.admission.admit(attributes)
    await path.admission.validate(attributes)

    obj = await path.in_served_version(existing)
    graceful = _mark(path, obj, options)
    finalizers = _finalizers_for(path, obj, options)
    pending = bool(finalizers) or path.strategy.default_finalizers_block(obj) or graceful
    if not pending:
        if options.dry_run:
            return Deleted(existing, immediate=True)
        with path.storing("delete"):
            revision = await path.backing.storage.delete(existing.key, expected_revision=existing.revision)
        return Deleted(await path.stored_dry(existing.namespace, existing.name, old, revision), immediate=True)

    if finalizers:
        obj["metadata"]["finalizers"] = finalizers
    else:
        obj["metadata"].pop("finalizers", None)
    if obj == old:
        return Deleted(existing, immediate=False)
    path.strategy.after_delete_marked(obj)
    if options.dry_run:
        return Deleted(
            await path.stored_dry(existing.namespace, existing.name, obj, existing.revision), immediate=False
        )
    with path.storing("delete"):
        item = await path.backing.storage.put(
            existing.key,
            await path.to_bytes(obj),
            expected_revision=existing.revision,
            ttl=path.strategy.ttl(obj),
        )
    return Deleted(path.stored(existing.namespace, existing.name, item), immediate=False)


def _check_preconditions(path: WritePath, existing: StoredObject, old: JSONObject, options: DeleteOptions) -> None:
    uid, version = options.precondition_uid, options.precondition_resource_version
    actual = old["metadata"].get("uid", "")
    resource = path.resource.group_resource
    if uid is not None and uid != actual:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {actual}"
        raise errors.conflict(resource, existing.name, why)
    if version is not None and version != str(existing.revision):
        why = (
            f"Precondition failed: ResourceVersion in precondition: {version}, "
            f"ResourceVersion in object meta: {existing.revision}"
        )
        raise errors.conflict(resource, existing.name, why)


def _mark(path: WritePath, obj: JSONObject, options: DeleteOptions) -> bool:
    """Set deletionTimestamp and grace period as `rest.BeforeDelete` does. Returns whether grace has to pass first."""
    metadata = obj["metadata"]
    grace = path.strategy.grace_period(obj, options)
    if grace is not None and grace < 0:
        grace = 1
    if metadata.get("deletionTimestamp"):
        held = metadata.get("deletionGracePeriodSeconds")
        if grace is None or held is None:
            return False
        # A repeated graceful delete can only shorten what is left.
        if grace < held:
            since = meta_time.parse(metadata["deletionTimestamp"]) - timedelta(seconds=held)
            metadata["deletionTimestamp"] = meta_time.format_time(since + timedelta(seconds=grace))
            metadata["deletionGracePeriodSeconds"] = grace
        return bool(metadata["deletionGracePeriodSeconds"] > 0)
    metadata["deletionTimestamp"] = meta_time.format_time(meta_time.utcnow() + timedelta(seconds=grace or 0))
    metadata["deletionGracePeriodSeconds"] = grace or 0
    if metadata.get("generation"):
        metadata["generation"] += 1
    return bool(grace)


def _finalizers_for(path: WritePath, obj: JSONObject, options: DeleteOptions) -> list[str]:
    """The finalizers a deletion leaves on the object, by propagation policy."""
    present = list(obj["metadata"].get("finalizers") or [])
    if not path.garbage_collection:
        return present
    orphan, foreground = options.orphan_dependents, False
    if options.propagation_policy is not None:
        orphan = options.propagation_policy == "Orphan"
        foreground = options.propagation_policy == "Foreground"
    elif orphan is None:
        return present
    kept = [finalizer for finalizer in present if finalizer not in (ORPHAN_FINALIZER, FOREGROUND_FINALIZER)]
    if orphan:
        kept.append(ORPHAN_FINALIZER)
    if foreground:
        kept.append(FOREGROUND_FINALIZER)
    return kept
