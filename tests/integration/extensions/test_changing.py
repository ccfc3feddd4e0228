"""Definitions change while watches of their objects run over real connections: some end, some go on, none breaks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from generic.types import JSONObject
from tests.support.plane import Running, running
from tests.unit.extensions import samples

pytestmark = pytest.mark.anyio

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"
OLD_WIDGETS = "/apis/example.com/v1beta1/namespaces/default/widgets"
CERTIFICATES = "/apis/certs.example.com/v1/namespaces/default/certificates"
MERGE = {"content-type": "application/merge-patch+json"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path / "data") as plane:
        for definition in (samples.widgets(), samples.certificates()):
            await plane.create(CRDS, definition)
        await plane.until(WIDGETS)
        await plane.until(CERTIFICATES)
        yield plane


class Watch:
    """What one watch says, and that it is still open or came to its proper end."""

    def __init__(self, lines: AsyncIterator[str]) -> None:
        self._lines = lines

    async def next(self) -> tuple[str, JSONObject]:
        event = orjson.loads(await anext(self._lines))
        return event["type"], event["object"]

    async def rest(self) -> list[str]:
        """The types of what still comes. Raises what httpx does if the connection breaks."""
        return [orjson.loads(line)["type"] async for line in self._lines]


@contextlib.asynccontextmanager
async def watching(served: Running, path: str, version: str) -> AsyncIterator[Watch]:
    url = f"{path}?watch=true&resourceVersion={version}"
    async with served.http.stream("GET", url) as response, asyncio.timeout(15):
        assert response.status_code == 200
        yield Watch(response.aiter_lines())


async def change(served: Running, name: str, patch: JSONObject) -> JSONObject:
    done = await served.http.patch(f"{CRDS}/{name}", content=orjson.dumps(patch), headers=MERGE)
    assert done.status_code == 200, done.text
    found: JSONObject = done.json()
    return found


def with_size() -> JSONObject:
    """The versions of the widgets, the first knowing and defaulting a size as well."""
    changed = samples.widgets()["spec"]
    members = changed["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    members["size"] = samples.text(default="small")
    return {"spec": {"versions": changed["versions"]}}


async def test_a_watch_ends_in_order_with_the_schema_and_its_client_lists_again(served: Running) -> None:
    first = await served.create(WIDGETS, samples.widget("first"))
    version = first["metadata"]["resourceVersion"]
    async with watching(served, WIDGETS, version) as one, watching(served, CERTIFICATES, version) as other:
        second = await served.create(WIDGETS, samples.widget("second"))
        kind, seen = await one.next()
        assert (kind, seen) == ("ADDED", second)
        await change(served, "widgets.example.com", with_size())
        assert await one.rest() == []
        # What another definition defines is not concerned.
        made = await served.create(CERTIFICATES, samples.certificate())
        assert await other.next() == ("ADDED", made)
    # The new cache begins with what is there now, so what was before is history, as it is after any restart.
    async with watching(served, WIDGETS, version) as late:
        kind, status = await late.next()
        assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
        assert status["message"].startswith(f"too old resource version: {version} (")
        assert await late.rest() == []
    listed = (await served.http.get(WIDGETS)).json()
    assert [item["spec"]["size"] for item in listed["items"]] == ["small", "small"]
    async with watching(served, WIDGETS, listed["metadata"]["resourceVersion"]) as resumed:
        patched = await served.http.patch(
            f"{WIDGETS}/first", content=b'{"metadata":{"labels":{"a":"b"}}}', headers=MERGE
        )
        kind, modified = await resumed.next()
        assert (kind, modified) == ("MODIFIED", patched.json())
        assert modified["spec"] == {"color": "red", "size": "small"}


async def test_a_watch_goes_on_when_nothing_it_shows_changes(served: Running) -> None:
    first = await served.create(WIDGETS, samples.widget("first"))
    async with watching(served, WIDGETS, first["metadata"]["resourceVersion"]) as one:
        await change(served, "widgets.example.com", {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}})
        stored = {"status": {"storedVersions": ["v1"]}}
        done = await served.http.patch(
            f"{CRDS}/widgets.example.com/status", content=orjson.dumps(stored), headers=MERGE
        )
        assert done.status_code == 200, done.text
        second = await served.create(WIDGETS, samples.widget("second"))
        assert await one.next() == ("ADDED", second)


async def test_a_version_that_is_taken_away_ends_its_watches_and_is_not_found_again(served: Running) -> None:
    first = await served.create(WIDGETS, samples.widget("first"))
    version = first["metadata"]["resourceVersion"]
    versions = samples.widgets()["spec"]["versions"]
    versions[1]["served"] = False
    async with watching(served, OLD_WIDGETS, version) as old, watching(served, WIDGETS, version) as new:
        await change(served, "widgets.example.com", {"spec": {"versions": versions}})
        assert await old.rest() == []
        assert await new.rest() == []
    assert (await served.http.get(f"{OLD_WIDGETS}?watch=true&resourceVersion={version}")).status_code == 404
    listed = (await served.http.get(WIDGETS)).json()
    async with watching(served, WIDGETS, listed["metadata"]["resourceVersion"]) as resumed:
        second = await served.create(WIDGETS, samples.widget("second"))
        assert await resumed.next() == ("ADDED", second)


async def test_a_definition_that_goes_shows_its_objects_deleted_before_the_watch_ends(served: Running) -> None:
    first = await served.create(WIDGETS, samples.widget("first"))
    second = await served.create(WIDGETS, samples.widget("second"))
    async with watching(served, WIDGETS, second["metadata"]["resourceVersion"]) as one:
        assert (await served.http.delete(f"{CRDS}/widgets.example.com")).status_code == 200
        gone = [await one.next(), await one.next()]
        assert {(kind, seen["metadata"]["name"]) for kind, seen in gone} == {
            ("DELETED", "first"),
            ("DELETED", "second"),
        }
        assert await one.rest() == []
    await served.until(WIDGETS, 404)
    assert first["metadata"]["uid"] in {seen["metadata"]["uid"] for _, seen in gone}


async def test_objects_of_a_definition_that_comes_again_are_seen_by_new_watches_only(served: Running) -> None:
    first = await served.create(WIDGETS, samples.widget("first"))
    assert (await served.http.delete(f"{CRDS}/widgets.example.com")).status_code == 200
    await served.until(f"{CRDS}/widgets.example.com", 404)
    await served.create(CRDS, samples.widgets())
    await served.until(WIDGETS)
    assert (await served.http.get(WIDGETS)).json()["items"] == []
    again = await served.create(WIDGETS, samples.widget("first"))
    assert again["metadata"]["uid"] != first["metadata"]["uid"]
