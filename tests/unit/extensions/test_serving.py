"""What is served follows the definitions, while requests and watches run."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import orjson
import pytest

from extensions.serving import CustomResources
from generic.endpoints.discovery.aggregated import CONTENT_TYPE
from generic.registry.backings import DEFAULT_PREFIX
from generic.schema import structural
from generic.schema.containers import Struct
from generic.types import JSONObject
from tests.unit.extensions import harness, samples
from tests.unit.extensions.harness import CRDS, Tier, condition

pytestmark = pytest.mark.anyio

CERTIFICATES = samples.CERTIFICATES
NAME = "certificates.certs.example.com"
COLLECTION = "/apis/certs.example.com/v1/certificates"
_REST = 0.001
"""Seconds between calls in process, which wait for nothing: without a rest the thread of the storage would starve."""


async def aggregated(tier: Tier, group: str) -> list[JSONObject]:
    found = (await tier.client.request("GET", "/apis", headers={"accept": CONTENT_TYPE})).json()["items"]
    return [item for item in found if item["metadata"].get("name") == group]


async def test_a_definition_that_reads_established_is_served_already(tier: Tier) -> None:
    watch = tier.client.watch(CRDS, send_initial_events=True)
    await tier.client.create(CRDS, samples.certificates())
    async with asyncio.timeout(10):
        async for _, seen in watch:
            found = condition(seen, "Established")
            assert (await tier.request("GET", COLLECTION)).status == (200 if found.get("status") == "True" else 404)
            if found.get("status") == "True":
                break
    await watch.aclose()


async def test_discovery_and_openapi_come_and_go_with_the_definition(tier: Tier) -> None:
    await tier.define(samples.certificates())
    (group,) = await aggregated(tier, "certs.example.com")
    resource = group["versions"][0]["resources"][0]
    assert (resource["resource"], resource["scope"]) == ("certificates", "Namespaced")
    assert (resource["shortNames"], resource["categories"]) == (["cert"], ["all"])
    assert [sub["subresource"] for sub in resource["subresources"]] == ["status"]
    assert (await tier.request("GET", "/apis/certs.example.com")).json()["preferredVersion"]["version"] == "v1"
    document = (await tier.request("GET", "/openapi/v3/apis/certs.example.com/v1")).json()
    described = document["components"]["schemas"]["com.example.certs.v1.Certificate"]
    assert described["properties"]["spec"]["required"] == ["secretName", "issuerRef"]
    assert described["x-kubernetes-group-version-kind"] == [
        {"group": "certs.example.com", "kind": "Certificate", "version": "v1"}
    ]
    await tier.client.delete(CRDS, NAME)
    await tier.until_gone(COLLECTION)
    assert await aggregated(tier, "certs.example.com") == []
    assert (await tier.request("GET", "/apis/certs.example.com")).status == 404
    assert (await tier.request("GET", "/openapi/v3/apis/certs.example.com/v1")).status == 404


async def test_the_schema_of_definitions_explains_itself(tier: Tier) -> None:
    document = (await tier.request("GET", "/openapi/v3/apis/apiextensions.k8s.io/v1")).json()
    name = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec"
    spec = document["components"]["schemas"][name]
    assert spec["required"] == ["group", "names", "scope", "versions"]
    assert [name for name, member in spec["properties"].items() if not member.get("description")] == []


async def test_a_version_that_is_served_no_longer_is_404_and_the_others_go_on(tier: Tier) -> None:
    await tier.define(samples.widgets())
    versions = samples.widgets()["spec"]["versions"]
    versions[1]["served"] = False
    await tier.client.patch(CRDS, "widgets.example.com", {"spec": {"versions": versions}})
    assert (await tier.request("GET", "/apis/example.com/v1beta1/widgets")).status == 404
    assert (await tier.request("GET", "/apis/example.com/v1/widgets")).status == 200
    (group,) = await aggregated(tier, "example.com")
    assert [version["version"] for version in group["versions"]] == ["v1"]


async def test_a_watch_ends_when_the_schema_changes_and_not_when_the_status_does(tier: Tier) -> None:
    await tier.define(samples.certificates())
    watch = tier.client.watch(CERTIFICATES, send_initial_events=True)
    async with asyncio.timeout(10):
        events = aiter(watch)
        assert (await anext(events))[0] == "BOOKMARK"
        await tier.client.patch(CRDS, NAME, {"metadata": {"labels": {"a": "b"}}})
        await tier.client.create(CERTIFICATES, samples.certificate())
        assert (await anext(events))[1]["metadata"]["name"] == "web"
        await tier.client.patch(CRDS, NAME, {"spec": {"names": {"categories": ["some"]}}})
        assert [event async for event in events] == []
    await watch.aclose()


async def test_definitions_are_served_again_after_a_restart(tmp_path: Path) -> None:
    async with harness.tier(tmp_path / "state.db") as tier:
        await tier.define(samples.certificates())
        await tier.client.create(CERTIFICATES, samples.certificate())
    async with harness.tier(tmp_path / "state.db") as tier:
        found = await tier.client.get(CERTIFICATES, "web", "default")
        assert found["spec"]["secretName"] == "web-tls"


async def test_a_thousand_definitions_at_the_start_stand_in_nobodys_way(tmp_path: Path) -> None:
    async with harness.tier(tmp_path / "state.db") as tier:
        one = orjson.dumps(await tier.define(samples.certificates()))
        for i in range(1000):
            key = f"{DEFAULT_PREFIX}/apiextensions.k8s.io/customresourcedefinitions/certificates.certs{i}.example.com"
            other = one.replace(b"certs.example.com", f"certs{i}.example.com".encode())
            await tier.config.backings.storage.put(key, other, expected_revision=0)
    async with harness.tier(tmp_path / "state.db", started=False) as tier:
        starting = asyncio.create_task(tier.start())
        seen: set[int] = set()
        while not starting.done():
            await asyncio.sleep(_REST)
            assert (await tier.request("GET", "/apis/apiextensions.k8s.io/v1")).status == 200
            seen.add(len(tier.server.generic.installed_group_versions()))
            # Its definition is among the last, and not to be known yet is not the same as not to exist.
            assert (await tier.request("GET", "/apis/certs999.example.com/v1/certificates")).status in {200, 503}
        await starting
        assert len(seen) > 10, "the definitions were installed while nobody was answered"
        assert (await tier.request("GET", "/apis/certs999.example.com/v1/certificates")).status == 200
        assert len(tier.server.generic.installed_group_versions()) == 1002


async def test_what_happens_to_definitions_while_others_are_installed_at_the_start_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {}
    async with harness.tier(tmp_path / "state.db") as tier:
        for group in ("a.example.com", "b.example.com", "c.example.com"):
            wanted = samples.definition(
                "things", "Thing", samples.version("v1", samples.schema({"type": "object"})), group=group
            )
            made[group] = await tier.define(wanted)
    monkeypatch.setattr("extensions.server._AT_ONCE", 1)
    async with harness.tier(tmp_path / "state.db", started=False) as tier:
        apply_all, calls = CustomResources.apply_all, 0

        def interrupted(resources: CustomResources, definitions: Iterable[JSONObject]) -> None:
            nonlocal calls
            apply_all(resources, definitions)
            calls += 1
            if calls == 1:
                made["b.example.com"]["spec"]["names"]["categories"] = ["late"]
                made["b.example.com"]["status"]["acceptedNames"]["categories"] = ["late"]
                tier.server._observe("things.b.example.com", made["b.example.com"])
                tier.server._observe("things.a.example.com", None)
                tier.server._observe("things.c.example.com", None)

        monkeypatch.setattr(CustomResources, "apply_all", interrupted)
        await tier.start()
        assert calls == 2
        listed = [(await tier.request("GET", f"/apis/{group}/v1")) for group in made]
        assert [reply.status for reply in listed] == [404, 200, 404]
        assert listed[1].json()["resources"][0]["categories"] == ["late"]


async def test_requests_never_get_a_wrong_answer_while_definitions_change(tier: Tier) -> None:
    await tier.define(samples.certificates())
    await tier.client.create(CERTIFICATES, samples.certificate())
    done = asyncio.Event()
    seen: set[int] = set()

    async def ask() -> None:
        while not done.is_set():
            reply = await tier.request("GET", "/apis/certs.example.com/v1/namespaces/default/certificates/web")
            seen.add(reply.status)
            await asyncio.sleep(_REST)

    asking = asyncio.create_task(ask())
    for i in range(20):
        await tier.client.patch(CRDS, NAME, {"spec": {"names": {"categories": [f"c{i}"]}}})
    done.set()
    await asking
    assert seen == {200}


async def test_a_definition_costs_no_compiled_schema_until_somebody_asks(
    tier: Tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = 0
    root = structural.root

    def count(schema: JSONObject) -> Struct:
        nonlocal compiled
        compiled += 1
        return root(schema)

    monkeypatch.setattr(structural, "root", count)
    for i in range(30):
        made = samples.certificates()
        made["metadata"]["name"] = f"certificates.certs{i}.example.com"
        made["spec"]["group"] = f"certs{i}.example.com"
        await tier.define(made)
    assert compiled == 0
    assert (await tier.request("GET", "/apis/certs7.example.com/v1/certificates")).status == 200
    wanted = {**samples.certificate(), "apiVersion": "certs7.example.com/v1"}
    await tier.client.create(CERTIFICATES._replace(group="certs7.example.com"), wanted)
    assert compiled == 1


async def test_a_definition_of_definitions_takes_nothing_over(tier: Tier) -> None:
    own = samples.definition(
        "customresourcedefinitions",
        "Impostor",
        samples.version("v1", {"type": "object"}),
        group="apiextensions.k8s.io",
        scope="Cluster",
    )
    own["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved"}
    made = await tier.define(own)
    listed = (await tier.request("GET", "/apis/apiextensions.k8s.io/v1")).json()["resources"]
    assert listed[0]["kind"] == "CustomResourceDefinition"
    reasons = []
    events = tier.client.watch(CRDS, resource_version=made["metadata"]["resourceVersion"])
    await tier.client.delete(CRDS, "customresourcedefinitions.apiextensions.k8s.io")
    async for kind, seen in events:
        reasons.append(condition(seen, "Terminating").get("reason"))
        if kind == "DELETED":
            break
    await events.aclose()
    assert reasons[-1] == "OverlappingBuiltInResource"
    await tier.until_gone(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/customresourcedefinitions.apiextensions.k8s.io"
    )
