"""Server-side apply through the whole server: what the endpoints, the Store and subresources make of it."""

import asyncio
from typing import Any

import orjson
import pytest

from generic.client.rest import APPLY_PATCH, JSON_PATCH, Client, path_of
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject, Message
from tests.support import asgi
from tests.support.builtin import workload
from tests.support.kubeapi import Plane

pytestmark = pytest.mark.anyio

CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")
DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")
ROLES = GroupVersionResource("rbac.authorization.k8s.io", "v1", "roles")
BINDINGS = GroupVersionResource("rbac.authorization.k8s.io", "v1", "rolebindings")


def config_map(name: str = "it", **data: str) -> JSONObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def apply(client: Client, gvr: GroupVersionResource, obj: JSONObject, manager: str, **options: Any) -> JSONObject:
    name = obj["metadata"]["name"]
    return await client.patch(
        gvr, name, obj, namespace="default", content_type=APPLY_PATCH, field_manager=manager, **options
    )


async def refused(client: Client, gvr: GroupVersionResource, obj: JSONObject, manager: str, **options: Any) -> str:
    """Code and message of the refusal."""
    with pytest.raises(StatusError) as caught:
        await apply(client, gvr, obj, manager, **options)
    return f"{caught.value.code} {caught.value.message}"


def managers(obj: JSONObject) -> list[tuple[str, str, str]]:
    return [
        (entry["manager"], entry["operation"], entry.get("subresource", ""))
        for entry in obj["metadata"].get("managedFields", [])
    ]


async def send(plane: Plane, body: bytes, query: str, content_type: str = APPLY_PATCH) -> tuple[int, JSONObject]:
    """A PATCH of the ConfigMap `it` as it comes."""
    path = path_of(CONFIG_MAPS, "default", name="it")
    try:
        answer = await plane.client.request(
            "PATCH", path, query=dict(pair.split("=") for pair in query.split("&") if pair), body=body,
            content_type=content_type,
        )  # fmt: skip
    except StatusError as error:
        return error.code, error.to_status()
    return answer.status, orjson.loads(answer.body)


async def test_an_apply_creates_and_then_changes(plane: Plane) -> None:
    made = await apply(plane.client, CONFIG_MAPS, config_map(a="1"), "me")
    assert managers(made) == [("me", "Apply", "")]
    changed = await apply(plane.client, CONFIG_MAPS, config_map(b="1"), "me")
    assert changed["data"] == {"b": "1"}
    assert changed["metadata"]["uid"] == made["metadata"]["uid"]


async def test_applying_again_writes_nothing(plane: Plane) -> None:
    obj = workload("Deployment")
    first = await apply(plane.client, DEPLOYMENTS, obj, "me")
    assert await apply(plane.client, DEPLOYMENTS, obj, "me") == first


async def test_a_dry_run_says_what_would_be_and_leaves_nothing(plane: Plane) -> None:
    made = await apply(plane.client, CONFIG_MAPS, config_map(a="1"), "me", dry_run=True)
    assert managers(made) == [("me", "Apply", "")]
    with pytest.raises(StatusError) as missing:
        await plane.client.get(CONFIG_MAPS, "it", "default")
    assert missing.value.code == 404


async def test_every_write_says_who_made_it(plane: Plane) -> None:
    client = plane.client.with_headers({"user-agent": "robot/v1 (linux)"})
    await client.create(CONFIG_MAPS, config_map(a="1"), "default")
    await client.patch(CONFIG_MAPS, "it", {"data": {"b": "1"}}, namespace="default", field_manager="merger")
    obj = await client.get(CONFIG_MAPS, "it", "default")
    obj["data"]["c"] = "1"
    obj = await client.update(CONFIG_MAPS, obj, field_manager="putter")
    assert sorted(managers(obj)) == [("merger", "Update", ""), ("putter", "Update", ""), ("robot", "Update", "")]


@pytest.mark.parametrize(
    ("agent", "manager"),
    [
        ("kubectl/v1.37", "kubectl"),
        ("a\tb/1", "ab"),
        ("x" * 200, "x" * 128),
        ("\u00e9" * 100, "\u00e9" * 64),
        ("", "unknown"),
    ],
)
async def test_a_client_that_names_no_manager_is_its_user_agent(plane: Plane, agent: str, manager: str) -> None:
    headers = [(b"user-agent", agent.encode("latin-1")), (b"authorization", f"Bearer {plane.token}".encode())]
    scope = asgi.scope("/api/v1/namespaces/default/configmaps", method="POST")
    response = asgi.Response()

    async def receive() -> Message:
        return {"type": "http.request", "body": orjson.dumps(config_map(a="1"))}

    await plane.app({**scope, "headers": headers}, receive, response.send)
    assert (response.status, managers(response.json())) == (201, [(manager, "Update", "")])


async def test_who_may_patch_may_not_therefore_create(plane: Plane) -> None:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "patch"]}]
    await plane.client.create(ROLES, {"metadata": {"name": "r"}, "rules": rules}, "default")
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
    binding = {"metadata": {"name": "b"}, "roleRef": role, "subjects": [subject]}
    await plane.client.create(BINDINGS, binding, "default")
    bob = plane.as_user("bob")
    assert (await refused(bob, CONFIG_MAPS, config_map(a="1"), "me")).startswith(
        '403 configmaps "it" is forbidden: User "bob" cannot create resource "configmaps"'
    )
    await apply(plane.client, CONFIG_MAPS, config_map(a="1"), "me")
    assert (await apply(bob, CONFIG_MAPS, config_map(a="1"), "bob"))["data"] == {"a": "1"}


async def test_the_status_is_applied_apart(plane: Plane) -> None:
    obj = workload("Deployment")
    await apply(plane.client, DEPLOYMENTS, {**obj, "status": {"replicas": 7}}, "me")
    status = {"status": {"replicas": 3, "conditions": [{"type": "Fine", "status": "True"}]}}
    config = {key: obj[key] for key in ("apiVersion", "kind", "metadata")}
    made = await apply(plane.client, DEPLOYMENTS, {**config, **status}, "controller", subresource="status")
    # Times that nobody set are written as null, as Go does.
    never = {"lastTransitionTime": None, "lastUpdateTime": None}
    assert made["status"] == {"replicas": 3, "conditions": [{"type": "Fine", "status": "True", **never}]}
    assert managers(made) == [("controller", "Apply", "status"), ("me", "Apply", "")]
    owned = {entry["manager"]: entry["fieldsV1"].keys() for entry in made["metadata"]["managedFields"]}
    assert owned == {"controller": {"f:status"}, "me": {"f:spec"}}
    missing = {**config, **status, "metadata": {"name": "missing"}}
    assert "404" in await refused(plane.client, DEPLOYMENTS, missing, "controller", subresource="status")


async def test_replicas_applied_through_scale_are_fought_over_with_the_workload(plane: Plane) -> None:
    obj = workload("Deployment", replicas=2)
    await apply(plane.client, DEPLOYMENTS, obj, "me")
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 5}}
    why = await refused(plane.client, DEPLOYMENTS, scale, "scaler", subresource="scale")
    assert why == '409 Apply failed with 1 conflict: conflict with "me": .spec.replicas'
    made = await apply(plane.client, DEPLOYMENTS, scale, "scaler", subresource="scale", force=True)
    assert (made["kind"], made["spec"]) == ("Scale", {"replicas": 5})
    found = await plane.client.get(DEPLOYMENTS, "web", "default")
    assert ("scaler", "Apply", "scale") in managers(found)
    assert found["spec"]["replicas"] == 5


async def test_what_a_patch_of_the_entries_says_counts(plane: Plane) -> None:
    await plane.client.create(CONFIG_MAPS, config_map(a="1"), "default", field_manager="old")
    patch = [{"op": "replace", "path": "/metadata/managedFields/0/manager", "value": "new"}]
    made = await plane.client.patch(CONFIG_MAPS, "it", patch, namespace="default", content_type=JSON_PATCH)
    assert managers(made) == [("new", "Update", "")]


async def test_managers_of_two_versions_meet_in_the_fields_both_have(plane: Plane) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    one = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 5},
    }
    spec = {"scaleTargetRef": target, "maxReplicas": 7}
    two = {**one, "apiVersion": "autoscaling/v2", "spec": spec}
    v1, v2 = (GroupVersionResource("autoscaling", version, "horizontalpodautoscalers") for version in ("v1", "v2"))
    await apply(plane.client, v1, one, "one")
    why = await refused(plane.client, v2, two, "two")
    assert why == '409 Apply failed with 1 conflict: conflict with "one": .spec.maxReplicas'
    made = await apply(plane.client, v2, two, "two", force=True)
    assert [(entry["manager"], entry["apiVersion"]) for entry in made["metadata"]["managedFields"]] == [
        ("one", "autoscaling/v1"),
        ("two", "autoscaling/v2"),
    ]
    again = await apply(plane.client, v2, {**two, "spec": {**spec, "minReplicas": 1}}, "one", force=True)
    assert (again["spec"]["minReplicas"], again["metadata"]["managedFields"][-1]["apiVersion"]) == (1, "autoscaling/v2")


async def test_appliers_who_race_all_get_their_fields(plane: Plane) -> None:
    names = [f"m{number}" for number in range(12)]
    await asyncio.gather(*(apply(plane.client, CONFIG_MAPS, config_map(**{name: "1"}), name) for name in names))
    found = await plane.client.get(CONFIG_MAPS, "it", "default")
    assert found["data"] == dict.fromkeys(names, "1")
    assert {manager for manager, _, _ in managers(found)} == set(names)


async def test_a_stale_resource_version_is_a_conflict(plane: Plane) -> None:
    await apply(plane.client, CONFIG_MAPS, config_map(a="1"), "me")
    stale = config_map(a="2")
    stale["metadata"]["resourceVersion"] = "1"
    assert "409 Operation cannot be fulfilled" in await refused(plane.client, CONFIG_MAPS, stale, "me")


@pytest.mark.parametrize(
    ("body", "query", "code", "message"),
    [
        (
            b"kind: ConfigMap",
            "",
            422,
            'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
        ),
        (b"{]", "fieldManager=me", 400, "error decoding YAML: "),
        (b"- a", "fieldManager=me", 400, "error decoding YAML: error unmarshaling JSON"),
        (b"kind: Pod\napiVersion: v1", "fieldManager=me", 400, "invalid object type: /v1, Kind=Pod"),
        (b"apiVersion: v2\nkind: ConfigMap", "fieldManager=me", 400, "invalid object type: /v2, Kind=ConfigMap"),
        (
            b"apiVersion: v1\nkind: ConfigMap\ndate: {}",
            "fieldManager=me",
            500,
            "failed to create typed patch object (/; /v1, Kind=ConfigMap): .date: field not declared in schema",
        ),
    ],
)
async def test_what_cannot_be_applied_is_refused(
    plane: Plane, body: bytes, query: str, code: int, message: str
) -> None:
    status, answer = await send(plane, body, query)
    assert (status, answer["message"][: len(message)]) == (code, message)


async def test_a_configuration_may_be_yaml(plane: Plane) -> None:
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: it\ndata: {a: '1'}\n"
    status, answer = await send(plane, body, "fieldManager=me&force=true")
    assert (status, answer["data"]) == (201, {"a": "1"})


async def test_only_an_apply_may_be_forced(plane: Plane) -> None:
    status, answer = await send(plane, b"{}", "force=true", "application/merge-patch+json")
    assert (status, answer["message"]) == (
        422,
        'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    )
