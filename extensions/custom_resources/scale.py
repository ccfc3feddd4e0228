"""CustomScale: the `scale` subresource of a custom resource, by the paths its definition gives.

Made by `build.py`; what `kubectl scale` and autoscalers call. Mirrors ScaleREST of
`apiextensions-apiserver/pkg/registry/customresource/etcd.go`.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from extensions.custom_resources.strategy import ScalePaths, value_at
from generic.admission.interface import NO_ADMISSION, AdmissionChain
from generic.admission.scale import SCALE as SCALE
from generic.admission.scale import ScaleAdmission
from generic.meta import errors, fields
from generic.registry.options import GetOptions, WriteOptions
from generic.registry.rest import Transform, Written
from generic.registry.store import Store
from generic.request.context import RequestContext
from generic.schema.object_schema import Model, ObjectSchema
from generic.storage.objects import StoredObject
from generic.types import JSONObject

_KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def _model() -> Model:
    # Pydantic takes a sixth of a start; only who scales a custom resource needs it.
    from extensions.custom_resources.scale_types import Scale  # noqa: PLC0415

    return Scale


SCHEMA = ObjectSchema.of_models(_model, "Scale", package="io.k8s.api.autoscaling.v1")


class CustomScale:
    """Get, update and patch of how many replicas are wanted, and nothing else."""

    def __init__(self, parent: Store, paths: ScalePaths, *, admission: AdmissionChain = NO_ADMISSION) -> None:
        self._resource = parent.resource
        self._paths = paths
        scales = ScaleAdmission(
            admission,
            SCHEMA,
            scale_of=lambda obj: scale_of(obj, paths),
            put=lambda obj, replicas: _put(obj, paths.spec_replicas, replicas),
        )
        self._store = Store(parent.resource, parent.backing, admission=scales, subresource="scale")

    async def get(self, request: RequestContext, namespace: str, name: str, options: GetOptions) -> StoredObject:
        found = await self._store.get(request, namespace, name, options)
        return await self._shown(found)

    async def update(
        self, request: RequestContext, namespace: str, name: str, transform: Transform, options: WriteOptions
    ) -> Written:
        async def apply(obj: JSONObject | None) -> JSONObject:
            if obj is None:
                raise errors.not_found(self._resource.group_resource, name)
            wanted = await transform.apply(scale_of(obj, self._paths))
            replicas = (wanted.get("spec") or {}).get("replicas") or 0
            if replicas < 0:
                problem = fields.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
                raise errors.invalid(SCALE.group_kind, name, [problem])
            metadata = {**obj["metadata"]}
            # Only what is pinned is for the Store to compare; an unpinned scale goes on top of the newest object.
            for key in ("resourceVersion", "uid"):
                if wanted["metadata"].get(key):
                    metadata[key] = wanted["metadata"][key]
            changed = {**obj, "metadata": metadata}
            _put(changed, self._paths.spec_replicas, replicas)
            return changed

        configuration = transform.configuration
        if configuration is not None:
            configuration = self._of_parent(configuration)
        transform_parent = Transform(apply, configuration=configuration)
        written = await self._store.update(request, namespace, name, transform_parent, options)
        return Written(await self._shown(written.object), created=False)

    def _of_parent(self, scale: JSONObject) -> JSONObject:
        """What an applied Scale says of the object it stands for."""
        made: JSONObject = {
            "apiVersion": str(self._resource.group_version),
            "kind": self._resource.kind,
            "metadata": scale["metadata"],
        }
        replicas = value_at(scale, ("spec", "replicas"))
        if replicas is not None:
            _put(made, self._paths.spec_replicas, replicas)
        return made

    async def _shown(self, stored: StoredObject) -> StoredObject:
        obj, version = stored.decoded(), self._resource.group_version
        if self._resource.converter is not None and obj["apiVersion"] != str(version):
            obj = (await self._resource.converter.convert([obj], version))[0]
        scale = scale_of(obj, self._paths)
        if value_at(obj, self._paths.spec_replicas) is None:
            path = f".{'.'.join(self._paths.spec_replicas)}"
            raise errors.internal_error(f'the spec replicas field "{path}" does not exist')
        return StoredObject(
            key=stored.key,
            namespace=stored.namespace,
            name=stored.name,
            revision=stored.revision,
            raw=orjson.dumps(scale),
        )


def scale_of(obj: JSONObject, paths: ScalePaths) -> JSONObject:
    """The Scale of an object; what it does not say is 0."""
    metadata = obj["metadata"]
    status: JSONObject = {"replicas": _count(value_at(obj, paths.status_replicas))}
    selector = value_at(obj, paths.selector) if paths.selector else None
    if isinstance(selector, str) and selector:
        status["selector"] = selector
    replicas = _count(value_at(obj, paths.spec_replicas))
    return {
        "kind": SCALE.kind,
        "apiVersion": SCALE.api_version,
        "metadata": {key: metadata[key] for key in _KEPT if key in metadata},
        # Go leaves a zero out, and its clients read a zero where nothing is.
        "spec": {"replicas": replicas} if replicas else {},
        "status": status,
    }


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _put(obj: JSONObject, keys: Sequence[str], value: Any) -> None:
    """Set a value below the root, in copies of what is on the way."""
    *way, last = keys
    for key in way:
        inside = obj.get(key)
        obj[key] = {**inside} if isinstance(inside, dict) else {}
        obj = obj[key]
    obj[last] = value
