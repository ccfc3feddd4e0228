"""Definitions and APIServices come in protobuf like built-in kinds; of custom resources only what deletes them."""

import httpx
import pytest

from aggregator.apiservices.resource import resource as apiservice
from extensions.definitions.resource import RESOURCE as DEFINITION
from generic.protobuf import envelope
from generic.registry.resource import Resource
from generic.types import JSONObject
from tests.support import crd
from tests.support.plane import Running
from tests.support.protobuf import Encoder, wrapped

pytestmark = pytest.mark.anyio

HEADERS = {"content-type": envelope.MEDIA_TYPE}
APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
LAMPS = "/apis/stable.example.com/v1/namespaces/default/lamps"


async def create(control_plane: Running, path: str, resource: Resource, obj: JSONObject) -> httpx.Response:
    assert resource.protobuf is not None
    content = Encoder(resource.protobuf.definitions).body(resource.gvk, obj)
    return await control_plane.http.post(path, content=content, headers=HEADERS)


async def test_an_apiservice_is_made(control_plane: Running) -> None:
    spec = {"group": "far.example.com", "version": "v1", "groupPriorityMinimum": 100, "versionPriority": 10}
    spec |= {"service": {"namespace": "default", "name": "far"}, "insecureSkipTLSVerify": True}
    obj: JSONObject = {"metadata": {"name": "v1.far.example.com"}, "spec": spec}
    made = await create(control_plane, APISERVICES, apiservice(), obj)
    assert made.status_code == 201, made.text
    assert made.json()["spec"] == {**spec, "service": {"namespace": "default", "name": "far", "port": 443}}
    await control_plane.http.delete(f"{APISERVICES}/v1.far.example.com")


async def test_a_definition_is_made_and_its_resources_are_json(control_plane: Running) -> None:
    definition = crd.definition("lamps")
    made = await create(control_plane, crd.CRDS, DEFINITION, definition)
    assert made.status_code == 201, made.text
    assert made.json()["spec"]["versions"] == definition["spec"]["versions"]

    await control_plane.until(LAMPS)
    refused = await control_plane.http.post(
        LAMPS, content=wrapped("stable.example.com/v1", "Lamp", b""), headers=HEADERS
    )
    assert refused.status_code == 415
    assert refused.json()["message"].endswith("include: application/json, application/yaml")

    await control_plane.create(LAMPS, crd.instance("lamps", "one"))
    options = wrapped("v1", "DeleteOptions", b"")
    gone = await control_plane.http.request("DELETE", f"{LAMPS}/one", content=options, headers=HEADERS)
    assert (gone.status_code, gone.json()["status"]) == (200, "Success")
