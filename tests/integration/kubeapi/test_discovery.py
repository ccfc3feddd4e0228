"""How clients find out what the server has."""

import pytest

from tests.support import asgi
from tests.support.kubeapi import ADDRESS, Plane

pytestmark = pytest.mark.anyio

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


async def _get(plane: Plane, path: str, **headers: str) -> asgi.Response:
    found = await asgi.call(plane.app, path, headers={"authorization": f"Bearer {plane.token}", **headers})
    assert found.status == 200, found.body
    return found


async def test_the_core_group_has_a_root_of_its_own(plane: Plane) -> None:
    for path in ("/api", "/api/"):
        assert (await _get(plane, path)).json() == {
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": ADDRESS}],
        }
    document = (await _get(plane, "/api", accept=AGGREGATED)).json()
    resources = {found["resource"]: found for found in document["items"][0]["versions"][0]["resources"]}
    assert resources["pods"]["shortNames"] == ["po"]
    assert [found["subresource"] for found in resources["namespaces"]["subresources"]] == ["finalize", "status"]


async def test_verbs_and_subresources_are_those_of_kubernetes(plane: Plane) -> None:
    everything = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
    wanted = {
        "/api/v1": {"pods": everything, "pods/status": ["get", "patch", "update"]},
        "/apis/apps/v1": {
            "deployments": everything,
            "deployments/scale": ["get", "patch", "update"],
            "deployments/status": ["get", "patch", "update"],
            "controllerrevisions": everything,
        },
        "/apis/certificates.k8s.io/v1": {"certificatesigningrequests/approval": ["get", "patch", "update"]},
        "/apis/authorization.k8s.io/v1": {"subjectaccessreviews": ["create"], "localsubjectaccessreviews": ["create"]},
        "/apis/authentication.k8s.io/v1": {"tokenreviews": ["create"], "selfsubjectreviews": ["create"]},
    }
    for path, resources in wanted.items():
        found = {entry["name"]: entry for entry in (await _get(plane, path)).json()["resources"]}
        assert {name: found[name]["verbs"] for name in resources} == resources
    scale = next(
        entry
        for entry in (await _get(plane, "/apis/apps/v1")).json()["resources"]
        if entry["name"] == "deployments/scale"
    )
    assert (scale["group"], scale["version"], scale["kind"]) == ("autoscaling", "v1", "Scale")


async def test_every_group_version_has_a_document(plane: Plane) -> None:
    published = (await _get(plane, "/openapi/v3")).json()["paths"]
    versions = plane.server.generic.installed_group_versions()
    assert set(published) == {version.path.removeprefix("/") for version in versions}
    document = (await _get(plane, published["apis/apps/v1"]["serverRelativeURL"])).json()
    operation = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    kind = {"group": "apps", "version": "v1", "kind": "Deployment"}
    assert operation["x-kubernetes-group-version-kind"] == kind
    schemas = document["components"]["schemas"]
    assert kind in schemas["io.k8s.api.apps.v1.Deployment"]["x-kubernetes-group-version-kind"]


async def test_health_names_the_hooks_as_kubernetes_does(plane: Plane) -> None:
    lines = (await _get(plane, "/readyz?verbose")).body.decode().splitlines()
    for name in (
        "rbac/bootstrap-roles",
        "scheduling/bootstrap-system-priority-classes",
        "start-system-namespaces-controller",
        "start-cluster-authentication-info-controller",
        "bootstrap-controller",
    ):
        assert f"[+]poststarthook/{name} ok" in lines
