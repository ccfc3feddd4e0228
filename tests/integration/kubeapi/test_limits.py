"""LimitRanges: what they fill in and what they refuse."""

from typing import Any

import pytest

from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.support.kubeapi import Plane

pytestmark = pytest.mark.anyio

RANGES = GroupVersionResource("", "v1", "limitranges")
PODS = GroupVersionResource("", "v1", "pods")
CLAIMS = GroupVersionResource("", "v1", "persistentvolumeclaims")


async def _limit(plane: Plane, **item: Any) -> None:
    limits = [{"type": "Container", **item}]
    await plane.client.create(RANGES, {"metadata": {"name": "limits"}, "spec": {"limits": limits}}, "default")


async def _run(plane: Plane, *resources: JSONObject, **spec: Any) -> JSONObject:
    """A pod of one container for each of the resources."""
    containers = [
        {"name": f"c{number}", "image": "app:1", "resources": asked} for number, asked in enumerate(resources)
    ]
    return await plane.client.create(
        PODS, {"metadata": {"name": "web"}, "spec": {"containers": containers, **spec}}, "default"
    )


async def _refusal(plane: Plane, *resources: JSONObject, **spec: Any) -> str:
    with pytest.raises(StatusError) as refused:
        await _run(plane, *resources, **spec)
    assert (refused.value.code, refused.value.reason) == (403, "Forbidden")
    return refused.value.message.removeprefix('pods "web" is forbidden: ')


async def test_a_container_that_asks_for_nothing_asks_for_the_default(plane: Plane) -> None:
    await _limit(plane, default={"cpu": "0.5", "memory": "1Gi"}, defaultRequest={"cpu": "100m"})
    made = await _run(plane, {}, {"limits": {"cpu": "2"}, "requests": {"memory": "1Mi"}})
    first, second = (container["resources"] for container in made["spec"]["containers"])
    assert first == {"requests": {"cpu": "100m", "memory": "1Gi"}, "limits": {"cpu": "500m", "memory": "1Gi"}}
    assert second == {"requests": {"memory": "1Mi", "cpu": "2"}, "limits": {"cpu": "2", "memory": "1Gi"}}
    assert made["metadata"]["annotations"] == {
        "kubernetes.io/limit-ranger": (
            "LimitRanger plugin set: cpu, memory request for container c0; cpu, memory limit for container c0; "
            "memory limit for container c1"
        )
    }
    assert made["status"]["qosClass"] == "Burstable"


@pytest.mark.parametrize(
    ("item", "resources", "message"),
    [
        (
            {"min": {"cpu": "100m"}},
            {"requests": {"cpu": "50m"}},
            "minimum cpu usage per Container is 100m, but request is 50m",
        ),
        (
            {"max": {"memory": "1Gi"}},
            {"limits": {"memory": "2Gi"}},
            "maximum memory usage per Container is 1Gi, but limit is 2Gi",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"requests": {"cpu": "1"}, "limits": {"cpu": "3"}},
            "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {},
            "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
        ),
        (
            {"type": "Pod", "min": {"cpu": "100m"}},
            {},
            "minimum cpu usage per Pod is 100m.  No request is specified",
        ),
        (
            {"type": "Pod", "max": {"cpu": "1", "memory": "1Gi"}},
            {"limits": {"memory": "2Gi"}},
            "[maximum cpu usage per Pod is 1.  No limit is specified, maximum memory usage per Pod is 1Gi, "
            "but limit is 2Gi]",
        ),
    ],
)
async def test_too_little_and_too_much_are_refused(
    plane: Plane, item: JSONObject, resources: JSONObject, message: str
) -> None:
    await _limit(plane, **item)
    assert await _refusal(plane, resources) == message


async def test_a_pod_is_the_sum_of_its_containers_or_the_largest_before_them(plane: Plane) -> None:
    await _limit(plane, type="Pod", max={"cpu": "2"})
    one, three = {"limits": {"cpu": "1"}}, {"limits": {"cpu": "3"}}
    await _run(plane, one, one)
    await plane.client.delete(PODS, "web", "default")
    assert await _refusal(plane, one, one, one) == "maximum cpu usage per Pod is 2, but limit is 3"
    first = {"name": "first", "image": "app:1", "resources": three}
    assert await _refusal(plane, one, initContainers=[first]) == "maximum cpu usage per Pod is 2, but limit is 3"


async def test_a_claim_asks_for_storage_within_bounds(plane: Plane) -> None:
    await _limit(plane, type="PersistentVolumeClaim", min={"storage": "1Gi"}, max={"storage": "2Gi"})
    for size, said in (("3Gi", "maximum"), ("1Mi", "minimum")):
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
        with pytest.raises(StatusError) as refused:
            await plane.client.create(CLAIMS, {"metadata": {"name": "data"}, "spec": spec}, "default")
        bound = {"maximum": "2Gi", "minimum": "1Gi"}[said]
        assert refused.value.message == (
            f'persistentvolumeclaims "data" is forbidden: {said} storage usage per PersistentVolumeClaim is {bound}, '
            f"but request is {size}"
        )


async def test_a_resize_stays_within_the_limits(plane: Plane) -> None:
    await _limit(plane, max={"cpu": "2"})
    await _run(plane, {"limits": {"cpu": "1"}})
    patch = {"spec": {"containers": [{"name": "c0", "image": "app:1", "resources": {"limits": {"cpu": "3"}}}]}}
    with pytest.raises(StatusError) as refused:
        await plane.client.patch(PODS, "web", patch, namespace="default", subresource="resize")
    assert refused.value.message.endswith("maximum cpu usage per Container is 2, but limit is 3")
