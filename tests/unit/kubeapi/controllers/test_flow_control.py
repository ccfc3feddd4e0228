"""The flow control objects every cluster has, and the status that says whether a schema's level is there."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from generic.client.rest import Client
from generic.flowcontrol import bootstrap
from generic.flowcontrol.bootstrap import AUTOUPDATE
from generic.flowcontrol.config import FLOW_SCHEMAS, PRIORITY_LEVELS
from generic.flowcontrol.consumer import FIELD_MANAGER, ConfigConsumer
from generic.flowcontrol.control import FlowControl
from generic.meta import errors
from generic.types import JSONObject
from kubeapi.bootstrap.flow_control import ensure_flow_control, revised
from tests.support import kubeapi
from tests.support.kubeapi import until

SYSTEM = next(obj for obj in bootstrap.SUGGESTED_LEVELS if obj["metadata"]["name"] == "system")
EXEMPT = next(obj for obj in bootstrap.MANDATORY_LEVELS if obj["metadata"]["name"] == "exempt")


def changed(obj: JSONObject, annotation: str | None, *, generation: int = 2, **spec: Any) -> JSONObject:
    annotations = {} if annotation is None else {AUTOUPDATE: annotation}
    metadata = {"name": obj["metadata"]["name"], "generation": generation, "annotations": annotations}
    return {**obj, "metadata": metadata, "spec": {**obj["spec"], **spec}}


@pytest.mark.parametrize(
    ("annotation", "generation", "says", "is_restored"),
    [
        ("true", 2, "true", True),
        ("T", 2, "T", True),
        ("false", 1, None, False),
        (None, 1, "true", True),
        (None, 2, "false", False),
        ("perhaps", 2, "false", False),
    ],
)
def test_a_suggested_object_is_restored_unless_somebody_wants_it_otherwise(
    annotation: str | None, generation: int, says: str | None, is_restored: bool
) -> None:
    current = changed(SYSTEM, annotation, generation=generation, type="Other")
    made = revised(current, SYSTEM, is_mandatory=False)
    if says is None:
        assert made is None
        return
    assert made is not None
    assert made["metadata"]["annotations"][AUTOUPDATE] == says
    assert made["spec"]["type"] == ("Limited" if is_restored else "Other")


def test_a_mandatory_object_is_always_restored_but_for_the_seats_of_the_exempt() -> None:
    catch_all = bootstrap.MANDATORY_LEVELS[0]
    made = revised(changed(catch_all, "false", type="Other"), catch_all, is_mandatory=True)
    assert made is not None
    assert (made["spec"], made["metadata"]["annotations"]) == (catch_all["spec"], {AUTOUPDATE: "true"})
    other = {"nominalConcurrencyShares": 9, "lendablePercent": 50}
    assert revised(changed(EXEMPT, "true", exempt=other), EXEMPT, is_mandatory=True) is None


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with kubeapi.plane(tmp_path / "state.db", run_hooks=False) as started:
        await ensure_flow_control(started.client)
        yield started.client


async def names(client: Client) -> set[str]:
    return {item["metadata"]["name"] for item in (await client.list(FLOW_SCHEMAS))["items"]}


@pytest.mark.anyio
async def test_what_is_missing_is_made_and_what_an_older_server_left_is_removed(client: Client) -> None:
    wanted = {obj["metadata"]["name"] for obj in (*bootstrap.MANDATORY_SCHEMAS, *bootstrap.SUGGESTED_SCHEMAS)}
    before = (await client.list(FLOW_SCHEMAS))["items"]
    assert {item["metadata"]["name"] for item in before} == wanted
    probes = await client.get(FLOW_SCHEMAS, "probes")
    for name, annotations in (("left", {AUTOUPDATE: "true"}), ("own", {}), ("kept", {AUTOUPDATE: "false"})):
        await client.create(FLOW_SCHEMAS, {**probes, "metadata": {"name": name, "annotations": annotations}})
    await client.delete(FLOW_SCHEMAS, "probes")
    await ensure_flow_control(client)
    assert await names(client) == {*wanted, "own", "kept"}
    after = {item["metadata"]["name"]: item for item in (await client.list(FLOW_SCHEMAS))["items"]}
    untouched = [item for item in before if item["metadata"]["name"] != "probes"]
    assert [after[item["metadata"]["name"]] for item in untouched] == untouched


@pytest.mark.anyio
async def test_a_schema_is_told_when_its_level_goes_and_when_it_comes(client: Client) -> None:
    control = FlowControl(600)
    consumer = ConfigConsumer(client, control)

    async def says(status: str) -> bool:
        found = (await client.get(FLOW_SCHEMAS, "mine")).get("status") or {}
        return [one["status"] for one in found.get("conditions") or ()] == [status]

    level = {**SYSTEM, "metadata": {"name": "own"}}
    rule = {
        "subjects": [{"kind": "User", "user": {"name": "bob"}}],
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/mine"]}],
    }
    spec = {"priorityLevelConfiguration": {"name": "own"}, "matchingPrecedence": 3, "rules": [rule]}
    await consumer.start()
    try:
        await client.create(
            FLOW_SCHEMAS, {**bootstrap.SUGGESTED_SCHEMAS[0], "metadata": {"name": "mine"}, "spec": spec}
        )
        await until(lambda: says("True"))
        assert "mine" not in {schema.name for schema in control.schemas}
        await client.create(PRIORITY_LEVELS, level)
        await until(lambda: says("False"))
        assert "mine" in {schema.name for schema in control.schemas}
        mine = await client.get(FLOW_SCHEMAS, "mine")
        (condition,) = mine["status"]["conditions"]
        text = 'This FlowSchema references the PriorityLevelConfiguration object named "own" and it exists'
        assert (condition["type"], condition["reason"], condition["message"]) == ("Dangling", "Found", text)
        assert condition["lastTransitionTime"]
        managers = {field["manager"]: field for field in mine["metadata"]["managedFields"]}
        assert (managers[FIELD_MANAGER]["operation"], managers[FIELD_MANAGER]["subresource"]) == ("Apply", "status")
    finally:
        await consumer.stop()


@pytest.mark.anyio
async def test_the_mandatory_cannot_be_changed_and_the_exempt_only_in_part(client: Client) -> None:
    catch_all = await client.get(FLOW_SCHEMAS, "catch-all")
    catch_all["spec"]["matchingPrecedence"] = 9999
    with pytest.raises(errors.StatusError, match="spec of 'catch-all' must equal the fixed value"):
        await client.update(FLOW_SCHEMAS, catch_all)
    exempt = await client.get(PRIORITY_LEVELS, "exempt")
    exempt["spec"]["exempt"]["nominalConcurrencyShares"] = 3
    made = await client.update(PRIORITY_LEVELS, exempt)
    assert made["spec"]["exempt"] == {"nominalConcurrencyShares": 3, "lendablePercent": 0}
