"""Built-in kinds through the whole server: what is particular to one, and what clients see when they err."""

from base64 import b64encode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from generic.client.rest import STRATEGIC_MERGE_PATCH, path_of
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.support import asgi
from tests.support.builtin import workload
from tests.support.kubeapi import Plane

pytestmark = pytest.mark.anyio

CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")
DEPLOYMENTS = GroupVersionResource("apps", "v1", "deployments")
EVENTS = GroupVersionResource("events.k8s.io", "v1", "events")
CORE_EVENTS = GroupVersionResource("", "v1", "events")


async def _deploy(plane: Plane, **spec: object) -> JSONObject:
    obj = workload("Deployment")
    obj["spec"] |= spec
    return await plane.client.create(DEPLOYMENTS, obj, "default")


async def test_a_strategic_merge_patch_changes_one_container_of_two(plane: Plane) -> None:
    await _deploy(plane)
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "registry/side:1"}]}}}}
    await plane.client.patch(DEPLOYMENTS, "web", patch, content_type=STRATEGIC_MERGE_PATCH, namespace="default")
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "registry/app:2"}]}}}}
    made = await plane.client.patch(DEPLOYMENTS, "web", patch, content_type=STRATEGIC_MERGE_PATCH, namespace="default")
    images = {found["name"]: found["image"] for found in made["spec"]["template"]["spec"]["containers"]}
    assert images == {"main": "registry/app:2", "side": "registry/side:1"}
    assert made["metadata"]["generation"] == 3


async def test_everything_wrong_with_an_object_is_said_at_once(plane: Plane) -> None:
    wrong = workload("Deployment", replicas=-1, selector={"matchLabels": {"app": "other"}})
    with pytest.raises(StatusError) as refused:
        await plane.client.create(DEPLOYMENTS, wrong, "default")
    assert (refused.value.code, refused.value.reason) == (422, "Invalid")
    assert refused.value.message.startswith('Deployment.apps "web" is invalid: [')
    causes = {cause["field"]: cause["message"] for cause in (refused.value.details or {})["causes"]}
    assert causes["spec.replicas"] == "Invalid value: -1: must be greater than or equal to 0"
    assert causes["spec.template.metadata.labels"].endswith("`selector` does not match template `labels`")


async def test_a_value_of_the_wrong_type_is_400_in_the_words_of_go(plane: Plane) -> None:
    with pytest.raises(StatusError) as refused:
        await _deploy(plane, replicas="three")
    assert refused.value.code == 400
    assert refused.value.message == (
        'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct '
        "field DeploymentSpec.spec.replicas of type int32"
    )


async def test_unknown_fields_warn_unless_strictness_is_asked_for(plane: Plane) -> None:
    obj = {"metadata": {"name": "typo"}, "daata": {"a": "b"}}
    path = path_of(CONFIG_MAPS, "default")
    with pytest.raises(StatusError) as refused:
        await plane.client.request("POST", path, query={"fieldValidation": "Strict"}, body=obj)
    assert refused.value.code == 400
    assert refused.value.message.endswith('strict decoding error: unknown field "daata"')
    reply = await plane.client.request("POST", path, body=obj)
    assert reply.headers["warning"] == '299 - "unknown field \\"daata\\""'
    assert "daata" not in reply.json()


async def test_an_event_is_the_same_object_under_both_names(plane: Plane) -> None:
    made = await plane.client.create(
        CORE_EVENTS,
        {
            "metadata": {"name": "e1", "namespace": "default"},
            "involvedObject": {"kind": "Pod", "namespace": "default", "name": "web"},
            "reason": "Pulled",
            "message": "image is here",
            "type": "Normal",
        },
    )
    found = await plane.client.get(EVENTS, "e1", "default")
    assert found["apiVersion"] == "events.k8s.io/v1"
    assert (found["regarding"]["name"], found["note"]) == ("web", "image is here")
    assert found["metadata"]["uid"] == made["metadata"]["uid"]
    for gvr, selector in ((CORE_EVENTS, "involvedObject.name=web"), (EVENTS, "regarding.name=web")):
        listed = await plane.client.list(gvr, "default", field_selector=selector)
        assert [item["metadata"]["name"] for item in listed["items"]] == ["e1"]
        none = await plane.client.list(gvr, "default", field_selector=selector.replace("web", "other"))
        assert none["items"] == []
    await plane.client.delete(EVENTS, "e1", "default")
    assert (await plane.client.list(CORE_EVENTS, "default"))["items"] == []


async def test_an_autoscaler_is_read_in_the_version_asked_for(plane: Plane) -> None:
    v1, v2 = (GroupVersionResource("autoscaling", v, "horizontalpodautoscalers") for v in ("v1", "v2"))
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    obj = {
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"maxReplicas": 5, "targetCPUUtilizationPercentage": 70, "scaleTargetRef": target},
    }
    await plane.client.create(v1, obj)
    found = await plane.client.get(v2, "web", "default")
    assert found["apiVersion"] == "autoscaling/v2"
    assert found["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
    assert (await plane.client.get(v1, "web", "default"))["spec"]["targetCPUUtilizationPercentage"] == 70


async def test_scale_reads_and_sets_the_replicas(plane: Plane) -> None:
    await _deploy(plane, replicas=2)
    scale = await plane.client.get(DEPLOYMENTS, "web", "default", subresource="scale")
    assert (scale["apiVersion"], scale["kind"], scale["spec"]) == ("autoscaling/v1", "Scale", {"replicas": 2})
    assert scale["status"]["selector"] == "app=web"
    scale["spec"]["replicas"] = 5
    await plane.client.update(DEPLOYMENTS, scale, subresource="scale")
    await plane.client.patch(DEPLOYMENTS, "web", {"spec": {"replicas": 4}}, namespace="default", subresource="scale")
    assert (await plane.client.get(DEPLOYMENTS, "web", "default"))["spec"]["replicas"] == 4


async def test_a_signing_request_is_approved_at_its_own_door_alone(plane: Plane) -> None:
    requests = GroupVersionResource("certificates.k8s.io", "v1", "certificatesigningrequests")
    approved = [{"type": "Approved", "status": "True", "reason": "Test", "message": "by the test"}]
    obj = {
        "metadata": {"name": "bob"},
        "spec": {
            "request": _certificate_request(),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
        },
    }
    made = await plane.client.create(requests, obj)
    made = await plane.client.update(requests, {**made, "status": {"conditions": approved}})
    assert "conditions" not in (made.get("status") or {})
    made = await plane.client.update(requests, {**made, "status": {"conditions": approved}}, subresource="approval")
    assert [found["type"] for found in made["status"]["conditions"]] == ["Approved"]


def _certificate_request() -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bob")])
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return b64encode(request.public_bytes(serialization.Encoding.PEM)).decode()


async def test_what_no_server_of_the_chain_has_is_404(plane: Plane) -> None:
    token = {"authorization": f"Bearer {plane.token}"}
    unknown = await asgi.call(plane.app, "/apis/nobody.example.com/v1/things", headers=token)
    assert (unknown.status, unknown.body) == (404, b"404 page not found\n")
    missing = await asgi.call(plane.app, "/apis/apps/v1/nonsense", headers=token)
    assert missing.status == 404
    assert missing.json()["message"] == "the server could not find the requested resource"
