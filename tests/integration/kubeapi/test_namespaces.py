"""Namespaces: those that are always there, and how one comes to its end with all that is in it."""

import pytest

from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from tests.support.builtin import workload
from tests.support.kubeapi import Plane, until

pytestmark = pytest.mark.anyio

NAMESPACES = GroupVersionResource("", "v1", "namespaces")
CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")
ACCOUNTS = GroupVersionResource("", "v1", "serviceaccounts")
DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")


async def _gone(plane: Plane, gvr: GroupVersionResource, name: str, namespace: str = "") -> bool:
    found = await plane.client.list(gvr, namespace, field_selector=f"metadata.name={name}")
    return not found["items"]


async def test_a_ready_server_has_its_namespaces(plane: Plane) -> None:
    found = (await plane.client.list(NAMESPACES))["items"]
    assert [item["metadata"]["name"] for item in found] == ["default", "kube-node-lease", "kube-public", "kube-system"]
    assert {item["status"]["phase"] for item in found} == {"Active"}


async def test_nothing_is_made_where_there_is_no_namespace(plane: Plane) -> None:
    with pytest.raises(StatusError) as refused:
        await plane.client.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "nowhere")
    assert (refused.value.code, refused.value.message) == (404, 'namespaces "nowhere" not found')


async def test_every_namespace_gets_its_default_account_and_gets_it_back(plane: Plane) -> None:
    await plane.client.create(NAMESPACES, {"metadata": {"name": "team"}})

    async def there() -> bool:
        return not await _gone(plane, ACCOUNTS, "default", "team")

    await until(there)
    first = (await plane.client.get(ACCOUNTS, "default", "team"))["metadata"]["uid"]
    await plane.client.delete(ACCOUNTS, "default", "team")
    await until(there)
    assert (await plane.client.get(ACCOUNTS, "default", "team"))["metadata"]["uid"] != first


async def test_a_deleted_namespace_takes_its_content_along(plane: Plane) -> None:
    await plane.client.create(NAMESPACES, {"metadata": {"name": "doomed"}})
    await plane.client.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "doomed")
    await plane.client.create(CONFIG_MAPS, {"metadata": {"name": "a"}}, "default")
    await plane.client.create(DEPLOYMENTS, workload("Deployment"), "doomed")
    marked = await plane.client.delete(NAMESPACES, "doomed")
    assert marked["status"]["phase"] == "Terminating"
    await until(lambda: _gone(plane, NAMESPACES, "doomed"))
    for gvr in (CONFIG_MAPS, DEPLOYMENTS, ACCOUNTS):
        assert (await plane.client.list(gvr, "doomed"))["items"] == []
    assert not await _gone(plane, CONFIG_MAPS, "a", "default")


async def test_a_finalizer_holds_its_namespace_which_says_so_and_takes_nothing_new(plane: Plane) -> None:
    await plane.client.create(NAMESPACES, {"metadata": {"name": "held"}})
    held = {"metadata": {"name": "a", "finalizers": ["example.com/hold"]}}
    await plane.client.create(CONFIG_MAPS, held, "held")
    await plane.client.delete(NAMESPACES, "held")

    async def told() -> bool:
        namespace = await plane.client.get(NAMESPACES, "held")
        conditions = [
            found["type"] for found in namespace["status"].get("conditions") or () if found["status"] == "True"
        ]
        return "NamespaceFinalizersRemaining" in conditions

    await until(told)
    with pytest.raises(StatusError) as refused:
        await plane.client.create(CONFIG_MAPS, {"metadata": {"name": "late"}}, "held")
    assert refused.value.code == 403
    assert refused.value.message == (
        'configmaps "late" is forbidden: unable to create new content in namespace held because it is being terminated'
    )
    assert (refused.value.details or {})["causes"][0]["reason"] == "NamespaceTerminating"


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
async def test_some_namespaces_cannot_be_deleted(plane: Plane, name: str) -> None:
    with pytest.raises(StatusError) as refused:
        await plane.client.delete(NAMESPACES, name)
    message = f'namespaces "{name}" is forbidden: this namespace may not be deleted'
    assert (refused.value.code, refused.value.message) == (403, message)
