"""OpenAPI v3 documents: what kubectl looks for in them."""

import re
from typing import Any

import orjson
import pytest

from generic.endpoints.openapi import build
from generic.endpoints.openapi.known_types import KnownTypes
from generic.meta.gvk import GroupVersion, GroupVersionKind
from generic.registry.resource import Resource
from generic.registry.rest import InstalledResource, Subresource
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject
from kubeapi.schemas import Schemas

SCHEMAS = Schemas.load()
APPS, WIDGETS = GroupVersion("apps", "v1"), GroupVersion("example.com", "v1")
SCALE = GroupVersionKind("autoscaling", "v1", "Scale")
GVK = "x-kubernetes-group-version-kind"


class Reads:
    """Storage by its capabilities alone: a description asks what it can do, never to do it."""

    async def get(self, *arguments: Any) -> Any: ...

    async def list(self, *arguments: Any) -> Any: ...


class Everything(Reads):
    async def watch(self, *arguments: Any) -> Any: ...

    async def create(self, *arguments: Any) -> Any: ...

    async def update(self, *arguments: Any) -> Any: ...

    async def delete(self, *arguments: Any) -> Any: ...

    async def delete_collection(self, *arguments: Any) -> Any: ...


class Logs:
    connect_methods = frozenset({"GET"})

    async def connect(self, *arguments: Any) -> None: ...


class Updates:
    async def get(self, *arguments: Any) -> Any: ...

    async def update(self, *arguments: Any) -> Any: ...


@pytest.fixture(scope="module")
def apps() -> JSONObject:
    gvk = APPS.with_kind("Deployment")
    resource = Resource(
        APPS.with_resource("deployments"),
        "Deployment",
        namespaced=True,
        schema=SCHEMAS.object_schema(gvk),
        patch_schema=SCHEMAS.patch_schema(gvk),
    )
    subresources = {
        "status": Subresource(Updates(), gvk),
        "scale": Subresource(Updates(), SCALE, SCHEMAS.object_schema(SCALE)),
        "log": Subresource(Logs(), gvk),
    }
    return build.build(APPS, [InstalledResource(resource, Everything(), subresources)])


@pytest.fixture(scope="module")
def widgets() -> JSONObject:
    schema = {
        "type": "object",
        "description": "A widget.",
        "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer", "minimum": 1}}}},
    }
    resource = Resource(
        WIDGETS.with_resource("widgets"), "Widget", namespaced=False, schema=ObjectSchema.structural(schema)
    )
    return build.build(WIDGETS, [InstalledResource(resource, Reads())])


def test_explain_finds_the_kind_by_the_get_of_the_collection_and_the_schema_by_the_kind(apps: JSONObject) -> None:
    gvk = {"group": "apps", "kind": "Deployment", "version": "v1"}
    for path in ("/apis/apps/v1/deployments", "/apis/apps/v1/namespaces/{namespace}/deployments"):
        assert apps["paths"][path]["get"][GVK] == gvk
        assert apps["paths"][path]["get"]["x-kubernetes-action"] == "list"
    schemas = apps["components"]["schemas"]
    assert [name for name, schema in schemas.items() if gvk in schema.get(GVK, ())] == ["io.k8s.api.apps.v1.Deployment"]


def test_patch_takes_field_validation_and_dry_run_and_the_types_the_server_takes(apps: JSONObject) -> None:
    operation = apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert {"fieldValidation", "dryRun"} <= {parameter["name"] for parameter in operation["parameters"]}
    assert "application/strategic-merge-patch+json" in operation["requestBody"]["content"]


def test_every_reference_leads_to_a_component_and_every_operation_has_its_own_name(
    apps: JSONObject, widgets: JSONObject
) -> None:
    for document in (apps, widgets):
        references = set(re.findall(rb'"\$ref":"#/components/schemas/([^"]+)"', orjson.dumps(document)))
        assert references <= {name.encode() for name in document["components"]["schemas"]}
        assert b"#/$defs" not in orjson.dumps(document)
        names = [
            operation["operationId"]
            for path in document["paths"].values()
            for method, operation in path.items()
            if method != "parameters"
        ]
        assert len(names) == len(set(names))


def test_subresources_speak_their_own_kind(apps: JSONObject) -> None:
    base = "/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
    scale, log = apps["paths"][f"{base}/scale"], apps["paths"][f"{base}/log"]
    assert scale["get"][GVK] == {"group": "autoscaling", "kind": "Scale", "version": "v1"}
    body = scale["put"]["requestBody"]["content"]["*/*"]["schema"]
    assert body == {"$ref": "#/components/schemas/io.k8s.api.autoscaling.v1.Scale"}
    assert log["get"]["x-kubernetes-action"] == "connect"
    assert apps["paths"][f"{base}/status"]["get"]["operationId"] == "readAppsV1NamespacedDeploymentStatus"


def test_only_verbs_that_are_served_are_described(widgets: JSONObject) -> None:
    assert set(widgets["paths"]) == {"/apis/example.com/v1/widgets", "/apis/example.com/v1/widgets/{name}"}
    assert set(widgets["paths"]["/apis/example.com/v1/widgets"]) == {"get", "parameters"}


def test_a_custom_resource_gets_a_name_metadata_and_a_list(widgets: JSONObject) -> None:
    schemas = widgets["components"]["schemas"]
    widget, items = schemas["com.example.v1.Widget"], schemas["com.example.v1.WidgetList"]
    assert widget[GVK] == [{"group": "example.com", "kind": "Widget", "version": "v1"}]
    assert {"apiVersion", "kind", "metadata", "spec"} == set(widget["properties"])
    assert items["properties"]["items"]["items"] == {"$ref": "#/components/schemas/com.example.v1.Widget"}
    assert items[GVK] == [{"group": "example.com", "kind": "WidgetList", "version": "v1"}]


def test_what_kubernetes_describes_itself_is_described_by_it() -> None:
    model = {"type": "object", "properties": {"spec": {"properties": {"kind": {"enum": ["A"]}}, "type": "object"}}}
    widget = Resource(
        WIDGETS.with_resource("widgets"), "Widget", namespaced=True, schema=ObjectSchema.structural(model)
    )
    deployment = Resource(
        APPS.with_resource("deployments"),
        "Deployment",
        namespaced=True,
        schema=ObjectSchema.structural(model, name="io.k8s.api.apps.v1.Deployment"),
    )
    types = KnownTypes(SCHEMAS.openapi_definitions())
    known = SCHEMAS.object_schema(APPS.with_kind("Deployment")).openapi()[1]
    ours, theirs = (
        build.build(version, [InstalledResource(one, Everything())], types)["components"]["schemas"]
        for version, one in ((WIDGETS, widget), (APPS, deployment))
    )
    meta = [name for name in known if name.startswith("io.k8s.apimachinery.pkg.apis.meta.v1.")]
    assert {name: theirs[name] for name in known} == known
    assert [name for name in meta if name in ours and ours[name] != known[name]] == []
    assert "io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry" in ours
    assert theirs["io.k8s.api.apps.v1.DeploymentList"]["description"] == "DeploymentList is a list of Deployments."
    spec = ours["com.example.v1.Widget"]["properties"]["spec"]
    assert spec["properties"]["kind"] == {"enum": ["A"]}


def test_types_are_single_and_enums_of_the_packager_are_gone(apps: JSONObject) -> None:
    schemas = apps["components"]["schemas"]
    assert not re.search(rb'"type":\[', orjson.dumps(schemas))
    assert "enum" not in schemas["io.k8s.api.apps.v1.Deployment"]["properties"]["kind"]
    assert schemas["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]["format"] == "int-or-string"


def test_a_document_is_made_once_when_first_asked_for() -> None:
    asked: list[int] = []
    document = build.document(WIDGETS, lambda: asked.append(1) or [])  # type: ignore[func-returns-value]
    assert not asked
    assert document.encoded() == document.encoded()
    assert asked == [1]
