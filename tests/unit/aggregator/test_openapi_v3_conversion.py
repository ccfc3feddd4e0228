import pytest

from aggregator.openapi_v3_conversion import v3_of
from generic.endpoints.openapi.v2_conversion import Swagger
from generic.types import JSONObject

PATH = "apis/a.example.com/v1"
WIDGETS = f"/{PATH}/widgets"
REF = "#/components/schemas/"
PUT: JSONObject = {
    "operationId": "replaceWidget",
    "x-kubernetes-action": "put",
    "schemes": ["https"],
    "consumes": ["*/*"],
    "produces": ["application/json", "application/yaml"],
    "parameters": [
        {"name": "dryRun", "in": "query", "type": "string", "uniqueItems": True},
        {"name": "body", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Widget"}},
    ],
    "responses": {
        "200": {"description": "OK", "schema": {"$ref": "#/definitions/Widget"}},
        "401": {"description": "-"},
    },
}
SWAGGER: JSONObject = {
    "swagger": "2.0",
    "paths": {
        WIDGETS: {"put": PUT, "parameters": [{"name": "name", "in": "path", "required": True, "type": "string"}]},
        "/apis/a.example.com/v10/widgets": {"put": PUT},
    },
    "definitions": {
        "Widget": {
            "type": "object",
            "properties": {
                "meta": {"$ref": "#/definitions/Meta", "description": "M."},
                "all": {"type": "array", "items": {"$ref": "#/definitions/Meta"}},
            },
        },
        "Meta": {"type": "object", "additionalProperties": {"type": "string"}},
        "Stranger": {"type": "object"},
    },
}


def test_a_group_version_with_what_it_speaks_of() -> None:
    document = v3_of(SWAGGER, PATH)
    assert list(document["paths"]) == [WIDGETS]
    widget = {"$ref": f"{REF}Widget"}
    assert document["paths"][WIDGETS]["put"] == {
        "operationId": "replaceWidget",
        "x-kubernetes-action": "put",
        "parameters": [{"name": "dryRun", "in": "query", "schema": {"type": "string", "uniqueItems": True}}],
        "requestBody": {"required": True, "content": {"*/*": {"schema": widget}}},
        "responses": {
            "200": {
                "description": "OK",
                "content": {"application/json": {"schema": widget}, "application/yaml": {"schema": widget}},
            },
            "401": {"description": "-"},
        },
    }
    meta = {"$ref": f"{REF}Meta"}
    assert document["components"]["schemas"] == {
        "Widget": {
            "type": "object",
            "properties": {
                "meta": {"allOf": [meta], "description": "M."},
                "all": {"type": "array", "items": meta},
            },
        },
        "Meta": {"type": "object", "additionalProperties": {"type": "string"}},
    }


def test_there_and_back_nothing_is_lost() -> None:
    swagger = Swagger()
    swagger.add(PATH, v3_of(SWAGGER, PATH))
    back = swagger.document()
    assert back["paths"] == {WIDGETS: SWAGGER["paths"][WIDGETS]}
    assert back["definitions"] == {name: SWAGGER["definitions"][name] for name in ("Widget", "Meta")}


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"paths": {WIDGETS: []}},
        {"paths": {WIDGETS: {"put": {"consumes": [1]}}}},
        {"paths": {WIDGETS: {"put": {"parameters": [1]}}}},
        {"paths": {WIDGETS: {"put": {"responses": {"200": {"schema": {"$ref": "file:///"}}}}}}},
    ],
)
def test_what_is_no_document_is_refused(broken: JSONObject) -> None:
    with pytest.raises(ValueError, match=r"^(not|reference|the document)"):
        v3_of(broken, PATH)
