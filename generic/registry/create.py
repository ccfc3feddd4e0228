"""The create path, in its one order.

decode and default (endpoint) > strategy prepare > mutating admission > strategy validate >
validating admission > one storage transaction. Called by `Store.create` and, for a PUT or apply that
creates, by `update.py`. Mirrors `registry/generic/registry/store.go` Create and `rest.BeforeCreate`.
"""

from generic.meta import errors, fields, names
from generic.meta.object_meta import validate_object_meta
from generic.patching.apply import tracking
from generic.registry import lengthy, system_fields
from generic.registry.options import WriteOptions
from generic.registry.write_path import WritePath
from generic.request.context import RequestContext
from generic.storage.interface import CompareFailed
from generic.storage.objects import StoredObject
from generic.types import JSONObject

_GENERATE_NAME_TRIES = 8


async def create(
    path: WritePath,
    request: RequestContext,
    namespace: str,
    obj: JSONObject,
    options: WriteOptions,
    *,
    applied: bool = False,
) -> StoredObject:
    """Store a new object, decoded and defaulted in the served version. Raises StatusError; then nothing is stored.

    `applied`: it comes of an apply, which has settled who owns it.
    """
    resource = path.resource
    if obj["metadata"].get("resourceVersion") and not options.dry_run:
        raise errors.StatusError(500, "", "resourceVersion should not be set on objects to be created")
    base = obj["metadata"].get("generateName") or ""
    generated = bool(base) and not obj["metadata"].get("name")
    obj["metadata"].pop("resourceVersion", None)
    if not applied:
        empty = resource.schema.empty()
        author, owned = path.author(options), path.owned
        await lengthy.run(
            request.body_size, lambda: tracking.track_create(resource.shape, obj, author, owned, empty=empty)
        )
    await _prepare_and_admit(path, request, namespace, obj, options=options, generate_from=base if generated else "")

    for attempt in range(_GENERATE_NAME_TRIES if generated else 1):
        if attempt:
            obj["metadata"]["name"] = names.generate_name(base)
        name = obj["metadata"].get("name") or ""
        path.refuse_invalid(name, await _problems(path, request, obj))
        for warning in path.strategy.warnings(request, obj, None) if not attempt else ():
            request.warn(warning)
        attributes = path.attributes(
            request,
            "CREATE",
            namespace=namespace,
            name=name,
            obj=obj,
            options=options.to_object("CREATE"),
            dry_run=options.dry_run,
        )
        await path.admission.validate(attributes)
        path.strategy.canonicalize(obj)
        try:
            return await _put(path, namespace, name, obj, dry_run=options.dry_run)
        except CompareFailed as taken:
            if not generated:
                raise _already_exists(path, name, taken) from None
    raise errors.generate_name_conflict(resource.group_resource, name)


async def _prepare_and_admit(
    path: WritePath,
    request: RequestContext,
    namespace: str,
    obj: JSONObject,
    *,
    options: WriteOptions,
    generate_from: str,
) -> None:
    def prepare() -> None:
        system_fields.fit_namespace(path.resource, obj, namespace)
        path.strategy.prepare_for_create(request, obj)

    # Plugins that change it see an object without identity, and without a name if that is to be made up.
    system_fields.wipe(obj)
    prepare()
    attributes = path.attributes(
        request,
        "CREATE",
        namespace=namespace,
        name=obj["metadata"].get("name") or "",
        obj=obj,
        options=options.to_object("CREATE"),
        dry_run=options.dry_run,
    )
    managed = obj["metadata"].get("managedFields")
    if await path.admission.admit(attributes):
        path.settle_managed_fields(request, obj, managed)
        # No plugin may set what the strategy or the server decides.
        path.strategy.default(obj)
        prepare()
    if generate_from and not obj["metadata"].get("name"):
        obj["metadata"]["name"] = names.generate_name(generate_from)
    system_fields.fill_on_create(path.resource, obj)


async def _problems(path: WritePath, request: RequestContext, obj: JSONObject) -> list[fields.FieldError]:
    resource = path.resource
    metadata_problems = validate_object_meta(
        obj["metadata"], namespaced=resource.namespaced, name_validator=names.VALIDATORS[path.strategy.name_validator]
    )
    schema_problems = await lengthy.run(request.body_size, lambda: resource.schema.validate(obj))
    found = [*metadata_problems, *schema_problems, *path.strategy.validate(request, obj)]
    return [*found, *await path.strategy.validate_rules(request, obj, None, found)]


async def _put(path: WritePath, namespace: str, name: str, obj: JSONObject, *, dry_run: bool) -> StoredObject:
    cacher = path.backing.cacher
    key = cacher.key(namespace, name)
    encoded = await path.to_bytes(obj)
    if dry_run:
        existing = await cacher.get(namespace, name)
        if existing is not None:
            raise _already_exists(path, name, None)
        return await path.stored_dry(namespace, name, obj, 0)
    with path.storing("create"):
        await cacher.start()
        item = await path.backing.storage.put(key, encoded, expected_revision=0, ttl=path.strategy.ttl(obj))
    return path.stored(namespace, name, item)


def _already_exists(path: WritePath, name: str, taken: CompareFailed | None) -> errors.StatusError:
    error = errors.already_exists(path.resource.group_resource, name)
    if taken is not None and taken.current is not None and b'"deletionTimestamp":"' in taken.current.value:
        obj = path.backing.codec.decode(taken.current).decoded()
        if obj["metadata"].get("deletionTimestamp"):
            error.message = f"object is being deleted: {error.message}"
    return error
