"""What decoding drops and mends: unknown fields, nulls, spellings of quantities and times."""

import pytest

from generic.meta.gvk import GroupVersionKind
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject
from kubeapi.schemas import Schemas

SCHEMAS = Schemas.load()
POD = SCHEMAS.object_schema(GroupVersionKind("", "v1", "Pod"))


def pruned(schema: ObjectSchema, obj: JSONObject) -> JSONObject:
    schema.prune(obj)
    return obj


def custom(**spec: object) -> ObjectSchema:
    return ObjectSchema.structural({"type": "object", "properties": {"spec": {"type": "object", **spec}}})


def test_unknown_fields_and_nulls_of_go_types_go() -> None:
    obj = {"metadata": {"creationTimestamp": None, "x": 1}, "spec": {"nodeName": None, "y": 1, "hostname": "h"}, "z": 1}
    assert pruned(POD, obj) == {"metadata": {}, "spec": {"hostname": "h"}}


def test_null_in_a_map_or_a_list_becomes_gos_zero() -> None:
    obj = {"metadata": {"labels": {"a": None}, "finalizers": [None]}, "spec": {"containers": [None]}}
    assert pruned(POD, obj) == {"metadata": {"labels": {"a": ""}, "finalizers": [""]}, "spec": {"containers": [{}]}}


@pytest.mark.parametrize(
    ("given", "kept"), [("1000m", "1"), (0.5, "500m"), (2, "2"), ("1024Ki", "1Mi"), ("500m", "500m")]
)
def test_quantities_are_written_in_their_canonical_form(given: object, kept: str) -> None:
    obj = {"spec": {"containers": [{"resources": {"limits": {"cpu": given}}}]}}
    assert pruned(POD, obj)["spec"]["containers"][0]["resources"]["limits"] == {"cpu": kept}


@pytest.mark.parametrize("given", ["2026-01-02T05:04:05+02:00", "2026-01-02T03:04:05.999Z", "2026-01-02T03:04:05Z"])
def test_times_are_written_in_utc_and_whole_seconds(given: str) -> None:
    assert pruned(POD, {"status": {"startTime": given}}) == {"status": {"startTime": "2026-01-02T03:04:05Z"}}


def test_custom_resources_lose_unknown_fields_but_keep_nulls() -> None:
    schema = custom(properties={"a": {"type": "string", "nullable": True}})
    obj = {"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "a", "x": 1}, "spec": {"a": None, "b": 1}, "top": 1}
    kept = {"apiVersion": "x/v1", "kind": "X", "metadata": {"name": "a"}, "spec": {"a": None}}
    assert schema.unknown_fields(obj) == ["metadata.x", "spec.b", "top"]
    assert pruned(schema, obj) == kept


def test_preserved_unknown_fields_stay_but_known_ones_among_them_are_pruned_inside() -> None:
    known = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = custom(**{"x-kubernetes-preserve-unknown-fields": True, "properties": {"known": known}})
    obj = {"spec": {"any": {"thing": 1}, "known": {"a": "", "b": 1}}}
    assert pruned(schema, obj) == {"spec": {"any": {"thing": 1}, "known": {"a": ""}}}


def test_an_embedded_resource_keeps_its_type_and_metadata() -> None:
    embedded = {
        "type": "object",
        "x-kubernetes-embedded-resource": True,
        "properties": {"spec": {"type": "object", "properties": {"a": {"type": "integer"}}}},
    }
    inner = {"apiVersion": "v1", "kind": "Y", "metadata": {"name": "n"}, "spec": {"a": 1}}
    obj = {"spec": {"child": {**inner, "x": 1}}}
    assert pruned(custom(properties={"child": embedded}), obj) == {"spec": {"child": inner}}


def test_items_and_map_values_are_pruned() -> None:
    item = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = custom(
        properties={"list": {"type": "array", "items": item}, "map": {"type": "object", "additionalProperties": item}}
    )
    obj = {"spec": {"list": [{"a": "", "b": 1}], "map": {"k": {"b": 1}}}}
    assert schema.unknown_fields(obj) == ["spec.list[0].b", "spec.map.k.b"]
    assert pruned(schema, obj) == {"spec": {"list": [{"a": ""}], "map": {"k": {}}}}


def test_an_object_without_fields_in_its_schema_is_emptied() -> None:
    assert pruned(custom(), {"spec": {"a": 1}}) == {"spec": {}}
