"""OpenAPI documents in protobuf: google.protobuf reads from them what they were made of."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from generic.endpoints.openapi import build as openapi
from generic.endpoints.openapi.v2_conversion import Swagger
from generic.meta.gvk import GroupVersion
from generic.protobuf import documents
from generic.registry.rest import InstalledResource
from generic.types import JSONObject
from kubeapi import resources
from kubeapi.resources.build import resource_of
from kubeapi.schemas import Schemas
from tests.support.openapi_protobuf import Reader

TABLES = Path(documents.__file__).parent
V2, V3 = Reader(TABLES / "openapi_v2.json"), Reader(TABLES / "openapi_v3.json")


@pytest.fixture(scope="module")
def apps() -> JSONObject:
    """The document of apps/v1."""
    schemas, version = Schemas.load(), GroupVersion("apps", "v1")
    kinds = [kind for kind in resources.all_kinds() if kind.gvr.group_version == version]
    installed = [InstalledResource(resource_of(kind, schemas), object()) for kind in kinds]
    made: JSONObject = orjson.loads(orjson.dumps(openapi.build(version, installed)))
    return made


def test_a_document_of_built_in_kinds_is_read_back_whole(apps: JSONObject) -> None:
    assert _known(V3.read(documents.v3().encode(apps))) == _known(apps)
    swagger = Swagger()
    swagger.add("apis/apps/v1", apps)
    assert _known(V2.read(documents.v2().encode(swagger.document()))) == _known(swagger.document())


def _known(value: Any) -> Any:
    """Without what protobuf does not tell from nothing."""
    if isinstance(value, dict):
        return {key: _known(inner) for key, inner in value.items() if inner not in ("", [], {})}
    return [_known(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "default": "a", "enum": ["a", "true", "1"], "pattern": "^a: #$", "maxLength": 3},
        {"type": "integer", "format": "int32", "minimum": -1.5, "maximum": 10, "exclusiveMaximum": True},
        {"type": "object", "additionalProperties": {"$ref": "#/definitions/W"}, "example": {"a": [None, 1.5]}},
        {"type": "object", "additionalProperties": True, "x-kubernetes-preserve-unknown-fields": True},
        {"type": "array", "items": {"type": "number"}, "uniqueItems": True, "x-kubernetes-list-map-keys": ["a"]},
        {"allOf": [{"$ref": "#/definitions/W"}], "x-kubernetes-validations": [{"rule": "self.a == 'it''s'"}]},
        {"type": "object", "properties": {"$ref": {"type": "string"}, "x-y": {"type": "boolean"}, "/p": {}}},
    ],
)
def test_every_part_of_a_schema_is_read_back(schema: JSONObject) -> None:
    in_v2 = {"definitions": {"W": schema}}
    assert V2.read(documents.v2().encode(in_v2)) == in_v2
    in_v3 = orjson.loads(orjson.dumps({"components": {"schemas": {"W": schema}}}).replace(b"/definitions/", b"/c/"))
    assert V3.read(documents.v3().encode(in_v3)) == in_v3


def test_what_only_v3_has() -> None:
    schema = {"nullable": True, "anyOf": [{"type": "string"}], "not": {"type": "null"}, "default": 5}
    responses = {"default": {"description": "D"}, "2XX": {"$ref": "#/r"}, "x-z": [1]}
    made = {"components": {"schemas": {"W": schema}}, "paths": {"/a": {"get": {"responses": responses}}}}
    assert V3.read(documents.v3().encode(made)) == made


@pytest.mark.parametrize(
    "parameter",
    [
        {"name": "a", "in": "query", "type": "string", "uniqueItems": True},
        {"name": "a", "in": "path", "type": "string", "required": True},
        {"name": "a", "in": "header", "type": "integer"},
        {"name": "a", "in": "formData", "type": "file"},
        {"name": "a", "in": "body", "schema": {"type": "object"}},
        {"$ref": "#/parameters/a"},
    ],
)
def test_parameters_of_swagger_go_where_they_belong(parameter: JSONObject) -> None:
    security: list[JSONObject] = [{"type": "basic"}, {"type": "oauth2", "flow": "implicit"}, {"type": "apiKey"}]
    made = {
        "paths": {"/a": {"parameters": [parameter]}},
        "securityDefinitions": {str(number): one for number, one in enumerate(security)},
    }
    assert V2.read(documents.v2().encode(made)) == made


@pytest.mark.parametrize(
    "broken",
    [
        {"definitions": 1, "paths": []},
        {"definitions": {"W": [], "V": {"type": {}, "required": "a", "maximum": "x", "minLength": 1.5, "title": 1}}},
        {"paths": {"/a": {"parameters": [{"in": ["query"]}, {"in": "moon"}, 5], "get": {"responses": {"999x": 1}}}}},
        {"securityDefinitions": {"a": {"type": []}}, "info": "x", "swagger": 2},
    ],
)
def test_what_openapi_does_not_know_takes_nothing_else_away(broken: JSONObject) -> None:
    made = documents.v2().encode({**broken, "host": "good"})
    assert V2.read(made)["host"] == "good"


def test_what_is_nested_without_end_is_cut_off() -> None:
    schema: JSONObject = {"type": "string"}
    for _ in range(300):
        schema = {"items": schema, "example": [schema]}
    assert len(documents.v2().encode({"definitions": {"W": schema}})) > 100
