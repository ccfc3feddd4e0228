"""The resources the REST suite runs over. To put another through it: add a line here, and a fixture that serves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject


@dataclass(frozen=True)
class Subject:
    """A resource, an object of it without a name, and a change that such an object takes."""

    gvr: GroupVersionResource
    kind: str
    body: JSONObject
    change: JSONObject
    """A merge patch that changes something outside metadata and status."""
    namespaced: bool = True
    counts_generations: bool = False
    status: JSONObject = field(default_factory=dict)
    """A status that may be written; empty if there is no /status."""
    strategic: bool = True
    """It takes strategic merge patches."""
    fixture: str = "kubeapi_client"
    """Of this folder; gives a Client of a server that has the resource."""

    @property
    def api_version(self) -> str:
        return str(self.gvr.group_version)

    @property
    def namespace(self) -> str:
        return "default" if self.namespaced else ""

    def make(self, name: str = "", *, labels: Mapping[str, str] | None = None, **metadata: object) -> JSONObject:
        """A new object, the caller's own."""
        given: JSONObject = {**metadata}
        if name:
            given["name"] = name
        if labels:
            given["labels"] = dict(labels)
        if self.namespaced:
            given["namespace"] = self.namespace
        body: JSONObject = orjson.loads(orjson.dumps(self.body))
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": given, **body}


_POD_TEMPLATE = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "main", "image": "registry/app:1"}]},
}

SUBJECTS = (
    Subject(
        GroupVersionResource("", "v1", "configmaps"),
        "ConfigMap",
        {"data": {"color": "red", "shape": "round"}},
        {"data": {"color": "blue"}},
    ),
    Subject(
        GroupVersionResource("apps", "v1", "deployments"),
        "Deployment",
        {"spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": _POD_TEMPLATE}},
        {"spec": {"replicas": 3}},
        counts_generations=True,
        status={"replicas": 1, "observedGeneration": 1},
    ),
    Subject(
        GroupVersionResource("rbac.authorization.k8s.io", "v1", "clusterroles"),
        "ClusterRole",
        {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
        {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]},
        namespaced=False,
    ),
    # Served in another version than stored in, and in a store of another group.
    Subject(
        GroupVersionResource("autoscaling", "v1", "horizontalpodautoscalers"),
        "HorizontalPodAutoscaler",
        {"spec": {"maxReplicas": 5, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}},
        {"spec": {"maxReplicas": 7}},
        status={"currentReplicas": 2, "desiredReplicas": 3},
        counts_generations=True,
    ),
    Subject(
        GroupVersionResource("events.k8s.io", "v1", "events"),
        "Event",
        {
            "eventTime": "2026-01-02T03:04:05.000000Z",
            "reportingController": "tests.example.com/suite",
            "reportingInstance": "suite-1",
            "action": "Testing",
            "reason": "Tested",
            "type": "Normal",
            "regarding": {"apiVersion": "v1", "kind": "Pod", "namespace": "default", "name": "web"},
        },
        {"series": {"count": 2, "lastObservedTime": "2026-01-02T03:05:05.000000Z"}},
    ),
    Subject(
        GroupVersionResource("stable.example.com", "v1", "things"),
        "Thing",
        {"spec": {"any": "thing"}},
        {"spec": {"any": "other"}},
        counts_generations=True,
        status={"seen": 1},
        strategic=False,
        fixture="controlplane_client",
    ),
    # A type of an aggregated server's author.
    Subject(
        GroupVersionResource("animal.demo.io", "v1alpha1", "cats"),
        "Cat",
        {"spec": {"breed": "tabby"}},
        {"spec": {"lives": 3}},
        counts_generations=True,
        status={"meals": 1},
        fixture="aa_client",
    ),
)
