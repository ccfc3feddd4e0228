"""What every resource does when it is written."""

import orjson
import pytest

from generic.client.rest import JSON_PATCH, STRATEGIC_MERGE_PATCH, path_of
from generic.meta.errors import StatusError
from generic.types import JSONObject
from tests.contract.rest.conftest import Rest

pytestmark = pytest.mark.anyio

_STALE = "the object has been modified; please apply your changes to the latest version and try again"


def _without_system_fields(obj: JSONObject) -> JSONObject:
    kept = {key: value for key, value in obj["metadata"].items() if key in ("name", "namespace", "labels")}
    return {**obj, "metadata": kept}


async def test_the_server_gives_identity_whatever_the_client_says(rest: Rest) -> None:
    made = await rest.create(uid="mine", creationTimestamp="2001-01-01T00:00:00Z", generation=9, selfLink="/x")
    metadata = made["metadata"]
    assert (made["apiVersion"], made["kind"]) == (rest.subject.api_version, rest.subject.kind)
    assert metadata["uid"] != "mine"
    assert metadata["creationTimestamp"] != "2001-01-01T00:00:00Z"
    assert metadata.get("generation") == (1 if rest.subject.counts_generations else None)
    assert "selfLink" not in metadata
    assert int(metadata["resourceVersion"]) > 0
    assert await rest.get() == made


async def test_a_name_is_taken_once(rest: Rest) -> None:
    await rest.create()
    with pytest.raises(StatusError) as refused:
        await rest.create()
    assert (refused.value.code, refused.value.reason) == (409, "AlreadyExists")
    assert refused.value.message == f'{rest.gvr.group_resource} "{rest.name}" already exists'


async def test_names_are_generated(rest: Rest) -> None:
    obj = rest.subject.make(labels=rest.labels, generateName=f"{rest.name}-")
    made = [await rest.client.create(rest.gvr, obj) for _ in range(2)]
    names = {found["metadata"]["name"] for found in made}
    assert len(names) == 2
    assert all(name.startswith(f"{rest.name}-") and len(name) == len(rest.name) + 6 for name in names)


async def test_a_bad_name_is_422_with_its_cause(rest: Rest) -> None:
    if rest.gvr.group == "rbac.authorization.k8s.io":
        pytest.skip("names of RBAC objects are path segments")
    with pytest.raises(StatusError) as refused:
        await rest.create("Not_A_Name")
    assert (refused.value.code, refused.value.reason) == (422, "Invalid")
    assert [cause["field"] for cause in (refused.value.details or {})["causes"]] == ["metadata.name"]


async def test_a_put_replaces_and_a_stale_one_is_refused(rest: Rest) -> None:
    made = await rest.create()
    changed = await rest.client.update(rest.gvr, {**made, **rest.subject.change, **_whole_change(rest, made)})
    assert int(changed["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    assert changed["metadata"]["uid"] == made["metadata"]["uid"]
    assert changed["metadata"].get("generation") == (2 if rest.subject.counts_generations else None)
    with pytest.raises(StatusError) as refused:
        await rest.client.update(rest.gvr, made)
    assert (refused.value.code, refused.value.reason) == (409, "Conflict")
    what = f'Operation cannot be fulfilled on {rest.gvr.group_resource} "{rest.name}"'
    assert refused.value.message == f"{what}: {_STALE}"
    assert await rest.get() == changed


def _whole_change(rest: Rest, made: JSONObject) -> JSONObject:
    """The change of the subject as a PUT has to say it."""
    change = rest.subject.change
    return {
        key: {**made[key], **value} if isinstance(value, dict) and key in made else value
        for key, value in change.items()
    }


async def test_a_put_that_changes_nothing_writes_nothing(rest: Rest) -> None:
    made = await rest.create()
    assert await rest.client.update(rest.gvr, made) == made


async def test_a_put_of_another_uid_is_refused(rest: Rest) -> None:
    made = await rest.create()
    with pytest.raises(StatusError) as refused:
        await rest.client.update(rest.gvr, {**made, "metadata": {**made["metadata"], "uid": "another"}})
    assert refused.value.code == 409
    assert "Precondition failed: UID in precondition: another" in refused.value.message


async def test_every_kind_of_patch_comes_to_the_same(rest: Rest) -> None:
    change = rest.subject.change
    results = []
    kinds = ("merge", "json", "strategic") if rest.subject.strategic else ("merge", "json")
    for number, kind in enumerate(kinds):
        name = f"{rest.name}-{number}"
        await rest.create(name)
        if kind == "json":
            whole = _whole_change(rest, await rest.get(name))
            document: object = [{"op": "add", "path": f"/{key}", "value": value} for key, value in whole.items()]
            made = await rest.client.patch(
                rest.gvr, name, orjson.dumps(document), content_type=JSON_PATCH, namespace=rest.namespace
            )
        elif kind == "strategic":
            made = await rest.client.patch(
                rest.gvr, name, change, content_type=STRATEGIC_MERGE_PATCH, namespace=rest.namespace
            )
        else:
            made = await rest.client.patch(rest.gvr, name, change, namespace=rest.namespace)
        assert made == await rest.get(name)
        made["metadata"]["name"] = "any"
        results.append(_without_system_fields(made))
    assert all(result == results[0] for result in results)


async def test_a_strategic_merge_patch_needs_a_resource_that_says_how_it_merges(rest: Rest) -> None:
    await rest.create()
    patching = rest.client.patch(rest.gvr, rest.name, {}, content_type=STRATEGIC_MERGE_PATCH, namespace=rest.namespace)
    if rest.subject.strategic:
        await patching
        return
    with pytest.raises(StatusError) as refused:
        await patching
    assert refused.value.code == 415


async def test_an_empty_patch_writes_nothing(rest: Rest) -> None:
    made = await rest.create()
    assert await rest.patch({}) == made


async def test_a_dry_run_leaves_nothing_behind(rest: Rest) -> None:
    made = await rest.client.create(rest.gvr, rest.subject.make(rest.name), dry_run=True)
    assert made["metadata"]["uid"]
    with pytest.raises(StatusError) as refused:
        await rest.get()
    assert refused.value.code == 404


async def test_status_is_written_at_its_own_door_alone(rest: Rest) -> None:
    status = rest.subject.status
    if not status:
        pytest.skip("no status")
    made = await rest.client.create(rest.gvr, {**rest.subject.make(rest.name), "status": status})
    assert not {key for key, value in status.items() if (made.get("status") or {}).get(key) == value}
    spec = {key: made[key] for key in rest.subject.change}
    reported = await rest.patch({**rest.subject.change, "status": status}, subresource="status")
    assert {key: reported["status"][key] for key in status} == status
    assert {key: reported[key] for key in spec} == spec
    assert reported["metadata"].get("generation") == made["metadata"].get("generation")
    changed = await rest.patch({**rest.subject.change, "status": None})
    assert changed["status"] == reported["status"]
    assert {key: changed[key] for key in spec} != spec


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b'{"kind":', "application/json", 400),
        (b"{}", "text/plain", 415),
        (b'{"apiVersion":"v1","kind":"Nonsense"}', "application/json", 400),
        (b'{"apiVersion":"nonsense.example.com/v1"}', "application/json", 400),
        (b'{"metadata":{"name":"x","namespace":"elsewhere"}}', "application/json", 400),
    ],
    ids=["malformed", "media type", "kind", "version", "namespace"],
)
async def test_a_body_that_cannot_be_is_a_status(rest: Rest, body: bytes, content_type: str, code: int) -> None:
    if b"elsewhere" in body:
        if not rest.subject.namespaced:
            pytest.skip("no namespace")
        obj = rest.subject.make("x")
        obj["metadata"]["namespace"] = "elsewhere"
        body = orjson.dumps(obj)
    with pytest.raises(StatusError) as refused:
        await rest.client.request("POST", path_of(rest.gvr, rest.namespace), body=body, content_type=content_type)
    assert refused.value.code == code
    assert refused.value.message
