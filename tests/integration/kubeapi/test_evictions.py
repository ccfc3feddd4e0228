"""The deleteOptions of an eviction, and what an evicted pod says of itself. Budgets are in `test_pods.py`."""

from pathlib import Path
from typing import Any

import pytest

from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.support import kubeapi
from tests.support.builtin import pod_spec
from tests.support.kubeapi import Plane

pytestmark = pytest.mark.anyio

PODS = GroupVersionResource("", "v1", "pods")
BUDGETS = GroupVersionResource("policy", "v1", "poddisruptionbudgets")
LABELS = {"app": "web"}


async def running(plane: Plane, **metadata: Any) -> JSONObject:
    """A pod on a node, as its kubelet has reported it."""
    obj = {"metadata": {"name": "web", "labels": LABELS, **metadata}, "spec": pod_spec(nodeName="n1")}
    pod = await plane.client.create(PODS, obj, "default")
    pod["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    return await plane.client.update_status(PODS, pod)


async def evict(plane: Plane, **options: Any) -> JSONObject:
    body = {"metadata": {"name": "web"}, "deleteOptions": options}
    return await plane.client.create(PODS, body, "default", name="web", subresource="eviction")


async def get(plane: Plane) -> JSONObject:
    return await plane.client.get(PODS, "web", "default")


async def test_an_evicted_pod_says_why_it_goes(plane: Plane) -> None:
    before = await running(plane)
    await evict(plane)
    pod = await get(plane)
    ready, condition = pod["status"]["conditions"]
    assert ready["type"] == "Ready"
    assert condition == {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
        "lastProbeTime": None,
        "lastTransitionTime": condition["lastTransitionTime"],
    }
    assert pod["metadata"]["deletionGracePeriodSeconds"] == 30
    assert pod["metadata"]["managedFields"] == before["metadata"]["managedFields"], "the condition is nobody's"
    await evict(plane, gracePeriodSeconds=20)
    again = await get(plane)
    assert again["status"]["conditions"] == pod["status"]["conditions"]
    assert again["metadata"]["deletionGracePeriodSeconds"] == 20


@pytest.mark.parametrize(
    ("policy", "finalizers"),
    [
        ({"propagationPolicy": "Foreground"}, ["foregroundDeletion"]),
        ({"propagationPolicy": "Orphan"}, ["orphan"]),
        ({"orphanDependents": True}, ["orphan"]),
        ({"propagationPolicy": "Background"}, []),
    ],
)
async def test_an_eviction_treats_dependents_as_it_is_told(tmp_path: Path, policy: Any, finalizers: list[str]) -> None:
    # The hooks would start the collector, which takes the finalizers off.
    async with kubeapi.plane(tmp_path / "state.db", run_hooks=False, garbage_collection=True) as plane:
        plane.config.admission.use([])
        await running(plane)
        await evict(plane, **policy)
        assert (await get(plane))["metadata"].get("finalizers", []) == finalizers


async def test_an_eviction_may_name_the_very_pod_it_is_for(plane: Plane) -> None:
    pod = await running(plane)
    uid, version = pod["metadata"]["uid"], pod["metadata"]["resourceVersion"]
    for precondition, why in (
        ({"uid": "other"}, f"the UID in the precondition (other) does not match the UID in record ({uid}). "),
        (
            {"resourceVersion": "1"},
            "the ResourceVersion in the precondition (1) does not match the ResourceVersion in ",
        ),
    ):
        with pytest.raises(StatusError) as refused:
            await evict(plane, preconditions=precondition)
        assert (refused.value.code, refused.value.reason) == (409, "Conflict")
        assert refused.value.message.startswith(f'Operation cannot be fulfilled on Pod "web": {why}')
    assert await get(plane) == pod
    await evict(plane, preconditions={"uid": uid, "resourceVersion": version})
    assert "deletionTimestamp" in (await get(plane))["metadata"]


async def test_an_eviction_that_is_tried_out_changes_nothing(plane: Plane) -> None:
    pod = await running(plane)
    spec = {"minAvailable": 0, "selector": {"matchLabels": LABELS}}
    budget = await plane.client.create(BUDGETS, {"metadata": {"name": "web"}, "spec": spec}, "default")
    budget["status"] = {"observedGeneration": 1, "disruptionsAllowed": 1}
    budget = await plane.client.update_status(BUDGETS, budget)
    assert (await evict(plane, dryRun=["All"]))["status"] == "Success"
    assert await get(plane) == pod
    assert await plane.client.get(BUDGETS, "web", "default") == budget


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({"desiredHealthy": 1, "currentHealthy": 1}, "needs 1 healthy pods and has 1 currently"),
        ({"desiredHealthy": 0, "currentHealthy": 1}, "does not allow evicting pods currently"),
        (
            {"reason": "SyncFailed", "message": "no such controller"},
            "does not allow evicting pods currently because it failed sync: no such controller",
        ),
        (
            {"currentHealthy": 1, "reason": "InsufficientPods", "message": "too few"},
            "does not allow evicting pods currently (InsufficientPods): too few",
        ),
    ],
)
async def test_a_refused_eviction_tells_what_the_budget_says(plane: Plane, status: JSONObject, why: str) -> None:
    await running(plane)
    spec = {"minAvailable": 1, "selector": {"matchLabels": LABELS}}
    budget = await plane.client.create(BUDGETS, {"metadata": {"name": "web"}, "spec": spec}, "default")
    condition = {
        "type": "DisruptionAllowed",
        "status": "False",
        "reason": status.pop("reason", "InsufficientPods"),
        "message": status.pop("message", ""),
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    healthy = {"desiredHealthy": 0, "currentHealthy": 0, "expectedPods": 1, "disruptionsAllowed": 0}
    budget["status"] = {"observedGeneration": 1, **healthy, **status, "conditions": [condition]}
    await plane.client.update_status(BUDGETS, budget)
    with pytest.raises(StatusError) as refused:
        await evict(plane)
    ((_, cause),) = [(entry["reason"], entry["message"]) for entry in (refused.value.details or {})["causes"]]
    assert (refused.value.code, cause) == (429, f"The disruption budget web {why}")
