"""The checked-in tables: they are of the version whose schemas we serve, complete, and agree with them."""

from functools import cache
from typing import Any

import pytest

from aggregator.apiservices.resource import resource as apiservice
from extensions.definitions.resource import RESOURCE as DEFINITION
from generic.meta.gvk import GroupVersionKind
from generic.protobuf import envelope, objects, special
from generic.protobuf.definitions import Definitions, Field
from generic.protobuf.objects import ObjectCodec
from generic.types import JSONObject
from kubeapi import resources, reviews
from kubeapi.protobuf import BUILTIN
from kubeapi.resources.scale_storage import SCALE
from kubeapi.schemas import Schemas
from tests.support.protobuf import Encoder

TABLES = BUILTIN.definitions
DECODERS = [decoder for decoder in (BUILTIN, DEFINITION.protobuf, apiservice().protobuf) if decoder is not None]
SCHEMAS = Schemas.load()
KINDS = [(decoder, gvk) for decoder in DECODERS for gvk in sorted(decoder.definitions.kinds())]
DEPLOYMENT = GroupVersionKind("apps", "v1", "Deployment")
each_decoder = pytest.mark.parametrize("decoder", DECODERS, ids=["built-in", "definitions", "apiservices"])

_OPENAPI = {
    "string": ("string", ""),
    "bool": ("boolean", ""),
    "int32": ("integer", "int32"),
    "int64": ("integer", "int64"),
    "float64": ("number", "double"),
    "[]byte": ("string", "byte"),
}


@cache
def encoder(decoder: ObjectCodec) -> Encoder:
    return Encoder(decoder.definitions)


def content(decoder: ObjectCodec, gvk: GroupVersionKind, obj: JSONObject) -> bytes:
    """An object as the message an envelope holds."""
    return encoder(decoder).message(decoder.definitions.type_of(gvk), obj)


def test_they_are_of_the_version_of_the_schemas() -> None:
    versions = {version for decoder in DECODERS for version in decoder.definitions.kubernetes_versions()}
    assert versions == {SCHEMAS.minor_version}


def test_every_kind_a_client_can_send_is_in_them() -> None:
    sent = {kind.gvk for kind in resources.all_kinds()} | {SCALE, objects.DELETE_OPTIONS}
    sent |= {version.with_kind(kind) for version, kind, *_ in reviews._KINDS}
    sent |= {GroupVersionKind("", "v1", "Binding"), GroupVersionKind("policy", "v1", "Eviction")}
    sent |= {GroupVersionKind("authentication.k8s.io", "v1", "TokenRequest")}
    sent |= {DEFINITION.gvk, apiservice().gvk}
    assert sent - {gvk for _, gvk in KINDS} == set()


@each_decoder
def test_every_type_they_name_is_in_them(decoder: ObjectCodec) -> None:
    tables = decoder.definitions
    named = {field.element for name in tables.types() for field in tables.fields(name) if not field.is_scalar}
    assert named - set(tables.types()) - set(special.LAYOUTS) == set()


@each_decoder
def test_they_have_the_fields_that_openapi_has(decoder: ObjectCodec) -> None:
    tables = decoder.definitions
    described = SCHEMAS.openapi_definitions()
    wrong = {}
    for name in set(tables.types()) & set(described):
        properties = described[name].get("properties", {})
        fields = dict(_flattened(tables, name))
        # A kind's own apiVersion and kind are in the envelope.
        missing = set(properties) - set(fields) - {"apiVersion", "kind"}
        mismatched = [key for key, field in fields.items() if not _agrees(tables, field, properties.get(key))]
        if missing or mismatched:
            wrong[name] = (missing, mismatched)
    assert wrong == {}


def _flattened(tables: Definitions, name: str) -> list[tuple[str, Field]]:
    """The fields in JSON, those of embedded messages among them."""
    found = []
    for field in tables.fields(name):
        found += [(field.name, field)] if field.name else _flattened(tables, field.element)
    return found


def _agrees(tables: Definitions, field: Field, schema: JSONObject | None) -> bool:
    if schema is None:
        return False
    if field.shape == "list":
        return _type(schema) == "array" and _same_element(tables, field, schema["items"])
    if field.shape == "map":
        return _type(schema) == "object" and _same_element(tables, field, schema["additionalProperties"])
    return _same_element(tables, field, schema)


def _same_element(tables: Definitions, field: Field, schema: JSONObject) -> bool:
    if field.is_scalar:
        return (_type(schema), schema.get("format", "")) == _OPENAPI[field.element]
    if _type(schema) == "array":
        # A named list, such as ExtraValue: OpenAPI shows what is in it.
        return tables.fields(field.element)[0].itself
    referred: str = schema["$ref"].rpartition("/")[2]
    return referred == field.element


def _type(schema: JSONObject) -> str:
    """Of a schema whose type may be a list with null in it."""
    given = schema.get("type", "")
    return next((name for name in given if name != "null"), "") if isinstance(given, list) else str(given)


def _full(definitions: Definitions, name: str, *, nested: bool = False) -> Any:
    """A value of the type with everything in it that can be; `nested`: the type is inside itself."""
    leaves: dict[str, Any] = {
        special.QUANTITY: "1500m",
        special.TIME: "2026-01-02T03:04:05Z",
        special.MICRO_TIME: "2026-01-02T03:04:05.000006Z",
        special.INT_OR_STRING: "http",
        special.FIELDS_V1: {"f:metadata": {}},
        special.RAW_EXTENSION: {"any": [1, "x"]},
        special.JSON: ["x", None],
        special.SCHEMA_OR_ARRAY: [{"type": "string"}],
        special.SCHEMA_OR_BOOL: {"type": "string"},
        special.SCHEMA_OR_STRINGS: ["a"],
        special.SCHEMA: {"maximum": 0.5} if nested else None,
    }
    if leaves.get(name) is not None:
        return leaves[name]
    made: dict[str, Any] = {}
    for field in definitions.fields(name):
        scalars: dict[str, Any] = {"string": field.name, "bool": True, "int32": -7, "int64": 2**40, "float64": 1e300}
        scalars["[]byte"] = "AP8="
        inner: Any = (
            scalars[field.element]
            if field.is_scalar
            else _full(definitions, field.element, nested=name == field.element)
        )
        shapes: dict[str, Any] = {"list": [inner, inner], "map": {"a/b": inner, "": inner}}
        value = shapes.get(field.shape, inner)
        if field.itself:
            return value
        if field.name:
            made[field.name] = value
        else:
            made.update(value)
    return made


@pytest.mark.parametrize(("decoder", "gvk"), KINDS, ids=lambda value: getattr(value, "kind", ""))
def test_everything_a_kind_can_say_arrives_and_is_sent(decoder: ObjectCodec, gvk: GroupVersionKind) -> None:
    full = _full(decoder.definitions, decoder.definitions.type_of(gvk))
    obj = {"apiVersion": gvk.api_version, "kind": gvk.kind, **full}
    assert decoder.decode(gvk, content(decoder, gvk, obj)) == obj
    assert decoder.decode(gvk, envelope.unwrap(decoder.encode(obj)).content) == obj


def test_what_was_left_empty_reads_as_go_prints_it() -> None:
    container = {"name": "c", "image": "i", "resources": {}}
    spec = {"template": {"spec": {"containers": [container]}}}
    read = BUILTIN.decode(DEPLOYMENT, content(BUILTIN, DEPLOYMENT, {"metadata": {"name": "d"}, "spec": spec}))
    assert read == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"selector": None, "strategy": {}, "template": {"metadata": {}, "spec": {"containers": [container]}}},
        "status": {},
    }


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match='no kind "Gadget" of v1 is known in protobuf'):
        BUILTIN.decode(GroupVersionKind("", "v1", "Gadget"), b"")
