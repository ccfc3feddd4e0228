"""What objects use of quotas, and which quotas they concern."""

from datetime import timedelta
from typing import Any

import pytest

from generic.meta import time as meta_time
from generic.meta.gvk import GroupResource
from generic.types import JSONObject
from kubeapi.quota import amounts, evaluators, scopes
from kubeapi.quota.claims import DeviceClaims, VolumeClaims
from kubeapi.quota.pods import Pods
from kubeapi.quota.scopes import Requirement
from kubeapi.quota.services import Services


def _used(evaluator: evaluators.Evaluator, obj: JSONObject) -> dict[str, str]:
    return {name: str(amount) for name, amount in evaluator.usage({"metadata": {"name": "x"}, **obj}).items()}


def _asking(name: str = "a", **requests: str) -> JSONObject:
    return {"name": name, "resources": {"requests": requests}}


def _pod(*containers: JSONObject, **spec: Any) -> JSONObject:
    return {"metadata": {"name": "x"}, "spec": {"containers": list(containers), **spec}}


def test_init_containers_count_as_far_as_they_ask_for_more_than_runs_later() -> None:
    sidecar = {**_asking("s", cpu="100m"), "restartPolicy": "Always"}
    pod = _pod(_asking(cpu="1"), initContainers=[sidecar, _asking("i", cpu="3")], overhead={"cpu": "50m"})
    assert _used(Pods(), pod)["requests.cpu"] == "3150m"


def test_a_resized_pod_counts_as_the_larger_of_what_it_asks_for_and_has() -> None:
    pod = _pod(_asking(cpu="1"))
    pod["status"] = {"containerStatuses": [{"name": "a", "allocatedResources": {"cpu": "2"}}]}
    assert _used(Pods(), pod)["cpu"] == "2"
    pod["status"]["conditions"] = [{"type": "PodResizePending", "reason": "Infeasible"}]
    pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "8"
    assert _used(Pods(), pod)["cpu"] == "2"


def test_what_a_pod_says_for_itself_counts_instead_of_its_containers() -> None:
    pod = _pod(_asking(cpu="1", memory="1Gi"), resources={"requests": {"cpu": "4"}})
    used = _used(Pods(), pod)
    assert (used["cpu"], used["memory"]) == ("4", "1Gi")
    assert Pods().missing(["requests.memory", "limits.cpu"], pod) == ""


def test_huge_pages_and_extended_resources_are_charged_by_their_requests() -> None:
    requests = {"hugepages-2Mi": "4Mi", "example.com/gpu": "2", "kubernetes.io/batteries": "1"}
    used = _used(Pods(), _pod(_asking(**requests)))
    del used["pods"], used["count/pods"]
    assert used == {"hugepages-2Mi": "4Mi", "requests.hugepages-2Mi": "4Mi", "requests.example.com/gpu": "2"}


def test_a_pod_that_ended_or_outlived_its_grace_is_only_an_object() -> None:
    pod = _pod(_asking(cpu="1"))
    past = meta_time.format_time(meta_time.utcnow() - timedelta(seconds=60))
    gone = {**pod, "metadata": {"name": "x", "deletionTimestamp": past, "deletionGracePeriodSeconds": 30}}
    for ended in ({**pod, "status": {"phase": "Failed"}}, gone):
        assert _used(Pods(), ended) == {"count/pods": "1"}
    leaving = {**gone, "metadata": {**gone["metadata"], "deletionGracePeriodSeconds": 300}}
    assert _used(Pods(), leaving)["pods"] == "1"


@pytest.mark.parametrize(
    ("requirement", "pod", "is_met"),
    [
        (Requirement("Terminating"), _pod(activeDeadlineSeconds=5), True),
        (Requirement("NotTerminating"), _pod(activeDeadlineSeconds=5), False),
        (Requirement("BestEffort"), {**_pod(), "status": {"qosClass": "BestEffort"}}, True),
        (Requirement("NotBestEffort"), {**_pod(), "status": {"qosClass": "Burstable"}}, True),
        (Requirement("PriorityClass"), _pod(), False),
        (Requirement("PriorityClass", "In", ("high",)), _pod(priorityClassName="high"), True),
        (Requirement("PriorityClass", "NotIn", ("high",)), _pod(), True),
        (Requirement("PriorityClass", "NotIn", ("high",)), _pod(priorityClassName="high"), False),
        (Requirement("PriorityClass", "DoesNotExist"), _pod(), True),
        (Requirement("VolumeAttributesClass"), _pod(), False),
        (
            Requirement("CrossNamespacePodAffinity"),
            _pod(
                affinity={
                    "podAntiAffinity": {
                        "preferredDuringSchedulingIgnoredDuringExecution": [
                            {"podAffinityTerm": {"namespaceSelector": {}}}
                        ]
                    }
                }
            ),
            True,
        ),
    ],
)
def test_a_scope_selects_pods(requirement: Requirement, pod: JSONObject, *, is_met: bool) -> None:
    assert Pods().matches_scope(requirement, pod) is is_met


def test_scopes_and_selector_of_a_quota_have_all_to_be_met() -> None:
    expression = {"scopeName": "PriorityClass", "operator": "In", "values": ["a"]}
    spec = {"scopes": ["Terminating"], "scopeSelector": {"matchExpressions": [expression]}}
    assert scopes.of({"spec": spec}) == [Requirement("Terminating"), Requirement("PriorityClass", "In", ("a",))]


@pytest.mark.parametrize(
    ("spec", "node_ports", "balancers"),
    [
        ({"type": "ClusterIP", "ports": [{}]}, "0", "0"),
        ({"type": "NodePort", "ports": [{}, {}]}, "2", "0"),
        ({"type": "LoadBalancer", "ports": [{}]}, "1", "1"),
        ({"type": "LoadBalancer", "ports": [{}, {"nodePort": 1}], "allocateLoadBalancerNodePorts": False}, "1", "1"),
    ],
)
def test_a_service_is_charged_for_what_its_type_takes(spec: JSONObject, node_ports: str, balancers: str) -> None:
    used = _used(Services(), {"spec": spec})
    assert (used["services.nodeports"], used["services.loadbalancers"], used["services"]) == (
        node_ports,
        balancers,
        "1",
    )


def test_a_claim_is_charged_in_all_and_by_its_class() -> None:
    claim = {
        "spec": {"storageClassName": "gold", "resources": {"requests": {"storage": "1500m"}}},
        "status": {"allocatedResources": {"storage": "1Gi"}},
    }
    used = _used(VolumeClaims(), claim)
    assert used == {
        "persistentvolumeclaims": "1",
        "count/persistentvolumeclaims": "1",
        "requests.storage": "1Gi",
        "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
        "gold.storageclass.storage.k8s.io/requests.storage": "1Gi",
    }
    assert VolumeClaims().matching(used) == list(used)


def test_a_device_claim_counts_as_the_worst_of_its_choices() -> None:
    requests = [
        {
            "firstAvailable": [
                {"deviceClassName": "a", "allocationMode": "ExactCount", "count": 2},
                {"deviceClassName": "a", "allocationMode": "ExactCount", "count": 3},
            ]
        },
        {"exactly": {"deviceClassName": "a", "allocationMode": "ExactCount", "count": 1}},
        {"exactly": {"deviceClassName": "b", "allocationMode": "All"}},
    ]
    used = _used(DeviceClaims(), {"spec": {"devices": {"requests": requests}}})
    assert used["a.deviceclass.resource.k8s.io/devices"] == "4"
    assert used["b.deviceclass.resource.k8s.io/devices"] == "32"


def test_anything_is_counted_by_its_own_name_but_what_nobody_keeps() -> None:
    found = evaluators.asked_for(["count/widgets.example.com", "secrets", "count/events", "count/pods", "cpu"])
    assert [evaluator.resource for evaluator in found] == [
        GroupResource("", "pods"),
        GroupResource("", "secrets"),
        GroupResource("example.com", "widgets"),
    ]
    assert evaluators.of(GroupResource("events.k8s.io", "events")) is None


def test_what_shrinks_is_no_growth() -> None:
    before, after = amounts.of({"cpu": "2", "memory": "1Gi"}), amounts.of({"cpu": "1", "memory": "2Gi", "pods": "1"})
    assert amounts.text(amounts.growth(after, before)) == "cpu=0,memory=1Gi,pods=1"
