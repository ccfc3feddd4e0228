"""ScaleStore: the `scale` subresource of workloads, which speaks autoscaling/v1 Scale.

Made by `subresources.py`; what `kubectl scale` and autoscalers call. Mirrors ScaleREST of
`pkg/registry/apps/deployment/storage/storage.go` and its like.
"""

import orjson

from generic.admission.interface import NO_ADMISSION, AdmissionChain
from generic.admission.scale import SCALE as SCALE
from generic.admission.scale import ScaleAdmission
from generic.meta import errors, fields
from generic.meta.selectors import LabelSelector
from generic.registry.options import GetOptions, WriteOptions
from generic.registry.rest import Transform, Written
from generic.registry.store import Store
from generic.request.context import RequestContext
from generic.schema.object_schema import ObjectSchema
from generic.storage.objects import StoredObject
from generic.types import JSONObject


class ScaleStore:
    """Get, update and patch of how many replicas are wanted, and nothing else."""

    def __init__(self, parent: Store, schema: ObjectSchema, *, admission: AdmissionChain = NO_ADMISSION) -> None:
        """`schema`: of Scale."""
        self._resource = parent.resource
        scales = ScaleAdmission(admission, schema, scale_of=scale_of, put=_put)
        self._store = Store(parent.resource, parent.backing, admission=scales, subresource="scale")

    async def get(self, request: RequestContext, namespace: str, name: str, options: GetOptions) -> StoredObject:
        return _stored(await self._store.get(request, namespace, name, options))

    async def update(
        self, request: RequestContext, namespace: str, name: str, transform: Transform, options: WriteOptions
    ) -> Written:
        async def apply(workload: JSONObject | None) -> JSONObject:
            if workload is None:
                raise errors.not_found(self._resource.group_resource, name)
            wanted = await transform.apply(scale_of(workload))
            replicas = (wanted.get("spec") or {}).get("replicas") or 0
            if replicas < 0:
                problem = fields.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
                raise errors.invalid(SCALE.group_kind, name, [problem])
            metadata = {**workload["metadata"]}
            for key in ("resourceVersion", "uid"):
                # What the client pinned is for the Store to compare; the rest is the workload's own.
                if wanted["metadata"].get(key):
                    metadata[key] = wanted["metadata"][key]
            spec = {**(workload.get("spec") or {}), "replicas": replicas}
            return {**workload, "metadata": metadata, "spec": spec}

        configuration = transform.configuration
        if configuration is not None:
            configuration = self._of_workload(configuration)
        changed = Transform(apply, configuration=configuration)
        written = await self._store.update(request, namespace, name, changed, options)
        return Written(_stored(written.object), created=False)

    def _of_workload(self, scale: JSONObject) -> JSONObject:
        """What an applied Scale says of its workload."""
        made: JSONObject = {
            "apiVersion": str(self._resource.group_version),
            "kind": self._resource.kind,
            "metadata": scale["metadata"],
        }
        spec = scale.get("spec")
        return (
            {**made, "spec": {"replicas": spec["replicas"]}} if isinstance(spec, dict) and "replicas" in spec else made
        )


def scale_of(workload: JSONObject) -> JSONObject:
    """The Scale of a workload."""
    metadata, spec = workload["metadata"], workload.get("spec") or {}
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    status: JSONObject = {"replicas": (workload.get("status") or {}).get("replicas") or 0}
    selector = _selector(spec.get("selector"))
    if selector:
        status["selector"] = selector
    return {
        "kind": SCALE.kind,
        "apiVersion": SCALE.api_version,
        "metadata": {key: metadata[key] for key in kept if key in metadata},
        # Go leaves a zero out, and its clients read a zero where nothing is.
        "spec": {"replicas": spec["replicas"]} if spec.get("replicas") else {},
        "status": status,
    }


def _put(workload: JSONObject, replicas: int) -> None:
    workload["spec"] = {**(workload.get("spec") or {}), "replicas": replicas}


def _selector(selector: JSONObject | None) -> str:
    if not selector:
        return ""
    # A ReplicationController's selector is a plain map of labels.
    plain = not {"matchLabels", "matchExpressions"} & selector.keys()
    try:
        return str(LabelSelector.from_object({"matchLabels": selector} if plain else selector))
    except ValueError:
        return ""


def _stored(workload: StoredObject) -> StoredObject:
    return StoredObject(
        key=workload.key,
        namespace=workload.namespace,
        name=workload.name,
        revision=workload.revision,
        raw=orjson.dumps(scale_of(workload.decoded())),
    )
