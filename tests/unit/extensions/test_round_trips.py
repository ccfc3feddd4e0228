"""Whatever object is accepted, each served version shows it steadily, and writing back what was read is no change."""

import asyncio
import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject
from tests.unit.extensions import harness, samples
from tests.unit.extensions.harness import CRDS, Tier

NAMES = st.sampled_from(["a", "b", "c", "d"])
TEXT = st.sampled_from(["", "x", "y"])
NUMBERS = st.integers(-2, 2)
KEPT = {"x-kubernetes-preserve-unknown-fields": True}
LEAVES: st.SearchStrategy[JSONObject] = st.sampled_from([
    {"type": "string"},
    {"type": "string", "default": "x"},
    {"type": "string", "nullable": True},
    {"type": "string", "nullable": True, "default": "y"},
    {"type": "integer", "minimum": -1},
    {"type": "integer", "default": 1},
    {"type": "number"},
    {"type": "boolean", "default": False},
    {"x-kubernetes-int-or-string": True, "default": "x"},
    {"type": "object", **KEPT},
    dict(KEPT),
    {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
    {"type": "array", "items": {"type": "integer"}, "default": [1]},
])


def _composite(inner: st.SearchStrategy[JSONObject]) -> st.SearchStrategy[JSONObject]:
    flags = st.sampled_from([{}, {}, KEPT, {"default": {}}, {"nullable": True}])
    members = st.dictionaries(NAMES, inner, max_size=3)
    return st.one_of(
        st.builds(lambda found, flag: {"type": "object", "properties": found, **flag}, members, flags),
        inner.map(lambda item: {"type": "array", "items": item}),
        inner.map(lambda value: {"type": "object", "additionalProperties": value}),
    )


SCHEMAS = st.dictionaries(NAMES, st.recursive(LEAVES, _composite, max_leaves=5), min_size=1, max_size=4).map(
    lambda members: {"type": "object", "properties": members}
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)


def values(schema: JSONObject) -> st.SearchStrategy[Any]:
    """What the schema allows, for the most part: with nulls and fields that nobody knows in between."""
    if schema.get("x-kubernetes-int-or-string"):
        return NUMBERS | TEXT
    match schema.get("type"):
        case "object":
            members: JSONObject = schema.get("properties") or {}
            known = st.fixed_dictionaries({}, optional={name: values(inner) for name, inner in members.items()})
            rest = values(schema["additionalProperties"]) if "additionalProperties" in schema else ANYTHING
            others = st.dictionaries(NAMES, rest, max_size=2)
            return st.builds(lambda more, found: {**_without(more, members), **found}, others, known)
        case "array":
            unique = schema.get("x-kubernetes-list-type") == "set"
            return st.lists(values(schema["items"]), max_size=3, unique=unique)
        case "string":
            return TEXT | st.none() if schema.get("nullable") or "default" in schema else TEXT
        case "integer":
            return NUMBERS
        case "number":
            return NUMBERS | st.sampled_from([0.5, 1.0])
        case "boolean":
            return st.booleans()
    return ANYTHING


def _without(obj: JSONObject, names: JSONObject) -> JSONObject:
    return {name: value for name, value in obj.items() if name not in names}


@dataclass(frozen=True, slots=True)
class Held:
    """One server for all examples, in a loop that runs whenever one of them asks."""

    tier: Tier
    runner: asyncio.Runner
    numbers: Iterator[int]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    with asyncio.Runner() as runner:
        entered = harness.tier(tmp_path_factory.mktemp("round") / "state.db")
        tier = runner.run(entered.__aenter__())
        try:
            yield Held(tier, runner, itertools.count())
        finally:
            runner.run(entered.__aexit__(None, None, None))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), SCHEMAS, SCHEMAS, st.sampled_from(["v1", "v2"]), st.sampled_from(["v1", "v2"]))
def test_what_is_accepted_is_read_back_stably_through_each_version(
    held: Held, data: st.DataObject, first: JSONObject, second: JSONObject, storage: str, written: str
) -> None:
    schemas = {"v1": first, "v2": second}
    spec = data.draw(values(schemas[written]))
    versions = [
        samples.version(name, samples.schema(schema), storage=name == storage) for name, schema in schemas.items()
    ]
    definition = samples.definition("things", "Thing", *versions, group=f"g{next(held.numbers)}.example.com")
    thing = {"kind": "Thing", "metadata": {"name": "one"}, "spec": spec}
    held.runner.run(check(held.tier, definition, thing, written))


async def check(tier: Tier, definition: JSONObject, thing: JSONObject, written: str) -> None:
    group = definition["spec"]["group"]
    await tier.define(definition)
    try:
        at = f"/apis/{group}/{written}/namespaces/default/things"
        made = await tier.request("POST", at, {**thing, "apiVersion": f"{group}/{written}"})
        assert made.status in {201, 422}, made.body
        assume(made.status == 201)
        assert (await tier.request("GET", f"{at}/one")).json() == made.json()
        for version in definition["spec"]["versions"]:
            same = version["storage"] and version["name"] == written
            await check_version(tier, group, version, written_as_it_is=same)
    finally:
        await tier.client.delete(CRDS, definition["metadata"]["name"])


async def check_version(tier: Tier, group: str, version: JSONObject, *, written_as_it_is: bool) -> None:
    """Reads agree with each other and with the schema; a second write of what is read changes nothing."""
    at = f"/apis/{group}/{version['name']}/namespaces/default/things"
    shown = (await tier.request("GET", f"{at}/one")).json()
    assert (await tier.request("GET", at)).json()["items"] == [shown]
    schema = ObjectSchema.structural(version["schema"]["openAPIV3Schema"])
    assert schema.unknown_fields(shown) == []
    defaulted = copy.deepcopy(shown)
    schema.default(defaulted)
    assert defaulted == shown
    # The first write may change it: what the other version alone knows is lost.
    first = await tier.request("PUT", f"{at}/one", shown)
    assert first.status in ({200} if written_as_it_is else {200, 422}), first.body
    if first.status == 422:
        return
    assert first.json() == shown or not written_as_it_is
    again = await tier.request("PUT", f"{at}/one", first.json())
    assert (again.status, again.json()) == (200, first.json())
    assert (await tier.request("GET", f"{at}/one")).json() == first.json()
