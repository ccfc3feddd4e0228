"""The configuration every cluster starts with: mandatory objects, which stay as they are, and suggested ones.

Written by `kubeapi/bootstrap/flow_control.py`; `control.FlowControl` imagines the mandatory ones where they are
missing, and validation compares with them. Mirrors `apiserver/pkg/apis/flowcontrol/bootstrap/default.go`.
"""

from typing import Any

from generic.flowcontrol.config import CATCH_ALL, EXEMPT, GROUP
from generic.request.user import ALL_AUTHENTICATED, ALL_UNAUTHENTICATED, PRIVILEGED_GROUP
from generic.types import JSONObject

AUTOUPDATE = "apf.kubernetes.io/autoupdate-spec"
"""The annotation of what the server may bring up to date."""

_API_VERSION = f"{GROUP}/v1"
_CONTROLLER_MANAGER = "system:kube-controller-manager"
_SCHEDULER = "system:kube-scheduler"
_NODES = "system:nodes"
_SERVICE_ACCOUNTS = "system:serviceaccounts"
_LEASES = "coordination.k8s.io"


def _object(kind: str, name: str, spec: JSONObject) -> JSONObject:
    metadata = {"name": name, "annotations": {AUTOUPDATE: "true"}}
    return {"apiVersion": _API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _level(name: str, *, shares: int, lendable: int, queues: int = 0, hand: int = 0) -> JSONObject:
    """Queues of fifty; without queues it turns away what finds no seat."""
    response: JSONObject = {"type": "Reject"}
    if queues:
        queuing = {"queues": queues, "handSize": hand, "queueLengthLimit": 50}
        response = {"type": "Queue", "queuing": queuing}
    limited = {"nominalConcurrencyShares": shares, "lendablePercent": lendable, "limitResponse": response}
    return _object("PriorityLevelConfiguration", name, {"type": "Limited", "limited": limited})


def _schema(name: str, level: str, *, precedence: int, by: str, rule: JSONObject) -> JSONObject:
    spec: JSONObject = {"priorityLevelConfiguration": {"name": level}, "matchingPrecedence": precedence}
    if by:
        spec["distinguisherMethod"] = {"type": by}
    return _object("FlowSchema", name, {**spec, "rules": [rule]})


def _groups(*names: str) -> list[JSONObject]:
    return [{"kind": "Group", "group": {"name": name}} for name in names]


def _users(*names: str) -> list[JSONObject]:
    return [{"kind": "User", "user": {"name": name}} for name in names]


def _resources(verbs: str, group: str, resources: str, *, cluster: bool) -> JSONObject:
    rule: JSONObject = {
        "verbs": verbs.split(),
        "apiGroups": [group],
        "resources": resources.split(),
        "namespaces": ["*"],
    }
    return {**rule, "clusterScope": True} if cluster else rule


def _everything(subjects: list[JSONObject]) -> JSONObject:
    return {
        "subjects": subjects,
        "resourceRules": [_resources("*", "*", "*", cluster=True)],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    }


_KUBE_SYSTEM_ACCOUNTS: list[JSONObject] = [
    {"kind": "ServiceAccount", "serviceAccount": {"namespace": "kube-system", "name": "*"}}
]
_ANYBODY = _groups(ALL_UNAUTHENTICATED, ALL_AUTHENTICATED)

_EXEMPT_LEVEL = _object(
    "PriorityLevelConfiguration",
    EXEMPT,
    {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}},
)
MANDATORY_LEVELS = (_level(CATCH_ALL, shares=5, lendable=0), _EXEMPT_LEVEL)
MANDATORY_SCHEMAS = (
    _schema(EXEMPT, EXEMPT, precedence=1, by="", rule=_everything(_groups(PRIVILEGED_GROUP))),
    _schema(CATCH_ALL, CATCH_ALL, precedence=10000, by="ByUser", rule=_everything(_ANYBODY)),
)

SUGGESTED_LEVELS = (
    _level("system", shares=30, lendable=33, queues=64, hand=6),
    _level("node-high", shares=40, lendable=25, queues=64, hand=6),
    _level("leader-election", shares=10, lendable=0, queues=16, hand=4),
    _level("workload-high", shares=40, lendable=50, queues=128, hand=6),
    _level("workload-low", shares=100, lendable=90, queues=128, hand=6),
    _level("global-default", shares=20, lendable=50, queues=128, hand=6),
)

_PROBES: JSONObject = {
    "subjects": _ANYBODY,
    "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz", "/readyz", "/livez"]}],
}
_ELECTIONS: JSONObject = {
    "subjects": [*_users(_CONTROLLER_MANAGER, _SCHEDULER), *_KUBE_SYSTEM_ACCOUNTS],
    "resourceRules": [_resources("get create update", _LEASES, "leases", cluster=False)],
}
_NODE_HEALTH: JSONObject = {
    "subjects": _groups(_NODES),
    "resourceRules": [
        _resources("*", "", "nodes nodes/status", cluster=True),
        _resources("*", _LEASES, "leases", cluster=False),
    ],
}
_OF_SCHEDULER, _OF_MANAGER = _everything(_users(_SCHEDULER)), _everything(_users(_CONTROLLER_MANAGER))
_OF_ACCOUNTS = _everything(_groups(_SERVICE_ACCOUNTS))
_OF_KUBE_SYSTEM = _everything(_KUBE_SYSTEM_ACCOUNTS)

SUGGESTED_SCHEMAS = (
    _schema("system-nodes", "system", precedence=500, by="ByUser", rule=_everything(_groups(_NODES))),
    _schema("system-node-high", "node-high", precedence=400, by="ByUser", rule=_NODE_HEALTH),
    _schema("probes", EXEMPT, precedence=2, by="", rule=_PROBES),
    _schema("system-leader-election", "leader-election", precedence=100, by="ByUser", rule=_ELECTIONS),
    _schema("kube-controller-manager", "workload-high", precedence=800, by="ByNamespace", rule=_OF_MANAGER),
    _schema("kube-scheduler", "workload-high", precedence=800, by="ByNamespace", rule=_OF_SCHEDULER),
    _schema("kube-system-service-accounts", "workload-high", precedence=900, by="ByNamespace", rule=_OF_KUBE_SYSTEM),
    _schema("service-accounts", "workload-low", precedence=9000, by="ByUser", rule=_OF_ACCOUNTS),
    _schema("global-default", "global-default", precedence=9900, by="ByUser", rule=_everything(_ANYBODY)),
)


def same_spec(spec: Any, other: Any) -> bool:
    """Equal to Go: absent, null, false and empty are one."""
    return bool(_bare(spec) == _bare(other))


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        found = {key: _bare(each) for key, each in value.items()}
        return {key: each for key, each in found.items() if each not in (None, "", [], {}) and each is not False}
    return [_bare(each) for each in value] if isinstance(value, list) else value
