"""Definitions of the shape and size that well-known projects ship are taken as they are, and judge their objects."""

import functools
from typing import Any

import pytest
import yaml

from generic.types import JSONObject
from tests.support.builtin import copy
from tests.unit.extensions import shapes
from tests.unit.extensions.harness import Tier
from tests.unit.extensions.shapes import Shape

pytestmark = pytest.mark.anyio


@functools.cache
def known() -> dict[str, Shape]:
    return {shape.name: shape for shape in shapes.shapes()}


NAMES = (
    "issuers.certs.example.org",
    "appsets.deploys.example.org",
    "servers.monitoring.example.org",
    "routes.gateways.example.org",
    "compositions.composed.example.org",
    "virtualservices.mesh.example.org",
)


def collection(definition: JSONObject, version: str) -> str:
    spec = definition["spec"]
    inside = "namespaces/default/" if spec["scope"] == "Namespaced" else ""
    return f"/apis/{spec['group']}/{version}/{inside}{spec['names']['plural']}"


def versions(definition: JSONObject) -> list[str]:
    return [version["name"] for version in definition["spec"]["versions"]]


def test_the_largest_is_as_large_as_they_come() -> None:
    largest = yaml.dump(copy(known()["servers.monitoring.example.org"].definition), Dumper=yaml.CSafeDumper)
    assert largest.count("\n") > 10_000


@pytest.mark.parametrize("name", NAMES)
async def test_it_is_taken_unchanged_and_serves_its_objects_in_every_version(tier: Tier, name: str) -> None:
    shape = known()[name]
    made = await tier.define(shape.definition)
    assert made["spec"]["versions"] == shape.definition["spec"]["versions"]
    for version in versions(shape.definition):
        at = collection(shape.definition, version)
        created = await tier.request("POST", at, {"metadata": {"name": version}, "spec": shape.spec})
        assert created.status == 201, created.body
        assert contains(created.json()["spec"], shape.spec)
        for other in versions(shape.definition):
            shown = (await tier.request("GET", f"{collection(shape.definition, other)}/{version}")).json()
            assert shown["spec"] == created.json()["spec"]
    document = (await tier.request("GET", f"/openapi/v3/apis/{shape.definition['spec']['group']}/{version}")).json()
    kind = shape.definition["spec"]["names"]["kind"]
    assert any(found.endswith(f".{kind}") for found in document["components"]["schemas"])


@pytest.mark.parametrize("name", NAMES)
async def test_it_refuses_what_breaks_it_with_every_cause(tier: Tier, name: str) -> None:
    shape = known()[name]
    await tier.define(shape.definition)
    at = collection(shape.definition, versions(shape.definition)[0])
    refused = await tier.request("POST", at, {"metadata": {"name": "a"}, "spec": shape.refused})
    assert refused.status == 422, refused.body
    told = refused.json()["details"]["causes"]
    assert {cause["field"] for cause in told if "rules were not checked" not in cause["message"]} == set(shape.causes)


def contains(found: Any, wanted: Any) -> bool:
    """All that is wanted is there; defaults may be there as well."""
    if isinstance(wanted, dict):
        return all(name in found and contains(found[name], value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(contains, found, wanted))
    return bool(found == wanted)


async def test_a_broken_one_is_refused_with_every_cause_at_once(tier: Tier) -> None:
    broken = copy(known()["routes.gateways.example.org"].definition)
    first, second = broken["spec"]["versions"]
    for version in (first, second):
        path = spec_of(version)["rules"]["items"]["properties"]["matches"]["items"]["properties"]["path"]
        path["x-kubernetes-validations"][0]["rule"] = "self.valu.startsWith('/')"
    spec_of(first)["parents"]["x-kubernetes-validations"][0]["rule"] = "1 + 'a' == self"
    first["additionalPrinterColumns"] = [{"name": "A", "type": "text", "jsonPath": "spec.a"}]
    second["deprecationWarning"] = "going"
    broken["spec"]["names"]["shortNames"] = ["Not_a_name"]
    refused = await tier.request("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", broken)
    assert refused.status == 422, refused.body
    at = "spec.versions[{}].schema.openAPIV3Schema.properties[spec].properties[{}].x-kubernetes-validations[0].rule"
    deep = "rules].items.properties[matches].items.properties[path"
    assert [cause["field"] for cause in refused.json()["details"]["causes"]] == [
        "spec.versions[0].additionalPrinterColumns[0].type",
        "spec.versions[0].additionalPrinterColumns[0].JSONPath",
        "spec.versions[1].deprecationWarning",
        "spec.names.shortNames[0]",
        at.format(0, "parents"),
        at.format(0, deep),
        at.format(1, deep),
    ]


def spec_of(version: JSONObject) -> JSONObject:
    found: JSONObject = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    return found
