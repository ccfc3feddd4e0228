"""Who may do what: authentication and RBAC of the whole server."""

from pathlib import Path

import pytest

from generic.client.rest import Client
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.support import asgi, certificates, kubeapi
from tests.support.kubeapi import Plane, authorities

pytestmark = pytest.mark.anyio

CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")
ROLES = GroupVersionResource("rbac.authorization.k8s.io", "v1", "roles")
CLUSTER_ROLES = GroupVersionResource("rbac.authorization.k8s.io", "v1", "clusterroles")
BINDINGS = GroupVersionResource("rbac.authorization.k8s.io", "v1", "rolebindings")
ACCESS_REVIEWS = GroupVersionResource("authorization.k8s.io", "v1", "subjectaccessreviews")


async def _bind(client: Client, role: str, user: str, *, kind: str = "ClusterRole") -> JSONObject:
    binding = {
        "metadata": {"name": f"{role}-{user}", "namespace": "default"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
        "subjects": [{"kind": "User", "name": user}],
    }
    return await client.create(BINDINGS, binding)


async def _configmaps_role(client: Client, *verbs: str) -> None:
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": list(verbs)}]
    await client.create(CLUSTER_ROLES, {"metadata": {"name": "configmaps"}, "rules": rules})


async def test_a_user_without_rights_is_told_exactly_what_is_missing(plane: Plane) -> None:
    with pytest.raises(StatusError) as refused:
        await plane.as_user("bob").list(CONFIG_MAPS, "default")
    assert (refused.value.code, refused.value.reason) == (403, "Forbidden")
    assert refused.value.message == (
        'configmaps is forbidden: User "bob" cannot list resource "configmaps" in API group "" in the namespace '
        '"default"'
    )
    with pytest.raises(StatusError) as refused:
        await plane.as_user("bob").get(CLUSTER_ROLES, "view")
    assert refused.value.message == (
        'clusterroles.rbac.authorization.k8s.io "view" is forbidden: User "bob" cannot get resource "clusterroles" '
        'in API group "rbac.authorization.k8s.io" at the cluster scope'
    )


async def test_a_binding_grants_at_once_and_its_end_takes_away_at_once(plane: Plane) -> None:
    bob = plane.as_user("bob")
    await _configmaps_role(plane.client, "get", "list", "create")
    await _bind(plane.client, "configmaps", "bob")
    await bob.create(CONFIG_MAPS, {"metadata": {"name": "mine"}}, "default")
    with pytest.raises(StatusError) as refused:
        await bob.list(CONFIG_MAPS, "kube-system")
    assert refused.value.code == 403
    await plane.client.delete(BINDINGS, "configmaps-bob", "default")
    with pytest.raises(StatusError) as refused:
        await bob.get(CONFIG_MAPS, "mine", "default")
    assert refused.value.code == 403


async def test_what_was_granted_is_in_force_before_any_hook_has_run(tmp_path: Path) -> None:
    async with kubeapi.plane(tmp_path / "state.db") as plane:
        await _configmaps_role(plane.client, "list")
        await _bind(plane.client, "configmaps", "bob")
    async with kubeapi.plane(tmp_path / "state.db", run_hooks=False) as plane:
        assert (await plane.as_user("bob").list(CONFIG_MAPS, "default", label_selector="no=such"))["items"] == []
        assert (await asgi.call(plane.app, "/readyz")).status == 500


async def test_nobody_grants_what_they_do_not_hold(plane: Plane) -> None:
    bob = plane.as_user("bob")
    rules = [
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "rolebindings"], "verbs": ["get", "create"]}
    ]
    await plane.client.create(ROLES, {"metadata": {"name": "granter", "namespace": "default"}, "rules": rules})
    await _bind(plane.client, "granter", "bob", kind="Role")
    wanted = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
    with pytest.raises(StatusError) as refused:
        await bob.create(ROLES, {"metadata": {"name": "thief", "namespace": "default"}, "rules": wanted})
    assert refused.value.code == 403
    assert refused.value.message == (
        'roles.rbac.authorization.k8s.io "thief" is forbidden: user "bob" (groups=["system:authenticated"]) is '
        "attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}'
    )
    with pytest.raises(StatusError) as refused:
        await _bind(bob, "cluster-admin", "bob")
    assert refused.value.code == 403


async def test_anonymous_users_see_health_and_nothing_else(plane: Plane) -> None:
    assert (await asgi.call(plane.app, "/readyz")).body == b"ok"
    refused = await asgi.call(plane.app, "/api/v1/namespaces")
    assert refused.status == 403
    assert refused.json()["message"] == (
        'namespaces is forbidden: User "system:anonymous" cannot list resource "namespaces" in API group "" at the '
        "cluster scope"
    )


async def test_a_bad_token_is_401_and_not_anonymous(plane: Plane) -> None:
    refused = await asgi.call(plane.app, "/readyz", headers={"authorization": "Bearer nonsense"})
    assert (refused.status, refused.json()["reason"]) == (401, "Unauthorized")


async def test_a_client_certificate_is_a_user(plane: Plane) -> None:
    cluster, front_proxy = authorities()
    path = "/apis/authorization.k8s.io/v1/nonsense"
    admin = certificates.tls(cluster.client("alice", ["system:masters"]))
    assert (await asgi.call(plane.app, path, tls=admin)).status == 404
    assert (await asgi.call(plane.app, path, tls=certificates.tls(cluster.client("bob")))).status == 403
    stranger = certificates.tls(front_proxy.client("alice", ["system:masters"]))
    assert (await asgi.call(plane.app, path, tls=stranger)).status == 401


async def test_the_front_proxy_is_believed_about_users_and_others_are_not(plane: Plane) -> None:
    cluster, front_proxy = authorities()
    path = "/api/v1/namespaces/default"
    claimed = [("X-Remote-User", "alice"), ("X-Remote-Group", "system:masters")]
    believed = certificates.tls(front_proxy.client("front-proxy-client"))
    assert (await asgi.call(plane.app, path, headers=claimed, tls=believed)).status == 200
    assert (await asgi.call(plane.app, path, headers=claimed)).status == 403
    assert (await asgi.call(plane.app, path, headers=claimed, tls=certificates.tls(cluster.client()))).status != 200


async def test_an_access_review_answers_for_others(plane: Plane) -> None:
    await _configmaps_role(plane.client, "get")
    await _bind(plane.client, "configmaps", "bob")

    async def ask(verb: str) -> JSONObject:
        attributes = {"namespace": "default", "verb": verb, "resource": "configmaps"}
        spec = {"user": "bob", "resourceAttributes": attributes}
        status: JSONObject = (await plane.client.create(ACCESS_REVIEWS, {"spec": spec}))["status"]
        return status

    assert await ask("get") == {
        "allowed": True,
        "reason": 'RBAC: allowed by RoleBinding "configmaps-bob/default" of ClusterRole "configmaps" to User "bob"',
    }
    assert await ask("delete") == {"allowed": False}
