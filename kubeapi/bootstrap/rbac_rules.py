"""Writing RBAC objects down briefly. Used by `rbac_policy.py` and `rbac_controllers.py`.

Mirrors the rule builders of `pkg/apis/rbac/v1/helpers.go`: every list comes out sorted.
"""

from collections.abc import Sequence

from generic.types import JSONObject

GROUP = "rbac.authorization.k8s.io"
API_VERSION = f"{GROUP}/v1"
AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate"
BOOTSTRAPPING = {"kubernetes.io/bootstrapping": "rbac-defaults"}

READ = "get list watch"
WRITE = "create delete deletecollection patch update"
READ_WRITE = f"{READ} {WRITE}"
READ_UPDATE = f"{READ} patch update"


def rule(verbs: str, groups: str, resources: str, *, names: str = "") -> JSONObject:
    """A rule on resources. Words are apart by spaces; the core group is written `core`."""
    made: JSONObject = {
        "verbs": sorted(set(verbs.split())),
        "apiGroups": sorted("" if group == "core" else group for group in groups.split()),
        "resources": sorted(set(resources.split())),
    }
    if names:
        made["resourceNames"] = sorted(names.split())
    return made


def urls(verbs: str, paths: str) -> JSONObject:
    """A rule on paths."""
    return {"verbs": sorted(verbs.split()), "nonResourceURLs": sorted(paths.split())}


EVENTS = rule("create patch update", "core events.k8s.io", "events")
"""What everybody may do who reports events."""


def _object(kind: str, name: str, *, namespace: str = "", labels: dict[str, str] | None = None) -> JSONObject:
    metadata: JSONObject = {
        "name": name,
        "labels": {**BOOTSTRAPPING, **(labels or {})},
        "annotations": {AUTOUPDATE: "true"},
    }
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata}


def cluster_role(name: str, *rules: JSONObject, aggregate_to: str = "") -> JSONObject:
    """A ClusterRole; `aggregate_to` is the one whose rules it adds to."""
    labels = {f"{GROUP}/aggregate-to-{aggregate_to}": "true"} if aggregate_to else None
    return {**_object("ClusterRole", name, labels=labels), "rules": list(rules)}


def aggregated_role(name: str, *, aggregate_to: str = "") -> JSONObject:
    """A ClusterRole whose rules are those of the ones that say they add to it."""
    labels = {f"{GROUP}/aggregate-to-{aggregate_to}": "true"} if aggregate_to else None
    selector = {"matchLabels": {f"{GROUP}/aggregate-to-{name}": "true"}}
    return {
        **_object("ClusterRole", name, labels=labels),
        "aggregationRule": {"clusterRoleSelectors": [selector]},
        "rules": [],
    }


def role(namespace: str, name: str, *rules: JSONObject) -> JSONObject:
    return {**_object("Role", name, namespace=namespace), "rules": list(rules)}


def users(*names: str) -> list[JSONObject]:
    return [{"kind": "User", "apiGroup": GROUP, "name": name} for name in names]


def groups(*names: str) -> list[JSONObject]:
    return [{"kind": "Group", "apiGroup": GROUP, "name": name} for name in names]


def service_accounts(namespace: str, *names: str) -> list[JSONObject]:
    return [{"kind": "ServiceAccount", "name": name, "namespace": namespace} for name in names]


def cluster_binding(name: str, subjects: Sequence[JSONObject]) -> JSONObject:
    """Binds the ClusterRole of the same name."""
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": name}
    made = {**_object("ClusterRoleBinding", name), "roleRef": reference}
    return {**made, "subjects": list(subjects)} if subjects else made


def binding(namespace: str, name: str, role: str, subjects: Sequence[JSONObject]) -> JSONObject:
    """Binds a Role of the same namespace."""
    reference = {"apiGroup": GROUP, "kind": "Role", "name": role}
    return {**_object("RoleBinding", name, namespace=namespace), "roleRef": reference, "subjects": list(subjects)}
