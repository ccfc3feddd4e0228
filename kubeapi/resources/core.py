"""The kinds of the core group, served at /api/v1. Mirrors `pkg/registry/core/rest/storage_core.go`."""

from functools import partial

from generic.meta.gvk import GroupVersion
from kubeapi.resources.columns import cluster, pods
from kubeapi.resources.columns import core as columns
from kubeapi.resources.kinds import STATUS, STATUS_AND_SCALE, BuiltinKind, text_at
from kubeapi.resources.strategies import core as strategies
from kubeapi.resources.strategies.services import SERVICE

V1 = GroupVersion("", "v1")
_namespaced = partial(BuiltinKind, V1, namespaced=True)
_cluster = partial(BuiltinKind, V1, namespaced=False)
_ALL = ("all",)
_PARTS_OF_PODS = STATUS | {"ephemeralcontainers", "resize"}
_ASKED_OF_PODS = frozenset({"attach", "binding", "eviction", "exec", "log", "portforward", "proxy"})
_WITH_PROXY = STATUS | {"proxy"}

_POD_FIELDS = {
    "spec.nodeName": text_at("spec", "nodeName"),
    "spec.restartPolicy": text_at("spec", "restartPolicy"),
    "spec.schedulerName": text_at("spec", "schedulerName"),
    "spec.serviceAccountName": text_at("spec", "serviceAccountName"),
    "spec.hostNetwork": lambda obj: text_at("spec", "hostNetwork")(obj) or "false",
    "status.phase": text_at("status", "phase"),
    "status.podIP": lambda obj: ((obj.get("status") or {}).get("podIPs") or [{}])[0].get("ip", ""),
    # Kubernetes knows this label but never gives it a value.
    "status.podIPs": lambda obj: "",
    "status.nominatedNodeName": text_at("status", "nominatedNodeName"),
}
EVENT_FIELDS = {
    **{
        f"involvedObject.{key}": text_at("involvedObject", key)
        for key in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    },
    "reason": text_at("reason"),
    "reportingComponent": text_at("reportingComponent"),
    "source": lambda obj: text_at("source", "component")(obj) or text_at("reportingComponent")(obj),
    "type": text_at("type"),
}

KINDS: tuple[BuiltinKind, ...] = (
    _namespaced(
        "ConfigMap", "configmaps", short_names=("cm",), strategy=strategies.CONFIG_MAP, columns=columns.CONFIG_MAP
    ),
    _namespaced(
        "Endpoints",
        "endpoints",
        short_names=("ep",),
        strategy=strategies.ENDPOINTS,
        columns=columns.ENDPOINTS,
        deprecation_warning="v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    ),
    _namespaced(
        "Event",
        "events",
        short_names=("ev",),
        strategy=strategies.EVENT,
        columns=columns.EVENT,
        selectable_fields=EVENT_FIELDS,
    ),
    _namespaced("LimitRange", "limitranges", short_names=("limits",), strategy=strategies.LIMIT_RANGE),
    _cluster(
        "Namespace",
        "namespaces",
        short_names=("ns",),
        strategy=strategies.NAMESPACE,
        columns=columns.NAMESPACE,
        selectable_fields={"status.phase": text_at("status", "phase"), "name": text_at("metadata", "name")},
        subresources=STATUS | {"finalize"},
        deletes_collections=False,
    ),
    _cluster(
        "Node",
        "nodes",
        short_names=("no",),
        strategy=strategies.NODE,
        columns=cluster.NODE,
        selectable_fields={"spec.unschedulable": lambda obj: text_at("spec", "unschedulable")(obj) or "false"},
        subresources=_WITH_PROXY,
    ),
    _namespaced(
        "PersistentVolumeClaim",
        "persistentvolumeclaims",
        short_names=("pvc",),
        strategy=strategies.PERSISTENT_VOLUME_CLAIM,
        columns=cluster.PERSISTENT_VOLUME_CLAIM,
        subresources=STATUS,
    ),
    _cluster(
        "PersistentVolume",
        "persistentvolumes",
        short_names=("pv",),
        strategy=strategies.PERSISTENT_VOLUME,
        columns=cluster.PERSISTENT_VOLUME,
        subresources=STATUS,
    ),
    _namespaced(
        "Pod",
        "pods",
        short_names=("po",),
        categories=_ALL,
        strategy=strategies.POD,
        columns=pods.POD,
        selectable_fields=_POD_FIELDS,
        subresources=_PARTS_OF_PODS | _ASKED_OF_PODS,
    ),
    _namespaced("PodTemplate", "podtemplates", strategy=strategies.POD_TEMPLATE, columns=columns.POD_TEMPLATE),
    _namespaced(
        "ReplicationController",
        "replicationcontrollers",
        short_names=("rc",),
        categories=_ALL,
        strategy=strategies.REPLICATION_CONTROLLER,
        columns=columns.REPLICATION_CONTROLLER,
        selectable_fields={"status.replicas": lambda obj: text_at("status", "replicas")(obj) or "0"},
        subresources=STATUS_AND_SCALE,
    ),
    _namespaced(
        "ResourceQuota",
        "resourcequotas",
        short_names=("quota",),
        strategy=strategies.RESOURCE_QUOTA,
        columns=columns.RESOURCE_QUOTA,
        subresources=STATUS,
    ),
    _namespaced(
        "Secret",
        "secrets",
        strategy=strategies.SECRET,
        columns=columns.SECRET,
        selectable_fields={"type": text_at("type")},
    ),
    _namespaced(
        "ServiceAccount",
        "serviceaccounts",
        short_names=("sa",),
        strategy=strategies.SERVICE_ACCOUNT,
        columns=columns.SERVICE_ACCOUNT,
        subresources=frozenset({"token"}),
    ),
    _namespaced(
        "Service",
        "services",
        short_names=("svc",),
        categories=_ALL,
        strategy=SERVICE,
        columns=columns.SERVICE,
        selectable_fields={"spec.clusterIP": text_at("spec", "clusterIP"), "spec.type": text_at("spec", "type")},
        subresources=_WITH_PROXY,
    ),
)
