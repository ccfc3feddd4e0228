"""ResourceQuotas over the whole write path: charged, refused, given back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.support import kubeapi
from tests.support.kubeapi import Plane, until

pytestmark = pytest.mark.anyio

QUOTAS = GroupVersionResource("", "v1", "resourcequotas")
PODS = GroupVersionResource("", "v1", "pods")
MAPS = GroupVersionResource("", "v1", "configmaps")
SERVICES = GroupVersionResource("", "v1", "services")
DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with kubeapi.plane(tmp_path / "state.db") as started:
        yield started


async def _quota(plane: Plane, hard: JSONObject, **spec: Any) -> None:
    """A quota that has been counted."""
    await plane.client.create(QUOTAS, {"metadata": {"name": "q"}, "spec": {"hard": hard, **spec}}, "default")

    async def counted() -> bool:
        return (await _status(plane)).get("hard") == hard

    await until(counted)


async def _status(plane: Plane) -> JSONObject:
    status: JSONObject = (await plane.client.get(QUOTAS, "q", "default")).get("status") or {}
    return status


async def _used(plane: Plane) -> JSONObject:
    used: JSONObject = (await _status(plane))["used"]
    return used


async def _until_used(plane: Plane, **used: str) -> None:
    async def is_so() -> bool:
        return used.items() <= (await _used(plane)).items()

    await until(is_so)


async def _map(plane: Plane, name: str) -> JSONObject:
    return await plane.client.create(MAPS, {"metadata": {"name": name}}, "default")


async def _pod(plane: Plane, name: str, resources: JSONObject, **spec: Any) -> JSONObject:
    container = {"name": "app", "image": "app:1", "resources": resources}
    pod = {"metadata": {"name": name}, "spec": {"containers": [container], **spec}}
    return await plane.client.create(PODS, pod, "default")


async def _refused(doing: Any) -> str:
    with pytest.raises(StatusError) as refused:
        await doing
    assert (refused.value.code, refused.value.reason) == (403, "Forbidden")
    return refused.value.message


async def test_what_is_made_is_charged_and_what_goes_makes_room(plane: Plane) -> None:
    await _map(plane, "before")
    await until(lambda: _has(plane, MAPS, "kube-root-ca.crt"))
    await _quota(plane, {"configmaps": "3"})
    assert await _used(plane) == {"configmaps": "2"}
    await _map(plane, "third")
    assert await _used(plane) == {"configmaps": "3"}
    assert await _refused(_map(plane, "fourth")) == (
        'configmaps "fourth" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=3, '
        "limited: configmaps=3"
    )
    await plane.client.delete(MAPS, "before", "default")
    await _until_used(plane, configmaps="2")
    await _map(plane, "fourth")


async def _has(plane: Plane, gvr: GroupVersionResource, name: str) -> bool:
    try:
        await plane.client.get(gvr, name, "default")
    except StatusError:
        return False
    return True


async def test_many_at_once_do_not_get_more_than_there_is(plane: Plane) -> None:
    refusals: set[str] = set()
    await _quota(plane, {"count/services": "5"})

    async def make(number: int) -> bool:
        service = {"metadata": {"name": f"s{number}"}, "spec": {"ports": [{"port": 80}]}}
        try:
            await plane.client.create(SERVICES, service, "default")
        except StatusError as error:
            refusals.add(error.message.partition(", ")[0].partition("forbidden: ")[2])
            return False
        return True

    there = len((await plane.client.list(SERVICES, "default"))["items"])
    made = await asyncio.gather(*(make(number) for number in range(20)))
    assert sum(made) == 5 - there
    assert refusals == {"exceeded quota: q"}
    assert await _used(plane) == {"count/services": "5"}


async def test_pods_are_charged_for_what_they_ask_for_until_they_end(plane: Plane) -> None:
    hard = {"pods": "5", "requests.cpu": "1", "limits.memory": "1Gi", "requests.example.com/gpu": "2"}
    await _quota(plane, hard)
    resources = {
        "requests": {"cpu": "600m", "example.com/gpu": "1"},
        "limits": {"memory": "512Mi", "cpu": "1", "example.com/gpu": "1"},
    }
    await _pod(plane, "one", resources)
    assert await _used(plane) == {
        "pods": "1",
        "requests.cpu": "600m",
        "limits.memory": "512Mi",
        "requests.example.com/gpu": "1",
    }
    assert await _refused(_pod(plane, "two", resources)) == (
        'pods "two" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, '
        "limited: requests.cpu=1"
    )
    await plane.client.patch(PODS, "one", {"status": {"phase": "Succeeded"}}, namespace="default", subresource="status")
    await _until_used(plane, pods="0", **{"requests.cpu": "0"})


async def test_a_container_has_to_say_what_a_quota_limits(plane: Plane) -> None:
    await _quota(plane, {"limits.cpu": "1", "requests.memory": "1Gi"})
    assert await _refused(_pod(plane, "silent", {})) == (
        'pods "silent" is forbidden: failed quota: q: must specify limits.cpu for: app; requests.memory for: app'
    )


async def test_a_scope_selects_the_pods_that_are_charged(plane: Plane) -> None:
    await _quota(plane, {"pods": "1"}, scopes=["Terminating"])
    await _pod(plane, "service", {})
    assert await _used(plane) == {"pods": "0"}
    await _pod(plane, "job", {}, activeDeadlineSeconds=60)
    assert await _used(plane) == {"pods": "1"}
    assert "exceeded quota" in await _refused(_pod(plane, "job-2", {}, activeDeadlineSeconds=60))


async def test_a_service_that_turns_into_a_load_balancer_is_charged_for_it(plane: Plane) -> None:
    await _quota(plane, {"services.loadbalancers": "0", "services.nodeports": "1"})
    service = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}], "type": "NodePort"}}
    await plane.client.create(SERVICES, service, "default")
    assert (await _used(plane))["services.nodeports"] == "1"
    patched = plane.client.patch(SERVICES, "web", {"spec": {"type": "LoadBalancer"}}, namespace="default")
    assert "requested: services.loadbalancers=1" in await _refused(patched)


async def test_a_dry_run_is_refused_but_not_charged(plane: Plane) -> None:
    await _quota(plane, {"count/deployments.apps": "1"})
    deployment: JSONObject = {
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "app", "image": "app:1"}]},
            },
        },
    }
    await plane.client.create(DEPLOYMENTS, deployment, "default", dry_run=True)
    assert await _used(plane) == {"count/deployments.apps": "0"}
    await plane.client.create(DEPLOYMENTS, deployment, "default")
    deployment["metadata"]["name"] = "web-2"
    assert "exceeded quota" in await _refused(plane.client.create(DEPLOYMENTS, deployment, "default", dry_run=True))


async def test_raising_the_limit_counts_anew(plane: Plane) -> None:
    await _quota(plane, {"pods": "0"})
    await plane.client.patch(QUOTAS, "q", {"spec": {"hard": {"pods": "1", "secrets": "4"}}}, namespace="default")
    await _until_used(plane, pods="0", secrets="0")
    await _pod(plane, "one", {})
