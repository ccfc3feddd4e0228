import orjson
import pytest

from aggregator.openapi_v2 import OpenAPIV2Handler
from aggregator.openapi_v2_conversion import Swagger
from generic.endpoints.openapi.v3 import Document
from generic.types import JSONObject
from tests.support.asgi import call

REF = "#/components/schemas/"
NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string", "uniqueItems": True}}


def of(path: str, components: JSONObject) -> JSONObject:
    """A document with one operation that speaks of the component Widget."""
    content = {"application/json": {"schema": {"$ref": f"{REF}Widget"}}, "application/yaml": {}}
    put = {
        "operationId": "replaceWidget",
        "x-kubernetes-action": "put",
        "parameters": [{"name": "dryRun", "in": "query", "schema": {"type": "string"}}],
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "OK", "content": content}, "401": {"description": "Unauthorized"}},
    }
    return {"paths": {path: {"put": put, "parameters": [NAME]}}, "components": {"schemas": components}}


def merged(**documents: JSONObject) -> JSONObject:
    swagger = Swagger()
    for owner, document in documents.items():
        swagger.add(owner, document)
    return swagger.document()


WIDGET = {"type": "object", "properties": {"meta": {"allOf": [{"$ref": f"{REF}Meta"}], "description": "M."}}}


def test_an_operation_is_written_as_swagger_has_it() -> None:
    made = merged(a=of("/a/w", {"Widget": WIDGET, "Meta": {"type": "object", "nullable": True}}))
    operation = made["paths"]["/a/w"]["put"]
    assert made["swagger"] == "2.0"
    assert made["paths"]["/a/w"]["parameters"] == [
        {"name": "name", "in": "path", "required": True, "type": "string", "uniqueItems": True}
    ]
    body = {"name": "body", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Widget"}}
    assert operation["parameters"] == [{"name": "dryRun", "in": "query", "type": "string"}, body]
    assert operation["consumes"] == operation["produces"] == ["application/json", "application/yaml"]
    assert operation["responses"] == {
        "200": {"description": "OK", "schema": {"$ref": "#/definitions/Widget"}},
        "401": {"description": "Unauthorized"},
    }
    assert operation["x-kubernetes-action"] == "put"
    assert made["definitions"] == {
        "Widget": {"type": "object", "properties": {"meta": {"$ref": "#/definitions/Meta", "description": "M."}}},
        "Meta": {"type": "object"},
    }


def test_components_alike_are_one_and_others_of_the_name_get_another() -> None:
    other = {"type": "string"}
    made = merged(a=of("/a/w", {"Widget": WIDGET}), b=of("/b/w", {"Widget": other}), c=of("/c/w", {"Widget": WIDGET}))
    assert made["definitions"].keys() == {"Widget", "Widget_v2"}
    assert made["definitions"]["Widget_v2"] == other

    def used(path: str) -> str:
        return str(made["paths"][path]["put"]["parameters"][1]["schema"]["$ref"])

    assert [used("/a/w"), used("/b/w"), used("/c/w")] == [
        "#/definitions/Widget",
        "#/definitions/Widget_v2",
        "#/definitions/Widget",
    ]


def test_a_document_speaks_of_its_own_paths_only_and_the_first_of_two_wins() -> None:
    swagger = Swagger()
    swagger.add("apis/a/v1", of("/apis/a/v1/w", {}))
    stolen = of("/apis/a/v1/w", {})
    stolen["paths"]["/apis/b/v10"] = stolen["paths"]["/apis/b/v1/x"] = {}
    swagger.add("apis/b/v1", stolen)
    assert list(swagger.document()["paths"]) == ["/apis/a/v1/w", "/apis/b/v1/x"]
    swagger.add("apis/a/v1", {"paths": {"/apis/a/v1/w": {}}})
    assert swagger.document()["paths"]["/apis/a/v1/w"] != {}


@pytest.mark.parametrize(
    "broken",
    [
        {"paths": [1]},
        {"paths": {"/a/w": {"put": 1}}},
        {"components": {"schemas": {"W": {"$ref": "http://elsewhere"}}}},
        {"components": {"schemas": {"W": {"properties": {"a": []}}}}},
    ],
)
def test_of_a_broken_document_nothing_is_taken(broken: JSONObject) -> None:
    swagger = Swagger()
    with pytest.raises(ValueError, match=r"^(not|reference)"):
        swagger.add("a", {"components": {"schemas": {"Good": {}}}, **broken})
    assert (swagger.document()["paths"], swagger.document()["definitions"]) == ({}, {})


@pytest.mark.anyio
async def test_it_is_made_when_asked_for_and_again_when_something_changed() -> None:
    made = 0

    def make() -> JSONObject:
        nonlocal made
        made += 1
        return of("/a/w", {"Widget": WIDGET})

    documents = {"a": Document(make), "bad": Document(lambda: {"paths": 1})}
    handler = OpenAPIV2Handler(lambda: documents)
    assert made == 0
    first = await call(handler, "/openapi/v2")
    assert orjson.loads(first.body)["paths"].keys() == {"/a/w"}
    etag = first.header("etag") or ""
    held = await call(handler, "/openapi/v2", headers={"if-none-match": etag})
    assert (held.status, held.body, made) == (304, b"", 1)
    documents["b"] = Document(lambda: of("/b/w", {}))
    again = await call(handler, "/openapi/v2", headers={"if-none-match": etag})
    assert (again.status, orjson.loads(again.body)["paths"].keys()) == (200, {"/a/w", "/b/w"})


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/com.github.proto-openapi.spec.v2@v1.0+protobuf", 406),
        ("application/com.github.proto-openapi.spec.v2@v1.0+protobuf, application/json;q=0.5", 200),
        ("*/*", 200),
    ],
)
async def test_there_is_json_alone(accept: str, status: int) -> None:
    assert (await call(OpenAPIV2Handler(dict), "/openapi/v2", headers={"accept": accept})).status == status
