"""What `kubectl get` shows of the built-in kinds."""

import pytest

from generic.meta.tables import Column
from generic.types import JSONObject
from kubeapi.resources import all_kinds
from tests.support.builtin import cells, kind, workload

UNKNOWN = "<unknown>"


def _names(api_version: str, name: str) -> list[str]:
    return [f"{column.name}{'*' if column.priority else ''}" for column in kind(api_version, name).columns]


@pytest.mark.parametrize(
    ("api_version", "name", "columns"),
    [
        ("v1", "Pod", "Name Ready Status Restarts Age IP* Node* Nominated-Node* Readiness-Gates*"),
        ("v1", "Service", "Name Type Cluster-IP External-IP Port(s) Age Selector*"),
        ("v1", "Namespace", "Name Status Age"),
        ("v1", "Secret", "Name Type Data Age"),
        ("v1", "LimitRange", "Name Created-At"),
        ("v1", "Event", "Last-Seen Type Reason Object Subobject* Source* Message First-Seen* Count* Name*"),
        ("apps/v1", "Deployment", "Name Ready Up-to-date Available Age Containers* Images* Selector*"),
        ("apps/v1", "StatefulSet", "Name Ready Age Containers* Images*"),
        ("batch/v1", "Job", "Name Status Completions Duration Age Containers* Images* Selector*"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", "Name Created-At"),
        ("rbac.authorization.k8s.io/v1", "RoleBinding", "Name Role Age Users* Groups* ServiceAccounts*"),
    ],
)
def test_the_columns_of_a_kind(api_version: str, name: str, columns: str) -> None:
    assert [column.replace(" ", "-") for column in _names(api_version, name)] == columns.split()


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: f"{kind.group_version}/{kind.kind}")
def test_an_object_that_says_nothing_has_a_row(kind: object) -> None:
    columns: tuple[Column, ...] = kind.columns  # type: ignore[attr-defined]
    bare: JSONObject = {"metadata": {"name": "bare"}}
    empty: JSONObject = {"metadata": {"name": "bare"}, "spec": {}, "status": {}}
    for obj in (bare, empty):
        assert len([column.getter(obj) for column in columns]) == len(columns)


def test_a_deployment_shows_ready_of_wanted() -> None:
    obj = workload("Deployment", replicas=3)
    obj["status"] = {"readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1}
    assert cells(obj) == ["web", "1/3", 2, 1, UNKNOWN, "main", "registry/app:1", "app=web"]
    assert cells(obj, wide=False) == ["web", "1/3", 2, 1, UNKNOWN]


def _pod(spec: JSONObject | None = None, **status: object) -> JSONObject:
    base = {"containers": [{"name": "a"}, {"name": "b"}], **(spec or {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": base, "status": status}


def _container(name: str, **state: object) -> JSONObject:
    return {"name": name, "ready": "running" in state, "restartCount": 2 if "waiting" in state else 0, "state": state}


@pytest.mark.parametrize(
    ("pod", "ready", "status", "restarts"),
    [
        (_pod(phase="Pending"), "0/2", "Pending", "0"),
        (_pod(phase="Failed", reason="Evicted"), "0/2", "Evicted", "0"),
        (
            _pod(phase="Running", containerStatuses=[_container("a", running={}), _container("b", running={})]),
            "2/2",
            "Running",
            "0",
        ),
        (
            _pod(
                phase="Running",
                containerStatuses=[
                    _container("a", running={}),
                    _container("b", waiting={"reason": "CrashLoopBackOff"}),
                ],
            ),
            "1/2",
            "CrashLoopBackOff",
            "2",
        ),
        (
            _pod(phase="Failed", containerStatuses=[_container("a", terminated={"exitCode": 3})]),
            "0/2",
            "ExitCode:3",
            "0",
        ),
        (
            _pod(phase="Failed", containerStatuses=[_container("a", terminated={"signal": 9})]),
            "0/2",
            "Signal:9",
            "0",
        ),
        (
            _pod(
                {"initContainers": [{"name": "i"}, {"name": "j"}]},
                phase="Pending",
                initContainerStatuses=[
                    _container("i", terminated={"exitCode": 0}),
                    _container("j", running={}),
                ],
            ),
            "0/2",
            "Init:1/2",
            "0",
        ),
        (
            _pod(
                {"initContainers": [{"name": "i", "restartPolicy": "Always"}]},
                phase="Running",
                initContainerStatuses=[{**_container("i", running={}), "started": True}],
                containerStatuses=[_container("a", running={}), _container("b", running={})],
            ),
            "3/3",
            "Running",
            "0",
        ),
        (
            _pod(
                phase="Pending", conditions=[{"type": "PodScheduled", "reason": "SchedulingGated", "status": "False"}]
            ),
            "0/2",
            "SchedulingGated",
            "0",
        ),
    ],
)
def test_a_pod_in_one_word(pod: JSONObject, ready: str, status: str, restarts: str) -> None:
    assert cells(pod)[1:4] == [ready, status, restarts]


def test_a_pod_being_deleted_is_terminating_unless_it_has_ended() -> None:
    pod = _pod(phase="Running")
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert cells(pod)[2] == "Terminating"
    pod["status"]["phase"] = "Succeeded"
    assert cells(pod)[2] == "Succeeded"


def _service(status: JSONObject | None = None, **spec: object) -> JSONObject:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": spec, "status": status or {}}


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (_service(type="ClusterIP"), ["s", "ClusterIP", "<none>", "<none>", "<none>"]),
        (
            _service(
                type="NodePort", clusterIPs=["10.0.0.1"], ports=[{"port": 80, "nodePort": 30000, "protocol": "TCP"}]
            ),
            ["s", "NodePort", "10.0.0.1", "<none>", "80:30000/TCP"],
        ),
        (_service(type="LoadBalancer"), ["s", "LoadBalancer", "<none>", "<pending>", "<none>"]),
        (
            _service(
                {"loadBalancer": {"ingress": [{"ip": "2.2.2.2"}, {"hostname": "b"}]}},
                type="LoadBalancer",
                externalIPs=["9.9.9.9"],
            ),
            ["s", "LoadBalancer", "<none>", "2.2.2.2,b,9.9.9.9", "<none>"],
        ),
        (
            _service(type="ExternalName", externalName="example.com"),
            ["s", "ExternalName", "<none>", "example.com", "<none>"],
        ),
    ],
)
def test_where_a_service_is_reached(service: JSONObject, expected: list[str]) -> None:
    assert cells(service)[:5] == expected


def test_long_lists_are_cut() -> None:
    addresses = [{"ip": f"10.0.0.{i}"} for i in range(1, 6)]
    endpoints = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "e"},
        "subsets": [{"addresses": addresses, "ports": [{"port": 80}]}],
    }
    assert cells(endpoints)[1] == "10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more..."
    assert cells({**endpoints, "subsets": []})[1] == "<none>"


def test_an_autoscaler_shows_the_same_in_both_versions() -> None:
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 1, "maxReplicas": 4}
    meta = {"metadata": {"name": "h"}, "kind": "HorizontalPodAutoscaler"}
    v1 = {**meta, "apiVersion": "autoscaling/v1", "spec": {**spec, "targetCPUUtilizationPercentage": 50}}
    target = {"type": "Utilization", "averageUtilization": 50}
    metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    v2 = {**meta, "apiVersion": "autoscaling/v2", "spec": {**spec, "metrics": metrics}}
    expected = ["h", "Deployment/web", "cpu: <unknown>/50%", "1", 4, 0, UNKNOWN]
    assert cells(v1) == cells(v2) == expected


def test_whom_a_binding_binds() -> None:
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "b"},
        "roleRef": {"kind": "Role", "name": "r"},
        "subjects": [
            {"kind": "User", "name": "jane"},
            {"kind": "Group", "name": "dev"},
            {"kind": "ServiceAccount", "name": "sa", "namespace": "ns"},
        ],
    }
    assert cells(binding) == ["b", "Role/r", UNKNOWN, "jane", "dev", "ns/sa"]
