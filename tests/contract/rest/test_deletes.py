"""What every resource does when it is deleted."""

import pytest

from generic.meta.errors import StatusError
from tests.contract.rest.conftest import Rest

pytestmark = pytest.mark.anyio


async def test_what_is_deleted_is_gone(rest: Rest) -> None:
    made = await rest.create()
    answer = await rest.client.delete(rest.gvr, rest.name, rest.namespace)
    assert (answer["kind"], answer["status"]) == ("Status", "Success")
    assert answer["details"]["uid"] == made["metadata"]["uid"]
    assert answer["details"]["kind"] == rest.gvr.resource
    for call in (rest.get(), rest.client.delete(rest.gvr, rest.name, rest.namespace)):
        with pytest.raises(StatusError) as refused:
            await call
        assert refused.value.code == 404


async def test_a_finalizer_keeps_it_until_it_is_taken_off(rest: Rest) -> None:
    made = await rest.create(finalizers=["example.com/hold"])
    marked = await rest.client.delete(rest.gvr, rest.name, rest.namespace)
    assert marked["metadata"]["uid"] == made["metadata"]["uid"]
    assert marked["metadata"]["deletionTimestamp"]
    assert await rest.get() == marked
    await rest.patch({"metadata": {"finalizers": None}})
    with pytest.raises(StatusError) as refused:
        await rest.get()
    assert refused.value.code == 404


async def test_preconditions_keep_another_object_of_the_name_alive(rest: Rest) -> None:
    made = await rest.create()
    for uid, version in (("another", ""), ("", "1")):
        with pytest.raises(StatusError) as refused:
            await rest.client.delete(rest.gvr, rest.name, rest.namespace, uid=uid, resource_version=version)
        assert (refused.value.code, refused.value.reason) == (409, "Conflict")
    version = made["metadata"]["resourceVersion"]
    await rest.client.delete(rest.gvr, rest.name, rest.namespace, uid=made["metadata"]["uid"], resource_version=version)


async def test_a_collection_is_deleted_as_far_as_it_is_selected(rest: Rest) -> None:
    for number in range(3):
        await rest.create(f"{rest.name}-{number}")
    await rest.client.delete_collection(
        rest.gvr, rest.namespace, label_selector=rest.selector, field_selector=f"metadata.name!={rest.name}-1"
    )
    left = await rest.client.list(rest.gvr, rest.namespace, label_selector=rest.selector)
    assert [item["metadata"]["name"] for item in left["items"]] == [f"{rest.name}-1"]
