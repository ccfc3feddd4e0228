"""The delete path: preconditions, finalizers, graceful deletion, and whole collections.

Called by `Store.delete` and `Store.delete_collection`. Mirrors `registry/generic/registry/store.go`
Delete, `rest.BeforeDelete` and `deletionFinalizersForGarbageCollection`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from generic.meta import errors
from generic.meta import time as meta_time
from generic.meta.gvk import GroupResource
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
_POLICIES = (ORPHAN_FINALIZER, FOREGROUND_FINALIZER)
_COLLECTION_WORKERS = 32
_LONGEST_GRACE = 2**63 // 10**9
"""Seconds, some 292 years: what a Go Duration holds. More is cut to it, or no calendar would have the day."""


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
    path: WritePath,
    request: RequestContext,
    namespace: str,
    selected: ListOptions,
    *,
    delete_one: Callable[[str, str], Awaitable[object]],
) -> ListResult:
    """Delete every selected object, some at a time; not atomic. Returns what was selected.

    `delete_one` deletes by namespace and name; an object that is gone already is a 404 of its.
    """
    found = await path.backing.cacher.list(
        selection.predicate(path.resource, request, namespace, selected),
        resource_version=selected.resource_version,
        match=selected.resource_version_match,
        limit=selected.limit,
        continue_token=selected.continue_token,
    )
    for start in range(0, len(found.items), _COLLECTION_WORKERS):
        chunk = found.items[start : start + _COLLECTION_WORKERS]
        # Whatever became of one, the others are seen to their end: nothing is deleted behind the answer.
        deleting = (_if_there(delete_one(item.namespace, item.name)) for item in chunk)
        for outcome in await asyncio.gather(*deleting, return_exceptions=True):
            if outcome is not None:
                raise outcome
    return found


async def _if_there(deleting: Awaitable[object]) -> None:
    try:
        await deleting
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
    if not _mark(path, obj, options):
        if options.dry_run:
            return Deleted(existing, immediate=True)
        with path.storing("delete"):
            revision = await path.backing.storage.delete(existing.key, expected_revision=existing.revision)
        # A kind with grace shows that there was none.
        last = old if path.strategy.grace_period(old, options) is None else obj
        return Deleted(await path.stored_dry(existing.namespace, existing.name, last, revision), immediate=True)
    if obj == old:
        return Deleted(existing, immediate=False)
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
    there, revision = old["metadata"].get("uid", ""), str(existing.revision)
    resource, kind = path.resource.group_resource, path.resource.gvk.kind
    if path.strategy.deletes_in_two_steps and not old["metadata"].get("deletionTimestamp"):
        failed = "Precondition failed: {0} in precondition: {1}, {0} in object meta: {2}"
        tail = {"UID": "", "ResourceVersion": ""}
    else:
        # Kubernetes names the kind here, not the resource.
        resource = GroupResource(resource.group, kind)
        failed = "the {0} in the precondition ({1}) does not match the {0} in record ({2}). The object might have been "
        tail = {"UID": "deleted and then recreated", "ResourceVersion": "modified"}
    for what, wanted, actual in (("UID", uid, there), ("ResourceVersion", version, revision)):
        if wanted is not None and wanted != actual:
            raise errors.conflict(resource, existing.name, failed.format(what, wanted, actual) + tail[what])


def _mark(path: WritePath, obj: JSONObject, options: DeleteOptions) -> bool:
    """Make of the object what it has to be while it waits for its end. Returns whether it has to wait at all."""
    strategy, metadata = path.strategy, obj["metadata"]
    if strategy.deletes_in_two_steps:
        if not metadata.get("deletionTimestamp"):
            _take_first_step(path, obj, options)
            return True
        if strategy.default_finalizers_block(obj):
            return True
    held = metadata.get("deletionGracePeriodSeconds") or 0
    if not metadata.get("deletionTimestamp"):
        grace = _start_grace(path, obj, options)
    elif held and strategy.grace_period(obj, options) is not None:
        grace = _shorten_grace(metadata, held, options)
        if grace is None:
            # While the grace passes, a DELETE changes nothing else either.
            return True
    else:
        grace = None
    finalizers = _finalizers_for(path, obj, options)
    _set_finalizers(metadata, finalizers)
    if finalizers and grace is None:
        _mark_deleting(metadata)
    return bool(finalizers) or bool(grace)


def _take_first_step(path: WritePath, obj: JSONObject, options: DeleteOptions) -> None:
    """As the storage of namespaces and of definitions has it: neither grace nor generation."""
    metadata = obj["metadata"]
    metadata["deletionTimestamp"] = meta_time.now()
    if path.strategy.dependents != "unsupported":
        _set_finalizers(metadata, _finalizers_for(path, obj, options))
    path.strategy.after_delete_marked(obj)


def _start_grace(path: WritePath, obj: JSONObject, options: DeleteOptions) -> int | None:
    """The seconds the object is given from now on; None if its kind has no grace."""
    metadata = obj["metadata"]
    grace = path.strategy.grace_period(obj, options)
    if grace is None:
        return None
    grace = _bounded(grace)
    metadata["deletionTimestamp"] = meta_time.format_time(meta_time.utcnow() + timedelta(seconds=grace))
    metadata["deletionGracePeriodSeconds"] = grace
    if metadata.get("generation"):
        metadata["generation"] += 1
    return grace


def _shorten_grace(metadata: JSONObject, held: int, options: DeleteOptions) -> int | None:
    """The new and shorter grace, counted from the first DELETE; None if there is nothing to shorten."""
    held = _bounded(held)
    if options.grace_period_seconds is None or (grace := _bounded(options.grace_period_seconds)) >= held:
        return None
    since = meta_time.parse(metadata["deletionTimestamp"]) - timedelta(seconds=held)
    metadata["deletionTimestamp"] = meta_time.format_time(since + timedelta(seconds=grace))
    metadata["deletionGracePeriodSeconds"] = grace
    return grace


def _mark_deleting(metadata: JSONObject) -> None:
    """Finalizers hold an object without grace: those who put them there learn that it is their turn."""
    now = meta_time.now()
    if not metadata.get("deletionTimestamp") and metadata.get("generation"):
        metadata["generation"] += 1
    # Times of this form sort as text.
    if not metadata.get("deletionTimestamp") or metadata["deletionTimestamp"] > now:
        metadata["deletionTimestamp"] = now
    metadata["deletionGracePeriodSeconds"] = 0


def _bounded(seconds: int) -> int:
    """The grace that is meant: one second by a negative one."""
    return 1 if seconds < 0 else min(seconds, _LONGEST_GRACE)


def _set_finalizers(metadata: JSONObject, finalizers: list[str]) -> None:
    if finalizers:
        metadata["finalizers"] = finalizers
    else:
        metadata.pop("finalizers", None)


def _finalizers_for(path: WritePath, obj: JSONObject, options: DeleteOptions) -> list[str]:
    """The finalizers a deletion leaves on the object: the DELETE's policy, else the object's, else its kind's."""
    present: list[str] = list(obj["metadata"].get("finalizers") or [])
    if not path.garbage_collection:
        return present
    wanted = _policy_finalizer(path, present, options)
    if {f for f in present if f in _POLICIES} == ({wanted} if wanted else set()):
        return present
    kept = [finalizer for finalizer in present if finalizer not in _POLICIES]
    return [*kept, wanted] if wanted else kept


def _policy_finalizer(path: WritePath, present: list[str], options: DeleteOptions) -> str:
    """Which of the two finalizers a garbage collector takes off; empty for neither."""
    strategy = path.strategy
    if strategy.dependents == "unsupported":
        return ""
    if options.orphan_dependents is not None:
        if options.orphan_dependents:
            return ORPHAN_FINALIZER
        # Namespaces alone take "do not orphan" for "delete them first".
        return FOREGROUND_FINALIZER if strategy.deletes_in_two_steps else ""
    if options.propagation_policy is not None:
        return {"Orphan": ORPHAN_FINALIZER, "Foreground": FOREGROUND_FINALIZER}.get(options.propagation_policy, "")
    for finalizer in present:
        if finalizer in _POLICIES:
            return finalizer
    return ORPHAN_FINALIZER if strategy.dependents == "orphan" else ""
