"""What comes before a connection to a pod, a service or a node: admission of its options, leave to create."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from generic.admission.interface import Attributes
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.support import asgi
from tests.support.builtin import pod_spec
from tests.support.kubeapi import Plane

pytestmark = pytest.mark.anyio

PODS = GroupVersionResource("", "v1", "pods")
ROLES = GroupVersionResource("rbac.authorization.k8s.io", "v1", "clusterroles")
BINDINGS = GroupVersionResource("rbac.authorization.k8s.io", "v1", "clusterrolebindings")


@dataclass
class Watchman:
    """Sees what connects, and refuses it if told."""

    name: str = "Watchman"
    refuses: bool = False
    seen: list[Attributes] = field(default_factory=list)

    def handles(self, attributes: Attributes) -> bool:
        return attributes.operation == "CONNECT"

    async def validate(self, attributes: Attributes) -> None:
        self.seen.append(attributes)
        if self.refuses:
            raise errors.forbidden(attributes.resource.group_resource, attributes.name, "not at night")


async def _call(plane: Plane, path: str, **more: Any) -> JSONObject:
    headers = {"authorization": f"Bearer {plane.token}", **more.pop("headers", {})}
    found: JSONObject = (await asgi.call(plane.app, f"/api/v1{path}", headers=headers, **more)).json()
    return found


@pytest.mark.parametrize(
    ("path", "options"),
    [
        (
            "pods/web/exec?command=sh&command=-c&stdin=true&tty=0&stdout=&container=main",
            {"kind": "PodExecOptions", "stdin": True, "stdout": True, "container": "main", "command": ["sh", "-c"]},
        ),
        ("pods/web/exec", {"kind": "PodExecOptions", "command": None}),
        ("pods/web/attach?stderr=1&stdin=False", {"kind": "PodAttachOptions", "stderr": True}),
        ("pods/web/portforward?ports=80,81&ports=90", {"kind": "PodPortForwardOptions", "ports": [80, 81, 90]}),
        ("pods/http:web:80/proxy/a/b/", {"kind": "PodProxyOptions", "path": "/a/b/"}),
        ("services/web/proxy", {"kind": "ServiceProxyOptions"}),
    ],
)
async def test_admission_sees_what_a_connection_is_asked_for(plane: Plane, path: str, options: JSONObject) -> None:
    watchman = Watchman()
    plane.config.admission.use([watchman])
    await plane.client.create(PODS, {"metadata": {"name": "web"}, "spec": pod_spec(nodeName="n1")}, "default")
    await _call(plane, f"/namespaces/default/{path}")
    (seen,) = watchman.seen
    assert seen.object == {"apiVersion": "v1", **options}
    resource, name, subresource = path.partition("?")[0].split("/")[:3]
    assert (seen.resource.resource, seen.name, seen.subresource) == (resource, name, subresource)
    assert (seen.kind.kind, seen.namespace, seen.options, seen.dry_run) == (options["kind"], "default", {}, False)


async def test_what_admission_refuses_does_not_connect(plane: Plane) -> None:
    plane.config.admission.use([Watchman(refuses=True)])
    answer = await _call(plane, "/namespaces/default/pods/web/exec?command=sh")
    assert (answer["code"], answer["message"]) == (403, 'pods "web" is forbidden: not at night')


@pytest.mark.parametrize("path", ["/namespaces/default/pods/web/exec", "/nodes/n1/proxy/stats"])
async def test_a_connection_cannot_be_tried_out(plane: Plane, path: str) -> None:
    answer = await _call(plane, f"{path}?dryRun=All")
    assert (answer["code"], answer["message"]) == (400, "dryRun is not supported")


@pytest.mark.parametrize(
    ("ports", "why"), [("80,http", "http: invalid syntax"), ("65536", "65536: value out of range")]
)
async def test_a_port_to_forward_is_a_number(plane: Plane, ports: str, why: str) -> None:
    answer = await _call(plane, f"/namespaces/default/pods/web/portforward?ports={ports}")
    text, _, reason = why.partition(": ")
    assert answer["code"] == 400
    assert answer["message"] == f'cannot convert to []int32: strconv.ParseUint: parsing "{text}": {reason}'


async def test_who_may_only_read_does_not_get_in_by_a_websocket(plane: Plane) -> None:
    await plane.client.create(PODS, {"metadata": {"name": "web"}, "spec": pod_spec()}, "default")
    rules = [{"apiGroups": [""], "resources": ["pods/exec", "pods/proxy"], "verbs": ["get"]}]
    await plane.client.create(ROLES, {"metadata": {"name": "readers"}, "rules": rules})
    role = {"apiGroup": ROLES.group, "kind": "ClusterRole", "name": "readers"}
    subject = {"apiGroup": ROLES.group, "kind": "User", "name": "bob"}
    await plane.client.create(BINDINGS, {"metadata": {"name": "bob"}, "roleRef": role, "subjects": [subject]})
    as_bob = {"impersonate-user": "bob"}
    answer = await _call(plane, "/namespaces/default/pods/web/exec", headers=as_bob)
    assert answer["code"] == 403
    assert answer["message"].startswith('pods "web" is forbidden: User "bob" cannot create resource "pods/exec"')
    answer = await _call(plane, "/namespaces/default/pods/web/proxy", headers=as_bob)
    assert answer["message"] == "address not allowed", "a proxied GET reads"
