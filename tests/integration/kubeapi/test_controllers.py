"""What the server keeps as it has to be, whoever changes it."""

from functools import partial
from pathlib import Path

import orjson
import pytest

from generic.authentication.authority import CertificateAuthority
from generic.authentication.request_header import RequestHeaderOptions
from generic.client.rest import Client
from generic.meta.gvk import GroupResource, GroupVersionResource
from generic.types import JSONObject
from kubeapi.bootstrap.authentication_info import AuthenticationInfo
from kubeapi.controllers.authentication_info import AuthenticationInfoController
from tests.support import kubeapi
from tests.support.certificates import Authority
from tests.support.kubeapi import Plane, authorities, until

pytestmark = pytest.mark.anyio

CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")
NAMESPACES = GroupVersionResource("", "v1", "namespaces")
CLUSTER_ROLES = GroupVersionResource("rbac.authorization.k8s.io", "v1", "clusterroles")
SERVICES = GroupVersionResource("", "v1", "services")
ENDPOINT_SLICES = GroupVersionResource("discovery.k8s.io", "v1", "endpointslices")
INFO = "extension-apiserver-authentication"


async def _info(client: Client) -> JSONObject:
    found = (await client.list(CONFIG_MAPS, "kube-system", field_selector=f"metadata.name={INFO}"))["items"]
    return found[0].get("data") or {} if found else {}


async def test_aggregated_servers_are_told_whom_to_believe(plane: Plane) -> None:
    async def told() -> bool:
        return bool(await _info(plane.client))

    await until(told)
    data = await _info(plane.client)
    clients, front_proxies = authorities()
    assert data.pop("client-ca-file") == clients.pem.decode()
    assert data.pop("requestheader-client-ca-file") == front_proxies.pem.decode()
    assert {key: orjson.loads(value) for key, value in data.items()} == {
        "requestheader-username-headers": ["X-Remote-User"],
        "requestheader-uid-headers": ["X-Remote-Uid"],
        "requestheader-group-headers": ["X-Remote-Group"],
        "requestheader-extra-headers-prefix": ["X-Remote-Extra-"],
        "requestheader-allowed-names": [],
    }


async def test_what_they_are_told_is_put_back_when_it_is_deleted_or_spoiled(plane: Plane) -> None:
    async def told() -> bool:
        return "-----BEGIN" in (await _info(plane.client)).get("client-ca-file", "")

    await until(told)
    whole = await _info(plane.client)

    async def restored() -> bool:
        return await _info(plane.client) == whole

    await plane.client.delete(CONFIG_MAPS, INFO, "kube-system")
    await until(restored)
    spoiled = {"client-ca-file": "garbage", "requestheader-group-headers": None, "more": "x"}
    await plane.client.patch(CONFIG_MAPS, INFO, {"data": spoiled}, namespace="kube-system")
    await until(restored)


async def test_every_namespace_knows_whom_to_believe_this_server_by(plane: Plane) -> None:
    async def published(namespace: str) -> JSONObject:
        found = await plane.client.list(CONFIG_MAPS, namespace, field_selector="metadata.name=kube-root-ca.crt")
        return found["items"][0] if found["items"] else {}

    async def is_there(namespace: str) -> bool:
        return bool(await published(namespace))

    await plane.client.create(NAMESPACES, {"metadata": {"name": "new"}})
    for namespace in ("default", "kube-system", "new"):
        await until(partial(is_there, namespace))
    whole = await published("new")
    assert whole["data"] == {"ca.crt": authorities()[0].pem.decode()}
    assert whole["metadata"]["annotations"]["kubernetes.io/description"].startswith("Contains a CA bundle")

    async def restored() -> bool:
        found = await published("new")
        return bool(found) and (found["data"], found["metadata"]["annotations"]) == (
            whole["data"],
            {**whole["metadata"]["annotations"], **kept},
        )

    kept: dict[str, str] = {}
    await plane.client.delete(CONFIG_MAPS, "kube-root-ca.crt", "new")
    await until(restored)
    kept = {"mine": "stays"}
    spoiled = {
        "metadata": {"annotations": {"kubernetes.io/description": None, **kept}},
        "data": {"ca.crt": "x", "b": "c"},
    }
    await plane.client.patch(CONFIG_MAPS, "kube-root-ca.crt", spoiled, namespace="new")
    await until(restored)


async def test_another_server_and_its_new_authority_are_told_beside_this_one(tmp_path: Path, plane: Plane) -> None:
    file, old, new = tmp_path / "ca.crt", Authority("old"), Authority("new")
    file.write_bytes(old.pem)
    clients, front_proxies = authorities()
    info = AuthenticationInfo(
        CertificateAuthority.from_file(file),
        CertificateAuthority(front_proxies.pem),
        RequestHeaderOptions(allowed_names=("front-proxy-client",)),
    )

    async def told(*pems: bytes) -> bool:
        data = await _info(plane.client)
        return all(pem.decode() in data.get("client-ca-file", "") for pem in pems)

    other = AuthenticationInfoController(plane.client, info, look_every=0.02)
    await other.start()
    try:
        await until(lambda: told(clients.pem, old.pem))
        file.write_bytes(new.pem)
        await until(lambda: told(clients.pem, old.pem, new.pem))
    finally:
        await other.stop()
    assert (await _info(plane.client))["requestheader-allowed-names"] == '["front-proxy-client"]'


async def test_the_rules_of_an_aggregated_role_follow_those_it_selects(plane: Plane) -> None:
    added = {"apiGroups": ["example.com"], "resources": ["things"], "verbs": ["get"]}
    labels = {"rbac.authorization.k8s.io/aggregate-to-view": "true"}
    await plane.client.create(CLUSTER_ROLES, {"metadata": {"name": "things", "labels": labels}, "rules": [added]})

    async def count(role: str) -> int:
        rules: list[JSONObject] = (await plane.client.get(CLUSTER_ROLES, role))["rules"]
        return rules.count(added)

    async def everywhere() -> bool:
        return [await count(role) for role in ("view", "edit", "admin")] == [1, 1, 1]

    async def nowhere() -> bool:
        return [await count(role) for role in ("view", "edit", "admin")] == [0, 0, 0]

    # edit selects view, and admin selects edit: it spreads from one to the next.
    await until(everywhere)
    await plane.client.delete(CLUSTER_ROLES, "things")
    await until(nowhere)


async def test_the_server_is_found_as_the_service_kubernetes(plane: Plane) -> None:
    async def there() -> bool:
        found = await plane.client.list(ENDPOINT_SLICES, "default")
        return bool(found["items"])

    await until(there)
    service = await plane.client.get(SERVICES, "kubernetes", "default")
    assert service["spec"]["clusterIP"] == "10.96.0.1"
    assert service["spec"]["ports"] == [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443}]
    piece = await plane.client.get(ENDPOINT_SLICES, "kubernetes", "default")
    assert piece["endpoints"] == [{"addresses": ["192.0.2.1"], "conditions": {"ready": True}}]
    assert piece["ports"] == [{"name": "https", "port": 6443, "protocol": "TCP"}]


async def test_a_restart_keeps_what_there_was_and_writes_nothing_again(tmp_path: Path) -> None:
    async with kubeapi.plane(tmp_path / "state.db") as plane:

        async def settled() -> bool:
            roles = [await plane.client.get(CLUSTER_ROLES, name) for name in ("view", "edit", "admin")]
            view, edit, admin = (role["rules"] for role in roles)
            return bool(view) and all(rule in edit for rule in view) and all(rule in admin for rule in edit)

        await until(settled)
        before = await plane.client.list(CLUSTER_ROLES)
    async with kubeapi.plane(tmp_path / "state.db") as plane:
        assert (await plane.client.list(CLUSTER_ROLES))["items"] == before["items"]


async def test_kinds_nobody_asks_for_cost_no_cache(plane: Plane) -> None:
    idle = [
        entry.resource.group_resource
        for gv in plane.server.generic.installed_group_versions()
        for entry in plane.server.generic.installed_in(gv)
        if hasattr(entry.storage, "backing") and not entry.storage.backing.cacher.revision
    ]
    assert GroupResource("apps", "deployments") in idle
    assert len(idle) > 35
