"""The update path: PUT and every kind of patch, with optimistic concurrency.

The wanted object comes from a transform of the stored one; if somebody else wrote in between, and
the client did not pin a resourceVersion, the transform runs again on the newer object. Called by
`Store.update`. Mirrors `registry/generic/registry/store.go` Update, `rest.BeforeUpdate` and
etcd3 `GuaranteedUpdate`.
"""

from generic.meta import errors, fields, json_values, names
from generic.meta.gvk import GroupKind
from generic.meta.object_meta import validate_object_meta, validate_object_meta_update
from generic.patching.apply import tracking
from generic.registry import create, lengthy, system_fields
from generic.registry.options import WriteOptions
from generic.registry.rest import Transform, Written
from generic.registry.write_path import WritePath
from generic.request.context import RequestContext
from generic.storage.interface import CompareFailed
from generic.storage.objects import StoredObject
from generic.types import JSONObject


async def update(
    path: WritePath, request: RequestContext, namespace: str, name: str, transform: Transform, options: WriteOptions
) -> Written:
    """Replace the named object by what `transform` makes of it. Raises StatusError; then nothing changed."""
    existing = await path.backing.cacher.get(namespace, name)
    while True:
        if existing is None:
            try:
                return Written(await _create(path, request, namespace, name, transform, options), created=True)
            except errors.StatusError as error:
                if transform.configuration is None or error.reason != "AlreadyExists":
                    raise
            # Somebody else was faster: what is applied goes on top of that.
            existing = await path.backing.cacher.get(namespace, name)
            continue
        try:
            return Written(await _attempt(path, request, existing, transform, options), created=False)
        except CompareFailed as lost:
            existing = path.backing.codec.decode(lost.current) if lost.current is not None else None


async def _create(
    path: WritePath, request: RequestContext, namespace: str, name: str, transform: Transform, options: WriteOptions
) -> StoredObject:
    # Whatever the verb, a part of an object does not bring the whole into being.
    applies = transform.creates_missing and not path.subresource
    if not path.strategy.allow_create_on_update and not applies:
        raise errors.not_found(path.resource.group_resource, name)
    merged = await lengthy.run(request.body_size, lambda: _merged(path, None, transform, options))
    obj = await transform.apply(merged)
    if request.authorize_create is not None:
        await request.authorize_create()
    return await create.create(path, request, namespace, obj, options, applied=transform.configuration is not None)


def _merged(path: WritePath, live: JSONObject | None, transform: Transform, options: WriteOptions) -> JSONObject | None:
    """The stored object, with what is applied merged into it. Raises StatusError on conflicts."""
    if transform.configuration is None:
        return live
    return tracking.apply(
        path.resource.shape,
        live,
        transform.configuration,
        path.author(options),
        force=bool(options.force),
        owned=path.owned,
    )


async def _attempt(
    path: WritePath, request: RequestContext, existing: StoredObject, transform: Transform, options: WriteOptions
) -> StoredObject:
    resource, name, namespace = path.resource, existing.name, existing.namespace
    old, live = await path.in_served_version(existing), await path.in_served_version(existing)
    size = max(request.body_size, len(existing.raw))
    obj = await transform.apply(await lengthy.run(size, lambda: _merged(path, live, transform, options)))
    if transform.pins_uid:
        _check_uid(path, existing, obj, old)
    _check_version(path, existing, obj)

    def prepare() -> None:
        system_fields.fit_namespace(resource, obj, namespace)
        system_fields.keep_on_update(resource, obj, old)
        path.strategy.prepare_for_update(request, obj, old)
        system_fields.bump_generation(path.strategy, obj, old)

    prepare()
    if transform.configuration is None:
        author, owned = path.author(options), path.owned
        await lengthy.run(size, lambda: tracking.track_update(resource.shape, old, obj, author, owned))
    attributes = path.attributes(
        request,
        "UPDATE",
        namespace=namespace,
        name=name,
        obj=obj,
        old=old,
        options=options.to_object("UPDATE"),
        dry_run=options.dry_run,
    )
    managed = obj["metadata"].get("managedFields")
    if await path.admission.admit(attributes):
        path.settle_managed_fields(request, obj, managed)
        path.strategy.default(obj)
        prepare()
    path.refuse_invalid(name, await _problems(path, request, obj, old, size=size))
    for warning in path.strategy.warnings(request, obj, old):
        request.warn(warning)
    await path.admission.validate(attributes)
    path.strategy.canonicalize(obj)
    return await _commit(path, existing, obj, old, dry_run=options.dry_run)


def _check_uid(path: WritePath, existing: StoredObject, obj: JSONObject, old: JSONObject) -> None:
    uid, actual = obj["metadata"].get("uid") or "", old["metadata"].get("uid", "")
    if uid and uid != actual:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {actual}"
        raise errors.conflict(path.resource.group_resource, existing.name, why)


def _check_version(path: WritePath, existing: StoredObject, obj: JSONObject) -> None:
    version, resource = obj["metadata"].get("resourceVersion") or "", path.resource.group_resource
    if not version:
        if not path.strategy.allow_unconditional_update:
            problem = fields.invalid("metadata.resourceVersion", 0, "must be specified for an update")
            # Kubernetes names the resource here, not the kind.
            raise errors.invalid(GroupKind(resource.group, resource.resource), existing.name, [problem])
    elif not version.isascii() or not version.isdigit():
        problem = fields.invalid(
            "metadata.resourceVersion", version, f'strconv.ParseUint: parsing "{version}": invalid syntax'
        )
        path.refuse_invalid(existing.name, [problem])
    elif int(version) not in (0, existing.revision):
        raise errors.conflict(resource, existing.name, errors.MODIFIED)


async def _problems(
    path: WritePath, request: RequestContext, obj: JSONObject, old: JSONObject, *, size: int
) -> list[fields.FieldError]:
    resource = path.resource
    schema_problems = await lengthy.run(size, lambda: resource.schema.validate(obj, old))
    found = [
        *validate_object_meta(
            obj["metadata"],
            namespaced=resource.namespaced,
            name_validator=names.VALIDATORS[path.strategy.name_validator],
        ),
        *validate_object_meta_update(obj["metadata"], old["metadata"]),
        *schema_problems,
        *path.strategy.validate_update(request, obj, old),
    ]
    return [*found, *await path.strategy.validate_rules(request, obj, old, found)]


async def _commit(
    path: WritePath, existing: StoredObject, obj: JSONObject, old: JSONObject, *, dry_run: bool
) -> StoredObject:
    storage, namespace, name = path.backing.storage, existing.namespace, existing.name
    finished = _finalized(path, obj, old)
    obj["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
    tracking.settle_times(old, obj)
    unchanged = not finished and json_values.same(obj, old)
    if unchanged and not existing.mended and _in_storage_version(path, existing):
        return existing
    if dry_run:
        return await path.stored_dry(namespace, name, obj, existing.revision)
    with path.storing("update"):
        if finished:
            revision = await storage.delete(existing.key, expected_revision=existing.revision)
            return await path.stored_dry(namespace, name, obj, revision)
        encoded = await path.to_bytes(obj)
        item = await storage.put(existing.key, encoded, expected_revision=existing.revision, ttl=path.strategy.ttl(obj))
    return path.stored(namespace, name, item)


def _finalized(path: WritePath, obj: JSONObject, old: JSONObject) -> bool:
    """The update took the last thing off that kept a deleted object alive."""
    metadata = obj["metadata"]
    return (
        bool(metadata.get("deletionTimestamp"))
        and not metadata.get("finalizers")
        and not path.strategy.default_finalizers_block(obj)
        and not old["metadata"].get("deletionGracePeriodSeconds")
    )


def _in_storage_version(path: WritePath, existing: StoredObject) -> bool:
    target = path.resource.storage_version or path.resource.group_version
    return existing.raw.startswith(b'{"apiVersion":"%b"' % str(target).encode())
