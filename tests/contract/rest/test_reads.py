"""What every resource does when it is read, listed and watched."""

import pytest

from generic.client.rest import path_of
from generic.meta.errors import StatusError
from tests.contract.rest.conftest import Rest

pytestmark = pytest.mark.anyio


async def test_what_is_not_there_is_404(rest: Rest) -> None:
    with pytest.raises(StatusError) as refused:
        await rest.get()
    assert (refused.value.code, refused.value.reason) == (404, "NotFound")
    assert refused.value.message == f'{rest.gvr.group_resource} "{rest.name}" not found'
    details = refused.value.details or {}
    assert (details["name"], details["kind"], details.get("group", "")) == (
        rest.name,
        rest.gvr.resource,
        rest.gvr.group,
    )


async def test_a_list_is_of_its_kind_and_selected_by_labels(rest: Rest) -> None:
    for name in ("b", "a"):
        await rest.create(f"{rest.name}-{name}")
    found = await rest.client.list(rest.gvr, rest.namespace, label_selector=rest.selector)
    assert (found["apiVersion"], found["kind"]) == (rest.subject.api_version, f"{rest.subject.kind}List")
    assert [item["metadata"]["name"] for item in found["items"]] == [f"{rest.name}-a", f"{rest.name}-b"]
    assert all(item["apiVersion"] == rest.subject.api_version for item in found["items"])
    none = await rest.client.list(rest.gvr, rest.namespace, label_selector=f"{rest.selector},no=such")
    assert none["items"] == []


async def test_a_field_selector_finds_one_by_name_and_refuses_what_it_does_not_know(rest: Rest) -> None:
    await rest.create()
    await rest.create(f"{rest.name}-other")
    found = await rest.client.list(rest.gvr, field_selector=f"metadata.name={rest.name}")
    assert [item["metadata"]["name"] for item in found["items"]] == [rest.name]
    with pytest.raises(StatusError) as refused:
        await rest.client.list(rest.gvr, field_selector="spec.nonsense=1")
    assert refused.value.code == 400


async def test_pages_hold_everything_once(rest: Rest) -> None:
    names = [f"{rest.name}-{number}" for number in range(5)]
    for name in names:
        await rest.create(name)
    seen, token, pages = [], "", 0
    while True:
        page = await rest.client.list(
            rest.gvr, rest.namespace, label_selector=rest.selector, limit=2, continue_token=token
        )
        seen += [item["metadata"]["name"] for item in page["items"]]
        pages += 1
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert (seen, pages) == (names, 3)


async def test_a_continue_token_that_is_none_is_400(rest: Rest) -> None:
    with pytest.raises(StatusError) as refused:
        await rest.client.list(rest.gvr, rest.namespace, limit=2, continue_token="nonsense")
    assert refused.value.code == 400


async def test_a_watch_tells_what_happened_since_a_list(rest: Rest) -> None:
    version = (await rest.client.list(rest.gvr, rest.namespace))["metadata"]["resourceVersion"]
    made = await rest.create()
    changed = await rest.patch(rest.subject.change)
    await rest.client.delete(rest.gvr, rest.name, rest.namespace)
    seen = []
    async with rest.client.watch(
        rest.gvr, rest.namespace, label_selector=rest.selector, resource_version=version
    ) as events:
        async for kind, obj in events:
            if kind != "BOOKMARK":
                seen.append((kind, obj))
            if kind == "DELETED":
                break
    assert [kind for kind, _ in seen] == ["ADDED", "MODIFIED", "DELETED"]
    assert [obj for _, obj in seen[:2]] == [made, changed]
    versions = [int(obj["metadata"]["resourceVersion"]) for _, obj in seen]
    assert versions == sorted(set(versions))


async def test_a_watch_begins_with_what_is_there_and_says_when_that_is_all(rest: Rest) -> None:
    made = await rest.create()
    seen = []
    async with rest.client.watch(
        rest.gvr, rest.namespace, label_selector=rest.selector, send_initial_events=True
    ) as events:
        async for kind, obj in events:
            seen.append((kind, obj))
            if kind == "BOOKMARK":
                break
    assert [kind for kind, _ in seen] == ["ADDED", "BOOKMARK"]
    assert seen[0][1] == made
    assert seen[1][1]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_an_object_is_shown_as_a_row_and_as_metadata(rest: Rest) -> None:
    made = await rest.create()
    path = path_of(rest.gvr, rest.namespace, name=rest.name)

    async def shown(kind: str) -> dict[str, object]:
        accept = f"application/json;as={kind};v=v1;g=meta.k8s.io"
        answer: dict[str, object] = (await rest.client.request("GET", path, headers={"accept": accept})).json()
        return answer

    table = await shown("Table")
    columns, rows = table["columnDefinitions"], table["rows"]
    assert isinstance(columns, list)
    assert isinstance(rows, list)
    assert len(rows) == 1
    assert len(rows[0]["cells"]) == len(columns)
    partial = await shown("PartialObjectMetadata")
    assert partial["kind"] == "PartialObjectMetadata"
    assert partial["metadata"] == made["metadata"]
