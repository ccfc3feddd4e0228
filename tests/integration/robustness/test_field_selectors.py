"""The fields a built-in kind can be selected by: each finds the one object that has the value, and misses the other."""

from collections.abc import AsyncIterator

import pytest

from generic.types import JSONObject
from tests.integration.robustness.refusals import MERGE
from tests.support import plane
from tests.support.plane import Running

pytestmark = pytest.mark.anyio

SPACE = "/api/v1/namespaces/fields"
PODS, EVENTS, SECRETS = (f"{SPACE}/{plural}" for plural in ("pods", "events", "secrets"))
NAMESPACES, NODES = "/api/v1/namespaces", "/api/v1/nodes"
CONTAINERS = [{"name": "c", "image": "i"}]
THIS: JSONObject = {"kind": "Pod", "namespace": "fields", "name": "this", "uid": "u", "apiVersion": "v1"}

POD_FIELDS = {
    "spec.nodeName": "this",
    "spec.restartPolicy": "Never",
    "spec.schedulerName": "mine",
    "spec.serviceAccountName": "mine",
    "spec.hostNetwork": "true",
    "status.phase": "Running",
    "status.podIP": "10.0.0.1",
}
EVENT_FIELDS = {
    **{f"involvedObject.{key}": value for key, value in THIS.items()},
    "involvedObject.resourceVersion": "7",
    "involvedObject.fieldPath": "spec.containers{c}",
    "reason": "Started",
    "source": "kubelet",
    "type": "Normal",
}
FIELDS = [
    *((PODS, name, value) for name, value in POD_FIELDS.items()),
    *((EVENTS, name, value) for name, value in EVENT_FIELDS.items()),
    (SECRETS, "type", "mine"),
    (NAMESPACES, "status.phase", "Terminating"),
    (NODES, "spec.unschedulable", "true"),
    *((path, "metadata.name", "this") for path in (PODS, EVENTS, SECRETS, NAMESPACES, NODES)),
]


@pytest.fixture(scope="module")
async def control_plane(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """Of each kind `this`, which has every value, and `other`, which has none."""
    async with plane.running(tmp_path_factory.mktemp("plane")) as made:
        await made.create(NAMESPACES, {"metadata": {"name": "fields"}})
        await made.create(f"{SPACE}/serviceaccounts", {"metadata": {"name": "mine"}})
        for path, this, other in _objects():
            await made.create(path, {"metadata": {"name": "this"}, **this})
            await made.create(path, {"metadata": {"name": "other"}, **other})
        await made.create(
            NAMESPACES, {"metadata": {"name": "this"}, "spec": {"finalizers": ["example.com/never", "kubernetes"]}}
        )
        await made.create(NAMESPACES, {"metadata": {"name": "other"}})
        assert (await made.http.delete(f"{NAMESPACES}/this")).is_success
        status = {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]}
        patched = await made.http.patch(f"{PODS}/this/status", json={"status": status}, headers={"content-type": MERGE})
        assert patched.status_code == 200, patched.text
        yield made


def _objects() -> list[tuple[str, JSONObject, JSONObject]]:
    mine = {
        "nodeName": "this",
        "restartPolicy": "Never",
        "schedulerName": "mine",
        "serviceAccountName": "mine",
        "hostNetwork": True,
        "containers": CONTAINERS,
    }
    started = {
        "involvedObject": {**THIS, "resourceVersion": "7", "fieldPath": "spec.containers{c}"},
        "reason": "Started",
        "source": {"component": "kubelet"},
        "type": "Normal",
    }
    return [
        (NODES, {"spec": {"unschedulable": True}}, {}),
        (PODS, {"spec": mine}, {"spec": {"containers": CONTAINERS}}),
        (EVENTS, started, {"involvedObject": {"namespace": "fields"}, "type": "Warning"}),
        (SECRETS, {"type": "mine"}, {}),
    ]


@pytest.mark.parametrize(("path", "name", "value"), FIELDS)
async def test_a_field_selects_who_has_the_value(control_plane: Running, path: str, name: str, value: str) -> None:
    async def selected(selector: str) -> set[str]:
        answer = await control_plane.http.get(path, params={"fieldSelector": selector})
        assert answer.status_code == 200, answer.text
        return {item["metadata"]["name"] for item in answer.json()["items"]}

    everything = await selected("")
    found = await selected(f"{name}={value}")
    if name != "involvedObject.namespace":  # an event is in the namespace of what it is about
        assert found == {"this"}
        assert "other" in everything
    assert found | await selected(f"{name}!={value}") == everything


async def test_the_node_that_a_pod_waits_for_is_a_field(control_plane: Running) -> None:
    nomination = {"status": {"nominatedNodeName": "there"}}
    await control_plane.http.patch(f"{PODS}/other/status", json=nomination, headers={"content-type": MERGE})
    answer = await control_plane.http.get(PODS, params={"fieldSelector": "status.nominatedNodeName=there"})
    assert [item["metadata"]["name"] for item in answer.json()["items"]] == ["other"]


async def test_all_the_addresses_of_a_pod_are_a_field_without_a_value(control_plane: Running) -> None:
    for selector, names in (("status.podIPs=10.0.0.1", []), ("status.podIPs=", ["other", "this"])):
        answer = await control_plane.http.get(PODS, params={"fieldSelector": selector})
        assert sorted(item["metadata"]["name"] for item in answer.json()["items"]) == names


@pytest.mark.parametrize("path", [PODS, EVENTS, SECRETS])
async def test_a_namespace_selects_in_all_of_them(control_plane: Running, path: str) -> None:
    everywhere = path.replace("/namespaces/fields", "")
    found = (await control_plane.http.get(everywhere, params={"fieldSelector": "metadata.namespace=fields"})).json()
    assert {item["metadata"]["namespace"] for item in found["items"]} == {"fields"}
    assert {"this", "other"} <= {item["metadata"]["name"] for item in found["items"]}
