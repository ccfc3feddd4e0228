"""Pods through the whole server: put on nodes, evicted, changed in part, asked for what a node would know, deleted."""

import asyncio
from typing import Any

import pytest

from generic.client.rest import STRATEGIC_MERGE_PATCH, path_of
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.support import asgi
from tests.support.builtin import pod_spec
from tests.support.kubeapi import Plane

pytestmark = pytest.mark.anyio

PODS = GroupVersionResource("", "v1", "pods")
BINDINGS = GroupVersionResource("", "v1", "bindings")
NODES = GroupVersionResource("", "v1", "nodes")
SERVICES = GroupVersionResource("", "v1", "services")
BUDGETS = GroupVersionResource("policy", "v1", "poddisruptionbudgets")


async def _run(plane: Plane, name: str = "web", **spec: Any) -> JSONObject:
    obj = {"metadata": {"name": name, "labels": {"app": "web"}}, "spec": pod_spec(**spec)}
    return await plane.client.create(PODS, obj, "default")


async def _get(plane: Plane, name: str = "web") -> JSONObject:
    return await plane.client.get(PODS, name, "default")


async def _post(plane: Plane, subresource: str, body: JSONObject, name: str = "web") -> JSONObject:
    return await plane.client.create(PODS, body, "default", name=name, subresource=subresource)


def _binding(node: str = "n1", **metadata: Any) -> JSONObject:
    return {"metadata": {"name": "web", **metadata}, "target": {"kind": "Node", "name": node}}


async def _running(plane: Plane, name: str = "web", *, ready: bool = True) -> None:
    """A pod that runs on a node, as a kubelet would tell."""
    pod = await _run(plane, name, nodeName="n1")
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    pod["status"] = {"phase": "Running", "conditions": [condition]}
    await plane.client.update_status(PODS, pod)


async def _budget(plane: Plane, *, allowed: int, name: str = "web", **status: int) -> JSONObject:
    """A budget as its controller has counted it."""
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    made = await plane.client.create(BUDGETS, {"metadata": {"name": name}, "spec": spec}, "default")
    counted = {"observedGeneration": 1, "desiredHealthy": 1, "currentHealthy": 1, "expectedPods": 1, **status}
    made["status"] = {**counted, "disruptionsAllowed": allowed}
    return await plane.client.update_status(BUDGETS, made)


async def _evict(plane: Plane, name: str = "web") -> JSONObject:
    return await _post(plane, "eviction", {"metadata": {"name": name}}, name)


async def _is_deleting(plane: Plane, name: str = "web") -> bool:
    return "deletionTimestamp" in (await _get(plane, name))["metadata"]


# Bindings.


async def test_a_binding_puts_a_pod_on_a_node_once(plane: Plane) -> None:
    waiting = await _run(plane)
    waiting["status"]["nominatedNodeName"] = "n0"
    await plane.client.update(PODS, waiting, "default", subresource="status")
    assert await _post(plane, "binding", _binding(annotations={"why": "free"})) == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "code": 201,
    }
    pod = await _get(plane)
    assert pod["spec"]["nodeName"] == "n1"
    assert pod["metadata"]["annotations"] == {"why": "free"}
    (condition,) = pod["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("PodScheduled", "True")
    assert "nominatedNodeName" not in pod["status"]
    with pytest.raises(StatusError) as refused:
        await plane.client.create(BINDINGS, _binding("n2"), "default")
    assert (refused.value.code, refused.value.message) == (
        409,
        'Operation cannot be fulfilled on pods/binding "web": pod web is already assigned to node "n1"',
    )


async def test_of_two_schedulers_one_binds(plane: Plane) -> None:
    await _run(plane)
    answers = await asyncio.gather(
        *(plane.client.create(BINDINGS, _binding(f"n{number}"), "default") for number in range(2)),
        return_exceptions=True,
    )
    refused = [answer for answer in answers if isinstance(answer, StatusError)]
    assert [error.reason for error in refused] == ["Conflict"]


async def test_a_binding_may_name_the_very_pod_it_is_for(plane: Plane) -> None:
    pod = await _run(plane)
    with pytest.raises(StatusError) as refused:
        await _post(plane, "binding", _binding(uid="another"))
    assert "Precondition failed: UID in precondition: another" in refused.value.message
    await _post(plane, "binding", _binding(uid=pod["metadata"]["uid"]))


async def test_a_binding_that_cannot_be_is_refused(plane: Plane) -> None:
    await _run(plane, schedulingGates=[{"name": "example.com/wait"}])
    for body, expected in (
        (_binding(), (409, "pod web has non-empty .spec.schedulingGates")),
        (_binding(""), (422, "target.name: Required value")),
        ({**_binding(), "target": {"kind": "Moon", "name": "n1"}}, (422, 'target.kind: Unsupported value: "Moon"')),
        ({"metadata": {"name": "other"}, "target": {"name": "n1"}}, (400, "name in URL does not match name in Bind")),
    ):
        with pytest.raises(StatusError) as refused:
            await _post(plane, "binding", body)
        assert refused.value.code == expected[0]
        assert expected[1] in refused.value.message
    with pytest.raises(StatusError) as missing:
        await plane.client.create(BINDINGS, {**_binding(), "metadata": {"name": "gone"}}, "default")
    assert missing.value.message == 'pods "gone" not found'


# Evictions.


async def test_an_eviction_uses_up_the_budget(plane: Plane) -> None:
    await _running(plane)
    await _budget(plane, allowed=1)
    assert (await _evict(plane))["status"] == "Success"
    assert await _is_deleting(plane)
    status = (await plane.client.get(BUDGETS, "web", "default"))["status"]
    assert status["disruptionsAllowed"] == 0
    assert list(status["disruptedPods"]) == ["web"]
    (condition,) = status["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == (
        "DisruptionAllowed",
        "False",
        "InsufficientPods",
    )


async def test_an_eviction_over_the_budget_is_refused(plane: Plane) -> None:
    await _running(plane)
    await _budget(plane, allowed=0)
    with pytest.raises(StatusError) as refused:
        await _evict(plane)
    assert (refused.value.code, refused.value.reason) == (429, "TooManyRequests")
    assert refused.value.message == "Cannot evict pod as it would violate the pod's disruption budget."
    assert (refused.value.details or {})["causes"] == [
        {
            "reason": "DisruptionBudget",
            "message": "The disruption budget web needs 1 healthy pods and has 1 currently",
        }
    ]
    assert not await _is_deleting(plane)


async def test_a_budget_nobody_has_counted_yet_allows_nothing(plane: Plane) -> None:
    await _running(plane)
    await _budget(plane, allowed=1, observedGeneration=0)
    path = path_of(PODS, "default", name="web", subresource="eviction")
    reply = await plane.client.request("POST", path, body={"metadata": {"name": "web"}}, check=False)
    assert (reply.status, reply.headers["retry-after"]) == (429, "10")


async def test_two_evictions_never_use_the_same_place_in_a_budget(plane: Plane) -> None:
    for name in ("a", "b", "c"):
        await _running(plane, name)
    await _budget(plane, allowed=2)
    answers = await asyncio.gather(*(_evict(plane, name) for name in ("a", "b", "c")), return_exceptions=True)
    assert [answer.code for answer in answers if isinstance(answer, StatusError)] == [429]
    assert sum([await _is_deleting(plane, name) for name in ("a", "b", "c")]) == 2


async def test_pods_that_disrupt_nothing_go_whatever_the_budget(plane: Plane) -> None:
    await _budget(plane, allowed=0)
    await _run(plane, "pending")
    await _evict(plane, "pending")
    await _running(plane, "unready", ready=False)
    await _evict(plane, "unready")
    left = [pod["metadata"]["name"] for pod in (await plane.client.list(PODS, "default"))["items"]]
    assert left == ["unready"]
    assert await _is_deleting(plane, "unready")


async def test_a_pod_of_two_budgets_is_not_evicted(plane: Plane) -> None:
    await _running(plane)
    for name in ("web", "all"):
        await _budget(plane, allowed=1, name=name)
    with pytest.raises(StatusError) as refused:
        await _evict(plane)
    assert refused.value.code == 500
    assert refused.value.message.startswith("This pod has more than one PodDisruptionBudget")


# Parts.


async def test_ephemeral_containers_are_added_and_stay(plane: Plane) -> None:
    await _run(plane)
    with pytest.raises(StatusError):
        await plane.client.patch(
            PODS, "web", {"spec": {"ephemeralContainers": [{"name": "debug", "image": "sh"}]}}, namespace="default"
        )
    debug = {"name": "debug", "image": "sh"}
    spec = {"ephemeralContainers": [debug], "hostname": "other"}
    made = await _patch_part(plane, "ephemeralcontainers", {"spec": spec})
    assert [container["name"] for container in made["spec"]["ephemeralContainers"]] == ["debug"]
    assert "hostname" not in made["spec"], "nothing else changes here"
    wrong: list[tuple[JSONObject, str]] = [
        ({**debug, "image": "other"}, 'existing ephemeral containers "debug" may not be changed'),
        ({**debug, "name": "main"}, 'spec.ephemeralContainers[0].name: Duplicate value: "main"'),
        (
            {**debug, "name": "b", "ports": [{"containerPort": 1}]},
            "spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container",
        ),
    ]
    for container, why in wrong:
        with pytest.raises(StatusError) as refused:
            await _patch_part(plane, "ephemeralcontainers", {"spec": {"ephemeralContainers": [container]}})
        assert why in refused.value.message
    body = await _get(plane)
    body["spec"].pop("ephemeralContainers")
    with pytest.raises(StatusError) as refused:
        await plane.client.update(PODS, body, subresource="ephemeralcontainers")
    assert 'existing ephemeral containers "debug" may not be removed' in refused.value.message


async def _patch_part(plane: Plane, part: str, patch: JSONObject) -> JSONObject:
    return await plane.client.patch(
        PODS, "web", patch, namespace="default", subresource=part, content_type=STRATEGIC_MERGE_PATCH
    )


async def test_a_resize_changes_what_a_container_may_use_and_not_its_class(plane: Plane) -> None:
    resources = {"requests": {"cpu": "1"}}
    container = {"name": "main", "image": "app:1", "resources": resources}
    await plane.client.create(PODS, {"metadata": {"name": "web"}, "spec": {"containers": [container]}}, "default")
    changed = {"name": "main", "image": "other:1", "resources": {"requests": {"cpu": "2"}}}
    made = await _patch_part(plane, "resize", {"spec": {"containers": [changed]}})
    (resized,) = made["spec"]["containers"]
    assert (resized["image"], resized["resources"]) == ("app:1", {"requests": {"cpu": "2"}})
    everything = {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "2", "memory": "1Gi"}}
    for wanted, why in (
        (everything, "Pod QOS Class may not change as a result of resizing"),
        ({"requests": {"example.com/gpu": "1"}}, "spec: Forbidden: only cpu and memory resources are mutable"),
    ):
        with pytest.raises(StatusError) as refused:
            await _patch_part(plane, "resize", {"spec": {"containers": [{"name": "main", "resources": wanted}]}})
        assert why in refused.value.message


# What a node would have to answer.


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("pods/web/exec", "pod web does not have a host assigned"),
        ("pods/web/attach", "pod web does not have a host assigned"),
        ("pods/web/portforward", "pod web does not have a host assigned"),
        ("pods/web/proxy/some/path", "address not allowed"),
        ("pods/web/exec?container=other", "container other is not valid for pod web"),
        ("pods/gone/exec", 'pods "gone" not found'),
        ("services/web/proxy", 'no endpoints available for service "web"'),
        ("services/gone/proxy", 'services "gone" not found'),
    ],
)
async def test_what_no_node_can_answer_is_said(plane: Plane, path: str, message: str) -> None:
    await _run(plane)
    await plane.client.create(SERVICES, {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}, "default")
    headers = {"authorization": f"Bearer {plane.token}"}
    answer = await asgi.call(plane.app, f"/api/v1/namespaces/default/{path}", headers=headers)
    assert answer.json()["message"] == message


async def test_a_pod_without_a_node_has_an_empty_log(plane: Plane) -> None:
    await _run(plane)
    headers = {"authorization": f"Bearer {plane.token}"}
    log = "/api/v1/namespaces/default/pods/web/log"
    assert (await asgi.call(plane.app, log, headers=headers)).status == 204
    await _post(plane, "binding", _binding())
    assert (await asgi.call(plane.app, log, headers=headers)).json()["message"] == 'nodes "n1" not found'
    await plane.client.create(NODES, {"metadata": {"name": "n1"}})
    answer = (await asgi.call(plane.app, log, headers=headers)).json()
    assert answer["message"] == "no preferred addresses found; known addresses: []"


async def test_discovery_lists_the_subresources_with_their_kinds_and_verbs(plane: Plane) -> None:
    found = (await plane.client.request("GET", "/api/v1")).json()["resources"]
    shown = {entry["name"]: (entry["kind"], entry["verbs"]) for entry in found}
    proxied = ["create", "delete", "get", "patch", "update"]
    changed = ["get", "patch", "update"]
    assert {
        name: shown[name] for name in shown if name.startswith(("pods/", "nodes/", "services/", "serv", "bind"))
    } == {
        "bindings": ("Binding", ["create"]),
        "nodes/proxy": ("NodeProxyOptions", proxied),
        "nodes/status": ("Node", changed),
        "pods/attach": ("PodAttachOptions", ["create", "get"]),
        "pods/binding": ("Binding", ["create"]),
        "pods/ephemeralcontainers": ("Pod", changed),
        "pods/eviction": ("Eviction", ["create"]),
        "pods/exec": ("PodExecOptions", ["create", "get"]),
        "pods/log": ("Pod", ["get"]),
        "pods/portforward": ("PodPortForwardOptions", ["create", "get"]),
        "pods/proxy": ("PodProxyOptions", proxied),
        "pods/resize": ("Pod", changed),
        "pods/status": ("Pod", changed),
        "serviceaccounts": shown["serviceaccounts"],
        "serviceaccounts/token": ("TokenRequest", ["create"]),
        "services": shown["services"],
        "services/proxy": ("ServiceProxyOptions", proxied),
        "services/status": ("Service", changed),
    }
    eviction = next(entry for entry in found if entry["name"] == "pods/eviction")
    assert (eviction["group"], eviction["version"]) == ("policy", "v1")


# Deletion.


async def test_a_pod_without_a_node_is_deleted_at_once(plane: Plane) -> None:
    await _run(plane)
    await plane.client.delete(PODS, "web", "default")
    assert (await plane.client.list(PODS, "default"))["items"] == []


async def test_a_pod_on_a_node_is_left_to_its_kubelet(plane: Plane) -> None:
    await _run(plane, nodeName="n1", terminationGracePeriodSeconds=20)
    deleted = await plane.client.delete(PODS, "web", "default")
    assert deleted["metadata"]["deletionGracePeriodSeconds"] == 20
    assert await _is_deleting(plane)
    # A second time, and longer: nothing changes any more.
    again = await plane.client.delete(PODS, "web", "default", grace_period_seconds=60)
    assert again["metadata"]["deletionTimestamp"] == deleted["metadata"]["deletionTimestamp"]
    await plane.client.delete(PODS, "web", "default", uid=deleted["metadata"]["uid"], grace_period_seconds=0)
    assert (await plane.client.list(PODS, "default"))["items"] == []


async def test_by_force_a_pod_goes_from_a_node_at_once(plane: Plane) -> None:
    await _run(plane, nodeName="n1")
    await plane.client.delete(PODS, "web", "default", grace_period_seconds=0)
    assert (await plane.client.list(PODS, "default"))["items"] == []
