"""Strategies of the core group. Mirrors `pkg/registry/core/*/strategy.go`."""

import copy
from collections.abc import Iterable, Sequence
from typing import Self

from generic.meta import names
from generic.meta import time as meta_time
from generic.meta.fields import FieldError
from generic.meta.quantity import Quantity
from generic.registry.options import DeleteOptions
from generic.registry.strategy import Strategy
from generic.request.context import RequestContext
from generic.types import JSONObject
from kubeapi.resources.defaults import core as defaults
from kubeapi.resources.defaults import pods as pod_defaults
from kubeapi.resources.defaults.common import section
from kubeapi.resources.strategies.base import KindStrategy, StatusKindStrategy, WorkloadStrategy
from kubeapi.resources.validation import claims, counters, endpoints, limits, nodes, pod_status, pod_updates
from kubeapi.resources.validation import core as validation
from kubeapi.resources.validation import pods as pod_validation

KUBERNETES_FINALIZER = "kubernetes"
EVENT_TTL = 3600.0
_DEFAULT_GRACE = 30


class NamespaceStrategy(StatusKindStrategy):
    """A namespace lives until its spec.finalizers are gone: the namespace controller empties it first."""

    name_validator = "label"
    deletes_in_two_steps = True

    def initial_status(self, obj: JSONObject) -> JSONObject:
        return {"phase": "Active"}

    def prepare_for_create(self, request: RequestContext, obj: JSONObject) -> None:
        super().prepare_for_create(request, obj)
        finalizers = obj["spec"].get("finalizers") or []
        if KUBERNETES_FINALIZER not in finalizers:
            finalizers = [*finalizers, KUBERNETES_FINALIZER]
        obj["spec"]["finalizers"] = finalizers

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        super().prepare_for_update(request, obj, old)
        obj["spec"] = {**(obj.get("spec") or {}), **_finalizers_of(old)}
        if not _finalizers_of(old):
            obj["spec"].pop("finalizers", None)

    def default_finalizers_block(self, obj: JSONObject) -> bool:
        return bool(_finalizers_of(obj))

    def after_delete_marked(self, obj: JSONObject) -> None:
        obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}


def _finalizers_of(obj: JSONObject) -> JSONObject:
    finalizers = (obj.get("spec") or {}).get("finalizers")
    return {"finalizers": finalizers} if finalizers else {}


class NamespaceFinalizeStrategy(NamespaceStrategy):
    """The strategy of `namespaces/finalize`: the one place where spec.finalizers may change."""

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        StatusKindStrategy.prepare_for_update(self, request, obj, old)


class PodStrategy(WorkloadStrategy):
    """Pods start Pending and are deleted gracefully once they are on a node."""

    returns_deleted_object = True

    def prepare_for_create(self, request: RequestContext, obj: JSONObject) -> None:
        super().prepare_for_create(request, obj)
        _mend_grace(obj)

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        super().prepare_for_update(request, obj, old)
        _mend_grace(obj)

    def prepare_status_update(self, obj: JSONObject, old: JSONObject) -> None:
        """What kubelets leave out stays as it was."""
        status, before = section(obj, "status"), old.get("status") or {}
        for key in ("qosClass", "observedGeneration", "resourceClaimStatuses", "extendedResourceClaimStatus"):
            if before.get(key) and status.get(key) in (None, "", 0):
                status[key] = before[key]

    def initial_status(self, obj: JSONObject) -> JSONObject:
        status: JSONObject = {"phase": "Pending", "qosClass": quality_of_service(obj.get("spec") or {})}
        if obj.get("spec", {}).get("schedulingGates"):
            message = "Scheduling is blocked due to non-empty scheduling gates"
            condition = {
                "type": "PodScheduled",
                "status": "False",
                "lastProbeTime": None,
                "lastTransitionTime": meta_time.now(),
                "reason": "SchedulingGated",
                "message": message,
            }
            status["conditions"] = [condition]
        return status

    def grace_period(self, obj: JSONObject, options: DeleteOptions) -> int | None:
        spec = obj.get("spec") or {}
        if options.grace_period_seconds is not None:
            period = options.grace_period_seconds
        else:
            period = spec.get("terminationGracePeriodSeconds", _DEFAULT_GRACE)
        over = (obj.get("status") or {}).get("phase") in ("Failed", "Succeeded")
        # Where no kubelet has the pod, or is done with it, there is nobody to wait for.
        return 0 if not spec.get("nodeName") or over else max(1, period) if period < 0 else period

    def validate(self, request: RequestContext, obj: JSONObject) -> Sequence[FieldError]:
        return [*super().validate(request, obj), *pod_validation.new_pod(obj)]


def _mend_grace(obj: JSONObject) -> None:
    """A negative grace meant the shortest once."""
    spec = obj.get("spec") or {}
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1


def quality_of_service(spec: JSONObject) -> str:
    """Guaranteed, Burstable or BestEffort. Mirrors `pkg/apis/core/helper/qos`."""
    containers = [*_resources(spec.get("containers") or ()), *_resources(spec.get("initContainers") or ())]
    if not any(_set(c, "requests") or _set(c, "limits") for c in containers):
        return "BestEffort"
    for container in containers:
        requests, limits = _set(container, "requests"), _set(container, "limits")
        if limits.keys() != {"cpu", "memory"} or any(
            name in requests and requests[name] != limits[name] for name in limits
        ):
            return "Burstable"
    return "Guaranteed"


def _resources(containers: Iterable[JSONObject]) -> list[JSONObject]:
    return [container.get("resources") or {} for container in containers]


def _set(resources: JSONObject, key: str) -> dict[str, Quantity]:
    found = {}
    for name, amount in (resources.get(key) or {}).items():
        if name in ("cpu", "memory"):
            try:
                quantity = Quantity.parse(str(amount))
            except ValueError:
                continue
            if quantity.nanos:
                found[name] = quantity
    return found


class EventStrategy(KindStrategy):
    """Events go away by themselves, and reporters PUT them without looking."""

    allow_create_on_update = True
    dependents = "unsupported"
    name_validator = "any"
    kept = EVENT_TTL

    def ttl(self, obj: JSONObject) -> float | None:
        return self.kept

    def keeping(self, seconds: float) -> Self:
        """The same with another time to live."""
        other = copy.copy(self)
        other.kept = seconds
        return other


class NodeStrategy(StatusKindStrategy):
    """A kubelet registers its node together with its status."""

    def prepare_for_create(self, request: RequestContext, obj: JSONObject) -> None:
        """Everything the kubelet says is kept."""


class VolumeStrategy(StatusKindStrategy):
    """Volumes and claims wait to be bound."""

    returns_deleted_object = True

    def initial_status(self, obj: JSONObject) -> JSONObject:
        return {"phase": "Pending"}


def _is_known_source(source: JSONObject) -> bool:
    group, kind = source.get("apiGroup") or "", source.get("kind")
    return (group, kind) in (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))


def _sources_in_step(spec: JSONObject) -> None:
    older, newer = spec.get("dataSource"), spec.get("dataSourceRef")
    if older is not None and newer is None and not _is_known_source(older):
        # The older field was never meant for others, and forgets them without a word.
        older = spec.pop("dataSource") and None
    if older is not None and newer is None:
        spec["dataSourceRef"] = dict(older)
    elif newer is not None and older is None and not newer.get("namespace"):
        spec["dataSource"] = {key: newer[key] for key in ("apiGroup", "kind", "name") if key in newer}


class ClaimStrategy(VolumeStrategy):
    """Where a claim's data comes from has an older and a newer field, which are kept in step."""

    def prepare_for_create(self, request: RequestContext, obj: JSONObject) -> None:
        super().prepare_for_create(request, obj)
        _sources_in_step(obj.get("spec") or {})

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        super().prepare_for_update(request, obj, old)
        _sources_in_step(obj.get("spec") or {})


class PersistentVolumeStrategy(VolumeStrategy):
    """A volume remembers since when it is in its phase."""

    def initial_status(self, obj: JSONObject) -> JSONObject:
        return {"phase": "Pending", "lastPhaseTransitionTime": meta_time.now()}


class ReplicationControllerStrategy(WorkloadStrategy):
    dependents = "orphan"

    def initial_status(self, obj: JSONObject) -> JSONObject:
        return {"replicas": 0}


class CreateOnUpdateStrategy(KindStrategy):
    """PUT of a missing object makes it."""

    allow_create_on_update = True


class LimitRangeStrategy(CreateOnUpdateStrategy):
    """The one kind that names its objects by itself."""

    def prepare_for_create(self, request: RequestContext, obj: JSONObject) -> None:
        if not obj["metadata"].get("name"):
            obj["metadata"]["name"] = names.new_uid()


class ReturningStrategy(KindStrategy):
    """DELETE answers with the object."""

    returns_deleted_object = True


class ReturningStatusStrategy(StatusKindStrategy):
    """The same for a kind with status."""

    returns_deleted_object = True


class ReturningGenerationStrategy(KindStrategy):
    """The same for a kind that counts generations."""

    returns_deleted_object = True
    tracks_generation = True


NAMESPACE: Strategy = NamespaceStrategy(default=defaults.namespace, validate=nodes.namespace)
NAMESPACE_FINALIZE = NamespaceFinalizeStrategy(default=defaults.namespace)
POD = PodStrategy(
    default=pod_defaults.pod,
    validate=pod_validation.pod,
    validate_update=pod_updates.pod_update,
    validate_status=pod_status.pod_status,
    # Old kubelets spoil them.
    status_keeps=frozenset({"ownerReferences"}),
)
SECRET = KindStrategy(default=defaults.secret, validate=validation.secret, validate_update=validation.secret_update)
CONFIG_MAP = KindStrategy(validate=validation.config_map, validate_update=validation.config_map_update)
EVENT = EventStrategy(default=defaults.event, validate=validation.event)
NODE = NodeStrategy(default=defaults.node, validate=nodes.node, validate_update=nodes.node_update)
PERSISTENT_VOLUME = PersistentVolumeStrategy(
    default=defaults.persistent_volume,
    validate=validation.persistent_volume,
    validate_update=validation.persistent_volume_update,
)
PERSISTENT_VOLUME_CLAIM = ClaimStrategy(
    default=defaults.persistent_volume_claim, validate=claims.claim, validate_update=claims.claim_update
)
REPLICATION_CONTROLLER = ReplicationControllerStrategy(
    default=defaults.replication_controller,
    validate=validation.replication_controller,
    validate_status=counters.REPLICA_SET.check,
)
POD_TEMPLATE = ReturningGenerationStrategy(default=defaults.template_object, validate=validation.pod_template)
ENDPOINTS = CreateOnUpdateStrategy(default=defaults.endpoints, validate=endpoints.endpoints)
LIMIT_RANGE = LimitRangeStrategy(default=defaults.limit_range, validate=limits.limit_range)
RESOURCE_QUOTA = ReturningStatusStrategy(validate=limits.quota, validate_update=limits.quota_update)
SERVICE_ACCOUNT = ReturningStrategy()
