"""Lists over HTTP: what each resourceVersion means, pages, and what a compaction leaves of them. BEHAVIOURS E."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from generic.types import JSONObject
from tests.support.plane import Running

pytestmark = pytest.mark.anyio


class Shelf:
    """A namespace of a test's own with ConfigMaps in it."""

    def __init__(self, plane: Running, name: str) -> None:
        self.plane = plane
        self.path = f"/api/v1/namespaces/{name}/configmaps"

    async def put(self, name: str, value: str = "") -> int:
        """Make or change one; its resourceVersion."""
        body = {"metadata": {"name": name}, "data": {"v": value}}
        answer = await self.plane.http.post(self.path, json=body)
        if answer.status_code == 409:
            answer = await self.plane.http.put(f"{self.path}/{name}", json=body)
        assert answer.is_success, answer.text
        return int(answer.json()["metadata"]["resourceVersion"])

    async def list(self, status: int = 200, **options: Any) -> JSONObject:
        query = {"continue" if key == "token" else key: str(value) for key, value in options.items()}
        answer = await self.plane.http.get(self.path, params={"labelSelector": "!nothing", **query})
        assert answer.status_code == status, answer.text
        found: JSONObject = answer.json()
        return found

    async def page(self, status: int = 200, **options: Any) -> JSONObject:
        """Without any selector, so that the rest is counted."""
        return await self.list(status, labelSelector="", **options)

    async def values(self, **options: Any) -> dict[str, str]:
        items = (await self.list(**options))["items"]
        return {item["metadata"]["name"]: item["data"]["v"] for item in items if "data" in item and "v" in item["data"]}


@pytest.fixture
async def shelf(control_plane: Running, request: pytest.FixtureRequest) -> AsyncIterator[Shelf]:
    name = request.node.name.replace("_", "-")[:63].strip("-")
    await control_plane.create("/api/v1/namespaces", {"metadata": {"name": name}})
    yield Shelf(control_plane, name)
    await control_plane.http.delete(f"/api/v1/namespaces/{name}")


async def test_each_resource_version_means_what_the_table_says(shelf: Shelf) -> None:
    first = await shelf.put("a", "1")
    second = await shelf.put("a", "2")
    newest = await shelf.put("b", "1")
    assert await shelf.values() == {"a": "2", "b": "1"}
    # Exactly: the state at that revision.
    assert await shelf.values(resourceVersion=first, resourceVersionMatch="Exact") == {"a": "1"}
    assert await shelf.values(resourceVersion=second, resourceVersionMatch="Exact") == {"a": "2"}
    exactly = await shelf.list(resourceVersion=second, resourceVersionMatch="Exact")
    assert exactly["metadata"]["resourceVersion"] == str(second)
    # A limit alone means exactly as well.
    assert await shelf.values(resourceVersion=first, limit=10) == {"a": "1"}
    # Not older than: anything from there on; with sqlite the newest.
    for options in ({}, {"resourceVersionMatch": "NotOlderThan"}, {"resourceVersionMatch": "NotOlderThan", "limit": 9}):
        found = await shelf.list(resourceVersion=first, **options)
        assert int(found["metadata"]["resourceVersion"]) >= newest
        assert len([item for item in found["items"] if item["metadata"]["name"] in "ab"]) == 2
    # Any.
    assert await shelf.values(resourceVersion=0) == {"a": "2", "b": "1"}
    one = await shelf.plane.http.get(f"{shelf.path}/a", params={"resourceVersion": str(second)})
    assert one.json()["data"] == {"v": "2"}


async def test_pages_show_the_state_of_the_first_whatever_comes_between(shelf: Shelf) -> None:
    for name in ("c1", "c2", "c3", "c4", "c5"):
        await shelf.put(name, "1")
    page = await shelf.page(limit=2)
    total = len((await shelf.page())["items"])
    version = page["metadata"]["resourceVersion"]
    assert page["metadata"]["remainingItemCount"] == total - 2
    await shelf.put("c4", "changed")
    await shelf.put("c6", "new")
    await shelf.plane.http.delete(f"{shelf.path}/c5")
    seen = page["items"]
    while token := page["metadata"].get("continue"):
        page = await shelf.page(limit=2, token=token)
        assert page["metadata"]["resourceVersion"] == version
        seen += page["items"]
    assert "remainingItemCount" not in page["metadata"]
    assert [(item["metadata"]["name"], item["data"]["v"]) for item in seen if item["metadata"]["name"][0] == "c"] == [
        (name, "1") for name in ("c1", "c2", "c3", "c4", "c5")
    ]
    selected = await shelf.list(limit=1)
    assert selected["metadata"]["continue"]
    assert "remainingItemCount" not in selected["metadata"]


async def test_a_compacted_page_says_how_to_go_on(shelf: Shelf) -> None:
    for name in ("d1", "d2", "d3"):
        await shelf.put(name, "1")
    page = await shelf.page(limit=1, fieldSelector="metadata.name!=kube-root-ca.crt")
    assert [item["metadata"]["name"] for item in page["items"]] == ["d1"]
    await shelf.put("d3", "2")
    await shelf.plane.compact()
    gone = await shelf.page(410, limit=1, token=page["metadata"]["continue"])
    assert (gone["reason"], gone["code"]) == ("Expired", 410)
    assert gone["message"].startswith("The provided continue parameter is too old to display a consistent list result.")
    # The rest, as it is now.
    rest = await shelf.page(token=gone["metadata"]["continue"], fieldSelector="metadata.name!=kube-root-ca.crt")
    assert [(item["metadata"]["name"], item["data"]["v"]) for item in rest["items"]] == [("d2", "1"), ("d3", "2")]
    assert int(rest["metadata"]["resourceVersion"]) > int(page["metadata"]["resourceVersion"])


async def test_an_exact_list_of_what_was_compacted_is_410(shelf: Shelf) -> None:
    old = await shelf.put("e", "1")
    await shelf.put("e", "2")
    await shelf.plane.compact()
    gone = await shelf.list(410, resourceVersion=old, resourceVersionMatch="Exact")
    assert gone == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "The resourceVersion for the provided list is too old.",
        "reason": "Expired",
        "code": 410,
    }
    assert await shelf.values(resourceVersion=old) == {"e": "2"}


async def test_an_empty_list_has_items_and_a_version(shelf: Shelf) -> None:
    found = await shelf.list(labelSelector="no=such")
    assert found["items"] == []
    assert int(found["metadata"].pop("resourceVersion")) > 0
    assert found["metadata"] == {}
