"""The metadata fields only the server may set, and how every write keeps them so.

Called by the Store's create and update paths. Mirrors `rest.BeforeCreate` and `rest.BeforeUpdate`
(`apiserver/pkg/registry/rest/{create,update,meta}.go`).
"""

from generic.meta import errors, json_values
from generic.meta.names import new_uid
from generic.meta.time import now
from generic.registry.resource import Resource
from generic.registry.strategy import Strategy
from generic.types import JSONObject

_SET_BY_SERVER = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink")
_LEFT_OUT_EMPTY = ("labels", "annotations", "finalizers", "ownerReferences", "generateName")


def wipe(obj: JSONObject) -> None:
    """Take off a new object what only the server may set, whoever set it."""
    metadata = obj["metadata"]
    for key in (*_SET_BY_SERVER, "generation"):
        metadata.pop(key, None)


def fill_on_create(resource: Resource, obj: JSONObject) -> None:
    """Give a new object its identity, whatever came with it."""
    wipe(obj)
    metadata = obj["metadata"]
    drop_empty(metadata)
    metadata["uid"] = new_uid()
    metadata["creationTimestamp"] = now()
    if resource.strategy.tracks_generation and resource.strategy.first_generation:
        metadata["generation"] = resource.strategy.first_generation


def keep_on_update(resource: Resource, obj: JSONObject, old: JSONObject) -> None:
    """Carry what a client may leave out of a PUT over from the stored object.

    A uid or creationTimestamp the client did send is left for validation to refuse if it differs.
    """
    metadata, previous = obj["metadata"], old["metadata"]
    metadata.pop("selfLink", None)
    drop_empty(metadata)
    for key in ("uid", "creationTimestamp"):
        if not metadata.get(key) and key in previous:
            metadata[key] = previous[key]
    for key in ("generation", "deletionTimestamp", "deletionGracePeriodSeconds"):
        if key in previous:
            metadata[key] = previous[key]
        else:
            metadata.pop(key, None)


def drop_empty(metadata: JSONObject) -> None:
    """Leave out what is there but empty, as Kubernetes does when it writes its own type of metadata."""
    for key in _LEFT_OUT_EMPTY:
        if key in metadata and not metadata[key]:
            del metadata[key]


def bump_generation(strategy: Strategy, obj: JSONObject, old: JSONObject) -> None:
    """Raise metadata.generation if anything but metadata (and status, where that is separate) changed."""
    if not strategy.tracks_generation:
        return
    apart = {"apiVersion", "kind", "metadata"} | ({"status"} if strategy.has_status else set())
    changed = not all(json_values.same(obj.get(key), old.get(key)) for key in (obj.keys() | old.keys()) - apart)
    if strategy.annotations_count and not changed:
        changed = (obj["metadata"].get("annotations") or {}) != (old["metadata"].get("annotations") or {})
    if changed:
        obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1


def fit_namespace(resource: Resource, obj: JSONObject, namespace: str) -> None:
    """Fill an empty namespace from the request. Raises 400 if the object names another one."""
    metadata = obj["metadata"]
    given = metadata.get("namespace") or ""
    if resource.namespaced and not given:
        metadata["namespace"] = namespace
    elif given != namespace and (resource.namespaced or given):
        if not resource.namespaced:
            # Kubernetes quietly clears a namespace on cluster-scoped objects before it compares.
            metadata.pop("namespace")
            return
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    elif not given:
        metadata.pop("namespace", None)
