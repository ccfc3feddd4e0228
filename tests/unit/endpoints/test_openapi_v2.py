import gzip
from pathlib import Path

import orjson
import pytest

from generic.endpoints.openapi.v2 import OpenAPIV2Handler
from generic.endpoints.openapi.v2_conversion import Swagger
from generic.endpoints.openapi.v3 import Document
from generic.protobuf import documents as protobuf_documents
from generic.types import JSONObject
from tests.support.asgi import call
from tests.support.openapi_protobuf import Reader

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


def test_what_may_hold_anything_is_not_described() -> None:
    gvk = [{"group": "g", "version": "v1", "kind": "W"}]
    inner = {"type": "object", "properties": {"a": {"type": "string"}}, "x-kubernetes-preserve-unknown-fields": True}
    members = {"metadata": {"type": "object"}, "spec": inner, "list": {"type": "array"}}
    root = {"type": "object", "properties": members, "x-kubernetes-group-version-kind": gvk}
    quantity = {"oneOf": [{"type": "string"}, {"type": "number"}]}
    made = merged(a=of("/a/w", {"W": root, "Any": {**root, **inner, "properties": members}, "Q": quantity}))
    assert made["definitions"]["W"]["properties"] == {
        "metadata": {"type": "object"},
        "spec": {"x-kubernetes-preserve-unknown-fields": True},
        "list": {},
    }
    assert made["definitions"]["Any"] == {"type": "object", "x-kubernetes-group-version-kind": gvk}
    assert made["definitions"]["Q"] == {"type": "string"}


def test_what_all_groups_share_may_be_described_in_other_words() -> None:
    name = "io.k8s.apimachinery.pkg.apis.meta.v1.Time"
    described = {"allOf": [{"$ref": f"{REF}Meta"}], "description": "A."}
    one = {"type": "object", "description": "Time.", "properties": {"at": {"$ref": f"{REF}Meta"}}}
    other = {"type": "object", "description": "The time.", "properties": {"at": described}}
    apart = {"type": "object", "properties": {"at": {"$ref": f"{REF}Other"}}}
    made = merged(a=of("/a/w", {name: one, "W": one}), b=of("/b/w", {name: other, "W": other}))
    assert made["definitions"].keys() == {name, "W", "W_v2"}
    assert made["definitions"][name]["description"] == "Time."
    assert merged(a=of("/a/w", {name: one}), b=of("/b/w", {name: apart}))["definitions"].keys() == {name, f"{name}_v2"}


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


PROTOBUF = Reader(Path(protobuf_documents.__file__).with_name("openapi_v2.json"))
V2 = "application/com.github.proto-openapi.spec.v2"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (f"{V2}@v1.0+protobuf", f"{V2}.v1.0+protobuf"),
        (f"{V2}.v1.0+protobuf;q=0.9, application/json;q=0.5", f"{V2}.v1.0+protobuf"),
        (f"application/json, {V2}@v1.0+protobuf", "application/json"),
        ("application/json;as=Whatever", "application/json"),
        ("*/*", "application/json"),
        ("", "application/json"),
        ("application/yaml", None),
        ("application/com.github.proto-openapi.spec.v3.v1.0+protobuf", None),
    ],
)
async def test_it_comes_in_the_form_that_is_accepted(accept: str, content_type: str | None) -> None:
    handler = OpenAPIV2Handler(lambda: {"a": Document(lambda: of("/a/w", {"Widget": WIDGET}))})
    answer = await call(handler, "/openapi/v2", headers={"accept": accept})
    assert "Accept" in answer.headers("vary")
    if content_type is None:
        assert (answer.status, answer.body) == (406, b"")
        return
    assert (answer.status, answer.header("content-type")) == (200, content_type)
    document = orjson.loads(answer.body) if content_type.endswith("json") else PROTOBUF.read(answer.body)
    assert document["definitions"]["Widget"] == {
        "type": "object",
        "properties": {"meta": {"$ref": "#/definitions/Meta", "description": "M."}},
    }


@pytest.mark.anyio
@pytest.mark.parametrize("accept", ["application/json", f"{V2}@v1.0+protobuf"])
async def test_all_forms_have_one_etag_and_are_compressed_for_who_can_read_it(accept: str) -> None:
    handler = OpenAPIV2Handler(lambda: documents)
    documents = {"a": Document(lambda: of("/a/w", {"Widget": WIDGET}))}
    plain = await call(handler, "/openapi/v2", headers={"accept": accept})
    packed = await call(handler, "/openapi/v2", headers={"accept": accept, "accept-encoding": "gzip"})
    assert (packed.header("content-encoding"), gzip.decompress(packed.body)) == ("gzip", plain.body)
    as_json = await call(handler, "/openapi/v2")
    assert packed.header("etag") == plain.header("etag") == as_json.header("etag")
    held = {"accept": accept, "if-none-match": plain.header("etag") or ""}
    assert (await call(handler, "/openapi/v2", headers=held)).status == 304
