"""What is wrong with a definition, in Kubernetes' words and paths."""

from typing import Any

import pytest

from extensions.definitions.strategy import STRATEGY
from extensions.definitions.validation import definition as rules
from extensions.definitions.validation import schemas
from generic.meta.errors import StatusError
from generic.types import JSONObject
from tests.support.builtin import copy, request
from tests.unit.extensions import samples

ROOT = "spec.validation.openAPIV3Schema"


def created(definition: JSONObject) -> JSONObject:
    made = copy(definition)
    STRATEGY.default(made)
    STRATEGY.prepare_for_create(request(), made)
    return made


def problems(definition: JSONObject) -> list[str]:
    made = created(definition)
    found = rules.problems(made)
    return [str(problem) for problem in [*found, *rules.rule_problems(made, None, found)]]


def schema_problems(schema: JSONObject, *, has_status: bool = False) -> list[str]:
    return [str(found) for found in schemas.problems(schema, "s", has_status=has_status)]


def spec_of(**members: JSONObject) -> JSONObject:
    return samples.schema({"type": "object", "properties": members})


@pytest.mark.parametrize(
    "definition",
    [samples.certificates(), samples.gauges(), samples.widgets(), samples.widgets(strategy="Webhook")],
    ids=lambda definition: definition["metadata"]["name"],
)
def test_definitions_as_projects_ship_them_are_valid(definition: JSONObject) -> None:
    assert problems(definition) == []


def test_all_causes_are_told_at_once() -> None:
    bad = samples.definition(
        "Things",
        "thing",
        samples.version("1", {"type": "array", "items": {"type": "string"}}),
        samples.version("1", {"type": "object", "properties": {"spec": {}}}),
        group="nodot",
        scope="Galaxy",
    )
    label = (
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation "
        "is '[a-z]([-a-z0-9]*[a-z0-9])?')"
    )
    shown = '[{"name":"1","served":true,"storage":true},{"name":"1","served":true,"storage":true}]'
    assert problems(bad) == [
        'spec.group: Invalid value: "nodot": should be a domain with at least one dot',
        'spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"',
        f'spec.versions[0].name: Invalid value: "1": {label}',
        'spec.versions[0].schema.openAPIV3Schema.type: Invalid value: "array": must be object at the root',
        f'spec.versions[1].name: Invalid value: "1": {label}',
        "spec.versions[1].schema.openAPIV3Schema.properties[spec].type: Required value: "
        "must not be empty for specified object fields",
        f"spec.versions: Invalid value: {shown}: must contain unique version names",
        f"spec.versions: Invalid value: {shown}: must have exactly one version marked as storage version",
        f'spec.names.plural: Invalid value: "Things": {label}',
        f'spec.version: Invalid value: "1": {label}',
    ]


def test_what_is_missing_is_required() -> None:
    bare = {"metadata": {"name": "x"}, "spec": {"versions": [{"name": "v1", "storage": True}]}}
    assert problems(bare) == [
        'metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group',
        "spec.group: Required value",
        "spec.scope: Required value",
        "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required",
        "spec.names.plural: Required value",
        "spec.names.singular: Required value",
        "spec.names.kind: Required value",
        "spec.names.listKind: Required value",
    ]


def test_one_schema_for_all_versions_is_spoken_of_as_kubernetes_does() -> None:
    bad = samples.definition("things", "Thing", samples.version("v1", {}), group="example.com")
    assert problems(bad) == [f"{ROOT}.type: Required value: must not be empty at the root"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (samples.schema({"type": "array"}), "s.properties[spec].items: Required value: must be specified"),
        (
            {"type": "object", "additionalProperties": {"type": "string"}},
            "s.additionalProperties: Forbidden: must not be used at the root",
        ),
        (
            {"type": "object", "properties": {"metadata": {"type": "object", "properties": {"labels": {}}}}},
            "s.properties[metadata]: Forbidden: must not specify anything other than name and generateName, "
            "but metadata is implicitly specified",
        ),
        (
            spec_of(a={"type": "string", "anyOf": [{"type": "string"}]}),
            "s.properties[spec].properties[a].anyOf[0].type: Forbidden: must be empty to be structural",
        ),
        (
            samples.schema({"type": "object", "oneOf": [{"required": ["a"], "properties": {"a": {"minLength": 1}}}]}),
            "s.properties[spec].properties[a]: Required value: "
            "because it is defined in s.properties[spec].oneOf[0].properties[a]",
        ),
        (
            spec_of(a={"type": "object", "x-kubernetes-embedded-resource": True}),
            "s.properties[spec].properties[a].properties: Required value: must not be empty if "
            "x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
        ),
        (
            spec_of(a={"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "map"}),
            "s.properties[spec].properties[a].x-kubernetes-list-map-keys: Required value: "
            "must not be empty if x-kubernetes-list-type is map",
        ),
        (
            spec_of(a={"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
            "s.properties[spec].properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true "
            "since the runtime complexity becomes quadratic",
        ),
        (
            spec_of(a={"type": "integer", "default": "x"}),
            's.properties[spec].properties[a].default: Invalid value: "string": '
            's.properties[spec].properties[a].default in body must be of type integer: "string"',
        ),
        (
            spec_of(a={"type": "object", "properties": {"b": {"type": "string"}}, "default": {"c": 1}}),
            's.properties[spec].properties[a].default: Invalid value: {"c":1}: must not have unknown fields',
        ),
        (
            {"type": "object", "properties": {"kind": {"type": "string", "default": "x"}}},
            "s.properties[kind].default: Forbidden: must not be set in top-level kind",
        ),
        (
            spec_of(a={"$ref": "#/x", "type": "string"}),
            "s.properties[spec].properties[a].$ref: Forbidden: $ref is not supported",
        ),
        (
            spec_of(a={"type": "string", "x-kubernetes-validations": [{"message": "no rule"}]}),
            "s.properties[spec].properties[a].x-kubernetes-validations[0].rule: Required value: rule is not specified",
        ),
        (
            spec_of(a={"type": "string", "pattern": "("}),
            's.properties[spec].properties[a].pattern: Invalid value: "(": must be a valid regular expression, '
            "but isn't: error parsing regexp: missing closing ): `(`",
        ),
        (
            spec_of(a={"type": "string", "pattern": "^(?!x)"}),
            's.properties[spec].properties[a].pattern: Invalid value: "^(?!x)": must be a valid regular expression, '
            "but isn't: error parsing regexp: invalid or unsupported Perl syntax: `(?!`",
        ),
    ],
)
def test_a_schema_that_is_not_allowed(schema: JSONObject, expected: str) -> None:
    assert expected in schema_problems(schema)


def test_the_int_or_string_pattern_is_the_one_type_allowed_inside() -> None:
    either = [{"type": "integer"}, {"type": "string"}]
    assert schema_problems(spec_of(a={"x-kubernetes-int-or-string": True, "anyOf": either})) == []
    assert schema_problems(spec_of(a={"x-kubernetes-int-or-string": True, "allOf": [{"anyOf": either}]})) == []
    assert len(schema_problems(spec_of(a={"x-kubernetes-int-or-string": True, "oneOf": either}))) == 2


def test_with_a_status_subresource_the_root_says_little() -> None:
    found = schema_problems({"type": "object", "not": {"required": ["x"]}}, has_status=True)
    assert len(found) == 1
    assert "fields are allowed at the root of the schema if the status subresource is enabled" in found[0]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"deprecationWarning": "old"}, 'spec.versions[0].deprecationWarning: Invalid value: "old": can only be set'),
        (
            {"subresources": {"scale": {"specReplicasPath": ".replicas"}}},
            'spec.subresources.scale.specReplicasPath: Invalid value: ".replicas": should be a json path under .spec',
        ),
        (
            {"additionalPrinterColumns": [{"name": "A", "type": "text", "jsonPath": "spec.a"}]},
            'spec.additionalPrinterColumns[0].type: Invalid value: "text": '
            "must be one of boolean,date,integer,number,string",
        ),
        (
            {"selectableFields": [{"jsonPath": ".spec.dnsNames"}]},
            'spec.versions[0].selectableFields[0].jsonPath: Invalid value: ".spec.dnsNames": must point to a field',
        ),
        (
            {"selectableFields": [{"jsonPath": ".spec.none"}]},
            'spec.versions[0].selectableFields[0].jsonPath: Invalid value: ".spec.none": is an invalid path',
        ),
    ],
)
def test_a_version_that_is_not_allowed(change: dict[str, Any], expected: str) -> None:
    bad = samples.certificates()
    bad["spec"]["versions"][0] |= change
    assert any(found.startswith(expected) for found in problems(bad)), problems(bad)


def test_selectable_fields_are_few_and_none_of_them_metadata() -> None:
    shape = spec_of(**{f"f{at}": samples.text() for at in range(9)})
    shape["properties"]["metadata"] = {"type": "object", "properties": {"name": samples.text()}}
    paths = [".metadata.name", *(f".spec.f{at}" for at in range(9))]
    only = samples.version("v1", shape, selectableFields=[{"jsonPath": path} for path in paths])
    where = "spec.versions[0].selectableFields"
    assert problems(samples.definition("things", "Thing", only, group="example.com")) == [
        f'{where}[0].jsonPath: Invalid value: ".metadata.name": must not point to fields in metadata',
        f"{where}: Too many: 10: must have at most 8 items",
    ]


@pytest.mark.parametrize(
    ("conversion", "expected"),
    [
        (
            {"strategy": "Magic"},
            'spec.conversion.strategy: Unsupported value: "Magic": supported values: "None", "Webhook"',
        ),
        (
            {"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"]}},
            "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
        ),
        (
            {
                "strategy": "Webhook",
                "webhook": {"clientConfig": {"url": "http://x"}, "conversionReviewVersions": ["v1"]},
            },
            "spec.conversion.webhookClientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; "
            "desired format: https://host[/path]",
        ),
    ],
)
def test_a_conversion_that_is_not_allowed(conversion: JSONObject, expected: str) -> None:
    bad = samples.widgets()
    bad["spec"]["conversion"] = conversion
    assert problems(bad) == [expected]


def test_what_stored_objects_depend_on_never_changes_once_established() -> None:
    old = created(samples.certificates())
    new = copy(old)
    new["spec"]["scope"], new["spec"]["names"]["kind"], new["spec"]["group"] = "Cluster", "Cert", "other.example.com"
    immutable = "field is immutable"
    before = [found.field for found in rules.update_problems(new, old) if found.detail == immutable]
    old["status"]["conditions"] = [{"type": "Established", "status": "True"}]
    after = [found.field for found in rules.update_problems(new, old) if found.detail == immutable]
    assert before == ["spec.group"]
    assert after == ["spec.scope", "spec.names.kind", "spec.group"]


def test_a_version_objects_are_stored_in_stays() -> None:
    old = created(samples.widgets(storage="v1beta1"))
    new = copy(samples.widgets())
    del new["spec"]["versions"][1]
    STRATEGY.default(new)
    STRATEGY.prepare_for_update(request(), new, old)
    assert new["status"]["storedVersions"] == ["v1beta1", "v1"]
    assert [str(found) for found in rules.update_problems(new, old)] == [
        'status.storedVersions[0]: Invalid value: "v1beta1": must appear in spec.versions'
    ]


def test_a_group_of_the_project_needs_a_word_of_approval() -> None:
    theirs = samples.definition("things", "Thing", samples.version("v1", {"type": "object"}), group="x.k8s.io")
    where = "metadata.annotations[api-approved.kubernetes.io]"
    assert problems(theirs) == [
        f'{where}: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", '
        "see https://github.com/kubernetes/enhancements/pull/1111"
    ]
    theirs["metadata"]["annotations"] = {"api-approved.kubernetes.io": "because"}
    assert [found.partition(": ")[0] for found in problems(theirs)] == [where]
    theirs["metadata"]["annotations"] = {"api-approved.kubernetes.io": "unapproved, experimental"}
    assert problems(theirs) == []


def test_unknown_fields_may_not_be_preserved_everywhere() -> None:
    bad = samples.certificates()
    bad["spec"]["preserveUnknownFields"] = True
    assert problems(bad) == [
        "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set "
        "x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
    ]


def test_what_schemas_do_not_know_is_dropped_from_all_their_parts() -> None:
    made = samples.definition(
        "things",
        "Thing",
        samples.version("v1", spec_of(a={"type": "array", "x-y": 1, "items": {"type": "string", "x-z": 1}})),
        group="example.com",
    )
    STRATEGY.default(made)
    part = made["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["a"]
    assert part == {"type": "array", "items": {"type": "string"}}


def test_a_part_of_the_wrong_type_cannot_be_decoded() -> None:
    made = samples.definition(
        "things",
        "Thing",
        samples.version("v1", spec_of(a={"type": "array", "items": {"type": 5}})),
        group="example.com",
    )
    with pytest.raises(StatusError, match=r"cannot unmarshal number into .*\.items\.type of type string") as refused:
        STRATEGY.default(made)
    assert refused.value.code == 400
