"""Watches over HTTP: where they begin, what they select, in which form, and how they end. BEHAVIOURS E."""

import asyncio
import random
from typing import Any

import pytest

from generic.endpoints import watch as endpoint
from generic.types import JSONObject
from tests.integration.robustness.streams import names, watching
from tests.support.crd import CRDS, definition
from tests.support.plane import Running

pytestmark = pytest.mark.anyio

CONFIG_MAPS = "/api/v1/namespaces/kube-public/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


async def put(plane: Running, name: str, *, value: str = "", **labels: str) -> JSONObject:
    """Make or change one."""
    body: JSONObject = {"metadata": {"name": name, "labels": labels}, "data": {"v": value}}
    answer = await plane.http.post(CONFIG_MAPS, json=body)
    if answer.status_code == 409:
        answer = await plane.http.put(f"{CONFIG_MAPS}/{name}", json=body)
    assert answer.is_success, answer.text
    made: JSONObject = answer.json()
    return made


def version_of(obj: JSONObject) -> int:
    return int(obj["metadata"]["resourceVersion"])


async def test_a_watch_goes_on_right_after_its_resource_version(control_plane: Running) -> None:
    first = await put(control_plane, "after", value="1", of="after")
    second = await put(control_plane, "after", value="2", of="after")
    options: dict[str, Any] = {"labelSelector": "of=after", "resourceVersion": version_of(first)}
    async with watching(control_plane.http, CONFIG_MAPS, **options) as events:
        assert await events.next() == ("MODIFIED", second)
        await control_plane.http.delete(f"{CONFIG_MAPS}/after")
        kind, gone = await events.next()
        # The last state, at the revision of the deletion.
        assert (kind, gone["data"]) == ("DELETED", {"v": "2"})
        assert version_of(gone) > version_of(second)


async def test_a_watch_from_before_the_memory_of_the_server_is_one_error(control_plane: Running) -> None:
    await control_plane.create(CRDS, definition("lates"))
    path = "/apis/stable.example.com/v1/namespaces/default/lates"
    await control_plane.until(path)
    # Its cache began when its definition was established, after much else.
    async with watching(control_plane.http, path, resourceVersion=1) as events:
        seen = await events.rest()
    ((kind, status),) = seen
    assert kind == "ERROR"
    assert (status["kind"], status["code"], status["reason"]) == ("Status", 410, "Expired")
    assert status["message"].startswith("too old resource version: 1 (")


async def test_initial_events_end_in_a_bookmark_and_go_on(control_plane: Running) -> None:
    for name in ("begin-a", "begin-b"):
        await put(control_plane, name, of="begin")
    options = {
        "labelSelector": "of=begin",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
    }
    async with watching(control_plane.http, CONFIG_MAPS, **options) as events:
        *added, (kind, mark) = await events.take(3)
        assert names(added) == [("ADDED", "begin-a"), ("ADDED", "begin-b")]
        assert kind == "BOOKMARK"
        assert (mark["kind"], mark["apiVersion"]) == ("ConfigMap", "v1")
        assert mark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
        assert version_of(mark) >= max(version_of(obj) for _, obj in added)
        await put(control_plane, "begin-a", value="new", of="begin")
        assert names(await events.take(1)) == [("MODIFIED", "begin-a")]


async def test_what_leaves_the_selection_is_deleted_and_what_enters_is_added(control_plane: Running) -> None:
    options: dict[str, Any] = {
        "labelSelector": "color=red",
        "resourceVersion": version_of(await put(control_plane, "leaf")),
    }
    async with watching(control_plane.http, CONFIG_MAPS, **options) as events:
        await put(control_plane, "leaf", value="1", color="red")
        await put(control_plane, "leaf", value="2", color="red")
        left = await put(control_plane, "leaf", value="3", color="brown")
        await put(control_plane, "leaf", value="4", color="brown")
        await put(control_plane, "leaf", value="5", color="red")
        seen = await events.take(4)
    assert [(kind, obj["data"]["v"]) for kind, obj in seen] == [
        ("ADDED", "1"),
        ("MODIFIED", "2"),
        # As it last was while selected, at the revision at which it left.
        ("DELETED", "2"),
        ("ADDED", "5"),
    ]
    assert version_of(seen[2][1]) == version_of(left)


@pytest.mark.parametrize("how", ["field", "path"])
async def test_a_watch_of_one_name_hears_of_no_other(control_plane: Running, how: str) -> None:
    start = version_of(await put(control_plane, f"other-{how}"))
    path = CONFIG_MAPS
    options: dict[str, Any] = {"resourceVersion": start}
    if how == "field":
        options["fieldSelector"] = f"metadata.name=one-{how}"
    else:
        path = CONFIG_MAPS.replace("/api/v1/", "/api/v1/watch/") + f"/one-{how}"
    async with watching(control_plane.http, path, **options) as events:
        for name in (f"other-{how}", f"one-{how}", f"other-{how}", f"one-{how}"):
            await put(control_plane, name, value=str(asyncio.get_running_loop().time()))
        seen = await events.take(2)
    assert names(seen) == [("ADDED", f"one-{how}"), ("MODIFIED", f"one-{how}")]


async def test_events_come_as_tables_and_as_metadata(control_plane: Running) -> None:
    made = await put(control_plane, "shown", value="secret", of="shown")
    options = {"labelSelector": "of=shown"}
    async with watching(control_plane.http, CONFIG_MAPS, accept=TABLE, **options) as events:
        kind, table = await events.next()
        await control_plane.http.delete(f"{CONFIG_MAPS}/shown")
        _, later = await events.next()
    # The columns are told once.
    assert (later["columnDefinitions"], later["rows"][0]["cells"][0]) == (None, "shown")
    assert (kind, table["kind"], table["apiVersion"]) == ("ADDED", "Table", "meta.k8s.io/v1")
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    (row,) = table["rows"]
    assert row["cells"][:2] == ["shown", 1]
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": made["metadata"]}
    assert row["object"] == partial
    made = await put(control_plane, "shown", of="shown")
    async with watching(control_plane.http, CONFIG_MAPS, accept=METADATA, **options) as events:
        assert await events.next() == ("ADDED", {**partial, "metadata": made["metadata"]})


@pytest.mark.parametrize("include", ["Metadata", "None", "Object"])
async def test_the_bookmark_of_a_table_is_a_row_too(control_plane: Running, include: str) -> None:
    await put(control_plane, "rowed", of="rowed")
    options = {
        "labelSelector": "of=rowed",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
        "includeObject": include,
    }
    async with watching(control_plane.http, CONFIG_MAPS, accept=TABLE, **options) as events:
        _, (kind, table) = await events.take(2)
    metadata = {"resourceVersion": table["metadata"]["resourceVersion"]}
    metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    of_type = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
    if include == "Object":
        of_type = {"kind": "ConfigMap", "apiVersion": "v1"}
    assert (kind, table["columnDefinitions"]) == ("BOOKMARK", None)
    assert table["rows"] == [{"cells": ["", 0, "<unknown>"], "object": {**of_type, "metadata": metadata}}]


async def test_a_watch_ends_cleanly_when_its_time_is_up(control_plane: Running) -> None:
    await put(control_plane, "timed", of="timed")
    async with watching(control_plane.http, CONFIG_MAPS, labelSelector="of=timed", timeoutSeconds=1) as events:
        assert names(await events.rest()) == [("ADDED", "timed")]
    # The end is one of the protocol, so the connection is good for more.
    assert (await control_plane.http.get(CONFIG_MAPS)).status_code == 200


async def test_a_watch_that_names_no_time_ends_by_itself_all_the_same(
    control_plane: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "MIN_TIMEOUT", 0.2)
    await put(control_plane, "untimed", of="untimed")
    async with watching(control_plane.http, CONFIG_MAPS, labelSelector="of=untimed") as events:
        assert names(await events.rest()) == [("ADDED", "untimed")]


@pytest.mark.parametrize(("drawn", "seconds"), [(0.0, 1800), (0.5, 2700)])
def test_that_time_is_drawn_from_half_an_hour_to_an_hour(
    drawn: float, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "random", lambda: drawn)
    assert endpoint.default_timeout() == seconds


async def test_a_watch_of_a_namespace_that_is_not_there_is_silent_until_it_is(control_plane: Running) -> None:
    path = "/api/v1/namespaces/later/configmaps"
    options = {"fieldSelector": "metadata.name=x"}
    async with watching(control_plane.http, path, **options) as events:
        await control_plane.create("/api/v1/namespaces", {"metadata": {"name": "later"}})
        await control_plane.create(path, {"metadata": {"name": "x"}})
        assert names(await events.take(1)) == [("ADDED", "x")]
