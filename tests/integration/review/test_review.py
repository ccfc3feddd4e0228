"""What a hostile reader found: requests that were acknowledged and lost, that ended in a panic, or in silence."""

import httpx
import pytest

from generic.types import JSONObject
from tests.support.plane import Running

pytestmark = pytest.mark.anyio

PODS = "/api/v1/namespaces/default/pods"
THINGS = "/apis/review.example.com/v1/namespaces/default/things"
MERGE = {"content-type": "application/merge-patch+json"}
YAML = {"content-type": "application/yaml"}
POD = {"spec": {"nodeName": "somewhere", "containers": [{"name": "c", "image": "i"}]}}


@pytest.fixture(scope="module")
async def things(control_plane: Running) -> str:
    """A custom resource that takes anything."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.review.example.com"},
        "spec": {
            "group": "review.example.com",
            "scope": "Namespaced",
            "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }
    await control_plane.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
    await control_plane.until(THINGS)
    return THINGS


def thing(name: str, **more: object) -> JSONObject:
    return {"apiVersion": "review.example.com/v1", "kind": "Thing", "metadata": {"name": name}, **more}


async def test_a_boolean_that_becomes_a_number_is_a_change(control_plane: Running, things: str) -> None:
    made = await control_plane.create(things, thing("a", spec={"on": True, "count": 1}))
    path = f"{things}/a"
    answer = await control_plane.http.patch(path, json={"spec": {"on": 1}}, headers=MERGE)
    found = (await control_plane.http.get(path)).json()
    assert answer.json() == found
    assert found["spec"]["on"] is not True
    assert found["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]
    assert found["metadata"]["generation"] == 2

    answer = await control_plane.http.patch(path, json={"spec": {"count": 1}}, headers=MERGE)
    assert answer.json() == found


@pytest.mark.parametrize("value", ["!!bool maybe", '!!int ""', ".nan", "!!float x"])
async def test_yaml_that_is_not_what_it_says_is_400(control_plane: Running, things: str, value: str) -> None:
    body = f"apiVersion: review.example.com/v1\nkind: Thing\nmetadata: {{name: b}}\nspec: {value}\n"
    answer = await control_plane.http.post(things, content=body, headers=YAML)
    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")
    applied = {"content-type": "application/apply-patch+yaml"}
    answer = await control_plane.http.patch(f"{things}/b?fieldManager=me", content=body, headers=applied)
    assert (answer.status_code, answer.json()["reason"]) == (400, "BadRequest")


@pytest.mark.parametrize("seconds", [2**63 - 1, 10**12])
async def test_a_grace_beyond_all_calendars_is_a_long_one(control_plane: Running, seconds: int) -> None:
    name = f"p{seconds}"
    await control_plane.create(PODS, {**POD, "metadata": {"name": name}})
    answer = await control_plane.http.delete(f"{PODS}/{name}", params={"gracePeriodSeconds": str(seconds)})
    assert answer.status_code == 200, answer.text
    held = answer.json()["metadata"]
    assert held["deletionGracePeriodSeconds"] == 9223372036
    assert held["deletionTimestamp"] > "2300"

    answer = await control_plane.http.delete(f"{PODS}/{name}", params={"gracePeriodSeconds": "0"})
    assert answer.status_code == 200, answer.text
    assert (await control_plane.http.get(f"{PODS}/{name}")).status_code == 404


async def test_a_pod_that_asks_for_such_a_grace_can_be_deleted(control_plane: Running) -> None:
    pod = {**POD, "metadata": {"name": "long"}, "spec": {**POD["spec"], "terminationGracePeriodSeconds": 2**62}}
    await control_plane.create(PODS, pod)
    assert (await control_plane.http.delete(f"{PODS}/long")).status_code == 200
    answer = await control_plane.http.delete(f"{PODS}/long", params={"gracePeriodSeconds": "0"})
    assert answer.status_code == 200, answer.text


async def test_an_impersonated_name_that_is_no_text_is_answered(control_plane: Running) -> None:
    reviews = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    answer = await control_plane.http.post(reviews, json={}, headers={b"impersonate-user": b"a\xff"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["status"]["userInfo"]["username"] == "a\ufffd"
    async with control_plane.client("bob") as bob:
        answer = await bob.get(PODS, headers={b"impersonate-user": b"\xff"})
    assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")


async def test_a_role_that_stands_for_too_much_to_compare_is_refused_at_once(control_plane: Running) -> None:
    roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
    binding = {"subjects": [{"kind": "User", "name": "bob"}], "metadata": {"name": "roles", "namespace": "default"}}
    rules = [{"verbs": ["create"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"]}]
    await control_plane.create(roles, {"metadata": {"name": "roles"}, "rules": rules})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "roles"}
    await control_plane.create(f"{roles[:-5]}rolebindings", {**binding, "roleRef": reference})

    texts = [f"t{number}" for number in range(1000)]
    huge = {"metadata": {"name": "huge"}, "rules": [{"verbs": texts, "apiGroups": texts, "resources": texts}]}
    async with control_plane.client("bob") as bob:
        answer: httpx.Response = await bob.post(roles, json=huge)
    assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")
    assert "attempting to grant more RBAC permissions than can be compared" in answer.json()["message"]


async def test_yaml_that_is_long_is_read_all_the_same(control_plane: Running, things: str) -> None:
    numbers = "".join(f"- {number}\n" for number in range(10_000))
    text = f"apiVersion: review.example.com/v1\nkind: Thing\nmetadata: {{name: long}}\nspec:\n{numbers}"
    answer = await control_plane.http.post(things, content=text, headers=YAML)
    assert (answer.status_code, answer.json()["spec"]) == (201, list(range(10_000)))
    version = answer.json()["metadata"]["resourceVersion"]
    shorter = text.replace("- 7\n", "").replace("name: long", f"name: long, resourceVersion: '{version}'")
    answer = await control_plane.http.put(f"{things}/long", content=shorter, headers=YAML)
    assert (answer.status_code, len(answer.json()["spec"])) == (200, 9_999)
    applied = {"content-type": "application/apply-patch+yaml"}
    path = f"{things}/long?fieldManager=me&force=true"
    answer = await control_plane.http.patch(path, content=text, headers=applied)
    assert (answer.status_code, answer.json()["spec"]) == (200, list(range(10_000)))


@pytest.mark.timeout(10)
async def test_a_body_of_nothing_but_unknown_fields_is_answered_soon(control_plane: Running) -> None:
    unknown = {f"field{number}": 1 for number in range(200_000)}
    answer = await control_plane.http.post(
        "/api/v1/namespaces/default/configmaps", json={"metadata": {"name": "unknown"}, **unknown}
    )
    assert answer.status_code == 201
    assert answer.headers["warning"].startswith('299 - "unknown field \\"field0\\""')


@pytest.mark.timeout(10)
async def test_limits_that_are_too_many_for_a_pod_are_not_compared(control_plane: Running) -> None:
    await control_plane.create("/api/v1/namespaces", {"metadata": {"name": "limited"}})
    await control_plane.until("/api/v1/namespaces/limited/serviceaccounts/default")
    amounts = {f"example.com/r{number}": "1" for number in range(20_000)}
    limits = [{"type": "Container", "default": amounts}]
    await control_plane.create(
        "/api/v1/namespaces/limited/limitranges", {"metadata": {"name": "many"}, "spec": {"limits": limits}}
    )
    containers = [{"name": f"c{number}", "image": "i"} for number in range(500)]
    answer = await control_plane.http.post(
        "/api/v1/namespaces/limited/pods", json={"metadata": {"name": "many"}, "spec": {"containers": containers}}
    )
    assert (answer.status_code, answer.json()["reason"]) == (403, "Forbidden")
    assert "too many to be compared" in answer.json()["message"]
