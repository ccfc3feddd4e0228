"""The sample aggregated API server over TLS: both versions of its kinds, for users named by a front proxy."""

from pathlib import Path

import pytest

from generic.client import rest
from generic.client.failures import TransportError
from generic.client.rest import Client
from generic.meta.errors import StatusError
from generic.types import JSONObject
from tests.integration.wardle.harness import AS_ALICE, FISCHERS, NEW, OLD, flunder, running
from trikube.pki.layout import Layout

pytestmark = pytest.mark.anyio


async def test_a_flunder_is_written_in_one_version_and_read_in_the_other(tmp_path: Path, pki: Layout) -> None:
    async with running(tmp_path, pki) as wardle, wardle.front_proxy() as client:
        created = await client.create(OLD, flunder("a", reference="f", referenceType="Fischer"))
        assert created["metadata"]["generation"] == 1
        read = await client.get(NEW, "a", "default")
        assert read["spec"] == {"fischerReference": "f", "referenceType": "Fischer"}

        await client.create(NEW, flunder("b", "v1beta1", flunderReference="a"))
        listed = await client.list(OLD, "default")
        assert [item["spec"] for item in listed["items"]] == [
            {"reference": "f", "referenceType": "Fischer"},
            {"reference": "a", "referenceType": "Flunder"},
        ]
        everywhere = await client.list(NEW)
        assert {item["apiVersion"] for item in everywhere["items"]} == {"wardle.example.com/v1beta1"}


@pytest.mark.parametrize(
    ("content_type", "patch"),
    [
        (rest.MERGE_PATCH, {"spec": {"fischerReference": None, "flunderReference": "x", "referenceType": "Flunder"}}),
        (rest.JSON_PATCH, [{"op": "replace", "path": "/spec", "value": {"flunderReference": "x"}}]),
    ],
)
async def test_a_patch_applies_to_the_version_it_is_sent_to(
    tmp_path: Path, pki: Layout, content_type: str, patch: JSONObject | list[JSONObject]
) -> None:
    async with running(tmp_path, pki) as wardle, wardle.front_proxy() as client:
        await client.create(OLD, flunder("a", reference="f", referenceType="Fischer"))
        patched = await client.patch(NEW, "a", patch, content_type=content_type, namespace="default")
        assert patched["spec"] == {"flunderReference": "x", "referenceType": "Flunder"}
        assert patched["metadata"]["generation"] == 2
        assert (await client.get(OLD, "a", "default"))["spec"] == {"reference": "x", "referenceType": "Flunder"}


async def test_watchers_see_every_change_in_their_own_version(tmp_path: Path, pki: Layout) -> None:
    async with running(tmp_path, pki) as wardle, wardle.front_proxy() as client:
        start = (await client.list(OLD, "default"))["metadata"]["resourceVersion"]
        async with (
            client.watch(OLD, "default", resource_version=start) as old,
            client.watch(NEW, "default", resource_version=start) as new,
        ):
            await client.create(OLD, flunder("a", reference="x"))
            await client.patch(NEW, "a", {"metadata": {"labels": {"seen": "yes"}}}, namespace="default")
            await client.delete(NEW, "a", "default")
            seen_old = [await anext(old) for _ in range(3)]
            seen_new = [await anext(new) for _ in range(3)]
    assert [kind for kind, _ in seen_old] == ["ADDED", "MODIFIED", "DELETED"]
    assert [obj["spec"].get("reference") for _, obj in seen_old] == ["x"] * 3
    assert [(kind, obj["spec"].get("flunderReference")) for kind, obj in seen_new] == [
        ("ADDED", "x"),
        ("MODIFIED", "x"),
        ("DELETED", "x"),
    ]


async def test_status_and_spec_are_written_apart(tmp_path: Path, pki: Layout) -> None:
    async with running(tmp_path, pki) as wardle, wardle.front_proxy() as client:
        created = await client.create(OLD, {**flunder("a", reference="x"), "status": {"observedGeneration": 9}})
        assert "status" not in created
        changed = {**created, "spec": {"reference": "y"}, "status": {"observedGeneration": 1}}
        updated = await client.update_status(OLD, changed)
        assert (updated["spec"]["reference"], updated["status"]) == ("x", {"observedGeneration": 1})
        updated = await client.update(OLD, {**updated, "spec": {"reference": "y"}, "status": {}})
        assert (updated["spec"]["reference"], updated["status"]) == ("y", {"observedGeneration": 1})


async def test_an_invalid_flunder_is_refused_with_every_cause(tmp_path: Path, pki: Layout) -> None:
    async with running(tmp_path, pki) as wardle, wardle.front_proxy() as client:
        with pytest.raises(StatusError) as raised:
            await client.create(
                NEW, flunder("a", "v1beta1", flunderReference="x", fischerReference="y", referenceType="Z")
            )
    assert raised.value.code == 422
    assert raised.value.details is not None
    assert [cause["field"] for cause in raised.value.details["causes"]] == [
        "spec.fischerReference",
        "spec.referenceType",
    ]


async def test_a_fischer_bans_a_name(tmp_path: Path, pki: Layout) -> None:
    fischer = {
        "apiVersion": "wardle.example.com/v1alpha1",
        "kind": "Fischer",
        "metadata": {"name": "f"},
        "disallowedFlunders": ["bad"],
    }
    async with running(tmp_path, pki) as wardle, wardle.front_proxy() as client:
        await client.create(OLD, flunder("bad"))
        await client.delete(OLD, "bad", "default")
        await client.create(FISCHERS, fischer)
        refused = await _until_refused(client, flunder("bad", "v1beta1"))
        assert (refused.code, "this name may not be used" in refused.message) == (403, True)
        await client.create(NEW, flunder("good", "v1beta1"))


async def _until_refused(client: Client, obj: JSONObject) -> StatusError:
    """An informer follows the Fischers: it knows of a new one a moment later."""
    while True:
        try:
            await client.request("POST", f"{NEW.group_version.path}/namespaces/default/flunders", body=obj)
        except StatusError as error:
            return error
        await client.delete(NEW, obj["metadata"]["name"], "default")


# Who is let in.


@pytest.mark.parametrize("who", ["the front proxy without headers", "another name of its authority"])
async def test_only_the_front_proxy_itself_speaks_for_others(tmp_path: Path, pki: Layout, who: str) -> None:
    name, headers = ("front-proxy-client", {}) if "without" in who else ("somebody", AS_ALICE)
    leaf = pki.front_proxy.issue_client(name)
    async with running(tmp_path, pki) as wardle, wardle.client(leaf, headers) as client:
        with pytest.raises(StatusError) as raised:
            await client.list(OLD)
    assert raised.value.code == 401


async def test_a_users_own_certificate_counts_and_not_the_headers_beside_it(tmp_path: Path, pki: Layout) -> None:
    headers = {**AS_ALICE, "Trikube-Trace": "1"}
    async with running(tmp_path, pki) as wardle, wardle.client(pki.cluster.issue_client("bob"), headers) as client:
        answer = await client.request("GET", "/apis")
    assert answer.status == 200
    assert "authentication=x509" in answer.headers["trikube-trace"]


async def test_strangers_may_only_ask_for_health(tmp_path: Path, pki: Layout) -> None:
    async with running(tmp_path, pki) as wardle, wardle.client(None) as client:
        assert (await client.request("GET", "/readyz")).body == b"ok"
        with pytest.raises(StatusError) as raised:
            await client.list(OLD)
        assert raised.value.code == 403


# What it says of itself.


async def test_discovery_and_openapi_list_both_versions(tmp_path: Path, pki: Layout) -> None:
    async with running(tmp_path, pki) as wardle, wardle.front_proxy() as client:
        group = (await client.request("GET", "/apis/wardle.example.com")).json()
        assert [each["version"] for each in group["versions"]] == ["v1beta1", "v1alpha1"]
        paths = (await client.request("GET", "/openapi/v3")).json()["paths"]
        assert sorted(paths) == ["apis/wardle.example.com/v1alpha1", "apis/wardle.example.com/v1beta1"]
        document = (await client.request("GET", "/openapi/v3/apis/wardle.example.com/v1beta1")).json()
        spec = document["components"]["schemas"]["com.example.wardle.v1beta1.FlunderSpec"]
        assert "mutually exclusive" in spec["properties"]["flunderReference"]["description"]
        accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        found = (await client.request("GET", "/apis", headers={"accept": accept})).json()
        assert found["kind"] == "APIGroupDiscoveryList"
        unknown = await client.request("GET", "/apis/wardle.example.com/v1alpha1/nothing", check=False)
        assert (unknown.status, unknown.json()["kind"]) == (404, "Status")
        assert b"apiserver_request_total" in (await client.request("GET", "/metrics")).body


# Its life.


async def test_what_was_stored_is_there_after_a_restart(tmp_path: Path, pki: Layout) -> None:
    async with running(tmp_path, pki) as wardle, wardle.front_proxy() as client:
        created = await client.create(OLD, flunder("a", reference="x"))
    async with running(tmp_path, pki) as wardle, wardle.front_proxy() as client:
        assert await client.get(OLD, "a", "default") == created


async def test_stopping_ends_watches_and_closes_the_port(tmp_path: Path, pki: Layout) -> None:
    async with running(tmp_path, pki) as wardle, wardle.front_proxy() as client:
        async with client.watch(OLD) as events:
            wardle.stop.set()
            assert [kind async for kind, _ in events if kind != "BOOKMARK"] == []
        await wardle.ended
        with pytest.raises(TransportError):
            await client.list(OLD)
