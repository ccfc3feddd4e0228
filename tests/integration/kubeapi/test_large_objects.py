"""Large objects: what takes its time is done beside the loop, and comes out as it does for small ones."""

import asyncio
import threading
from typing import Any

import pytest

from generic.client.rest import APPLY_PATCH, MERGE_PATCH
from generic.endpoints import body
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.patching.apply import tracking
from generic.registry import lengthy
from generic.types import JSONObject
from tests.support.kubeapi import Plane

pytestmark = pytest.mark.anyio

MAPS = GroupVersionResource("", "v1", "configmaps")


def config_map(name: str, **data: str) -> JSONObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def writes(plane: Plane, name: str) -> list[Any]:
    """What every kind of write leaves, and how it is refused."""
    client = plane.client
    applied: dict[str, Any] = {"content_type": APPLY_PATCH, "namespace": "default"}
    left: list[JSONObject] = [await client.create(MAPS, config_map(name, a="1"), "default")]
    left.append(await client.update(MAPS, {**left[0], "data": {"a": "2"}}))
    left.append(await client.patch(MAPS, name, {"data": {"b": "3"}}, namespace="default", content_type=MERGE_PATCH))
    left.append(await client.patch(MAPS, name, config_map(name, c="4"), field_manager="me", **applied))
    left.append(await client.patch(MAPS, f"{name}-new", config_map(f"{name}-new"), field_manager="me", **applied))
    refused: list[Any] = []
    wrong = {"metadata": {"name": name, "namespace": "default"}, "data": {"no such key": "1"}}
    for attempt in (
        client.create(MAPS, {"metadata": {"name": f"{name}-wrong"}, "data": {"no such key": "1"}}, "default"),
        client.update(MAPS, wrong),
        client.patch(MAPS, name, config_map(name, a="5"), field_manager="you", **applied),
    ):
        with pytest.raises(StatusError) as caught:
            await attempt
        refused.append((caught.value.code, caught.value.message.replace(name, "it")))
    owners = [
        [(entry["manager"], entry["operation"], entry["fieldsV1"]) for entry in obj["metadata"]["managedFields"]]
        for obj in left
        if "managedFields" in obj["metadata"]
    ]
    return [[obj.get("data") for obj in left], owners, refused]


async def test_what_is_done_beside_the_loop_comes_out_the_same(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    here = await writes(plane, "here")
    monkeypatch.setattr(lengthy, "LARGE", -1)
    monkeypatch.setattr(body, "LONG_JSON", -1)
    assert await writes(plane, "beside") == here


async def test_others_are_served_while_a_large_object_is_worked_on(
    plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    await plane.client.create(MAPS, config_map("small", a="1"), "default")
    await plane.client.create(MAPS, config_map("large", a="x" * (lengthy.LARGE + 1)), "default")
    begun, go_on = asyncio.Event(), threading.Event()
    loop, tracked = asyncio.get_running_loop(), tracking.track_update

    def track(*given: Any) -> None:
        loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(20), "nobody was served meanwhile"
        tracked(*given)

    monkeypatch.setattr(tracking, "track_update", track)
    change = {"data": {"b": "2"}}
    writing = asyncio.create_task(plane.client.patch(MAPS, "large", change, namespace="default"))
    await begun.wait()
    assert (await plane.client.get(MAPS, "small", "default"))["data"] == {"a": "1"}
    go_on.set()
    assert (await writing)["data"]["b"] == "2"
