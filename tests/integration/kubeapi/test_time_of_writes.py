"""How long a write may take: less than its request, and then the client hears of it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from generic.admission.interface import Attributes
from generic.endpoints import finishing
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.support.kubeapi import Plane

pytestmark = pytest.mark.anyio

MAPS = GroupVersionResource("", "v1", "configmaps")
OBJECT: JSONObject = {"metadata": {"name": "it"}}


class Hung:
    """An admission plugin that never comes to an end."""

    name = "Hung"

    def __init__(self) -> None:
        self.given_up = False

    def handles(self, attributes: Attributes) -> bool:
        return attributes.resource == MAPS

    async def admit(self, attributes: Attributes) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up = True


WRITES: dict[str, Callable[[Plane], Awaitable[object]]] = {
    "create": lambda plane: plane.client.create(MAPS, {"metadata": {"name": "new"}}, "default"),
    "update": lambda plane: plane.client.update(MAPS, {"metadata": {"name": "it", "namespace": "default"}}),
    "patch": lambda plane: plane.client.patch(MAPS, "it", {"data": {"a": "b"}}, namespace="default"),
    "delete": lambda plane: plane.client.delete(MAPS, "it", "default"),
}


@pytest.mark.parametrize("verb", WRITES)
async def test_a_write_that_takes_too_long_is_given_up(
    plane: Plane, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await plane.client.create(MAPS, OBJECT, "default")
    hung = Hung()
    plane.config.admission.use([hung])
    monkeypatch.setattr(finishing, "UPPER_BOUND", 0.02)
    with pytest.raises(StatusError) as refused:
        await WRITES[verb](plane)
    assert (refused.value.code, refused.value.reason, refused.value.message) == (
        504,
        "Timeout",
        "Timeout: request did not complete within requested timeout - context deadline exceeded",
    )
    assert hung.given_up
    found = await plane.client.list(MAPS, "default")
    assert [item["metadata"]["name"] for item in found["items"] if item["metadata"]["name"] in ("it", "new")] == ["it"]
    assert await plane.client.get(MAPS, "it", "default") == before


async def test_what_reads_and_a_collections_end_have_their_requests_time(
    plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plane.client.create(MAPS, OBJECT, "default")
    monkeypatch.setattr(finishing, "UPPER_BOUND", -1.0)
    assert (await plane.client.get(MAPS, "it", "default"))["metadata"]["name"] == "it"
    path = "/api/v1/namespaces/default/configmaps"
    gone = (await plane.client.request("DELETE", path)).json()
    assert "it" in [item["metadata"]["name"] for item in gone["items"]]


def test_the_bound_is_the_one_of_kubernetes() -> None:
    assert finishing.UPPER_BOUND == 34.0
