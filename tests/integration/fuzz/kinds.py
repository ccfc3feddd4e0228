"""The kinds that are fuzzed: where each is, and a valid object to begin with."""

from dataclasses import dataclass

from generic.types import JSONObject
from tests.support import crd

_CONTAINER = {"name": "main", "image": "registry/app:1", "ports": [{"containerPort": 80}], "env": [{"name": "A"}]}
_POD_SPEC: JSONObject = {"containers": [_CONTAINER]}
_TEMPLATE: JSONObject = {"metadata": {"labels": {"app": "web"}}, "spec": _POD_SPEC}
_SELECTOR: JSONObject = {"matchLabels": {"app": "web"}}


@dataclass(frozen=True)
class Kind:
    """`collection`: the path of all its objects, in one namespace if they have one."""

    collection: str
    valid: JSONObject
    parts: tuple[str, ...] = ("status",)
    name: str = "base"

    @property
    def object(self) -> JSONObject:
        return {**self.valid, "metadata": {"name": self.name, "labels": {"a": "b"}, "annotations": {"c": "d"}}}


def _namespaced(api_version: str, plural: str, kind: str, **fields: object) -> Kind:
    root = "/api" if api_version == "v1" else "/apis"
    path = f"{root}/{api_version}/namespaces/default/{plural}"
    parts = ("status", "scale") if "template" in str(fields) else ("status",)
    return Kind(path, {"apiVersion": api_version, "kind": kind, **fields}, parts)


def _cluster(api_version: str, plural: str, kind: str, **fields: object) -> Kind:
    root = "/api" if api_version == "v1" else "/apis"
    return Kind(f"{root}/{api_version}/{plural}", {"apiVersion": api_version, "kind": kind, **fields})


_ABOUT = {"namespace": "default", "name": "x"}
_BUDGET = {"minAvailable": 1, "selector": _SELECTOR}
_BACKEND = {"service": {"name": "s", "port": {"number": 80}}}
_PATHS = [{"path": "/", "pathType": "Prefix", "backend": _BACKEND}]
_INGRESS = {"rules": [{"host": "a.b", "http": {"paths": _PATHS}}]}
_API_SERVICE = {"group": "g.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10}
_RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
_METRIC = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 5}}}

DEFINITION = crd.definition("gizmos")
DEFINITION["spec"]["versions"][0]["subresources"]["scale"] = {
    "specReplicasPath": ".spec.replicas",
    "statusReplicasPath": ".status.replicas",
}
DEFINITION["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = {
    "type": "object",
    "properties": {
        "replicas": {"type": "integer", "default": 1, "minimum": 0},
        "any": {"type": "string", "pattern": "^t"},
        "list": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    },
    "x-kubernetes-validations": [{"rule": "!has(self.any) || self.any.size() < 9"}],
}

KINDS = (
    _namespaced("v1", "configmaps", "ConfigMap", data={"a": "b"}, binaryData={"c": "ZA=="}),
    _namespaced("v1", "secrets", "Secret", stringData={"a": "b"}),
    Kind(
        "/api/v1/namespaces/default/pods",
        {"apiVersion": "v1", "kind": "Pod", "spec": _POD_SPEC},
        ("status", "binding", "eviction", "ephemeralcontainers", "resize", "log", "exec", "proxy"),
    ),
    _namespaced("v1", "services", "Service", spec={"selector": {"a": "b"}, "ports": [{"port": 80}]}),
    _namespaced("v1", "events", "Event", involvedObject=_ABOUT, reason="R", type="Normal"),
    Kind("/api/v1/namespaces/default/serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount"}, ("token",)),
    _namespaced("apps/v1", "deployments", "Deployment", spec={"selector": _SELECTOR, "template": _TEMPLATE}),
    _namespaced("apps/v1", "daemonsets", "DaemonSet", spec={"selector": _SELECTOR, "template": _TEMPLATE}),
    _namespaced("batch/v1", "jobs", "Job", spec={"template": {"spec": {**_POD_SPEC, "restartPolicy": "Never"}}}),
    _namespaced(
        "autoscaling/v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        spec={
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
            "maxReplicas": 3,
            "metrics": [_METRIC],
        },
    ),
    _namespaced("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", spec=_BUDGET),
    _namespaced("networking.k8s.io/v1", "ingresses", "Ingress", spec=_INGRESS),
    _namespaced("coordination.k8s.io/v1", "leases", "Lease", spec={"holderIdentity": "x", "leaseDurationSeconds": 5}),
    _namespaced("stable.example.com/v1", "gizmos", "Gizmo", spec={"any": "thing", "replicas": 2, "list": ["a"]}),
    _cluster("v1", "namespaces", "Namespace"),
    _cluster("v1", "nodes", "Node", spec={"taints": [{"key": "k", "effect": "NoSchedule"}]}),
    _cluster("rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole", rules=_RULES),
    _cluster("storage.k8s.io/v1", "storageclasses", "StorageClass", provisioner="a.b/c"),
    Kind(
        "/apis/apiregistration.k8s.io/v1/apiservices",
        {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "spec": _API_SERVICE},
        name="v1.g.example.com",
    ),
)
