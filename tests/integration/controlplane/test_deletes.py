"""The fine print of DELETE over HTTP, and of what goes by itself."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generic.types import JSONObject
from tests.support import crd
from tests.support.etcd import EtcdServer
from tests.support.owned import DEFAULT, Objects, config_map
from tests.support.plane import Running, running

pytestmark = pytest.mark.anyio

CONFIG_MAPS = f"{DEFAULT}/configmaps"
PODS = f"{DEFAULT}/pods"
HOLD = "example.com/hold"


@pytest.fixture
def objects(control_plane: Running) -> Objects:
    return Objects(control_plane)


async def delete(plane: Running, path: str, **options: Any) -> tuple[int, JSONObject]:
    """The code and the answer; options go into the body."""
    response = await plane.http.request("DELETE", path, json={"kind": "DeleteOptions", "apiVersion": "v1", **options})
    answer: JSONObject = response.json()
    return response.status_code, answer


async def release(objects: Objects, name: str, collection: str = CONFIG_MAPS) -> None:
    await objects.patch(name, {"metadata": {"finalizers": None}}, collection)
    await objects.gone(name, collection)


async def running_pod(objects: Objects, name: str, **spec: Any) -> str:
    """Its path. It is on a node, so that its kubelet has to end it."""
    await objects.plane.until(f"{DEFAULT}/serviceaccounts/default")
    containers = [{"name": "main", "image": "image"}]
    pod = {"metadata": {"name": name}, "spec": {"nodeName": "node", "containers": containers, **spec}}
    await objects.make({"apiVersion": "v1", "kind": "Pod", **pod}, PODS)
    return f"{PODS}/{name}"


async def test_a_custom_resource_held_by_a_finalizer_counts_its_deletion_as_a_generation(objects: Objects) -> None:
    widgets = "/apis/widgets.example.com/v1/namespaces/default/widgets"
    await objects.make(crd.definition("widgets", group="widgets.example.com"), crd.CRDS)
    await objects.plane.until(widgets)
    widget = crd.instance("widgets", "held", group="widgets.example.com")
    widget["metadata"]["finalizers"] = [HOLD]
    made = await objects.make(widget, widgets)
    marked = (await objects.delete("held", collection=widgets))["metadata"]
    assert (made["metadata"]["generation"], marked["generation"]) == (1, 2)
    assert marked["deletionGracePeriodSeconds"] == 0
    again = (await objects.delete("held", collection=widgets))["metadata"]
    assert again == marked
    await release(objects, "held", widgets)


async def test_the_first_deletion_of_a_definition_is_none_of_a_generation(objects: Objects) -> None:
    await objects.make(crd.definition("brief", group="brief.example.com"), crd.CRDS)
    held = await objects.patch("brief.brief.example.com", {"metadata": {"finalizers": [HOLD]}}, crd.CRDS)
    marked = (await objects.delete("brief.brief.example.com", "Foreground", crd.CRDS))["metadata"]
    assert marked["generation"] == held["metadata"]["generation"]
    assert "deletionGracePeriodSeconds" not in marked
    assert marked["finalizers"] == [HOLD, "customresourcecleanup.apiextensions.k8s.io"]
    # By place: the other one may be gone by now, and must not be put back.
    freed = await objects.plane.http.patch(
        f"{crd.CRDS}/brief.brief.example.com",
        content=b'[{"op": "remove", "path": "/metadata/finalizers/0"}]',
        headers={"content-type": "application/json-patch+json"},
    )
    assert freed.status_code == 200, freed.text
    await objects.gone("brief.brief.example.com", crd.CRDS)


async def test_a_namespace_is_marked_with_time_and_phase_alone(objects: Objects) -> None:
    namespaces = "/api/v1/namespaces"
    made = await objects.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "brief"}}, namespaces)
    code, refused = await delete(objects.plane, f"{namespaces}/brief", preconditions={"uid": "x"})
    assert code == 409
    why = f"Precondition failed: UID in precondition: x, UID in object meta: {made['metadata']['uid']}"
    assert refused["message"] == f'Operation cannot be fulfilled on namespaces "brief": {why}'
    marked = await objects.delete("brief", collection=namespaces)
    assert "deletionGracePeriodSeconds" not in marked["metadata"]
    assert marked["status"]["phase"] == "Terminating"
    await objects.gone("brief", namespaces)


async def test_grace_can_only_be_shortened(objects: Objects) -> None:
    path = await running_pod(objects, "graceful", terminationGracePeriodSeconds=40)
    _, first = await delete(objects.plane, path, gracePeriodSeconds=60)
    assert first["metadata"]["deletionGracePeriodSeconds"] == 60
    assert first["metadata"]["generation"] == 2
    for options in ({}, {"gracePeriodSeconds": 60}, {"gracePeriodSeconds": 90, "propagationPolicy": "Orphan"}):
        assert await delete(objects.plane, path, **options) == (200, first)
    _, shorter = await delete(objects.plane, path, gracePeriodSeconds=20)
    assert shorter["metadata"]["deletionGracePeriodSeconds"] == 20
    assert shorter["metadata"]["generation"] == 2
    assert shorter["metadata"]["deletionTimestamp"] < first["metadata"]["deletionTimestamp"]
    code, gone = await delete(objects.plane, path, gracePeriodSeconds=0)
    assert (code, gone["kind"]) == (200, "Pod")
    await objects.gone("graceful", PODS)


async def test_negative_grace_is_a_second(objects: Objects) -> None:
    path = await running_pod(objects, "negative")
    _, marked = await delete(objects.plane, path, gracePeriodSeconds=-5)
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 1
    await delete(objects.plane, path, gracePeriodSeconds=0)


async def test_202_is_for_those_who_asked_for_dependents_to_go_and_have_to_wait(objects: Objects) -> None:
    await objects.make(config_map("waits", HOLD))
    assert (await delete(objects.plane, f"{CONFIG_MAPS}/waits"))[0] == 200
    code, held = await delete(objects.plane, f"{CONFIG_MAPS}/waits", orphanDependents=False)
    assert (code, held["kind"]) == (202, "ConfigMap")
    await release(objects, "waits")
    await objects.make(config_map("goes"))
    assert (await delete(objects.plane, f"{CONFIG_MAPS}/goes", orphanDependents=False))[0] == 200


async def test_success_names_what_is_gone(objects: Objects) -> None:
    made = await objects.make(config_map("told"))
    assert await objects.delete("told") == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "told", "kind": "configmaps", "uid": made["metadata"]["uid"]},
    }


async def test_the_policy_asked_for_replaces_the_one_on_the_object(tmp_path: Path) -> None:
    cases: list[tuple[JSONObject, list[str]]] = [
        ({}, [HOLD, "orphan"]),
        ({"orphanDependents": True}, [HOLD, "orphan"]),
        ({"orphanDependents": False}, [HOLD]),
        ({"propagationPolicy": "Background"}, [HOLD]),
        ({"propagationPolicy": "Foreground"}, [HOLD, "foregroundDeletion"]),
    ]
    async with running(tmp_path, controllers=()) as plane:
        for number, (options, left) in enumerate(cases):
            await plane.create(CONFIG_MAPS, config_map(f"case-{number}", HOLD, "orphan"))
            _, marked = await delete(plane, f"{CONFIG_MAPS}/case-{number}", **options)
            assert marked["metadata"]["finalizers"] == left
        # Nothing depends on an event: it goes at once, whatever was asked for.
        event = {"metadata": {"name": "any"}, "involvedObject": {"namespace": "default"}}
        await plane.create(f"{DEFAULT}/events", {"apiVersion": "v1", "kind": "Event", **event})
        code, answer = await delete(plane, f"{DEFAULT}/events/any", propagationPolicy="Foreground")
        assert (code, answer["status"]) == (200, "Success")


async def test_without_garbage_collection_no_policy_leaves_a_finalizer(tmp_path: Path) -> None:
    async with running(tmp_path, enable_garbage_collector=False) as plane:
        await plane.create(CONFIG_MAPS, config_map("any"))
        code, answer = await delete(plane, f"{CONFIG_MAPS}/any", propagationPolicy="Foreground")
        assert (code, answer["status"]) == (200, "Success")


async def test_a_controller_left_out_does_not_run(tmp_path: Path) -> None:
    async with running(tmp_path, controllers=("*", "-serviceaccount", "-namespace")) as plane:
        started = (await plane.http.get("/readyz?verbose")).text
        assert "start-clusterrole-aggregation-controller" in started
        assert "start-garbage-collector-controller" in started
        assert "start-serviceaccount-controller" not in started
        assert "start-namespace-controller" not in started


async def test_two_ways_to_say_it_at_once_are_refused(objects: Objects) -> None:
    await objects.make(config_map("both"))
    code, refused = await delete(
        objects.plane, f"{CONFIG_MAPS}/both", orphanDependents=True, propagationPolicy="Foreground"
    )
    assert (code, refused["reason"]) == (422, "Invalid")
    assert "orphanDependents and deletionPropagation cannot be both set" in refused["message"]
    await objects.delete("both")


async def test_a_collection_goes_by_the_policy_too_and_is_listed_as_it_was(objects: Objects) -> None:
    for name in ("one", "two"):
        made = config_map(name)
        await objects.make({**made, "metadata": {**made["metadata"], "labels": {"swept": "yes"}}})
    answer = await objects.plane.http.request(
        "DELETE", CONFIG_MAPS, params={"labelSelector": "swept=yes"}, json={"propagationPolicy": "Foreground"}
    )
    listed = answer.json()
    assert (listed["kind"], [item["metadata"]["name"] for item in listed["items"]]) == ("ConfigMapList", ["one", "two"])
    assert all("deletionTimestamp" not in item["metadata"] for item in listed["items"])
    for name in ("one", "two"):
        await objects.gone(name)


async def test_a_dry_run_deletes_nothing(objects: Objects) -> None:
    made = await objects.make(config_map("dry"))
    for options in ({}, {"propagationPolicy": "Foreground"}):
        code, _ = await delete(objects.plane, f"{CONFIG_MAPS}/dry", dryRun=["All"], **options)
        assert code == 200
        assert await objects.get("dry") == made
    await objects.delete("dry")


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    server = EtcdServer(tmp_path_factory.mktemp("etcd"), "--unsafe-no-fsync")
    server.start()
    yield server
    server.kill()


@pytest.mark.parametrize("engine", ["sqlite", "etcd"])
async def test_events_go_by_themselves_whatever_their_version(
    tmp_path: Path, request: pytest.FixtureRequest, engine: str
) -> None:
    options: dict[str, Any] = {"event_ttl": 1.0}
    if engine == "etcd":
        options |= {"storage": "etcd", "etcd_servers": (request.getfixturevalue("etcd").endpoint,)}
    about = {"kind": "ConfigMap", "namespace": "default", "name": "any"}
    async with running(tmp_path, **options) as plane:
        objects = Objects(plane)
        old = {"metadata": {"name": "old"}, "involvedObject": about, "reason": "Tested", "type": "Normal"}
        await objects.make({"apiVersion": "v1", "kind": "Event", **old}, f"{DEFAULT}/events")
        # Nothing else does.
        await objects.make(config_map("stays"))
        newer = "/apis/events.k8s.io/v1/namespaces/default/events"
        assert await objects.get("old", newer) is not None
        watch = plane.http.stream("GET", f"{DEFAULT}/events", params={"watch": "true", "resourceVersion": "0"})
        async with asyncio.timeout(20), watch as events:
            async for line in events.aiter_lines():
                if '"type":"DELETED"' in line:
                    break
        assert await objects.get("old", f"{DEFAULT}/events") is None
        assert await objects.get("stays") is not None
