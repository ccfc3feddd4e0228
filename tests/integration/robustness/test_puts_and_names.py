"""PUT of what is not there, PUT without a resourceVersion, names that are taken, managers that cannot be."""

import pytest

from generic.meta import names
from generic.types import JSONObject
from tests.integration.robustness.refusals import CONFIG_MAPS, MERGE, Refused, config_map, invalid
from tests.support.plane import Running

pytestmark = pytest.mark.anyio

LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
MUST_BE_SPECIFIED = (
    "FieldValueInvalid",
    "metadata.resourceVersion",
    "Invalid value: 0: must be specified for an update",
)


@pytest.mark.parametrize(
    ("path", "more"),
    [
        (LEASES, {"spec": {"holderIdentity": "me"}}),
        (f"{RBAC}/roles", {"rules": []}),
        ("/api/v1/namespaces/default/events", {"involvedObject": {"namespace": "default"}}),
        ("/api/v1/namespaces/default/limitranges", {"spec": {"limits": []}}),
    ],
)
async def test_put_makes_what_is_missing_of_some_kinds(control_plane: Running, path: str, more: JSONObject) -> None:
    made = await control_plane.http.put(f"{path}/put", json={"metadata": {"name": "put"}, **more})
    assert made.status_code == 201, made.text
    found = (await control_plane.http.get(f"{path}/put")).json()
    assert (found["metadata"]["uid"], found["metadata"]["name"]) == (made.json()["metadata"]["uid"], "put")


async def test_who_may_put_may_not_therefore_create(control_plane: Running) -> None:
    rule = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "update"]}
    await control_plane.create(f"{RBAC}/roles", {"metadata": {"name": "putter"}, "rules": [rule]})
    await control_plane.create(
        f"{RBAC}/rolebindings",
        {
            "metadata": {"name": "putter"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "putter"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob"}],
        },
    )
    message = (
        'leases.coordination.k8s.io "bobs" is forbidden: User "bob" cannot create resource "leases" in API group '
        '"coordination.k8s.io" in the namespace "default"'
    )
    about = {"name": "bobs", "group": "coordination.k8s.io", "kind": "leases"}
    body = {"metadata": {"name": "bobs"}}
    refused = Refused("", "PUT", f"{LEASES}/bobs", 403, "Forbidden", message, details=about, body=body)
    async with control_plane.client("bob") as bob:
        await refused.check(bob)
        made = await control_plane.create(LEASES, {"metadata": {"name": "bobs"}})
        changed = await bob.put(f"{LEASES}/bobs", json={**made, "spec": {"holderIdentity": "bob"}})
        assert (changed.status_code, changed.json()["spec"]) == (200, {"holderIdentity": "bob"})


async def test_some_kinds_want_to_know_which_version_is_replaced(control_plane: Running) -> None:
    made = await control_plane.create(LEASES, {"metadata": {"name": "held"}})
    blind = {"metadata": {"name": "held"}, "spec": {"holderIdentity": "me"}}
    refused = invalid("", ("PUT", f"{LEASES}/held", blind), "leases.coordination.k8s.io/held", MUST_BE_SPECIFIED)
    await refused.check(control_plane.http)
    assert (await control_plane.http.get(f"{LEASES}/held")).json() == made
    # A patch is made of what is there, so it knows.
    patched = await control_plane.http.patch(f"{LEASES}/held", json=blind, headers={"content-type": MERGE})
    assert patched.json()["spec"] == {"holderIdentity": "me"}


async def test_what_cannot_be_read_is_refused_before_the_object_is_looked_for(control_plane: Running) -> None:
    for body, why in (
        ({}, "the name of the object (missing based on URL) was undeterminable: name must be provided"),
        (config_map("other"), "the name of the object (other) does not match the name on the URL (missing)"),
    ):
        await Refused("", "PUT", f"{CONFIG_MAPS}/missing", 400, "BadRequest", why, body=body).check(control_plane.http)


async def test_a_uid_is_that_of_the_object_meant_in_a_put_and_never_patched(control_plane: Running) -> None:
    path = f"{CONFIG_MAPS}/one"
    made = await control_plane.create(CONFIG_MAPS, config_map("one"))
    other = {"metadata": {"name": "one", "uid": "x"}}
    assert (await control_plane.http.put(path, json=other)).status_code == 409
    wrong = ("FieldValueInvalid", "metadata.uid", 'Invalid value: "x": field is immutable')
    await invalid("", ("PATCH", path, other), "ConfigMap/one", wrong, content_type=MERGE).check(control_plane.http)
    assert (await control_plane.http.get(path)).json() == made
    await control_plane.http.delete(path)


async def test_a_dry_run_makes_what_has_a_version_already(control_plane: Running) -> None:
    body = {"metadata": {"name": "tried", "resourceVersion": "5"}}
    assert (await control_plane.http.post(CONFIG_MAPS, json=body)).status_code == 500
    made = await control_plane.http.post(f"{CONFIG_MAPS}?dryRun=All", json=body)
    assert (made.status_code, made.json()["metadata"].get("resourceVersion")) == (201, None)


async def test_unknown_fields_of_what_is_asked_of_an_object_are_told(control_plane: Running) -> None:
    container = {"name": "c", "image": "i"}
    await control_plane.create(
        "/api/v1/namespaces/default/pods", {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
    )
    path, body = "/api/v1/namespaces/default/pods/p/eviction", {"metadata": {"name": "p"}, "nope": 1}
    evicted = await control_plane.http.post(f"{path}?dryRun=All", json=body)
    assert (evicted.status_code, evicted.headers["warning"]) == (201, r'299 - "unknown field \"nope\""')
    strict = await control_plane.http.post(f"{path}?dryRun=All&fieldValidation=Strict", json=body)
    assert strict.json()["message"].endswith('strict decoding error: unknown field "nope"')


async def test_other_kinds_are_replaced_unseen(control_plane: Running) -> None:
    made = await control_plane.create(CONFIG_MAPS, config_map("unseen", data={"k": "v"}))
    answer = await control_plane.http.put(f"{CONFIG_MAPS}/unseen", json=config_map("unseen", data={"k": "w"}))
    assert (answer.status_code, answer.json()["data"]) == (200, {"k": "w"})
    assert answer.json()["metadata"]["uid"] == made["metadata"]["uid"]
    await control_plane.http.delete(f"{CONFIG_MAPS}/unseen")


async def test_the_name_of_what_is_being_deleted_is_taken_and_it_is_said_why(control_plane: Running) -> None:
    path = f"{CONFIG_MAPS}/leaving"
    await control_plane.create(
        CONFIG_MAPS, {"metadata": {"name": "leaving", "finalizers": ["example.com/wait"]}, "data": {}}
    )
    assert (await control_plane.http.delete(path)).json()["metadata"]["deletionTimestamp"]
    message = 'object is being deleted: configmaps "leaving" already exists'
    about = {"name": "leaving", "kind": "configmaps"}
    refused = Refused(
        *("", "POST", CONFIG_MAPS, 409, "AlreadyExists", message), details=about, body=config_map("leaving")
    )
    await refused.check(control_plane.http)
    await control_plane.http.patch(path, json={"metadata": {"finalizers": None}}, headers={"content-type": MERGE})
    again = await control_plane.create(CONFIG_MAPS, config_map("leaving"))
    assert "deletionTimestamp" not in again["metadata"]
    await control_plane.http.delete(path)


async def test_a_generated_name_is_tried_eight_times(control_plane: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("made-7", "made-8"):
        await control_plane.create(LEASES, {"metadata": {"name": name}})
    tried: list[str] = []

    def generate(base: str) -> str:
        tried.append(base)
        return f"{base}{'8' if len(tried) < 8 else suffix}"

    monkeypatch.setattr(names, "generate_name", generate)
    suffix = "free"
    body = {"metadata": {"generateName": "made-"}}
    assert (await control_plane.create(LEASES, body))["metadata"]["name"] == "made-free"
    assert tried == ["made-"] * 8
    tried.clear()
    suffix = "7"
    message = (
        'leases.coordination.k8s.io "made-7" already exists, the server was not able to generate a unique name for '
        "the object"
    )
    details = {"name": "made-7", "group": "coordination.k8s.io", "kind": "leases", "retryAfterSeconds": 1}
    refused = Refused("", "POST", LEASES, 409, "AlreadyExists", message, details=details, body=body)
    await refused.check(control_plane.http)
    assert tried == ["made-"] * 8


@pytest.mark.parametrize(
    ("manager", "reason", "why"),
    [
        ("x" * 129, "FieldValueTooLong", "Too long: may not be more than 128 bytes"),
        ("a%0C", "FieldValueInvalid", 'Invalid value: "a\\f": invalid character U+000C (at position 1)'),
    ],
)
async def test_a_manager_has_a_short_printable_name(
    control_plane: Running, kept: JSONObject, manager: str, reason: str, why: str
) -> None:
    for method, path, kind in (("POST", CONFIG_MAPS, "Create"), ("PUT", f"{CONFIG_MAPS}/kept", "Update")):
        request = (method, f"{path}?fieldManager={manager}", config_map("kept"))
        await invalid("", request, f"{kind}Options.meta.k8s.io/", (reason, "fieldManager", why)).check(
            control_plane.http
        )
