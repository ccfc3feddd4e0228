"""Bindings: how a scheduler puts a pod on a node, by POST to `pods/binding` or to the older `bindings`.

Made by `subresources.py`. Mirrors BindingREST and LegacyBindingREST of `pkg/registry/core/pod/storage/storage.go`.
"""

from dataclasses import replace

import orjson

from generic.admission.interface import NO_ADMISSION, AdmissionChain
from generic.meta import errors, fields
from generic.meta import time as meta_time
from generic.meta.fields import FieldError
from generic.meta.gvk import GroupResource, GroupVersion
from generic.registry.options import WriteOptions
from generic.registry.rest import Transform
from generic.registry.store import Store
from generic.request.context import RequestContext
from generic.storage.objects import StoredObject
from generic.types import JSONObject
from kubeapi import asked
from kubeapi.resources.strategies.pod_parts import BINDING as STRATEGY

V1 = GroupVersion("", "v1")
BINDING = V1.with_kind("Binding")
_CONFLICTS = GroupResource("", "pods/binding")


class PodBinding:
    """POST to a named pod."""

    def __init__(self, parent: Store, *, admission: AdmissionChain = NO_ADMISSION) -> None:
        self._pods = Store(parent.resource, parent.backing, strategy=STRATEGY, subresource="binding")
        self._admission = admission

    async def create_named(
        self, request: RequestContext, namespace: str, name: str, obj: JSONObject, options: WriteOptions
    ) -> StoredObject:
        """Raises StatusError: 409 for a pod that is on a node already or on its way out."""
        metadata, target = obj["metadata"], obj.get("target") or {}
        if (metadata.get("name") or "") != name:
            raise errors.bad_request("name in URL does not match name in Binding object")
        if (metadata.get("namespace") or namespace) != namespace:
            raise errors.bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )
        await asked.admit(
            self._admission,
            request,
            obj,
            resource=self._pods.resource.gvr,
            kind=BINDING,
            subresource="binding",
            namespace=namespace,
            name=name,
            options=options,
        )
        problems = _problems(target)
        if problems:
            raise errors.invalid(BINDING.group_kind, name, problems)

        async def apply(pod: JSONObject | None) -> JSONObject:
            if pod is None:
                raise errors.not_found(self._pods.resource.group_resource, name)
            return _bound(pod, obj)

        await self._pods.update(request, namespace, name, Transform(apply), replace(options, kind="UpdateOptions"))
        return success()


class Bindings:
    """POST to the collection: the binding says which pod it is for."""

    def __init__(self, named: PodBinding) -> None:
        self._named = named

    async def create(
        self, request: RequestContext, namespace: str, obj: JSONObject, options: WriteOptions
    ) -> StoredObject:
        name = obj["metadata"].get("name") or ""
        if not name:
            raise errors.invalid(BINDING.group_kind, name, [fields.required("metadata.name", "name is required")])
        return await self._named.create_named(request, namespace, name, obj, options)


def success() -> StoredObject:
    """The answer to what was asked and done, where there is no object to show."""
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    return StoredObject(key="", namespace="", name="", revision=0, raw=orjson.dumps(status))


def _problems(target: JSONObject) -> list[FieldError]:
    found = []
    if target.get("kind") not in (None, "", "Node"):
        found.append(fields.not_supported("target.kind", target["kind"], ["Node", "<empty>"]))
    if not target.get("name"):
        found.append(fields.required("target.name"))
    return found


def _bound(pod: JSONObject, binding: JSONObject) -> JSONObject:
    """The pod on its node. Raises StatusError."""
    metadata, spec = pod["metadata"], pod["spec"]
    name, why = metadata["name"], ""
    if metadata.get("deletionTimestamp"):
        why = f"pod {name} is being deleted, cannot be assigned to a host"
    elif spec.get("nodeName"):
        why = f'pod {name} is already assigned to node "{spec["nodeName"]}"'
    elif spec.get("schedulingGates"):
        why = f"pod {name} has non-empty .spec.schedulingGates"
    if why:
        raise errors.conflict(_CONFLICTS, name, why)
    given = binding["metadata"]
    merged = dict(metadata)
    for key in ("uid", "resourceVersion"):
        if given.get(key):
            # What the scheduler pinned is for the Store to compare.
            merged[key] = given[key]
    if given.get("annotations"):
        merged["annotations"] = {**(metadata.get("annotations") or {}), **given["annotations"]}
    if given.get("labels"):
        merged["labels"] = {**(metadata.get("labels") or {}), **given["labels"]}
    return {
        **pod,
        "metadata": merged,
        "spec": {**spec, "nodeName": binding["target"]["name"]},
        "status": _scheduled(pod.get("status") or {}),
    }


def _scheduled(status: JSONObject) -> JSONObject:
    conditions = [found for found in status.get("conditions") or () if found["type"] != "PodScheduled"]
    condition = {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": None,
        "lastTransitionTime": meta_time.now(),
    }
    made = {**status, "conditions": [*conditions, condition]}
    # It waits for no node any longer.
    made.pop("nominatedNodeName", None)
    return made
