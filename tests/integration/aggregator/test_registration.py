"""APIServices through the API, and what they do to discovery."""

import base64
import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from aggregator.apiservices import resource
from aggregator.proxy import credentials
from generic.meta.errors import StatusError
from generic.types import JSONObject, Receive, Scope, Send
from tests.integration.aggregator import harness
from tests.integration.aggregator.harness import GROUP, NAME, PATH, Backend, Plane, answer, apiservice, backend

pytestmark = pytest.mark.anyio

APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
REF = "#/components/schemas/"
META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
LABEL = "kube-aggregator.kubernetes.io/automanaged"


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send)


async def group_in_discovery(plane: Plane) -> JSONObject:
    document = (await plane.http.get("/apis", headers={"accept": AGGREGATED})).json()
    found = [one for one in document["items"] if one["metadata"]["name"] == GROUP]
    return found[0] if found else {}


async def freshness(plane: Plane, expected: str) -> JSONObject:
    """The version of the remote group, once its freshness is as expected."""
    while True:
        versions = (await group_in_discovery(plane)).get("versions") or []
        if versions and versions[0]["freshness"] == expected:
            found: JSONObject = versions[0]
            return found


async def test_what_the_delegates_serve_is_registered_in_kubernetes_order(plane: Plane) -> None:
    core = await plane.client.get(resource.GVR, "v1.")
    assert core["metadata"]["labels"] == {LABEL: "onstart"}
    assert core["spec"] == {"version": "v1", "groupPriorityMinimum": 18000, "versionPriority": 1}
    groups = [one["name"] for one in (await plane.http.get("/apis")).json()["groups"]]
    assert groups[:4] == ["apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io"]
    aggregated = (await plane.http.get("/apis", headers={"accept": AGGREGATED})).json()
    assert [one["metadata"]["name"] for one in aggregated["items"]] == groups
    autoscaling = (await plane.http.get("/apis/autoscaling")).json()
    assert autoscaling["preferredVersion"]["version"] == "v2"
    assert (await plane.http.get("/readyz/poststarthook/apiservice-registration-controller")).status_code == 200
    ready = await plane.http.get("/readyz?verbose")
    assert "[+]autoregister-completion ok" in ready.text


async def test_every_group_version_of_the_built_in_kinds_has_its_place(plane: Plane) -> None:
    listed = (await plane.client.list(resource.GVR))["items"]
    registered = {f"/apis/{one['spec'].get('group')}/{one['spec']['version']}" for one in listed}
    paths = (await plane.http.get("/")).json()["paths"]
    served = {path for path in paths if path.startswith("/apis/") and path.count("/") == 3}
    assert served - registered == {"/apis/apiregistration.k8s.io/v1"}


async def test_all_that_is_wrong_is_said_at_once(plane: Plane) -> None:
    response = await plane.http.post(APISERVICES, json=apiservice(version="", versionPriority=0, service={}))
    assert response.status_code == 422
    status = response.json()
    assert status["message"].startswith(f'APIService.apiregistration.k8s.io "{NAME}" is invalid: [')
    fields = {cause["field"] for cause in status["details"]["causes"]}
    assert fields == {
        "metadata.name",
        "spec.version",
        "spec.versionPriority",
        "spec.service.namespace",
        "spec.service.name",
    }


async def test_main_and_status_are_written_apart(plane: Plane) -> None:
    made = await plane.client.create(resource.GVR, apiservice())
    assert made["spec"]["service"]["port"] == 443
    held = await plane.condition(lambda held: held["reason"] == "ServiceNotFound")
    assert held["message"] == 'service/api in "default" is not present'
    current = await plane.client.get(resource.GVR, NAME)
    current["status"] = {}
    current["spec"]["versionPriority"] = 7
    assert (await plane.client.update(resource.GVR, current))["status"]["conditions"] != []
    del current["metadata"]["resourceVersion"]
    with pytest.raises(StatusError) as refused:
        await plane.client.update(resource.GVR, current)
    assert refused.value.code == 422
    table = await plane.http.get(APISERVICES, headers={"accept": "application/json;as=Table;g=meta.k8s.io;v=v1"})
    (row,) = [one["cells"] for one in table.json()["rows"] if one["cells"][0] == NAME]
    assert row[1:3] == ["default/api", "False (ServiceNotFound)"]
    await plane.client.delete(resource.GVR, NAME)
    await plane.until(lambda: NAME not in plane.aggregator.table.names())
    assert (await plane.http.get(f"{PATH}/flunders")).status_code == 404


@pytest.mark.parametrize("spec", [{}, {"service": None}])
async def test_a_condition_that_somebody_wiped_is_said_again(plane: Plane, spec: JSONObject) -> None:
    await plane.client.create(resource.GVR, apiservice(**spec))
    said = await plane.condition(lambda held: held["type"] == "Available")
    current = await plane.client.get(resource.GVR, NAME)
    wiped = await plane.client.update_status(resource.GVR, {**current, "status": {"conditions": []}})
    assert wiped["status"].get("conditions") in (None, [])
    again = await plane.condition(lambda held: held["type"] == "Available")
    assert (again["status"], again["reason"]) == (said["status"], said["reason"])


async def test_remote_groups_are_discovered_and_stay_listed_without_resources_when_their_server_is_gone(
    plane: Plane, tmp_path: Path
) -> None:
    async with backend(plane, tmp_path, nothing, dies=True) as served:
        await plane.register(("127.0.0.1", served.port))
        version = await freshness(plane, "Current")
        (flunders,) = version["resources"]
        assert (flunders["resource"], flunders["scope"], flunders["verbs"]) == (
            "flunders",
            "Namespaced",
            ["get", "list"],
        )
        assert flunders["responseKind"]["kind"] == "Flunder"
        assert (await plane.http.get(f"/apis/{GROUP}")).json()["preferredVersion"]["version"] == "v1"
        await plane.available()
        assert (await plane.http.get(PATH)).json()["kind"] == "APIResourceList"
    # Somebody asks, so that it is noticed at once.
    assert (await plane.http.get(f"{PATH}/flunders")).status_code == 503
    version = await freshness(plane, "Stale")
    assert "resources" not in version
    assert GROUP in (await plane.http.get("/apis")).text
    await plane.client.delete(resource.GVR, NAME)
    await plane.until(lambda: NAME not in plane.aggregator.table.names())
    assert await group_in_discovery(plane) == {}


class Modern(Backend):
    """Answers the aggregated form and OpenAPI as well, with what a test gives it."""

    documents: dict[str, Any]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope)
        if scope["path"] not in self.documents:
            await super().__call__(scope, receive, send)
            return
        kind = AGGREGATED if scope["path"] == "/apis" else "application/json"
        body = self.documents[scope["path"]]
        await send({
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", kind.encode()), (b"etag", b'"1"')],
        })
        await send({"type": "http.response.body", "body": body if isinstance(body, bytes) else orjson.dumps(body)})


async def test_a_remote_openapi_document_is_served_among_ours(plane: Plane, tmp_path: Path) -> None:
    path = PATH.lstrip("/")
    document = {"openapi": "3.0.0", "paths": {f"{PATH}/": {}}, "components": {"schemas": {"Flunder": {}}}}
    resources = [
        {"resource": "flunders", "verbs": ["list"], "scope": "Namespaced", "responseKind": {"kind": "Flunder"}}
    ]
    versions = [{"version": "v1", "resources": resources}]
    given = {
        "/openapi/v3": {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}?hash=A"}}},
        f"/openapi/v3/{path}": document,
        "/apis": {"items": [{"metadata": {"name": GROUP}, "versions": versions}]},
    }
    async with backend(plane, tmp_path, nothing, make=Modern) as served:
        served.documents = given  # type: ignore[attr-defined]
        await plane.register(("127.0.0.1", served.port))
        assert (await freshness(plane, "Current"))["resources"][0]["resource"] == "flunders"
        await plane.until(lambda: path in plane.aggregator.generic.openapi_v3())
        root = (await plane.http.get("/openapi/v3")).json()["paths"]
        assert {path, "api/v1", "apis/apiregistration.k8s.io/v1"} <= root.keys()
        assert (await plane.http.get(root[path]["serverRelativeURL"])).json() == document
        user = served.headers("/openapi/v3")["x-remote-user"]
    assert user == ["system:aggregator"]
    # Its APIService is gone by now.
    await plane.until(lambda: path not in plane.aggregator.generic.openapi_v3())


async def test_documents_that_are_none_hurt_nobody_else(plane: Plane, tmp_path: Path) -> None:
    given = {"/openapi/v3": b"[", "/apis": {"items": [{"metadata": 1}]}}
    async with backend(plane, tmp_path, nothing, make=Modern) as served:
        served.documents = given  # type: ignore[attr-defined]
        await plane.register(("127.0.0.1", served.port))
        await freshness(plane, "Stale")
        await plane.until(lambda: any(scope["path"] == "/openapi/v3" for scope in served.seen))
        assert "api/v1" in (await plane.http.get("/openapi/v3")).json()["paths"]
        assert (await plane.http.get("/apis/apps/v1")).status_code == 200


async def test_a_renewed_front_proxy_certificate_is_shown_to_every_server_though_nobody_asks(
    plane: Plane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "_LOOK_SECONDS", 0.05)
    async with backend(plane, tmp_path, nothing) as served:
        await plane.register(("127.0.0.1", served.port))
        await plane.available()
        renewed = plane.pki.front_proxy.issue_client("front-proxy-client-2")
        plane.pki.front_proxy_client_key.write_bytes(renewed.key)
        plane.pki.front_proxy_client_cert.write_bytes(renewed.cert)

        def told() -> set[str]:
            shown = [scope for scope in served.seen if "2" in str(scope["extensions"]["tls"]["client_cert_name"])]
            return {scope["path"] for scope in shown}

        await plane.until(lambda: {PATH, "/apis", "/openapi/v3"} <= told())


async def test_a_restart_puts_its_own_apiservices_right_and_leaves_others_alone(tmp_path: Path) -> None:
    async with harness.plane(tmp_path) as plane:
        edited = await plane.client.get(resource.GVR, "v1.apps")
        edited["spec"]["groupPriorityMinimum"] = 3
        await plane.client.update(resource.GVR, edited)
        taken = await plane.client.get(resource.GVR, "v1.policy")
        del taken["metadata"]["labels"]
        taken["spec"]["versionPriority"] = 3
        await plane.client.update(resource.GVR, taken)
        await plane.client.delete(resource.GVR, "v1.batch")
        old = apiservice(service=None)
        old["metadata"]["labels"] = {LABEL: "onstart"}
        await plane.client.create(resource.GVR, old)
    async with harness.plane(tmp_path) as plane:
        assert (await plane.client.get(resource.GVR, "v1.batch"))["spec"]["groupPriorityMinimum"] == 17400
        await plane.until(lambda: NAME not in plane.aggregator.table.names())
        await plane.until(lambda: plane.aggregator.table.group("apps")[0].group_priority == 17800)
        assert (await plane.client.get(resource.GVR, "v1.policy"))["spec"]["versionPriority"] == 3


async def test_kubectls_way_to_patch_one_works(plane: Plane) -> None:
    await plane.client.create(resource.GVR, apiservice())
    patch = {"spec": {"caBundle": base64.b64encode(b"x").decode()}}
    for kind in ("application/strategic-merge-patch+json", "application/merge-patch+json"):
        response = await plane.http.patch(f"{APISERVICES}/{NAME}", json=patch, headers={"content-type": kind})
        assert response.status_code == 200, response.text
        assert response.json()["spec"]["caBundle"] == patch["spec"]["caBundle"]


async def test_the_old_openapi_document_holds_everything_a_remote_servers_paths_among_it(
    plane: Plane, tmp_path: Path
) -> None:
    path = PATH.lstrip("/")
    answers = {"200": {"description": "OK", "content": {"application/json": {"schema": {"$ref": REF + META}}}}}
    document = {
        "paths": {f"{PATH}/flunders": {"get": {"responses": answers}}, "/api/v1/pods": {"get": {"responses": {}}}},
        "components": {"schemas": {META: {"type": "string"}}},
    }
    given = {
        "/openapi/v3": {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}?hash=A"}}},
        f"/openapi/v3/{path}": document,
    }
    async with backend(plane, tmp_path, nothing, make=Modern) as served:
        served.documents = given  # type: ignore[attr-defined]
        await plane.register(("127.0.0.1", served.port))
        await plane.until(lambda: path in plane.aggregator.generic.openapi_v3())
        response = await plane.http.get("/openapi/v2")
        swagger = response.json()
        shown = swagger["paths"][f"{PATH}/flunders"]["get"]["responses"]["200"]["schema"]["$ref"]
        assert shown.startswith(f"#/definitions/{META}_v")
        assert swagger["definitions"][shown.removeprefix("#/definitions/")] == {"type": "string"}
        assert "description" in swagger["definitions"][META]
        assert {"get", "post"} <= swagger["paths"]["/api/v1/namespaces/{namespace}/pods"].keys()
        assert swagger["paths"]["/api/v1/pods"]["get"]["x-kubernetes-action"] == "list"
        references = set(re.findall(rb'"\$ref":"#/definitions/([^"]*)"', response.content))
        assert {reference.decode() for reference in references} <= swagger["definitions"].keys()
        again = await plane.http.get("/openapi/v2", headers={"if-none-match": response.headers["etag"]})
        assert again.status_code == 304
    await plane.until(lambda: path not in plane.aggregator.generic.openapi_v3())
    assert f"{PATH}/flunders" not in (await plane.http.get("/openapi/v2")).json()["paths"]


async def test_a_server_without_v3_is_described_by_its_v2(plane: Plane, tmp_path: Path) -> None:
    path = PATH.lstrip("/")
    given = {"/openapi/v2": {"swagger": "2.0", "paths": {f"{PATH}/flunders": {"get": {"operationId": "listFlunders"}}}}}
    async with backend(plane, tmp_path, nothing, make=Modern) as served:
        served.documents = given  # type: ignore[attr-defined]
        await plane.register(("127.0.0.1", served.port))
        await plane.until(lambda: path in plane.aggregator.generic.openapi_v3())
        document = (await plane.http.get(f"/openapi/v3/{path}")).json()
        assert document["paths"][f"{PATH}/flunders"]["get"]["operationId"] == "listFlunders"
        assert served.headers("/openapi/v2")["accept"] == ["application/json"]
