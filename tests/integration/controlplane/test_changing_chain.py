"""Owners come and go while requests run: every answer is one of those that are right at some moment of the request."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.crd import CRDS, definition, instance
from tests.support.plane import Running

APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"


async def _ask_until(stop: asyncio.Event, http: httpx.AsyncClient, path: str) -> list[httpx.Response]:
    answers = []
    while not stop.is_set():
        answers.append(await http.get(path))
    return answers


def _remote(group: str) -> dict[str, Any]:
    """A registration that points nowhere: its Service does not exist."""
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"v1.{group}"},
        "spec": {
            "group": group,
            "version": "v1",
            "groupPriorityMinimum": 1000,
            "versionPriority": 10,
            "insecureSkipTLSVerify": True,
            "service": {"name": "nobody", "namespace": "default"},
        },
    }


@pytest.mark.anyio
async def test_custom_resources_that_come_and_go_are_served_or_not_found(control_plane: Running) -> None:
    path = "/apis/coming.example.com/v1/namespaces/default/goers"
    steady = "/apis/apps/v1/namespaces/default/deployments"
    stop = asyncio.Event()
    asking = [asyncio.create_task(_ask_until(stop, control_plane.http, each)) for each in (path, path, steady)]
    for _ in range(4):
        await control_plane.create(CRDS, definition("goers", group="coming.example.com"))
        await control_plane.until(path)
        assert (await control_plane.http.post(path, json=instance("goers", "x", group="coming.example.com"))).is_success
        await control_plane.http.delete(f"{CRDS}/goers.coming.example.com")
        await control_plane.until(f"{CRDS}/goers.coming.example.com", 404)
        await control_plane.until(path, 404)
    stop.set()
    first, second, others = await asyncio.gather(*asking)
    assert {answer.status_code for answer in (*first, *second)} <= {200, 404}
    for answer in (*first, *second):
        if answer.status_code == 200:
            assert answer.json()["kind"] == "GoerList"
    assert {answer.status_code for answer in others} == {200}


@pytest.mark.anyio
async def test_a_registration_shadows_a_custom_resource_and_gives_it_back(control_plane: Running) -> None:
    group = "shadowed.example.com"
    path = f"/apis/{group}/v1/namespaces/default/shades"
    await control_plane.create(CRDS, definition("shades", group=group))
    await control_plane.until(path)
    await control_plane.until(f"{APISERVICES}/v1.{group}")
    managed = (await control_plane.http.get(f"{APISERVICES}/v1.{group}")).json()
    remote = {**managed, "spec": _remote(group)["spec"]}
    del remote["metadata"]["labels"]  # somebody else's now: the controller must leave it alone
    stop = asyncio.Event()
    asking = asyncio.create_task(_ask_until(stop, control_plane.http, path))
    assert (await control_plane.http.put(f"{APISERVICES}/v1.{group}", json=remote)).is_success
    refused = await control_plane.until(path, 503)
    assert refused.text.strip() == "service unavailable"
    await control_plane.http.delete(f"{APISERVICES}/v1.{group}")
    await control_plane.until(path, 200)
    stop.set()
    assert {answer.status_code for answer in await asking} <= {200, 503}


@pytest.mark.anyio
async def test_a_registration_that_points_nowhere_says_why_and_hurts_nobody(control_plane: Running) -> None:
    group = "nowhere.example.com"
    await control_plane.create(APISERVICES, _remote(group))
    found = await control_plane.until(f"{APISERVICES}/v1.{group}", reason="ServiceNotFound")
    (condition,) = found.json()["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("Available", "False")
    assert condition["message"] == 'service/nobody in "default" is not present'
    assert (await control_plane.http.get(f"/apis/{group}/v1/things")).status_code == 503
    assert (await control_plane.http.get("/apis/apps/v1/deployments")).status_code == 200
    await control_plane.http.delete(f"{APISERVICES}/v1.{group}")
    await control_plane.until(f"/apis/{group}/v1/things", 404)
