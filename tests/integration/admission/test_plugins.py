"""The admission plugins that are on by default, over the whole write path."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.support import kubeapi
from tests.support.kubeapi import Plane, until

pytestmark = pytest.mark.anyio

NAMESPACES = GroupVersionResource("", "v1", "namespaces")
NODES = GroupVersionResource("", "v1", "nodes")
PODS = GroupVersionResource("", "v1", "pods")
CLAIMS = GroupVersionResource("", "v1", "persistentvolumeclaims")
VOLUMES = GroupVersionResource("", "v1", "persistentvolumes")
STORAGE_CLASSES = GroupVersionResource("storage.k8s.io", "v1", "storageclasses")
INGRESSES = GroupVersionResource("networking.k8s.io", "v1", "ingresses")
INGRESS_CLASSES = GroupVersionResource("networking.k8s.io", "v1", "ingressclasses")
RUNTIME_CLASSES = GroupVersionResource("node.k8s.io", "v1", "runtimeclasses")
REQUESTS = GroupVersionResource("certificates.k8s.io", "v1", "certificatesigningrequests")
ROLES = GroupVersionResource("rbac.authorization.k8s.io", "v1", "clusterroles")
BINDINGS = GroupVersionResource("rbac.authorization.k8s.io", "v1", "clusterrolebindings")


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with kubeapi.plane(tmp_path / "state.db") as started:
        yield started


async def _create(plane: Plane, gvr: GroupVersionResource, name: str, namespace: str = "", **more: Any) -> JSONObject:
    metadata = {"name": name, **more.pop("metadata", {})}
    return await plane.client.create(gvr, {"metadata": metadata, **more}, namespace)


async def _pod(plane: Plane, name: str = "web", namespace: str = "default", **spec: Any) -> JSONObject:
    container = {"name": "app", "image": "app:1", **spec.pop("container", {})}
    return await _create(plane, PODS, name, namespace, spec={"containers": [container], **spec})


async def _claim(plane: Plane, name: str, **spec: Any) -> JSONObject:
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return await _create(plane, CLAIMS, name, "default", spec={**asked, **spec})


async def _refused(doing: Any, code: int = 403) -> str:
    with pytest.raises(StatusError) as refused:
        await doing
    assert refused.value.code == code
    return refused.value.message


async def _gone(plane: Plane, gvr: GroupVersionResource, name: str, namespace: str = "") -> None:
    async def is_so() -> bool:
        return all(found["metadata"]["name"] != name for found in (await plane.client.list(gvr, namespace))["items"])

    await until(is_so)


async def test_pods_keep_to_the_standard_their_namespace_names(plane: Plane) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "baseline"}
    await _create(plane, NAMESPACES, "strict", metadata={"labels": labels})
    await until(lambda: _is_there(plane, GroupVersionResource("", "v1", "serviceaccounts"), "default", "strict"))
    assert await _refused(_pod(plane, "bad", "strict", hostNetwork=True)) == (
        'pods "bad" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)'
    )
    await _pod(plane, "good", "strict")
    await _pod(plane, "anything", "default", hostNetwork=True)


async def _is_there(plane: Plane, gvr: GroupVersionResource, name: str, namespace: str) -> bool:
    return any(found["metadata"]["name"] == name for found in (await plane.client.list(gvr, namespace))["items"])


async def test_a_stricter_namespace_warns_of_the_pods_it_has(plane: Plane) -> None:
    await _pod(plane, "one", hostNetwork=True)
    await _pod(plane, "two", hostNetwork=True)
    reply = await plane.client.request(
        "PATCH",
        "/api/v1/namespaces/default",
        body={"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}},
        content_type="application/merge-patch+json",
    )
    assert "one (and 1 other pod): host namespaces" in reply.headers["warning"]


async def test_labels_that_cannot_be_read_are_refused(plane: Plane) -> None:
    labels = {"pod-security.kubernetes.io/warn": "x"}
    message = await _refused(_create(plane, NAMESPACES, "odd", metadata={"labels": labels}), 422)
    assert "must be one of privileged, baseline, restricted" in message


async def test_a_claim_gets_the_default_class_unless_it_wants_none(plane: Plane) -> None:
    mark = {"storageclass.kubernetes.io/is-default-class": "true"}
    assert "storageClassName" not in (await _claim(plane, "before"))["spec"]
    await _create(plane, STORAGE_CLASSES, "slow", provisioner="a/b")
    await _create(plane, STORAGE_CLASSES, "fast", provisioner="a/b", metadata={"annotations": mark})
    assert (await _claim(plane, "silent"))["spec"]["storageClassName"] == "fast"
    assert (await _claim(plane, "none", storageClassName=""))["spec"]["storageClassName"] == ""


async def test_an_ingress_gets_the_default_class(plane: Plane) -> None:
    mark = {"ingressclass.kubernetes.io/is-default-class": "true"}
    await _create(plane, INGRESS_CLASSES, "main", metadata={"annotations": mark}, spec={"controller": "a/b"})
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    made = await _create(plane, INGRESSES, "web", "default", spec={"defaultBackend": backend})
    assert made["spec"]["ingressClassName"] == "main"


async def test_a_claim_in_use_goes_when_its_pod_has_gone(plane: Plane) -> None:
    assert (await _claim(plane, "data"))["metadata"]["finalizers"] == ["kubernetes.io/pvc-protection"]
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    await _pod(plane, "db", nodeName="node", volumes=[volume])
    await plane.client.delete(CLAIMS, "data", "default")
    await _claim(plane, "free")
    await plane.client.delete(CLAIMS, "free", "default")
    await _gone(plane, CLAIMS, "free", "default")
    assert await _is_there(plane, CLAIMS, "data", "default")
    await plane.client.request("DELETE", "/api/v1/namespaces/default/pods/db?gracePeriodSeconds=0")
    await _gone(plane, CLAIMS, "data", "default")


async def test_a_volume_goes_when_it_is_bound_no_longer(plane: Plane) -> None:
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}}
    await _create(plane, VOLUMES, "disk", spec=spec)
    await plane.client.patch(VOLUMES, "disk", {"status": {"phase": "Bound"}}, subresource="status")
    await plane.client.delete(VOLUMES, "disk")
    # What the controller has not touched by now it has decided to leave.
    await _create(plane, VOLUMES, "other", spec=spec)
    await plane.client.delete(VOLUMES, "other")
    await _gone(plane, VOLUMES, "other")
    assert (await plane.client.get(VOLUMES, "disk"))["metadata"]["finalizers"] == ["kubernetes.io/pv-protection"]
    await plane.client.patch(VOLUMES, "disk", {"status": {"phase": "Released"}}, subresource="status")
    await _gone(plane, VOLUMES, "disk")


async def test_a_claim_grows_only_if_its_class_allows_it(plane: Plane) -> None:
    for name, grows in (("stiff", False), ("elastic", True)):
        await _create(plane, STORAGE_CLASSES, name, provisioner="a/b", allowVolumeExpansion=grows)
        await _claim(plane, name, storageClassName=name)
        await plane.client.patch(
            CLAIMS, name, {"status": {"phase": "Bound"}}, namespace="default", subresource="status"
        )
    more = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}
    await plane.client.patch(CLAIMS, "elastic", more, namespace="default")
    assert await _refused(plane.client.patch(CLAIMS, "stiff", more, namespace="default")) == (
        'persistentvolumeclaims "stiff" is forbidden: only dynamically provisioned pvc can be resized and the '
        "storageclass that provisions the pvc must support resize"
    )


async def test_a_runtime_class_says_what_a_pod_costs_and_where_it_runs(plane: Plane) -> None:
    scheduling = {"nodeSelector": {"runtime": "vm"}, "tolerations": [{"key": "vm", "operator": "Exists"}]}
    overhead = {"podFixed": {"cpu": "100m"}}
    await _create(plane, RUNTIME_CLASSES, "vm", handler="vm", overhead=overhead, scheduling=scheduling)
    spec = (await _pod(plane, runtimeClassName="vm"))["spec"]
    assert (spec["overhead"], spec["nodeSelector"]) == ({"cpu": "100m"}, {"runtime": "vm"})
    assert {"key": "vm", "operator": "Exists"} in spec["tolerations"]
    refusals = [
        await _refused(_pod(plane, "a", runtimeClassName="none")),
        await _refused(_pod(plane, "a", runtimeClassName="vm", overhead={"cpu": "1"})),
        await _refused(_pod(plane, "a", runtimeClassName="vm", nodeSelector={"runtime": "x"})),
        await _refused(_pod(plane, "a", overhead={"cpu": "1"})),
    ]
    assert [text.removeprefix('pods "a" is forbidden: ') for text in refusals] == [
        'pod rejected: RuntimeClass "none" not found',
        "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        "conflict: runtimeClass.scheduling.nodeSelector[runtime] = vm; pod.spec.nodeSelector[runtime] = x",
        "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
    ]


async def test_a_bound_pod_learns_its_zone(plane: Plane) -> None:
    zone = "topology.kubernetes.io/zone"
    await _create(plane, NODES, "node", metadata={"labels": {zone: "z1", "other": "x"}})
    await _create(
        plane,
        PODS,
        "web",
        "default",
        metadata={"labels": {zone: "claimed", "app": "web"}},
        spec={"containers": [{"name": "app", "image": "app:1"}]},
    )
    binding = {"metadata": {"name": "web"}, "target": {"kind": "Node", "name": "node"}}
    await plane.client.request("POST", "/api/v1/namespaces/default/pods/web/binding", body=binding)
    assert (await plane.client.get(PODS, "web", "default"))["metadata"]["labels"] == {zone: "z1", "app": "web"}


async def test_a_pod_does_not_grow_beyond_its_node(plane: Plane) -> None:
    await _create(plane, NODES, "node")
    await plane.client.patch(NODES, "node", {"status": {"allocatable": {"cpu": "2"}}}, subresource="status")
    await _pod(plane, nodeName="node", container={"resources": {"requests": {"cpu": "1"}}})

    async def resize(cpu: str) -> JSONObject:
        container = {"name": "app", "image": "app:1", "resources": {"requests": {"cpu": cpu}}}
        body = {"spec": {"containers": [container]}}
        return await plane.client.patch(
            PODS,
            "web",
            body,
            content_type="application/strategic-merge-patch+json",
            namespace="default",
            subresource="resize",
        )

    await resize("1500m")
    assert await _refused(resize("2500m")) == (
        'pods "web" is forbidden: node didn\'t have enough allocatable resources: cpu, requested: 2500, '
        "allocatable: 2000"
    )


def _csr(*organizations: str) -> str:
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in organizations]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()


async def test_nobody_asks_for_an_administrators_certificate(plane: Plane) -> None:
    signer = "kubernetes.io/kube-apiserver-client"
    spec = {"request": _csr("system:masters"), "signerName": signer, "usages": ["client auth"]}
    assert await _refused(_create(plane, REQUESTS, "root", spec=spec)) == (
        'certificatesigningrequests.certificates.k8s.io "root" is forbidden: use of '
        "kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"
    )
    await _create(plane, REQUESTS, "other", spec={**spec, "signerName": "example.com/any"})


async def test_who_may_update_approvals_still_needs_the_signer(plane: Plane) -> None:
    spec = {"request": _csr("a"), "signerName": "example.com/any", "usages": ["client auth"]}
    await _create(plane, REQUESTS, "one", spec=spec)
    parts = ["certificatesigningrequests/approval", "certificatesigningrequests/status"]
    rule = {"apiGroups": [REQUESTS.group], "resources": parts, "verbs": ["patch"]}
    subject = {"kind": "User", "name": "joe", "apiGroup": ROLES.group}
    await _create(plane, ROLES, "half", rules=[rule])
    role = {"kind": "ClusterRole", "name": "half", "apiGroup": ROLES.group}
    await _create(plane, BINDINGS, "half", subjects=[subject], roleRef=role)
    joe = plane.as_user("joe")
    conditions = [{"type": "Approved", "status": "True", "reason": "a", "message": "b"}]
    approve = {"status": {"conditions": conditions}}
    assert await _refused(joe.patch(REQUESTS, "one", approve, subresource="approval")) == (
        'certificatesigningrequests.certificates.k8s.io "one" is forbidden: user not permitted to approve requests '
        'with signerName "example.com/any"'
    )
    signing = {"apiGroups": [REQUESTS.group], "resources": ["signers"], "verbs": ["approve"]}
    wide = {"rules": [rule, {**signing, "resourceNames": ["example.com/*"]}]}
    await plane.client.patch(ROLES, "half", wide)
    await joe.patch(REQUESTS, "one", approve, subresource="approval")
    failed = [*conditions, {"type": "Failed", "status": "True", "reason": "a", "message": "b"}]
    sign = joe.patch(REQUESTS, "one", {"status": {"conditions": failed}}, subresource="status")
    assert "user not permitted to sign requests" in await _refused(sign)
