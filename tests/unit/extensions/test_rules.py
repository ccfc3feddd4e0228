"""x-kubernetes-validations, from the definition to the object that is refused."""

import asyncio
from typing import Any

import pytest

from extensions.definitions.validation import definition as definitions
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.unit.extensions import samples
from tests.unit.extensions.harness import CRDS, Tier, until
from tests.unit.extensions.test_validation import created, problems

FLEETS = GroupVersionResource("fleet.example.com", "v1", "fleets")
PATH = "/apis/fleet.example.com/v1/namespaces/default/fleets"
ROOT = "spec.validation.openAPIV3Schema"


def rule(text: str, **more: Any) -> JSONObject:
    return {"rule": text, **more}


def fleets(spec: JSONObject, *root_rules: JSONObject) -> JSONObject:
    shape: JSONObject = {"type": "object", "properties": {"spec": spec, "status": {"type": "object"}}}
    shape["properties"]["status"]["properties"] = {"ready": {"type": "integer"}}
    if root_rules:
        shape["x-kubernetes-validations"] = list(root_rules)
    only = samples.version("v1", shape, subresources={"status": {}})
    return samples.definition("fleets", "Fleet", only, group=FLEETS.group)


def spec(*rules: JSONObject, **members: JSONObject) -> JSONObject:
    return {"type": "object", "properties": members, "x-kubernetes-validations": list(rules)}


def fleet(name: str = "one", **given: Any) -> JSONObject:
    return {
        "apiVersion": "fleet.example.com/v1",
        "kind": "Fleet",
        "metadata": {"name": name, "namespace": "default"},
        "spec": given,
    }


def causes(body: JSONObject) -> list[tuple[str, str, str]]:
    return [(cause["reason"], cause["field"], cause["message"]) for cause in body["details"]["causes"]]


INT: JSONObject = {"type": "integer"}


@pytest.mark.anyio
async def test_a_broken_rule_is_told_in_kubernetes_words(tier: Tier) -> None:
    rules = (
        rule("self.min <= self.max"),
        rule("self.max < 100", message="max is too large", reason="FieldValueForbidden", fieldPath=".max"),
        rule("self.min > 0", messageExpression="'min is %d'.format([self.min])"),
    )
    await tier.define(fleets(spec(*rules, min=INT, max=INT), rule("self.metadata.name.startsWith('f-')")))
    assert (await tier.request("POST", PATH, fleet("f-ok", min=1, max=2))).status == 201
    refused = await tier.request("POST", PATH, fleet(min=0, max=-1))
    assert refused.status == 422
    assert causes(refused.json()) == [
        ("FieldValueInvalid", "<nil>", "Invalid value: \"object\": failed rule: self.metadata.name.startsWith('f-')"),
        ("FieldValueInvalid", "spec", 'Invalid value: "object": failed rule: self.min <= self.max'),
        ("FieldValueInvalid", "spec", 'Invalid value: "object": min is 0'),
    ]
    refused = await tier.request("POST", PATH, fleet("f-big", min=1, max=1000))
    assert causes(refused.json()) == [("FieldValueForbidden", "spec.max", "Forbidden: max is too large")]


@pytest.mark.anyio
async def test_a_rule_that_fails_refuses_with_the_reason(tier: Tier) -> None:
    either: JSONObject = {"x-kubernetes-int-or-string": True}
    await tier.define(fleets(spec(rule("self.a.b == 1 || self.port > 5"), a=spec(b=INT), port=either)))
    refused = await tier.request("POST", PATH, fleet(a={}, port="x"))
    assert causes(refused.json())[0][2] == (
        'Invalid value: "object": no such key: b evaluating rule: self.a.b == 1 || self.port > 5'
    )
    refused = await tier.request("POST", PATH, fleet(a={"b": 2}, port="x"))
    assert causes(refused.json())[0][2] == (
        "Invalid value: \"object\": 'no such overload': call arguments did not match a supported operator, function "
        "or macro signature for rule: self.a.b == 1 || self.port > 5"
    )


@pytest.mark.anyio
async def test_rules_are_not_asked_of_an_object_that_is_broken_otherwise(tier: Tier) -> None:
    await tier.define(fleets(spec(rule("self.min > 5"), min=INT, name=samples.text())))
    refused = await tier.request("POST", PATH, fleet(min="x"))
    assert causes(refused.json())[-1] == (
        "FieldValueInvalid",
        "<nil>",
        "Invalid value: null: some validation rules were not checked because the object was invalid; correct the "
        "existing errors to complete validation",
    )
    assert len(causes(refused.json())) == 2


@pytest.mark.anyio
async def test_transition_rules_compare_items_of_map_lists_by_key(tier: Tier) -> None:
    item = spec(rule("self.size >= oldSelf.size"), name=samples.text(), size=INT)
    disks = {"type": "array", "items": {**item, "required": ["name"]}, "x-kubernetes-list-type": "map"}
    disks["x-kubernetes-list-map-keys"] = ["name"]
    await tier.define(fleets(spec(rule("self.zone == oldSelf.zone"), zone=samples.text(), disks=disks)))
    made = await tier.client.create(FLEETS, fleet(zone="a", disks=[{"name": "x", "size": 2}, {"name": "y", "size": 5}]))
    made["spec"]["disks"] = [{"name": "new", "size": 0}, {"name": "y", "size": 5}, {"name": "x", "size": 1}]
    made["spec"]["zone"] = "b"
    refused = await tier.request("PUT", f"{PATH}/one", made)
    assert [field for _, field, _ in causes(refused.json())] == ["spec", "spec.disks[2]"]


@pytest.mark.anyio
async def test_an_optional_old_self_is_seen_at_creation(tier: Tier) -> None:
    once = rule("oldSelf.hasValue() || self.min == 1", optionalOldSelf=True)
    await tier.define(fleets(spec(once, min=INT)))
    assert (await tier.request("POST", PATH, fleet(min=2))).status == 422
    made = await tier.client.create(FLEETS, fleet(min=1))
    made["spec"]["min"] = 2
    assert (await tier.request("PUT", f"{PATH}/one", made)).status == 200


@pytest.mark.anyio
async def test_status_writes_obey_rules_too(tier: Tier) -> None:
    await tier.define(fleets(spec(min=INT), rule("!has(self.status) || self.status.ready <= self.spec.min")))
    made = await tier.client.create(FLEETS, fleet(min=1))
    made["status"] = {"ready": 2}
    assert (await tier.request("PUT", f"{PATH}/one/status", made)).status == 422
    made["status"] = {"ready": 1}
    assert (await tier.request("PUT", f"{PATH}/one/status", made)).status == 200


@pytest.mark.anyio
async def test_what_was_wrong_before_and_is_not_touched_stays(tier: Tier) -> None:
    loose = spec(min=INT, part=spec(a=INT, b=samples.text()), names={"type": "array", "items": samples.text()})
    name = (await tier.define(fleets(loose)))["metadata"]["name"]
    made = await tier.client.create(FLEETS, fleet(min=1, part={"a": 200, "b": "x"}, names=["long-name", "b"]))
    strict = spec(
        min=INT,
        part=spec(rule("self.a < 100"), a={"type": "integer", "maximum": 150}, b=samples.text()),
        names={"type": "array", "items": samples.text(maxLength=3)},
    )
    await tier.client.patch(CRDS, name, {"spec": fleets(strict)["spec"]})

    async def strict_now() -> bool:
        bad = fleet("two", names=["long-name"])
        return (await tier.request("POST", f"{PATH}?dryRun=All", bad)).status == 422

    await until(strict_now)
    made["spec"]["min"] = 2
    reply = await tier.request("PUT", f"{PATH}/one", made)
    assert reply.status == 200, reply.json()
    assert "failed rule: self.a < 100" in reply.headers["warning"]
    changed = reply.json()
    changed["spec"]["part"]["b"] = "y"
    refused = await tier.request("PUT", f"{PATH}/one", changed)
    assert causes(refused.json()) == [
        ("FieldValueInvalid", "spec.part", 'Invalid value: "object": failed rule: self.a < 100')
    ]
    changed["spec"]["names"] = ["long-name", "c"]
    refused = await tier.request("PUT", f"{PATH}/one", changed)
    # Items of a list that is no map cannot be told apart: the whole list counts.
    assert "spec.names[0]" in [field for _, field, _ in causes(refused.json())]


@pytest.mark.anyio
async def test_a_rule_that_runs_away_is_cut_off_and_holds_up_nobody(tier: Tier) -> None:
    many: JSONObject = {"type": "array", "items": INT, "maxItems": 1000}
    await tier.define(fleets(spec(rule("self.n.all(x, self.n.all(y, x != y || true))"), n=many)))
    call = asyncio.create_task(tier.request("POST", PATH, fleet(n=list(range(1000)))))
    turns = 0
    while not call.done():
        await asyncio.sleep(0)
        turns += 1
    refused = await call
    assert causes(refused.json())[0][2] == (
        "Invalid value: \"object\": 'operation cancelled: actual cost limit exceeded': no further validation rules "
        "will be run due to call cost exceeds limit for rule: self.n.all(x, self.n.all(y, x != y || true))"
    )
    # The loop turns freely while a thread is at it; were the rule run in the loop, it would turn a few times.
    assert turns > 20


@pytest.mark.anyio
async def test_all_rules_of_an_object_together_have_a_budget(tier: Tier) -> None:
    item = {"type": "array", "items": INT, "maxItems": 300}
    item["x-kubernetes-validations"] = [rule("self.all(x, self.all(y, x != y || true))")]
    lists = {"type": "array", "items": item, "maxItems": 15}
    await tier.define(fleets(spec(lists=lists, more=lists)))
    refused = await tier.request("POST", PATH, fleet(lists=[list(range(300))] * 15, more=[list(range(300))] * 15))
    assert "validation failed due to running out of cost budget" in causes(refused.json())[0][2]


# What is wrong with rules, told when they are defined.


def test_rules_that_do_not_compile_are_all_told() -> None:
    rules = (rule("self.nope > 1"), rule("self.min"), rule("self.min > 0", messageExpression="self.min"))
    here = f"{ROOT}.properties[spec].x-kubernetes-validations"
    shown = '{"Rule":"self.nope \\u003e 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"",'
    found = problems(fleets(spec(*rules, min=INT)))
    assert found[0] == (
        f'{here}[0].rule: Invalid value: {shown}"OptionalOldSelf":null}}: compilation failed: ERROR: <input>:1:5: '
        "undefined field 'nope'\n | self.nope > 1\n | ....^"
    )
    assert [line.partition("}: ")[2] for line in found[1:]] == [
        "cel expression must evaluate to a bool",
        "messageExpression must evaluate to a string",
    ]
    assert [line.partition(":")[0] for line in found[1:]] == [f"{here}[1].rule", f"{here}[2].messageExpression"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (rule(" "), "[0].rule: Required value: rule is not specified"),
        (rule("true", message=" "), '[0].message: Invalid value: " ": message must be non-empty if specified'),
        (rule("true\n"), ""),
        (rule("true\n&& true"), "[0].message: Required value: message must be specified if rule contains line breaks"),
        (
            rule("true", reason="Nope"),
            '[0].reason: Unsupported value: "Nope": supported values: "FieldValueDuplicate", "FieldValueForbidden", '
            '"FieldValueInvalid", "FieldValueRequired"',
        ),
        (
            rule("true", fieldPath=".nope"),
            '[0].fieldPath: Invalid value: ".nope": fieldPath must be a valid path: does not refer to a valid field',
        ),
        (
            rule("true", fieldPath=".labels[0]"),
            '[0].fieldPath: Invalid value: ".labels[0]": fieldPath must be a valid path: expected single quoted string '
            "but got 0",
        ),
        (rule("true", fieldPath=".labels['a.b']"), ""),
        (
            rule("true", optionalOldSelf=True),
            "[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule",
        ),
        (
            rule("self.list.all(x, x.contains('y'))"),
            "[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x (try simplifying the "
            "rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)",
        ),
        (rule("self.bounded.all(x, x.contains('y'))"), ""),
    ],
)
def test_a_rule_that_is_not_allowed(given: JSONObject, expected: str) -> None:
    members: JSONObject = {
        "labels": {"type": "object", "additionalProperties": samples.text()},
        "list": {"type": "array", "items": samples.text()},
        "bounded": {"type": "array", "items": samples.text(maxLength=50), "maxItems": 10},
    }
    found = problems(fleets(spec(given, **members)))
    here = f"{ROOT}.properties[spec].x-kubernetes-validations"
    assert (found[0] if found else "") == (f"{here}{expected}" if expected else "")


def test_old_values_are_not_to_be_had_inside_of_lists_whose_items_have_no_key() -> None:
    items = {"type": "string", "maxLength": 5, "x-kubernetes-validations": [rule("self == oldSelf")]}
    found = problems(fleets(spec(names={"type": "array", "items": items, "maxItems": 5})))
    here = f"{ROOT}.properties[spec].properties[names].items"
    assert found == [
        f'{here}.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the '
        f"uncorrelatable portion of the schema within {here}"
    ]


def test_all_rules_of_a_definition_together_have_a_budget() -> None:
    item = spec(rule("self.name.contains('x') || self.name == 'y'"), name=samples.text(maxLength=250_000))
    lists = {f"l{at}": {"type": "array", "items": item, "maxItems": 90} for at in range(20)}
    found = problems(fleets(spec(**lists)))
    assert found[-1].startswith(f"{ROOT}: Forbidden: x-kubernetes-validations estimated rule cost total for entire")
    assert "contributed to estimated rule cost total exceeding cost limit" in found[0]


def test_rules_of_a_schema_that_stays_are_not_judged_again() -> None:
    bad = created(fleets(spec(rule("self.nope > 1"), min=INT)))
    assert len(definitions.rule_problems(bad, None, ())) == 1
    assert definitions.rule_problems(bad, bad, ()) == []


@pytest.mark.parametrize(("key", "value"), [("messageExpression", 1), ("fieldPath", []), ("optionalOldSelf", "yes")])
def test_a_rule_of_the_wrong_shape_cannot_be_decoded(key: str, value: Any) -> None:
    with pytest.raises(StatusError) as refused:
        created(fleets(spec({"rule": "true", key: value})))
    assert refused.value.code == 400
    assert f"x-kubernetes-validations.{key} of type" in refused.value.message


@pytest.mark.anyio
async def test_a_message_may_speak_of_an_optional_old_self(tier: Tier) -> None:
    said = "oldSelf.hasValue() ? 'was %d'.format([oldSelf.value().min]) : 'was nothing'"
    grows = rule("self.min >= oldSelf.?min.orValue(5)", optionalOldSelf=True, messageExpression=said)
    await tier.define(fleets(spec(grows, min=INT)))
    refused = await tier.request("POST", PATH, fleet(min=1))
    assert causes(refused.json())[0][2].endswith(": was nothing")
    made = await tier.client.create(FLEETS, fleet(min=7))
    made["spec"]["min"] = 6
    refused = await tier.request("PUT", f"{PATH}/one", made)
    assert causes(refused.json())[0][2].endswith(": was 7")
