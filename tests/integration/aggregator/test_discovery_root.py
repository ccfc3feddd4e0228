"""The aggregated discovery document over the wire, and what readiness waits for. BEHAVIOURS A and C."""

import hashlib

import pytest

from aggregator.apiservices import resource
from tests.integration.aggregator.harness import GROUP, NAME, Plane, apiservice

pytestmark = pytest.mark.anyio

FORM = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


@pytest.mark.parametrize("path", ["/api", "/apis"])
async def test_the_document_names_its_form_and_is_sent_once(plane: Plane, path: str) -> None:
    await plane.ready()
    response = await plane.http.get(path, headers={"accept": f"{FORM},application/json"})
    assert response.json()["kind"] == "APIGroupDiscoveryList"
    assert response.headers["content-type"] == FORM
    assert "Accept" in response.headers["vary"]
    etag = response.headers["etag"]
    assert etag == f'"{hashlib.sha512(response.content).hexdigest().upper()}"'
    again = await plane.http.get(path, headers={"accept": FORM, "if-none-match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    other = await plane.http.get(path, headers={"accept": FORM, "if-none-match": '"0"'})
    assert other.status_code == 200
    legacy = await plane.http.get(path, headers={"accept": f"application/json,{FORM}"})
    assert legacy.json()["kind"] == ("APIVersions" if path == "/api" else "APIGroupList")
    assert "Accept" in legacy.headers["vary"]


async def test_another_group_makes_another_etag(plane: Plane) -> None:
    await plane.ready()
    etag = (await plane.http.get("/apis", headers={"accept": FORM})).headers["etag"]
    await plane.client.create(resource.GVR, apiservice())
    await plane.until(lambda: GROUP.encode() in plane.aggregator.generic.discovery.document(core=False)[0])
    changed = await plane.http.get("/apis", headers={"accept": FORM, "if-none-match": etag})
    assert changed.status_code == 200
    listed = {group["metadata"]["name"]: group for group in changed.json()["items"]}
    # Nobody is there to ask, and yet it is listed.
    assert listed[GROUP]["versions"] == [{"version": "v1", "freshness": "Stale"}]
    await plane.client.delete(resource.GVR, NAME)


async def test_the_tier_is_ready_once_it_knows_what_there_is_and_all_of_it_is_registered(plane: Plane) -> None:
    await plane.ready()
    listed = (await plane.http.get("/readyz?verbose")).text
    for check in ("informer-sync", "autoregister-completion"):
        assert f"[+]{check} ok" in listed
    alive = (await plane.http.get("/livez?verbose")).text
    assert "informer-sync" not in alive
    assert "[+]poststarthook/apiservice-registration-controller ok" in alive
