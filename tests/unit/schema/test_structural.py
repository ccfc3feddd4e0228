"""Custom resources against their structural schema: defaults, and everything wrong at once in kube-openapi's words."""

from typing import Any

import pytest

from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject


def field(**schema: Any) -> ObjectSchema:
    return ObjectSchema.structural({
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": {"x": schema}}},
    })


def problems(schema: ObjectSchema, value: Any) -> list[str]:
    return [str(problem) for problem in schema.validate({"spec": {"x": value}})]


def defaulted(schema: ObjectSchema, obj: JSONObject) -> JSONObject:
    schema.default(obj)
    return obj


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "integer"}, "s", 'Invalid value: "string": spec.x in body must be of type integer: "string"'),
        ({"type": "integer"}, 1.5, 'Invalid value: "number": spec.x in body must be of type integer: "number"'),
        ({"type": "string"}, None, 'Invalid value: "null": spec.x in body must be of type string: "null"'),
        ({"type": "object"}, [], 'Invalid value: "array": spec.x in body must be of type object: "array"'),
        (
            {"x-kubernetes-int-or-string": True},
            True,
            'Invalid value: "boolean": spec.x in body must be of type integer,string: "boolean"',
        ),
        ({"type": "string", "enum": ["a", "b"]}, "c", 'Unsupported value: "c": supported values: "a", "b"'),
        ({"type": "string", "pattern": "^a+$"}, "b", "Invalid value: \"b\": spec.x in body should match '^a+$'"),
        ({"type": "string", "pattern": "^a$"}, "a\n", "Invalid value: \"a\\n\": spec.x in body should match '^a$'"),
        ({"type": "string", "maxLength": 1}, "ab", "Too long: may not be more than 1 bytes"),
        ({"type": "string", "minLength": 2}, "a", 'Invalid value: "a": spec.x in body should be at least 2 chars long'),
        ({"type": "integer", "minimum": 1}, 0, "Invalid value: 0: spec.x in body should be greater than or equal to 1"),
        (
            {"type": "integer", "maximum": 1, "exclusiveMaximum": True},
            1,
            "Invalid value: 1: spec.x in body should be less than 1",
        ),
        ({"type": "integer", "multipleOf": 5}, 7, "Invalid value: 7: spec.x in body should be a multiple of 5"),
        ({"type": "array", "maxItems": 1, "items": {}}, [1, 2], "Too many: 2: must have at most 1 items"),
        (
            {"type": "array", "minItems": 1, "items": {}},
            [],
            "Invalid value: []: spec.x in body should have at least 1 items",
        ),
        (
            {"type": "array", "uniqueItems": True, "items": {}},
            [1, 1.0],
            "Invalid value: [1,1.0]: spec.x in body shouldn't contain duplicates",
        ),
        (
            {"type": "string", "format": "date-time"},
            "now",
            'Invalid value: "now": spec.x in body must be of type date-time: "now"',
        ),
    ],
)
def test_a_wrong_value_is_told_as_kube_openapi_tells_it(schema: JSONObject, value: Any, message: str) -> None:
    assert problems(field(**schema), value) == [f"spec.x: {message}"]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, 1.0),
        ({"type": "number"}, 1),
        ({"type": "string", "nullable": True, "enum": ["a"]}, None),
        ({"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}, "http"),
        ({"type": "string", "format": "no-such-format"}, "x"),
        ({"x-kubernetes-preserve-unknown-fields": True}, [1]),
        ({"type": "integer", "enum": [1]}, 1.0),
        ({"type": "string", "maxLength": 1}, "é"),
    ],
)
def test_a_right_value_passes(schema: JSONObject, value: Any) -> None:
    assert problems(field(**schema), value) == []


def test_everything_wrong_is_told_at_once_with_paths() -> None:
    item = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    schema = field(type="array", items=item)
    assert problems(schema, [{}, {"name": 1}, 2]) == [
        "spec.x[0].name: Required value",
        'spec.x[1].name: Invalid value: "integer": spec.x[1].name in body must be of type string: "integer"',
        'spec.x[2]: Invalid value: "integer": spec.x[2] in body must be of type object: "integer"',
    ]


def test_sets_and_maps_have_no_duplicates() -> None:
    port = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "protocol": {"type": "string", "default": "TCP"}},
    }
    keyed = field(
        type="array",
        items=port,
        **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "protocol"]},
    )
    assert problems(keyed, [{"name": "a"}, {"name": "b"}, {"name": "a", "protocol": "TCP"}]) == [
        'spec.x[2]: Duplicate value: {"name":"a","protocol":"TCP"}'
    ]
    unique = field(type="array", items={"type": "string"}, **{"x-kubernetes-list-type": "set"})
    assert problems(unique, ["a", "b", "a"]) == ['spec.x[2]: Duplicate value: "a"']


@pytest.mark.parametrize(
    ("logic", "value", "message"),
    [
        (
            {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {"a": 1, "b": 1},
            '"spec.x" must validate one and only one schema (oneOf). Found 2 valid alternatives',
        ),
        ({"anyOf": [{"required": ["a"]}]}, {}, '"spec.x" must validate at least one schema (anyOf)'),
        ({"not": {"required": ["a"]}}, {"a": 1}, '"spec.x" must not validate the schema (not)'),
        (
            {"allOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {"a": 1},
            '"spec.x" must validate all the schemas (allOf)',
        ),
    ],
)
def test_logic_judges_values(logic: JSONObject, value: JSONObject, message: str) -> None:
    members = {"a": {"type": "integer"}, "b": {"type": "integer"}}
    schema = field(type="object", properties=members, **logic)
    assert f'<nil>: Invalid value: "": {message}' in problems(schema, value)
    assert problems(schema, {"b": 1} if "not" in logic else {"a": 1, "b": 1} if "allOf" in logic else {"a": 1}) == []


def test_int32_is_a_range() -> None:
    assert problems(field(type="integer", format="int32"), 2**31) == [
        '<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.x'
    ]


def test_defaults_fill_what_is_missing_but_not_what_is_there() -> None:
    schema = ObjectSchema.structural({
        "type": "object",
        "properties": {
            "spec": {
                "type": "object",
                "default": {},
                "properties": {"a": {"type": "integer", "default": 3}, "b": {"type": "string", "default": "x"}},
            }
        },
    })
    assert defaulted(schema, {}) == {"spec": {"a": 3, "b": "x"}}
    assert defaulted(schema, {"spec": {"b": ""}}) == {"spec": {"a": 3, "b": ""}}


def test_defaults_are_copies() -> None:
    schema = field(type="array", items={"type": "string"}, default=["a"])
    first, second = defaulted(schema, {"spec": {}}), defaulted(schema, {"spec": {}})
    first["spec"]["x"].append("b")
    assert second == {"spec": {"x": ["a"]}}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"default": "d"}, {"x": "d"}),
        ({}, {}),
        ({"nullable": True, "default": "d"}, {"x": None}),
        ({"nullable": True}, {"x": None}),
    ],
)
def test_null_is_defaulted_or_dropped_unless_it_is_allowed(schema: JSONObject, expected: JSONObject) -> None:
    assert defaulted(field(type="string", **schema), {"spec": {"x": None}}) == {"spec": expected}


def test_defaults_reach_into_lists_and_maps() -> None:
    item = {"type": "object", "properties": {"p": {"type": "string", "default": "TCP"}}}
    listed, mapped = field(type="array", items=item), field(type="object", additionalProperties=item)
    assert defaulted(listed, {"spec": {"x": [{}]}}) == {"spec": {"x": [{"p": "TCP"}]}}
    assert defaulted(mapped, {"spec": {"x": {"k": {}}}}) == {"spec": {"x": {"k": {"p": "TCP"}}}}


def test_the_roots_own_metadata_is_not_judged_here() -> None:
    schema = ObjectSchema.structural({"type": "object", "required": ["metadata", "spec"]})
    assert [str(problem) for problem in schema.validate({"metadata": "x"})] == ["spec: Required value"]


def test_what_was_wrong_before_the_change_may_stay_wrong() -> None:
    item = {"type": "object", "properties": {"name": {"type": "string"}, "size": {"type": "integer", "maximum": 5}}}
    disks = {"type": "array", "items": item, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    members = {
        "disks": disks,
        "plain": {"type": "array", "items": {"type": "string", "maxLength": 1}},
        "labels": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 1}},
        "part": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
    }
    schema = ObjectSchema.structural({
        "type": "object",
        "properties": {"spec": {"type": "object", "properties": members}},
    })

    def changed(**spec: Any) -> list[str]:
        return [found.field for found in schema.validate({"spec": {**old, **spec}}, {"spec": old})]

    big, other = {"name": "big", "size": 9}, {"name": "other", "size": 1}
    old: dict[str, Any] = {"disks": [big, other], "plain": ["long"], "labels": {"a": "long"}, "part": {}}
    assert len(schema.validate({"spec": old})) == 4
    assert changed() == []
    # Items of maps are known by their keys, members by their names.
    assert changed(disks=[other, big], labels={"a": "long", "b": "x"}) == []
    assert changed(disks=[{"name": "big", "size": 8}], labels={"a": "longer"}) == [
        "spec.disks[0].size",
        "spec.labels.a",
    ]
    # The items of other lists are not: a change of one puts all to the test.
    assert changed(plain=["long", "x"]) == ["spec.plain[0]"]
    assert changed(part={"b": 1}) == ["spec.part.a"]


def test_items_that_were_repeated_before_may_be_repeated_still() -> None:
    names = {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}
    schema = ObjectSchema.structural({"type": "object", "properties": {"names": names}})
    assert schema.validate({"names": ["a", "a", "b"]}, {"names": ["a", "a"]}) == []
    assert [found.field for found in schema.validate({"names": ["a", "a"]}, {"names": ["a"]})] == ["names[1]"]
